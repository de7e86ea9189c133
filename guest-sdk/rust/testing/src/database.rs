//! A database for one test.

use std::cell::{Ref, RefCell, RefMut};
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use weir::{Id, StoredFile};
use weir_db::{FunctionKind, Functions, Read, Written};
use weir_testing::{Made, NOW_MS_DEFAULT, Served, TestDatabase, TestError, TokenError, identity_of};
use weir_value::Identity;

use crate::fetch::Handler;
use crate::functions::LinkedFunctions;
use crate::made::{CalledFunction, SentRequest};
use crate::{Error, FetchRequest, FetchResponse, File, HttpRequest, HttpResponse, ScheduledRun, UploadError};

/// An empty database with the tables and the functions of the crate under test.
#[derive(Debug)]
pub struct Database {
    functions: Arc<LinkedFunctions>,
    inner: RefCell<TestDatabase>,
    last: RefCell<Last>,
}

/// What the last call did, apart from its result.
#[derive(Debug, Clone, Default)]
pub struct Last {
    /// What it logged: `[LOG] text`.
    pub log_lines: Vec<String>,
    /// What its result depends on.
    pub reads: Vec<Read>,
    /// What it wrote; nothing if it failed. Of an action, what its mutations wrote, whether it failed or not.
    pub writes: Vec<Written>,
    /// The functions that an action called, in the order in which it did; also those of actions that it
    /// called.
    pub calls: Vec<CalledFunction>,
    /// The requests that an action sent, in that order.
    pub requests: Vec<SentRequest>,
}

impl Last {
    fn of_action(log_lines: Vec<String>, made: Made) -> Last {
        let Made { calls, requests, trace } = made;
        Last {
            log_lines,
            reads: trace.reads,
            writes: trace.writes,
            calls: calls.into_iter().map(CalledFunction::new).collect(),
            requests: requests.into_iter().map(SentRequest::new).collect(),
        }
    }
}

impl Default for Database {
    fn default() -> Self {
        Self::new()
    }
}

impl Database {
    /// An empty database. It is the first moment of 2026.
    ///
    /// # Panics
    /// If two functions of the crate have one path, or its schema is none.
    pub fn new() -> Self {
        Self::with_seed(1)
    }

    /// An empty database with other ids and random numbers than [`Database::new`] has.
    ///
    /// # Panics
    /// As [`Database::new`].
    pub fn with_seed(seed: u64) -> Self {
        let functions = Arc::new(LinkedFunctions::find());
        let inner = TestDatabase::new(functions.clone(), functions.schema(), NOW_MS_DEFAULT, seed)
            .unwrap_or_else(refuse);
        Self { functions, inner: RefCell::new(inner), last: RefCell::default() }
    }

    /// The paths of all functions, in their order.
    pub fn functions(&self) -> Vec<String> {
        self.functions.list().iter().map(|info| info.path.to_string()).collect()
    }

    /// Calls a query: `db.query::<f64>("counter:count", fields! { name: "visits" })`.
    ///
    /// # Errors
    /// Those that its client would get.
    ///
    /// # Panics
    /// If the path is none, the arguments cannot be written, or the result is no `R`.
    pub fn query<R: DeserializeOwned>(&self, path: &str, args: impl Serialize) -> Result<R, Error> {
        self.call(FunctionKind::Query, path, &args, None)
    }

    /// Calls a mutation; as [`Database::query`].
    ///
    /// # Errors
    /// Those that its client would get. Nothing is written then.
    ///
    /// # Panics
    /// As [`Database::query`].
    pub fn mutation<R: DeserializeOwned>(&self, path: &str, args: impl Serialize) -> Result<R, Error> {
        self.call(FunctionKind::Mutation, path, &args, None)
    }

    /// Calls an action; as [`Database::query`]. While it waits, the clock goes on by itself, and scheduled
    /// functions are called that are due meanwhile. Its requests are answered by what [`Database::on_fetch`]
    /// was given.
    ///
    /// # Errors
    /// Those that its client would get. What its mutations have written stays.
    ///
    /// # Panics
    /// As [`Database::query`]; and if nothing answers one of its requests.
    pub fn action<R: DeserializeOwned>(&self, path: &str, args: impl Serialize) -> Result<R, Error> {
        self.call(FunctionKind::Action, path, &args, None)
    }

    /// Sends a request to the HTTP action of its route: `db.http(HttpRequest::post("/hook").body("..."))`.
    /// Without a route the status is 404.
    ///
    /// # Errors
    /// Why the action failed before it had begun to answer; a host answers with status 500 then.
    ///
    /// # Panics
    /// If the request's path does not begin with `/`, or nothing answers a request of the action.
    pub fn http(&self, request: HttpRequest) -> Result<HttpResponse, Error> {
        self.serve(request, None)
    }

    fn serve(&self, request: HttpRequest, caller: Option<&Identity>) -> Result<HttpResponse, Error> {
        let mut inner = self.inner_mut();
        let served = match caller {
            Some(caller) => inner.request_as(request.0, Some(caller.clone())),
            None => inner.request(request.0),
        };
        drop(inner);
        let Served { answer, log_lines, made } = served.unwrap_or_else(refuse);
        self.last.replace(Last::of_action(log_lines, made));
        answer.map(HttpResponse::new).map_err(Error::new)
    }

    /// Answers the requests that actions send from now on, in the place of what did before. No test reaches
    /// the network: a request without an answer ends the test.
    ///
    /// ```
    /// # use weir::fields;
    /// # use weir_test::{Database, FetchResponse};
    /// # let db = Database::new();
    /// db.on_fetch(|request| match request.url.as_str() {
    ///     "https://api.example.com/rate" => FetchResponse::json(fields! { rate: 1.25 }),
    ///     _ => FetchResponse::unanswered(),
    /// });
    /// ```
    pub fn on_fetch(&self, answer: impl Fn(&FetchRequest) -> FetchResponse + 'static) {
        self.inner_mut().set_fetch_handler(Some(Box::new(Handler(answer))));
    }

    /// Stores a file, as an upload would; gives its id.
    ///
    /// # Panics
    /// If a file cannot have this type.
    pub fn store_file(&self, bytes: impl Into<Vec<u8>>, content_type: Option<&str>) -> Id<StoredFile> {
        let stored = self.inner_mut().store_file(bytes.into(), content_type);
        Id::from_text(stored.unwrap_or_else(refuse).to_string())
    }

    /// Uploads a file to a URL that a function has made, as a client would; gives its id.
    ///
    /// # Errors
    /// The URL is no upload URL of this database, was used, or is too old; a file cannot have this type.
    pub fn upload(
        &self,
        url: &str,
        bytes: impl Into<Vec<u8>>,
        content_type: Option<&str>,
    ) -> Result<Id<StoredFile>, UploadError> {
        let stored = self.inner_mut().upload(url, bytes.into(), content_type, None);
        stored.map(|id| Id::from_text(id.to_string())).map_err(UploadError::new)
    }

    /// A stored file, by its id or its URL. `None`: there is none, or it was deleted.
    ///
    /// # Panics
    /// If the database cannot be read.
    pub fn file(&self, id: &str) -> Option<File> {
        self.inner_ref().file(id).unwrap_or_else(refuse).map(File::new)
    }

    /// This database, called by somebody whose claims these are:
    /// `db.as_user(fields! { subject: "ada" }).query::<f64>("notes:mine", fields! {})`. What is missing of
    /// `issuer` and `subject` is added.
    ///
    /// # Panics
    /// If the claims are no object, or cannot be written.
    pub fn as_user(&self, claims: impl Serialize) -> User<'_> {
        User { db: self, identity: read_identity(&claims) }
    }

    fn call<R: DeserializeOwned>(
        &self,
        kind: FunctionKind,
        path: &str,
        args: &impl Serialize,
        caller: Option<&Identity>,
    ) -> Result<R, Error> {
        let args =
            weir::json::to_vec(args).unwrap_or_else(|error| panic!("the arguments of {path}: {error}"));
        let mut inner = self.inner_mut();
        let outcome = match caller {
            Some(caller) => inner.call_as(kind, path, args.into(), Some(caller.clone())),
            None => inner.call(kind, path, args.into()),
        };
        drop(inner);
        let outcome = outcome.unwrap_or_else(refuse);
        let made = Made { trace: outcome.trace, ..outcome.made };
        self.last.replace(Last::of_action(outcome.log_lines, made));
        let result = outcome.result.map_err(Error::new)?;
        Ok(weir::json::from_slice(&result).unwrap_or_else(|error| panic!("the result of {path}: {error}")))
    }

    fn inner_mut(&self) -> RefMut<'_, TestDatabase> {
        self.inner.try_borrow_mut().unwrap_or_else(|_| in_handler())
    }

    fn inner_ref(&self) -> Ref<'_, TestDatabase> {
        self.inner.try_borrow().unwrap_or_else(|_| in_handler())
    }

    /// What the last call read, wrote and logged.
    pub fn last(&self) -> Last {
        self.last.borrow().clone()
    }

    /// Sets the clock, in milliseconds since the epoch. By itself it moves by a millisecond after each
    /// mutation that wrote, and while an action waits. Scheduled functions that are due then
    /// are called by the next [`Database::advance`].
    ///
    /// # Panics
    /// If that is no time.
    pub fn set_now(&self, now_ms: f64) {
        self.inner_ref().set_now(now_ms).unwrap_or_else(refuse);
    }

    /// Lets the clock go on, and has those scheduled functions and cron jobs called that are due by then,
    /// each once and at its time, in the order of the times; those too that they schedule. Gives what came of
    /// those that have ended by then: one that fails does not fail the test, and an action that still waits
    /// goes on when the clock does.
    ///
    /// # Panics
    /// If functions schedule others without end, or nothing answers a request.
    pub fn advance(&self, duration: Duration) -> Vec<ScheduledRun> {
        let runs = self.inner_ref().advance(duration).unwrap_or_else(refuse);
        runs.into_iter().map(ScheduledRun::new).collect()
    }

    /// Has scheduled functions called until none waits; the clock goes on to their times, and cron jobs that
    /// are due by then are called too. Gives what came of them.
    ///
    /// # Panics
    /// If functions schedule others without end.
    pub fn finish_scheduled(&self) -> Vec<ScheduledRun> {
        let runs = self.inner_ref().finish_scheduled().unwrap_or_else(refuse);
        runs.into_iter().map(ScheduledRun::new).collect()
    }

    /// Sets a variable of the deployment, which functions read with `ctx.env(name)`.
    ///
    /// # Panics
    /// If no variable can have this name or value.
    pub fn set_variable(&self, name: &str, value: &str) {
        self.change_variable(name, Some(value));
    }

    /// Removes a variable; in the beginning there is none.
    ///
    /// # Panics
    /// If no variable can have this name.
    pub fn remove_variable(&self, name: &str) {
        self.change_variable(name, None);
    }

    fn change_variable(&self, name: &str, value: Option<&str>) {
        let change = (name.to_owned(), value.map(str::to_owned));
        self.inner_ref().set_variables([change]).unwrap_or_else(refuse);
    }

    /// Calls functions on behalf of somebody from now on, whose claims these are:
    /// `fields! { subject: "ada", issuer: "https://issuer" }`. What is missing of the two is added.
    ///
    /// # Panics
    /// If the claims are no object, or cannot be written.
    pub fn set_identity(&self, claims: impl Serialize) {
        let identity = read_identity(&claims);
        self.inner_mut().set_identity(Some(identity));
    }

    /// Calls functions on behalf of nobody in particular from now on, as in the beginning.
    pub fn clear_identity(&self) {
        self.inner_mut().set_identity(None);
    }

    /// The claims of a token that a function signed, `iss`, `iat` and `exp` included.
    ///
    /// # Errors
    /// It is no token, was not signed by a function in a test, or has expired at the time that it is here.
    ///
    /// # Panics
    /// If the claims are no `C`.
    pub fn verify_token<C: DeserializeOwned>(&self, token: &str) -> Result<C, TokenError> {
        let claims = serde_json::Value::Object(self.inner_ref().verify_token(token)?).to_string();
        Ok(weir::json::from_slice(claims.as_bytes()).unwrap_or_else(|error| panic!("the claims: {error}")))
    }
}

/// A database as somebody calls it, from [`Database::as_user`].
#[derive(Debug, Clone)]
pub struct User<'a> {
    db: &'a Database,
    identity: Identity,
}

impl User<'_> {
    /// Calls a query; as [`Database::query`].
    ///
    /// # Errors
    /// Those that its client would get.
    ///
    /// # Panics
    /// As [`Database::query`].
    pub fn query<R: DeserializeOwned>(&self, path: &str, args: impl Serialize) -> Result<R, Error> {
        self.db.call(FunctionKind::Query, path, &args, Some(&self.identity))
    }

    /// Calls a mutation; as [`Database::mutation`].
    ///
    /// # Errors
    /// Those that its client would get.
    ///
    /// # Panics
    /// As [`Database::query`].
    pub fn mutation<R: DeserializeOwned>(&self, path: &str, args: impl Serialize) -> Result<R, Error> {
        self.db.call(FunctionKind::Mutation, path, &args, Some(&self.identity))
    }

    /// Calls an action; as [`Database::action`].
    ///
    /// # Errors
    /// Those that its client would get.
    ///
    /// # Panics
    /// As there.
    pub fn action<R: DeserializeOwned>(&self, path: &str, args: impl Serialize) -> Result<R, Error> {
        self.db.call(FunctionKind::Action, path, &args, Some(&self.identity))
    }

    /// Sends a request to an HTTP action; as [`Database::http`].
    ///
    /// # Errors
    /// As there.
    ///
    /// # Panics
    /// As there.
    pub fn http(&self, request: HttpRequest) -> Result<HttpResponse, Error> {
        self.db.serve(request, Some(&self.identity))
    }
}

fn read_identity(claims: &impl Serialize) -> Identity {
    let claims = weir::json::to_vec(claims).unwrap_or_else(|error| panic!("the claims: {error}"));
    let claims = serde_json::from_slice(&claims).unwrap_or_else(|error| panic!("the claims: {error}"));
    identity_of(claims).unwrap_or_else(|error| panic!("the claims: {error}"))
}

/// The database is in use, and so by whoever waits for an answer.
fn in_handler() -> ! {
    panic!("what answers requests of an action cannot use the database: the action waits for the answer")
}

/// What is wrong with the test itself ends it.
fn refuse<T>(error: TestError) -> T {
    panic!("{error}")
}
