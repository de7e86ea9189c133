//! What is deployed, as people and tools see it, and as the database's record keeps it.
//!
//! The record is JSON. A field that an older host has not written is absent; one that a newer host has added is not
//! looked at. Not here: when the record is written.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use weir_auth::{OwnHost, Providers};
use weir_db::{FunctionInfo, MissingFunctions, Visibility};
use weir_value::component::Mount;
use weir_value::{ComponentPath, ComponentTree, FunctionPath};

use super::{DeployError, Loaded, LoadedModule, ModuleProviders, Placed, providers};
use crate::component_files::ComponentHash;

/// What is deployed, for people and tools.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Counts the deployments since the server was started.
    pub version: u64,
    /// The modules, those that are missing too.
    pub modules: Vec<ModuleSummary>,
    /// All functions that can be called, in the order of their paths.
    pub functions: Vec<FunctionSummary>,
    /// The components, where they are mounted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub components: Vec<MountSummary>,
    /// Where components were mounted that are so no longer, and whose data are kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unmounted: Vec<String>,
    /// The modules that were deployed and cannot be run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<MissingModule>,
    /// Who may vouch for users: what their tokens have as `iss`.
    #[serde(default, rename = "authIssuers", skip_serializing_if = "Vec::is_empty")]
    pub issuers: Vec<String>,
}

impl Summary {
    /// The functions of the app itself, without those of what it mounts.
    pub fn app_functions(&self) -> impl Iterator<Item = &FunctionSummary> {
        let is_of_app = |path: &str| FunctionPath::parse(path).is_ok();
        self.functions.iter().filter(move |function| is_of_app(&function.path))
    }
}

/// A component, where it is mounted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MountSummary {
    /// Where: `waitlist/mail`.
    pub path: String,
    /// What it is.
    pub definition: String,
}

/// One deployed module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModuleSummary {
    /// Where it is mounted; empty for the app.
    #[serde(default, skip_serializing_if = "ComponentPath::is_app", with = "component_path")]
    pub component: ComponentPath,
    /// Its name.
    pub name: String,
    /// SHA-256 of its component, in hex.
    pub sha256: ComponentHash,
    /// The size of its component.
    #[serde(rename = "sizeBytes")]
    pub size_bytes: u64,
}

/// One deployed function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FunctionSummary {
    /// Its path.
    pub path: String,
    /// `query` or `mutation`.
    pub kind: String,
    /// `public` or `internal`.
    pub visibility: String,
}

/// A module that was deployed and cannot be run: its functions answer with an error, all others go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MissingModule {
    /// Its name.
    pub name: String,
    /// Its component's file, from the data folder.
    pub file: String,
    /// What is wrong with the file.
    pub reason: String,
    /// Its functions; absent when the host that deployed it did not record them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub functions: Option<Vec<FunctionSummary>>,
}

/// The database's record of the deployment.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) modules: Vec<RecordedModule>,
    /// Who may vouch for users, besides whom modules name, as it was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) auth: Option<Json>,
    /// Where actions may connect to besides the internet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) outbound: Vec<String>,
    /// What the app mounts.
    #[serde(default, skip_serializing_if = "ComponentTree::is_empty")]
    pub(super) components: ComponentTree,
}

/// A module in the record.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct RecordedModule {
    #[serde(flatten)]
    pub(super) module: ModuleSummary,
    /// Absent in records of hosts before there was this field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) functions: Option<Vec<FunctionSummary>>,
    /// Whom it names to vouch for users.
    #[serde(default, rename = "auth", skip_serializing_if = "Option::is_none")]
    pub(super) providers: Option<ModuleProviders>,
}

impl Record {
    /// Of modules that were loaded, with which `auth` was sent.
    ///
    /// # Errors
    /// A module cannot say who may vouch for users.
    pub(super) fn of(modules: &[Placed], loaded: &Loaded, auth: Option<Json>) -> Result<Record, DeployError> {
        let describe_all = |paths: &[FunctionPath]| {
            paths.iter().filter_map(|path| loaded.deployment.find(path)).map(|info| describe(&info)).collect()
        };
        let record = |(placed, loaded): (&Placed, &LoadedModule)| {
            let functions = Some(describe_all(&loaded.functions));
            // A component has no users of its own.
            let providers = match placed.mount.is_app() {
                true => loaded.providers.clone().map_err(DeployError::Providers)?,
                false => None,
            };
            Ok(RecordedModule { module: summarize(placed), functions, providers })
        };
        let modules = modules.iter().zip(&loaded.modules).map(record).collect::<Result<_, DeployError>>()?;
        Ok(Record { modules, auth, outbound: Vec::new(), components: ComponentTree::default() })
    }

    /// Who may vouch for users.
    ///
    /// # Errors
    /// What is wrong with what was said of that.
    pub(super) fn providers(&self, host: &OwnHost) -> Result<Providers, DeployError> {
        let modules = self.modules.iter().filter_map(|module| module.providers.as_ref());
        providers::combine(self.auth.as_ref(), modules, host)
    }

    /// The modules without their functions.
    pub(super) fn summaries(&self) -> Vec<ModuleSummary> {
        self.modules.iter().map(|recorded| recorded.module.clone()).collect()
    }

    /// What the table `_deployments` says of it.
    pub(super) fn event(&self) -> serde_json::Value {
        let functions = self.modules.iter().filter_map(|recorded| recorded.functions.as_ref());
        let functions: usize = functions.map(Vec::len).sum();
        let modules: Vec<&str> = self.modules.iter().map(|recorded| recorded.module.name.as_str()).collect();
        serde_json::json!({ "modules": modules, "functions": functions })
    }
}

impl MissingModule {
    /// What is missing, for whoever calls one of its functions.
    fn explain(&self) -> String {
        format!("module `{}` is missing, {}: {}", self.name, self.file, self.reason)
    }

    /// Adds its functions to those that cannot be run.
    pub(super) fn add_to(&self, missing: &mut MissingFunctions) {
        let reason: Arc<str> = self.explain().into();
        let Some(functions) = &self.functions else { return missing.insert_unknown(reason) };
        for function in functions {
            if let Ok(path) = FunctionPath::parse_qualified(&function.path) {
                missing.insert(path, function.parse_visibility(), Arc::clone(&reason));
            }
        }
    }
}

impl FunctionSummary {
    /// Of what is not known to be public, nobody hears.
    fn parse_visibility(&self) -> Visibility {
        Visibility::parse(&self.visibility).unwrap_or(Visibility::Internal)
    }
}

/// A function as it is shown and recorded.
pub(super) fn describe(info: &FunctionInfo) -> FunctionSummary {
    FunctionSummary {
        path: info.path.to_string(),
        kind: info.kind.as_str().to_owned(),
        visibility: info.visibility.as_str().to_owned(),
    }
}

/// A mount as it is shown.
pub(super) fn describe_mount(mount: &Mount) -> MountSummary {
    MountSummary { path: mount.path.to_string(), definition: mount.definition.clone() }
}

/// Paths of components, as their text.
mod component_path {
    use serde::{Deserialize, Deserializer, Serializer};
    use weir_value::ComponentPath;

    pub(super) fn serialize<S: Serializer>(path: &ComponentPath, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(path.as_str())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ComponentPath, D::Error> {
        let text = String::deserialize(deserializer)?;
        ComponentPath::parse(&text).map_err(serde::de::Error::custom)
    }
}

fn summarize(placed: &Placed) -> ModuleSummary {
    let Placed { mount, module } = placed;
    ModuleSummary {
        component: mount.clone(),
        name: module.name.clone(),
        sha256: ComponentHash::of(&module.component),
        size_bytes: module.component.len() as u64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn records_of_older_and_newer_hosts_are_read() {
        let old = format!(r#"{{"modules":[{{"name":"m","sha256":"{HASH}","sizeBytes":0}}]}}"#);
        let record: Record = serde_json::from_str(&old).unwrap();
        assert_eq!(record.modules[0].functions, None);
        assert_eq!(serde_json::to_string(&record).unwrap(), old);
        let function = r#"{"path":"m:f","kind":"query","visibility":"public"}"#;
        let auth = r#"{"place":"module `m`","config":{"providers":[]}}"#;
        let module =
            format!(r#""name":"m","sha256":"{HASH}","sizeBytes":0,"functions":[{function}],"auth":{auth}"#);
        let sent = r#""auth":{"providers":[]}"#;
        let new = format!(r#"{{"modules":[{{{module},"more":1}}],"more":2,{sent}}}"#);
        let record: Record = serde_json::from_str(&new).unwrap();
        assert_eq!(record.modules[0].functions.as_ref().unwrap()[0].path, "m:f");
        assert_eq!(
            serde_json::to_string(&record).unwrap(),
            format!(r#"{{"modules":[{{{module}}}],{sent}}}"#)
        );
    }

    #[test]
    fn the_apps_functions_are_told_from_those_of_components() {
        let function = |path: &str| FunctionSummary {
            path: path.to_owned(),
            kind: "query".to_owned(),
            visibility: "public".to_owned(),
        };
        let functions = ["a/b:f", "b:g", "a/b;m:f", "c;m:f"].map(function).into();
        let summary = Summary { functions, ..Summary::default() };
        let own: Vec<_> = summary.app_functions().map(|function| function.path.as_str()).collect();
        assert_eq!(own, ["a/b:f", "b:g"]);
    }

    #[test]
    fn a_missing_module_speaks_for_its_functions() {
        let function = |path: &str, visibility: &str| FunctionSummary {
            path: path.to_owned(),
            kind: "query".to_owned(),
            visibility: visibility.to_owned(),
        };
        let functions =
            vec![function("m:f", "public"), function("m:g", "internal"), function("m:h", "partners")];
        let module = MissingModule {
            name: "m".to_owned(),
            file: "components/e3.wasm".to_owned(),
            reason: "there is no such file".to_owned(),
            functions: Some(functions),
        };
        let mut missing = MissingFunctions::default();
        module.add_to(&mut missing);
        let find = |path: &str| missing.find(&FunctionPath::parse(path).unwrap());
        let found = find("m:f").unwrap();
        assert_eq!(&*found.reason, "module `m` is missing, components/e3.wasm: there is no such file");
        assert_eq!(found.visibility, Some(Visibility::Public));
        assert_eq!(find("m:g").unwrap().visibility, Some(Visibility::Internal));
        assert_eq!(find("m:h").unwrap().visibility, Some(Visibility::Internal));
        assert_eq!(find("m:i"), None);
        MissingModule { functions: None, ..module }.add_to(&mut missing);
        assert_eq!(missing.find(&FunctionPath::parse("m:i").unwrap()).unwrap().visibility, None);
    }
}
