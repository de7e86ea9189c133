//! What the tests stand on: a database in memory, and short ways to call it.
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use serde_json::Value as Json;
use weir_db::native::NativeFunctions;
use weir_db::{Call, Database, FunctionError, MutationOutcome, Principal, QueryOutcome, Transaction};
use weir_store::{Env, SimEnv, Store, StoreOptions, memory};
use weir_value::{FunctionPath, Timestamp, Value};

pub struct World {
    pub db: Arc<Database>,
    pub env: Arc<SimEnv>,
    pub store: Arc<dyn Store>,
}

impl World {
    pub fn new(functions: NativeFunctions) -> World {
        World::on(&memory::MemoryDisk::new(), StoreOptions::default(), functions)
    }

    pub fn on(disk: &memory::MemoryDisk, options: StoreOptions, functions: NativeFunctions) -> World {
        let env = Arc::new(SimEnv::new(7, Timestamp::from_nanos(1_790_000_000_000_000_000)));
        let shared_env: Arc<dyn Env> = env.clone();
        let store = memory::open(disk, options, shared_env.clone()).expect("a store");
        let db = Database::open(store.clone(), shared_env).expect("a database");
        db.set_deployment(Arc::new(functions));
        World { db, env, store }
    }

    /// Another database on the same store, as after a restart.
    pub fn reopen(&self, functions: NativeFunctions) -> World {
        self.reopen_at(self.env.now(), functions)
    }

    /// As [`World::reopen`], when the wall clock shows this; the monotonic clock begins again.
    pub fn reopen_at(&self, now: Timestamp, functions: NativeFunctions) -> World {
        let env = Arc::new(SimEnv::new(8, now));
        let db = Database::open(self.store.clone(), env.clone()).expect("a database");
        db.set_deployment(Arc::new(functions));
        World { db, env, store: self.store.clone() }
    }

    pub fn query(&self, path: &str, args: &Json) -> QueryOutcome {
        self.db.query(&call(path, args), self.store.snapshot_sequenced())
    }

    pub fn mutate(&self, path: &str, args: &Json) -> MutationOutcome {
        self.db.mutation(&call(path, args), None)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.store.close();
    }
}

pub fn call(path: &str, args: &Json) -> Call {
    Call {
        path: FunctionPath::parse(path).expect("a path"),
        args: Bytes::from(args.to_string()),
        principal: Principal::Anonymous,
        request_id: "r1".to_owned(),
    }
}

/// A result as JSON. Panics with the error's text.
pub fn json(result: &Result<Bytes, weir_db::CallError>) -> Json {
    match result {
        Ok(bytes) => serde_json::from_slice(bytes).expect("JSON"),
        Err(error) => panic!("the call failed: {error}"),
    }
}

/// A field of a function's arguments, as text.
pub fn text<'a>(args: &'a Value, name: &str) -> &'a str {
    args.as_object().and_then(|args| args.get(name)).and_then(Value::as_str).expect("a string")
}

/// A field of a function's arguments, as a number.
pub fn number(args: &Value, name: &str) -> f64 {
    args.as_object().and_then(|args| args.get(name)).and_then(Value::as_float64).expect("a number")
}

/// The field `n` of a document.
pub fn n_of(tx: &mut Transaction, id: &str) -> Result<f64, FunctionError> {
    let document = tx.get(None, id)?.expect("the document");
    let document = Value::from_json(&document).expect("a document");
    Ok(number(&document, "n"))
}

pub fn set_n(tx: &mut Transaction, id: &str, n: f64) -> Result<(), FunctionError> {
    Ok(tx.patch(None, id, format!(r#"{{"n":{n}}}"#).as_bytes())?)
}

/// Where a native function finds the database that it stands in, to call it in its midst.
#[derive(Clone, Default)]
pub struct Within(Arc<OnceLock<Arc<Database>>>);

impl Within {
    pub fn set(&self, world: &World) {
        assert!(self.0.set(world.db.clone()).is_ok(), "set once");
    }

    pub fn db(&self) -> &Arc<Database> {
        self.0.get().expect("set before the first call")
    }

    /// Whether the call that began with so many serial runs is optimistic still: the gate is free.
    pub fn is_optimistic(&self, serial_runs_before: u64) -> bool {
        self.db().stats().serial_runs == serial_runs_before
    }
}

/// Functions that most tests need: `t:insert {n}` -> id, `t:add {id, n}` -> the new n, `t:get {id}` -> n.
pub fn basics() -> NativeFunctions {
    NativeFunctions::new()
        .mutation("t:insert", |tx, args| {
            let id = tx.insert("t", format!(r#"{{"n":{}}}"#, number(args, "n")).as_bytes())?;
            Ok(Value::from(id))
        })
        .mutation("t:add", |tx, args| {
            let n = n_of(tx, text(args, "id"))? + number(args, "n");
            set_n(tx, text(args, "id"), n)?;
            Ok(Value::from(n))
        })
        .query("t:get", |tx, args| Ok(Value::from(n_of(tx, text(args, "id"))?)))
}
