//! A database in memory, for the tests of this room: transactions by hand, without functions.
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value as Json;
use weir_store::memory::Stepper;
use weir_store::{Env, SimEnv, StoreOptions, memory};
use weir_value::{FunctionPath, Timestamp};

use crate::committer::Conflict;
use crate::{
    Batch, Call, Database, DbError, DeploymentError, FunctionKind, NoFunctions, Principal, Transaction, check,
};

pub(crate) struct World {
    pub(crate) db: Arc<Database>,
    pub(crate) env: Arc<SimEnv>,
}

fn sim_env(seed: u64) -> Arc<SimEnv> {
    Arc::new(SimEnv::new(seed, Timestamp::from_nanos(1_790_000_000_000_000_000)))
}

impl World {
    pub(crate) fn new() -> World {
        World::seeded(1)
    }

    pub(crate) fn seeded(seed: u64) -> World {
        let world = World::open(seed);
        world.db.committer.keep_history();
        world
    }

    /// One that forgets its commits as the real one does.
    pub(crate) fn forgetful() -> World {
        World::open(1)
    }

    /// One whose commits become durable when the stepper is told so.
    pub(crate) fn stepped() -> (World, Stepper) {
        let (env, disk) = (sim_env(1), memory::MemoryDisk::new());
        let opened = memory::open_stepped(&disk, StoreOptions::default(), env.clone());
        let (store, stepper) = opened.expect("a store");
        let db = Database::open(store, env.clone()).expect("a database");
        db.committer.keep_history();
        (World { db, env }, stepper)
    }

    fn open(seed: u64) -> World {
        let env = sim_env(seed);
        let shared_env: Arc<dyn Env> = env.clone();
        let disk = memory::MemoryDisk::new();
        let store = memory::open(&disk, StoreOptions::default(), shared_env.clone()).expect("a store");
        let db = Database::open(store, shared_env).expect("a database");
        World { db, env }
    }

    pub(crate) fn begin(&self, kind: FunctionKind) -> Transaction {
        let snapshot = Arc::new(self.db.store().snapshot_sequenced());
        let path = FunctionPath::parse("test:run").expect("a path");
        let call = Call {
            path,
            args: Bytes::from_static(b"{}"),
            principal: Principal::Anonymous,
            request_id: "r0".to_owned(),
        };
        self.db.begin(&call, kind, snapshot)
    }

    /// A transaction that may write.
    pub(crate) fn tx(&self) -> Transaction {
        self.begin(FunctionKind::Mutation)
    }

    /// Commits, and lets the clock go on by a millisecond.
    pub(crate) fn commit(&self, tx: Transaction) -> Result<Timestamp, Conflict> {
        let mut gate = self.db.committer.enter();
        gate.check(tx.reads(), tx.ts())?;
        if !self.db.deployments.is_newest(tx.deployed()) {
            return Err(Conflict);
        }
        let (draft, _) = tx.into_draft();
        self.env.advance(Duration::from_millis(1));
        let sequenced = gate.sequence_unstamped(draft.changes, &draft.counts);
        Ok(sequenced.expect("the store takes writes"))
    }

    /// Commits what the closure writes.
    pub(crate) fn write<T>(&self, body: impl FnOnce(&mut Transaction) -> Result<T, DbError>) -> T {
        let mut tx = self.tx();
        let result = body(&mut tx).expect("the operations succeed");
        self.commit(tx).expect("nothing conflicts");
        result
    }
}

pub(crate) fn parse(json: &[u8]) -> Json {
    serde_json::from_slice(json).expect("JSON")
}

/// The documents of a query that is read to its end in batches of this size.
pub(crate) fn query_all(tx: &mut Transaction, plan: &Json, batch_rows: u32) -> Result<Vec<Json>, DbError> {
    let mut documents = Vec::new();
    let mut batch = tx.query(plan.to_string().as_bytes(), batch_rows)?;
    loop {
        documents.extend(documents_of(&batch));
        match batch.cursor {
            Some(cursor) => batch = tx.query_next(cursor, batch_rows)?,
            None => return Ok(documents),
        }
    }
}

pub(crate) fn documents_of(batch: &Batch) -> Vec<Json> {
    let documents = parse(&batch.documents).as_array().expect("an array").clone();
    assert_eq!(documents.len(), batch.count as usize);
    documents
}

/// One field of each document.
pub(crate) fn field(documents: &[Json], name: &str) -> Vec<Json> {
    documents.iter().map(|document| document[name].clone()).collect()
}

impl World {
    /// Deploys a schema, Convex's JSON form, without functions.
    pub(crate) fn deploy(&self, schema: &Json) -> Result<(), DeploymentError> {
        let schema = weir_value::Schema::from_json(schema).expect("a schema");
        self.db.deploy(schema, Arc::new(NoFunctions))?;
        self.env.advance(Duration::from_millis(1));
        Ok(())
    }

    /// Asserts that documents, index entries and counts agree.
    #[track_caller]
    pub(crate) fn assert_sound(&self) {
        let found = check(&self.db.store().snapshot_sequenced()).expect("the store can be read");
        assert_eq!(found.problems, Vec::<String>::new());
    }
}
