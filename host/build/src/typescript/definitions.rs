//! The components of a project: what every `convex.config.ts` says, its packages' included.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use weir_value::component::{DeclaredVariable, SentBinding};

use crate::build::{BuildError, Progress};
use crate::memory::{Began, Kept, Memory};
use crate::scratch::Scratch;
use crate::{Module, process};

use super::{bundle, cache_of, node, sdk};

/// The files that say what a folder mounts.
const CONFIGS: [&str; 2] = ["convex.config.ts", "convex.config.js"];

/// What is to be found.
#[derive(Serialize)]
pub(crate) struct Request {
    /// The project's folder, which names of files are relative to.
    pub(crate) root: PathBuf,
    /// The folders of the app's functions that have a config.
    pub(crate) apps: Vec<PathBuf>,
    /// Folders of components.
    pub(crate) folders: Vec<PathBuf>,
    /// Packages of components.
    pub(crate) packages: Vec<String>,
}

impl Request {
    pub(crate) fn is_empty(&self) -> bool {
        self.apps.is_empty() && self.folders.is_empty() && self.packages.is_empty()
    }
}

/// What there is.
#[derive(Default, Deserialize)]
pub(crate) struct Found {
    /// What the app's own configs say.
    pub(crate) apps: Vec<Config>,
    /// Each component, those that are mounted before those that mount them.
    pub(crate) definitions: Vec<Config>,
    /// The folders of the definitions that were asked for as folders, in order.
    pub(crate) folders: Vec<PathBuf>,
    /// The folders of the definitions that were asked for as packages, in order.
    pub(crate) packages: Vec<PathBuf>,
    inputs: Vec<PathBuf>,
}

/// What one config says.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Config {
    /// The folder of its functions.
    pub(crate) folder: PathBuf,
    /// The config itself.
    pub(crate) file: PathBuf,
    /// The package that it was found in.
    pub(crate) specifier: Option<String>,
    /// What the paths of the app's routes begin with.
    pub(crate) http_prefix: Option<String>,
    pub(crate) variables: BTreeMap<String, DeclaredVariable>,
    pub(crate) mounts: Vec<ConfigMount>,
}

/// One `use` of a config.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ConfigMount {
    pub(crate) name: String,
    /// The folder of the definition.
    pub(crate) folder: PathBuf,
    pub(crate) http_prefix: Option<String>,
    pub(crate) variables: BTreeMap<String, SentBinding>,
}

impl Config {
    /// Whether its source is the developer's, and not a package that was built: as npm `convex` tells them apart.
    pub(crate) fn is_source(&self) -> bool {
        let is_installed = self.folder.components().any(|part| part.as_os_str() == "node_modules");
        !is_installed && self.file.extension().is_some_and(|extension| extension == "ts")
    }
}

/// Whether a folder of functions has a config.
pub(crate) fn has_config(folder: &Path) -> bool {
    CONFIGS.iter().any(|name| folder.join(name).is_file())
}

/// Evaluates the configs. `module` is one of those that ask, for what is said.
pub(crate) fn find(
    request: &Request,
    module: &Module,
    memory: &mut Memory,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Arc<Found>, BuildError> {
    let text = serde_json::to_string(request)
        .map_err(|error| BuildError::source(module, format!("a path is not UTF-8: {error}")))?;
    if let Some(found) = memory.found.as_ref().and_then(|kept| kept.get(&text)) {
        return Ok(found);
    }
    let began = Began::now();
    node::check(module)?;
    let of_apps = request.apps.iter().filter_map(|functions| functions.parent());
    for folder in of_apps.chain(request.folders.iter().map(PathBuf::as_path)).filter(|folder| folder.is_dir())
    {
        let path = folder.to_path_buf();
        bundle::ensure_packages(&Module { path, ..module.clone() }, progress)?;
    }
    let sdk = sdk::obtain(module, &cache_of(module)?, progress)?;
    let out = Scratch::new()?;
    let (asked, answer) = (out.path().join("request.json"), out.path().join("found.json"));
    std::fs::write(&asked, &text).map_err(|source| BuildError::file("write", &asked, source))?;
    let mut command = Command::new("node");
    command.arg(sdk.folder.join("build/components.mjs")).arg(&asked).arg(&answer).current_dir(&module.path);
    process::run(module, &mut command, progress)?;
    let answer = std::fs::read(&answer).map_err(|source| BuildError::file("read", &answer, source))?;
    let found: Found = serde_json::from_slice(&answer)
        .map_err(|error| BuildError::source(module, format!("what its convex.config.ts says: {error}")))?;
    let found = Arc::new(found);
    memory.found = Kept::new(began, found.inputs.clone(), &text, Arc::clone(&found));
    Ok(found)
}
