//! The host of one call: a transaction, behind what the SDK calls the world's imports.

use std::cell::RefCell;
use std::panic::resume_unwind;

use weir::__native::{Batch, CallError, Host, HostAction, HostDatabase, HostError, Level};
use weir_db::{
    DbError, FunctionKind, Functions, LogLevel, NestedCall, StoredFile, Teardown, Transaction, not_in_action,
};

use crate::functions::LinkedFunctions;

/// A running call.
pub(crate) struct TransactionHost {
    /// `None` while the call waits for one that it made.
    transaction: RefCell<Option<Transaction>>,
    functions: LinkedFunctions,
}

/// What a call unwinds with that hit a limit: the transaction knows which.
struct LimitReached;

impl TransactionHost {
    pub(crate) fn new(transaction: Transaction, functions: LinkedFunctions) -> Self {
        Self { transaction: RefCell::new(Some(transaction)), functions }
    }

    /// The transaction, when the call is over.
    pub(crate) fn take_transaction(&self) -> Transaction {
        self.transaction.take().expect("a call gives its transaction back")
    }

    /// Lets the transaction do something. A limit ends the call; the function is not asked.
    fn ask<R>(&self, work: impl FnOnce(&mut Transaction) -> R) -> R {
        let mut guard = self.transaction.borrow_mut();
        let transaction = guard.as_mut().expect("only the innermost call runs");
        let result = work(transaction);
        if transaction.poisoned().is_some() {
            drop(guard);
            // Without the panic hook: this is no bug, and the transaction has the error.
            resume_unwind(Box::new(LimitReached));
        }
        result
    }

    fn ask_db<R>(&self, work: impl FnOnce(&mut Transaction) -> Result<R, DbError>) -> Result<R, HostError> {
        self.ask(work).map_err(host_error)
    }

    /// Something that is known without the database; asking counts as a call of the host.
    fn know<R>(&self, read: impl FnOnce(&mut Transaction) -> R) -> R {
        self.ask(|tx| {
            // Over the limit, the transaction is poisoned, and this call ends.
            let _ = tx.count_host_call();
            read(tx)
        })
    }

    fn call(&self, called_as: FunctionKind, path: &str, args: &[u8]) -> Result<Vec<u8>, CallError> {
        let transaction = self.take_transaction();
        let functions = &self.functions;
        let call = NestedCall { path, args, called_as };
        let run = |info: &_, args: &_, transaction| {
            functions.run(info, args, transaction, &mut Teardown::default())
        };
        let (transaction, result) = transaction.call_nested(functions, call, run);
        self.transaction.replace(Some(transaction));
        // A limit that the called function met is this one's too.
        self.ask(|_| ());
        result.map(Vec::from).map_err(call_error)
    }
}

impl Host for TransactionHost {
    fn log(&self, level: Level, message: &str) {
        self.know(|_| ());
        self.ask(|tx| tx.log(log_level(level), message));
    }

    fn now(&self) -> f64 {
        self.know(|tx| tx.context().now_ms)
    }

    fn random_seed(&self) -> Vec<u8> {
        self.know(|tx| tx.context().seed.to_vec())
    }

    fn request_id(&self) -> String {
        self.know(|tx| tx.context().request_id.clone())
    }

    fn identity(&self) -> Option<Vec<u8>> {
        self.know(|tx| tx.identity().map(|who| who.json().to_vec()))
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.ask(|tx| tx.variable(name).ok().flatten())
    }

    fn sign_jwt(&self, claims: &[u8], options: &[u8]) -> Result<String, HostError> {
        self.ask_db(|tx| tx.sign_jwt(claims, options))
    }

    fn hash_password(&self, password: &str) -> Result<String, HostError> {
        self.ask_db(|tx| tx.hash_password(password))
    }

    fn verify_password(&self, password: &str, hash: &str) -> Result<bool, HostError> {
        self.ask_db(|tx| tx.verify_password(password, hash))
    }

    fn random_bytes(&self, length: u32) -> Result<Vec<u8>, HostError> {
        self.ask_db(|tx| tx.random_bytes(length as usize))
    }

    fn digest(&self, algorithm: &str, data: &[u8]) -> Result<Vec<u8>, HostError> {
        self.know(|_| ());
        self.ask_db(|_| weir_db::digest(algorithm, data))
    }

    fn run_at(&self, path: &str, args: &[u8], at_ms: f64) -> Result<String, HostError> {
        self.ask_db(|tx| tx.schedule(path, args, at_ms))
    }

    fn cancel(&self, id: &str) -> Result<(), HostError> {
        self.ask_db(|tx| tx.cancel_scheduled(id))
    }

    fn run_query(&self, path: &str, args: &[u8]) -> Result<Vec<u8>, CallError> {
        self.call(FunctionKind::Query, path, args)
    }

    fn run_mutation(&self, path: &str, args: &[u8]) -> Result<Vec<u8>, CallError> {
        self.call(FunctionKind::Mutation, path, args)
    }

    fn function_handle(&self, path: &str) -> Result<String, CallError> {
        self.ask(|tx| tx.function_handle(path)).map_err(call_error)
    }

    fn generate_upload_url(&self) -> Result<String, HostError> {
        self.ask_db(Transaction::generate_upload_url)
    }

    fn file_url(&self, id: &str) -> Result<Option<String>, HostError> {
        self.ask_db(|tx| tx.file_url(id))
    }

    fn file_metadata(&self, id: &str) -> Result<Option<Vec<u8>>, HostError> {
        Ok(self.ask_db(|tx| tx.stored_file(id))?.map(metadata))
    }

    fn delete_file(&self, id: &str) -> Result<(), HostError> {
        self.ask_db(|tx| tx.delete_file(id))
    }

    fn database(&self) -> Result<&dyn HostDatabase, HostError> {
        Ok(self)
    }

    fn action(&self, what: &str) -> Result<&dyn HostAction, HostError> {
        Err(host_error(not_in_action(what)))
    }
}

impl HostDatabase for TransactionHost {
    fn get(&self, table: Option<&str>, id: &str) -> Result<Option<Vec<u8>>, HostError> {
        self.ask_db(|tx| Ok(tx.get(table, id)?.map(Vec::from)))
    }

    fn get_many(&self, table: Option<&str>, ids: &[u8]) -> Result<Vec<u8>, HostError> {
        self.ask_db(|tx| tx.get_many(table, ids))
    }

    fn query(&self, plan: &[u8], max_rows: u32) -> Result<Batch, HostError> {
        self.ask_db(|tx| tx.query(plan, max_rows)).map(batch)
    }

    fn query_next(&self, cursor: u32, max_rows: u32) -> Result<Batch, HostError> {
        self.ask_db(|tx| tx.query_next(cursor, max_rows)).map(batch)
    }

    fn query_close(&self, cursor: u32) {
        // A query that is dropped while its call unwinds must not unwind again.
        if let Some(transaction) = self.transaction.borrow_mut().as_mut() {
            transaction.query_close(cursor);
        }
    }

    fn page(&self, plan: &[u8], options: &[u8]) -> Result<Vec<u8>, HostError> {
        self.ask_db(|tx| tx.page(plan, options))
    }

    fn count(&self, plan: &[u8]) -> Result<u64, HostError> {
        self.ask_db(|tx| tx.count(plan))
    }

    fn normalize_id(&self, table: &str, id: &str) -> Option<String> {
        self.ask(|tx| tx.normalize_id(table, id))
    }

    fn insert(&self, table: &str, document: &[u8]) -> Result<String, HostError> {
        self.ask_db(|tx| tx.insert(table, document))
    }

    fn patch(&self, table: Option<&str>, id: &str, fields: &[u8]) -> Result<(), HostError> {
        self.ask_db(|tx| tx.patch(table, id, fields))
    }

    fn replace(&self, table: Option<&str>, id: &str, document: &[u8]) -> Result<(), HostError> {
        self.ask_db(|tx| tx.replace(table, id, document))
    }

    fn delete(&self, table: Option<&str>, id: &str) -> Result<(), HostError> {
        self.ask_db(|tx| tx.delete(table, id))
    }
}

/// What is known of a file, as JSON.
pub(crate) fn metadata(file: StoredFile) -> Vec<u8> {
    file.metadata_json().to_string().into_bytes()
}

pub(crate) fn log_level(level: Level) -> LogLevel {
    match level {
        Level::Debug => LogLevel::Debug,
        Level::Info => LogLevel::Info,
        Level::Log => LogLevel::Log,
        Level::Warn => LogLevel::Warn,
        Level::Error => LogLevel::Error,
    }
}

pub(crate) fn host_error(error: DbError) -> HostError {
    HostError { code: error.code.to_string(), message: error.message }
}

pub(crate) fn call_error(error: weir_db::CallError) -> CallError {
    let weir_db::CallError { code, message, data, .. } = error;
    CallError { code: code.to_string(), message, data: data.map(Vec::from) }
}

fn batch(batch: weir_db::Batch) -> Batch {
    Batch { documents: batch.documents, count: batch.count, cursor: batch.cursor }
}
