//! Functions that were deployed and cannot be run.
use std::sync::Arc;

use serde_json::json;
use weir_db::native::NativeFunctions;
use weir_db::{MissingFunctions, Principal, SessionRequest, Visibility};
use weir_value::FunctionPath;

use crate::world::{World, basics, call, json as value_of};

fn path(text: &str) -> FunctionPath {
    FunctionPath::parse(text).expect("a path")
}

/// `basics`, beside a module that is missing: `m:open` and `m:hidden`.
fn beside_missing() -> NativeFunctions {
    let mut missing = MissingFunctions::default();
    missing.insert(path("m:open"), Visibility::Public, "module `m` is missing".into());
    missing.insert(path("m:hidden"), Visibility::Internal, "module `m` is missing".into());
    basics().with_missing(missing)
}

#[test]
fn a_call_says_what_is_missing_to_those_who_may_know_of_it() {
    let world = World::new(beside_missing());
    let code_of = |path: &str, caller| {
        let mut call = call(path, &json!({}));
        call.principal = caller;
        let as_query = world.db.query(&call, world.store.snapshot_sequenced()).result.expect_err("missing");
        let as_mutation = world.db.mutation(&call, None).result.expect_err("missing");
        assert_eq!(as_query.message, as_mutation.message);
        (as_query.code, as_query.message)
    };
    let (code, message) = code_of("m:open", Principal::Anonymous);
    assert_eq!(code, "FunctionMissing");
    assert!(message.contains("'m:open' is deployed but cannot run: module `m` is missing."), "{message}");
    assert_eq!(code_of("m:hidden", Principal::ADMIN).0, "FunctionMissing");
    assert_eq!(code_of("m:hidden", Principal::Anonymous).0, "FunctionNotFound");
    assert_eq!(code_of("m:other", Principal::ADMIN).0, "FunctionNotFound");
    assert_eq!(world.mutate("t:insert", &json!({"n": 1})).result.map(|_| ()), Ok(()));
}

#[test]
fn a_module_of_unknown_functions_may_have_had_any() {
    let mut missing = MissingFunctions::default();
    missing.insert_unknown("module `m` is missing".into());
    let world = World::new(basics().with_missing(missing));
    let error = world.query("m:open", &json!({})).result.expect_err("missing");
    assert_eq!(error.code, "FunctionMissing");
    assert!(error.message.contains("may be in that: module `m` is missing."), "{error}");
    let id = value_of(&world.mutate("t:insert", &json!({"n": 1})).result);
    assert_eq!(value_of(&world.query("t:get", &json!({ "id": id })).result), json!(1));
}

#[test]
fn a_repetition_of_what_was_answered_is_answered_without_the_function() {
    let world = World::new(basics());
    let request = SessionRequest { session: [1; 16], request: 7 };
    let insert = call("t:insert", &json!({"n": 1}));
    let first = world.db.mutation(&insert, Some(request)).result.expect("it runs");
    let mut missing = MissingFunctions::default();
    missing.insert(path("t:insert"), Visibility::Public, "module `t` is missing".into());
    world.db.set_deployment(Arc::new(NativeFunctions::new().with_missing(missing)));
    let again = world.db.mutation(&insert, Some(request));
    assert_eq!((again.result, again.replayed), (Ok(first), true));
    let other = SessionRequest { session: [1; 16], request: 8 };
    assert_eq!(world.db.mutation(&insert, Some(other)).result.unwrap_err().code, "FunctionMissing");
}
