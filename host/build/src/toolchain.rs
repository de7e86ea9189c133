//! Which compiler builds the guests of a language, and what to install if none can.

use std::env;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Says which toolchain to use, `rustup` or `debian`, where both could be.
pub const RUST_TOOLCHAIN_VARIABLE: &str = "WEIR_RUST_TOOLCHAIN";

pub(crate) const RUST_TARGET: &str = "wasm32-unknown-unknown";

/// Where Debian's packages put what they bring.
const DEBIAN_BIN: &str = "/usr/bin";
const DEBIAN_PACKAGES: &str = "rustc-web cargo-web rust-web-src lld-19";

/// A Rust compiler that can build for WebAssembly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RustToolchain {
    /// The `cargo` of the search path, whose compiler has the target's library;
    /// as a rule one that rustup installed.
    Rustup,
    /// Debian's packages, which bring the library's source: it is compiled with
    /// the first guest.
    Debian {
        /// The linker.
        linker: PathBuf,
    },
}

/// Why no compiler can be used, and how to get one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ToolchainError {
    /// Neither is complete.
    #[error(
        "no Rust compiler here can build for WebAssembly.\n  \
         rustup: {rustup}\n  \
         Debian's packages: {debian}\n\
         Install one of them:\n  \
         rustup target add {RUST_TARGET}\n  \
         apt-get install {DEBIAN_PACKAGES}"
    )]
    NoRust {
        /// What rustup's toolchain lacks.
        rustup: String,
        /// What Debian's lacks.
        debian: String,
    },
    /// The one that was asked for is not complete.
    #[error(
        "{RUST_TOOLCHAIN_VARIABLE} asks for {name}, which cannot be used: {lack}.\nInstall it:\n  {install}"
    )]
    Lacking {
        /// Which one.
        name: &'static str,
        /// What it lacks.
        lack: String,
        /// The command that installs it.
        install: String,
    },
    /// There is no Go compiler that can be used; the text says what to install.
    #[error("{0}")]
    NoGo(String),
    /// The variable says something else.
    #[error("{RUST_TOOLCHAIN_VARIABLE} is {0:?}; set it to `rustup` or `debian`, or not at all")]
    UnknownChoice(String),
}

impl fmt::Display for RustToolchain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RustToolchain::Rustup => f.write_str("rustup's Rust"),
            RustToolchain::Debian { .. } => f.write_str("Debian's Rust"),
        }
    }
}

impl RustToolchain {
    /// Finds the compiler for the sources in `folder`: rustup's toolchain may
    /// differ from folder to folder.
    ///
    /// # Errors
    /// What is missing, and the commands that install it.
    pub fn find(folder: &Path) -> Result<RustToolchain, ToolchainError> {
        let choice = env::var(RUST_TOOLCHAIN_VARIABLE).unwrap_or_default();
        choose(&choice, || find_rustup(folder), || find_debian(Path::new(DEBIAN_BIN)))
    }

    /// The name of its folder in the cache: the two do not share what they made.
    pub(crate) fn folder_name(&self) -> &'static str {
        match self {
            RustToolchain::Rustup => "rustup",
            RustToolchain::Debian { .. } => "debian",
        }
    }
}

type Found = Result<RustToolchain, String>;

fn choose(
    choice: &str,
    rustup: impl FnOnce() -> Found,
    debian: impl FnOnce() -> Found,
) -> Result<RustToolchain, ToolchainError> {
    let lacking = |name, install: String| move |lack| ToolchainError::Lacking { name, lack, install };
    match choice {
        "" => rustup().or_else(|rustup| debian().map_err(|debian| ToolchainError::NoRust { rustup, debian })),
        "rustup" => rustup().map_err(lacking("rustup", format!("rustup target add {RUST_TARGET}"))),
        "debian" => {
            debian().map_err(lacking("Debian's packages", format!("apt-get install {DEBIAN_PACKAGES}")))
        }
        other => Err(ToolchainError::UnknownChoice(other.to_owned())),
    }
}

fn find_rustup(folder: &Path) -> Found {
    let mut rustc = Command::new("rustc");
    rustc.current_dir(folder).args(["--print", "target-libdir", "--target", RUST_TARGET]);
    let libraries = PathBuf::from(output_of(&mut rustc)?);
    if has_standard_library(&libraries) {
        output_of(Command::new("cargo").current_dir(folder).arg("--version"))?;
        return Ok(RustToolchain::Rustup);
    }
    let version = output_of(Command::new("rustc").current_dir(folder).arg("--version"))?;
    Err(format!("{version} has no {RUST_TARGET}"))
}

fn has_standard_library(folder: &Path) -> bool {
    let Ok(entries) = folder.read_dir() else {
        return false;
    };
    entries.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with("libstd-"))
}

fn find_debian(bin: &Path) -> Found {
    let rustc = bin.join("rustc");
    for program in [&rustc, &bin.join("cargo")] {
        if !program.exists() {
            return Err(format!("there is no {}", program.display()));
        }
    }
    let sysroot = PathBuf::from(output_of(Command::new(&rustc).args(["--print", "sysroot"]))?);
    let source = sysroot.join("lib/rustlib/src/rust/library/std");
    if !source.exists() {
        return Err(format!("there is no {} (package rust-web-src)", source.display()));
    }
    let linker =
        newest_linker(bin).ok_or_else(|| format!("there is no {}", bin.join("wasm-ld-*").display()))?;
    Ok(RustToolchain::Debian { linker })
}

/// `wasm-ld-19` and the like; with the highest number if there are several.
fn newest_linker(bin: &Path) -> Option<PathBuf> {
    let version = |path: &PathBuf| {
        let name = path.file_name()?.to_str()?;
        if name == "wasm-ld" { Some(0) } else { name.strip_prefix("wasm-ld-")?.parse::<u32>().ok() }
    };
    let entries = bin.read_dir().ok()?.flatten().map(|entry| entry.path());
    entries.filter_map(|path| Some((version(&path)?, path))).max().map(|(_, path)| path)
}

/// What a program prints, or why it cannot be run.
fn output_of(command: &mut Command) -> Result<String, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => format!("there is no {name}"),
        _ => format!("{name} does not run: {error}"),
    })?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() {
        return Ok(text(&output.stdout));
    }
    let complaint = text(&output.stderr).lines().next().unwrap_or_default().to_owned();
    Err(format!("{name} ended with {}: {complaint}", output.status))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn debian() -> RustToolchain {
        RustToolchain::Debian { linker: PathBuf::from("/usr/bin/wasm-ld-19") }
    }

    fn lacks<T>(what: &str) -> Result<T, String> {
        Err(what.to_owned())
    }

    #[test]
    fn the_first_that_is_complete_is_taken() {
        let rustup = || Ok(RustToolchain::Rustup);
        assert_eq!(choose("", rustup, || panic!("not asked")), Ok(RustToolchain::Rustup));
        assert_eq!(choose("", || lacks("no target"), || Ok(debian())), Ok(debian()));
        assert_eq!(choose("debian", || panic!("not asked"), || Ok(debian())), Ok(debian()));
        assert_eq!(choose("rustup", rustup, || panic!("not asked")), Ok(RustToolchain::Rustup));
    }

    #[test]
    fn what_is_missing_is_said_with_the_command_that_installs_it() {
        let error = choose("", || lacks("no rustc"), || lacks("no wasm-ld")).unwrap_err().to_string();
        let parts = [
            "no rustc",
            "no wasm-ld",
            "rustup target add wasm32-unknown-unknown",
            "apt-get install rustc-web",
        ];
        for part in parts {
            assert!(error.contains(part), "{part} is not in {error}");
        }
        let error = choose("debian", || panic!("not asked"), || lacks("no wasm-ld")).unwrap_err().to_string();
        assert!(error.contains("no wasm-ld") && error.contains("apt-get install"), "{error}");
        let error = choose("rustup", || lacks("no rustc"), || panic!("not asked")).unwrap_err().to_string();
        assert!(error.contains("no rustc") && error.contains("rustup target add"), "{error}");
        let error = choose("nix", || lacks(""), || lacks("")).unwrap_err().to_string();
        assert!(error.contains("\"nix\""), "{error}");
    }

    #[test]
    fn debians_packages_are_missed_one_by_one() {
        let bin = tempfile::tempdir().unwrap();
        let error = || find_debian(bin.path()).unwrap_err();
        assert!(error().contains("rustc"), "{}", error());
        for name in ["rustc", "cargo"] {
            std::fs::write(bin.path().join(name), "").unwrap();
        }
        // It is there, and is not a program.
        assert!(error().contains("does not run"), "{}", error());
    }

    #[test]
    fn the_newest_linker_is_taken() {
        let bin = tempfile::tempdir().unwrap();
        assert_eq!(newest_linker(bin.path()), None);
        for name in ["wasm-ld-9", "wasm-ld-19", "wasm-ld", "wasm-ld-x", "ld-20"] {
            std::fs::write(bin.path().join(name), "").unwrap();
        }
        assert_eq!(newest_linker(bin.path()), Some(bin.path().join("wasm-ld-19")));
    }

    #[test]
    fn a_library_is_looked_for_where_it_stands() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!has_standard_library(&folder.path().join("none")));
        assert!(!has_standard_library(folder.path()));
        std::fs::write(folder.path().join("libstd-0123.rlib"), "").unwrap();
        assert!(has_standard_library(folder.path()));
    }
}
