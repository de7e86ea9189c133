//! A component in TypeScript: the functions of one folder, built once, however often they are mounted.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::Module;
use crate::build::{BuildError, Compiled, Progress};
use crate::manifest::{Described, Function};
use crate::memory::{Began, Kept, Memory, listing};

use super::codegen::{self, Types};
use super::{begin, bundle, engine_of, finish, load};

/// A definition that is to be built.
pub(crate) struct Component {
    /// Its name among the deployment's modules, and the project's folder that it is built in.
    pub(crate) module: Module,
    /// The folder of its functions.
    pub(crate) folder: PathBuf,
    /// Whether its source is the developer's: it gets generated files, which a package has with it.
    pub(crate) is_source: bool,
    /// What those tell of it.
    pub(crate) types: Types,
}

/// What a build gives of it.
pub(crate) struct BuiltComponent {
    /// `None`: it has neither functions nor tables.
    pub(crate) compiled: Option<Compiled>,
    /// Its functions, if it could be asked for them.
    pub(crate) functions: Option<Vec<Function>>,
}

impl Component {
    /// Writes the generated files that its build reads.
    pub(crate) fn codegen(&self) -> Result<Vec<PathBuf>, BuildError> {
        if self.is_source { codegen::component(&self.folder, &self.types) } else { Ok(Vec::new()) }
    }

    /// Writes what those who mount it import, too: its functions' types.
    pub(crate) fn codegen_api(&self, built: &BuiltComponent) -> Result<Vec<PathBuf>, BuildError> {
        if self.is_source {
            codegen::component_api(&self.folder, built.functions.as_deref())
        } else {
            Ok(Vec::new())
        }
    }

    /// Builds it, unless it was built of the same files before.
    pub(crate) fn build(
        &self,
        memory: &mut Memory,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<Arc<BuiltComponent>, BuildError> {
        let began = Began::now();
        let besides = format!("{}\n{}", self.module.name, listing(&self.folder));
        if let Some(built) = memory.built.get(&self.folder).and_then(|kept| kept.get(&besides)) {
            return Ok(built);
        }
        memory.made += 1;
        let module = &self.module;
        let (sdk, cache) = begin(module, progress)?;
        let bundle = bundle::make(module, Some(&self.folder), &sdk, progress)?;
        let engine = engine_of(module, &sdk, &cache, memory, progress)?;
        let (snapshot, given) = load(module, &engine, &bundle, true, progress);
        let is_empty = snapshot.as_ref().is_ok_and(|snapshot| snapshot.is_empty()) && bundle.node.is_none();
        let functions =
            snapshot.as_ref().ok().and_then(|snapshot| functions(snapshot.manifest.as_deref()?, &bundle));
        let memory_module = snapshot.and_then(|snapshot| snapshot.check_component());
        let compiled = match is_empty && memory_module.is_ok() {
            true => None,
            false => Some(finish(module, &engine, &bundle, memory_module, &given, progress)?),
        };
        let mut files = bundle.inputs;
        files.extend(compiler_settings(&self.folder, &module.path));
        let built = Arc::new(BuiltComponent { compiled, functions });
        match Kept::new(began, files, &besides, Arc::clone(&built)) {
            Some(kept) => memory.built.insert(self.folder.clone(), kept),
            None => memory.built.remove(&self.folder),
        };
        Ok(built)
    }
}

/// All functions, those that run in Node included.
fn functions(manifest: &[u8], bundle: &bundle::Bundle) -> Option<Vec<Function>> {
    let mut found = serde_json::from_slice::<Described>(manifest).ok()?.functions;
    if let Some(node) = &bundle.node {
        let of_node = serde_json::from_str::<Described>(&node.description).ok()?.functions;
        found.retain(|function| of_node.iter().all(|other| other.path != function.path));
        found.extend(of_node);
    }
    Some(found)
}

/// What the bundler reads besides the sources: it looks in every folder up to the project's.
fn compiler_settings(folder: &Path, project: &Path) -> Vec<PathBuf> {
    let is_inside = folder.starts_with(project);
    let folders = folder.ancestors().take_while(|folder| is_inside && folder.starts_with(project));
    folders.flat_map(|folder| ["tsconfig.json", "package.json"].map(|name| folder.join(name))).collect()
}
