//! Plans of queries, on a table whose rows are known: what a plan gives, at once, in batches, as pages and as a count, is
//! what a plain walk over all rows gives. A cursor of pages is good where it came from, and nowhere else.
//!
//! The first line is a plan; the second one, options of a page; the third, a change of a cursor (an edit).

mod model;

use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use parking_lot::Mutex;
use serde_json::{Value as Json, json};
use weir_db::native::NativeFunctions;
use weir_db::{Call, Database, DbError, Deployment, FunctionError, Principal, Transaction};
use weir_store::{Env, SimEnv, StoreOptions, memory};
use weir_value::{ErrorCode, FunctionPath, Schema, Timestamp, Value};

use super::Target;
use crate::edits;
use model::{Answer, Model};

pub(super) const TARGET: Target = Target {
    name: "query_plans",
    run,
    dictionary: &[
        "{\"table\":\"t\"",
        "{\"table\":\"empty\"",
        "{\"table\":\"none\"",
        "{\"table\":\"_storage\"",
        ",\"index\":\"by_a\"",
        ",\"index\":\"by_a_b\"",
        ",\"index\":\"by_c\"",
        ",\"index\":\"by_id\"",
        ",\"index\":\"by_creation_time\"",
        ",\"range\":[",
        "{\"op\":\"eq\",\"field\":\"a\",\"value\":",
        "{\"op\":\"gt\",\"field\":\"b\",\"value\":",
        "{\"op\":\"lte\",\"field\":\"c.d\",\"value\":",
        "{\"op\":\"gte\",\"field\":\"_creationTime\",\"value\":",
        "{\"op\":\"lt\",\"field\":\"_id\",\"value\":\"",
        "gt",
        "gte",
        "lt",
        "lte",
        "eq",
        ",\"order\":\"desc\"",
        ",\"order\":\"asc\"",
        ",\"limit\":3",
        ",\"limit\":0",
        ",\"filter\":",
        "{\"$and\":[",
        "{\"$or\":[",
        "{\"$not\":",
        "{\"$eq\":[",
        "{\"$neq\":[",
        "{\"$lt\":[",
        "{\"$lte\":[",
        "{\"$gt\":[",
        "{\"$gte\":[",
        "{\"$add\":[",
        "{\"$sub\":[",
        "{\"$mul\":[",
        "{\"$div\":[",
        "{\"$mod\":[",
        "{\"$neg\":",
        "{\"$field\":\"a\"}",
        "{\"$field\":\"c.d\"}",
        "{\"$literal\":1}",
        "{\"$literal\":{\"$undefined\":null}}",
        "{\"$integer\":\"AQAAAAAAAAA=\"}",
        "null",
        "true",
        "1",
        "2.0",
        "\"x\"",
        "]",
        "}",
        "\n{\"numItems\":",
        "\"cursor\":null",
        "\"endCursor\":",
        "\"maximumRowsRead\":",
        "\"maximumBytesRead\":",
        "\nflip ",
        "\ncut ",
    ],
    bytes_max: 8 * 1024,
    rounds: 4_000,
    is_in_process: true,
};

/// Batches of so many rows, pages of so many items, unless an input says otherwise.
const BATCH_ROWS: u32 = 3;
const PAGE_ITEMS: u32 = 4;
/// No query of the table has more pages.
const PAGES_MAX: usize = 64;

/// Codes that a plan may end with; all others are the host's own failures.
const GUESTS_FAULTS: [ErrorCode; 5] = [
    ErrorCode::InvalidQuery,
    ErrorCode::IndexNotFound,
    ErrorCode::InvalidCursor,
    ErrorCode::InvalidTableName,
    ErrorCode::NotFound,
];

static WORLD: LazyLock<World> = LazyLock::new(World::new);

/// A database with rows, and functions that do what a closure says.
struct World {
    db: Arc<Database>,
    model: Model,
}

/// What the function `m:run` does next. One thread runs inputs, and a lock is free.
type Task = Box<dyn FnOnce(&mut Transaction) + Send>;
static TASK: Mutex<Option<Task>> = Mutex::new(None);

impl World {
    fn new() -> World {
        let env: Arc<dyn Env> = Arc::new(SimEnv::new(7, Timestamp::from_nanos(1_790_000_000_000_000_000)));
        let store = memory::open(&memory::MemoryDisk::new(), StoreOptions::default(), env.clone());
        let db = Database::open(store.expect("a store"), env).expect("a database");
        let body = |tx: &mut Transaction, _: &Value| {
            if let Some(task) = TASK.lock().take() {
                task(tx);
            }
            Ok(Value::Null)
        };
        let functions: Arc<dyn Deployment> =
            Arc::new(NativeFunctions::new().query("m:run", body).mutation("m:fill", fill));
        let index = |name: &str, fields: &[&str]| json!({ "indexDescriptor": name, "fields": fields });
        let schema = json!({ "tables": [
            { "tableName": "t", "indexes": [
                index("by_a", &["a"]), index("by_a_b", &["a", "b"]), index("by_c", &["c.d"]),
            ] },
            { "tableName": "empty", "indexes": [index("by_a", &["a"])] },
        ] });
        let schema = Schema::from_json(&schema).expect("a schema");
        db.deploy(schema, functions).expect("a deployment");
        let filled = db.mutation(&call("m:fill"), None);
        db.store().wait_durable(filled.ts).expect("the disk is well");
        filled.result.expect("the rows");
        let mut world = World { db, model: Model::default() };
        let rows = world.ask(|tx| read_all(tx, br#"{"table":"t"}"#, 1000)).expect("all rows");
        world.model = Model::new(&rows);
        world
    }

    /// Runs in a transaction.
    fn ask<T: Send + 'static>(&self, task: impl FnOnce(&mut Transaction) -> T + Send + 'static) -> T {
        let answer = Arc::new(Mutex::new(None));
        let given = Arc::clone(&answer);
        *TASK.lock() = Some(Box::new(move |tx| *given.lock() = Some(task(tx))));
        let outcome = self.db.query(&call("m:run"), self.db.store().snapshot_sequenced());
        let answer = answer.lock().take();
        answer.unwrap_or_else(|| panic!("the function did not run: {:?}", outcome.result))
    }
}

fn call(path: &str) -> Call {
    Call {
        path: FunctionPath::parse(path).expect("a path"),
        args: Bytes::from_static(b"{}"),
        principal: Principal::ADMIN,
        request_id: "r".to_owned(),
    }
}

/// Rows of few different values of every type, some of them missing.
fn fill(tx: &mut Transaction, _: &Value) -> Result<Value, FunctionError> {
    let fields = [
        "null",
        "true",
        "1",
        "2",
        "-0.0",
        "1.5",
        "\"\"",
        "\"x\"",
        "\"x\\u0000\"",
        "[]",
        "[1]",
        "{}",
        "{\"k\":1}",
        r#"{"$integer":"AQAAAAAAAAA="}"#,
        r#"{"$integer":"//////////8="}"#,
        r#"{"$float":"AAAAAAAA+H8="}"#,
        r#"{"$bytes":"AA=="}"#,
        r#"{"$bytes":""}"#,
        "",
    ];
    for row in 0..48_usize {
        let of = |name: &str, at: usize| match fields[at % fields.len()] {
            "" => String::new(),
            value => format!(r#","{name}":{value}"#),
        };
        let nested =
            if row % 5 == 0 { String::new() } else { format!(r#","c":{{"n":0{}}}"#, of("d", row / 3)) };
        let document = format!(r#"{{"row":{row}{}{}{nested}}}"#, of("a", row / 2), of("b", row * 7));
        tx.insert("t", document.as_bytes())?;
    }
    Ok(Value::Null)
}

fn read_all(tx: &mut Transaction, plan: &[u8], batch_rows: u32) -> Result<Vec<Json>, DbError> {
    let mut rows = Vec::new();
    let mut batch = tx.query(plan, batch_rows)?;
    loop {
        let documents: Vec<Json> = serde_json::from_slice(&batch.documents).expect("a batch is a JSON list");
        assert_eq!(documents.len(), batch.count as usize);
        assert!(batch_rows == 0 || documents.len() <= batch_rows as usize);
        rows.extend(documents);
        match batch.cursor {
            Some(cursor) => batch = tx.query_next(cursor, batch_rows)?,
            None => return Ok(rows),
        }
    }
}

fn run(input: &[u8]) {
    let mut lines = input.split(|byte| *byte == b'\n');
    let plan = lines.next().unwrap_or_default();
    let options = lines.next().unwrap_or_default();
    let edit = String::from_utf8_lossy(lines.next().unwrap_or_default()).into_owned();
    let expected = WORLD.model.answer(plan);
    check_batches(plan, &expected);
    check_count(plan, &expected);
    check_pages(plan, &expected, &edit);
    check_options(plan, options);
}

fn check_error(error: &DbError, plan: &[u8]) {
    let shown = String::from_utf8_lossy(plan);
    assert!(GUESTS_FAULTS.contains(&error.code), "{error:?} of {shown}");
    assert!(error.message.len() < 16 * 1024, "an error is short: {shown:.200}");
}

/// `Err`: the plan is refused, which the model may not have seen.
fn check_batches(plan: &[u8], expected: &Answer) {
    let text = plan.to_vec();
    let (whole, batches) = WORLD.ask(move |tx| (read_all(tx, &text, 1000), read_all(tx, &text, BATCH_ROWS)));
    let shown = String::from_utf8_lossy(plan);
    match (&whole, &batches) {
        (Ok(whole), Ok(batches)) => assert_eq!(whole, batches, "at once and in batches: {shown}"),
        (Err(one), Err(other)) => assert_eq!(one.code, other.code, "{shown}"),
        // A row that no batch needs may be one on which the filter fails.
        (one, other) => panic!("at once {one:?}, in batches {other:?}: {shown}"),
    }
    match (whole, expected) {
        (Ok(rows), Answer::Rows(expected)) => assert_eq!(&rows, expected, "{shown}"),
        (Ok(rows), Answer::Fails) => panic!("the filter fails, and there are {} rows: {shown}", rows.len()),
        (Ok(rows), Answer::Unread) => panic!("what is no plan gives {} rows: {shown}", rows.len()),
        (Err(error), _) => check_error(&error, plan),
    }
}

fn check_count(plan: &[u8], expected: &Answer) {
    let text = plan.to_vec();
    let counted = WORLD.ask(move |tx| tx.count(&text));
    match (counted, expected) {
        (Ok(count), Answer::Rows(rows)) => {
            assert_eq!(count, rows.len() as u64, "counted: {}", String::from_utf8_lossy(plan));
        }
        (Ok(_), other) => panic!("counted, and {other:?}"),
        (Err(error), _) => check_error(&error, plan),
    }
}

/// All pages, each in a transaction of its own, as clients read them; and a cursor that was changed.
fn check_pages(plan: &[u8], expected: &Answer, edit: &str) {
    let mut rows = Vec::new();
    let mut cursor = Json::Null;
    for _ in 0..PAGES_MAX {
        let options = json!({ "numItems": PAGE_ITEMS, "cursor": cursor });
        let page = match page(plan, &options) {
            Ok(page) => page,
            Err(error) => return check_error(&error, plan),
        };
        rows.extend(page["page"].as_array().expect("a page has rows").iter().cloned());
        cursor = page["continueCursor"].clone();
        check_changed(plan, &cursor, edit);
        if page["isDone"] == true {
            let Answer::Rows(expected) = expected else { panic!("pages of what fails") };
            // A limit is none of the fingerprint's, and ends each page: one page has no more than all of it.
            let has_limit = serde_json::from_slice::<Json>(plan).is_ok_and(|plan| !plan["limit"].is_null());
            assert!(has_limit || rows == *expected, "in pages: {}", String::from_utf8_lossy(plan));
            return;
        }
    }
    let has_limit = serde_json::from_slice::<Json>(plan).is_ok_and(|plan| !plan["limit"].is_null());
    assert!(has_limit, "pages without an end: {}", String::from_utf8_lossy(plan));
}

fn page(plan: &[u8], options: &Json) -> Result<Json, DbError> {
    let (plan, options) = (plan.to_vec(), options.to_string());
    let page = WORLD.ask(move |tx| tx.page(&plan, options.as_bytes()))?;
    Ok(serde_json::from_slice(&page).expect("a page is JSON"))
}

/// A cursor that was changed, and one that is another query's, are refused.
fn check_changed(plan: &[u8], cursor: &Json, edit: &str) {
    let cursor = cursor.as_str().expect("a cursor is a text");
    let mut changed = cursor.as_bytes().to_vec();
    if edits::apply(&mut changed, edit) && changed != cursor.as_bytes() {
        let forged = String::from_utf8_lossy(&changed).into_owned();
        for options in [
            json!({ "numItems": 2, "cursor": forged }),
            json!({ "numItems": 2, "cursor": null, "endCursor": forged }),
        ] {
            let error = page(plan, &options).expect_err("a forged cursor");
            assert_eq!(error.code, ErrorCode::InvalidCursor, "{error:?}");
        }
    }
    let other = br#"{"table":"t","index":"by_a","range":[{"op":"eq","field":"a","value":"other"}]}"#;
    let taken = page(other, &json!({ "numItems": 2, "cursor": cursor }));
    let is_same = serde_json::from_slice::<Json>(plan).ok() == serde_json::from_slice(other).ok();
    assert!(is_same || taken.is_err() || plan.ends_with(b"\"other\"}]}"), "a cursor of another query");
}

/// Options as a client writes them: any text.
fn check_options(plan: &[u8], options: &[u8]) {
    let (text, options) = (plan.to_vec(), options.to_vec());
    match WORLD.ask(move |tx| tx.page(&text, &options)) {
        Ok(page) => {
            let page: Json = serde_json::from_slice(&page).expect("a page is JSON");
            assert!(
                page["page"].is_array() && page["isDone"].is_boolean() && page["continueCursor"].is_string()
            );
        }
        Err(error) => check_error(&error, plan),
    }
}
