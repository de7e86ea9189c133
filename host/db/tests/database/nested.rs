//! Calls of functions by functions, in one transaction.
use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value as Json, json};
use weir_db::native::NativeFunctions;
use weir_db::{
    CallError, Cron, Deployment, FunctionError, FunctionInfo, FunctionKind, Functions, MissingFunction,
    MissingFunctions, NestedCall, Schemas, Teardown, Transaction, Visibility,
};
use weir_value::limits::{NESTED_CALLS_DEPTH_MAX, NESTED_CALLS_MAX};
use weir_value::{FunctionPath, Mounts, Value};

use crate::world::{World, basics, json as value_of};

/// Functions that call others, over those of `basics`: `n:run {steps: [{kind, path, args, caught}]}` runs each step
/// and gives what came of it; `q:run` is the same as a query. Each component has both.
pub struct Nesting(pub NativeFunctions);

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
            let called_as = match step["kind"].as_str() {
                Some("query") => FunctionKind::Query,
                _ => FunctionKind::Mutation,
            };
            let args = step["args"].to_string();
            let call =
                NestedCall { path: step["path"].as_str().expect("a path"), args: args.as_bytes(), called_as };
            let run = |info: &_, args: &_, tx| self.run(info, args, tx, &mut Teardown::default());
            let (back, result) = tx.call_nested(self, call, run);
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
        self.0.missing(path)
    }

    fn mounts(&self) -> &Mounts {
        self.0.mounts()
    }

    fn schemas(&self) -> Schemas {
        self.0.schemas()
    }

    fn crons(&self) -> &[Cron] {
        self.0.crons()
    }
}

impl Functions for Nesting {
    fn find(&self, path: &FunctionPath) -> Option<Arc<FunctionInfo>> {
        let Some(kind) = Nesting::runs(path) else { return self.0.find(path) };
        Some(Arc::new(weir_db::native::open_info(&path.to_string(), kind)))
    }

    fn list(&self) -> Vec<Arc<FunctionInfo>> {
        self.0.list()
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
            None => self.0.run(info, args, tx, teardown),
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
    world.db.set_deployment(Arc::new(Nesting(functions.with_missing(missing))));
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
