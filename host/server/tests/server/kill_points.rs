//! The process ends at any step of a deployment: at the next start one of the two is in force, whole.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use weir_server::ComponentHash;
use weir_store::memory::{CrashImage, MemoryDisk};

use crate::stepped_store::{Step, SteppedStore};
use crate::support::{TestServer, component_files, open_store};

/// What was on the disks when the process ended, and what may be in force after the next start.
struct Copy {
    what: String,
    store: MemoryDisk,
    dir: tempfile::TempDir,
    versions: Vec<&'static str>,
}

/// The chat's component, its version, and the component of another module.
const DEPLOYMENTS: [(&str, &str, &str); 4] =
    [("v1", "one", "extra a"), ("v2", "two", "extra a"), ("v2", "two", "extra b"), ("v1", "one", "extra b")];

/// The version that is in force before a deployment, and its files.
fn before(number: usize) -> (&'static str, Vec<String>) {
    match number.checked_sub(1) {
        Some(before) => (DEPLOYMENTS[before].1, files_of(before)),
        None => ("none", Vec::new()),
    }
}

fn files_of(number: usize) -> Vec<String> {
    let (component, _, extra) = DEPLOYMENTS[number];
    [component, extra].map(|text| format!("{}.wasm", ComponentHash::of(text.as_bytes()))).into()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_record_names_files_that_are_there_whenever_the_process_ends() {
    let copies = copies_at_each_step().await;
    assert_eq!(copies.len(), DEPLOYMENTS.len() * 8);
    for copy in copies {
        let Copy { what, store, dir, versions } = copy;
        let server = TestServer::start_on(&store, dir).await;
        let summary = server.app.deployer.summary();
        assert_eq!(summary.missing, [], "{what}");
        if summary.modules.is_empty() {
            assert!(versions.contains(&"none"), "{what}: nothing is deployed");
        } else {
            let version = server.ask("chat:version").await;
            assert!(versions.iter().any(|expected| version == *expected), "{what}: {version} is in force");
        }
        let mut named: Vec<_> =
            summary.modules.iter().map(|module| format!("{}.wasm", module.sha256)).collect();
        named.sort();
        assert_eq!(component_files(&server.dir), named, "{what}: what is not needed is swept");
        assert_eq!(server.deploy(&[("native", "v3")]).await.status, 200, "{what}");
        assert_eq!(server.ask("chat:version").await, "three", "{what}");
        server.stop().await;
    }
}

/// Deploys several times, and copies the disks at each step.
async fn copies_at_each_step() -> Vec<Copy> {
    let disk = MemoryDisk::new();
    let dir = tempfile::tempdir().unwrap();
    let copies = Arc::new(Mutex::new(Vec::new()));
    let number = Arc::new(AtomicUsize::new(0));
    let watched = {
        let (disk, folder, copies) = (disk.clone(), dir.path().to_owned(), Arc::clone(&copies));
        let (number, unrecorded) = (Arc::clone(&number), Mutex::new(MemoryDisk::new()));
        move |step| {
            let deployment = number.load(Ordering::SeqCst);
            // Stopping writes records of the host's own.
            if deployment == DEPLOYMENTS.len() {
                return;
            }
            let mut unrecorded = unrecorded.lock().unwrap();
            if step == Step::BeforeRecord {
                *unrecorded = disk.image();
            }
            let disks = Disks { now: &disk, unrecorded: &unrecorded, folder: &folder };
            copies.lock().unwrap().extend(copies_at(step, deployment, &disks));
        }
    };
    let store = SteppedStore::new(open_store(&disk), watched);
    let server = TestServer::start_with(store, dir, Arc::default()).await;
    for (now, (component, _, extra)) in DEPLOYMENTS.into_iter().enumerate() {
        number.store(now, Ordering::SeqCst);
        assert_eq!(server.deploy(&[("native", component), ("extra", extra)]).await.status, 200);
    }
    number.store(DEPLOYMENTS.len(), Ordering::SeqCst);
    server.stop().await;
    std::mem::take(&mut *copies.lock().unwrap())
}

/// What the process writes to.
struct Disks<'a> {
    now: &'a MemoryDisk,
    /// As it was before the record of this deployment.
    unrecorded: &'a MemoryDisk,
    folder: &'a Path,
}

fn copies_at(step: Step, number: usize, disks: &Disks<'_>) -> [Copy; 2] {
    let (before, after) = (before(number).0, DEPLOYMENTS[number].1);
    let copy = |what: &str, store: MemoryDisk, versions: &[&'static str]| Copy {
        what: format!("deployment {number}, {step:?}, {what}"),
        store,
        dir: copy_components(disks.folder),
        versions: versions.to_vec(),
    };
    let killed = || disks.now.crash(CrashImage::Written);
    match step {
        Step::BeforeRecord => {
            let unfinished = copy("a file is unfinished", killed(), &[before]);
            unfinish_a_file(&unfinished.dir, number);
            [copy("the files are there", killed(), &[before]), unfinished]
        }
        Step::Sequenced | Step::Waiting => {
            let lost = copy("the record is lost", disks.unrecorded.image(), &[before]);
            [lost, copy("the record is kept or lost", killed(), &[before, after])]
        }
        Step::Durable => {
            let cut = copy("power is cut", disks.now.image(), &[after]);
            [cut, copy("the process is killed", killed(), &[after])]
        }
    }
}

fn copy_components(folder: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    std::fs::create_dir(copy.path().join("components")).unwrap();
    for entry in std::fs::read_dir(folder.join("components")).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), copy.path().join("components").join(entry.file_name())).unwrap();
    }
    copy
}

/// Makes a file that this deployment wrote a draft of half its content, as if it had not come further.
fn unfinish_a_file(dir: &tempfile::TempDir, number: usize) {
    let before = before(number).1;
    let new = files_of(number).into_iter().find(|name| !before.contains(name)).unwrap();
    let path = dir.path().join("components").join(new);
    let content = std::fs::read(&path).unwrap();
    std::fs::write(path.with_extension("new"), &content[..content.len() / 2]).unwrap();
    std::fs::remove_file(path).unwrap();
}
