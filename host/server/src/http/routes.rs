//! The routes: which requests there are, and what each asks of its caller.
//!
//! One table, so that what a route is open to stands beside its path and is checked in one place, before the route does
//! anything. Everything that is no route is a file of the web folder, or, below `/api/`, not there.

use hyper::Method;

use crate::identity::Permission;

/// A route.
pub struct Route {
    /// The methods that it knows.
    pub methods: &'static [&'static str],
    /// Its path: `{name}` stands for one part of it, `{*name}` for all that is left.
    pub path: &'static str,
    /// What it asks of its caller.
    pub(super) open_to: OpenTo,
    /// What it does.
    pub(super) operation: Operation,
}

/// What a route asks of its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OpenTo {
    /// Nothing: credentials are not looked at.
    Everybody,
    /// That credentials, if there are some, are somebody's. What he may do, the function decides that he calls.
    Callers,
    /// An admin key that is good for this.
    Keys(Permission),
    /// The same, unless the operator has opened the host's figures to everybody.
    Scrapers(Permission),
}

/// What a route does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    Version,
    InstanceVersion,
    InstanceName,
    Health,
    Metrics,
    KeySet,
    Discovery,
    Echo,
    Sync,
    VersionedSync,
    Query,
    Mutation,
    Action,
    QueryTs,
    QueryAtTs,
    QueryBatch,
    Function,
    Run,
    Deploy,
    DescribeDeployment,
    CreateKey,
    ListKeys,
    RevokeKey,
    ListComponents,
    DropComponent,
    CanonicalUrls,
    SetVariables,
    ListVariables,
    ReadAudit,
    UploadFile,
    DownloadFile,
}

impl Operation {
    /// What the audit log calls it.
    pub(super) fn audit_name(self) -> &'static str {
        match self {
            Operation::Deploy => "deploy",
            Operation::SetVariables => "setVariables",
            Operation::ListVariables => "listVariables",
            Operation::CreateKey => "createKey",
            Operation::RevokeKey => "revokeKey",
            Operation::ListKeys => "listKeys",
            Operation::DropComponent => "dropComponent",
            Operation::ReadAudit => "readAudit",
            Operation::Function => "call",
            _ => "inspect",
        }
    }

    /// Whether it counts as a call of a function.
    pub(super) fn is_call(self) -> bool {
        use Operation::{
            Action, Function, Mutation, Query, QueryAtTs, QueryBatch, QueryTs, Run, Sync, UploadFile,
            VersionedSync,
        };
        match self {
            Query | Mutation | Action | QueryTs | QueryAtTs | QueryBatch | Function | Run => true,
            // What opens a socket or stores a file costs no less.
            Sync | VersionedSync | UploadFile => true,
            _ => false,
        }
    }
}

const READ: &[&str] = &["GET", "HEAD"];
const GET: &[&str] = &["GET"];
const POST: &[&str] = &["POST"];

const fn route(
    methods: &'static [&'static str],
    path: &'static str,
    open_to: OpenTo,
    operation: Operation,
) -> Route {
    Route { methods, path, open_to, operation }
}

use OpenTo::{Callers, Everybody, Keys, Scrapers};

/// All of them. Of two that a path fits, the first one counts.
#[rustfmt::skip]
pub static ROUTES: &[Route] = &[
    route(READ, "/version", Everybody, Operation::Version),
    route(READ, "/instance_version", Everybody, Operation::InstanceVersion),
    route(READ, "/instance_name", Everybody, Operation::InstanceName),
    // Whether it is well is everybody's to know; what there is, the holder's of a key.
    route(READ, "/health", Callers, Operation::Health),
    route(READ, "/metrics", Scrapers(Permission::Inspect), Operation::Metrics),
    route(READ, "/.well-known/jwks.json", Everybody, Operation::KeySet),
    route(READ, "/.well-known/openid-configuration", Everybody, Operation::Discovery),
    route(POST, "/echo", Keys(Permission::Inspect), Operation::Echo),
    // Functions.
    route(POST, "/api/run/{*function}", Callers, Operation::Run),
    // Who it is, a message says.
    route(GET, "/api/sync", Everybody, Operation::Sync),
    route(GET, "/api/{version}/sync", Everybody, Operation::VersionedSync),
    route(&["GET", "POST"], "/api/query", Callers, Operation::Query),
    route(POST, "/api/mutation", Callers, Operation::Mutation),
    route(POST, "/api/action", Callers, Operation::Action),
    route(POST, "/api/query_ts", Callers, Operation::QueryTs),
    route(POST, "/api/query_at_ts", Callers, Operation::QueryAtTs),
    route(POST, "/api/query_batch", Callers, Operation::QueryBatch),
    route(POST, "/api/function", Keys(Permission::CallAny), Operation::Function),
    // Files: whoever has a URL may use it.
    route(POST, "/api/storage/upload", Everybody, Operation::UploadFile),
    route(READ, "/api/storage/{file}", Everybody, Operation::DownloadFile),
    // The deployment and its keys.
    route(POST, "/api/weir/deploy", Keys(Permission::Deploy), Operation::Deploy),
    route(GET, "/api/weir/deployment", Keys(Permission::Inspect), Operation::DescribeDeployment),
    route(GET, "/api/v1/get_canonical_urls", Keys(Permission::Inspect), Operation::CanonicalUrls),
    route(POST, "/api/update_environment_variables", Keys(Permission::Deploy), Operation::SetVariables),
    route(GET, "/api/weir/variables", Keys(Permission::Deploy), Operation::ListVariables),
    route(POST, "/api/weir/keys", Keys(Permission::ManageKeys), Operation::CreateKey),
    route(GET, "/api/weir/keys", Keys(Permission::ManageKeys), Operation::ListKeys),
    route(&["DELETE"], "/api/weir/keys/{name}", Keys(Permission::ManageKeys), Operation::RevokeKey),
    route(GET, "/api/weir/audit", Keys(Permission::ReadAudit), Operation::ReadAudit),
    route(GET, "/api/weir/components", Keys(Permission::Inspect), Operation::ListComponents),
    route(&["DELETE"], "/api/weir/components/{*path}", Keys(Permission::Deploy), Operation::DropComponent),
];

/// What was found for a request.
pub(super) enum Found<'a> {
    /// A route, and the part of the path that its last placeholder stands for.
    Route(&'static Route, &'a str),
    /// There is such a path, and it knows other methods.
    OtherMethods,
    /// There is no such path.
    Nothing,
}

/// The route of a request.
pub(super) fn find<'a>(method: &Method, path: &'a str) -> Found<'a> {
    let mut found = Found::Nothing;
    for route in ROUTES {
        let Some(rest) = fit(route.path, path) else { continue };
        if route.methods.contains(&method.as_str()) {
            return Found::Route(route, rest);
        }
        found = Found::OtherMethods;
    }
    found
}

/// What stands in the path for the pattern's last placeholder, if the path fits.
fn fit<'a>(pattern: &str, path: &'a str) -> Option<&'a str> {
    let (mut pattern, mut path, mut last) = (pattern, path, "");
    while let Some((before, after)) = pattern.split_once('{') {
        path = path.strip_prefix(before)?;
        let (name, rest) = after.split_once('}')?;
        last = match name.starts_with('*') {
            true => Some(path).filter(|left| !left.is_empty())?,
            false => &path[..path.find('/').unwrap_or(path.len())],
        };
        (pattern, path) = (rest, &path[last.len()..]);
    }
    (pattern == path).then_some(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_fit_their_patterns() {
        for (pattern, path, expected) in [
            ("/version", "/version", Some("")),
            ("/version", "/version/", None),
            ("/version", "/versions", None),
            ("/api/{version}/sync", "/api/1.48.0/sync", Some("1.48.0")),
            ("/api/{version}/sync", "/api//sync", Some("")),
            ("/api/{version}/sync", "/api/sync", None),
            ("/api/{version}/sync", "/api/a/b/sync", None),
            ("/api/{version}/sync", "/api/1.48.0/sync/", None),
            ("/api/run/{*function}", "/api/run/a/b/c", Some("a/b/c")),
            ("/api/run/{*function}", "/api/run/sync", Some("sync")),
            ("/api/run/{*function}", "/api/run/", None),
            ("/api/weir/keys/{name}", "/api/weir/keys/ci", Some("ci")),
            ("/api/weir/keys/{name}", "/api/weir/keys/ci/x", None),
            ("/api/weir/keys/{name}", "/api/weir/keys", None),
        ] {
            assert_eq!(fit(pattern, path), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn a_request_has_one_route() {
        let operation = |method: Method, path: &str| match find(&method, path) {
            Found::Route(route, _) => Some(route.operation),
            Found::OtherMethods | Found::Nothing => None,
        };
        assert_eq!(operation(Method::POST, "/api/run/sync"), Some(Operation::Run));
        assert_eq!(operation(Method::POST, "/api/run/messages/sync"), Some(Operation::Run));
        assert_eq!(operation(Method::GET, "/api/x/sync"), Some(Operation::VersionedSync));
        assert_eq!(operation(Method::GET, "/api/sync"), Some(Operation::Sync));
        assert_eq!(operation(Method::GET, "/api/weir/keys"), Some(Operation::ListKeys));
        assert_eq!(operation(Method::POST, "/api/weir/keys"), Some(Operation::CreateKey));
        assert!(matches!(find(&Method::PUT, "/api/weir/keys"), Found::OtherMethods));
        assert!(matches!(find(&Method::GET, "/api/weir"), Found::Nothing));
        assert!(matches!(find(&Method::GET, "/"), Found::Nothing));
    }

    /// What only the holders of keys may use, and what is below the paths that are Weir's own.
    #[test]
    fn what_is_not_for_everybody_asks_for_a_key() {
        for route in ROUTES.iter().filter(|route| route.path.starts_with("/api/weir/")) {
            assert!(matches!(route.open_to, OpenTo::Keys(_)), "{}", route.path);
        }
    }
}
