//! The host's own functions: who calls them, and who does not know of them.
use std::sync::Arc;

use bytes::Bytes;
use serde_json::json;
use weir_db::native::NativeFunctions;
use weir_db::{
    Call, FunctionError, FunctionInfo, Functions, Principal, Scope, SystemFunctions, Teardown, Transaction,
};
use weir_value::{FunctionPath, Value};

use crate::world::{World, call, json as value_of};

/// Functions of the host, of which `_system/cli/secret` is open to two scopes, and all others to everyone with a key.
struct HostFunctions(NativeFunctions);

impl Functions for HostFunctions {
    fn find(&self, path: &FunctionPath) -> Option<Arc<FunctionInfo>> {
        self.0.find(path)
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
        self.0.run(info, args, tx, teardown)
    }
}

impl SystemFunctions for HostFunctions {
    fn is_open_to(&self, path: &FunctionPath, scope: Scope) -> bool {
        path.module() != "_system/cli/secret" || matches!(scope, Scope::Everything | Scope::Deploy)
    }
}

fn world(functions: NativeFunctions) -> World {
    let world = World::new(functions);
    give_to(&world);
    world
}

/// Gives the database functions of the host.
pub fn give_to(world: &World) {
    let host = NativeFunctions::new()
        .query("_system/cli/tables", |tx, _| Ok(Value::from(tx.table_names()?.join(" "))))
        .query("_system/cli/secret", |_, _| Ok(Value::Null));
    world.db.set_system_functions(Arc::new(HostFunctions(host)));
}

fn code(world: &World, path: &str, principal: &Principal) -> String {
    let call = Call { principal: principal.clone(), ..call(path, &json!({})) };
    let result = world.db.query(&call, world.store.snapshot_sequenced()).result;
    result.map_or_else(|error| error.code.to_string(), |_| "ok".to_owned())
}

#[test]
fn they_are_for_those_who_hold_a_key() {
    // One of the deployment's that has such a path is not found.
    let world = world(NativeFunctions::new().query("_system/cli/own", |_, _| Ok(Value::Null)));
    let admin = |scope| Principal::Admin { scope, acting_as: None };
    let (hidden, less) = ("FunctionNotFound", "AdminKeyScope");
    let paths = ["_system/cli/tables", "_system/cli/secret:default", "_system/cli/gone", "_system/cli/own"];
    for (principal, expected) in [
        (Principal::Anonymous, [hidden, hidden, hidden, hidden]),
        (admin(Scope::Everything), ["ok", "ok", hidden, hidden]),
        (admin(Scope::Deploy), ["ok", "ok", hidden, hidden]),
        (admin(Scope::Functions), ["ok", less, hidden, hidden]),
        (admin(Scope::ReadOnly), ["ok", less, hidden, hidden]),
        (Principal::System, ["ok", "ok", hidden, hidden]),
    ] {
        assert_eq!(paths.map(|path| code(&world, path, &principal)), expected, "{principal:?}");
    }
    let as_mutation = Call { principal: Principal::ADMIN, ..call("_system/cli/tables", &json!({})) };
    let error = world.db.mutation(&as_mutation, None).result.unwrap_err();
    assert_eq!(error.code, "WrongFunctionKind");
}

#[test]
fn the_names_of_tables_are_read_like_anything_else() {
    let functions = NativeFunctions::new().mutation("t:make", |tx, args| {
        let table = crate::world::text(args, "table");
        tx.insert(table, b"{}")?;
        Ok(Value::from(tx.table_names()?.join(" ")))
    });
    let world = world(functions);
    let tables = || {
        let call = Call { principal: Principal::ADMIN, ..call("_system/cli/tables", &json!({})) };
        world.db.query(&call, world.store.snapshot_sequenced())
    };
    let none = tables();
    assert_eq!(value_of(&none.result), json!(""));
    let made = world.mutate("t:make", &json!({"table": "rooms"}));
    assert_eq!(value_of(&made.result), json!("rooms"), "what the call itself has made is there");
    world.mutate("t:make", &json!({"table": "messages"}));
    assert_eq!(value_of(&tables().result), json!("messages rooms"));
    let name_key = [&[0, b'n', 0, 0, 0, 0][..], b"rooms"].concat();
    assert!(none.read_set.contains(&name_key), "whoever makes a table wakes those who asked which there are");
    assert!(!none.read_set.contains(&[0, b'n', 0, 0, 0, 1, b'x']), "a component's tables are none of them");
}
