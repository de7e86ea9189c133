//! The engine that the host carries is what its source gives, on any machine, in any folder.

use std::path::Path;
use std::process::Command;

#[test]
fn the_same_source_gives_the_same_bytes_in_another_folder() {
    let copy = tempfile::tempdir().unwrap();
    let folder = copy.path().join("guest-sdk/typescript/engine of another");
    copy_folder(Path::new(env!("CARGO_MANIFEST_DIR")), &folder);
    // The copy finds npm's packages as the original does: above it.
    let packages = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().map(|above| above.join("node_modules"));
    let packages = packages.into_iter().find(|folder| folder.join("binaryen").exists()).unwrap();
    std::os::unix::fs::symlink(packages, copy.path().join("node_modules")).unwrap();
    let out = copy.path().join("engine.wasm");
    let built = Command::new("bash").arg(folder.join("build.sh")).arg(&out).output().unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    assert!(std::fs::read(&out).unwrap() == weir_js_engine::ENGINE, "the bytes differ");
}

#[test]
fn it_is_a_module_of_the_world_and_small() {
    let text = String::from_utf8_lossy(weir_js_engine::ENGINE);
    assert!(!text.contains("wasi"), "it asks for something of WASI");
    assert!(!text.contains(env!("CARGO_MANIFEST_DIR")), "a path of this machine is in it");
    assert!(weir_js_engine::ENGINE.len() < 1_100_000, "{}", weir_js_engine::ENGINE.len());
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy_folder(&entry.path(), &target),
            false => drop(std::fs::copy(entry.path(), target).unwrap()),
        }
    }
}
