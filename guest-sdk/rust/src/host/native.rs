//! What stands in for the host outside of WebAssembly, so that code which
//! needs none of it can be tested there.

/// Log lines go to standard error.
pub(crate) mod log {
    use crate::host::Level;

    pub(crate) fn write(level: Level, message: &str) {
        eprintln!("[{level:?}] {message}");
    }
}

/// There is no call, so nothing is known of it.
pub(crate) mod context {
    const NO_HOST: &str = "a function's context exists only within the host";

    pub(crate) fn now() -> f64 {
        panic!("{NO_HOST}")
    }

    pub(crate) fn random_seed() -> Vec<u8> {
        panic!("{NO_HOST}")
    }

    pub(crate) fn request_id() -> String {
        panic!("{NO_HOST}")
    }

    pub(crate) fn identity() -> Option<Vec<u8>> {
        panic!("{NO_HOST}")
    }
}

/// There are no other functions: each call is an error.
pub(crate) mod calls {
    use crate::host::CallError;

    fn no_host() -> Result<Vec<u8>, CallError> {
        let message = "other functions exist only within the host".to_owned();
        Err(CallError { code: "NoHost".to_owned(), message, data: None })
    }

    pub(crate) fn run_query(_path: &str, _args: &[u8]) -> Result<Vec<u8>, CallError> {
        no_host()
    }

    pub(crate) fn run_mutation(_path: &str, _args: &[u8]) -> Result<Vec<u8>, CallError> {
        no_host()
    }
}

/// There is no database: each access is an error.
pub(crate) mod db {
    use crate::host::{Batch, HostError};

    fn no_host<T>() -> Result<T, HostError> {
        let message = "a database exists only within the host".to_owned();
        Err(HostError { code: "NoHost".to_owned(), message })
    }

    pub(crate) fn get(_table: Option<&str>, _id: &str) -> Result<Option<Vec<u8>>, HostError> {
        no_host()
    }

    pub(crate) fn query(_plan: &[u8], _max_rows: u32) -> Result<Batch, HostError> {
        no_host()
    }

    pub(crate) fn query_next(_cursor: u32, _max_rows: u32) -> Result<Batch, HostError> {
        no_host()
    }

    pub(crate) fn query_close(_cursor: u32) {}

    pub(crate) fn normalize_id(_table: &str, _id: &str) -> Option<String> {
        None
    }

    pub(crate) fn insert(_table: &str, _document: &[u8]) -> Result<String, HostError> {
        no_host()
    }

    pub(crate) fn patch(_table: Option<&str>, _id: &str, _fields: &[u8]) -> Result<(), HostError> {
        no_host()
    }

    pub(crate) fn replace(_table: Option<&str>, _id: &str, _document: &[u8]) -> Result<(), HostError> {
        no_host()
    }

    pub(crate) fn delete(_table: Option<&str>, _id: &str) -> Result<(), HostError> {
        no_host()
    }
}
