//! Calls of functions by functions, in one transaction.
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use bytes::Bytes;
use serde_json::{Value as Json, json};
use weir_db::native::NativeFunctions;
use weir_db::{
    CallError, CallOptions, Cron, Deployment, FunctionError, FunctionInfo, FunctionKind, Functions,
    MissingFunction, MissingFunctions, NestedCall, Schemas, Teardown, Transaction, Visibility,
};
use weir_value::limits::{NESTED_CALLS_DEPTH_MAX, NESTED_CALLS_MAX};
use weir_value::{FunctionPath, Mounts, Value};

use crate::world::{Within, World, basics, call as call_of, json as value_of};

/// Functions that call others, over those of `basics`: `n:run {steps: [{kind, path, args, caught}]}` runs each step
/// and gives what came of it (arguments may be a text of JSON); `q:run` is the same as a query. Each component has both. A step may have `options`; one of the
/// kind `commit` lets another mutation insert a document and commit, once.
#[derive(Default)]
pub struct Nesting {
    pub functions: NativeFunctions,
    within: Within,
    has_committed: AtomicBool,
}

impl Nesting {
    pub fn of(functions: NativeFunctions) -> Nesting {
        Nesting { functions, ..Nesting::default() }
    }
}

impl Nesting {
    fn runs(path: &FunctionPath) -> Option<FunctionKind> {
        match path.local().as_str() {
            "n:run" => Some(FunctionKind::Mutation),
            "q:run" => Some(FunctionKind::Query),
            _ => None,
        }
    }

    fn run_steps(&self, args: &Bytes, mut tx: Transaction) -> (Transaction, Result<Bytes, FunctionError>) {
        let args: Json = serde_json::from_slice(args).expect("JSON");
        let mut results = Vec::new();
        for step in args["steps"].as_array().expect("steps") {
            if step["kind"] == "commit" {
                if !self.has_committed.swap(true, SeqCst) {
                    let other = self.within.db().mutation(&call_of("t:insert", &json!({"n": 9})), None);
                    assert!(other.result.is_ok(), "{:?}", other.result);
                }
                continue;
            }
            let called_as = match step["kind"].as_str() {
                Some("query") => FunctionKind::Query,
                _ => FunctionKind::Mutation,
            };
            let args = step["args"].as_str().map_or_else(|| step["args"].to_string(), str::to_owned);
            let call =
                NestedCall { path: step["path"].as_str().expect("a path"), args: args.as_bytes(), called_as };
            let run = |info: &_, args: &_, tx| self.run(info, args, tx, &mut Teardown::default());
            let options = step.get("options").map(|json| CallOptions::parse(json.to_string().as_bytes()));
            let (back, result) = match options {
                None => tx.call_nested(self, call, run),
                Some(options) => tx.call_with_options(self, call, &options.expect("options"), run),
            };
            tx = back;
            match result {
                Ok(json) => results.push(serde_json::from_slice(&json).expect("JSON")),
                Err(error) if step["caught"] == true => results.push(describe(&error)),
                Err(CallError { message, data, .. }) => {
                    return (tx, Err(FunctionError::Application { message, data }));
                }
            }
        }
        (tx, Ok(Json::Array(results).to_string().into()))
    }
}

fn describe(error: &CallError) -> Json {
    let data: Option<Json> = error.data.as_ref().map(|data| serde_json::from_slice(data).expect("JSON"));
    json!({"code": error.code.as_str(), "message": error.message, "data": data})
}

impl Deployment for Nesting {
    fn missing(&self, path: &FunctionPath) -> Option<MissingFunction> {
        self.functions.missing(path)
    }

    fn mounts(&self) -> &Mounts {
        self.functions.mounts()
    }

    fn schemas(&self) -> Schemas {
        self.functions.schemas()
    }

    fn crons(&self) -> &[Cron] {
        self.functions.crons()
    }
}

impl Functions for Nesting {
    fn find(&self, path: &FunctionPath) -> Option<Arc<FunctionInfo>> {
        let Some(kind) = Nesting::runs(path) else { return self.functions.find(path) };
        Some(Arc::new(weir_db::native::open_info(&path.to_string(), kind)))
    }

    fn list(&self) -> Vec<Arc<FunctionInfo>> {
        self.functions.list()
    }

    fn run(
        &self,
        info: &FunctionInfo,
        args: &Bytes,
        tx: Transaction,
        teardown: &mut Teardown,
    ) -> (Transaction, Result<Bytes, FunctionError>) {
        match Nesting::runs(&info.path) {
            Some(_) => self.run_steps(args, tx),
            None => self.functions.run(info, args, tx, teardown),
        }
    }
}

fn world() -> World {
    let mut hidden = weir_db::native::open_info("t:hidden", FunctionKind::Query);
    hidden.visibility = Visibility::Internal;
    let functions = basics()
        .register(hidden, |tx, _| {
            tx.log(weir_db::LogLevel::Log, "hidden");
            Ok(Value::from(tx.path().to_string()))
        })
        .mutation("t:insertAndFail", |tx, _| {
            tx.insert("t", br#"{"n":1}"#)?;
            let data = Some(Bytes::from_static(b"{\"why\":7}"));
            Err(FunctionError::Application { message: "no".to_owned(), data })
        })
        .query("t:count", |tx, _| {
            let mut count = 0;
            let mut batch = tx.query(br#"{"table":"t"}"#, 0)?;
            loop {
                count += batch.count;
                let Some(cursor) = batch.cursor else { return Ok(Value::from(f64::from(count))) };
                batch = tx.query_next(cursor, 0)?;
            }
        })
        .query("t:seed", |tx, _| Ok(Value::from(format!("{:?}", tx.context().seed))))
        .query("t:writes", |tx, _| Ok(Value::from(tx.insert("t", b"{}")?)));
    let mut missing = MissingFunctions::default();
    let path = FunctionPath::parse("gone:hidden").expect("a path");
    missing.insert(path, Visibility::Internal, "module `gone` is missing".into());
    let world = World::new(NativeFunctions::new());
    let within = Within::default();
    within.set(&world);
    let functions = functions.with_missing(missing);
    world.db.set_deployment(Arc::new(Nesting { functions, within, has_committed: AtomicBool::new(false) }));
    world
}

fn step(kind: &str, path: &str, args: Json) -> Json {
    json!({"kind": kind, "path": path, "args": args})
}

fn caught(kind: &str, path: &str, args: Json) -> Json {
    json!({"kind": kind, "path": path, "args": args, "caught": true})
}

fn run(world: &World, steps: &[Json]) -> Json {
    value_of(&world.mutate("n:run", &json!({ "steps": steps })).result)
}

#[test]
fn a_failed_call_that_is_caught_leaves_nothing_and_the_rest_stays() {
    let world = world();
    let inner = json!([
        step("mutation", "t:insert", json!({"n": 2})),
        step("mutation", "t:insertAndFail", json!({}))
    ]);
    let results = run(
        &world,
        &[
            step("mutation", "t:insert", json!({"n": 1})),
            caught("mutation", "n:run", json!({ "steps": inner })),
            step("query", "t:count", json!({})),
        ],
    );
    assert_eq!(results[1], json!({"code": "ApplicationError", "message": "no", "data": {"why": 7}}));
    assert_eq!(results[2], 1.0);
    assert_eq!(value_of(&world.query("t:count", &json!({})).result), 1.0);
}

#[test]
fn a_failed_call_that_nobody_catches_undoes_all_and_keeps_its_data() {
    let world = world();
    let steps =
        [step("mutation", "t:insert", json!({"n": 1})), step("mutation", "t:insertAndFail", json!({}))];
    let error = world.mutate("n:run", &json!({ "steps": steps })).result.unwrap_err();
    assert_eq!(error.data.as_deref(), Some(&b"{\"why\":7}"[..]));
    assert_eq!(value_of(&world.query("t:count", &json!({})).result), 0.0);
}

#[test]
fn every_refusal_has_its_code() {
    let world = world();
    let results = run(
        &world,
        &[
            caught("query", "t:nothing", json!({})),
            caught("mutation", "gone:hidden", json!({})),
            caught("query", "not a path", json!({})),
            caught("query", "t:insert", json!({"n": 1})),
            caught("mutation", "t:count", json!({})),
            caught("query", "t:count", json!([])),
            caught("query", "t:writes", json!({})),
            caught("query", "q:run", json!({"steps": [step("mutation", "t:insert", json!({"n": 1}))]})),
        ],
    );
    let codes: Vec<_> =
        results.as_array().unwrap().iter().map(|result| result["code"].as_str().unwrap()).collect();
    assert_eq!(
        codes,
        [
            "FunctionNotFound",
            "FunctionMissing",
            "FunctionNotFound",
            "WrongFunctionKind",
            "WrongFunctionKind",
            "ArgumentValidationError",
            "ApplicationError",
            "ApplicationError",
        ]
    );
    assert!(results[1]["message"].as_str().unwrap().contains("module `gone` is missing"), "{results}");
    assert!(results[6]["message"].as_str().unwrap().contains("ReadOnly"), "{results}");
    assert!(results[7]["message"].as_str().unwrap().contains("cannot run a mutation"), "{results}");
}

#[test]
fn internal_functions_can_be_called_and_log_into_the_callers_log() {
    let world = world();
    let outcome = world.mutate("n:run", &json!({"steps": [step("query", "t.js:hidden", json!({}))]}));
    assert_eq!(value_of(&outcome.result), json!(["t:hidden"]));
    assert_eq!(outcome.log_lines, ["[LOG] hidden"]);
}

#[test]
fn random_numbers_differ_between_calls() {
    let world = world();
    let seed = || step("query", "t:seed", json!({}));
    let results = run(&world, &[seed(), seed(), step("query", "q:run", json!({"steps": [seed()]}))]);
    let mut seeds = vec![results[0].clone(), results[1].clone(), results[2][0].clone()];
    seeds.dedup();
    assert_eq!(seeds.len(), 3, "{results}");
}

#[test]
fn depth_is_limited_and_the_error_can_be_caught() {
    let world = world();
    let nest = |depth: usize| {
        (0..depth).fold(caught("query", "t:count", json!({})), |inner, _| {
            step("mutation", "n:run", json!({ "steps": [inner] }))
        })
    };
    let innermost = |mut result: Json| {
        while let Json::Array(results) = result {
            result = results[0].clone();
        }
        result
    };
    assert_eq!(innermost(run(&world, &[nest(NESTED_CALLS_DEPTH_MAX - 1)])), 0.0);
    assert_eq!(innermost(run(&world, &[nest(NESTED_CALLS_DEPTH_MAX)]))["code"], "NestedTooDeep");
}

#[test]
fn count_is_limited_and_nothing_goes_on_after_it() {
    let world = world();
    let steps = vec![caught("query", "t:seed", json!({})); NESTED_CALLS_MAX];
    assert_eq!(run(&world, &steps).as_array().unwrap().len(), NESTED_CALLS_MAX);
    let steps = vec![caught("query", "t:seed", json!({})); NESTED_CALLS_MAX + 1];
    let error = world.mutate("n:run", &json!({ "steps": steps })).result.unwrap_err();
    assert_eq!(error.code, "TooManyNestedCalls");
}

#[test]
fn what_a_nested_call_read_is_the_callers_to_conflict_with() {
    let world = world();
    let steps =
        json!({"steps": [step("query", "q:run", json!({"steps": [step("query", "t:count", json!({}))]}))]});
    let outcome = world.query("q:run", &steps);
    assert!(!outcome.read_set.is_empty(), "{:?}", outcome.read_set);
}

#[test]
fn the_hosts_own_functions_are_called_by_no_other() {
    let world = world();
    crate::system_functions::give_to(&world);
    let steps = json!({"steps": [caught("query", "_system/cli/tables", json!({}))]});
    let call = weir_db::Call { principal: weir_db::Principal::ADMIN, ..crate::world::call("q:run", &steps) };
    let result = world.db.query(&call, world.store.snapshot_sequenced()).result;
    assert_eq!(value_of(&result)[0]["code"], "FunctionNotFound");
}

/// A step that counts the documents of `t`, with options.
fn count_with(options: Json) -> Json {
    json!({"kind": options["kind"], "path": "t:count", "args": {}, "options": options, "caught": true})
}

fn stale_count() -> Json {
    count_with(json!({"kind": "query", "useStaleSnapshot": true}))
}

#[test]
fn over_a_stale_snapshot_a_query_sees_what_was_committed_before() {
    let world = world();
    let insert = || step("mutation", "t:insert", json!({"n": 1}));
    let results = run(&world, &[insert(), stale_count(), step("query", "t:count", json!({})), insert()]);
    assert_eq!((&results[1], &results[2]), (&json!(0), &json!(1)));
    assert_eq!(run(&world, &[stale_count()]), json!([2]), "both inserts were kept");
}

#[test]
fn what_is_read_over_a_stale_snapshot_is_no_conflict() {
    let commit = || json!({"kind": "commit"});
    let insert = || step("mutation", "t:insert", json!({"n": 1}));
    let conflicts = |count: Json| {
        let world = world();
        run(&world, &[insert(), insert()]);
        let before = world.db.stats();
        let results = run(&world, &[count, commit(), insert()]);
        (results[0].clone(), world.db.stats().conflicts - before.conflicts)
    };
    assert_eq!(conflicts(stale_count()), (json!(2), 0));
    assert_eq!(conflicts(step("query", "t:count", json!({}))), (json!(3), 1));
}

#[test]
fn only_a_mutation_has_a_stale_snapshot() {
    let world = world();
    let within_query = step("query", "q:run", json!({"steps": [stale_count()]}));
    let results = run(&world, std::slice::from_ref(&within_query));
    assert_eq!(results[0][0]["code"], "InvalidRequest", "{results}");
    assert!(results[0][0]["message"].as_str().unwrap().contains("`q:run` is no mutation"), "{results}");
}

#[test]
fn a_call_that_uses_more_than_its_caller_allows_has_failed_and_left_nothing() {
    let world = world();
    run(&world, &vec![step("mutation", "t:insert", json!({"n": 1})); 3]);
    let limited =
        |name: &str, limit: u32| count_with(json!({"kind": "query", "transactionLimits": {name: limit}}));
    let results = run(&world, &[limited("documentsRead", 3), limited("documentsRead", 2)]);
    assert_eq!(results[0], 3.0);
    assert_eq!(results[1]["code"], "TooManyReads", "{results}");
    assert!(results[1]["message"].as_str().unwrap().contains("`documentsRead`: 3, limit: 2"), "{results}");

    let inner = json!({"steps": [step("mutation", "t:insert", json!({"n": 5})), step("mutation", "t:insert", json!({"n": 6}))]});
    let options = json!({"kind": "mutation", "transactionLimits": {"documentsWritten": 1}});
    let two = json!({"kind": "mutation", "path": "n:run", "args": inner, "options": options, "caught": true});
    let results = run(&world, &[two, step("query", "t:count", json!({}))]);
    assert_eq!((&results[0]["code"], &results[1]), (&json!("TooManyWrites"), &json!(3)), "{results}");
}

#[test]
fn a_function_is_told_what_its_transaction_has_used() {
    let functions = basics().mutation("t:usage", |tx, _| {
        let id = tx.insert("t", br#"{"n":1}"#)?;
        tx.get(None, &id)?;
        Ok(Value::from(tx.usage_json()?.to_string()))
    });
    let world = World::new(functions);
    let usage = value_of(&world.mutate("t:usage", &json!({})).result);
    let usage: Json = serde_json::from_str(usage.as_str().unwrap()).unwrap();
    let of = |name: &str| (usage[name]["used"].as_u64().unwrap(), usage[name]["remaining"].as_u64().unwrap());
    assert_eq!(of("documentsRead"), (1, 31_999));
    assert_eq!(of("documentsWritten"), (1, 15_999));
    assert_eq!(of("databaseQueries"), (1, 4095));
    assert_eq!(of("functionsScheduled"), (0, 1000));
    let (used, remaining) = of("bytesRead");
    assert!(used > 0 && used + remaining == 16 << 20, "{usage}");
}
