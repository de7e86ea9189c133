//! The deployment that was in force when the server last ran, as far as it still is there.
//!
//! A component whose file is gone or damaged, or that does not load any more, is missed alone: the server starts, all
//! other functions run, and another deployment can be taken in, which is the only thing that mends it. Not here: the
//! record that says what was deployed.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

use weir_db::{MissingFunctions, Variables};
use weir_subprocess::Cancellation;
use weir_value::Mounts;

use super::snapshots::{Makers, SnapshotMaker};
use super::summary::{MissingModule, Record, RecordedModule};
use super::{LoadFailure, Loaded, Loader, Module, Placed};
use crate::component_files::ComponentFiles;

/// Where modules come from.
#[derive(Clone, Copy)]
pub(super) struct Sources<'a> {
    pub(super) files: &'a ComponentFiles,
    pub(super) loader: &'a dyn Loader,
    pub(super) snapshots: &'a dyn SnapshotMaker,
}

/// Loads what can be loaded of the recorded modules, and says of each of the others what is wrong. A built-in variable may
/// be another than it was, so snapshots may have to be made anew.
///
/// # Errors
/// When not even no module at all can be loaded.
pub(super) fn restore(
    record: &Record,
    sources: Sources<'_>,
    variables: &Variables,
) -> Result<(Loaded, Vec<MissingModule>), LoadFailure> {
    let tree = &record.components;
    let modules: Vec<&str> =
        tree.definitions.values().flat_map(|it| &it.modules).map(String::as_str).collect();
    let mounts = tree.mounts(&modules).map_err(|error| LoadFailure(error.to_string()))?;
    let mut restore = Restore { sources, mounts: &mounts, variables, missing: Vec::new() };
    let found: Vec<Found<'_>> = record.modules.iter().filter_map(|module| restore.read(module)).collect();
    // As a rule all of them load.
    if let Ok(loaded) = restore.load_together(&found) {
        return Ok((loaded, restore.missing));
    }
    // Those that load are held until they are loaded together, so that it does not take as long once more.
    let (found, held): (Vec<_>, Vec<_>) =
        found.into_iter().filter_map(|found| restore.load_alone(found)).unzip();
    let loaded = restore.load_together(&found);
    drop(held);
    let loaded = loaded.or_else(|failure| {
        found.iter().for_each(|found| restore.miss(found.recorded, does_not_load(&failure)));
        restore.load_together(&[])
    })?;
    Ok((loaded, restore.missing))
}

/// A recorded module whose component is there.
struct Found<'a> {
    recorded: &'a RecordedModule,
    placed: Placed,
}

struct Restore<'a> {
    sources: Sources<'a>,
    mounts: &'a Mounts,
    variables: &'a Variables,
    missing: Vec<MissingModule>,
}

impl Restore<'_> {
    fn read<'a>(&mut self, recorded: &'a RecordedModule) -> Option<Found<'a>> {
        match self.sources.files.read(&recorded.module.sha256) {
            Ok(component) => {
                let module = Module { name: recorded.module.name.clone(), component };
                Some(Found { recorded, placed: Placed { mount: recorded.module.component.clone(), module } })
            }
            Err(error) => {
                self.miss(recorded, cannot_be_read(&error));
                None
            }
        }
    }

    fn load_alone<'a>(&mut self, found: Found<'a>) -> Option<(Found<'a>, Loaded)> {
        let alone = vec![found.placed.clone()];
        match self.load(alone, MissingFunctions::default()) {
            Ok(loaded) => Some((found, loaded)),
            Err(failure) => {
                self.miss(found.recorded, does_not_load(&failure));
                None
            }
        }
    }

    fn load_together(&self, found: &[Found<'_>]) -> Result<Loaded, LoadFailure> {
        let modules: Vec<Placed> = found.iter().map(|found| found.placed.clone()).collect();
        let mut missing = MissingFunctions::default();
        self.missing.iter().for_each(|module| module.add_to(&mut missing));
        self.load(modules, missing)
    }

    /// A loader that panics has met a component that does not load.
    fn load(&self, modules: Vec<Placed>, missing: MissingFunctions) -> Result<Loaded, LoadFailure> {
        let Sources { snapshots: maker, loader, .. } = self.sources;
        // They were deployed within the limit of time of a deployment: that all of them have to be compiled now, as after an
        // upgrade, is not their fault.
        let cancellation = Cancellation::for_each_piece();
        let makers = Makers { maker, loader, cancellation: &cancellation };
        let load = || makers.make_and_load(modules, self.mounts, missing, self.variables);
        let loaded = catch_unwind(AssertUnwindSafe(load)).map(|made| made.map(|(_, loaded)| loaded));
        loaded.unwrap_or_else(|_| {
            Err(LoadFailure("the host failed while it loaded it, which is a bug".to_owned()))
        })
    }

    fn miss(&mut self, recorded: &RecordedModule, reason: String) {
        let RecordedModule { module, functions, .. } = recorded;
        let path = self.sources.files.path(&module.sha256);
        tracing::error!(
            module = module.name,
            file = %path.display(),
            functions = functions.as_ref().map(Vec::len),
            "a deployed module is missing, its functions cannot run; all others can. Deploy again, with `host deploy`: \
             {reason}"
        );
        self.missing.push(MissingModule {
            name: module.name.clone(),
            file: self.sources.files.name(&module.sha256),
            reason,
            functions: functions.clone(),
        });
    }
}

fn cannot_be_read(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::InvalidData => error.to_string(),
        _ => format!("the file cannot be read: {error}"),
    }
}

fn does_not_load(failure: &LoadFailure) -> String {
    format!("the file is whole, but does not load any more: {failure}")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;
    use weir_db::VariableReads;
    use weir_db::native::NativeFunctions;

    use super::super::summary::ModuleSummary;
    use super::super::{LoadedModule, NoSnapshots};
    use super::*;
    use crate::ComponentHash;

    /// Each module for itself is sound; more than `modules_max` of them are not.
    struct Limited {
        modules_max: usize,
    }

    impl Loader for Limited {
        fn load(
            &self,
            modules: &[Placed],
            _: &Mounts,
            missing: MissingFunctions,
            _: &Variables,
            _: &Cancellation,
        ) -> Result<Loaded, LoadFailure> {
            if modules.len() > self.modules_max {
                return Err(LoadFailure("too much together".to_owned()));
            }
            let deployment = Arc::new(NativeFunctions::new().with_missing(missing));
            let load = |placed: &Placed| LoadedModule {
                mount: placed.mount.clone(),
                name: placed.module.name.clone(),
                functions: Vec::new(),
                providers: Ok(None),
            };
            let loaded = modules.iter().map(load).collect();
            Ok(Loaded { deployment, modules: loaded, variable_reads: VariableReads::default() })
        }
    }

    fn recorded(files: &ComponentFiles, name: &'static str) -> RecordedModule {
        let component = Bytes::from_static(name.as_bytes());
        let sha256 = ComponentHash::of(&component);
        files.write(&[(sha256, &component)]).unwrap();
        let (size_bytes, mount) = (component.len() as u64, weir_value::ComponentPath::APP);
        let module = ModuleSummary { component: mount, name: name.to_owned(), sha256, size_bytes };
        RecordedModule { module, functions: None, providers: None }
    }

    #[test]
    fn modules_that_do_not_load_together_are_all_missed() {
        let dir = tempfile::tempdir().unwrap();
        let files = ComponentFiles::at(dir.path());
        let modules = ["one", "two"].map(|name| recorded(&files, name)).into();
        let components = weir_value::ComponentTree::default();
        let record = Record { modules, auth: None, outbound: Vec::new(), components };
        let missing_with = |modules_max| {
            let loader = Limited { modules_max };
            let sources = Sources { files: &files, loader: &loader, snapshots: &NoSnapshots };
            let (loaded, missing) = restore(&record, sources, &Variables::default()).unwrap();
            assert_eq!(loaded.modules.len(), record.modules.len() - missing.len());
            let path = weir_value::FunctionPath::parse("any:function").unwrap();
            assert_eq!(loaded.deployment.missing(&path).is_some(), !missing.is_empty());
            missing.into_iter().map(|module| (module.name, module.reason)).collect::<Vec<_>>()
        };
        assert_eq!(missing_with(2), []);
        let missing = missing_with(1);
        let names: Vec<_> = missing.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["one", "two"]);
        assert!(missing.iter().all(|(_, reason)| reason.contains("too much together")), "{missing:?}");
        assert_eq!(missing_with(0).len(), 2);
    }
}
