//! A database in memory, a runtime, and guests to run in it.
#![allow(dead_code, reason = "each test file uses a part")]

pub mod guests;

use std::sync::Arc;

use bytes::Bytes;
use weir_db::{Call, CallError, Database, MutationOutcome, Principal, QueryOutcome, Teardown};
use weir_runtime::{Deployment, LoadError, ModuleSource, Runtime, RuntimeOptions};
use weir_store::{Env, SimEnv, StoreOptions, memory};
use weir_value::{FunctionPath, Timestamp};

/// When every test begins.
pub const NOW_MS: u64 = 1_790_000_000_123;

/// A database, and the runtime whose functions it calls.
pub struct World {
    pub db: Arc<Database>,
    pub runtime: Arc<Runtime>,
    /// Whether instances are used again as they are.
    reuses: bool,
}

impl World {
    /// With the default limits, and nothing kept on disk.
    pub fn new() -> World {
        World::with(RuntimeOptions { max_concurrent_calls: 4, ..RuntimeOptions::default() })
    }

    pub fn with(options: RuntimeOptions) -> World {
        let env: Arc<dyn Env> = Arc::new(SimEnv::new(7, Timestamp::from_nanos(NOW_MS * 1_000_000)));
        let store = memory::open(&memory::MemoryDisk::new(), StoreOptions::default(), env.clone());
        let db = Database::open(store.expect("a store"), env).expect("a database");
        World { db, runtime: Runtime::new(options).expect("a runtime"), reuses: false }
    }

    /// The same, whose modules have their instances used again as they are.
    pub fn reusing(options: RuntimeOptions) -> World {
        World { reuses: true, ..World::with(options) }
    }

    /// A world whose only module is this component.
    pub fn of(component: Vec<u8>) -> World {
        let world = World::new();
        world.deploy(&[("m", component)]);
        world
    }

    /// Loads the modules and calls their functions from now on.
    pub fn deploy(&self, modules: &[(&str, Vec<u8>)]) -> Arc<Deployment> {
        let deployment = self.load(modules).expect("the modules load");
        self.db.set_deployment(deployment.clone());
        deployment
    }

    pub fn load(&self, modules: &[(&str, Vec<u8>)]) -> Result<Arc<Deployment>, LoadError> {
        let sources: Vec<_> = modules
            .iter()
            .map(|(name, component)| match self.reuses {
                true => source(name, &marked_as_reused(component)),
                false => source(name, component),
            })
            .collect();
        self.runtime.load(&sources)
    }

    pub fn query(&self, path: &str, args: &str) -> QueryOutcome {
        self.db.query(&call(path, args), self.db.store().snapshot_sequenced())
    }

    /// A query's value; what it ran in is left in `teardown`.
    pub fn ask_before_teardown(&self, path: &str, teardown: &mut Teardown) -> Result<String, CallError> {
        let at = self.db.store().snapshot_sequenced();
        self.db.query_again(&call(path, "{}"), at, None, teardown).result.map(text)
    }

    pub fn mutation(&self, path: &str, args: &str) -> MutationOutcome {
        self.db.mutation(&call(path, args), None)
    }

    /// The query's result as text.
    pub fn ask(&self, path: &str, args: &str) -> Result<String, CallError> {
        self.query(path, args).result.map(text)
    }
}

/// A component as `host build` writes it for `instances = "reused"`.
fn marked_as_reused(component: &[u8]) -> Vec<u8> {
    [component, b"\x00\x15\x0eweir:instancesreused"].concat()
}

pub fn source(name: &str, component: &[u8]) -> ModuleSource {
    ModuleSource { name: name.to_owned(), component: Bytes::copy_from_slice(component) }
}

pub fn call(path: &str, args: &str) -> Call {
    Call {
        path: FunctionPath::parse(path).expect("a path"),
        args: Bytes::copy_from_slice(args.as_bytes()),
        principal: Principal::Anonymous,
        request_id: "r1".to_owned(),
    }
}

pub fn text(json: Bytes) -> String {
    String::from_utf8(json.to_vec()).expect("UTF-8")
}
