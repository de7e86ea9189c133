//! A module's functions: how they are registered, described, found and run.

use std::collections::BTreeMap;
use std::pin::Pin;

use serde::Serialize;

use crate::action;
use crate::crons::{self, Cron};
use crate::failure::{Context, Error, Result};
use crate::http::{Request, Response};
use crate::json;
use crate::schema::{self, Schema};
use crate::validator::{Shape, Validator};

/// A function as the macros register it.
#[doc(hidden)]
pub struct Function {
    pub package: &'static str,
    /// What `module_path!` says where it stands.
    pub module_path: &'static str,
    pub name: &'static str,
    pub kind: &'static str,
    pub visibility: &'static str,
    pub args: fn() -> Validator,
    pub returns: fn() -> Validator,
    pub run: fn(&[u8]) -> Result<Vec<u8>>,
    /// Which requests it answers, if it is an HTTP action.
    pub route: Option<Route>,
}

/// Which requests an HTTP action answers.
#[doc(hidden)]
pub struct Route {
    pub method: &'static str,
    /// One path, or the beginning of paths.
    pub path: &'static str,
    pub is_prefix: bool,
}

inventory::collect!(Function);

impl Function {
    /// The parts of the module's name: those of the Rust module, or the package
    /// for a function that stands in none.
    fn module_parts(&self) -> impl Iterator<Item = &'static str> {
        let is_root = !self.module_path.contains(':');
        let root = is_root.then_some(self.package).into_iter();
        // By one character: looking for `::` takes several times as long as all else that finds a function.
        let parts = self.module_path.split(':').filter(|part| !part.is_empty());
        root.chain(parts.skip(1))
    }

    fn path(&self) -> String {
        let module = self.module_parts().collect::<Vec<_>>().join("/");
        format!("{module}:{}", self.name)
    }

    fn is_at(&self, module: &str, name: &str) -> bool {
        // The names differ more often than the modules.
        self.name == name && self.module_parts().eq(module.split('/'))
    }
}

#[derive(Serialize)]
struct Manifest {
    functions: Vec<Entry>,
    schema: Option<Schema>,
    routes: Vec<RouteEntry>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    crons: Vec<Cron>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RouteEntry {
    method: &'static str,
    path: Option<&'static str>,
    path_prefix: Option<&'static str>,
    function: String,
}

impl RouteEntry {
    fn new(function: &str, route: &Route) -> Self {
        let path = |of_prefix| (route.is_prefix == of_prefix).then_some(route.path);
        Self {
            method: route.method,
            path: path(false),
            path_prefix: path(true),
            function: function.to_owned(),
        }
    }
}

#[derive(Serialize)]
struct Entry {
    path: String,
    kind: &'static str,
    visibility: &'static str,
    args: Validator,
    returns: Validator,
}

/// The manifest, as JSON: functions sorted by their paths.
///
/// # Panics
/// If two functions have the same path, or the declarations of tables contradict each other.
#[doc(hidden)]
pub fn manifest() -> Vec<u8> {
    let mut functions = BTreeMap::new();
    for function in inventory::iter::<Function> {
        let path = function.path();
        let earlier = functions.insert(path, function);
        assert!(earlier.is_none(), "there are two functions `{}`; rename one", function.path());
    }
    let with_route = functions.iter().filter_map(|(path, function)| Some((path, function.route.as_ref()?)));
    let routes = with_route.map(|(path, route)| RouteEntry::new(path, route)).collect();
    let entries = functions.into_iter().map(|(path, function)| Entry {
        path,
        kind: function.kind,
        visibility: function.visibility,
        args: (function.args)(),
        returns: (function.returns)(),
    });
    let crons = crons::declared();
    let manifest = Manifest { functions: entries.collect(), schema: schema::declared(), routes, crons };
    json::to_vec(&manifest).expect("a manifest can be written")
}

/// Runs the function at this path.
#[doc(hidden)]
pub fn call(path: &str, args: &[u8]) -> Result<Vec<u8>> {
    let (module, name) = path.split_once(':').unwrap_or((path, "default"));
    let found = inventory::iter::<Function>.into_iter().find(|function| function.is_at(module, name));
    let function = found.context(format_args!("there is no function `{path}` in this module"))?;
    (function.run)(args)
}

/// What a function may return: a `Result` whose error is, or turns into, an [`Error`].
#[doc(hidden)]
pub trait Outcome {
    type Value: Serialize + Shape;

    fn into_result(self) -> Result<Self::Value>;
}

impl<T: Serialize + Shape, E: Into<Error>> Outcome for std::result::Result<T, E> {
    type Value = T;

    fn into_result(self) -> Result<T> {
        self.map_err(Into::into)
    }
}

/// The arguments of a function, out of the host's JSON.
#[doc(hidden)]
pub fn read_args<'de, A: serde::Deserialize<'de>>(json: &'de [u8]) -> Result<A> {
    json::from_slice(json).context("reading the arguments")
}

/// A function's result, as JSON for the host.
#[doc(hidden)]
pub fn write_result<T: Serialize>(result: Result<T>) -> Result<Vec<u8>> {
    json::to_vec(&result?).context("writing the result")
}

/// Runs an action, as JSON for the host.
#[doc(hidden)]
pub fn run_action<T: Serialize>(action: impl Future<Output = Result<T>>) -> Result<Vec<u8>> {
    write_result(action::block_on(action))
}

/// Lets an HTTP action answer the request that its arguments tell of.
#[doc(hidden)]
pub fn run_http_action(
    args: &[u8],
    action: impl FnOnce(Request) -> Pin<Box<dyn Future<Output = Result<Response>>>>,
) -> Result<Vec<u8>> {
    write_result(action::block_on(action::serve(args, action)))
}
