//! The deployment: functions that run their client's program on the host's transaction.
//!
//! Not here: what programs do.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use weir_db::{
    DbError, Deployment, FunctionError, FunctionInfo, FunctionKind, Functions, LogLevel, NestedCall,
    Teardown, Transaction, native,
};
use weir_value::{ErrorCode, FunctionPath};

use crate::client::{Port, Report};
use crate::documents::DocId;
use crate::program::{Access, Change, Code, Ending, Fields, Look, Nested, Output, Stopped, execute};
use crate::scope::{Bounds, Cursor, PageSeen, Scope};

/// Several paths for the same: the database keeps a rate of conflicts for each.
pub(crate) const MUTATIONS: [&str; 3] = ["sim:first", "sim:second", "sim:third"];
pub(crate) const QUERY: &str = "sim:look";

/// The deployment.
pub(crate) struct SimFunctions {
    infos: BTreeMap<FunctionPath, Arc<FunctionInfo>>,
}

impl SimFunctions {
    pub(crate) fn new() -> SimFunctions {
        let mutations = MUTATIONS.iter().map(|path| native::open_info(path, FunctionKind::Mutation));
        let infos = mutations.chain([native::open_info(QUERY, FunctionKind::Query)]);
        SimFunctions { infos: infos.map(|info| (info.path.clone(), Arc::new(info))).collect() }
    }
}

impl Deployment for SimFunctions {}

impl Functions for SimFunctions {
    fn find(&self, path: &FunctionPath) -> Option<Arc<FunctionInfo>> {
        self.infos.get(path).cloned()
    }

    fn list(&self) -> Vec<Arc<FunctionInfo>> {
        self.infos.values().cloned().collect()
    }

    fn run(
        &self,
        _info: &FunctionInfo,
        _args: &Bytes,
        tx: Transaction,
        _teardown: &mut Teardown,
    ) -> (Transaction, Result<Bytes, FunctionError>) {
        Port::here(|port| {
            let Some(port) = port else {
                let message = "only clients of the simulation run its functions".to_owned();
                return (tx, Err(FunctionError::System { code: ErrorCode::InternalServerError, message }));
            };
            let Ok(program) = port.begin(tx.ts()) else { return (tx, stopped()) };
            let mut access = Running { port, functions: self, tx: Some(tx) };
            let ending = execute(&mut access, &program);
            let ending = ending.and_then(|ending| port.report(Report::Ends).map(|()| ending));
            (access.tx(), result_of(ending))
        })
    }
}

fn result_of(ending: Result<Ending, Stopped>) -> Result<Bytes, FunctionError> {
    match ending {
        Ok(Ending::Returned(result)) => Ok(result),
        Ok(Ending::Failed | Ending::Poisoned(_)) => {
            Err(FunctionError::Application { message: "as the program says".to_owned(), data: None })
        }
        Err(Stopped) => stopped(),
    }
}

fn stopped() -> Result<Bytes, FunctionError> {
    Err(FunctionError::Application { message: "the process has gone".to_owned(), data: None })
}

/// A program that runs in the host.
struct Running<'a> {
    port: &'a Port,
    functions: &'a SimFunctions,
    /// Away while a nested call has it.
    tx: Option<Transaction>,
}

impl Running<'_> {
    fn tx(&mut self) -> Transaction {
        self.tx.take().expect("the transaction is back")
    }

    fn with<T>(&mut self, operation: impl FnOnce(&mut Transaction) -> Result<T, DbError>) -> Result<T, Code> {
        let result = operation(self.tx.as_mut().expect("the transaction is here"));
        result.map_err(|error| match error.code.as_str() {
            // On the model an index that is not to be read is not there.
            "IndexNotReady" => "IndexNotFound",
            code => code,
        })
    }
}

impl Access for Running<'_> {
    fn get(&mut self, id: &DocId) -> Result<Option<Bytes>, Code> {
        self.with(|tx| tx.get(None, &id.text))
    }

    fn insert(&mut self, table: &str, fields: Fields) -> Result<DocId, Code> {
        let id = self.with(|tx| tx.insert(table, json(fields).as_bytes()))?;
        DocId::parse(&id).ok_or("an invalid id")
    }

    fn patch(&mut self, id: &DocId, change: Change) -> Result<(), Code> {
        let fields = match change {
            Change::N(n) => format!(r#"{{"n":{n}}}"#),
            Change::M(m) => format!(r#"{{"m":{}}}"#, m.json()),
        };
        self.with(|tx| tx.patch(None, &id.text, fields.as_bytes()))
    }

    fn replace(&mut self, id: &DocId, fields: Fields) -> Result<(), Code> {
        self.with(|tx| tx.replace(None, &id.text, json(fields).as_bytes()))
    }

    fn delete(&mut self, id: &DocId) -> Result<(), Code> {
        self.with(|tx| tx.delete(None, &id.text))
    }

    fn look(&mut self, look: &Look, bounds: &Bounds<DocId>) -> Result<(u32, Bytes), Code> {
        let limit = look.limit.map(|limit| format!(r#","limit":{limit}"#)).unwrap_or_default();
        let plan = look.scope.plan(bounds) + &limit + "}";
        let mut batch = self.with(|tx| tx.query(plan.as_bytes(), look.batch_rows))?;
        let (mut count, mut documents) = (0, Vec::new());
        loop {
            if batch.count > 0 && count > 0 {
                documents.push(b',');
            }
            documents.extend_from_slice(&batch.documents[1..batch.documents.len() - 1]);
            count += batch.count;
            match batch.cursor {
                Some(cursor) if count < look.rows_max => {
                    // Others may commit here; the rest of the query must not see it.
                    if self.port.report(Report::Within).is_err() {
                        return Err("Stopped");
                    }
                    batch = self.with(|tx| tx.query_next(cursor, look.batch_rows))?;
                }
                Some(cursor) => {
                    self.with(|tx| {
                        tx.query_close(cursor);
                        Ok(())
                    })?;
                    return Ok((count, documents.into()));
                }
                None => return Ok((count, documents.into())),
            }
        }
    }

    fn count(&mut self, scope: &Scope, bounds: &Bounds<DocId>) -> Result<u64, Code> {
        let plan = scope.plan(bounds) + "}";
        self.with(|tx| tx.count(plan.as_bytes()))
    }

    fn page(
        &mut self,
        scope: &Scope,
        bounds: &Bounds<DocId>,
        items: u32,
        from: Option<&Cursor>,
    ) -> Result<PageSeen, Code> {
        let plan = scope.plan(bounds) + "}";
        let cursor = from.map_or_else(|| "null".to_owned(), |cursor| format!("\"{}\"", cursor.text));
        let options = format!(r#"{{"cursor":{cursor},"numItems":{items}}}"#);
        let page = self.with(|tx| tx.page(plan.as_bytes(), options.as_bytes()))?;
        serde_json::from_slice::<PageJson>(&page)
            .map(PageJson::seen)
            .map_err(|_| "a page that cannot be read")
    }

    fn poisoned(&self) -> Option<Code> {
        self.tx.as_ref().and_then(Transaction::poisoned).map(|error| error.code.as_str())
    }

    fn call(&mut self, nested: &Nested) -> Result<Bytes, Code> {
        let path = match nested.called_as {
            FunctionKind::Mutation => MUTATIONS[0],
            FunctionKind::Query => QUERY,
            FunctionKind::Action | FunctionKind::HttpAction => unreachable!("the simulation has no actions"),
        };
        let call = NestedCall { path, args: b"{}", called_as: nested.called_as };
        let (port, functions) = (self.port, self.functions);
        let (tx, result) = self.tx().call_nested(functions, call, |_, _, tx| {
            let mut inner = Running { port, functions, tx: Some(tx) };
            let ending = execute(&mut inner, &nested.program);
            (inner.tx(), result_of(ending))
        });
        self.tx = Some(tx);
        result.map_err(|error| error.code.as_str())
    }

    fn log(&mut self, line: &str) {
        if let Some(tx) = &mut self.tx {
            tx.log(LogLevel::Info, line);
        }
    }

    fn note(&mut self, output: Output) -> Result<(), Stopped> {
        self.port.report(Report::Did(output))
    }
}

fn json(fields: Fields) -> String {
    format!(r#"{{"m":{},"n":{},"pad":"{}"}}"#, fields.m.json(), fields.n, "x".repeat(fields.pad_bytes))
}

/// Of a page, what a program sees.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageJson {
    page: Box<RawValue>,
    is_done: bool,
    continue_cursor: Arc<str>,
}

impl PageJson {
    fn seen(self) -> PageSeen {
        let array = self.page.get();
        let documents = Bytes::copy_from_slice(&array.as_bytes()[1..array.len() - 1]);
        PageSeen { documents, cursor: self.continue_cursor, is_done: self.is_done }
    }
}
