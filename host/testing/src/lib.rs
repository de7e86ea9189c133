//! Tests of functions: the real database over a store in memory, with a clock in the test's hands, random
//! numbers from a seed, and calls that say what they read and wrote.
//!
//! **Invariant:** nothing here knows how functions are written or run; whoever makes a [`TestDatabase`]
//! brings them as [`weir_db::Deployment`]. Equal seeds, clocks and calls give equal results, ids and signed
//! tokens included.

mod actions;
mod event_loop;
mod fetch;
mod files;
mod host;
mod http;
mod scheduled;
mod tokens;

use std::cell::Cell;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Map, Value as Json, json};
use weir_db::{
    ActionHost, Call, CallError, Database, DbError, Deployment, FunctionKind, Principal, Read, Schemas,
    Scope, Trace, VariableChanges, Variables, Written,
};
use weir_store::{Env, SimEnv, Store, StoreOptions, memory};
use weir_value::{FunctionPath, Identity, IdentityError, Schema, Timestamp, Value};

pub use actions::OutsideWork;
pub use fetch::{AnswersFetch, FetchAnswer, FetchRequest, FetchResponse, SentRequest};
pub use files::TestFile;
use host::Shared;
pub use host::{CalledFunction, Made};
pub use http::{HttpAnswer, Served, TestRequest};
pub use scheduled::ScheduledRun;
use tokens::TestSigner;
pub use tokens::{TOKEN_ISSUER, TokenError};

/// The clock of a test that sets none: the first moment of 2026, in milliseconds since the epoch.
pub const NOW_MS_DEFAULT: f64 = 1_767_225_600_000.0;

/// How far the clock moves by itself after a mutation that wrote: far enough that documents of later
/// mutations are later ones, as in a host.
pub const TICK_DEFAULT: Duration = Duration::from_millis(1);

/// A fresh database, for one test.
pub struct TestDatabase {
    db: Arc<Database>,
    store: Arc<dyn Store>,
    env: Arc<SimEnv>,
    schema: Schema,
    shared: Arc<Shared>,
    fetch_handler: Option<Box<dyn AnswersFetch>>,
    action_host: Option<Arc<dyn ActionHost>>,
    outside_work: Option<OutsideWork>,
    /// How many scheduled functions were called since the test asked for something.
    started: Cell<usize>,
    is_admin: bool,
    identity: Option<Identity>,
    calls: u64,
}

/// How a call ended.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Its result, canonical JSON; or the error, whose message is what a client reads without the request's
    /// id.
    pub result: Result<Bytes, CallError>,
    /// What it logged: `[LEVEL] text`.
    pub log_lines: Vec<String>,
    /// What it read and wrote; of an action, what its queries and mutations did.
    pub trace: Trace,
    /// What an action did besides.
    pub made: Made,
}

impl Default for Outcome {
    fn default() -> Self {
        let result = Ok(Bytes::from_static(b"null"));
        Outcome { result, log_lines: Vec::new(), trace: Trace::default(), made: Made::default() }
    }
}

/// Why there is no test database, or not this time.
#[derive(Debug, thiserror::Error)]
pub enum TestError {
    /// No function can have this path.
    #[error("{0}")]
    Path(String),
    /// The clock cannot be set to this.
    #[error("{0} is not a valid time: give milliseconds since the epoch")]
    Time(f64),
    /// A variable cannot have this name or value.
    #[error("{0}")]
    Variable(String),
    /// An action sent a request.
    #[error("the test answers no request to {method} {url}: give the database a handler that answers it")]
    Unanswered {
        /// The request's method.
        method: String,
        /// Where it was sent.
        url: String,
    },
    /// The test has answered a request with something that is none.
    #[error("the test answers {url} with status {status}; that of a response is from 200 to 599")]
    Response {
        /// Where the request was sent.
        url: String,
        /// The status.
        status: u16,
    },
    /// What answers requests cannot go on.
    #[error("{0}")]
    Handler(String),
    /// A request has no such path.
    #[error("`{0}` is not the path of a request: it begins with `/`, as in `/hook?id=7`")]
    RequestPath(String),
    /// A file was not stored.
    #[error("{}", .0.message)]
    File(DbError),
    /// An HTTP action was to run on a host of the test's.
    #[error("the test has set no host that HTTP actions run on")]
    NoActionHost,
    /// An action waits for nothing that will come.
    #[error("the action waits for something that never comes")]
    Stuck,
    /// The store in memory could not be made, or read.
    #[error("the database in memory cannot be used: {0}")]
    Store(String),
    /// Functions schedule others without end.
    #[error(
        "1,000 scheduled functions have run, and `{0}` is due: functions schedule each other without end; advance the \
         clock by less"
    )]
    EndlessSchedule(String),
}

impl TestDatabase {
    /// An empty database with these functions, this schema, this clock and this seed.
    ///
    /// # Errors
    /// The clock is not a valid time, the schema cannot be had, or there is no memory.
    pub fn new(
        deployment: Arc<dyn Deployment>,
        schema: &Schema,
        now_ms: f64,
        seed: u64,
    ) -> Result<TestDatabase, TestError> {
        let env = Arc::new(SimEnv::new(seed, timestamp(now_ms)?));
        let shared: Arc<dyn Env> = env.clone();
        let failed = |error: &dyn fmt::Display| TestError::Store(error.to_string());
        // On a busy machine a test that writes much must not be told that the store is overloaded.
        let options = StoreOptions { memory_bytes: 1 << 30, ..StoreOptions::default() };
        let store = memory::open(&memory::MemoryDisk::new(), options, shared.clone())
            .map_err(|error| failed(&error))?;
        let db = Database::open(store.clone(), shared).map_err(|error| failed(&error))?;
        db.set_signer(Arc::new(TestSigner::new()));
        let mut schemas = deployment.schemas();
        schemas.app = Arc::new(schema.clone());
        if schemas == Schemas::default() && deployment.crons().is_empty() {
            db.set_deployment(deployment);
        } else {
            db.deploy(schemas, deployment).map_err(|error| failed(&error))?;
        }
        Ok(TestDatabase {
            store,
            shared: Shared::new(db.clone(), env.clone(), TICK_DEFAULT),
            db,
            env,
            fetch_handler: None,
            action_host: None,
            outside_work: None,
            started: Cell::new(0),
            schema: schema.clone(),
            is_admin: true,
            identity: None,
            calls: 0,
        })
    }

    /// Calls a function as what it is called here; internal ones too, unless [`TestDatabase::set_admin`] says
    /// else.
    ///
    /// # Errors
    /// The path is invalid. What the function does wrong is in the outcome.
    pub fn call(&mut self, kind: FunctionKind, path: &str, args: Bytes) -> Result<Outcome, TestError> {
        let identity = self.identity.clone();
        self.call_as(kind, path, args, identity)
    }

    /// As [`TestDatabase::call`], on behalf of this identity.
    ///
    /// # Errors
    /// The path is invalid.
    pub fn call_as(
        &mut self,
        kind: FunctionKind,
        path: &str,
        args: Bytes,
        identity: Option<Identity>,
    ) -> Result<Outcome, TestError> {
        let path = FunctionPath::parse(path).map_err(|error| TestError::Path(error.to_string()))?;
        let call = self.next_call(path, args, identity);
        let outcome = match kind {
            FunctionKind::Query => {
                let (outcome, trace) = self.db.query_traced(&call, self.store.snapshot_sequenced());
                Outcome { result: outcome.result, log_lines: outcome.log_lines, trace, ..Outcome::default() }
            }
            FunctionKind::Mutation => {
                let (outcome, trace) = self.db.mutation_traced(&call);
                if !trace.writes.is_empty() {
                    self.shared.tick();
                }
                Outcome { result: outcome.result, log_lines: outcome.log_lines, trace, ..Outcome::default() }
            }
            FunctionKind::Action | FunctionKind::HttpAction => {
                let (outcome, mut made) = self.run_action(call)?;
                let trace = std::mem::take(&mut made.trace);
                Outcome { result: outcome.result, log_lines: outcome.log_lines, trace, made }
            }
        };
        Ok(Outcome { result: outcome.result.map_err(without_prefix), ..outcome })
    }

    fn next_call(&mut self, path: FunctionPath, args: Bytes, identity: Option<Identity>) -> Call {
        self.calls += 1;
        let request_id = format!("test-{}", self.calls);
        Call { path, args, principal: self.principal(identity), request_id }
    }

    /// Sets the clock. By itself it moves only after mutations that wrote, by a tick, and while an action
    /// waits. Scheduled functions that are due then are called when it is advanced.
    ///
    /// # Errors
    /// `now_ms` is not a valid time.
    pub fn set_now(&self, now_ms: f64) -> Result<(), TestError> {
        self.env.set_now(timestamp(now_ms)?);
        Ok(())
    }

    /// Sets how far the clock moves after a mutation that wrote; by default [`TICK_DEFAULT`].
    pub fn set_tick(&mut self, tick: Duration) {
        self.shared.set_tick(tick);
    }

    /// Sets and removes variables, all or none; in the beginning there is none. Functions that a module made
    /// with others are replaced by [`TestDatabase::set_deployment`].
    ///
    /// # Errors
    /// A variable cannot have this name or value.
    pub fn set_variables(
        &self,
        changes: impl IntoIterator<Item = (String, Option<String>)>,
    ) -> Result<(), TestError> {
        let changes = VariableChanges::new(changes).map_err(|error| TestError::Variable(error.message))?;
        self.db.set_variables(&changes).map_err(|error| TestError::Variable(error.to_string()))?;
        Ok(())
    }

    /// The variables as they are.
    ///
    /// # Errors
    /// The store in memory cannot be read.
    pub fn variables(&self) -> Result<Variables, TestError> {
        let read = self.db.variables(&self.store.snapshot_sequenced());
        read.map_err(|error| TestError::Store(error.to_string()))
    }

    /// The clock and the random numbers.
    pub fn env(&self) -> &Arc<SimEnv> {
        &self.env
    }

    /// The database itself.
    pub fn database(&self) -> &Arc<Database> {
        &self.db
    }

    /// Calls these functions from now on, and their cron jobs.
    ///
    /// # Errors
    /// The store in memory cannot be read or written.
    pub fn set_deployment(&self, deployment: Arc<dyn Deployment>) -> Result<(), TestError> {
        let (_, before) = self.db.deployment();
        if deployment.crons() == before.crons() && deployment.mounts() == before.mounts() {
            self.db.set_deployment(deployment);
            return Ok(());
        }
        let mut schemas = deployment.schemas();
        schemas.app = Arc::new(self.schema.clone());
        let deployed = self.db.deploy(schemas, deployment);
        deployed.map(drop).map_err(|error| TestError::Store(error.to_string()))
    }

    /// Whether functions are called as the admin calls them, which is so in the beginning, or as a client
    /// does.
    pub fn set_admin(&mut self, is_admin: bool) {
        self.is_admin = is_admin;
    }

    /// On whose behalf functions are called from now on.
    pub fn set_identity(&mut self, identity: Option<Identity>) {
        self.identity = identity;
    }

    /// The claims of a token that a function signed, `iss`, `iat` and `exp` included.
    ///
    /// # Errors
    /// It is no token, was not signed in a test, or is no longer good at the time that it is here.
    pub fn verify_token(&self, token: &str) -> Result<Map<String, Json>, TokenError> {
        TestSigner::new().verify(token, self.env.now().since_epoch())
    }

    fn principal(&self, identity: Option<Identity>) -> Principal {
        match identity {
            acting_as if self.is_admin => Principal::Admin { scope: Scope::Everything, acting_as },
            Some(identity) => Principal::User(identity),
            None => Principal::Anonymous,
        }
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        self.shared.event_loop.clear();
        self.store.close();
    }
}

impl fmt::Debug for TestDatabase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestDatabase").field("calls", &self.calls).finish_non_exhaustive()
    }
}

fn timestamp(now_ms: f64) -> Result<Timestamp, TestError> {
    // Below 2^53 milliseconds; what is later overflows the nanoseconds of a timestamp.
    if !(0.0..18_000_000_000_000.0).contains(&now_ms) {
        return Err(TestError::Time(now_ms));
    }
    let nanos = Duration::from_secs_f64(now_ms / 1e3).as_nanos();
    // A float of seconds holds more digits than a clock has: round to the microsecond.
    Ok(Timestamp::from_nanos(u64::try_from((nanos + 500) / 1_000 * 1_000).unwrap_or(u64::MAX)))
}

fn after(time: Timestamp, duration: Duration) -> Timestamp {
    let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
    Timestamp::from_nanos(time.as_nanos().saturating_add(nanos))
}

fn without_prefix(mut error: CallError) -> CallError {
    error.message = error.own_message().to_owned();
    error
}

/// Who calls, by claims of a test's: what every verified identity has is added, so that a test need say no
/// more than what it is about.
///
/// # Errors
/// A claim that names the user is no text, or they are too many.
pub fn identity_of(mut claims: Map<String, Json>) -> Result<Identity, IdentityError> {
    if !claims.contains_key("tokenIdentifier") {
        claims.entry("issuer").or_insert_with(|| json!(TOKEN_ISSUER));
        claims.entry("subject").or_insert_with(|| json!("test"));
    }
    Identity::from_claims(claims)
}

/// The public half of the key that signs tokens in tests, as a JWK set: what a host answers at
/// `/.well-known/jwks.json`.
pub fn jwks() -> Json {
    TestSigner::new().jwks()
}

/// A read as `{"table", "id"}`; as `{"table", "from", "to"}` in milliseconds, where `null` is an open end; as
/// `{"table", "index", "from", "to"}` with the values of the index's fields at both ends, as many as the
/// range says; as `{"table", "count": true}`; as `{"variable": name}`; of the names of all variables, as
/// `{"variables": true}`; or, of who calls, as `{"identity": true}`.
pub fn read_to_json(read: &Read) -> Json {
    match read {
        Read::Document { table, id } => json!({"table": table, "id": id.to_string()}),
        Read::Range { table, from_ms, to_ms } => json!({"table": table, "from": from_ms, "to": to_ms}),
        Read::IndexRange { table, index, from, to } => {
            let values = |values: &[Option<Value>]| values.iter().map(value_to_json).collect::<Vec<_>>();
            json!({"table": table, "index": index, "from": values(from), "to": values(to)})
        }
        Read::Count { table } => json!({"table": table, "count": true}),
        Read::Variable { name } => json!({"variable": name}),
        Read::Variables => json!({"variables": true}),
        Read::Identity => json!({"identity": true}),
    }
}

fn value_to_json(value: &Option<Value>) -> Json {
    match value {
        None => json!({"$undefined": null}),
        Some(value) => serde_json::from_slice(&value.to_json_bytes()).expect("a value's JSON is JSON"),
    }
}

/// A write as `{"table", "id", "document"}`; the document is `null` when it was deleted.
pub fn written_to_json(written: &Written) -> Json {
    let document = written.document.as_ref().and_then(|json| serde_json::from_slice::<Json>(json).ok());
    json!({"table": written.table, "id": written.id.to_string(), "document": document})
}

#[cfg(test)]
mod tests {
    use weir_db::native::NativeFunctions;
    use weir_value::Value;

    use super::*;

    fn functions() -> Arc<NativeFunctions> {
        let functions = NativeFunctions::new()
            .mutation("t:add", |tx, _| Ok(Value::from(tx.insert("t", br#"{"n":1}"#)?)))
            .query("t:now", |tx, _| Ok(Value::from(tx.context().now_ms)))
            .query("t:who", |tx, _| {
                Ok(tx.identity().map_or(Value::Null, |who| Value::from_json(who.json()).expect("JSON")))
            });
        Arc::new(functions)
    }

    fn ask(db: &mut TestDatabase, kind: FunctionKind, path: &str) -> Result<String, CallError> {
        let outcome = db.call(kind, path, Bytes::from_static(b"{}")).unwrap();
        outcome.result.map(|json| String::from_utf8(json.to_vec()).unwrap())
    }

    #[test]
    fn equal_tests_give_equal_ids() {
        let mut first = TestDatabase::new(functions(), &Schema::default(), NOW_MS_DEFAULT, 1).unwrap();
        let mut second = TestDatabase::new(functions(), &Schema::default(), NOW_MS_DEFAULT, 1).unwrap();
        let id = ask(&mut first, FunctionKind::Mutation, "t:add").unwrap();
        assert_eq!(id, ask(&mut second, FunctionKind::Mutation, "t:add").unwrap());
        assert_ne!(id, ask(&mut first, FunctionKind::Mutation, "t:add").unwrap());
    }

    #[test]
    fn the_clock_stands_still_until_it_is_set_or_something_is_written() {
        let mut db = TestDatabase::new(functions(), &Schema::default(), NOW_MS_DEFAULT, 1).unwrap();
        let now = |db: &mut TestDatabase| ask(db, FunctionKind::Query, "t:now").unwrap();
        assert_eq!(now(&mut db), "1767225600000");
        db.advance(Duration::from_millis(1500)).unwrap();
        assert_eq!(now(&mut db), "1767225601500");
        db.set_now(1_800_000_000_000.25).unwrap();
        assert_eq!(now(&mut db), "1800000000000.25");
        ask(&mut db, FunctionKind::Mutation, "t:add").unwrap();
        assert_eq!(now(&mut db), "1800000000001.25");
        for wrong in [f64::NAN, -1.0, f64::INFINITY, 1e300] {
            assert!(db.set_now(wrong).is_err());
        }
    }

    /// Functions that schedule: `t:later` itself so often, one second after the other, `t:fail` what fails.
    fn scheduling() -> Arc<NativeFunctions> {
        let functions = NativeFunctions::new()
            .mutation("t:later", |tx, args| {
                let left =
                    args.as_object().and_then(|args| args.get("left")?.as_float64()).unwrap_or_default();
                tx.insert("t", format!(r#"{{"left":{left}}}"#).as_bytes())?;
                if left > 0.0 {
                    let args = format!(r#"{{"left":{}}}"#, left - 1.0);
                    tx.schedule("t:later", args.as_bytes(), tx.context().now_ms + 1_000.0)?;
                }
                Ok(Value::Null)
            })
            .mutation("t:endless", |tx, _| {
                tx.schedule("t:endless", b"{}", 0.0)?;
                Ok(Value::Null)
            })
            .mutation("t:failLater", |tx, _| {
                Ok(Value::from(tx.schedule("t:gone", b"{}", tx.context().now_ms)?))
            })
            .mutation("t:gone", |_, _| {
                Err(weir_db::FunctionError::Application { message: "not today".to_owned(), data: None })
            });
        Arc::new(functions)
    }

    #[test]
    fn cron_jobs_run_when_the_clock_comes_to_their_times() {
        let note = |tx: &mut weir_db::Transaction, args: &Value| {
            tx.insert("t", args.to_json().as_bytes())?;
            Ok(Value::Null)
        };
        let daily = json!({ "type": "daily", "hourUTC": 3, "minuteUTC": 30 });
        let functions = NativeFunctions::new()
            .mutation("t:note", note)
            .mutation("t:later", |tx, _| {
                Ok(Value::from(tx.schedule("t:note", b"{}", tx.context().now_ms + 25_000.0)?))
            })
            .cron("often", &json!({ "type": "interval", "seconds": 10 }), "t:note", &json!({ "a": 1 }))
            .cron("daily", &daily, "t:note", &json!({}));
        let mut db = TestDatabase::new(Arc::new(functions), &Schema::default(), NOW_MS_DEFAULT, 1).unwrap();
        let names = |runs: Vec<ScheduledRun>| -> Vec<Option<String>> {
            assert!(runs.iter().all(|run| run.result.is_ok()), "{runs:?}");
            runs.into_iter().map(|run| run.cron.map(|name| name.to_string())).collect()
        };
        let often = || Some("often".to_owned());
        let advance = |db: &TestDatabase, ms| names(db.advance(Duration::from_millis(ms)).unwrap());
        assert_eq!(advance(&db, 0), [often()], "an interval begins at once");
        assert_eq!((advance(&db, 9_998), advance(&db, 1)), (vec![], vec![often()]));
        ask(&mut db, FunctionKind::Mutation, "t:later").unwrap();
        assert_eq!(names(db.finish_scheduled().unwrap()), [often(), often(), None], "and not for ever");
        assert!(db.finish_scheduled().unwrap().is_empty());
        // To the end of the day: each of them at its time, however often.
        let rest = advance(&db, 24 * 3_600_000);
        assert_eq!(rest.iter().filter(|name| name.as_deref() == Some("daily")).count(), 1);
        assert_eq!(rest.len(), 8_640 + 1);
    }

    fn start(path: &str, args: &'static str) -> TestDatabase {
        let mut db = TestDatabase::new(scheduling(), &Schema::default(), NOW_MS_DEFAULT, 1).unwrap();
        db.set_tick(Duration::ZERO);
        db.call(FunctionKind::Mutation, path, Bytes::from_static(args.as_bytes())).unwrap().result.unwrap();
        db
    }

    #[test]
    fn what_is_scheduled_runs_when_the_clock_comes_to_its_time() {
        let db = start("t:later", r#"{"left":3}"#);
        let left = |runs: Vec<ScheduledRun>| -> Vec<String> {
            runs.iter().map(|run| String::from_utf8(run.args.to_vec()).unwrap()).collect()
        };
        let advance = |ms| left(db.advance(Duration::from_millis(ms)).unwrap());
        assert!(advance(999).is_empty());
        assert_eq!(advance(1), [r#"{"left":2}"#]);
        assert!(advance(0).is_empty(), "each runs once");
        assert_eq!(advance(1_999), [r#"{"left":1}"#], "what one schedules is due when it says");
        assert_eq!(left(db.finish_scheduled().unwrap()), [r#"{"left":0}"#]);
        assert!(db.finish_scheduled().unwrap().is_empty());
        // The last one was due a second after the one before, which ran at its own time.
        assert_eq!(db.env.now().since_epoch().as_millis(), 1_767_225_600_000 + 3_000);
    }

    #[test]
    fn what_fails_or_never_ends_is_seen() {
        let db = start("t:failLater", "{}");
        let runs = db.advance(Duration::ZERO).unwrap();
        assert_eq!(runs.len(), 1);
        assert!(runs[0].result.as_ref().unwrap_err().message.contains("not today"), "{:?}", runs[0]);
        let error = start("t:endless", "{}").advance(Duration::ZERO).unwrap_err();
        assert!(error.to_string().contains("`t:endless` is due"), "{error}");
    }

    #[test]
    fn who_calls_can_be_set() {
        let mut db = TestDatabase::new(functions(), &Schema::default(), NOW_MS_DEFAULT, 1).unwrap();
        assert_eq!(ask(&mut db, FunctionKind::Query, "t:who").unwrap(), "null");
        let claims = r#"{"issuer":"test","subject":"ada","tokenIdentifier":"test|ada"}"#;
        db.set_identity(Some(Identity::from_json(claims.as_bytes()).unwrap()));
        assert_eq!(ask(&mut db, FunctionKind::Query, "t:who").unwrap(), claims);
    }

    #[test]
    fn variables_can_be_set() {
        let functions = NativeFunctions::new()
            .query("t:get", |tx, _| Ok(tx.variable("A")?.map_or(Value::Null, Value::from)))
            .query("t:names", |tx, _| Ok(Value::from(tx.variable_names()?.len() as f64)));
        let mut db = TestDatabase::new(Arc::new(functions), &Schema::default(), NOW_MS_DEFAULT, 1).unwrap();
        let set = |db: &TestDatabase, value: Option<&str>| {
            db.set_variables([("A".to_owned(), value.map(str::to_owned))]).unwrap();
        };
        assert_eq!(ask(&mut db, FunctionKind::Query, "t:get").unwrap(), "null");
        set(&db, Some("1"));
        assert_eq!(ask(&mut db, FunctionKind::Query, "t:get").unwrap(), r#""1""#);
        set(&db, None);
        assert_eq!(ask(&mut db, FunctionKind::Query, "t:get").unwrap(), "null");
        let mut reads = |path| {
            let outcome = db.call(FunctionKind::Query, path, Bytes::from_static(b"{}")).unwrap();
            outcome.trace.reads.iter().map(read_to_json).collect::<Vec<_>>()
        };
        assert_eq!(reads("t:get"), [json!({"variable": "A"})]);
        assert_eq!(reads("t:names"), [json!({"variables": true})]);
        assert!(db.set_variables([("9".to_owned(), None)]).is_err());
    }

    #[test]
    fn errors_have_no_request_id() {
        let mut db = TestDatabase::new(functions(), &Schema::default(), NOW_MS_DEFAULT, 1).unwrap();
        let error = ask(&mut db, FunctionKind::Query, "t:add").unwrap_err();
        assert_eq!(error.message, "Trying to execute 't:add' as a query, but it is defined as a mutation.");
        assert!(db.call(FunctionKind::Query, "not a path", Bytes::new()).is_err());
    }
}
