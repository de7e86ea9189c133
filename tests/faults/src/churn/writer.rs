//! One who inserts, replaces and deletes documents, and knows what must be there.
//!
//! Not here: how long that takes (see `meter`).

use std::time::{Duration, Instant};

use bytes::Bytes;
use weir_fault_model::Random;
use weir_store::{SequenceError, Snapshot, Store, Write};

use super::meter::Meter;

/// Documents of all writers, at most.
pub(super) const DOCUMENTS: usize = 5000;
pub(super) const DOCUMENT_BYTES: usize = 40_000;
/// Deletions among a hundred changes of a document that is there.
const DELETIONS_PERCENT: u64 = 15;
/// A document repeats so many random bytes. No multiple of a sector or a page: no two of those are equal.
const BLOCK_BYTES: usize = 1021;
/// How long after a refusal it tries again.
const RETRY_WAIT: Duration = Duration::from_millis(10);

/// A writer whose documents nobody else touches.
pub(super) struct Writer {
    number: usize,
    random: Random,
    /// Which version of each document is there.
    versions: Vec<Option<u64>>,
    last_version: u64,
}

impl Writer {
    pub(super) fn new(number: usize, documents: usize) -> Writer {
        let random = Random::new(number as u64);
        Writer { number, random, versions: vec![None; documents], last_version: 0 }
    }

    /// Changes one document after the other.
    pub(super) fn run(&mut self, store: &dyn Store, meter: &Meter, end: Instant) -> Result<(), String> {
        while Instant::now() < end {
            let at = self.random.below(self.versions.len());
            let is_deleted = self.versions[at].is_some() && self.random.chance(DELETIONS_PERCENT);
            self.last_version += 1;
            let version = (!is_deleted).then_some(self.last_version);
            let (key, value) = (self.key(at), version.map(|version| self.document(at, version)));
            let began = Instant::now();
            self.commit(store, meter, Write { key, value })?;
            meter.note_commit(began.elapsed());
            let before = std::mem::replace(&mut self.versions[at], version);
            meter.note_live(bytes_of(before), bytes_of(version));
        }
        Ok(())
    }

    fn commit(&self, store: &dyn Store, meter: &Meter, write: Write) -> Result<(), String> {
        let ts = loop {
            match store.sequence(&mut |_| vec![write.clone()].into()) {
                Ok(sequenced) => {
                    std::thread::sleep(sequenced.pause);
                    break sequenced.ts;
                }
                Err(SequenceError::Overloaded) => meter.note_refusal(),
                Err(error) => return Err(error.to_string()),
            }
            std::thread::sleep(RETRY_WAIT);
        };
        store.wait_durable(ts).map_err(|error| error.to_string())
    }

    /// Every document is what was answered.
    pub(super) fn verify(&self, snapshot: &Snapshot) -> Result<(), String> {
        for (at, version) in self.versions.iter().enumerate() {
            let key = self.key(at);
            let found = snapshot.get(&key).map_err(|error| error.to_string())?;
            if found != version.map(|version| self.document(at, version)) {
                let found = found.map(|value| value.len());
                let key = String::from_utf8_lossy(&key);
                return Err(format!("{key} is not version {version:?}: it has {found:?} bytes"));
            }
        }
        Ok(())
    }

    fn key(&self, at: usize) -> Bytes {
        Bytes::from(format!("document-{}-{at:04}", self.number))
    }

    fn document(&self, at: usize, version: u64) -> Bytes {
        let mut random = Random::new(version << 16 | (at as u64) << 4 | self.number as u64);
        let words = std::iter::repeat_with(|| random.word().to_le_bytes());
        let block: Vec<u8> = words.flatten().take(BLOCK_BYTES).collect();
        let mut document = block.repeat(DOCUMENT_BYTES.div_ceil(BLOCK_BYTES));
        document.truncate(DOCUMENT_BYTES);
        Bytes::from(document)
    }
}

fn bytes_of(version: Option<u64>) -> u64 {
    version.map_or(0, |_| DOCUMENT_BYTES as u64)
}
