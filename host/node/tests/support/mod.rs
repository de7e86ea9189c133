//! A database in memory whose actions are those of `bundle.js`, run in Node.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::Value as Json;
use tokio::runtime::{Handle, Runtime};
use tokio::task::JoinHandle;
use weir_db::native::open_info;
use weir_db::{
    ActionCall, ActionHost, ActionOutcome, Call, CallError, Database, DbError, Deployment, FunctionError,
    FunctionInfo, FunctionKind, Functions, GivesUp, HostFuture, HttpRequest, HttpResponse, NodeBundle,
    NodeRunner, PasswordResult, PasswordWork, Principal, Teardown, Transaction, VariableChanges,
};
use weir_node::{NodeBinary, NodeOptions, NodePool};
use weir_store::{Env, RealEnv, StoreOptions, memory};
use weir_value::{ErrorCode, FunctionPath, Timestamp};

/// A database, and the pool that runs its actions.
pub struct World {
    pub pool: Arc<NodePool>,
    db: Arc<Database>,
    host: Arc<Host>,
    runtime: Runtime,
    _folder: tempfile::TempDir,
}

impl World {
    pub fn new() -> World {
        World::with(|_| ())
    }

    pub fn with(set: impl FnOnce(&mut NodeOptions)) -> World {
        let folder = tempfile::tempdir().unwrap();
        let binary = NodeBinary::find(&node()).unwrap();
        let mut options = NodeOptions::new(binary, folder.path().join("node"));
        set(&mut options);
        let env: Arc<dyn Env> = Arc::new(RealEnv::new());
        let pool = Arc::new(NodePool::new(options, &*env));
        let store = memory::open(&memory::MemoryDisk::new(), StoreOptions::default(), env.clone()).unwrap();
        let db = Database::open(store, env).unwrap();
        let bundle = NodeBundle {
            digest: "d".repeat(64),
            script: Bytes::from_static(include_bytes!("bundle.js")),
            source_map: Bytes::from_static(br#"{"version":3,"sources":[],"mappings":""}"#),
        };
        db.set_deployment(Arc::new(InNode { pool: pool.clone(), bundle: Arc::new(bundle) }));
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let host = Arc::new_cyclic(|this| Host {
            this: this.clone(),
            db: db.clone(),
            threads: runtime.handle().clone(),
            rules: Mutex::new(Json::Null),
        });
        World { pool, db, host, runtime, _folder: folder }
    }

    pub fn set_variable(&self, name: &str, value: &str) {
        let changes = BTreeMap::from([(name.to_owned(), Some(value.to_owned()))]);
        let at = self.db.set_variables(&VariableChanges::new(changes).unwrap()).unwrap();
        self.db.store().wait_durable(at).unwrap();
    }

    pub fn set_rules(&self, rules: Json) {
        *self.host.rules.lock().unwrap() = rules;
    }

    /// Runs an action to its end.
    fn run(&self, name: &str, args: &Json) -> impl Future<Output = ActionOutcome> + Send + 'static {
        let path = if name.contains(':') { name.to_owned() } else { format!("a:{name}") };
        self.db.clone().action(call_of(&path, args.to_string().into()), self.host.clone())
    }

    /// Begins an action, which goes on beside the test.
    pub fn begin(&self, name: &str, args: Json) -> JoinHandle<ActionOutcome> {
        self.runtime.spawn(self.run(name, &args))
    }

    pub fn ask(&self, name: &str, args: Json) -> Result<Json, CallError> {
        let outcome = self.runtime.block_on(self.run(name, &args));
        outcome.result.map(|json| serde_json::from_slice(&json).unwrap())
    }

    pub fn lines(&self, name: &str, args: Json) -> Vec<String> {
        self.runtime.block_on(self.run(name, &args)).log_lines
    }

    /// The error of an action, and what comes of ten of another one that go on beside it.
    pub fn both(
        &self,
        failing: &str,
        args: Json,
        other: &str,
        other_args: Json,
    ) -> (CallError, Result<(), CallError>) {
        let failing = self.runtime.spawn(self.run(failing, &args));
        wait_until("it has the child that was idle", || self.pool.idle_children() == 0);
        let others = (0..10).try_for_each(|_| self.ask(other, other_args.clone()).map(drop));
        assert!(!failing.is_finished(), "the others have not waited for it");
        (self.runtime.block_on(failing).unwrap().result.unwrap_err(), others)
    }

    /// The results of two calls of an action at once.
    pub fn both_ok(&self, name: &str, args: Json) -> (Json, Json) {
        let first = self.runtime.spawn(self.run(name, &args));
        let second = self.ask(name, args).unwrap();
        let first = self.runtime.block_on(first).unwrap().result.unwrap();
        (serde_json::from_slice(&first).unwrap(), second)
    }

    /// Runs an action, and gives it up after a while.
    pub fn give_up_after(&self, name: &str, args: Json, time: Duration) {
        let running = self.run(name, &args);
        let ended = self.runtime.block_on(async { tokio::time::timeout(time, running).await });
        assert!(ended.is_err(), "it goes on until it is given up");
    }
}

/// The Node of the tests: `WEIR_TEST_NODE`, or the one that the machine has.
pub fn node() -> PathBuf {
    std::env::var_os("WEIR_TEST_NODE").map_or_else(|| PathBuf::from("node"), PathBuf::from)
}

/// Whether a process is there, and not merely its remains.
pub fn is_alive(pid: u64) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, state)| !state.starts_with(['Z', 'X']))
}

pub fn kill(pid: u64) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}

/// Waits until something is so, at most 10 s.
pub fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn call_of(path: &str, args: Bytes) -> Call {
    let path = FunctionPath::parse_qualified(path).unwrap();
    // No client calls a function of a component.
    let principal = if path.component().is_app() { Principal::Anonymous } else { Principal::System };
    Call { path, args, principal, request_id: "r1".to_owned() }
}

/// Every path but one is an action of the bundle.
struct InNode {
    pool: Arc<NodePool>,
    bundle: Arc<NodeBundle>,
}

impl Deployment for InNode {}

impl Functions for InNode {
    fn find(&self, path: &FunctionPath) -> Option<Arc<FunctionInfo>> {
        let is_there = path.function() != "gone";
        let info = || FunctionInfo { path: path.clone(), ..open_info(&path.local(), FunctionKind::Action) };
        is_there.then(|| Arc::new(info()))
    }

    fn list(&self) -> Vec<Arc<FunctionInfo>> {
        Vec::new()
    }

    fn run_action(
        &self,
        info: &FunctionInfo,
        args: &Bytes,
        action: Arc<ActionCall>,
    ) -> HostFuture<Result<Bytes, FunctionError>> {
        self.pool.run(self.bundle.clone(), &info.path, args.clone(), action)
    }

    fn run(
        &self,
        info: &FunctionInfo,
        _: &Bytes,
        tx: Transaction,
        _: &mut Teardown,
    ) -> (Transaction, Result<Bytes, FunctionError>) {
        (tx, Err(weir_db::not_of_this_deployment(&info.path)))
    }
}

struct Host {
    this: Weak<Host>,
    db: Arc<Database>,
    threads: Handle,
    rules: Mutex<Json>,
}

impl ActionHost for Host {
    fn call(&self, _: FunctionKind, path: FunctionPath, args: Bytes) -> HostFuture<Result<Bytes, CallError>> {
        let (db, host) = (self.db.clone(), self.this.upgrade().unwrap());
        let result = async move { db.action(call_of(&path.to_string(), args), host).await.result };
        Box::pin(async move { result.await.map_err(CallError::into_nested) })
    }

    fn durable(&self, _: Timestamp) -> HostFuture<()> {
        Box::pin(async {})
    }

    fn sleep(&self, time: Duration) -> HostFuture<()> {
        let _entered = self.threads.enter();
        Box::pin(tokio::time::sleep(time))
    }

    fn send(&self, _: HttpRequest) -> HostFuture<Result<HttpResponse, DbError>> {
        Box::pin(async { Err(DbError::new(ErrorCode::FetchFailed, "there is no network here")) })
    }

    fn outbound_rules(&self) -> Json {
        self.rules.lock().unwrap().clone()
    }

    fn compute_password(&self, work: PasswordWork) -> HostFuture<Result<PasswordResult, DbError>> {
        Box::pin(async move { Ok(tokio::task::block_in_place(|| work.run())) })
    }

    fn spawn(&self, work: HostFuture<()>) -> Box<dyn GivesUp> {
        Box::new(Spawned(self.threads.spawn(work)))
    }
}

struct Spawned(JoinHandle<()>);

impl GivesUp for Spawned {}

impl Drop for Spawned {
    fn drop(&mut self) {
        self.0.abort();
    }
}
