//! The host outside of WebAssembly: the one that a test sets for a call, see
//! [`with_host`]. Without one there is no database, and each access says so.

use std::cell::RefCell;
use std::rc::Rc;

pub use super::bindings::weir::guest::calls::CallError;
pub use super::bindings::weir::guest::db::Batch;
pub use super::bindings::weir::guest::log::Level;
pub use super::bindings::weir::guest::tasks::Completion;
pub use super::bindings::weir::guest::types::Error as HostError;

/// What the world's imports do, for the calls of a test. As for a guest, an
/// operation that hits a limit does not return.
pub trait Host {
    fn log(&self, level: Level, message: &str);
    fn now(&self) -> f64;
    fn random_seed(&self) -> Vec<u8>;
    fn request_id(&self) -> String;
    fn identity(&self) -> Option<Vec<u8>>;
    fn variable(&self, name: &str) -> Option<String>;
    fn sign_jwt(&self, claims: &[u8], options: &[u8]) -> Result<String, HostError>;
    fn hash_password(&self, password: &str) -> Result<String, HostError>;
    fn verify_password(&self, password: &str, hash: &str) -> Result<bool, HostError>;
    fn random_bytes(&self, length: u32) -> Result<Vec<u8>, HostError>;
    fn digest(&self, algorithm: &str, data: &[u8]) -> Result<Vec<u8>, HostError>;
    fn run_at(&self, path: &str, args: &[u8], at_ms: f64) -> Result<String, HostError>;
    fn cancel(&self, id: &str) -> Result<(), HostError>;
    fn run_query(&self, path: &str, args: &[u8]) -> Result<Vec<u8>, CallError>;
    fn run_mutation(&self, path: &str, args: &[u8]) -> Result<Vec<u8>, CallError>;
    fn function_handle(&self, path: &str) -> Result<String, CallError>;
    fn generate_upload_url(&self) -> Result<String, HostError>;
    fn file_url(&self, id: &str) -> Result<Option<String>, HostError>;
    fn file_metadata(&self, id: &str) -> Result<Option<Vec<u8>>, HostError>;
    fn delete_file(&self, id: &str) -> Result<(), HostError>;
    /// What it does for a query or a mutation.
    fn database(&self) -> Result<&dyn HostDatabase, HostError>;
    /// What it does for an action; `what` is to be done there alone.
    fn action(&self, what: &str) -> Result<&dyn HostAction, HostError>;
}

/// What the interface `db` does.
pub trait HostDatabase {
    fn get(&self, table: Option<&str>, id: &str) -> Result<Option<Vec<u8>>, HostError>;
    fn get_many(&self, table: Option<&str>, ids: &[u8]) -> Result<Vec<u8>, HostError>;
    fn query(&self, plan: &[u8], max_rows: u32) -> Result<Batch, HostError>;
    fn query_next(&self, cursor: u32, max_rows: u32) -> Result<Batch, HostError>;
    fn query_close(&self, cursor: u32);
    fn page(&self, plan: &[u8], options: &[u8]) -> Result<Vec<u8>, HostError>;
    fn count(&self, plan: &[u8]) -> Result<u64, HostError>;
    fn normalize_id(&self, table: &str, id: &str) -> Option<String>;
    fn insert(&self, table: &str, document: &[u8]) -> Result<String, HostError>;
    fn patch(&self, table: Option<&str>, id: &str, fields: &[u8]) -> Result<(), HostError>;
    fn replace(&self, table: Option<&str>, id: &str, document: &[u8]) -> Result<(), HostError>;
    fn delete(&self, table: Option<&str>, id: &str) -> Result<(), HostError>;
}

/// What the interfaces `tasks`, `streams` and `http` do.
pub trait HostAction {
    fn begin_query(&self, path: &str, args: &[u8]) -> Result<u32, HostError>;
    fn begin_mutation(&self, path: &str, args: &[u8]) -> Result<u32, HostError>;
    fn begin_action(&self, path: &str, args: &[u8]) -> Result<u32, HostError>;
    fn sleep(&self, milliseconds: f64) -> Result<u32, HostError>;
    fn wait(&self) -> Result<Completion, HostError>;
    fn cancel_task(&self, task: u32);
    fn read_stream(&self, stream: u32) -> Result<u32, HostError>;
    fn create_stream(&self) -> Result<u32, HostError>;
    fn write_stream(&self, stream: u32, piece: &[u8]) -> Result<u32, HostError>;
    fn close_stream(&self, stream: u32, broken: Option<&str>);
    fn send(&self, request: &[u8], body: Option<&[u8]>) -> Result<u32, HostError>;
    fn respond(&self, response: &[u8], body: Option<&[u8]>) -> Result<(), HostError>;
    fn store_file(&self, options: &[u8], body: Option<&[u8]>) -> Result<u32, HostError>;
    fn read_file(&self, id: &str) -> Result<u32, HostError>;
}

thread_local! {
    /// Those of the calls that run on this thread, the innermost last.
    static HOSTS: RefCell<Vec<Rc<dyn Host>>> = const { RefCell::new(Vec::new()) };
}

/// Takes the innermost host away again, also when its call panics.
struct Entered;

impl Drop for Entered {
    fn drop(&mut self) {
        HOSTS.with_borrow_mut(Vec::pop);
    }
}

/// Runs `call` with this host as the one that functions speak to.
pub fn with_host<R>(host: Rc<dyn Host>, call: impl FnOnce() -> R) -> R {
    HOSTS.with_borrow_mut(|hosts| hosts.push(host));
    let _entered = Entered;
    call()
}

/// The host of the running call. It is no longer borrowed, as it may run another call.
fn current() -> Option<Rc<dyn Host>> {
    HOSTS.with_borrow(|hosts| hosts.last().cloned())
}

/// Log lines go to standard error where there is no host.
pub(crate) mod log {
    use super::{Level, current};

    pub(crate) fn write(level: Level, message: &str) {
        match current() {
            Some(host) => host.log(level, message),
            None => eprintln!("[{level:?}] {message}"),
        }
    }
}

/// Without a call, nothing is known of it.
pub(crate) mod context {
    use std::rc::Rc;

    use super::{Host, current};

    fn host() -> Rc<dyn Host> {
        current().expect("a function's context exists only within the host; see the crate weir-test")
    }

    pub(crate) fn now() -> f64 {
        host().now()
    }

    pub(crate) fn random_seed() -> Vec<u8> {
        host().random_seed()
    }

    pub(crate) fn request_id() -> String {
        host().request_id()
    }

    pub(crate) fn identity() -> Option<Vec<u8>> {
        host().identity()
    }
}

/// Without a host nothing is hashed or drawn: each access is an error.
pub(crate) mod crypto {
    use super::{Host, HostError, current};

    fn ask<T>(operation: impl FnOnce(&dyn Host) -> Result<T, HostError>) -> Result<T, HostError> {
        let Some(host) = current() else {
            let message =
                "passwords, secrets and digests exist only within the host; see the crate weir-test";
            return Err(HostError { code: "NoHost".to_owned(), message: message.to_owned() });
        };
        operation(&*host)
    }

    pub(crate) fn hash_password(password: &str) -> Result<String, HostError> {
        ask(|host| host.hash_password(password))
    }

    pub(crate) fn verify_password(password: &str, hash: &str) -> Result<bool, HostError> {
        ask(|host| host.verify_password(password, hash))
    }

    pub(crate) fn random_bytes(length: u32) -> Result<Vec<u8>, HostError> {
        ask(|host| host.random_bytes(length))
    }

    pub(crate) fn digest(algorithm: &str, data: &[u8]) -> Result<Vec<u8>, HostError> {
        ask(|host| host.digest(algorithm, data))
    }
}

/// Without a host there are no variables.
pub(crate) mod variables {
    use super::current;

    pub(crate) fn get(name: &str) -> Option<String> {
        current().and_then(|host| host.variable(name))
    }
}

/// Without a host there is no key to sign with.
pub(crate) mod auth {
    use super::{HostError, current};

    pub(crate) fn sign_jwt(claims: &[u8], options: &[u8]) -> Result<String, HostError> {
        let Some(host) = current() else {
            let message = "tokens are signed only within the host; see the crate weir-test".to_owned();
            return Err(HostError { code: "NoHost".to_owned(), message });
        };
        host.sign_jwt(claims, options)
    }
}

/// Without a host nobody calls a function later: each access is an error.
pub(crate) mod scheduler {
    use super::{Host, HostError, current};

    fn ask<T>(operation: impl FnOnce(&dyn Host) -> Result<T, HostError>) -> Result<T, HostError> {
        let Some(host) = current() else {
            let message = "functions are scheduled only within the host; see the crate weir-test".to_owned();
            return Err(HostError { code: "NoHost".to_owned(), message });
        };
        operation(&*host)
    }

    pub(crate) fn run_at(path: &str, args: &[u8], at_ms: f64) -> Result<String, HostError> {
        ask(|host| host.run_at(path, args, at_ms))
    }

    pub(crate) fn cancel(id: &str) -> Result<(), HostError> {
        ask(|host| host.cancel(id))
    }
}

/// Without a host there are no other functions: each call is an error.
pub(crate) mod calls {
    use super::{CallError, Host, current};

    fn ask<T>(call: impl FnOnce(&dyn Host) -> Result<T, CallError>) -> Result<T, CallError> {
        let Some(host) = current() else {
            let message = "other functions exist only within the host; see the crate weir-test".to_owned();
            return Err(CallError { code: "NoHost".to_owned(), message, data: None });
        };
        call(&*host)
    }

    pub(crate) fn run_query(path: &str, args: &[u8]) -> Result<Vec<u8>, CallError> {
        ask(|host| host.run_query(path, args))
    }

    pub(crate) fn run_mutation(path: &str, args: &[u8]) -> Result<Vec<u8>, CallError> {
        ask(|host| host.run_mutation(path, args))
    }

    pub(crate) fn function_handle(path: &str) -> Result<String, CallError> {
        ask(|host| host.function_handle(path))
    }
}

/// Without a host there are no actions: each access is an error.
pub(crate) mod tasks {
    use super::{Completion, HostAction, HostError, current};

    pub(super) fn ask<T>(
        what: &str,
        operation: impl FnOnce(&dyn HostAction) -> Result<T, HostError>,
    ) -> Result<T, HostError> {
        let Some(host) = current() else {
            let message = "actions run only within the host; see the crate weir-test".to_owned();
            return Err(HostError { code: "NoHost".to_owned(), message });
        };
        operation(host.action(what)?)
    }

    /// What is put away when a function is over, also where there is no host any more.
    pub(super) fn put_away(operation: impl FnOnce(&dyn HostAction)) {
        if let Some(host) = current()
            && let Ok(action) = host.action("this")
        {
            operation(action);
        }
    }

    pub(crate) fn run_query(path: &str, args: &[u8]) -> Result<u32, HostError> {
        ask("`run_query`", |host| host.begin_query(path, args))
    }

    pub(crate) fn run_mutation(path: &str, args: &[u8]) -> Result<u32, HostError> {
        ask("`run_mutation`", |host| host.begin_mutation(path, args))
    }

    pub(crate) fn run_action(path: &str, args: &[u8]) -> Result<u32, HostError> {
        ask("`run_action`", |host| host.begin_action(path, args))
    }

    pub(crate) fn sleep(milliseconds: f64) -> Result<u32, HostError> {
        ask("waiting", |host| host.sleep(milliseconds))
    }

    pub(crate) fn wait() -> Result<Completion, HostError> {
        ask("waiting", |host| host.wait())
    }

    pub(crate) fn cancel(task: u32) {
        put_away(|host| host.cancel_task(task));
    }
}

/// As [`tasks`].
pub(crate) mod streams {
    use super::HostError;
    use super::tasks::{ask, put_away};

    pub(crate) fn read(stream: u32) -> Result<u32, HostError> {
        ask("reading a stream", |host| host.read_stream(stream))
    }

    pub(crate) fn create() -> Result<u32, HostError> {
        ask("a stream", |host| host.create_stream())
    }

    pub(crate) fn write(stream: u32, piece: &[u8]) -> Result<u32, HostError> {
        ask("writing a stream", |host| host.write_stream(stream, piece))
    }

    pub(crate) fn close(stream: u32, broken: Option<&str>) {
        put_away(|host| host.close_stream(stream, broken));
    }
}

/// As [`tasks`].
pub(crate) mod http {
    use super::HostError;
    use super::tasks::ask;

    pub(crate) fn send(request: &[u8], body: Option<&[u8]>) -> Result<u32, HostError> {
        ask("`fetch`", |host| host.send(request, body))
    }

    pub(crate) fn respond(response: &[u8], body: Option<&[u8]>) -> Result<(), HostError> {
        ask("a response", |host| host.respond(response, body))
    }
}

/// Without a host there are no files: each access is an error.
pub(crate) mod storage {
    use super::{Host, HostError, current, tasks};

    fn ask<T>(operation: impl FnOnce(&dyn Host) -> Result<T, HostError>) -> Result<T, HostError> {
        let Some(host) = current() else {
            let message = "stored files exist only within the host; see the crate weir-test".to_owned();
            return Err(HostError { code: "NoHost".to_owned(), message });
        };
        operation(&*host)
    }

    pub(crate) fn generate_upload_url() -> Result<String, HostError> {
        ask(|host| host.generate_upload_url())
    }

    pub(crate) fn get_url(id: &str) -> Result<Option<String>, HostError> {
        ask(|host| host.file_url(id))
    }

    pub(crate) fn get_metadata(id: &str) -> Result<Option<Vec<u8>>, HostError> {
        ask(|host| host.file_metadata(id))
    }

    pub(crate) fn delete(id: &str) -> Result<(), HostError> {
        ask(|host| host.delete_file(id))
    }

    pub(crate) fn store(options: &[u8], body: Option<&[u8]>) -> Result<u32, HostError> {
        tasks::ask("storing a file", |host| host.store_file(options, body))
    }

    pub(crate) fn get(id: &str) -> Result<u32, HostError> {
        tasks::ask("reading a file", |host| host.read_file(id))
    }
}

/// Without a host there is no database: each access is an error.
pub(crate) mod db {
    use super::{Batch, HostDatabase, HostError, current};

    fn ask<T>(operation: impl FnOnce(&dyn HostDatabase) -> Result<T, HostError>) -> Result<T, HostError> {
        let Some(host) = current() else {
            let message = "a database exists only within the host; see the crate weir-test".to_owned();
            return Err(HostError { code: "NoHost".to_owned(), message });
        };
        operation(host.database()?)
    }

    pub(crate) fn get(table: Option<&str>, id: &str) -> Result<Option<Vec<u8>>, HostError> {
        ask(|host| host.get(table, id))
    }

    pub(crate) fn get_many(table: Option<&str>, ids: &[u8]) -> Result<Vec<u8>, HostError> {
        ask(|host| host.get_many(table, ids))
    }

    pub(crate) fn query(plan: &[u8], max_rows: u32) -> Result<Batch, HostError> {
        ask(|host| host.query(plan, max_rows))
    }

    pub(crate) fn query_next(cursor: u32, max_rows: u32) -> Result<Batch, HostError> {
        ask(|host| host.query_next(cursor, max_rows))
    }

    pub(crate) fn query_close(cursor: u32) {
        if let Some(host) = current()
            && let Ok(database) = host.database()
        {
            database.query_close(cursor);
        }
    }

    pub(crate) fn page(plan: &[u8], options: &[u8]) -> Result<Vec<u8>, HostError> {
        ask(|host| host.page(plan, options))
    }

    pub(crate) fn count(plan: &[u8]) -> Result<u64, HostError> {
        ask(|host| host.count(plan))
    }

    pub(crate) fn normalize_id(table: &str, id: &str) -> Option<String> {
        current()?.database().ok()?.normalize_id(table, id)
    }

    pub(crate) fn insert(table: &str, document: &[u8]) -> Result<String, HostError> {
        ask(|host| host.insert(table, document))
    }

    pub(crate) fn patch(table: Option<&str>, id: &str, fields: &[u8]) -> Result<(), HostError> {
        ask(|host| host.patch(table, id, fields))
    }

    pub(crate) fn replace(table: Option<&str>, id: &str, document: &[u8]) -> Result<(), HostError> {
        ask(|host| host.replace(table, id, document))
    }

    pub(crate) fn delete(table: Option<&str>, id: &str) -> Result<(), HostError> {
        ask(|host| host.delete(table, id))
    }
}
