//! Makes the table of the files that travel inside the binary: the SDKs, what they stand on, and the templates of new
//! projects. What tools leave behind in their folders stays out.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Where in the binary's table, and where in the repository.
const FOLDERS: [(&str, &str); 12] = [
    ("templates", "host/build/templates"),
    ("sdk/go", "guest-sdk/go"),
    ("sdk/assemblyscript", "guest-sdk/assemblyscript"),
    ("sdk/typescript", "guest-sdk/typescript"),
    ("sdk/testing", "guest-sdk/testing"),
    ("sdk/rust/guest-sdk/rust", "guest-sdk/rust"),
    ("sdk/rust/host/value", "host/value"),
    ("sdk/rust/host/store", "host/store"),
    ("sdk/rust/host/db", "host/db"),
    ("sdk/rust/host/testing", "host/testing"),
    ("sdk/rust/wit", "wit"),
    ("sdk/typescript/wit", "wit"),
];
const FILES: [(&str, &str); 2] =
    [("sdk/rust/Cargo.toml", "Cargo.toml"), ("sdk/rust/Cargo.lock", "Cargo.lock")];

/// What tools leave behind.
const LEFT_OUT: [&str; 4] = ["node_modules", "target", "dist", "out"];

/// A part of an SDK's folder that users do not need: the JavaScript engine, which this binary has compiled.
const NOT_FOR_USERS: &str = "guest-sdk/typescript/engine";

fn main() {
    let root = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR"));
    let root = root.join("../..").canonicalize().expect("the repository is there");
    println!("cargo::rerun-if-changed=build.rs");
    let mut files = Vec::new();
    for (name, folder) in FOLDERS {
        println!("cargo::rerun-if-changed={}", root.join(folder).display());
        collect(&root.join(folder), name, &mut files);
    }
    files.extend(FILES.map(|(name, file)| (name.to_owned(), root.join(file))));
    files.sort();
    let mut table = String::from("&[\n");
    for (name, path) in files {
        writeln!(table, "    ({name:?}, include_bytes!({path:?})),").expect("a string takes text");
    }
    table.push_str("]\n");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    std::fs::write(out.join("embedded.rs"), table).expect("OUT_DIR can be written");
}

/// All files of a folder, with their names in the table.
fn collect(folder: &Path, name: &str, files: &mut Vec<(String, PathBuf)>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.expect("the folder can be read").path();
        let last = path.file_name().expect("a name").to_string_lossy().into_owned();
        if LEFT_OUT.contains(&last.as_str())
            || path.ends_with(NOT_FOR_USERS)
            || (last.starts_with('.') && last != ".gitignore")
        {
            continue;
        }
        let name = format!("{name}/{last}");
        match path.is_dir() {
            true => collect(&path, &name, files),
            false => files.push((name, path)),
        }
    }
}
