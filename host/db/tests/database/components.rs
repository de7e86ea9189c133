//! Components: tables, files, jobs and variables of their own, reached by nobody but through functions; and what becomes of
//! them when they are mounted no longer.
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value as Json, json};
use weir_db::native::{NativeFunctions, open_info};
use weir_db::{
    Call, Deployment, FunctionError, FunctionKind, LogLevel, NewFile, Principal, Schemas, VariableChanges,
    Visibility, check,
};
use weir_store::Env;
use weir_value::{ComponentPath, ComponentTree, FunctionPath, Identity, Schema, Value};

use crate::nested::Nesting;
use crate::world::{World, call, json as value_of, number, text};

/// The app mounts `a` and `c`, `a` mounts `a/b`.
const PARTS: [&str; 4] = ["", "a", "a/b", "c"];

fn tree(mounts: &[&str]) -> ComponentTree {
    let mount = |name: &str, key: &str| {
        json!({ "name": name, "definition": name, "place": "convex.config.ts",
                "variables": { "KEY": { "variable": key } } })
    };
    let text = json!({ "KEY": { "validator": { "type": "string" } } });
    let inner: Vec<_> = mounts.contains(&"a/b").then(|| mount("b", "KEY")).into_iter().collect();
    let own: Vec<_> = mounts.iter().filter(|name| !name.is_empty() && !name.contains('/')).collect();
    let tree = json!({
        "definitions": {
            "a": { "modules": [], "variables": text, "mounts": inner },
            "b": { "modules": [], "variables": text },
            "c": { "modules": [], "variables": text },
        },
        "mounts": own.iter().map(|name| mount(name, &format!("KEY_OF_{}", name.to_uppercase()))).collect::<Vec<_>>(),
    });
    serde_json::from_value(tree).expect("a tree")
}

fn qualified(part: &str, path: &str) -> String {
    if part.is_empty() { path.to_owned() } else { format!("{part};{path}") }
}

fn ok(value: impl Into<String>) -> Result<Value, FunctionError> {
    Ok(Value::from(value.into()))
}

/// What a part can do, good and bad.
fn part(functions: NativeFunctions, part: &str) -> NativeFunctions {
    let at = |path: &str| qualified(part, path);
    let mut hidden = open_info(&at("t:hidden"), FunctionKind::Query);
    hidden.visibility = Visibility::Internal;
    functions
        .register(hidden, |_, _| ok("hidden"))
        .mutation(&at("t:insert"), |tx, args| {
            let id = tx.insert("t", format!(r#"{{"n":{}}}"#, number(args, "n")).as_bytes())?;
            ok(id)
        })
        .mutation(&at("t:refer"), |tx, args| {
            ok(tx.insert("t", json!({ "n": 1, "ref": text(args, "id") }).to_string().as_bytes())?)
        })
        .mutation(&at("t:insertAndFail"), |tx, _| {
            tx.insert("t", br#"{"n":0}"#)?;
            Err(FunctionError::Application { message: "no".to_owned(), data: None })
        })
        .mutation(&at("t:patch"), |tx, args| {
            tx.patch(None, text(args, "id"), br#"{"n":9}"#)?;
            Ok(Value::Null)
        })
        .mutation(&at("t:later"), |tx, args| ok(tx.schedule(text(args, "path"), br#"{"n":5}"#, 0.0)?))
        .mutation(&at("t:cancel"), |tx, args| {
            tx.cancel_scheduled(text(args, "id"))?;
            Ok(Value::Null)
        })
        .mutation(&at("t:deleteFile"), |tx, args| {
            tx.delete_file(text(args, "id"))?;
            Ok(Value::Null)
        })
        .mutation(&at("t:uploadUrl"), |tx, _| ok(tx.generate_upload_url()?))
        .query(&at("t:count"), |tx, args| {
            let table = args.as_object().and_then(|args| args.get("table")).and_then(Value::as_str);
            let plan = json!({ "table": table.unwrap_or("t") });
            Ok(Value::from(tx.count(plan.to_string().as_bytes())? as f64))
        })
        .query(&at("t:get"), |tx, args| {
            let found = tx.get(None, text(args, "id"))?;
            ok(found.map_or_else(|| "null".to_owned(), |json| String::from_utf8_lossy(&json).into_owned()))
        })
        .query(&at("t:normalize"), |tx, args| {
            ok(tx.normalize_id(text(args, "table"), text(args, "id")).unwrap_or_default())
        })
        .query(&at("t:page"), |tx, args| {
            let cursor = Some(text(args, "cursor")).filter(|cursor| !cursor.is_empty());
            let options = json!({ "numItems": 1, "cursor": cursor });
            let page = tx.page(br#"{"table":"t"}"#, options.to_string().as_bytes());
            Ok(Value::from_json(&page?).expect("a page"))
        })
        .query(&at("t:file"), |tx, args| ok(tx.file_url(text(args, "id"))?.unwrap_or_default()))
        .query(&at("t:variable"), |tx, args| ok(tx.variable(text(args, "name"))?.unwrap_or_default()))
        .query(&at("t:variables"), |tx, _| ok(tx.variable_names()?.join(",")))
        .query(&at("t:user"), |tx, _| {
            ok(tx.identity().map(|user| user.token_identifier().to_owned()).unwrap_or_default())
        })
        .query(&at("t:handle"), |tx, args| {
            let handle = tx.function_handle(text(args, "path"));
            ok(handle.map_err(|error| FunctionError::Application { message: error.message, data: None })?)
        })
        .query(&at("t:where"), |tx, _| {
            tx.log(LogLevel::Log, "here");
            ok(tx.path().to_string())
        })
}

fn functions(mounts: &[&str]) -> NativeFunctions {
    let schema = json!({ "tables": [{ "tableName": "t", "documentType": { "type": "object", "value": {
        "n": { "fieldType": { "type": "number" }, "optional": false },
        "ref": { "fieldType": { "type": "id", "tableName": "t" }, "optional": true } } },
        "indexes": [{ "indexDescriptor": "by_n", "fields": ["n"] }] }] });
    let schema = Arc::new(Schema::from_json(&schema).expect("a schema"));
    let mut functions = NativeFunctions::new();
    let mut schemas = Schemas { app: schema.clone(), ..Schemas::default() };
    for name in mounts {
        functions = part(functions, name);
        if !name.is_empty() {
            schemas.mounts.insert(ComponentPath::parse(name).expect("a path"), schema.clone());
        }
        let every_hour = json!({ "type": "hourly", "minuteUTC": 5 });
        functions = functions.cron("tick", &every_hour, &qualified(name, "t:insert"), &json!({ "n": 1 }));
    }
    functions.with_components(tree(mounts).mounts(&[]).expect("it makes sense"), schemas)
}

fn deploy(world: &World, mounts: &[&str]) {
    let deployment = Nesting::of(functions(mounts));
    world.db.deploy(deployment.schemas(), Arc::new(deployment)).expect("it is deployed");
}

fn world() -> World {
    let world = World::new(NativeFunctions::new());
    for (name, value) in [("KEY_OF_A", "ka"), ("KEY_OF_C", "kc"), ("SECRET", "s")] {
        let changes = VariableChanges::new([(name.to_owned(), Some(value.to_owned()))]).expect("a variable");
        world.db.set_variables(&changes).expect("it is set");
    }
    deploy(&world, &PARTS);
    world
}

fn sound(world: &World) {
    let found = check(&world.store.snapshot_sequenced()).expect("it can be read");
    assert_eq!(found.problems, Vec::<String>::new());
}

fn of(part: &str, path: &str) -> FunctionPath {
    FunctionPath::parse_qualified(&qualified(part, path)).expect("a path")
}

/// Calls a function of a part as the host does.
fn mutate(world: &World, part: &str, path: &str, args: &Json) -> Json {
    let call = Call { path: of(part, path), principal: Principal::System, ..call("t:any", args) };
    match world.db.mutation(&call, None).result {
        Ok(bytes) => serde_json::from_slice(&bytes).expect("JSON"),
        Err(error) => json!({ "error": error.code.as_str(), "message": error.message }),
    }
}

fn query(world: &World, part: &str, path: &str, args: &Json) -> Json {
    let call = Call { path: of(part, path), principal: Principal::System, ..call("t:any", args) };
    match world.db.query(&call, world.store.snapshot_sequenced()).result {
        Ok(bytes) => serde_json::from_slice(&bytes).expect("JSON"),
        Err(error) => json!({ "error": error.code.as_str(), "message": error.message }),
    }
}

/// Whether the function was refused what it asked for, in these words.
fn is_refused(told: &Json, why: &str) -> bool {
    told["message"].as_str().is_some_and(|message| message.contains(why))
}

const FOREIGN: &str = "is not an id of this deployment";

/// One call that another one makes, caught.
fn step(kind: &str, path: &str, args: Json) -> Json {
    json!({ "kind": kind, "path": path, "args": args, "caught": true })
}

fn run(world: &World, part: &str, steps: &[Json]) -> Json {
    mutate(world, part, "n:run", &json!({ "steps": steps }))
}

fn child(name: &str, function: &str) -> String {
    format!("_reference/childComponent/{name}/t/{function}")
}

#[test]
fn each_mount_has_tables_of_its_own() {
    let world = world();
    let inserted = run(
        &world,
        "",
        &[
            step("mutation", "t:insert", json!({ "n": 1 })),
            step("mutation", &child("a", "insert"), json!({ "n": 2 })),
            step("mutation", &child("a", "insert"), json!({ "n": 3 })),
            step("query", &child("a", "count"), json!({})),
            step("query", &child("a", "where"), json!({})),
            step("query", "t:count", json!({})),
        ],
    );
    let told = inserted.as_array().expect("six results");
    assert_eq!(told[3..], [json!(2), json!("a;t:where"), json!(1)]);
    let counts = PARTS.map(|part| query(&world, part, "t:count", &json!({})));
    assert_eq!(counts, [json!(1), json!(2), json!(0), json!(0)]);
    // A mount in a mount is its own parent's.
    let inner = run(&world, "a", &[step("mutation", &child("b", "insert"), json!({ "n": 4 }))]);
    assert!(inner[0].is_string(), "{inner}");
    assert_eq!(query(&world, "a/b", "t:count", &json!({})), json!(1));
    sound(&world);
}

#[test]
fn what_a_component_has_written_is_undone_when_it_fails_and_its_caller_goes_on() {
    let world = world();
    let failed = run(
        &world,
        "",
        &[
            step("mutation", &child("a", "insert"), json!({ "n": 1 })),
            step("mutation", &child("a", "insertAndFail"), json!({})),
            step("query", &child("a", "count"), json!({})),
        ],
    );
    assert_eq!(failed[1]["code"], "ApplicationError");
    assert_eq!(failed[2], json!(1));
    // And all of it when the app's function fails.
    let steps = [
        step("mutation", &child("a", "insert"), json!({ "n": 2 })),
        json!({ "kind": "mutation", "path": "t:insertAndFail", "args": {} }),
    ];
    assert_eq!(run(&world, "", &steps)["error"], "ApplicationError");
    assert_eq!(query(&world, "a", "t:count", &json!({})), json!(1));
    sound(&world);
}

#[test]
fn a_live_query_depends_on_what_a_component_has_read() {
    let world = world();
    let watching = call("q:run", &json!({ "steps": [step("query", &child("a", "count"), json!({}))] }));
    let outcome = world.db.query(&watching, world.store.snapshot_sequenced());
    assert_eq!(value_of(&outcome.result), json!([0]));
    let before = world.store.snapshot_sequenced().ts();
    mutate(&world, "a", "t:insert", &json!({ "n": 1 }));
    let (again, _) = world.db.query_traced(&watching, world.store.snapshot_sequenced());
    assert_eq!(value_of(&again.result), json!([1]));
    assert!(again.ts > before);
}

#[test]
fn nobody_reaches_another_part_but_through_its_functions() {
    let world = world();
    let [app, a, b, c] = PARTS.map(|part| mutate(&world, part, "t:insert", &json!({ "n": 1 })));
    let id = |id: &Json| json!({ "id": id });
    // Another's documents, by id: for each pair of parts.
    for (part, own) in PARTS.iter().zip([&app, &a, &b, &c]) {
        for foreign in [&app, &a, &b, &c].into_iter().filter(|foreign| *foreign != own) {
            assert!(is_refused(&query(&world, part, "t:get", &id(foreign)), FOREIGN), "{part}");
            assert!(is_refused(&mutate(&world, part, "t:patch", &id(foreign)), FOREIGN), "{part}");
            let normalized = query(&world, part, "t:normalize", &json!({ "table": "t", "id": foreign }));
            assert_eq!(normalized, "", "{part}");
            // `v.id("t")` of the schema.
            let referring = mutate(&world, part, "t:refer", &id(foreign));
            assert!(is_refused(&referring, "does not match"), "{part}: {referring}");
        }
        assert!(mutate(&world, part, "t:refer", &id(own)).is_string());
        assert!(query(&world, part, "t:get", &id(own)).as_str().expect("it is its own").contains("\"n\":1"));
    }
    // The host's own tables, and those of another namespace, by any name.
    for table in
        ["_variables", "_admin_keys", "_deployments", "_indexes", "_components", "0/t", "a/t", "../t"]
    {
        let count = query(&world, "a", "t:count", &json!({ "table": table }));
        assert_eq!(count, json!(0), "{table}: to a component there is no such table");
    }
    // By cursor.
    let page = |part, cursor: &Json| query(&world, part, "t:page", &json!({ "cursor": cursor }));
    let first = page("", &json!(""));
    assert!(page("", &first["continueCursor"])["error"].is_null(), "{first}");
    for part in ["a", "a/b", "c"] {
        let told = page(part, &first["continueCursor"]);
        assert!(is_refused(&told, "The cursor is not one of this query"), "{part}: {told}");
    }
    // By job.
    let job = mutate(&world, "", "t:later", &json!({ "path": "t:insert" }));
    assert!(job.is_string(), "{job}");
    for part in ["a", "a/b", "c"] {
        let told = mutate(&world, part, "t:cancel", &id(&job));
        assert!(is_refused(&told, "not the id of a scheduled function"), "{part}: {told}");
        assert!(is_refused(&query(&world, part, "t:get", &id(&job)), FOREIGN), "{part}");
    }
    // Variables: those that were bound.
    let variable = |part, name| query(&world, part, "t:variable", &json!({ "name": name }));
    assert_eq!(variable("", "SECRET"), "s");
    assert_eq!([variable("a", "SECRET"), variable("a", "KEY_OF_A"), variable("a", "KEY")], ["", "", "ka"]);
    assert_eq!([variable("a/b", "KEY"), variable("c", "KEY")], ["ka", "kc"]);
    assert_eq!(query(&world, "a", "t:variables", &json!({})), "KEY");
    // Functions: what is internal to another one, what another one mounts, and made-up handles.
    let attempts = [
        ("a", "c;t:count"),
        ("a", "_reference/childComponent/c/t/count"),
        ("a", "_reference/childComponent/b/t/hidden"),
        ("", "_reference/childComponent/a/t/hidden"),
        ("", "_reference/childComponent/b/t/count"),
        ("", "_reference/childComponent/a/b/t/count"),
        ("a", "function://;t:count"),
        ("a", "function://t:count"),
        ("a", "function://AAAA"),
    ];
    for (part, path) in attempts {
        let told = run(&world, part, &[step("query", path, json!({}))]);
        assert_eq!(told[0]["code"], "FunctionNotFound", "{part} {path}: {told}");
    }
    // Clients reach none of them.
    let client = |path: FunctionPath| {
        let call = Call { path, ..call("t:any", &json!({})) };
        world
            .db
            .query(&call, world.store.snapshot_sequenced())
            .result
            .map(drop)
            .map_err(|error| error.code.as_str())
    };
    assert_eq!(client(of("", "t:count")), Ok(()));
    assert_eq!(client(of("a", "t:count")), Err("FunctionNotFound"));
    sound(&world);
}

#[test]
fn the_hosts_own_functions_see_the_tables_of_whichever_part_they_are_called_of() {
    let world = world();
    crate::system_functions::give_to(&world);
    mutate(&world, "a", "t:insert", &json!({ "n": 1 }));
    for part in ["", "a", "a/b"] {
        assert_eq!(query(&world, part, "_system/cli/tables:default", &json!({})), "t", "{part}");
    }
    deploy(&world, &["", "c"]);
    assert_eq!(query(&world, "a", "_system/cli/tables:default", &json!({})), "t", "its data are there still");
    assert_eq!(query(&world, "gone", "_system/cli/tables:default", &json!({}))["error"], "FunctionNotFound");
}

#[test]
fn nobody_is_told_of_the_user_but_the_app() {
    let world = world();
    let claims = json!({ "issuer": "https://issuer.test", "subject": "ada", "tokenIdentifier": "x|ada" });
    let user = Identity::from_json(claims.to_string().as_bytes()).expect("an identity");
    let steps = json!({ "steps": [
        step("query", "t:user", json!({})),
        step("query", &child("a", "user"), json!({})),
    ] });
    let asked = |steps: &Json| {
        let call = Call { principal: Principal::User(user.clone()), ..call("q:run", steps) };
        world.db.query(&call, world.store.snapshot_sequenced())
    };
    assert_eq!(value_of(&asked(&steps).result), json!(["x|ada", ""]));
    let of_component = json!({ "steps": [step("query", &child("a", "user"), json!({}))] });
    assert!(!asked(&of_component).asked_identity, "its result is the same for everybody");
}

#[test]
fn a_handle_leads_to_a_function_from_everywhere() {
    let world = world();
    let handle = |part, path: &str| {
        let told = query(&world, part, "t:handle", &json!({ "path": path }));
        told.as_str().unwrap_or_else(|| panic!("{part} {path}: {told}")).to_owned()
    };
    let (of_app, of_a) = (handle("", "t:insert"), handle("", &child("a", "count")));
    assert!(of_app.starts_with("function://") && !of_app.contains("insert"), "{of_app}");
    assert_eq!(handle("", "t:insert"), of_app, "one function, one handle");
    assert_eq!(handle("a", &of_app), of_app);
    let told =
        run(&world, "a/b", &[step("mutation", &of_app, json!({ "n": 1 })), step("query", &of_a, json!({}))]);
    assert!(told[0].is_string() && told[1] == json!(0), "{told}");
    assert_eq!(query(&world, "", "t:count", &json!({})), json!(1));
    assert_eq!(query(&world, "", "t:handle", &json!({ "path": "t:gone" }))["error"], "ApplicationError");
    // It is stored and called later, and says when the function has gone.
    assert!(mutate(&world, "c", "t:later", &json!({ "path": of_app })).is_string());
    deploy(&world, &["", "c"]);
    let told =
        run(&world, "c", &[step("query", &of_a, json!({})), step("mutation", &of_app, json!({ "n": 2 }))]);
    assert_eq!(told[0]["code"], "FunctionNotFound", "{told}");
    assert!(told[1].is_string(), "{told}");
    // One of another database means nothing here.
    let other = World::new(NativeFunctions::new());
    other.env.fill_random(&mut [0; 32]);
    deploy(&other, &PARTS);
    let told = run(&other, "a", &[step("mutation", &of_app, json!({ "n": 1 }))]);
    assert_eq!(told[0]["code"], "FunctionNotFound", "{told}");
}

#[test]
fn jobs_and_cron_jobs_are_of_the_component_that_has_made_them() {
    let world = world();
    mutate(&world, "a", "t:later", &json!({ "path": "t:insert" }));
    mutate(&world, "a", "t:later", &json!({ "path": child("b", "insert") }));
    world.store.wait_durable(world.store.sequenced()).expect("it is durable");
    let count = |part, table| query(&world, part, "t:count", &json!({ "table": table }));
    let jobs = PARTS.map(|part| count(part, "_scheduled_functions"));
    assert_eq!(jobs, [json!(0), json!(2), json!(0), json!(0)]);
    assert_eq!(PARTS.map(|part| count(part, "_cron_jobs")), [json!(1), json!(1), json!(1), json!(1)]);
    run_due(&world);
    let counts = PARTS.map(|part| query(&world, part, "t:count", &json!({})));
    assert_eq!(counts, [json!(0), json!(1), json!(1), json!(0)]);
    world.env.advance(Duration::from_secs(3600));
    run_due(&world);
    let counts = PARTS.map(|part| query(&world, part, "t:count", &json!({})));
    assert_eq!(counts, [json!(1), json!(2), json!(2), json!(1)]);
    sound(&world);
}

/// Runs what is due.
fn run_due(world: &World) {
    world.store.wait_durable(world.store.sequenced()).expect("it is durable");
    let now_ms = world.env.now().as_nanos() as f64 / 1e6;
    let due = world.db.due_jobs(0.0, now_ms, 100, &|_| false).expect("it can be read");
    for job in due.jobs {
        let mut passwords = weir_db::PasswordResults::default();
        world.db.step_job(&job, &mut passwords, &mut weir_db::Teardown::default());
    }
}

/// Stores a file for a part; gives its id.
fn store_file(world: &World, part: &str) -> Json {
    let namespace = world.db.namespace(&ComponentPath::parse(part).expect("a path")).expect("it has one");
    let name = world.db.new_file_name();
    let file = NewFile { name, sha256: [1; 32], size: 10, content_type: None, namespace };
    let limits = weir_db::FileLimits::default();
    json!(world.db.store_file(&file, None, &limits).expect("it is stored").0.to_string())
}

#[test]
fn files_are_of_the_component_that_has_stored_them() {
    let world = world();
    let files = PARTS.map(|part| store_file(&world, part));
    for (part, own) in PARTS.iter().zip(&files) {
        for file in &files {
            let told = query(&world, part, "t:file", &json!({ "id": file }));
            match file == own {
                true => assert!(told.as_str().expect("a URL").starts_with("/api/storage/"), "{part}: {told}"),
                false => assert!(is_refused(&told, "is not the id of a stored file"), "{part}: {told}"),
            }
        }
        let foreign = files.iter().find(|file| *file != own).expect("another's");
        let told = mutate(&world, part, "t:deleteFile", &json!({ "id": foreign }));
        assert!(is_refused(&told, "is not the id of a stored file"), "{part}: {told}");
    }
    // An upload is for whoever made the URL.
    let url = mutate(&world, "a", "t:uploadUrl", &json!({}));
    let token = url.as_str().and_then(|url| url.split_once("token=")).expect("a token").1;
    let token = weir_db::UploadToken::parse(token).expect("a token");
    let namespace = weir_db::Namespace::APP;
    let name = world.db.new_file_name();
    let file = NewFile { name, sha256: [2; 32], size: 1, content_type: None, namespace };
    world.db.store_file(&file, Some(&token), &weir_db::FileLimits::default()).expect("it is stored");
    assert_eq!(query(&world, "a", "t:count", &json!({ "table": "_storage" })), json!(2));
    let full = weir_db::FileLimits { files: 5, ..weir_db::FileLimits::default() };
    let name = world.db.new_file_name();
    let refused = world.db.store_file(&NewFile { name, ..file }, None, &full).unwrap_err();
    assert!(refused.to_string().contains("There are 5 files"), "{refused}");
    assert_eq!(mutate(&world, "a", "t:deleteFile", &json!({ "id": files[1] })), Json::Null);
    sound(&world);
}

#[test]
fn data_wait_for_a_component_until_they_are_dropped() {
    let world = world();
    for part in PARTS {
        mutate(&world, part, "t:insert", &json!({ "n": 1 }));
        store_file(&world, part);
        mutate(&world, part, "t:later", &json!({ "path": "t:insert" }));
    }
    deploy(&world, &["", "c"]);
    assert_eq!(query(&world, "a", "t:count", &json!({}))["error"], "FunctionNotFound");
    let states = |world: &World| -> Vec<_> {
        world.store.wait_durable(world.store.sequenced()).expect("it is durable");
        let all = world.db.components().expect("it can be read");
        all.into_iter().map(|it| format!("{} {} {} {}", it.path, it.state, it.documents, it.files)).collect()
    };
    let expected = ["a unmounted 1 1", "a/b unmounted 1 1", "c mounted 1 1"];
    assert_eq!(states(&world), expected);
    assert!(!world.db.drop_abandoned_indexes().expect("it can be asked"), "they wait, too");
    sound(&world);
    let world = world.reopen(NativeFunctions::new());
    assert_eq!(states(&world), expected, "after a restart");
    assert!(!world.db.drop_abandoned_indexes().expect("it can be asked"), "they wait, too");
    deploy(&world, &PARTS);
    assert_eq!(query(&world, "a", "t:count", &json!({})), json!(1), "it is there again");
    let path = |text| ComponentPath::parse(text).expect("a path");
    assert!(world.db.drop_component(&path("a")).unwrap_err().to_string().contains("is mounted"));
    assert!(world.db.drop_component(&path("x")).is_err());
    deploy(&world, &["", "c"]);
    world.db.drop_component(&path("a")).expect("it begins");
    let again = Nesting::of(functions(&PARTS));
    let refused = world.db.prepare(again.schemas()).map(drop).unwrap_err();
    assert!(refused.to_string().contains("are just being removed"), "{refused}");
    sound(&world);
    let world = world.reopen(functions(&["", "c"]));
    while world.db.empty_dropped_component().expect("it goes on") {
        sound(&world);
    }
    while world.db.maintain_indexes().expect("it goes on") {}
    assert_eq!(states(&world), ["a/b unmounted 1 1", "c mounted 1 1"]);
    deploy(&world, &PARTS);
    assert_eq!(query(&world, "a", "t:count", &json!({})), json!(0), "it begins anew");
    assert_eq!(query(&world, "a/b", "t:count", &json!({})), json!(1));
    sound(&world);
}

#[test]
fn what_a_component_has_scheduled_waits_for_it() {
    let world = world();
    mutate(&world, "a", "t:later", &json!({ "path": "t:insert" }));
    mutate(&world, "", "t:later", &json!({ "path": child("a", "insert") }));
    world.store.wait_durable(world.store.sequenced()).expect("it is durable");
    let due = || world.db.due_jobs(0.0, f64::MAX, 100, &|_| false).expect("it can be read").jobs;
    let scheduled = |jobs: &[weir_db::ScheduledJob]| jobs.iter().filter(|job| !job.is_cron()).count();
    let taken = due();
    assert_eq!(scheduled(&taken), 2);
    deploy(&world, &["", "c"]);
    // Also one that was taken out before.
    for job in taken.iter().filter(|job| !job.is_cron()) {
        let mut passwords = weir_db::PasswordResults::default();
        world.db.step_job(job, &mut passwords, &mut weir_db::Teardown::default());
    }
    run_due(&world);
    world.store.wait_durable(world.store.sequenced()).expect("it is durable");
    assert_eq!(scheduled(&due()), 0, "the app's has failed, and the component's waits");
    sound(&world);
    let world = world.reopen(functions(&["", "c"]));
    run_due(&world);
    deploy(&world, &PARTS);
    assert_eq!(query(&world, "a", "t:count", &json!({})), json!(0));
    run_due(&world);
    assert_eq!(query(&world, "a", "t:count", &json!({})), json!(1));
    sound(&world);
}

#[test]
fn a_document_that_does_not_fit_a_components_schema_fails_the_deployment_and_says_whose_it_is() {
    let world = world();
    mutate(&world, "a/b", "t:insert", &json!({ "n": 1 }));
    let mut schemas = Nesting::of(functions(&PARTS)).schemas();
    let strict =
        json!({ "tables": [{ "tableName": "t", "documentType": { "type": "object", "value": {} } }] });
    let strict = Arc::new(Schema::from_json(&strict).expect("a schema"));
    schemas.mounts.insert(ComponentPath::parse("a/b").expect("a path"), strict);
    let refused = world.db.deploy(schemas, Arc::new(Nesting::of(functions(&PARTS)))).unwrap_err();
    assert!(refused.to_string().contains("in table \"a/b/t\""), "{refused}");
    sound(&world);
}

#[test]
fn what_is_in_force_without_a_namespace_reaches_nothing() {
    let world = World::new(NativeFunctions::new());
    world.db.set_deployment(Arc::new(Nesting::of(functions(&["", "a"]))));
    mutate(&world, "", "t:insert", &json!({ "n": 1 }));
    assert_eq!(query(&world, "a", "t:count", &json!({})), json!(0));
}
