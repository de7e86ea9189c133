//! `weir:guest/db`: the document store, inside the transaction of the running call.
use weir_db::{Batch, DbError, Transaction};
use weir_value::{ErrorCode, FunctionPath};

use crate::bindings::weir::guest::db::{Batch as WitBatch, Host};
use crate::bindings::weir::guest::types::Error;
use crate::call_state::{CallState, Scope, TransactionScope};
use crate::failure::CallEnd;

/// What a host function gives back: an error of the call's own end, an error for the guest, or the result.
type Answer<R> = wasmtime::Result<Result<R, Error>>;

impl Host for CallState {
    fn get(&mut self, table: Option<String>, id: String) -> Answer<Option<Vec<u8>>> {
        self.ask(|tx| Ok(tx.get(table.as_deref(), &id)?.map(Vec::from)))
    }

    fn get_many(&mut self, table: Option<String>, ids: Vec<u8>) -> Answer<Vec<u8>> {
        self.ask(|tx| tx.get_many(table.as_deref(), &ids))
    }

    fn page(&mut self, plan: Vec<u8>, options: Vec<u8>) -> Answer<Vec<u8>> {
        self.ask(|tx| tx.page(&plan, &options))
    }

    fn count(&mut self, plan: Vec<u8>) -> Answer<u64> {
        self.ask(|tx| tx.count(&plan))
    }

    fn usage(&mut self) -> Answer<Vec<u8>> {
        self.ask(|tx| Ok(tx.usage_json()?.to_string().into_bytes()))
    }

    fn query(&mut self, plan: Vec<u8>, max_rows: u32) -> Answer<WitBatch> {
        self.ask(|tx| tx.query(&plan, max_rows).map(WitBatch::from))
    }

    fn query_next(&mut self, cursor: u32, max_rows: u32) -> Answer<WitBatch> {
        self.ask(|tx| tx.query_next(cursor, max_rows).map(WitBatch::from))
    }

    fn query_close(&mut self, cursor: u32) -> wasmtime::Result<()> {
        // Without a transaction there is no cursor either.
        self.ask(|tx| {
            tx.query_close(cursor);
            Ok(())
        })
        .map(|_| ())
    }

    fn normalize_id(&mut self, table: String, id: String) -> wasmtime::Result<Option<String>> {
        // Without a transaction there is no table either.
        Ok(self.ask(|tx| Ok(tx.normalize_id(&table, &id)))?.ok().flatten())
    }

    fn insert(&mut self, table: String, document: Vec<u8>) -> Answer<String> {
        self.ask(|tx| tx.insert(&table, &document))
    }

    fn patch(&mut self, table: Option<String>, id: String, fields: Vec<u8>) -> Answer<()> {
        self.ask(|tx| tx.patch(table.as_deref(), &id, &fields))
    }

    fn replace(&mut self, table: Option<String>, id: String, document: Vec<u8>) -> Answer<()> {
        self.ask(|tx| tx.replace(table.as_deref(), &id, &document))
    }

    fn delete(&mut self, table: Option<String>, id: String) -> Answer<()> {
        self.ask(|tx| tx.delete(table.as_deref(), &id))
    }
}

impl CallState {
    /// The same, where an action may do it too: in a transaction of that moment.
    pub(super) fn ask_anywhere<R>(
        &mut self,
        work: impl FnOnce(&mut Transaction) -> Result<R, DbError>,
    ) -> Answer<R> {
        match &self.scope {
            Scope::Action(action) => Ok(action.call.look(work).map_err(Error::from)),
            Scope::Describe(_) | Scope::Transaction(_) => self.ask(work),
        }
    }

    /// Lets the transaction do something. A limit of the transaction ends the call, at once: the guest is not asked.
    pub(super) fn ask<R>(&mut self, work: impl FnOnce(&mut Transaction) -> Result<R, DbError>) -> Answer<R> {
        self.on_host_time(|state| {
            let transaction = match &mut state.scope {
                Scope::Transaction(TransactionScope { transaction: Some(transaction), .. }) => transaction,
                Scope::Action(action) => return Ok(Err(no_database(action.call.path()))),
                Scope::Describe(_) | Scope::Transaction(_) => return Ok(Err(no_transaction())),
            };
            let result = work(transaction);
            match transaction.poisoned() {
                Some(limit) => Err(CallEnd::Transaction(limit.clone()).into()),
                None => Ok(result.map_err(Error::from)),
            }
        })
    }
}

fn no_database(path: &FunctionPath) -> Error {
    Error {
        code: ErrorCode::NoTransaction.to_string(),
        message: format!(
            "`{path}` is an action, which has no database of its own: read in a query, write in a mutation, and call \
             those from the action with `runQuery` and `runMutation`"
        ),
    }
}

pub(super) fn no_transaction() -> Error {
    Error {
        code: ErrorCode::NoTransaction.to_string(),
        message: "`describe` runs without a transaction; read and write in functions only".into(),
    }
}

impl From<DbError> for Error {
    fn from(error: DbError) -> Self {
        Error { code: error.code.to_string(), message: error.message }
    }
}

impl From<Batch> for WitBatch {
    fn from(batch: Batch) -> Self {
        WitBatch { documents: batch.documents, count: batch.count, cursor: batch.cursor }
    }
}
