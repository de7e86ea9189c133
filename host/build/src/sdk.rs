//! The SDKs, laid out next to the projects that use them.
//!
//! A project refers to its SDK by a path below `.weir/sdk`. What lies there is always that of this host: a host of
//! another version writes it anew before it builds, so that the two never disagree, and nothing is downloaded for it.

use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::build::BuildError;
use crate::embedded;
use crate::hex::hex;
use crate::project::{Language, Module};

/// Where the SDKs lie in a module's folder.
pub(crate) const FOLDER: &str = ".weir/sdk";

/// In each SDK's folder: the hash of what was written there.
const STAMP: &str = ".laid-out";

/// Lays out the SDK that a module's package refers to below [`FOLDER`], unless it is there.
pub(crate) fn ensure(module: &Module) -> Result<(), BuildError> {
    let manifest = module.path.join(manifest_of(module.language));
    let Ok(text) = std::fs::read_to_string(&manifest) else { return Ok(()) };
    match text.contains(FOLDER) {
        true => lay_out(&module.path, module.language),
        false => Ok(()),
    }
}

/// The file in which a package of this language says what it needs.
fn manifest_of(language: Language) -> &'static str {
    match language {
        Language::Rust => "Cargo.toml",
        Language::Go => "go.mod",
        Language::AssemblyScript | Language::TypeScript => "package.json",
    }
}

/// The SDKs, by their folders' names, that a project of this language refers to.
fn parts_of(language: Language) -> &'static [&'static str] {
    match language {
        Language::Rust => &["rust"],
        Language::Go => &["go"],
        Language::AssemblyScript => &["assemblyscript", "testing"],
        Language::TypeScript => &["typescript", "testing"],
    }
}

/// Writes a language's SDK into a folder, unless the same is there.
pub(crate) fn lay_out(folder: &Path, language: Language) -> Result<(), BuildError> {
    for part in parts_of(language) {
        let target = folder.join(FOLDER).join(part);
        lay_out_part(&target, part)
            .map_err(|source| BuildError::file("write the SDK into", &target, source))?;
    }
    Ok(())
}

fn lay_out_part(target: &Path, part: &str) -> io::Result<()> {
    let files: Vec<_> = embedded::below(&format!("sdk/{part}")).collect();
    let hash = hash_of(&files);
    let stamp = target.join(STAMP);
    if std::fs::read_to_string(&stamp).is_ok_and(|found| found == hash) {
        return Ok(());
    }
    // Without the stamp, a lay-out that is cut short is begun anew.
    remove_if_there(&stamp)?;
    remove_others(target, target, &files)?;
    for (name, content) in &files {
        match (part, *name) {
            ("rust", "Cargo.toml") => {
                embedded::write(target, name, rust_workspace(content, &packages_of(&files)).as_bytes())?
            }
            _ => embedded::write(target, name, content)?,
        };
    }
    std::fs::write(stamp, hash)
}

fn hash_of(files: &[(&str, &[u8])]) -> String {
    let mut hasher = Sha256::new();
    for (name, content) in files {
        hasher.update((name.len() as u64).to_le_bytes());
        hasher.update(name.as_bytes());
        hasher.update((content.len() as u64).to_le_bytes());
        hasher.update(content);
    }
    hex(&hasher.finalize())
}

/// Removes files of an earlier version that this one lacks. What package managers installed stays.
fn remove_others(root: &Path, folder: &Path, files: &[(&str, &[u8])]) -> io::Result<()> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let path = entry?.path();
        let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
        if name.ends_with("node_modules") || name.ends_with("target") {
            continue;
        }
        if path.is_dir() {
            remove_others(root, &path, files)?;
        } else if !files.iter().any(|(kept, _)| *kept == name) {
            std::fs::remove_file(&path)?;
        }
    }
    Ok(())
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The folders that are Cargo packages, but the root.
fn packages_of(files: &[(&str, &[u8])]) -> Vec<String> {
    files.iter().filter_map(|(name, _)| name.strip_suffix("/Cargo.toml")).map(str::to_owned).collect()
}

/// The workspace of the Rust SDK: that of the repository, which says all versions, with the members that are here.
fn rust_workspace(root: &[u8], members: &[String]) -> String {
    let text = String::from_utf8_lossy(root);
    let mut kept = String::new();
    let mut skipping = false;
    for line in text.lines() {
        let begins = line.starts_with("members") || line.starts_with("exclude");
        if line.starts_with("members") {
            kept.push_str(&format!("members = {members:?}\n"));
        }
        if begins || skipping {
            skipping = !line.trim_end().ends_with(']');
        } else {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

/// Where a project's SDK of this language lies, for people.
pub(crate) fn place(folder: &Path, language: Language) -> PathBuf {
    folder.join(FOLDER).join(parts_of(language)[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn module(folder: &Path, language: Language) -> Module {
        Module::new("m", language, folder)
    }

    #[test]
    fn an_sdk_is_laid_out_where_a_package_refers_to_it_and_nowhere_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        std::fs::write(path.join("Cargo.toml"), "[dependencies]\nweir = \"1\"\n").unwrap();
        ensure(&module(path, Language::Rust)).unwrap();
        assert!(!path.join(".weir").exists());
        std::fs::write(path.join("Cargo.toml"), "weir = { path = \".weir/sdk/rust/guest-sdk/rust\" }")
            .unwrap();
        ensure(&module(path, Language::Rust)).unwrap();
        assert!(path.join(".weir/sdk/rust/guest-sdk/rust/src/lib.rs").exists());
        assert!(path.join(".weir/sdk/rust/wit/world.wit").exists());
        let workspace = std::fs::read_to_string(path.join(".weir/sdk/rust/Cargo.toml")).unwrap();
        let workspace: toml::Table = toml::from_str(&workspace).unwrap();
        let members = workspace["workspace"]["members"].as_array().unwrap();
        assert!(
            members.iter().all(|member| path.join(".weir/sdk/rust").join(member.as_str().unwrap()).is_dir())
        );
        assert!(members.len() > 3, "{members:?}");
    }

    #[test]
    fn another_version_is_written_anew_and_what_was_installed_stays() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join(".weir/sdk/rust");
        lay_out(folder.path(), Language::Rust).unwrap();
        let file = root.join("wit/world.wit");
        let original = std::fs::read(&file).unwrap();
        let strange = root.join("wit/old.wit");
        let installed = root.join("guest-sdk/rust/target/kept");
        std::fs::create_dir_all(installed.parent().unwrap()).unwrap();
        for path in [&file, &strange, &installed] {
            std::fs::write(path, "changed").unwrap();
        }
        lay_out(folder.path(), Language::Rust).unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), b"changed", "nothing is done while the stamp is right");
        std::fs::write(root.join(STAMP), "another version").unwrap();
        lay_out(folder.path(), Language::Rust).unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), original);
        assert!(!strange.exists() && installed.exists());
    }
}
