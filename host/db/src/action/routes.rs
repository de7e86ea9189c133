//! Which HTTP requests which function answers.
use weir_value::FunctionPath;

/// A route to an HTTP action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The method, in capitals.
    pub method: String,
    /// Which paths.
    pub path: RoutePath,
    /// The function that answers.
    pub function: FunctionPath,
}

/// Which paths a route is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoutePath {
    /// One.
    Exact(String),
    /// All that begin so; it ends with a `/`.
    Prefix(String),
}

impl Route {
    /// How well it fits a request: longer is better, and an exact one is best. `None`: not at all. A `HEAD` is answered
    /// as a `GET`, by whoever leaves the body out.
    fn fit(&self, method: &str, path: &str) -> Option<usize> {
        let method = if method == "HEAD" { "GET" } else { method };
        let fits = self.method == method;
        match &self.path {
            RoutePath::Exact(exact) => (fits && exact == path).then_some(usize::MAX),
            RoutePath::Prefix(prefix) => (fits && path.starts_with(prefix)).then_some(prefix.len()),
        }
    }

    /// The route for a request: an exact one, or the longest prefix.
    pub fn find<'a>(routes: &'a [Route], method: &str, path: &str) -> Option<&'a Route> {
        let fitting = routes.iter().filter_map(|route| Some((route.fit(method, path)?, route)));
        fitting.max_by_key(|(fit, _)| *fit).map(|(_, route)| route)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_routes_come_first_and_then_the_longest_prefix() {
        let route = |method: &str, path: RoutePath, name: &str| Route {
            method: method.into(),
            path,
            function: FunctionPath::parse(&format!("http:{name}")).unwrap(),
        };
        let routes = [
            route("GET", RoutePath::Prefix("/".into()), "rest"),
            route("GET", RoutePath::Prefix("/a/b/".into()), "long"),
            route("GET", RoutePath::Prefix("/a/".into()), "short"),
            route("GET", RoutePath::Exact("/a/b/c".into()), "exact"),
            route("POST", RoutePath::Exact("/a/b/c".into()), "post"),
        ];
        let cases = [
            ("GET", "/a/b/c", Some("exact")),
            ("HEAD", "/a/b/c", Some("exact")),
            ("POST", "/a/b/c", Some("post")),
            ("GET", "/a/b/d", Some("long")),
            ("GET", "/a/b", Some("short")),
            ("GET", "/a", Some("rest")),
            ("PUT", "/a", None),
        ];
        for (method, path, expected) in cases {
            let found = Route::find(&routes, method, path).map(|route| route.function.function());
            assert_eq!(found, expected, "{method} {path}");
        }
    }
}
