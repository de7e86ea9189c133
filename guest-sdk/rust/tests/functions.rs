//! What the macros make of functions and types: the manifest, and calls that
//! need no database.

use std::time::Duration;

use serde_json::{Value as Json, json};
use weir::__private::{call, manifest};
use weir::prelude::*;

#[document(
    "users",
    index(by_nick_name = [nick_name, role], by_street = [address.street]),
    staged_index(by_name = [name])
)]
struct User {
    name: String,
    #[serde(rename = "nickName")]
    nick_name: Option<String>,
    role: Role,
    address: Option<Address>,
}

#[value]
struct Address {
    street: String,
}

/// A part of what a user is; the table is declared once.
#[document("users", undeclared)]
struct UserName {
    name: String,
}

#[document("events", index(by_kind = [kind], by_text = ["text"]))]
#[serde(tag = "kind")]
enum Stored {
    Said { text: String },
    Left,
}

#[value]
#[serde(rename_all = "camelCase")]
enum Role {
    PlainUser,
    Admin,
}

#[value]
#[serde(tag = "kind", rename_all = "snake_case", rename_all_fields = "camelCase")]
enum Event {
    Joined { user_id: Id<User> },
    LeftEarly,
    Said(Saying),
}

#[value]
struct Saying {
    text: String,
    #[serde(default)]
    volume: u8,
    #[serde(skip)]
    _secret: u8,
}

#[value]
#[serde(transparent)]
struct Score {
    points: f64,
}

#[value]
struct Tree {
    label: String,
    children: Vec<Tree>,
}

#[value]
struct Paged<T> {
    items: Vec<T>,
    #[serde(flatten)]
    page: Page,
}

#[value]
struct Page {
    at: u32,
    is_last: bool,
}

type AppResult<T> = Result<T, std::num::ParseIntError>;

#[query]
fn echo(_ctx: &QueryCtx, value: Value) -> Value {
    value
}

#[query]
fn greet_all(_ctx: &QueryCtx, first_names: &[String], greeting: Option<String>) -> String {
    format!("{} {}", greeting.as_deref().unwrap_or("Hello"), first_names.join(", "))
}

#[query(internal, name = "parseNumber")]
fn parse(_ctx: &QueryCtx, text: &str) -> AppResult<Vec<i64>> {
    Ok(vec![text.parse()?])
}

#[mutation]
fn touch(ctx: &mut MutationCtx, user: Id<User>) -> Result<Option<Doc<User>>> {
    ctx.db.get(&user)
}

#[mutation]
fn refuse(_ctx: &MutationCtx, least: f64) -> Result<()> {
    bail_with!(fields! { code: "TooSmall", least: least });
}

#[query]
fn shapes(_ctx: &QueryCtx, event: Event, tree: Tree, score: Score, page: Paged<bool>) -> Result<Role> {
    let _ = (event, score.points, page.items, page.page.at, page.page.is_last, tree.children);
    ensure!(tree.label.is_empty(), "the label is {:?}", tree.label);
    Ok(Role::Admin)
}

mod admin {
    pub(super) mod users {
        use weir::prelude::*;

        /// A name that the macro's own code also has.
        #[query]
        pub(crate) fn json(_ctx: &QueryCtx, ctx: i32, json: i64, r#type: u32) -> (f64, i64) {
            (f64::from(ctx) + f64::from(r#type), json)
        }
    }
}

fn functions() -> Vec<Json> {
    let manifest: Json = serde_json::from_slice(&manifest()).unwrap();
    manifest["functions"].as_array().unwrap().clone()
}

fn function(path: &str) -> Json {
    functions().into_iter().find(|function| function["path"] == path).unwrap()
}

fn field(validator: Json, optional: bool) -> Json {
    json!({"fieldType": validator, "optional": optional})
}

fn run(path: &str, args: &Json) -> std::result::Result<Json, String> {
    let result = call(path, args.to_string().as_bytes()).map_err(|error| error.message().to_owned())?;
    Ok(serde_json::from_slice(&result).unwrap())
}

#[test]
fn functions_are_registered_by_their_paths() {
    let paths: Vec<String> =
        functions().iter().map(|function| function["path"].as_str().unwrap().to_owned()).collect();
    let expected = [
        "admin/users:json",
        "weir:echo",
        "weir:greetAll",
        "weir:parseNumber",
        "weir:refuse",
        "weir:shapes",
        "weir:touch",
    ];
    assert_eq!(paths, expected);
    assert_eq!(manifest(), manifest());
}

#[test]
fn the_manifest_tells_kinds_arguments_and_results() {
    let string = json!({"type": "string"});
    assert_eq!(
        function("weir:greetAll"),
        json!({
            "path": "weir:greetAll", "kind": "query", "visibility": "public",
            "args": {"type": "object", "value": {
                "firstNames": field(json!({"type": "array", "value": string}), false),
                "greeting": field(string.clone(), true),
            }},
            "returns": string,
        })
    );
    let parse = function("weir:parseNumber");
    assert_eq!(parse["visibility"], "internal");
    assert_eq!(parse["returns"], json!({"type": "array", "value": {"type": "bigint"}}));
    assert_eq!(function("weir:echo")["returns"], json!({"type": "any"}));
    assert_eq!(function("weir:refuse")["kind"], "mutation");
    assert_eq!(function("weir:refuse")["returns"], json!({"type": "null"}));
}

fn user() -> Json {
    let literal = |text: &str| json!({"type": "literal", "value": text});
    let address = json!({"type": "object", "value": {"street": field(json!({"type": "string"}), false)}});
    json!({"type": "object", "value": {
        "name": field(json!({"type": "string"}), false),
        "nickName": field(json!({"type": "string"}), true),
        "role": field(json!({"type": "union", "value": [literal("plainUser"), literal("admin")]}), false),
        "address": field(address, true),
    }})
}

#[test]
fn document_types_declare_their_tables() {
    let manifest: Json = serde_json::from_slice(&manifest()).unwrap();
    let kind = |name: &str| field(json!({"type": "literal", "value": name}), false);
    let stored = json!({"type": "union", "value": [
        {"type": "object", "value": {"kind": kind("Said"), "text": field(json!({"type": "string"}), false)}},
        {"type": "object", "value": {"kind": kind("Left")}},
    ]});
    assert_eq!(
        manifest["schema"],
        json!({"schemaValidation": true, "tables": [
            {
                "tableName": "events",
                "indexes": [
                    {"indexDescriptor": "by_kind", "fields": ["kind"]},
                    {"indexDescriptor": "by_text", "fields": ["text"]},
                ],
                "stagedDbIndexes": [],
                "documentType": stored,
            },
            {
                "tableName": "users",
                "indexes": [
                    {"indexDescriptor": "by_nick_name", "fields": ["nickName", "role"]},
                    {"indexDescriptor": "by_street", "fields": ["address.street"]},
                ],
                "stagedDbIndexes": [{"indexDescriptor": "by_name", "fields": ["name"]}],
                "documentType": user(),
            },
        ]})
    );
    assert_eq!((UserName::TABLE, User::TABLE), ("users", "users"));
}

#[test]
fn an_index_is_a_constant_of_its_documents_type() {
    assert_eq!(format!("{:?}", User::BY_STREET), r#"by_street["address.street", "_creationTime"]"#);
    assert_eq!(User::BY_NICK_NAME.fields(), ["nickName", "role", "_creationTime"]);
    assert_eq!(Stored::BY_KIND.name(), "by_kind");
    let ctx = QueryCtx::new();
    let found = ctx
        .db
        .query("users")
        .with_index(User::BY_NICK_NAME, |range| range.eq("ada").eq(&Role::Admin).gt(1.0).lte(2.0))
        .collect();
    assert_eq!(found.map(|users| users.len()).unwrap_err().code(), Some("NoHost"));
}

#[test]
fn system_tables_are_read_apart() {
    let ctx = QueryCtx::new();
    let error = ctx.db.query::<Value>("_indexes").first().unwrap_err();
    assert_eq!(error.message(), "`_indexes` is one of the host's own tables: read it as a system table.");
    assert!(ctx.db.get_in::<Value>("_indexes", &Id::from_text("k")).unwrap_err().code().is_none());
    assert_eq!(ctx.db.system().query::<Value>("_indexes").count().unwrap_err().code(), Some("NoHost"));
    let error = ctx.db.system().query::<Value>("users").count().unwrap_err();
    assert_eq!(error.message(), "`users` is not a system table: read it as one of the app's own.");
}

#[test]
fn documents_have_the_fields_that_the_host_adds() {
    let id = json!({"type": "id", "tableName": "users"});
    let mut user = user();
    user["value"]["_creationTime"] = field(json!({"type": "number"}), false);
    user["value"]["_id"] = field(id.clone(), false);
    let touch = function("weir:touch");
    assert_eq!(touch["returns"], json!({"type": "union", "value": [user, {"type": "null"}]}));
    assert_eq!(touch["args"]["value"]["user"], field(id, false));
}

#[test]
fn validators_follow_serdes_attributes() {
    let args = &function("weir:shapes")["args"]["value"];
    let (string, number) = (json!({"type": "string"}), json!({"type": "number"}));
    let kind = |name: &str| field(json!({"type": "literal", "value": name}), false);
    let object = |fields: Json| json!({"type": "object", "value": fields});
    let id = json!({"type": "id", "tableName": "users"});
    assert_eq!(
        args["event"]["fieldType"],
        json!({"type": "union", "value": [
            object(json!({"kind": kind("joined"), "userId": field(id, false)})),
            object(json!({"kind": kind("left_early")})),
            object(json!({"kind": kind("said"), "text": field(string.clone(), false), "volume": field(number.clone(), true)})),
        ]})
    );
    let children = json!({"type": "array", "value": {"type": "any"}});
    assert_eq!(
        args["tree"]["fieldType"],
        object(json!({"label": field(string, false), "children": field(children, false)}))
    );
    assert_eq!(args["score"]["fieldType"], number);
    let boolean = json!({"type": "boolean"});
    assert_eq!(
        args["page"]["fieldType"],
        object(json!({
            "items": field(json!({"type": "array", "value": boolean}), false),
            "at": field(number, false),
            "is_last": field(boolean, false),
        }))
    );
}

#[test]
fn calls_take_arguments_by_their_names() {
    assert_eq!(run("weir:greetAll", &json!({"firstNames": ["Ada", "Bo"]})), Ok(json!("Hello Ada, Bo")));
    assert_eq!(run("weir:greetAll", &json!({"greeting": "Hi", "firstNames": []})), Ok(json!("Hi ")));
    let nested = json!({"a": [1.5, {"$integer": "AQAAAAAAAAA="}, null, {"b": "c"}]});
    assert_eq!(run("weir:echo", &json!({"value": nested})), Ok(nested));
    assert_eq!(
        run("admin/users:json", &json!({"ctx": 1, "json": {"$integer": "AQAAAAAAAAA="}, "type": 2.0})),
        Ok(json!([3, {"$integer": "AQAAAAAAAAA="}]))
    );
    assert_eq!(
        run(
            "weir:shapes",
            &json!({
                "event": {"kind": "said", "text": "x"}, "score": 1,
                "tree": {"label": "", "children": [{"label": "y", "children": []}]},
                "page": {"items": [true], "at": 1, "is_last": false},
            })
        ),
        Ok(json!("admin"))
    );
}

#[test]
fn what_goes_wrong_is_an_error_with_its_reason() {
    let cases = [
        ("weir:nothing", json!({}), "there is no function `weir:nothing`"),
        ("users:json", json!({}), "there is no function"),
        ("admin/users/more:json", json!({}), "there is no function"),
        ("weir:greetAll", json!({}), "reading the arguments: missing field `firstNames`"),
        ("weir:greetAll", json!({"firstNames": "x"}), "reading the arguments: invalid type: string"),
        ("weir:parseNumber", json!({"text": "x"}), "invalid digit found in string"),
        ("weir:touch", json!({"user": "k1"}), "a database exists only within the host"),
        ("weir:refuse", json!({"least": 5}), r#"{"code":"TooSmall","least":5}"#),
    ];
    for (path, args, expected) in cases {
        let error = run(path, &args).unwrap_err();
        assert!(error.contains(expected), "{path}: {error}");
    }
    let error = call("weir:refuse", br#"{"least":0.5}"#).unwrap_err();
    assert_eq!(error.data(), Some(br#"{"code":"TooSmall","least":0.5}"#.as_slice()));
}

crons!(|crons| {
    let all = fields! { all: true, big: 5_i64 };
    crons.interval("every", Duration::from_secs(90), "jobs:clear", all);
    crons.hourly("hourly", Hourly { minute_utc: 5 }, "jobs:clear", fields! {});
    crons.daily("daily", Daily { hour_utc: 3, minute_utc: 30 }, "jobs:clear", fields! {});
    let monday = Weekly { day_of_week: Weekday::Monday, hour_utc: 0, minute_utc: 59 };
    crons.weekly("weekly", monday, "jobs:clear", fields! {});
});

crons!(|crons| {
    crons.monthly("monthly", Monthly { day: 31, hour_utc: 23, minute_utc: 0 }, "jobs:clear", fields! {});
    crons.cron("expression", "0 16 1 * *", "jobs:clear", fields! {});
});

#[test]
fn cron_jobs_stand_in_the_manifest_as_convex_has_them() {
    let manifest: Json = serde_json::from_slice(&manifest()).unwrap();
    let job = |name: &str, args: Json, schedule: Json| json!({ "name": name, "schedule": schedule, "function": "jobs:clear", "args": [args] });
    let daily = json!({ "type": "daily", "hourUTC": 3, "minuteUTC": 30 });
    let every = json!({ "all": true, "big": { "$integer": "BQAAAAAAAAA=" } });
    let monthly = json!({ "type": "monthly", "day": 31, "hourUTC": 23, "minuteUTC": 0 });
    let weekly = json!({ "type": "weekly", "dayOfWeek": "monday", "hourUTC": 0, "minuteUTC": 59 });
    let expected = json!([
        job("daily", json!({}), daily),
        job("every", every, json!({ "type": "interval", "seconds": 90 })),
        job("expression", json!({}), json!({ "type": "cron", "cron": "0 16 1 * *" })),
        job("hourly", json!({}), json!({ "type": "hourly", "minuteUTC": 5 })),
        job("monthly", json!({}), monthly),
        job("weekly", json!({}), weekly),
    ]);
    assert_eq!(manifest["crons"], expected);
}
