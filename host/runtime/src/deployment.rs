//! A deployment: the functions of a set of modules, as the database calls them.
use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value as Json, json};
use weir_db::{
    ActionCall, Cron, FunctionError, FunctionInfo, Functions, HostFuture, MissingFunction, MissingFunctions,
    NodeBundle, Route, RoutePath, Schemas, Teardown, Transaction, VariableReads, not_of_this_deployment,
};
use weir_value::limits::{CRONS_MAX, DEPLOY_FUNCTIONS_MAX};
use weir_value::{ComponentPath, ErrorCode, FunctionPath, Mounts, Schema};

use crate::call_state::{CallSetup, TimeLeft};
use crate::invocation::{Invoker, Slot, UsedInstance};
use crate::module::Module;
use crate::{LoadError, ModuleInfo, crons, manifest, routes};

/// The functions of a set of modules. Its code is unmapped when the last reference is gone, which calls that run hold
/// too.
pub struct Deployment {
    /// For the calls: a function may call another.
    this: Weak<Deployment>,
    invoker: Arc<Invoker>,
    modules: Vec<ModuleInfo>,
    /// Where the source of a module first says that it is for Node, and the module's name.
    needs_node: Option<(String, String)>,
    functions: HashMap<FunctionPath, Function>,
    schemas: Schemas,
    mounts: Mounts,
    missing: MissingFunctions,
    variable_reads: VariableReads,
    routes: Vec<Route>,
    crons: Vec<Cron>,
}

/// What gives a host a Node.
const GIVE_NODE: &str =
    "start it with `--node PATH` (`host serve --node`, `host dev --node`), the path of a `node`";

/// A function, and where it is.
struct Function {
    info: Arc<FunctionInfo>,
    /// Its path as the guest knows it.
    guest_path: String,
    module: Arc<Module>,
    /// What it is run of in Node, if it is.
    node: Option<Arc<NodeBundle>>,
}

impl Deployment {
    /// Of these parts, the app and what it mounts. No two functions of one part may have one path.
    pub(crate) fn assemble(
        invoker: Arc<Invoker>,
        parts: Vec<Part>,
        mounts: Mounts,
        missing: MissingFunctions,
    ) -> Result<Arc<Deployment>, LoadError> {
        let all = || parts.iter().flat_map(|part| &part.modules);
        let count = all().map(|(_, module)| module.functions.len()).sum();
        if count > DEPLOY_FUNCTIONS_MAX {
            return Err(LoadError::TooManyFunctions { functions: count });
        }
        let mut functions = HashMap::with_capacity(count);
        for part in &parts {
            part.add_functions(&mut functions)?;
        }
        let mut schemas = Schemas::default();
        let (mut routes, mut crons) = (Vec::new(), Vec::new());
        let mut variable_reads = VariableReads::default();
        for part in &parts {
            let schema = Arc::new(merge_schemas(&part.modules)?);
            match part.component.is_app() {
                true => schemas.app = schema,
                false => drop(schemas.mounts.insert(part.component.clone(), schema)),
            }
            routes.push(part.routes(&mounts)?);
            crons.extend(part.crons(&functions, &missing)?);
            for (_, module) in &part.modules {
                let reads = &module.described_with.reads;
                match mounts.find(&part.component) {
                    Some(mount) => variable_reads.extend(&reads.of_app(mount)),
                    None => variable_reads.extend(reads),
                }
            }
        }
        if crons.len() > CRONS_MAX {
            return Err(LoadError::TooManyCrons { crons: crons.len() });
        }
        let routes = routes.concat();
        if let Some(route) = doubled(&routes) {
            let (RoutePath::Exact(path) | RoutePath::Prefix(path)) = &route.path;
            return Err(LoadError::MountedRoute {
                route: format!("{} {path}", route.method),
                component: route.function.component().to_string(),
            });
        }
        let needs_node = all().find_map(|(info, module)| {
            module.node.as_ref().map(|node| (node.place.clone(), info.name.clone()))
        });
        let modules = parts.into_iter().flat_map(|part| part.modules).map(|(info, _)| info).collect();
        Ok(Arc::new_cyclic(|this| Deployment {
            this: this.clone(),
            invoker,
            modules,
            needs_node,
            functions,
            schemas,
            mounts,
            missing,
            variable_reads,
            routes,
            crons,
        }))
    }

    /// The modules, in the order in which they were given.
    pub fn modules(&self) -> &[ModuleInfo] {
        &self.modules
    }

    /// The tables that the app's modules declare.
    pub fn schema(&self) -> &Schema {
        &self.schemas.app
    }

    /// The variables that the modules read when they described themselves.
    pub fn variable_reads(&self) -> &VariableReads {
        &self.variable_reads
    }

    /// `{"functions": [...], "schema": {...}, "routes": [...], "crons": [...]}`: the manifests of all modules as one, functions
    /// in the order of the paths.
    pub fn manifest(&self) -> Json {
        let is_node = |info: &FunctionInfo| self.functions[&info.path].node.is_some();
        let functions: Vec<_> =
            self.list().iter().map(|info| manifest::to_json(info, is_node(info))).collect();
        let routes: Vec<_> = self.routes.iter().map(routes::to_json).collect();
        let crons: Vec<_> = self.crons.iter().map(crons::to_json).collect();
        json!({ "functions": functions, "schema": self.schemas.app.to_json(), "routes": routes, "crons": crons })
    }

    /// Calls a function again and again in one instance, and says how long each call took: what a fresh instance is
    /// compared with. No call in service shares an instance.
    pub fn time_in_one_instance(
        &self,
        info: &FunctionInfo,
        args: &Bytes,
        transaction: Transaction,
        calls: usize,
    ) -> (Transaction, Result<(Bytes, Vec<Duration>), FunctionError>) {
        let Some(function) = self.functions.get(&info.path) else {
            return (transaction, Err(not_of_this_deployment(&info.path)));
        };
        let subject = || info.path.to_string();
        let time = self.invoker.full_time();
        let setup = CallSetup::in_transaction(transaction, self.this.upgrade(), time);
        let ended = self.invoker.invoke(setup, subject, |store| {
            function.module.guest.call_reused(store, &function.guest_path, args, calls)
        });
        let result = ended.result.and_then(|(answer, times)| match answer {
            Ok(json) => Ok((Bytes::from(json), times)),
            Err(failure) => Err(failure.into()),
        });
        (ended.transaction.expect("an invocation gives its transaction back"), result)
    }

    fn run_in_node(
        &self,
        bundle: &Arc<NodeBundle>,
        info: &FunctionInfo,
        args: &Bytes,
        action: Arc<ActionCall>,
    ) -> HostFuture<Result<Bytes, FunctionError>> {
        if let Some(node) = &self.invoker.options.node {
            return node.run(bundle.clone(), &info.path, args.clone(), action);
        }
        let message = format!("it runs in Node.js, and this host has none: {GIVE_NODE}");
        Box::pin(async { Err(FunctionError::Limit { code: ErrorCode::NotImplemented, message }) })
    }

    /// Runs a function in what is left of the time of a call that it is part of.
    pub(crate) fn run_within(
        &self,
        info: &FunctionInfo,
        args: &Bytes,
        transaction: Transaction,
        time: TimeLeft,
    ) -> EndedCall {
        let Some(function) = self.functions.get(&info.path) else {
            let result = Err(not_of_this_deployment(&info.path));
            return EndedCall { transaction, result, host_ticks: 0, instance: None };
        };
        let subject = || info.path.to_string();
        let setup = CallSetup::in_transaction(transaction, self.this.upgrade(), time);
        let ended = self.invoker.invoke_call(&function.module, setup, subject, (&function.guest_path, args));
        let result = self.invoker.end_call(ended.result);
        let transaction = ended.transaction.expect("an invocation gives its transaction back");
        EndedCall { transaction, result, host_ticks: ended.host_ticks, instance: Some(ended.store) }
    }
}

/// The tables of all modules. Without any there is nothing that documents are checked against.
fn merge_schemas(modules: &[(ModuleInfo, Arc<Module>)]) -> Result<Schema, LoadError> {
    let mut merged = Schema { validates: true, ..Schema::default() };
    let mut owners: HashMap<String, &str> = HashMap::new();
    for (info, module) in modules {
        let Some(schema) = &module.schema else { continue };
        merged.merge(schema.clone()).map_err(|conflict| LoadError::TableConflict {
            first: owners.get(&conflict.table).copied().unwrap_or_default().to_owned(),
            second: info.name.clone(),
            table: conflict.table,
        })?;
        for table in schema.tables.keys() {
            owners.entry(table.clone()).or_insert(&info.name);
        }
    }
    Ok(merged)
}

/// A part of a deployment: the app, or a component where it is mounted.
pub(crate) struct Part {
    pub(crate) component: ComponentPath,
    pub(crate) modules: Vec<(ModuleInfo, Arc<Module>)>,
}

impl Part {
    fn add_functions(&self, functions: &mut HashMap<FunctionPath, Function>) -> Result<(), LoadError> {
        let mut owners: HashMap<&FunctionPath, &str> = HashMap::new();
        for (module_info, module) in &self.modules {
            for info in &module.functions {
                if let Some(first) = owners.insert(&info.path, &module_info.name) {
                    return Err(LoadError::DuplicateFunction {
                        path: info.path.clone(),
                        first: first.to_owned(),
                        second: module_info.name.clone(),
                    });
                }
                let guest_path = info.path.to_string();
                let node = module.node.as_ref().filter(|node| node.functions.contains(&info.path));
                let node = node.map(|node| node.bundle.clone());
                let info = self.qualified(info);
                let path = info.path.clone();
                functions.insert(path, Function { info, guest_path, module: module.clone(), node });
            }
        }
        Ok(())
    }

    /// A function as the deployment knows it.
    fn qualified(&self, info: &Arc<FunctionInfo>) -> Arc<FunctionInfo> {
        match self.component.is_app() {
            true => info.clone(),
            false => Arc::new(FunctionInfo {
                path: info.path.clone().of(self.component.clone()),
                ..(**info).clone()
            }),
        }
    }

    /// Its routes, where they are served.
    fn routes(&self, mounts: &Mounts) -> Result<Vec<Route>, LoadError> {
        let merged = merge_routes(&self.modules)?;
        let prefix = match mounts.find(&self.component) {
            Some(mount) => mount.http_prefix.as_deref(),
            None => Some(mounts.app_http_prefix.as_deref().unwrap_or("/")),
        };
        let Some(prefix) = prefix else { return Ok(Vec::new()) };
        let below = |path: &String| format!("{prefix}{}", &path[1..]);
        let mounted = |route: Route| Route {
            path: match &route.path {
                RoutePath::Exact(path) => RoutePath::Exact(below(path)),
                RoutePath::Prefix(path) => RoutePath::Prefix(below(path)),
            },
            function: route.function.of(self.component.clone()),
            method: route.method,
        };
        Ok(merged.into_iter().map(mounted).collect())
    }

    /// Its cron jobs. One may call a function of any of its modules. One of a module that is missing waits for it.
    fn crons(
        &self,
        functions: &HashMap<FunctionPath, Function>,
        missing: &MissingFunctions,
    ) -> Result<Vec<Cron>, LoadError> {
        let mut owners: HashMap<&str, &str> = HashMap::new();
        let mut crons = Vec::new();
        for (info, module) in &self.modules {
            for declared in &module.crons {
                let cron = declared.of(self.component.clone());
                if missing.find(cron.function()).is_none() {
                    let kind_of =
                        |path: &FunctionPath| functions.get(path).map(|function| function.info.kind);
                    crons::check(&cron, kind_of)
                        .map_err(|error| LoadError::Manifest { module: info.name.clone(), error })?;
                }
                if let Some(first) = owners.insert(declared.name(), &info.name) {
                    return Err(LoadError::CronConflict {
                        name: cron.name().to_owned(),
                        first: first.to_owned(),
                        second: info.name.clone(),
                    });
                }
                crons.push(cron);
            }
        }
        Ok(crons)
    }
}

/// A route that is there twice, of different parts.
fn doubled(routes: &[Route]) -> Option<&Route> {
    let same = |a: &Route, b: &Route| a.method == b.method && a.path == b.path;
    routes
        .iter()
        .enumerate()
        .find_map(|(at, route)| routes[..at].iter().any(|earlier| same(earlier, route)).then_some(route))
}

/// The routes of the modules of one part.
fn merge_routes(modules: &[(ModuleInfo, Arc<Module>)]) -> Result<Vec<Route>, LoadError> {
    let mut merged: Vec<Route> = Vec::new();
    let mut owners = Vec::new();
    for (info, module) in modules {
        for route in &module.routes {
            let same = |other: &Route| other.method == route.method && other.path == route.path;
            if let Some(first) = merged.iter().position(same) {
                let (RoutePath::Exact(path) | RoutePath::Prefix(path)) = &route.path;
                return Err(LoadError::RouteConflict {
                    route: format!("{} {path}", route.method),
                    first: owners.swap_remove(first),
                    second: info.name.clone(),
                });
            }
            merged.push(route.clone());
            owners.push(info.name.clone());
        }
    }
    Ok(merged)
}

/// How a call ended.
pub(crate) struct EndedCall {
    pub(crate) transaction: Transaction,
    pub(crate) result: Result<Bytes, FunctionError>,
    /// Ticks of its time that passed in the host.
    pub(crate) host_ticks: u64,
    /// Its instance, to be dropped.
    pub(crate) instance: Option<UsedInstance>,
}

/// The instance of a call that is over, and the call's place; dropped in this order. Until then the call counts among
/// the concurrent ones, and nobody else can reach its memory, which is set back first.
struct FinishedInstance {
    _instance: UsedInstance,
    _slot: Slot,
}

impl std::fmt::Debug for Deployment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Deployment")
            .field("modules", &self.modules)
            .field("functions", &self.functions.len())
            .finish_non_exhaustive()
    }
}

impl weir_db::Deployment for Deployment {
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

    fn lacks(&self) -> Option<String> {
        if self.invoker.options.node.is_some() {
            return None;
        }
        let (place, module) = self.needs_node.as_ref()?;
        Some(format!(
            "module `{module}`: {place}: a file with \"use node\" has actions that run in Node.js, and this host has none: \
             {GIVE_NODE}"
        ))
    }
}

impl Functions for Deployment {
    fn find(&self, path: &FunctionPath) -> Option<Arc<FunctionInfo>> {
        self.functions.get(path).map(|function| function.info.clone())
    }

    fn list(&self) -> Vec<Arc<FunctionInfo>> {
        let mut list: Vec<_> = self.functions.values().map(|function| function.info.clone()).collect();
        list.sort_by(|a, b| a.path.cmp(&b.path));
        list
    }

    fn run_action(
        &self,
        info: &FunctionInfo,
        args: &Bytes,
        action: Arc<ActionCall>,
    ) -> HostFuture<Result<Bytes, FunctionError>> {
        let Some(function) = self.functions.get(&info.path) else {
            let error = not_of_this_deployment(&info.path);
            return Box::pin(async { Err(error) });
        };
        if let Some(bundle) = &function.node {
            return self.run_in_node(bundle, info, args, action);
        }
        let (module, path) = (function.module.clone(), function.guest_path.clone());
        let (invoker, args) = (self.invoker.clone(), args.clone());
        Box::pin(async move {
            let called = invoker.invoke_action(action, &module.guest, &path, &args).await;
            invoker.end_call(called)
        })
    }

    fn run(
        &self,
        info: &FunctionInfo,
        args: &Bytes,
        tx: Transaction,
        teardown: &mut Teardown,
    ) -> (Transaction, Result<Bytes, FunctionError>) {
        teardown.finish();
        let slot = match self.invoker.take_slot() {
            Ok(slot) => slot,
            Err(overloaded) => return (tx, Err(overloaded)),
        };
        let ended = self.run_within(info, args, tx, self.invoker.full_time());
        if let Some(instance) = ended.instance {
            teardown.defer(FinishedInstance { _instance: instance, _slot: slot });
        }
        (ended.transaction, ended.result)
    }
}
