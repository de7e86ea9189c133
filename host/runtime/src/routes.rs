//! The routes of a manifest: which HTTP requests which function answers.
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value as Json, json};
use weir_db::{FunctionInfo, FunctionKind, Route, RoutePath};
use weir_value::FunctionPath;

use crate::ManifestError;

/// The methods that routes may have; a `HEAD` is answered as a `GET`.
const METHODS: [&str; 6] = ["DELETE", "GET", "OPTIONS", "PATCH", "POST", "PUT"];

/// A route as it stands in a manifest.
#[derive(Debug, Deserialize)]
pub(crate) struct RouteJson {
    method: String,
    #[serde(default)]
    path: Option<String>,
    #[serde(default, rename = "pathPrefix")]
    path_prefix: Option<String>,
    function: String,
}

/// Reads the routes of a module with these functions.
pub(crate) fn parse(
    routes: &[RouteJson],
    functions: &[Arc<FunctionInfo>],
) -> Result<Vec<Route>, ManifestError> {
    let mut parsed: Vec<Route> = Vec::with_capacity(routes.len());
    for json in routes {
        let refused = |reason: String| ManifestError::Route {
            method: json.method.clone(),
            path: json.path.clone().or(json.path_prefix.clone()).unwrap_or_default(),
            reason,
        };
        let route = parse_route(json, functions).map_err(refused)?;
        if parsed.iter().any(|other| other.method == route.method && other.path == route.path) {
            return Err(refused("there are two of it".to_owned()));
        }
        parsed.push(route);
    }
    Ok(parsed)
}

fn parse_route(json: &RouteJson, functions: &[Arc<FunctionInfo>]) -> Result<Route, String> {
    if !METHODS.contains(&json.method.as_str()) {
        return Err(format!("its method must be one of {}", METHODS.join(", ")));
    }
    let path = match (&json.path, &json.path_prefix) {
        (Some(path), None) => RoutePath::Exact(path.clone()),
        (None, Some(prefix)) if prefix.ends_with('/') => RoutePath::Prefix(prefix.clone()),
        (None, Some(_)) => return Err("a path prefix must end with a `/`".to_owned()),
        _ => return Err("it must have either a path or a path prefix".to_owned()),
    };
    let (RoutePath::Exact(text) | RoutePath::Prefix(text)) = &path;
    if !text.starts_with('/') {
        return Err("its path must begin with a `/`".to_owned());
    }
    let function = FunctionPath::parse(&json.function).map_err(|error| error.to_string())?;
    match functions.iter().find(|info| info.path == function).map(|info| info.kind) {
        Some(FunctionKind::HttpAction) => Ok(Route { method: json.method.clone(), path, function }),
        Some(kind) => Err(format!("`{function}` is of the kind `{}`, not `httpAction`", kind.as_str())),
        None => Err(format!("there is no function `{function}` in its module")),
    }
}

/// A route as it stands in a manifest.
pub(crate) fn to_json(route: &Route) -> Json {
    let (field, path) = match &route.path {
        RoutePath::Exact(path) => ("path", path),
        RoutePath::Prefix(prefix) => ("pathPrefix", prefix),
    };
    json!({ "method": route.method, field: path, "function": route.function.to_string() })
}

#[cfg(test)]
mod tests {
    use crate::manifest;

    fn read(route: &str) -> Result<usize, String> {
        let functions = r#"{"path": "http:hook", "kind": "httpAction", "visibility": "public"},
            {"path": "chat:list", "kind": "query", "visibility": "public"}"#;
        let text = format!(r#"{{"functions": [{functions}], "routes": [{route}]}}"#);
        manifest::parse(text.as_bytes(), &[])
            .map(|manifest| manifest.routes.len())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn routes_are_read_and_wrong_ones_refused_with_what_is_wrong() {
        let hook = r#"{"method": "POST", "path": "/hook", "function": "http:hook"}"#;
        let files = r#"{"method": "GET", "pathPrefix": "/files/", "function": "http:hook"}"#;
        assert_eq!(read(&format!("{hook}, {files}")), Ok(2));
        let cases = [
            (format!("{hook}, {hook}"), "POST /hook: there are two of it"),
            (hook.replace("POST", "HEAD"), "its method must be one of"),
            (hook.replace("\"/hook", "\"hook"), "must begin with a `/`"),
            (files.replace("/files/", "/files"), "must end with a `/`"),
            (hook.replace("\"path\"", "\"way\""), "either a path or a path prefix"),
            (hook.replace("http:hook", "chat:list"), "`chat:list` is of the kind `query`"),
            (hook.replace("http:hook", "http:gone"), "there is no function `http:gone`"),
            (hook.replace("http:hook", "no path"), "is not the path of a function"),
        ];
        for (route, expected) in cases {
            let error = read(&route).unwrap_err();
            assert!(error.contains(expected), "{route}: {error}");
        }
    }
}
