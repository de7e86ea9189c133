//! Compiles the engine with `build.sh`, or takes it from the cache, whose files are named by what they are made of: a
//! compilation takes a minute.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Below the engine's folder: all that decides what is compiled.
const SOURCES: [&str; 6] =
    ["build.sh", "sources.sh", "patches", "c", "source/Cargo.toml", "source/Cargo.lock"];

fn main() {
    let folder =
        PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR"));
    for source in SOURCES {
        println!("cargo::rerun-if-changed={}", folder.join(source).display());
    }
    println!("cargo::rerun-if-changed=build.rs");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR")).join("engine.wasm");
    match run(&folder, &out) {
        Ok(()) => {}
        Err(reason) => {
            println!(
                "cargo::error=the JavaScript engine cannot be compiled ({reason}); `scripts/setup engine` installs \
                 what that needs"
            );
            std::process::exit(1);
        }
    }
}

fn run(folder: &Path, out: &Path) -> Result<(), String> {
    let output = Command::new("bash")
        .arg(folder.join("build.sh"))
        .arg("--cached")
        .arg(out)
        .output()
        .map_err(|error| format!("bash: {error}"))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&output.stderr).trim().replace('\n', "; ")),
    }
}
