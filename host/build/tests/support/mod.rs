//! Projects to build, and what a build must give.
#![allow(dead_code, reason = "each test file uses a part")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use weir_build::{BuildError, Built, BuiltModule, Project, build};
use wit_component::DecodedWasm;
use wit_parser::{IndexMap, Resolve, WorldItem, WorldKey};

/// A folder of this repository.
pub fn repository(inner: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(inner).canonicalize().unwrap()
}

/// A project whose one module, `guest`, is in this language and has these files.
pub fn project_with(language: &str, files: &[(&str, &str)]) -> (tempfile::TempDir, Project) {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let config = format!("[modules.guest]\nlanguage = \"{language}\"\n");
    std::fs::write(folder.path().join("host.toml"), config).unwrap();
    let project = Project::load(folder.path()).unwrap();
    (folder, project)
}

/// Gives a project the npm packages of this repository.
pub fn link_packages(folder: &tempfile::TempDir) {
    std::os::unix::fs::symlink(repository("node_modules"), folder.path().join("node_modules")).unwrap();
}

/// Builds modules and components, and gives what the build has said.
pub fn build_whole(project: &Project, out: Option<&Path>) -> (Result<Built, BuildError>, Vec<String>) {
    let mut lines = Vec::new();
    let result = build(project, out, &mut |progress| lines.push(progress.to_string()));
    (result, lines)
}

/// Builds the modules, and gives what the build has said.
pub fn build_quietly(
    project: &Project,
    out: Option<&Path>,
) -> (Result<Vec<BuiltModule>, BuildError>, Vec<String>) {
    let (result, lines) = build_whole(project, out);
    (result.map(|built| built.modules), lines)
}

/// Builds a project that must build.
pub fn build_well(project: &Project, out: Option<&Path>) -> (Vec<BuiltModule>, Vec<String>) {
    let (built, lines) = build_quietly(project, out);
    (built.unwrap_or_else(|error| panic!("{error}\n{}", lines.join("\n"))), lines)
}

/// Checks a component against the world, and its bytes against what must not be in them.
pub fn assert_is_guest(component: &[u8]) {
    let DecodedWasm::Component(resolve, world) = wit_component::decode(component).unwrap() else {
        panic!("not a component");
    };
    let world = &resolve.worlds[world];
    assert_eq!(names(&resolve, &world.exports), BTreeSet::from(["call".to_owned(), "describe".to_owned()]));
    let imports = names(&resolve, &world.imports);
    assert!(imports.iter().all(|name| name.starts_with("weir:guest/")), "no WASI is left: {imports:?}");
    let text = String::from_utf8_lossy(component);
    assert!(!text.contains(env!("CARGO_MANIFEST_DIR")), "a path of this machine is in the component");
}

/// The names of interfaces and functions, without those of the types that they share.
fn names(resolve: &Resolve, items: &IndexMap<WorldKey, WorldItem>) -> BTreeSet<String> {
    let items = items.iter().filter(|(_, item)| !matches!(item, WorldItem::Type { .. }));
    items.map(|(key, _)| resolve.name_world_key(key)).collect()
}
