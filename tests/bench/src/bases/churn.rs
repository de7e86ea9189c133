//! Documents of 40 KB that are replaced and deleted, and the room that the store takes for them.

use std::collections::VecDeque;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Instant;

use anyhow::{Result, ensure};
use bytes::{BufMut, Bytes, BytesMut};
use weir_store::{BaseKind, Store, Timestamp, Write};

use super::MIB;
use super::child::Figures;
use super::rows::{self, Committer};
use crate::accounts::Random;

const DOCUMENT_BYTES: usize = 40_000;
/// How often each document is changed, on the average.
const CHANGES_A_DOCUMENT: usize = 10;
/// The share of deletions among the changes of a document that is there.
const DELETIONS: f64 = 0.15;
/// Commits that are not waited for yet.
const IN_FLIGHT: usize = 4;
/// Changes between two looks at the folders.
const CHANGES_A_LOOK: usize = 100;

/// Makes `changes` changes in a new store in `folder`, flushes what is left, and closes it.
///
/// # Errors
/// When the store fails, or shows other documents than were written.
pub fn measure(folder: &Path, base: BaseKind, changes: usize) -> Result<Figures> {
    let store = rows::open(folder, base)?;
    let mut space = Space::default();
    let mut committer = Committer::new(&*store);
    let mut documents = Documents::new((changes / CHANGES_A_DOCUMENT).max(1));
    let mut waiting: VecDeque<Timestamp> = VecDeque::new();
    let started = Instant::now();
    for change in 1..=changes {
        waiting.push_back(committer.commit(&[documents.change(change as u64)])?);
        if waiting.len() == IN_FLIGHT {
            waiting.pop_front().into_iter().try_for_each(|ts| store.wait_durable(ts))?;
        }
        if change % CHANGES_A_LOOK == 0 {
            // At first little is there, and the base's own files are more than that.
            space.look(folder, base, documents.live_bytes(), change > changes / 4);
        }
    }
    waiting.into_iter().try_for_each(|ts| store.wait_durable(ts))?;
    let per_second = changes as f64 / started.elapsed().as_secs_f64();
    store.checkpoint()?;
    documents.verify(&*store)?;
    let refused = committer.refused as f64;
    store.close();
    drop(store);
    space.look(folder, base, documents.live_bytes(), true);
    Ok(Figures::from([
        ("changes".to_owned(), per_second),
        ("refused".to_owned(), refused),
        ("base_max".to_owned(), space.base_max),
        ("base_end".to_owned(), space.base),
        ("log_max_mib".to_owned(), space.log_max_mib),
        ("log_end_mib".to_owned(), space.log_mib),
    ]))
}

/// Which version of each document is there.
struct Documents {
    versions: Vec<Option<u64>>,
    random: Random,
}

impl Documents {
    fn new(count: usize) -> Documents {
        Documents { versions: vec![None; count], random: Random::new(5) }
    }

    /// Makes a document, replaces it or deletes it.
    fn change(&mut self, version: u64) -> Write {
        let document = self.random.below(self.versions.len());
        let is_deleted = self.versions[document].is_some() && self.random.share() < DELETIONS;
        self.versions[document] = (!is_deleted).then_some(version);
        let value = self.versions[document].map(content);
        Write { key: rows::key(document), value }
    }

    fn live_bytes(&self) -> u64 {
        (self.versions.iter().flatten().count() * DOCUMENT_BYTES) as u64
    }

    fn verify(&self, store: &dyn Store) -> Result<()> {
        let snapshot = store.snapshot_durable();
        for (document, version) in self.versions.iter().enumerate() {
            let found = snapshot.get(&rows::key(document))?;
            ensure!(found == version.map(content), "document {document} is not version {version:?}");
        }
        Ok(())
    }
}

fn content(version: u64) -> Bytes {
    let mut content = BytesMut::with_capacity(DOCUMENT_BYTES);
    (0..DOCUMENT_BYTES / size_of::<u64>()).for_each(|_| content.put_u64(version));
    content.freeze()
}

/// Room on the disk: of the base as a multiple of what is live, of the log in MiB.
#[derive(Default)]
struct Space {
    base: f64,
    base_max: f64,
    log_mib: f64,
    log_max_mib: f64,
}

impl Space {
    fn look(&mut self, folder: &Path, base: BaseKind, live_bytes: u64, counts: bool) {
        self.base = base_bytes(folder, base) as f64 / live_bytes.max(1) as f64;
        self.log_mib = taken_bytes(&folder.join("log")) as f64 / MIB;
        self.log_max_mib = self.log_max_mib.max(self.log_mib);
        if counts {
            self.base_max = self.base_max.max(self.base);
        }
    }
}

/// What the base takes on the disk.
pub fn base_bytes(folder: &Path, base: BaseKind) -> u64 {
    taken_bytes(&folder.join(format!("base-{base}")))
}

/// Blocks of the files in a folder, in bytes. Files that go meanwhile take nothing.
fn taken_bytes(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    let taken = |entry: fs::DirEntry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => taken_bytes(&entry.path()),
        Ok(metadata) => metadata.blocks() * 512,
        Err(_) => 0,
    };
    entries.flatten().map(taken).sum()
}
