//! Node, the compiler and the SDK's transform: found, checked against what they must be, and run.

use std::fmt;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::packages::{self, Package};
use super::start;
use crate::build::BuildError;
use crate::project::Module;

/// The compiler's own demand.
const NODE_MIN: [u32; 3] = [20, 0, 0];
/// The transform works on the compiler's syntax tree, which changes with the second number.
const COMPILER_MIN: [u32; 3] = [0, 28, 20];
const COMPILER_BELOW: [u32; 3] = [0, 29, 0];

const COMPILER_PACKAGE: &str = "assemblyscript";
const SDK_PACKAGE: &str = "@weir/assemblyscript";

/// The flags that make a guest.
const FLAGS: [&str; 16] = [
    "-O3",
    // With the collector, so that a call which reads or makes much in turn does not run out of memory. Without it
    // (`stub`) a small call was measured to be 0.3 us shorter.
    "--runtime",
    "incremental",
    // Where the collector looks for what is in use; a deep recursion takes much of it.
    "--stackSize",
    "65536",
    // A bug says where it is before it traps.
    "--use",
    "abort=__weir_abort",
    "--use",
    "console=__weir_console",
    "--use",
    "seed=__weir_seed",
    // Room for a call of the usual size, as growing memory is a system call; and no more, as all of it is looked
    // through when the call is over.
    "--initialMemory",
    "4",
    // The build runs it.
    "--exportStart",
    start::EXPORT,
    "--noColors",
];

/// All that is needed to compile a module.
pub(super) struct Compiler {
    script: PathBuf,
    transform: PathBuf,
    version: String,
}

impl fmt::Display for Compiler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AssemblyScript {}", self.version)
    }
}

impl Compiler {
    /// What the module's folder has.
    ///
    /// # Errors
    /// What is missing or too old, and the command that installs it.
    pub(super) fn find(module: &Module) -> Result<Compiler, BuildError> {
        Self::try_find(&module.path, &node_version()).map_err(|message| BuildError::source(module, message))
    }

    fn try_find(folder: &Path, node: &Result<String, String>) -> Result<Compiler, String> {
        check_node(node)?;
        let compiler = installed(folder, COMPILER_PACKAGE)?;
        let numbers = packages::numbers(&compiler.version);
        if numbers < COMPILER_MIN || numbers >= COMPILER_BELOW {
            return Err(format!(
                "AssemblyScript {} is installed, and 0.28.20 or a later 0.28 is needed; run in {}:\n  npm install \
                 --save-dev assemblyscript@^0.28.20",
                compiler.version,
                folder.display()
            ));
        }
        let sdk = installed(folder, SDK_PACKAGE)?;
        Ok(Compiler {
            script: compiler.folder.join("bin/asc.js"),
            transform: sdk.folder.join("transform/index.js"),
            version: compiler.version,
        })
    }

    /// The command that compiles these files of `folder` to `out`.
    pub(super) fn command(&self, folder: &Path, files: &[PathBuf], out: &Path) -> Command {
        let mut command = Command::new("node");
        command.current_dir(folder).arg(&self.script).args(files);
        command.arg("--transform").arg(&self.transform).args(FLAGS).arg("--outFile").arg(out);
        if std::io::stderr().is_terminal() {
            command.env("FORCE_COLOR", "1");
        }
        command
    }
}

fn installed(folder: &Path, name: &str) -> Result<Package, String> {
    packages::find(folder, name).ok_or_else(|| {
        let folder = folder.display();
        match Path::new(&format!("{folder}/package.json")).exists() {
            true => format!("the npm package {name} is not installed; run in {folder}:\n  npm install"),
            false => format!(
                "there is no package.json in {folder}; an AssemblyScript module is an npm package that depends on \
                 {COMPILER_PACKAGE} and {SDK_PACKAGE}"
            ),
        }
    })
}

/// What `node --version` says; `Err`: there is none.
fn node_version() -> Result<String, String> {
    let output = Command::new("node").arg("--version").output().map_err(|error| error.to_string())?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn check_node(version: &Result<String, String>) -> Result<(), String> {
    const WANTED: &str = "install Node 20 or later, for instance from https://nodejs.org";
    match version {
        Err(error) => {
            Err(format!("Node cannot be run ({error}), and AssemblyScript's compiler needs it; {WANTED}"))
        }
        Ok(version) if packages::numbers(version) < NODE_MIN => {
            Err(format!("Node {version} is too old for AssemblyScript's compiler; {WANTED}"))
        }
        Ok(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn install(folder: &Path, name: &str, version: &str) {
        let package = folder.join("node_modules").join(name);
        fs::create_dir_all(&package).unwrap();
        fs::write(package.join("package.json"), format!(r#"{{"version":"{version}"}}"#)).unwrap();
    }

    fn find(folder: &Path, node: Result<&str, &str>) -> Result<Compiler, String> {
        Compiler::try_find(folder, &node.map(str::to_owned).map_err(str::to_owned))
    }

    #[test]
    fn what_is_missing_is_named_with_the_command_that_installs_it() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let refused = |node, expected: &str| {
            let error = find(folder, node).err().unwrap();
            assert!(error.contains(expected), "{expected}: {error}");
        };
        refused(Err("no such file"), "install Node 20");
        refused(Ok("v18.19.1"), "Node v18.19.1 is too old");
        refused(Ok("v20.20.2"), "there is no package.json");
        fs::write(folder.join("package.json"), "{}").unwrap();
        refused(Ok("v20.20.2"), "npm install");
        install(folder, COMPILER_PACKAGE, "0.27.37");
        refused(Ok("v20.20.2"), "AssemblyScript 0.27.37 is installed");
        install(folder, COMPILER_PACKAGE, "0.29.0");
        refused(Ok("v20.20.2"), "npm install --save-dev assemblyscript@^0.28.20");
        install(folder, COMPILER_PACKAGE, "0.28.21");
        refused(Ok("v20.20.2"), "@weir/assemblyscript is not installed");
        install(folder, SDK_PACKAGE, "0.1.0");
        let compiler = find(folder, Ok("v24.0.0")).unwrap();
        assert_eq!(compiler.to_string(), "AssemblyScript 0.28.21");
        assert!(compiler.script.ends_with("node_modules/assemblyscript/bin/asc.js"));
    }
}
