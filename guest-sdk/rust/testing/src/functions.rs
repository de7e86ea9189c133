//! The functions that are linked into the test, as the database calls them.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value as Json;
use weir::__native::{Host, with_host};
use weir_db::{
    ActionCall, Cron, Deployment, FunctionError, FunctionInfo, FunctionKind, Functions, HostFuture, Route,
    RoutePath, Teardown, Transaction, Visibility,
};
use weir_value::{FunctionPath, Schema, Validator};

use crate::action::ActionRun;
use crate::host::TransactionHost;

/// All functions of the crate under test.
#[derive(Debug, Clone)]
pub(crate) struct LinkedFunctions {
    functions: Arc<BTreeMap<FunctionPath, Arc<FunctionInfo>>>,
    schema: Arc<Schema>,
    crons: Arc<Vec<Cron>>,
    routes: Arc<Vec<Route>>,
}

#[derive(Deserialize)]
struct Manifest {
    functions: Vec<Entry>,
    #[serde(default)]
    schema: Option<Json>,
    #[serde(default)]
    crons: Vec<CronEntry>,
    #[serde(default)]
    routes: Vec<RouteEntry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RouteEntry {
    method: String,
    path: Option<String>,
    path_prefix: Option<String>,
    function: String,
}

#[derive(Deserialize)]
struct CronEntry {
    name: String,
    schedule: Json,
    function: String,
    args: (Json,),
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
        let functions = Arc::new(functions.collect());
        let crons = manifest.crons.iter().map(|entry| cron(entry, &functions)).collect();
        let routes = manifest.routes.into_iter().map(route).collect();
        Self { functions, schema: Arc::new(schema), crons: Arc::new(crons), routes: Arc::new(routes) }
    }

    /// The tables that the document types declare.
    pub(crate) fn schema(&self) -> &Schema {
        &self.schema
    }
}

/// A cron job, which the host would refuse for the same reasons.
fn cron(entry: &CronEntry, functions: &BTreeMap<FunctionPath, Arc<FunctionInfo>>) -> Cron {
    let CronEntry { name, schedule, function, args } = entry;
    let refuse = |reason: String| -> ! { panic!("the cron job `{name}`: {reason}") };
    let path = FunctionPath::parse(function).unwrap_or_else(|error| refuse(error.to_string()));
    match functions.get(&path) {
        // It may be one of another module, which a test does not know.
        None => {}
        Some(info) if info.kind == FunctionKind::Query => refuse(format!("`{path}` is a query")),
        Some(_) => {}
    }
    Cron::new(name, schedule, path, args.0.to_string().as_bytes()).unwrap_or_else(|reason| refuse(reason))
}

/// A route, whose method and path the macros have looked at.
fn route(entry: RouteEntry) -> Route {
    let RouteEntry { method, path, path_prefix, function } = entry;
    let prefix = || RoutePath::Prefix(path_prefix.unwrap_or_default());
    let path = path.map_or_else(prefix, RoutePath::Exact);
    let function = FunctionPath::parse(&function).unwrap_or_else(|error| panic!("{error}"));
    Route { method, path, function }
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

impl Deployment for LinkedFunctions {
    fn crons(&self) -> &[Cron] {
        &self.crons
    }

    fn routes(&self) -> &[Route] {
        &self.routes
    }
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
        let result = call(host.clone(), &info.path.to_string(), args);
        (host.take_transaction(), result)
    }

    fn run_action(
        &self,
        info: &FunctionInfo,
        args: &Bytes,
        action: Arc<ActionCall>,
    ) -> HostFuture<Result<Bytes, FunctionError>> {
        Box::pin(ActionRun::new(info.path.to_string(), args.clone(), action))
    }
}

/// Calls a function that is linked in.
pub(crate) fn call(host: Rc<dyn Host>, path: &str, args: &[u8]) -> Result<Bytes, FunctionError> {
    let call = || with_host(host, || weir::__private::call(path, args));
    // What a function leaves broken when it panics, it leaves in what is dropped.
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(json)) => Ok(Bytes::from(json)),
        Ok(Err(error)) => Err(FunctionError::Application {
            message: error.message().to_owned(),
            data: error.data().map(Bytes::copy_from_slice),
        }),
        Err(panic) => Err(FunctionError::Trap { message: panic_text(&*panic) }),
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("panicked: {}", text.unwrap_or("something that is no text"))
}
