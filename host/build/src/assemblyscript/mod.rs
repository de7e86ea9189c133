//! AssemblyScript guests: the project's own compiler makes the core module,
//! with the SDK's transform.

mod compiler;
mod packages;
mod start;

use std::fs;
use std::path::{Path, PathBuf};

use crate::build::{BuildError, Compiled, Progress};
use crate::component;
use crate::generated;
use crate::process;
use crate::project::Module;
use crate::snapshots::section::{Recipe, Section};
use crate::snapshots::variables::Given;
use crate::snapshots::{self, Built};
use compiler::Compiler;

/// The folder of a module's sources.
const SOURCE_FOLDER: &str = "assembly";

/// Builds a module with the compiler in its `node_modules`.
pub(crate) fn build(module: &Module, progress: &mut dyn FnMut(Progress<'_>)) -> Result<Compiled, BuildError> {
    let files = source_files(module)?;
    let compiler = Compiler::find(module)?;
    progress(Progress::Started { module: &module.name, toolchain: &compiler.to_string() });
    let out = OutFile::new(module)?;
    process::run(module, &mut compiler.command(&module.path, &files, &out.0), progress)?;
    let core_module = fs::read(&out.0).map_err(|source| BuildError::file("read", &out.0, source))?;
    let given = Given::default();
    let snapshot = match start::run(&core_module, &given) {
        Ok(started) => Ok(component::encode(&started).map_err(|error| BuildError::encode(module, error))?),
        Err(reason) => Err(reason),
    };
    let built = Built { module, recipe: Recipe::AssemblyScript, parts: &[&core_module], given: &given };
    let component = built.finish(snapshot, || Ok(snapshots::empty_component()), progress)?;
    Ok(Compiled { component, core_bytes: core_module.len() })
}

/// Makes the snapshot of a component anew.
pub(crate) fn remake(section: &Section, given: &Given) -> anyhow::Result<Vec<u8>> {
    let [core_module] = section.unpack()?;
    let started = start::run(&core_module, given).map_err(anyhow::Error::msg)?;
    Ok(component::encode(&started)?)
}

/// All source files of a module, by their paths in its folder, in one order on every machine. Generated ones are compiled if
/// one of these imports them.
fn source_files(module: &Module) -> Result<Vec<PathBuf>, BuildError> {
    let folder = module.path.join(SOURCE_FOLDER);
    let mut files = Vec::new();
    if folder.is_dir() {
        collect(&folder, &mut files).map_err(|source| BuildError::file("read", &folder, source))?;
    }
    if files.is_empty() {
        let message = format!(
            "there is no {}; write functions in it, or in any other .ts file of that folder",
            folder.join("index.ts").display()
        );
        return Err(BuildError::source(module, message));
    }
    for file in &mut files {
        if let Ok(inner) = file.strip_prefix(&module.path) {
            *file = inner.to_path_buf();
        }
    }
    files.sort();
    Ok(files)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with('.') || name == "node_modules" || name == generated::FOLDER {
            continue;
        }
        if path.is_dir() {
            collect(&path, files)?;
        } else if name.ends_with(".ts") && !name.ends_with(".d.ts") {
            files.push(path);
        }
    }
    Ok(())
}

/// Where the compiler writes the core module: a file of this build alone, which goes with it.
struct OutFile(PathBuf);

impl OutFile {
    fn new(module: &Module) -> Result<OutFile, BuildError> {
        use std::sync::atomic::{AtomicU32, Ordering};

        static BUILDS: AtomicU32 = AtomicU32::new(0);
        let number = BUILDS.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("weir-{}-{number}", std::process::id()));
        fs::create_dir_all(&folder).map_err(|source| BuildError::file("make the folder", &folder, source))?;
        Ok(OutFile(folder.join(format!("{}.wasm", module.name))))
    }
}

impl Drop for OutFile {
    fn drop(&mut self) {
        if let Some(folder) = self.0.parent() {
            // What stays in the system's folder of temporary files is the system's to remove.
            let _ = fs::remove_dir_all(folder);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Language;

    #[test]
    fn sources_are_found_in_order_and_declarations_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let module = Module::new("a", Language::AssemblyScript, folder.path());
        let error = source_files(&module).unwrap_err().to_string();
        assert!(error.contains("assembly/index.ts"), "{error}");
        for name in [
            "users.ts",
            "admin/list.ts",
            "index.ts",
            "types.d.ts",
            "notes.md",
            ".hidden.ts",
            "_generated/components.ts",
        ] {
            let path = folder.path().join(SOURCE_FOLDER).join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let expected = ["assembly/admin/list.ts", "assembly/index.ts", "assembly/users.ts"];
        assert_eq!(source_files(&module).unwrap(), expected.map(PathBuf::from));
    }

    #[test]
    fn each_build_has_a_file_of_its_own_which_goes_with_it() {
        let module = Module::new("a", Language::AssemblyScript, "/a");
        let (first, second) = (OutFile::new(&module).unwrap(), OutFile::new(&module).unwrap());
        assert_ne!(first.0, second.0);
        let folder = first.0.parent().unwrap().to_path_buf();
        assert!(folder.is_dir());
        drop(first);
        assert!(!folder.exists());
    }
}
