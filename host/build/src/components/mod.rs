//! The components of a project: which there are, what mounts what, and what of them is to be built.

mod keys;
mod planned;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use weir_value::component::{ComponentError, ComponentTree, DeclaredMount, Definition};

use crate::Module;
use crate::build::{BuildError, BuiltModule, Progress, Told};
use crate::memory::Memory;
use crate::project::{ComponentSource, Language, MountedComponent, Project};
use crate::references::Mount;
use crate::typescript::{self, Config, ConfigMount, Found, MountType, Request, Types};
use keys::Keys;
pub(crate) use keys::relative;
use planned::BuiltDefinition;
pub(crate) use planned::{Planned, Source};

/// What there is, before it is built.
#[derive(Default)]
pub(crate) struct Components {
    /// What mounts what. Every definition has one module; one that turns out to be empty loses it when it is built.
    pub(crate) tree: ComponentTree,
    /// What is to be built, in the order of the definitions' names.
    pub(crate) planned: Vec<Planned>,
    /// What the app's generated files tell of it.
    pub(crate) app: Types,
}

/// Finds a project's components, and checks what mounts what.
///
/// # Errors
/// A config cannot be evaluated, or what they say together makes no sense; each error names the file.
pub(crate) fn find(
    project: &Project,
    memory: &mut Memory,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Components, BuildError> {
    let found = find_typescript(project, memory, progress)?;
    let components = Plan::new(project, &found).finish()?;
    let modules = components.planned.iter().map(|planned| planned.module().name.as_str());
    components.tree.mounts(&modules.collect::<Vec<_>>())?;
    Ok(components)
}

fn find_typescript(
    project: &Project,
    memory: &mut Memory,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Arc<Found>, BuildError> {
    let with_config = project.modules.iter().filter(|module| {
        module.language == Language::TypeScript
            && typescript::has_config(&typescript::functions_folder(module))
    });
    let with_config: Vec<_> = with_config.collect();
    let sources = || project.components.iter().map(|component| &component.source);
    let folders = sources().filter_map(|source| match source {
        ComponentSource::Folder(Language::TypeScript, folder) => Some(folder.clone()),
        _ => None,
    });
    let packages = sources().filter_map(|source| match source {
        ComponentSource::Package(name) => Some(name.clone()),
        _ => None,
    });
    let request = Request {
        root: project.root.clone(),
        apps: with_config.iter().map(|module| typescript::functions_folder(module)).collect(),
        folders: folders.collect(),
        packages: packages.collect(),
    };
    if request.is_empty() {
        return Ok(Arc::default());
    }
    let path = match (with_config.first(), request.folders.first()) {
        (Some(module), _) => module.path.clone(),
        (None, Some(folder)) if folder.is_dir() => folder.clone(),
        _ => project.root.clone(),
    };
    let name = with_config.first().map_or("components", |module| module.name.as_str()).to_owned();
    let asking = Module::new(name, Language::TypeScript, path);
    typescript::find(&request, &asking, memory, progress)
}

/// Puts together what the configs and `host.toml` say.
struct Plan<'a> {
    project: &'a Project,
    found: &'a Found,
    keys: Keys,
    planned: BTreeMap<String, Planned>,
    tree: ComponentTree,
    app: Types,
    /// The file that says what the paths of the app's routes begin with.
    prefix_by: Option<String>,
}

impl<'a> Plan<'a> {
    fn new(project: &'a Project, found: &'a Found) -> Self {
        let keys = Keys::new(&project.root, project.modules.iter().map(|module| module.name.clone()));
        let (tree, app) = Default::default();
        Plan { project, found, keys, planned: BTreeMap::new(), tree, app, prefix_by: None }
    }

    fn finish(mut self) -> Result<Components, BuildError> {
        for config in &self.found.definitions {
            self.keys.of_config(config);
        }
        for config in &self.found.definitions {
            self.define_typescript(config);
        }
        for config in &self.found.apps {
            self.add_app(config)?;
        }
        let (mut folders, mut packages) = (self.found.folders.iter(), self.found.packages.iter());
        for component in &self.project.components {
            let of = match &component.source {
                ComponentSource::Folder(Language::TypeScript, _) => folders.next(),
                ComponentSource::Package(_) => packages.next(),
                ComponentSource::Folder(..) | ComponentSource::File(_) => None,
            };
            self.add_mounted(component, of)?;
        }
        Ok(Components { tree: self.tree, planned: self.planned.into_values().collect(), app: self.app })
    }

    fn define_typescript(&mut self, config: &Config) {
        let key = self.keys.of_folder(&config.folder);
        let place = self.keys.place(&config.file);
        let mounts = config.mounts.iter().map(|mount| self.declared(mount, &place)).collect();
        let module = Module::new(self.keys.module(&key), Language::TypeScript, self.base(&config.folder));
        let types = config.mounts.iter().map(|mount| (mount.name.clone(), self.type_of(&mount.folder)));
        let component = typescript::Component {
            folder: config.folder.clone(),
            is_source: config.is_source(),
            types: Types { mounts: types.collect(), variables: config.variables.clone() },
            module,
        };
        let modules = vec![component.module.name.clone()];
        let variables = config.variables.clone();
        self.tree.definitions.insert(key.clone(), Definition { modules, variables, mounts });
        self.planned.insert(key.clone(), Planned { key, source: Source::TypeScript(component) });
    }

    fn declared(&self, mount: &ConfigMount, place: &str) -> DeclaredMount {
        DeclaredMount {
            name: mount.name.clone(),
            definition: self.keys.of_folder(&mount.folder),
            http_prefix: mount.http_prefix.clone(),
            variables: mount.variables.clone(),
            place: place.to_owned(),
        }
    }

    /// What the app's own config says; of several, what all of them say.
    fn add_app(&mut self, config: &Config) -> Result<(), BuildError> {
        let place = self.keys.place(&config.file);
        for mount in &config.mounts {
            self.mount_in_app(self.declared(mount, &place), self.type_of(&mount.folder))?;
        }
        for (name, variable) in &config.variables {
            let other = self.tree.variables.insert(name.clone(), variable.clone());
            if other.is_some_and(|other| other != *variable) {
                let reason =
                    format!("another convex.config.ts declares the variable `{name}` in another way");
                return Err(ComponentError { place, reason }.into());
            }
        }
        self.app.variables = self.tree.variables.clone();
        if let Some(prefix) = &config.http_prefix {
            if let Some(other) = self.prefix_by.replace(place.clone()) {
                let reason = format!("{other} gives the app a `httpPrefix` too; an app has one");
                return Err(ComponentError { place, reason }.into());
            }
            self.tree.http_prefix = Some(prefix.clone());
        }
        Ok(())
    }

    /// What `host.toml` mounts. `folder` is that of the definition, in TypeScript.
    fn add_mounted(
        &mut self,
        component: &MountedComponent,
        folder: Option<&PathBuf>,
    ) -> Result<(), BuildError> {
        let (definition, type_) = match (folder, &component.source) {
            (Some(folder), _) => (self.keys.of_folder(folder), self.type_of(folder)),
            (None, source) => (self.define_other(component, source), MountType::Any),
        };
        let mount = DeclaredMount {
            name: component.name.clone(),
            definition,
            http_prefix: component.http_prefix.clone(),
            variables: component.variables.clone(),
            place: component.place.clone(),
        };
        self.mount_in_app(mount, type_)
    }

    /// A component in another language, or one that is built; its name.
    fn define_other(&mut self, component: &MountedComponent, source: &ComponentSource) -> String {
        let (path, language) = match source {
            ComponentSource::Folder(language, path) => (path, Some(*language)),
            ComponentSource::File(path) => (path, None),
            ComponentSource::Package(_) => unreachable!("a package's folder was found"),
        };
        let key = self.keys.of_folder(path);
        if self.planned.contains_key(&key) {
            return key;
        }
        let module = self.keys.module(&key);
        let source = match language {
            Some(language) => Source::Folder(Module::new(module.clone(), language, path.clone())),
            // The language says nothing of one that is built.
            None => Source::File(Module::new(module.clone(), Language::Rust, path.clone())),
        };
        let variables = component.declared.clone();
        let definition = Definition { modules: vec![module], variables, mounts: Vec::new() };
        self.tree.definitions.insert(key.clone(), definition);
        self.planned.insert(key.clone(), Planned { key: key.clone(), source });
        key
    }

    fn mount_in_app(&mut self, mount: DeclaredMount, type_: MountType) -> Result<(), BuildError> {
        let same = self.tree.mounts.iter().find(|other| other.name == mount.name);
        // Of two in one file, the tree itself says it.
        if let Some(other) = same.filter(|other| other.place != mount.place) {
            let reason = format!(
                "{} mounts a component as `{}` too; give one of them another name",
                other.place, mount.name
            );
            return Err(ComponentError { place: mount.place, reason }.into());
        }
        self.app.mounts.insert(mount.name.clone(), type_);
        self.tree.mounts.push(mount);
        Ok(())
    }

    /// Where the types of the component of a folder are.
    fn type_of(&self, folder: &Path) -> MountType {
        let Some(config) = self.found.definitions.iter().find(|config| config.folder == folder) else {
            return MountType::Any;
        };
        let is_there = ["component.d.ts", "component.ts"]
            .iter()
            .any(|name| folder.join("_generated").join(name).is_file());
        match &config.specifier {
            _ if config.is_source() => MountType::Folder(folder.to_path_buf()),
            Some(package) if is_there => MountType::Package(package.clone()),
            _ => MountType::Any,
        }
    }

    /// The folder that names of a component's files are relative to: the innermost of the project's that it lies in.
    fn base(&self, folder: &Path) -> PathBuf {
        let typescript = |language: Language| language == Language::TypeScript;
        let modules = self.project.modules.iter().filter(|module| typescript(module.language));
        let modules = modules.map(|module| &module.path);
        let mounted = self.project.components.iter().filter_map(|component| match &component.source {
            ComponentSource::Folder(Language::TypeScript, path) => Some(path),
            _ => None,
        });
        let bases: Vec<_> = modules.chain(mounted).collect();
        let around = bases.iter().filter(|base| folder.starts_with(base));
        let innermost = around.max_by_key(|base| base.as_os_str().len()).or(bases.first());
        innermost.map_or_else(|| self.project.root.clone(), |base| (*base).clone())
    }
}

/// What the builds of definitions give.
pub(crate) struct BuiltComponents {
    /// The modules of those that have one, in the order of the definitions' names.
    pub(crate) modules: Vec<BuiltModule>,
    /// What the app's modules are told of what it mounts.
    pub(crate) told: Told,
}

impl Components {
    /// Builds all definitions. One that has neither functions nor tables is no module.
    pub(crate) fn build(
        &mut self,
        out: Option<&Path>,
        memory: &mut Memory,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<BuiltComponents, BuildError> {
        let all: Vec<_> = self.planned.iter().collect();
        let (built, told) = self.build_these(&all, out, memory, progress)?;
        let mut modules = Vec::new();
        for (key, definition) in built {
            match (definition.module, self.tree.definitions.get_mut(&key)) {
                (Some(module), _) => modules.push(module),
                (None, Some(definition)) => definition.modules.clear(),
                (None, None) => {}
            }
        }
        // What is mounted no more is not kept.
        let folders: Vec<_> =
            self.planned.iter().filter_map(Planned::typescript).map(|it| &it.folder).collect();
        memory.built.retain(|folder, _| folders.contains(&folder));
        memory.asked.end_build();
        Ok(BuiltComponents { modules, told })
    }

    /// Writes the generated files of the components whose source is the developer's, and gives those that have changed,
    /// with what the app's modules are told. Of the others those are built that somebody has to be told of.
    pub(crate) fn codegen(
        &self,
        has_references: bool,
        memory: &mut Memory,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<(Vec<PathBuf>, Told), BuildError> {
        let is_told_of = |key: &str| {
            let mut mounts = self.tree.mounts.iter().filter(|mount| mount.definition == key);
            mounts.any(|mount| {
                has_references || matches!(self.app.mounts.get(&mount.name), Some(MountType::Any))
            })
        };
        let is_source = |planned: &Planned| planned.typescript().is_some_and(|it| it.is_source);
        let needed = self.planned.iter().filter(|planned| is_source(planned) || is_told_of(&planned.key));
        let needed: Vec<_> = needed.collect();
        let (built, told) = self.build_these(&needed, None, memory, progress)?;
        Ok((built.into_values().flat_map(|definition| definition.generated).collect(), told))
    }

    fn build_these(
        &self,
        planned: &[&Planned],
        out: Option<&Path>,
        memory: &mut Memory,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<(BTreeMap<String, BuiltDefinition>, Told), BuildError> {
        let mut built = BTreeMap::new();
        // A component may import what is generated of another one.
        let mut generated = Vec::new();
        for component in planned.iter().filter_map(|planned| planned.typescript()) {
            generated.extend(component.codegen()?);
        }
        for planned in planned {
            let mut definition = planned.build(out, memory, progress)?;
            definition.generated.append(&mut generated);
            built.insert(planned.key.clone(), definition);
        }
        let told = self.told(&built);
        Ok((built, told))
    }

    /// What the app's modules are told, as far as definitions are built.
    fn told(&self, built: &BTreeMap<String, BuiltDefinition>) -> Told {
        let mut types = self.app.clone();
        let mut mounts = Vec::new();
        for mount in &self.tree.mounts {
            let functions = built.get(&mount.definition).and_then(|definition| definition.functions.clone());
            if let (Some(type_ @ MountType::Any), Some(functions)) =
                (types.mounts.get_mut(&mount.name), &functions)
            {
                *type_ = MountType::Described(functions.clone());
            }
            mounts.push(Mount { name: mount.name.clone(), functions });
        }
        Told { types, mounts }
    }

    /// The folders of components whose source is the developer's.
    pub(crate) fn source_folders(&self) -> Vec<PathBuf> {
        let sources = self.planned.iter().filter_map(Planned::typescript).filter(|it| it.is_source);
        sources.map(|component| component.folder.clone()).collect()
    }
}
