//! What a power failure leaves of a memory disk.
//!
//! Not here: how the disk is written (see `memory`).

use std::sync::Arc;

use parking_lot::Mutex;
use weir_value::Timestamp;

use super::memory::{File, MemoryDisk, State};
use crate::{Env, SimEnv};

/// A torn write keeps or loses whole sectors.
const SECTOR_BYTES: usize = 512;

/// What of the data that was not synced a power failure leaves behind. What was synced is always there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CrashImage {
    /// None of it.
    Synced,
    /// All of it, in the page cache still, as after the death of the process alone.
    Written,
    /// A part that the seed chooses, sector by sector; equal seeds give equal images.
    Torn {
        /// Chooses the sectors.
        seed: u64,
    },
}

impl MemoryDisk {
    /// What a power failure would have left, had it come when the disk froze, or else now: only what was
    /// synced.
    pub fn image(&self) -> MemoryDisk {
        self.crash(CrashImage::Synced)
    }

    /// As [`MemoryDisk::image`], with more or less of what was not synced.
    pub fn crash(&self, image: CrashImage) -> MemoryDisk {
        let state = self.state.lock();
        let at_failure = state.frozen.as_deref().unwrap_or(&state);
        MemoryDisk { state: Arc::new(Mutex::new(at_failure.after_failure(image))) }
    }
}

impl State {
    fn after_failure(&self, image: CrashImage) -> State {
        match image {
            CrashImage::Written => State {
                syncs: 0,
                freeze_after: None,
                frozen: None,
                failing: None,
                capacity_bytes: None,
                ..self.clone()
            },
            CrashImage::Synced => self.after_power_failure(&Chance(None)),
            CrashImage::Torn { seed } => self.after_power_failure(&Chance::seeded(seed)),
        }
    }

    fn after_power_failure(&self, chance: &Chance) -> State {
        let mut left = State { next_file: self.next_file, ..State::default() };
        let all_names: Vec<&String> = self.synced_names.keys().chain(self.written_names.keys()).collect();
        for name in all_names {
            let (synced, written) = (self.synced_names.get(name), self.written_names.get(name));
            let id = if synced != written && chance.keeps() { written } else { synced };
            if let Some((id, file)) = id.and_then(|id| Some((id, self.files.get(id)?))) {
                let bytes = chance.tear(file);
                left.files.insert(*id, File::whole(bytes));
                left.written_names.insert(name.clone(), *id);
            }
        }
        left.synced_names = left.written_names.clone();
        left.synced_rows = self.synced_rows.clone();
        for change in &self.row_changes[..chance.prefix(self.row_changes.len())] {
            change.apply(&mut left.synced_rows);
        }
        left.written_rows = left.synced_rows.clone();
        left
    }
}

/// Decides what survives of what was not synced: nothing, or what a seed chooses.
struct Chance(Option<SimEnv>);

impl Chance {
    fn seeded(seed: u64) -> Chance {
        Chance(Some(SimEnv::new(seed, Timestamp::ZERO)))
    }

    /// From zero up to, and without, `bound`; `None` when nothing survives.
    fn below(&self, bound: usize) -> Option<usize> {
        let mut word = [0; 8];
        self.0.as_ref()?.fill_random(&mut word);
        usize::try_from(u64::from_le_bytes(word) % bound as u64).ok()
    }

    fn keeps(&self) -> bool {
        self.below(2) == Some(0)
    }

    fn prefix(&self, len: usize) -> usize {
        self.below(len + 1).unwrap_or(0)
    }

    /// The file's bytes: each sector, and the length, are the synced or the written ones. A sector that was
    /// never synced and is lost reads as zeros.
    fn tear(&self, file: &File) -> Vec<u8> {
        if self.0.is_none() {
            return file.synced.clone();
        }
        let (short, long) =
            (file.synced.len().min(file.written.len()), file.synced.len().max(file.written.len()));
        // A file may well have its new length and not its new sectors.
        let len = if file.synced.len() == file.written.len() || self.keeps() {
            long
        } else {
            short + self.prefix(long - short)
        };
        let mut bytes = file.synced.clone();
        bytes.resize(len, 0);
        let dirty = file.dirty.iter().flat_map(|page| File::page(*page, len).step_by(SECTOR_BYTES));
        for start in dirty {
            let end = (start + SECTOR_BYTES).min(len).min(file.written.len());
            if start < end && self.keeps() {
                bytes[start..end].copy_from_slice(&file.written[start..end]);
            }
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::{Disk, DiskFile};

    fn contents(disk: &MemoryDisk) -> Vec<(String, Vec<u8>)> {
        disk.file_names()
            .into_iter()
            .map(|name| (name.clone(), disk.read(&name, u64::MAX).unwrap()))
            .collect()
    }

    fn write(disk: &MemoryDisk, name: &str, bytes: &[u8]) -> Arc<dyn DiskFile> {
        let file = disk.create(name).unwrap();
        file.write_at(0, bytes).unwrap();
        file
    }

    #[test]
    fn only_what_was_synced_survives() {
        let disk = MemoryDisk::new();
        let file = write(&disk, "a", b"one");
        assert!(contents(&disk.image()).is_empty());
        file.sync().unwrap();
        assert!(contents(&disk.image()).is_empty(), "the folder was not synced");
        disk.sync_dir().unwrap();
        file.write_at(3, b" two").unwrap();
        assert_eq!(contents(&disk.image()), [("a".to_owned(), b"one".to_vec())]);
        assert_eq!(contents(&disk.crash(CrashImage::Written)), [("a".to_owned(), b"one two".to_vec())]);
        disk.remove("a").unwrap();
        assert_eq!(
            contents(&disk.image()),
            [("a".to_owned(), b"one".to_vec())],
            "the removal was not synced"
        );
        disk.sync_dir().unwrap();
        assert!(contents(&disk.image()).is_empty());
    }

    #[test]
    fn a_frozen_disk_keeps_its_image_and_goes_on() {
        let disk = MemoryDisk::new();
        disk.freeze_at_sync(2);
        let file = write(&disk, "a", b"x");
        file.sync().unwrap();
        disk.sync_dir().unwrap();
        file.write_at(1, b"y").unwrap();
        file.sync().unwrap();
        file.write_at(2, b"z").unwrap();
        assert_eq!(disk.sync_count(), 3);
        assert_eq!(contents(&disk.image()), [("a".to_owned(), b"x".to_vec())]);
        assert_eq!(contents(&disk.crash(CrashImage::Written)), [("a".to_owned(), b"xy".to_vec())]);
        assert_eq!(contents(&disk), [("a".to_owned(), b"xyz".to_vec())]);
    }

    #[test]
    fn torn_images_keep_what_was_synced_and_mix_the_rest() {
        let disk = MemoryDisk::new();
        let file = write(&disk, "a", &[1; 700]);
        file.sync().unwrap();
        disk.sync_dir().unwrap();
        file.write_at(700, &[2; 3000]).unwrap();
        let mut lengths = std::collections::BTreeSet::new();
        for seed in 0..50 {
            let bytes = disk.crash(CrashImage::Torn { seed }).read("a", u64::MAX).unwrap();
            assert_eq!(bytes[..700], [1; 700]);
            assert!(bytes[700..].iter().all(|byte| *byte == 2 || *byte == 0));
            lengths.insert(bytes.len());
        }
        assert!(lengths.len() > 20);
    }
}
