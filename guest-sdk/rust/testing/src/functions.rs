//! The functions that are linked into the test, as the database calls them.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value as Json;
use weir::__native::with_host;
use weir_db::{FunctionError, FunctionInfo, FunctionKind, Functions, Teardown, Transaction, Visibility};
use weir_value::{FunctionPath, Schema, Validator};

use crate::host::TransactionHost;

/// All functions of the crate under test.
#[derive(Debug, Clone)]
pub(crate) struct LinkedFunctions {
    functions: Arc<BTreeMap<FunctionPath, Arc<FunctionInfo>>>,
    schema: Arc<Schema>,
}

#[derive(Deserialize)]
struct Manifest {
    functions: Vec<Entry>,
    #[serde(default)]
    schema: Option<Json>,
}

#[derive(Deserialize)]
struct Entry {
    path: String,
    kind: String,
    visibility: String,
    args: Json,
    returns: Json,
}

impl LinkedFunctions {
    /// Those that the macros registered.
    pub(crate) fn find() -> Self {
        let manifest = weir::__private::manifest();
        let manifest: Manifest = serde_json::from_slice(&manifest).expect("the SDK's manifest is one");
        let functions = manifest.functions.iter().map(describe).map(|info| (info.path.clone(), info));
        let schema = manifest.schema.as_ref().map(Schema::from_json).transpose();
        let schema = schema.unwrap_or_else(|error| panic!("{error}")).unwrap_or_default();
        Self { functions: Arc::new(functions.collect()), schema: Arc::new(schema) }
    }

    /// The tables that the document types declare.
    pub(crate) fn schema(&self) -> &Schema {
        &self.schema
    }
}

fn describe(entry: &Entry) -> Arc<FunctionInfo> {
    let validator = |json: &Json| {
        Validator::from_json(json).unwrap_or_else(|error| panic!("the function `{}`: {error}", entry.path))
    };
    Arc::new(FunctionInfo {
        path: FunctionPath::parse(&entry.path).unwrap_or_else(|error| panic!("{error}")),
        kind: match entry.kind.as_str() {
            "query" => FunctionKind::Query,
            "mutation" => FunctionKind::Mutation,
            "action" => FunctionKind::Action,
            _ => FunctionKind::HttpAction,
        },
        visibility: if entry.visibility == "public" { Visibility::Public } else { Visibility::Internal },
        args: validator(&entry.args),
        returns: validator(&entry.returns),
    })
}

impl Functions for LinkedFunctions {
    fn find(&self, path: &FunctionPath) -> Option<Arc<FunctionInfo>> {
        self.functions.get(path).cloned()
    }

    fn list(&self) -> Vec<Arc<FunctionInfo>> {
        self.functions.values().cloned().collect()
    }

    fn run(
        &self,
        info: &FunctionInfo,
        args: &Bytes,
        tx: Transaction,
        _teardown: &mut Teardown,
    ) -> (Transaction, Result<Bytes, FunctionError>) {
        let host = Rc::new(TransactionHost::new(tx, self.clone()));
        let path = info.path.to_string();
        let call = || with_host(host.clone(), || weir::__private::call(&path, args));
        // What a function leaves broken when it panics, it leaves in a transaction that is dropped.
        let result = match catch_unwind(AssertUnwindSafe(call)) {
            Ok(Ok(json)) => Ok(Bytes::from(json)),
            Ok(Err(error)) => Err(FunctionError::Application {
                message: error.message().to_owned(),
                data: error.data().map(Bytes::copy_from_slice),
            }),
            Err(panic) => Err(FunctionError::Trap { message: panic_text(&*panic) }),
        };
        (host.take_transaction(), result)
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("panicked: {}", text.unwrap_or("something that is no text"))
}
