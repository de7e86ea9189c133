//! Functions as Rust closures: for tests, and as the baseline that guests are measured against.
use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value as Json;
use weir_value::{ErrorCode, FunctionPath, Mounts, Validator, Value};

use crate::action::{ActionCall, HostFuture, Route, RoutePath, not_of_this_deployment};
use crate::{
    Cron, Deployment, FunctionError, FunctionInfo, FunctionKind, Functions, MissingFunction,
    MissingFunctions, Schemas, Teardown, Transaction, Visibility,
};

/// The body of an action.
pub type NativeAction =
    dyn Fn(Arc<ActionCall>, Value) -> HostFuture<Result<Value, FunctionError>> + Send + Sync;

/// A function's body.
pub type NativeBody = dyn Fn(&mut Transaction, &Value) -> Result<Value, FunctionError> + Send + Sync;

enum Body {
    Transaction(Box<NativeBody>),
    Action(Box<NativeAction>),
}

/// A deployment of Rust closures.
#[derive(Default)]
pub struct NativeFunctions {
    functions: BTreeMap<FunctionPath, (Arc<FunctionInfo>, Body)>,
    routes: Vec<Route>,
    crons: Vec<Cron>,
    missing: MissingFunctions,
    mounts: Mounts,
    schemas: Schemas,
}

impl NativeFunctions {
    /// A deployment without functions.
    pub fn new() -> Self {
        Self::default()
    }

    /// Says what the app mounts, and which tables all of them have. Functions of a mount have paths such as
    /// `mail;module:function`.
    pub fn with_components(mut self, mounts: Mounts, schemas: Schemas) -> Self {
        (self.mounts, self.schemas) = (mounts, schemas);
        self
    }

    /// Adds a public query of any arguments and result. Panics if `path` is no function path.
    pub fn query(
        self,
        path: &str,
        body: impl Fn(&mut Transaction, &Value) -> Result<Value, FunctionError> + Send + Sync + 'static,
    ) -> Self {
        self.register(open_info(path, FunctionKind::Query), body)
    }

    /// Adds a public mutation of any arguments and result. Panics if `path` is no function path.
    pub fn mutation(
        self,
        path: &str,
        body: impl Fn(&mut Transaction, &Value) -> Result<Value, FunctionError> + Send + Sync + 'static,
    ) -> Self {
        self.register(open_info(path, FunctionKind::Mutation), body)
    }

    /// Adds a public action of any arguments and result. Panics if `path` is no function path.
    pub fn action(
        self,
        path: &str,
        body: impl Fn(Arc<ActionCall>, Value) -> HostFuture<Result<Value, FunctionError>> + Send + Sync + 'static,
    ) -> Self {
        self.register_action(open_info(path, FunctionKind::Action), body)
    }

    /// Adds an action with its description.
    pub fn register_action(
        mut self,
        info: FunctionInfo,
        body: impl Fn(Arc<ActionCall>, Value) -> HostFuture<Result<Value, FunctionError>> + Send + Sync + 'static,
    ) -> Self {
        self.functions.insert(info.path.clone(), (Arc::new(info), Body::Action(Box::new(body))));
        self
    }

    /// Adds an HTTP action and its route. Panics if `path` is no function path.
    pub fn http_action(
        mut self,
        method: &str,
        route: RoutePath,
        path: &str,
        body: impl Fn(Arc<ActionCall>, Value) -> HostFuture<Result<Value, FunctionError>> + Send + Sync + 'static,
    ) -> Self {
        let info = open_info(path, FunctionKind::HttpAction);
        self.routes.push(Route { method: method.to_owned(), path: route, function: info.path.clone() });
        self.register_action(info, body)
    }

    /// Adds a cron job, which calls the function of this path. Panics if it cannot be.
    pub fn cron(mut self, name: &str, schedule: &Json, path: &str, args: &Json) -> Self {
        let path = FunctionPath::parse_qualified(path).expect("a function path");
        let cron = Cron::new(name, schedule, path, args.to_string().as_bytes());
        self.crons.push(cron.expect("a cron job that can be"));
        self
    }

    /// Says which functions there would be, were no module missing.
    pub fn with_missing(mut self, missing: MissingFunctions) -> Self {
        self.missing = missing;
        self
    }

    /// Adds a function with its description; a later one of the same path takes its place.
    pub fn register(
        mut self,
        info: FunctionInfo,
        body: impl Fn(&mut Transaction, &Value) -> Result<Value, FunctionError> + Send + Sync + 'static,
    ) -> Self {
        self.functions.insert(info.path.clone(), (Arc::new(info), Body::Transaction(Box::new(body))));
        self
    }
}

/// The description of a public function of any arguments and result. Panics if `path` is no function path.
pub fn open_info(path: &str, kind: FunctionKind) -> FunctionInfo {
    let path = FunctionPath::parse_qualified(path).expect("a function path");
    FunctionInfo { path, kind, visibility: Visibility::Public, args: Validator::Any, returns: Validator::Any }
}

impl Deployment for NativeFunctions {
    fn missing(&self, path: &FunctionPath) -> Option<MissingFunction> {
        self.missing.find(path)
    }

    fn mounts(&self) -> &Mounts {
        &self.mounts
    }

    fn schemas(&self) -> Schemas {
        self.schemas.clone()
    }

    fn routes(&self) -> &[Route] {
        &self.routes
    }

    fn crons(&self) -> &[Cron] {
        &self.crons
    }
}

impl Functions for NativeFunctions {
    fn find(&self, path: &FunctionPath) -> Option<Arc<FunctionInfo>> {
        self.functions.get(path).map(|(info, _)| info.clone())
    }

    fn run_action(
        &self,
        info: &FunctionInfo,
        args: &Bytes,
        action: Arc<ActionCall>,
    ) -> HostFuture<Result<Bytes, FunctionError>> {
        let Some((_, Body::Action(body))) = self.functions.get(&info.path) else {
            let error = not_of_this_deployment(&info.path);
            return Box::pin(async { Err(error) });
        };
        let running = read_args(args).map(|args| body(action, args));
        Box::pin(async move { Ok(running?.await?.to_json_bytes().into()) })
    }

    fn list(&self) -> Vec<Arc<FunctionInfo>> {
        self.functions.values().map(|(info, _)| info.clone()).collect()
    }

    fn run(
        &self,
        info: &FunctionInfo,
        args: &Bytes,
        mut tx: Transaction,
        _teardown: &mut Teardown,
    ) -> (Transaction, Result<Bytes, FunctionError>) {
        let result = self.run_body(info, args, &mut tx);
        (tx, result)
    }
}

impl NativeFunctions {
    fn run_body(
        &self,
        info: &FunctionInfo,
        args: &Bytes,
        tx: &mut Transaction,
    ) -> Result<Bytes, FunctionError> {
        let Some((_, Body::Transaction(body))) = self.functions.get(&info.path) else {
            return Err(not_of_this_deployment(&info.path));
        };
        let args = read_args(args)?;
        let mut json = Vec::new();
        body(tx, &args)?.write_json(&mut json);
        Ok(json.into())
    }
}

fn read_args(args: &Bytes) -> Result<Value, FunctionError> {
    Value::from_json(args).map_err(|error| FunctionError::System {
        code: ErrorCode::InternalServerError,
        message: format!("arguments that were checked are not a value: {error}"),
    })
}
