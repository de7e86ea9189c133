//! On whose behalf calls are made: what each may call, and what a result depends on.
use serde_json::json;
use weir_db::native::{NativeFunctions, open_info};
use weir_db::{Call, CallError, FunctionKind, Principal, Scope, SessionRequest, Visibility};
use weir_value::{Identity, Value};

use crate::world::{World, call, json as value_of};

fn functions() -> NativeFunctions {
    let hidden = |path: &str, kind| {
        let mut info = open_info(path, kind);
        info.visibility = Visibility::Internal;
        info
    };
    NativeFunctions::new()
        .query("m:open", |_, _| Ok(Value::Null))
        .query("m:mine", |tx, _| {
            Ok(tx.identity().map_or(Value::Null, |who| Value::from(who.token_identifier().to_owned())))
        })
        .mutation("m:add", |tx, _| {
            let id = tx.insert("t", b"{}")?;
            Ok(Value::from(id))
        })
        .register(hidden("m:look", FunctionKind::Query), |_, _| Ok(Value::Null))
        .register(hidden("m:set", FunctionKind::Mutation), |_, _| Ok(Value::Null))
}

fn user(subject: &str, email: &str) -> Principal {
    let claims = json!({"issuer": "i", "subject": subject, "email": email}).to_string();
    Principal::User(Identity::from_json(claims.as_bytes()).expect("claims"))
}

fn admin(scope: Scope) -> Principal {
    Principal::Admin { scope, acting_as: None }
}

fn call_as(path: &str, principal: &Principal) -> Call {
    Call { principal: principal.clone(), ..call(path, &json!({})) }
}

fn code(world: &World, kind: FunctionKind, path: &str, principal: &Principal) -> String {
    let call = call_as(path, principal);
    let result = match kind {
        FunctionKind::Query => world.db.query(&call, world.db.store().snapshot_sequenced()).result,
        FunctionKind::Mutation => world.db.mutation(&call, None).result,
        FunctionKind::Action | FunctionKind::HttpAction => unreachable!("none is called here"),
    };
    result.map_or_else(|error: CallError| error.code.to_string(), |_| "ok".to_owned())
}

#[test]
fn each_principal_may_call_what_it_may() {
    use FunctionKind::{Mutation, Query};
    let world = World::new(functions());
    let calls = [(Query, "m:open"), (Mutation, "m:add"), (Query, "m:look"), (Mutation, "m:set")];
    let (hidden, less) = ("FunctionNotFound", "AdminKeyScope");
    for (principal, expected) in [
        (Principal::Anonymous, ["ok", "ok", hidden, hidden]),
        (user("ada", ""), ["ok", "ok", hidden, hidden]),
        (admin(Scope::Everything), ["ok", "ok", "ok", "ok"]),
        (admin(Scope::Functions), ["ok", "ok", "ok", "ok"]),
        (admin(Scope::ReadOnly), ["ok", less, "ok", less]),
        (admin(Scope::Deploy), ["ok", "ok", hidden, hidden]),
        (Principal::System, ["ok", "ok", "ok", "ok"]),
    ] {
        let codes = calls.map(|(kind, path)| code(&world, kind, path, &principal));
        assert_eq!(codes, expected, "{principal:?}");
    }
}

#[test]
fn an_unknown_function_is_not_a_public_one_to_everybody_else() {
    let world = World::new(functions());
    let message = |principal: &Principal| {
        let call = call_as("m:gone", principal);
        world.db.query(&call, world.db.store().snapshot_sequenced()).result.unwrap_err().message
    };
    assert!(message(&Principal::Anonymous).contains("Could not find public function for 'm:gone'."));
    assert!(message(&Principal::ADMIN).contains("Could not find function for 'm:gone'."));
}

#[test]
fn an_outcome_says_whether_the_identity_was_asked_for() {
    let world = World::new(functions());
    let ask = |path: &str, principal: &Principal| {
        let outcome = world.db.query(&call_as(path, principal), world.db.store().snapshot_sequenced());
        (value_of(&outcome.result), outcome.asked_identity)
    };
    assert_eq!(ask("m:open", &user("ada", "")), (json!(null), false));
    assert_eq!(ask("m:mine", &user("ada", "")), (json!("i|ada"), true));
    assert_eq!(ask("m:mine", &Principal::Anonymous), (json!(null), true));
    let Principal::User(ada) = user("ada", "") else { unreachable!("a user") };
    let acting = Principal::Admin { scope: Scope::ReadOnly, acting_as: Some(ada) };
    assert_eq!(ask("m:mine", &acting), (json!("i|ada"), true));
}

#[test]
fn a_request_is_answered_from_its_record_to_whom_it_was_made_for() {
    let world = World::new(functions());
    let request = Some(SessionRequest { session: [7; 16], request: 0 });
    let run = |principal: &Principal| world.db.mutation(&call_as("m:add", principal), request);
    let first = run(&user("ada", "a@x"));
    let id = value_of(&first.result);
    // A refreshed token may claim something else of the same user.
    let again = run(&user("ada", "b@x"));
    assert_eq!((value_of(&again.result), again.replayed), (id, true));
    for other in [user("bob", "a@x"), Principal::Anonymous] {
        let refused = run(&other);
        assert_eq!(refused.result.unwrap_err().code, "RequestOfAnotherUser", "{other:?}");
    }
    let request = Some(SessionRequest { session: [7; 16], request: 1 });
    let anonymous = call_as("m:add", &Principal::Anonymous);
    assert!(!world.db.mutation(&anonymous, request).replayed);
    assert!(world.db.mutation(&anonymous, request).replayed);
    assert!(world.db.mutation(&call_as("m:add", &user("ada", "")), request).result.is_err());
}
