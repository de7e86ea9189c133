//! The manifest: what a module says of its functions.
//!
//! Lenient where guests of a later version may say more (unknown fields), strict in all that the host relies on.
use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value as Json, json};
use thiserror::Error;
use weir_db::{Cron, FunctionInfo, FunctionKind, Route, Visibility};
use weir_value::limits::{CRONS_MAX, DEPLOY_FUNCTIONS_MAX, MANIFEST_BYTES_MAX};
use weir_value::{FunctionPath, Schema, SchemaError, Validator};

use crate::crons::{self, CronJson};
use crate::routes::{self, RouteJson};

/// Why a manifest was refused.
#[derive(Debug, Error)]
pub enum ManifestError {
    /// It is larger than a manifest may be.
    #[error("it has {bytes} bytes; at most {MANIFEST_BYTES_MAX} are allowed")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// It is not JSON, or not of a manifest's shape.
    #[error("it is not as `describe` in weir:guest says: {0}")]
    Shape(#[from] serde_json::Error),
    /// It has more functions than a deployment may have.
    #[error("it has {count} functions; at most {DEPLOY_FUNCTIONS_MAX} are allowed")]
    TooManyFunctions {
        /// How many.
        count: usize,
    },
    /// A path is not a valid function path.
    #[error("`{path}` is not a valid function path: {reason}; write it as `module:function`")]
    Path {
        /// As it stands in the manifest.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A path is not in its canonical form, in which the host calls it.
    #[error("the function path `{path}` must be written `{canonical}`")]
    PathForm {
        /// As it stands in the manifest.
        path: String,
        /// As it must stand.
        canonical: String,
    },
    /// Two functions have one path.
    #[error("it has two functions `{path}`")]
    DuplicateFunction {
        /// The path.
        path: FunctionPath,
    },
    /// A function of a kind that this host does not run.
    #[error(
        "the function `{path}` is of the kind `{kind}`; this host runs `query`, `mutation`, `action` and `httpAction`"
    )]
    Kind {
        /// The function.
        path: String,
        /// Its kind.
        kind: String,
    },
    /// A function of Node that is no action.
    #[error("the function `{path}` is to run in Node and is of the kind `{kind}`; only actions can")]
    NodeKind {
        /// The function.
        path: FunctionPath,
        /// Its kind.
        kind: &'static str,
    },
    /// A function for callers that this host does not know.
    #[error(
        "the function `{path}` has the visibility `{visibility}`; this host knows `public` and `internal`"
    )]
    Visibility {
        /// The function.
        path: String,
        /// Its visibility.
        visibility: String,
    },
    /// A validator is invalid.
    #[error("the function `{path}` has a wrong validator in `{field}`: {reason}")]
    Validator {
        /// The function.
        path: String,
        /// `args` or `returns`.
        field: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A route is not one.
    #[error("the route {method} {path}: {reason}")]
    Route {
        /// Its method.
        method: String,
        /// Its path, or the beginning of its paths.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// It has more cron jobs than a deployment may have.
    #[error("it has {count} cron jobs; at most {CRONS_MAX} are allowed")]
    TooManyCrons {
        /// How many.
        count: usize,
    },
    /// A cron job cannot be.
    #[error("the cron job `{name}`: {reason}")]
    Cron {
        /// Its name.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The schema is not one.
    #[error("its schema is wrong: {0}")]
    Schema(#[from] SchemaError),
    /// Arguments are one object.
    #[error(
        "the function `{path}` has a validator in `args` that is neither an object nor `any`; arguments are an object"
    )]
    ArgsNotObject {
        /// The function.
        path: String,
    },
}

#[derive(Deserialize)]
struct ManifestJson {
    functions: Vec<FunctionJson>,
    #[serde(default)]
    schema: Option<Json>,
    #[serde(default)]
    auth: Option<Json>,
    #[serde(default, rename = "authError")]
    auth_error: Option<String>,
    #[serde(default, rename = "authFile")]
    auth_file: Option<String>,
    #[serde(default)]
    routes: Vec<RouteJson>,
    #[serde(default)]
    crons: Vec<CronJson>,
}

/// What a module says of who may vouch for users. Whether it makes sense is for others to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleAuth {
    /// The file that says so, in the module's project.
    pub file: Option<String>,
    /// `{"providers": [...]}`, or why the module cannot say it with the variables that it was given, in words for
    /// whoever deploys.
    pub config: Result<Json, String>,
}

/// What a module says of itself.
#[derive(Debug)]
pub(crate) struct Manifest {
    /// Its functions, in their order there.
    pub(crate) functions: Vec<Arc<FunctionInfo>>,
    /// The tables that it declares, if it declares any.
    pub(crate) schema: Option<Schema>,
    /// Who may vouch for users, if it says so.
    pub(crate) auth: Option<ModuleAuth>,
    /// Which HTTP requests which of its functions answers.
    pub(crate) routes: Vec<Route>,
    /// The cron jobs that it declares.
    pub(crate) crons: Vec<Cron>,
}

/// A function as a manifest has it.
#[derive(Debug, Deserialize)]
pub(crate) struct FunctionJson {
    path: String,
    kind: String,
    visibility: String,
    #[serde(default)]
    args: Option<Json>,
    #[serde(default)]
    returns: Option<Json>,
}

/// Reads a manifest. `node` are functions of the module that it does not name, because they run in Node: actions.
pub(crate) fn parse(manifest: &[u8], node: &[FunctionJson]) -> Result<Manifest, ManifestError> {
    if manifest.len() > MANIFEST_BYTES_MAX {
        return Err(ManifestError::TooLarge { bytes: manifest.len() });
    }
    let manifest: ManifestJson = serde_json::from_slice(manifest)?;
    let count = manifest.functions.len() + node.len();
    if count > DEPLOY_FUNCTIONS_MAX {
        return Err(ManifestError::TooManyFunctions { count });
    }
    let mut paths = BTreeSet::new();
    let mut functions = Vec::with_capacity(count);
    for (function, is_node) in manifest
        .functions
        .iter()
        .map(|function| (function, false))
        .chain(node.iter().map(|node| (node, true)))
    {
        let info = parse_function(function)?;
        if is_node && info.kind != FunctionKind::Action {
            return Err(ManifestError::NodeKind { path: info.path, kind: info.kind.as_str() });
        }
        if !paths.insert(info.path.clone()) {
            return Err(ManifestError::DuplicateFunction { path: info.path });
        }
        functions.push(Arc::new(info));
    }
    let schema = manifest.schema.as_ref().map(Schema::from_json).transpose()?;
    let routes = routes::parse(&manifest.routes, &functions)?;
    let crons = crons::parse(&manifest.crons)?;
    let config = manifest.auth_error.map(Err).or(manifest.auth.map(Ok));
    let auth = config.map(|config| ModuleAuth { file: manifest.auth_file, config });
    Ok(Manifest { functions, schema, auth, routes, crons })
}

/// Reads a manifest by itself, without the component that gives it, and gives it back as the host tells of it: as
/// [`Deployment::manifest`](crate::Deployment::manifest) does. What is wrong with it before anything is compiled.
///
/// # Errors
/// As for the load of a component with this manifest; not that a cron job's function is missing, which others may have.
pub fn check_manifest(manifest: &[u8]) -> Result<Json, ManifestError> {
    let Manifest { functions, schema, routes, crons, .. } = parse(manifest, &[])?;
    Ok(json!({
        "functions": functions.iter().map(|info| to_json(info, false)).collect::<Vec<_>>(),
        "schema": schema.unwrap_or_default().to_json(),
        "routes": routes.iter().map(routes::to_json).collect::<Vec<_>>(),
        "crons": crons.iter().map(crons::to_json).collect::<Vec<_>>(),
    }))
}

fn parse_function(function: &FunctionJson) -> Result<FunctionInfo, ManifestError> {
    let path = parse_path(&function.path)?;
    let kind = FunctionKind::parse(&function.kind)
        .ok_or_else(|| ManifestError::Kind { path: function.path.clone(), kind: function.kind.clone() })?;
    let visibility = Visibility::parse(&function.visibility).ok_or_else(|| ManifestError::Visibility {
        path: function.path.clone(),
        visibility: function.visibility.clone(),
    })?;
    let args = parse_validator(&function.path, "args", function.args.as_ref())?;
    if !matches!(args, Validator::Any | Validator::Object(_)) {
        return Err(ManifestError::ArgsNotObject { path: function.path.clone() });
    }
    let returns = parse_validator(&function.path, "returns", function.returns.as_ref())?;
    Ok(FunctionInfo { path, kind, visibility, args, returns })
}

fn parse_path(text: &str) -> Result<FunctionPath, ManifestError> {
    let path = FunctionPath::parse(text)
        .map_err(|error| ManifestError::Path { path: text.to_owned(), reason: error.to_string() })?;
    let canonical = path.to_string();
    if canonical != text {
        return Err(ManifestError::PathForm { path: text.to_owned(), canonical });
    }
    Ok(path)
}

fn parse_validator(path: &str, field: &'static str, json: Option<&Json>) -> Result<Validator, ManifestError> {
    let Some(json) = json else { return Ok(Validator::Any) };
    Validator::from_json(json).map_err(|error| ManifestError::Validator {
        path: path.to_owned(),
        field,
        reason: error.to_string(),
    })
}

/// A function as it stands in a manifest, and whether it runs in Node.
pub(crate) fn to_json(info: &FunctionInfo, is_node: bool) -> Json {
    json!({
        "runtime": if is_node { "node" } else { "weir" },
        "path": info.path.to_string(),
        "kind": info.kind.as_str(),
        "visibility": info.visibility.as_str(),
        "args": info.args.to_json(),
        "returns": info.returns.to_json(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEND: &str = r#"{"path": "chat:send", "kind": "mutation", "visibility": "public",
        "args": {"type": "object", "value": {"body": {"fieldType": {"type": "string"}, "optional": false}}},
        "returns": {"type": "null"}, "cost": 3}"#;

    fn manifest(functions: &[&str]) -> String {
        format!(r#"{{"sdk": "rust 9.9", "functions": [{}]}}"#, functions.join(","))
    }

    #[test]
    fn a_manifest_is_read_and_its_unknown_fields_are_ignored() {
        let list = r#"{"path": "chat:list", "kind": "query", "visibility": "internal"}"#;
        let functions = parse(manifest(&[SEND, list]).as_bytes(), &[]).unwrap().functions;
        let paths: Vec<_> = functions.iter().map(|info| info.path.to_string()).collect();
        assert_eq!(paths, ["chat:send", "chat:list"]);
        assert_eq!(functions[0].kind, FunctionKind::Mutation);
        assert!(matches!(functions[0].args, Validator::Object(_)));
        assert!(matches!(functions[1].args, Validator::Any));
        assert_eq!(functions[1].visibility, Visibility::Internal);
    }

    #[test]
    fn a_schema_is_read_where_there_is_one() {
        assert!(parse(manifest(&[]).as_bytes(), &[]).unwrap().schema.is_none());
        let with = |table: &str| format!(r#"{{"functions": [], "schema": {{"tables": [{table}]}}}}"#);
        let schema = parse(with(r#"{"tableName": "a"}"#).as_bytes(), &[]).unwrap().schema.unwrap();
        assert!(schema.tables.contains_key("a"));
        let error = parse(with(r#"{"tableName": "_a"}"#).as_bytes(), &[]).unwrap_err().to_string();
        assert!(error.contains("schema is wrong") && error.contains("_a"), "{error}");
    }

    #[test]
    fn who_may_vouch_for_users_is_passed_on() {
        let read = |rest: &str| parse(format!(r#"{{"functions": []{rest}}}"#).as_bytes(), &[]).unwrap().auth;
        assert_eq!(read(""), None);
        assert_eq!(read(r#", "auth": null, "authFile": "auth.ts""#), None);
        let config = Ok(json!({ "providers": [{ "domain": 7 }] }));
        let passed_on = ModuleAuth { file: Some("auth.ts".to_owned()), config };
        let auth = r#", "auth": {"providers": [{"domain": 7}]}, "authFile": "auth.ts""#;
        assert_eq!(read(auth), Some(passed_on));
        let failed = ModuleAuth { file: None, config: Err("set X".to_owned()) };
        assert_eq!(read(r#", "authError": "set X""#), Some(failed));
    }

    #[test]
    fn a_function_goes_to_json_and_back() {
        let info = parse(manifest(&[SEND]).as_bytes(), &[]).unwrap().functions.remove(0);
        let again = parse(manifest(&[&to_json(&info, false).to_string()]).as_bytes(), &[])
            .unwrap()
            .functions
            .remove(0);
        assert_eq!(format!("{info:?}"), format!("{again:?}"));
    }

    #[test]
    fn functions_of_node_stand_beside_the_others() {
        let node = |text: &str| serde_json::from_str::<FunctionJson>(text).unwrap();
        let mail = node(r#"{"path": "mail:send", "kind": "action", "visibility": "internal"}"#);
        let functions = parse(manifest(&[SEND]).as_bytes(), &[mail]).unwrap().functions;
        assert_eq!(functions[1].path.to_string(), "mail:send");
        let (same, other) = (SEND.replace("mutation", "action"), SEND.replace("chat:", "mail:"));
        for (text, expected) in [(&same, "two functions `chat:send`"), (&other, "only actions can")] {
            let error = parse(manifest(&[SEND]).as_bytes(), &[node(text)]).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn a_wrong_manifest_is_refused_with_what_is_wrong() {
        let with = |from: &str, to: &str| manifest(&[&SEND.replace(from, to)]);
        let cases = [
            (String::new(), "EOF"),
            ("[]".into(), "describe"),
            ("{}".into(), "functions"),
            (r#"{"functions": [{}]}"#.into(), "path"),
            (manifest(&[SEND, SEND]), "two functions `chat:send`"),
            (with("chat:send", ""), "not a valid function path"),
            (with("chat:send", "chat:se nd"), "not a valid function path"),
            (with("chat:send", "../../etc:passwd"), "not a valid function path"),
            (with("chat:send", "chat.js:send"), "must be written `chat:send`"),
            (with("mutation", "cron"), "kind `cron`"),
            (with("public", "secret"), "visibility `secret`"),
            (with(r#""type": "string""#, r#""type": "strung""#), "wrong validator in `args`"),
            (with(r#""returns": {"type": "null"}"#, r#""returns": {"type": "nil"}"#), "in `returns`"),
            (
                manifest(&[r#"{"path": "a:b", "kind": "query", "visibility": "public",
                "args": {"type": "string"}}"#]),
                "arguments are an object",
            ),
            (" ".repeat(MANIFEST_BYTES_MAX + 1), "at most"),
        ];
        for (text, expected) in cases {
            let error = parse(text.as_bytes(), &[]).unwrap_err().to_string();
            assert!(error.contains(expected), "{text:.200}: {error}");
        }
    }
}
