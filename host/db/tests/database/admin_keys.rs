//! Admin keys: what may be made, what is kept, and that no function reads it.
use std::time::Duration;

use serde_json::json;
use weir_db::native::NativeFunctions;
use weir_db::{AdminKeyError, AdminKeyRecord, NewAdminKey, Scope, check};
use weir_value::limits::ADMIN_KEY_LIFETIME_S_MAX;

use crate::world::{World, json, text};

fn new_key(name: &str) -> NewAdminKey {
    NewAdminKey { name: name.to_owned(), hash: [7; 32], scope: Scope::Deploy, lifetime: None }
}

fn keys(world: &World) -> Vec<AdminKeyRecord> {
    world.db.admin_keys(&world.store.snapshot_sequenced()).expect("the store can be read")
}

fn names(world: &World) -> Vec<String> {
    // The clock stands still between some of them.
    let mut names: Vec<String> = keys(world).into_iter().map(|key| key.name).collect();
    names.sort();
    names
}

#[test]
fn keys_are_made_listed_revoked_and_kept() {
    let world = World::new(NativeFunctions::new());
    let lifetime = Some(Duration::from_secs(30 * 24 * 3600));
    let (made, ts) = world
        .db
        .create_admin_key(&NewAdminKey { lifetime, scope: Scope::ReadOnly, ..new_key("ci") })
        .unwrap();
    assert_eq!(ts, world.store.sequenced());
    assert_eq!(made.created_at_ms, 1_790_000_000_000);
    assert_eq!(made.expires_at_ms, Some(1_790_000_000_000 + 30 * 24 * 3_600_000));
    assert_eq!(keys(&world), [made]);
    world.db.create_admin_key(&new_key("box-2")).unwrap();
    assert_eq!(names(&world), ["box-2", "ci"]);

    let again = world.reopen(NativeFunctions::new());
    assert_eq!(names(&again), ["box-2", "ci"]);
    again.db.revoke_admin_key("ci").unwrap();
    assert_eq!(names(&again), ["box-2"]);
    assert!(matches!(again.db.revoke_admin_key("ci"), Err(AdminKeyError::NotFound(_))));
    again.db.create_admin_key(&new_key("ci")).unwrap();
    assert_eq!(names(&again), ["box-2", "ci"]);
    let found = check(&again.store.snapshot_sequenced()).unwrap();
    assert_eq!((found.tables.get("_admin_keys"), found.problem_count), (Some(&2), 0), "{found:?}");
}

#[test]
fn what_cannot_be_a_key_is_refused_and_changes_nothing() {
    let world = World::new(NativeFunctions::new());
    world.db.create_admin_key(&new_key("ci")).unwrap();
    let before = world.store.sequenced();
    let long = "n".repeat(65);
    for name in ["", "-ci", ".ci", "a b", "a/b", "a|b", "a\n", "clé", &long] {
        let refused = world.db.create_admin_key(&new_key(name));
        assert!(matches!(refused, Err(AdminKeyError::InvalidName(_))), "{name:?}: {refused:?}");
    }
    for seconds in [0, ADMIN_KEY_LIFETIME_S_MAX + 1] {
        let lifetime = Some(Duration::from_secs(seconds));
        let refused = world.db.create_admin_key(&NewAdminKey { lifetime, ..new_key("b") });
        assert!(matches!(refused, Err(AdminKeyError::InvalidLifetime(_))), "{refused:?}");
    }
    assert!(matches!(world.db.create_admin_key(&new_key("ci")), Err(AdminKeyError::Exists(_))));
    assert_eq!(world.store.sequenced(), before);
}

#[test]
fn no_function_reads_a_private_table() {
    let functions = NativeFunctions::new()
        .query("t:page", |tx, args| {
            let plan = json!({"table": text(args, "table")}).to_string();
            let page = tx.page(plan.as_bytes(), br#"{"cursor":null,"numItems":10}"#)?;
            Ok(weir_value::Value::from_json(&page).expect("a value"))
        })
        .query("t:query", |tx, args| {
            let plan = json!({"table": text(args, "table")}).to_string();
            Ok(weir_value::Value::from(f64::from(tx.query(plan.as_bytes(), 10)?.count)))
        })
        .query("t:count", |tx, args| {
            let plan = json!({"table": text(args, "table")}).to_string();
            Ok(weir_value::Value::from(tx.count(plan.as_bytes())? as f64))
        })
        .query("t:get", |tx, args| Ok(weir_value::Value::from(tx.get(None, text(args, "id"))?.is_some())))
        .query("t:getMany", |tx, args| {
            let ids = json!([text(args, "id")]).to_string();
            tx.get_many(None, ids.as_bytes())?;
            Ok(weir_value::Value::Null)
        })
        .query("t:normalize", |tx, args| {
            Ok(weir_value::Value::from(tx.normalize_id("_admin_keys", text(args, "id")).is_some()))
        });
    let world = World::new(functions);
    world.db.create_admin_key(&new_key("ci")).unwrap();
    for table in ["_admin_keys", "_variables"] {
        for path in ["t:page", "t:query", "t:count"] {
            let error = world.query(path, &json!({ "table": table })).result.unwrap_err();
            assert!(error.message.contains("holds secrets"), "{path} {table}: {error}");
        }
        assert_eq!(json(&world.query("t:query", &json!({"table": "_indexes"})).result), json!(0));
    }
    let id = document_id(&world);
    for path in ["t:get", "t:getMany"] {
        let error = world.query(path, &json!({ "id": id })).result.unwrap_err();
        assert!(error.message.contains("is not an id of this deployment"), "{path}: {error}");
    }
    assert_eq!(json(&world.query("t:normalize", &json!({ "id": id })).result), json!(false));
}

/// The id of the one key's document.
fn document_id(world: &World) -> String {
    use weir_store::Direction;
    let snapshot = world.store.snapshot_sequenced();
    let rows = snapshot.scan(&[1, 0, 0, 0, 6], &[1, 0, 0, 0, 7], Direction::Ascending, 10).unwrap();
    let document: serde_json::Value = serde_json::from_slice(&rows[0].1).unwrap();
    assert_eq!((rows.len(), &document["name"]), (1, &json!("ci")));
    document["_id"].as_str().unwrap().to_owned()
}
