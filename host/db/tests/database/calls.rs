//! Calls: which function, which arguments, which result, which error.
use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::json;
use weir_db::native::{NativeFunctions, open_info};
use weir_db::{
    Deployment, DeploymentVersion, FunctionError, FunctionInfo, FunctionKind, Functions, LogLevel, Principal,
    Teardown, Transaction, Visibility,
};
use weir_value::{Field, FunctionPath, Validator, Value};

use crate::world::{World, basics, call, json as value_of};

fn field(validator: Validator) -> Field {
    Field { validator, optional: false }
}

/// `f:strict {user: v.id("users"), n: v.number()}`, returns a string; `f:hidden` is internal.
fn strict() -> NativeFunctions {
    let mut strict = open_info("f:strict", FunctionKind::Query);
    strict.args = Validator::Object(BTreeMap::from([
        ("user".to_owned(), field(Validator::Id("users".to_owned()))),
        ("n".to_owned(), field(Validator::Number)),
    ]));
    strict.returns = Validator::String;
    let mut hidden = open_info("f:hidden", FunctionKind::Query);
    hidden.visibility = Visibility::Internal;
    basics()
        .register(strict, |_, args| match args.as_object().and_then(|args| args.get("n")) {
            Some(Value::Float64(0.0)) => Ok(Value::Null),
            _ => Ok(Value::from("fine")),
        })
        .register(hidden, |_, _| Ok(Value::Null))
        .mutation("f:user", |tx, _| Ok(Value::from(tx.insert("users", b"{}")?)))
        .query("f:echo", |_, args| Ok(args.clone()))
        .query("f:fails", |_, args| {
            let data =
                args.as_object().and_then(|args| args.get("data")).map(|data| Bytes::from(data.to_json()));
            Err(FunctionError::Application { message: "no".to_owned(), data })
        })
        .query("f:writes", |tx, _| Ok(Value::from(tx.insert("t", b"{}")?)))
        .mutation("f:writesAndFails", |tx, _| {
            tx.insert("t", b"{}")?;
            Err(FunctionError::Trap { message: "unreachable".to_owned() })
        })
        .query("f:swallows", |tx, _| {
            while tx.query(br#"{"table":"t"}"#, 0).is_ok() {}
            Ok(Value::from("all is well"))
        })
        .query("f:swallowsAndFails", |tx, _| {
            while tx.query(br#"{"table":"t"}"#, 0).is_ok() {}
            Err(FunctionError::Application { message: "mine".to_owned(), data: None })
        })
}

#[test]
fn every_refusal_has_its_code_and_text() {
    let world = World::new(strict());
    let user = value_of(&world.mutate("f:user", &json!({})).result);
    let other = value_of(&world.mutate("t:insert", &json!({"n": 1})).result);
    let cases = [
        ("f:nothing", json!({}), "FunctionNotFound", "Could not find public function for 'f:nothing'."),
        ("f:hidden", json!({}), "FunctionNotFound", "Could not find public function for 'f:hidden'."),
        (
            "f:user",
            json!({}),
            "WrongFunctionKind",
            "Trying to execute 'f:user' as a query, but it is defined as a mutation.",
        ),
        ("f:strict", json!({"user": user}), "ArgumentValidationError", "n"),
        ("f:strict", json!({"user": user, "n": "1"}), "ArgumentValidationError", ".n"),
        ("f:strict", json!({"user": user, "n": 1, "more": 1}), "ArgumentValidationError", "more"),
        ("f:strict", json!({"user": other, "n": 1}), "ArgumentValidationError", ".user"),
        ("f:strict", json!({"user": "nobody", "n": 1}), "ArgumentValidationError", ".user"),
        ("f:echo", json!([]), "ArgumentValidationError", "not an object"),
        ("f:echo", json!(null), "ArgumentValidationError", "not an object"),
        ("f:echo", json!({"x": {"$integer": "!"}}), "ArgumentValidationError", "cannot be read"),
        ("f:strict", json!({"user": user, "n": 0}), "ReturnsValidationError", "`f:strict`"),
        ("f:fails", json!({}), "ApplicationError", "Uncaught Error: no"),
        ("f:fails", json!({"data": null}), "ApplicationError", "Uncaught ConvexError: no"),
        ("f:writes", json!({}), "ApplicationError", "ReadOnly: `f:writes` is a query"),
        ("f:swallows", json!({}), "TooManyReads", "`f:swallows`: TooManyReads"),
        ("f:swallowsAndFails", json!({}), "TooManyReads", "`f:swallowsAndFails`: TooManyReads"),
    ];
    for (path, args, code, text) in cases {
        let outcome = world.query(path, &args);
        let error = outcome.result.expect_err(path);
        assert_eq!(error.code, code, "{error}");
        assert!(error.message.starts_with("[Request ID: r1] Server Error\n"), "{error}");
        assert!(error.message.contains(text), "{text:?} is not in: {error}");
        assert_eq!(error.data.is_some(), args.get("data").is_some(), "{path}");
    }
    let error = world.mutate("f:echo", &json!({})).result.expect_err("a query");
    assert!(error.message.contains("'f:echo' as a mutation, but it is defined as a query."), "{error}");
    assert_eq!(world.query("f:strict", &json!({"user": user, "n": 1})).result, Ok(Bytes::from("\"fine\"")));
}

#[test]
fn arguments_may_be_spelled_in_any_way_and_become_canonical() {
    let world = World::new(strict());
    let mut call = call("f:echo", &json!({}));
    call.args = Bytes::from(" { \"b\" : 1.0 , \"a\" : [ 1e2, -0.5 ] , \"c\":\"\\u0041\"}");
    let outcome = world.db.query(&call, world.store.snapshot_sequenced());
    assert_eq!(outcome.result, Ok(Bytes::from(r#"{"a":[100,-0.5],"b":1,"c":"A"}"#)));
}

#[test]
fn the_admin_calls_internal_functions() {
    let world = World::new(strict());
    let mut call = call("f:hidden", &json!({}));
    call.principal = Principal::ADMIN;
    assert_eq!(world.db.query(&call, world.store.snapshot_sequenced()).result, Ok(Bytes::from("null")));
}

#[test]
fn a_failed_mutation_leaves_nothing() {
    let world = World::new(strict());
    let before = world.store.sequenced();
    let outcome = world.mutate("f:writesAndFails", &json!({}));
    let error = outcome.result.expect_err("it traps");
    assert_eq!(error.code, "FunctionTrapped");
    assert!(error.message.contains("`f:writesAndFails` trapped: unreachable"), "{error}");
    assert_eq!((outcome.ts, world.store.sequenced()), (before, before));
    assert_eq!(world.db.stats().commits, 0);
}

/// Functions that return what they are told to, as bytes.
struct Verbatim(Bytes);

impl Deployment for Verbatim {}

impl Functions for Verbatim {
    fn find(&self, path: &FunctionPath) -> Option<Arc<FunctionInfo>> {
        Some(Arc::new(FunctionInfo { path: path.clone(), ..open_info("a:b", FunctionKind::Query) }))
    }

    fn list(&self) -> Vec<Arc<FunctionInfo>> {
        Vec::new()
    }

    fn run(
        &self,
        _info: &FunctionInfo,
        _args: &Bytes,
        tx: Transaction,
        _teardown: &mut Teardown,
    ) -> (Transaction, Result<Bytes, FunctionError>) {
        (tx, Ok(self.0.clone()))
    }
}

#[test]
fn results_are_checked() {
    let world = World::new(NativeFunctions::new());
    let large = format!("\"{}\"", "x".repeat(16 << 20));
    let cases = [
        (" [ 1.0 ] ", Ok("[1]")),
        ("", Err("InvalidResult")),
        ("{", Err("InvalidResult")),
        ("1 2", Err("InvalidResult")),
        ("NaN", Err("InvalidResult")),
        (r#"{"$x":1}"#, Err("InvalidResult")),
        (r#"{"$undefined":null}"#, Err("InvalidResult")),
        ("\"\u{0}\"", Err("InvalidResult")),
        (large.as_str(), Err("ResultTooLarge")),
    ];
    for (returned, expected) in cases {
        world.db.set_deployment(Arc::new(Verbatim(Bytes::copy_from_slice(returned.as_bytes()))));
        let result = world.query("a:b", &json!({})).result;
        let shown = &returned[..returned.len().min(20)];
        match (result, expected) {
            (Ok(result), Ok(expected)) => assert_eq!(result, expected, "{shown}"),
            (Err(error), Err(code)) => {
                assert_eq!(error.code, code, "{shown}: {error}");
                assert!(error.message.contains("`a:b`"), "{error}");
            }
            (result, _) => panic!("{shown}: {result:?}"),
        }
    }
}

#[test]
fn an_outcome_has_its_lines_reads_and_moment() {
    let functions = basics().query("f:logs", |tx, args| {
        tx.log(LogLevel::Log, "'before'");
        let id = args.as_object().and_then(|args| args.get("id")).and_then(Value::as_str).unwrap_or("none");
        tx.get(None, id)?;
        tx.log(LogLevel::Error, "after");
        Ok(Value::Null)
    });
    let world = World::new(functions);
    let inserted = world.mutate("t:insert", &json!({"n": 1}));
    let id = value_of(&inserted.result);
    let outcome = world.query("f:logs", &json!({"id": id}));
    assert_eq!(outcome.log_lines, ["[LOG] 'before'", "[ERROR] after"]);
    assert_eq!((outcome.read_set.points().len(), outcome.read_set.ranges().len()), (1, 0));
    assert_eq!(outcome.ts, inserted.ts);
    let failed = world.query("f:logs", &json!({}));
    assert!(failed.result.is_err());
    assert_eq!(failed.log_lines, ["[LOG] 'before'"], "an error keeps the lines before it");
}

#[test]
fn a_query_reads_the_snapshot_it_is_given() {
    let world = World::new(basics());
    let id = value_of(&world.mutate("t:insert", &json!({"n": 1})).result);
    let old = Arc::new(world.store.snapshot_sequenced());
    world.mutate("t:add", &json!({"id": id, "n": 4}));
    let get = call("t:get", &json!({"id": id}));
    let outcome = world.db.query(&get, old.clone());
    assert_eq!((value_of(&outcome.result), outcome.ts), (json!(1), old.ts()));
    assert_eq!(value_of(&world.query("t:get", &json!({"id": id})).result), json!(5));
}

#[test]
fn deployments_are_counted_and_replaced() {
    let world = World::new(basics());
    assert_eq!(world.db.deployment().0, DeploymentVersion(1));
    let version =
        world.db.set_deployment(Arc::new(NativeFunctions::new().query("g:one", |_, _| Ok(Value::from(1.0)))));
    assert_eq!((version, world.db.deployment().0), (DeploymentVersion(2), DeploymentVersion(2)));
    assert_eq!(world.query("t:get", &json!({})).result.unwrap_err().code, "FunctionNotFound");
    assert_eq!(value_of(&world.query("g:one", &json!({})).result), json!(1));
    let paths: Vec<String> =
        world.db.deployment().1.list().iter().map(|info| info.path.to_string()).collect();
    assert_eq!(paths, ["g:one"]);
}

#[test]
fn a_database_without_functions_says_so() {
    let world = World::new(basics());
    let fresh = weir_db::Database::open(world.store.clone(), world.env.clone()).expect("a database");
    assert_eq!(fresh.deployment().0, DeploymentVersion(0));
    let outcome = fresh.query(&call("t:get", &json!({})), world.store.snapshot_sequenced());
    assert_eq!(outcome.result.unwrap_err().code, "FunctionNotFound");
}

#[test]
fn records_of_the_host_are_kept() {
    let world = World::new(basics());
    assert_eq!(world.db.read_system("deployment").unwrap(), None);
    let ts = world.db.write_system("deployment", Bytes::from("one")).unwrap();
    assert_eq!(ts, world.store.sequenced());
    world.db.write_system("other", Bytes::from("two")).unwrap();
    assert_eq!(world.reopen(basics()).db.read_system("deployment").unwrap(), Some(Bytes::from("one")));
}

#[test]
fn a_store_that_was_closed_refuses_commits() {
    let world = World::new(basics());
    world.store.close();
    let error = world.mutate("t:insert", &json!({"n": 1})).result.expect_err("closed");
    assert_eq!(error.code, "ShuttingDown");
    assert!(world.db.write_system("x", Bytes::new()).is_err());
}
