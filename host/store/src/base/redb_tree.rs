//! A tree on redb: a copy-on-write B-tree in one file. This and its reader name redb's database, and nobody else does.
//!
//! * What is written goes into transactions that are not durable by themselves; [`Tree::sync`] commits once,
//!   durably, in two phases, with the state of the allocator, so that opening after a failure takes no walk
//!   over the whole file. Transactions become durable in their order.
//! * What is not durable waits in redb's cache, all of it, and goes to the disk at once. On a slow disk that
//!   would hold the flush up for seconds, and then commits. So after so many bytes a write is durable.
//! * Readers share one read transaction, replaced after each commit: beginning one takes locks, and a snapshot
//!   of the store needs none of its own (see `snapshot`).
//! * Blocks have checksums, and a full disk is waited for (see [`CheckedFile`]).
//!
//! Not here: when to write and what; how a state is read (see `redb_reader`).

use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{self, AtomicUsize};

use bytes::Bytes;
use parking_lot::{Mutex, RwLock};
use redb::{Database, Durability, ReadableTable, Table, TableDefinition, WriteTransaction};

use super::checksummed_file::CheckedFile;
use super::redb_reader::Reader;
use super::tree::{Entries, Run, Space, Tree, TreeWriter, Visit, Work, end_of_prefix};
use super::{BaseError, prefix_range};
use crate::Direction;
use crate::memory_table::Interval;

/// The name of the file.
pub(crate) const FILE: &str = "base.redb";

/// Below this a pass does not begin: a disk that full should keep its room for the log.
const ROOM_NEEDED_BYTES: u64 = 4 * 1024 * 1024;

/// What may wait in redb's cache.
const UNSYNCED_BYTES_MAX: usize = 8 * 1024 * 1024;
/// The part of the cache that remembers what short ranges hold.
const SHORT_RANGES_PART: u64 = 8;
/// An entry may change a page of its own.
const PAGE_BYTES: usize = 4096;

/// The shortest run that is added at once: opening one and writing it takes as long as a few keys do.
const RUN_MIN: usize = 4;
/// After so many looks for a run that found none, in a row, the pauses grow no longer: 63 keys.
const SHORT_RUNS_MAX: u32 = 6;

type Definition = TableDefinition<'static, &'static [u8], &'static [u8]>;

pub(super) const fn definition(space: Space) -> Definition {
    match space {
        Space::Rows => TableDefinition::new("rows"),
        Space::Pieces => TableDefinition::new("pieces"),
        Space::Marks => TableDefinition::new("marks"),
    }
}

/// Maps in a redb database.
pub(crate) struct RedbTree {
    file: CheckedFile,
    /// Locked to be checked, which nothing else may do meanwhile. `None` when it is closed.
    db: Mutex<Option<Database>>,
    /// `None` while the file is checked, which nobody may read meanwhile, and when it is closed.
    reader: RwLock<Option<Arc<Reader>>>,
    /// At most what waits in redb's cache. Written by one thread.
    unsynced_bytes: AtomicUsize,
    /// For what each reader remembers of short ranges.
    short_ranges_bytes: u64,
}

impl RedbTree {
    /// Opens the database in `file`, or makes one there. `cache_bytes` bounds what it keeps in memory.
    pub(crate) fn open(file: CheckedFile, cache_bytes: u64) -> Result<RedbTree, BaseError> {
        let short_ranges_bytes = cache_bytes / SHORT_RANGES_PART;
        let cache_bytes = usize::try_from(cache_bytes - short_ranges_bytes).unwrap_or(usize::MAX);
        let backend = file.clone();
        // It panics on some kinds of damage where others get an error.
        let opened = catch_unwind(AssertUnwindSafe(|| {
            let db = Database::builder().set_cache_size(cache_bytes).create_with_backend(backend);
            let db = db.map_err(opening)?;
            make_tables(&db)?;
            let reader = Reader::new(&db, short_ranges_bytes)?;
            Ok((db, reader))
        }));
        let (db, reader) =
            opened.unwrap_or_else(|_| Err(BaseError::damaged("the base is damaged: redb panicked")))?;
        let reader = RwLock::new(Some(Arc::new(reader)));
        let unsynced_bytes = AtomicUsize::new(0);
        Ok(RedbTree { file, db: Mutex::new(Some(db)), reader, unsynced_bytes, short_ranges_bytes })
    }

    fn reader(&self) -> Result<Arc<Reader>, BaseError> {
        let reader = self.reader.read().clone();
        reader.ok_or_else(|| reading(std::io::Error::other("the base is closed, or being checked")))
    }

    /// Commits what `work` writes, and lets readers see it.
    fn commit(
        &self,
        durability: Durability,
        work: impl FnOnce(&WriteTransaction) -> Result<(), BaseError>,
    ) -> Result<(), BaseError> {
        let db = self.db.lock();
        let db = db.as_ref().ok_or_else(|| writing(closed()))?;
        CheckedFile::waiting_for_room(|| {
            let mut transaction = db.begin_write().map_err(writing)?;
            transaction.set_durability(durability).map_err(writing)?;
            transaction.set_quick_repair(matches!(durability, Durability::Immediate));
            work(&transaction)?;
            transaction.commit().map_err(writing)
        })?;
        *self.reader.write() = Some(Arc::new(Reader::new(db, self.short_ranges_bytes)?));
        Ok(())
    }
}

/// All tables are there from the beginning, so that readers need not ask.
fn make_tables(db: &Database) -> Result<(), BaseError> {
    if Reader::new(db, 0).is_ok() {
        return Ok(());
    }
    let mut transaction = db.begin_write().map_err(opening)?;
    transaction.set_quick_repair(true);
    for space in Space::ALL {
        transaction.open_table(definition(space)).map_err(opening)?;
    }
    transaction.commit().map_err(opening)
}

impl Tree for RedbTree {
    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Bytes>, BaseError> {
        let mut found = None;
        self.reader()?.look(space, key, &mut |value| found = Some(Bytes::copy_from_slice(value)))?;
        Ok(found)
    }

    fn look(&self, space: Space, key: &[u8], look: &mut dyn FnMut(&[u8])) -> Result<(), BaseError> {
        self.reader()?.look(space, key, look)
    }

    fn look_again(&self, space: Space, key: &[u8], look: &mut dyn FnMut(&[u8])) -> Result<(), BaseError> {
        self.reader()?.look_again(space, key, look)
    }

    fn look_each(
        &self,
        space: Space,
        keys: &[&[u8]],
        direction: Direction,
        look: &mut dyn FnMut(usize, &[u8]),
    ) -> Result<(), BaseError> {
        self.reader()?.look_each(space, keys, direction, look)
    }

    fn visit(
        &self,
        space: Space,
        interval: Interval<'_>,
        direction: Direction,
        entries_max: usize,
        visit: &mut Visit<'_>,
    ) -> Result<(), BaseError> {
        self.reader()?.visit(space, interval, direction, entries_max, visit)
    }

    fn range<'a>(
        &'a self,
        space: Space,
        interval: Interval<'a>,
        direction: Direction,
    ) -> Result<Entries<'a>, BaseError> {
        self.reader()?.range(space, interval, direction)
    }

    fn write(&self, work: &mut Work<'_>) -> Result<(), BaseError> {
        let is_due = self.unsynced_bytes.load(atomic::Ordering::Relaxed) > UNSYNCED_BYTES_MAX;
        let durability = if is_due { Durability::Immediate } else { Durability::None };
        if is_due {
            self.unsynced_bytes.store(0, atomic::Ordering::Relaxed);
        }
        self.commit(durability, |transaction| {
            let [rows, pieces, marks] = Space::ALL.map(|space| transaction.open_table(definition(space)));
            let mut writer = Writer {
                tables: [rows.map_err(writing)?, pieces.map_err(writing)?, marks.map_err(writing)?],
                bytes: 0,
                one_by_one: 0,
                short_runs: 0,
            };
            work(&mut writer)?;
            self.unsynced_bytes.fetch_add(writer.bytes, atomic::Ordering::Relaxed);
            Ok(())
        })
    }

    fn sync(&self) -> Result<(), BaseError> {
        self.unsynced_bytes.store(0, atomic::Ordering::Relaxed);
        self.commit(Durability::Immediate, |_| Ok(()))?;
        // Pages that the state before it held are given back by a commit that comes after readers have left it.
        self.commit(Durability::Immediate, |_| Ok(()))
    }

    fn may_fall_back(&self) -> bool {
        false
    }

    fn room_needed(&self) -> u64 {
        ROOM_NEEDED_BYTES
    }

    fn check(&self) -> Result<(), BaseError> {
        let mut db = self.db.lock();
        let db = db.as_mut().ok_or_else(|| reading(closed()))?;
        *self.reader.write() = None;
        let checked = db.check_integrity();
        *self.reader.write() = Some(Arc::new(Reader::new(db, self.short_ranges_bytes)?));
        match checked {
            Ok(true) => Ok(()),
            Ok(false) => Err(BaseError::damaged("the base did not pass redb's check of its pages")),
            Err(error) => Err(BaseError::new("checking", error)),
        }
    }

    fn is_waiting_for_room(&self) -> bool {
        self.file.is_waiting()
    }

    fn gave_up(&self) -> bool {
        self.file.gave_up()
    }

    fn stop(&self) {
        self.file.stop();
    }

    /// redb commits once more, and its `Drop` keeps an error of that to itself.
    fn close(&self) -> Result<(), BaseError> {
        *self.reader.write() = None;
        match self.db.lock().take() {
            Some(db) => db.close().map_err(|error| BaseError::new("closing", error)),
            None => Ok(()),
        }
    }
}

struct Writer<'txn> {
    tables: [Table<'txn, &'static [u8], &'static [u8]>; 3],
    /// At most what it changes.
    bytes: usize,
    /// So many keys are added without looking whether a run begins with them.
    one_by_one: usize,
    /// How many times in a row there was none.
    short_runs: u32,
}

impl Writer<'_> {
    /// Keys that are scattered over the tree are told soon, and then are not looked at each.
    fn note_run(&mut self, len: usize) {
        self.short_runs = if len < RUN_MIN { (self.short_runs + 1).min(SHORT_RUNS_MAX) } else { 0 };
        self.one_by_one = (1 << self.short_runs) - 1;
    }
}

impl TreeWriter for Writer<'_> {
    fn insert(&mut self, space: Space, key: &[u8], value: &[u8]) -> Result<Option<Bytes>, BaseError> {
        self.bytes += key.len() + value.len() + PAGE_BYTES;
        let before = self.tables[space as usize].insert(key, value).map_err(writing)?;
        Ok(before.map(|before| Bytes::copy_from_slice(before.value())))
    }

    /// redb divides a page that is full into two halves, and leaves them so when the keys ascend. What is added by
    /// a cursor fills its pages.
    fn insert_run(&mut self, space: Space, run: &dyn Run) -> Result<usize, BaseError> {
        let Some(first) = run.key(0) else { return Ok(0) };
        if self.one_by_one > 0 {
            self.one_by_one -= 1;
            return Ok(0);
        }
        let mut bytes = PAGE_BYTES;
        let mut cursor =
            self.tables[space as usize].lower_bound_mut(Bound::Included(first)).map_err(writing)?;
        let next = cursor.peek_next().map_err(writing)?.map(|(key, _)| key.value().to_vec());
        let len = run_len(run, next.as_deref());
        if len >= RUN_MIN {
            for (at, key) in (0..len).map_while(|at| Some((at, run.key(at)?))) {
                let value = run.value(at);
                bytes += key.len() + value.len();
                cursor.insert_before(key, &value[..]).map_err(writing)?;
            }
            self.bytes += bytes;
        }
        cursor.close().map_err(writing)?;
        self.note_run(len);
        Ok(if len >= RUN_MIN { len } else { 0 })
    }

    fn remove(&mut self, space: Space, key: &[u8]) -> Result<Option<Bytes>, BaseError> {
        self.bytes += PAGE_BYTES;
        let before = self.tables[space as usize].remove(key).map_err(writing)?;
        Ok(before.map(|before| Bytes::copy_from_slice(before.value())))
    }

    fn keys(&self, space: Space, prefix: &[u8]) -> Result<Vec<Bytes>, BaseError> {
        let end = end_of_prefix(prefix);
        let interval = prefix_range(prefix, &end);
        let bounds: (Bound<&[u8]>, Bound<&[u8]>) = (interval.low, interval.high);
        let entries = self.tables[space as usize].range::<&[u8]>(bounds).map_err(reading)?;
        entries.map(|entry| Ok(Bytes::copy_from_slice(entry.map_err(reading)?.0.value()))).collect()
    }
}

/// How many keys of a run ascend, and lie before the next key that there is.
fn run_len(run: &dyn Run, next: Option<&[u8]>) -> usize {
    let mut before: Option<&[u8]> = None;
    let ascends = |at: &usize| {
        let Some(key) = run.key(*at) else { return false };
        before.replace(key).is_none_or(|before| before < key) && next.is_none_or(|next| key < next)
    };
    (0..).take_while(ascends).count()
}

fn closed() -> std::io::Error {
    std::io::Error::other("the base is closed")
}

fn opening(error: impl std::error::Error + Send + Sync + 'static) -> BaseError {
    BaseError::new("opening", error)
}

pub(super) fn reading(error: impl std::error::Error + Send + Sync + 'static) -> BaseError {
    BaseError::new("reading", error)
}

fn writing(error: impl std::error::Error + Send + Sync + 'static) -> BaseError {
    BaseError::new("writing", error)
}

#[cfg(test)]
mod tests {
    use redb::ReadableTableMetadata;

    use super::*;
    use crate::disk::{Disk, MemoryDisk};

    /// Ascending keys of four bytes with values of 150.
    struct Ascending(std::ops::Range<u32>, Vec<[u8; 4]>);

    impl Ascending {
        fn new(keys: std::ops::Range<u32>) -> Ascending {
            Ascending(keys.clone(), keys.map(u32::to_be_bytes).collect())
        }
    }

    impl Run for Ascending {
        fn key(&self, at: usize) -> Option<&[u8]> {
            self.1.get(at).map(|key| &key[..])
        }

        fn value(&self, _: usize) -> Vec<u8> {
            vec![7; 150]
        }
    }

    #[test]
    fn a_run_fills_its_pages() {
        let file = CheckedFile::open(MemoryDisk::new().create("base").unwrap()).unwrap();
        let tree = RedbTree::open(file, 1024 * 1024).unwrap();
        let mut added = 0;
        for slice in 0..40 {
            let run = Ascending::new(slice * 1_000..slice * 1_000 + 1_000);
            let work = &mut |writer: &mut dyn TreeWriter| {
                added += writer.insert_run(Space::Rows, &run)?;
                Ok(())
            };
            tree.write(work).unwrap();
            assert_eq!(added as u32, run.0.end);
        }
        let stats = tree.reader().unwrap().table(Space::Rows).stats().unwrap();
        let (leaves, data) = (stats.leaf_pages() * PAGE_BYTES as u64, stats.stored_bytes());
        assert!(leaves < data * 12 / 10, "{leaves} bytes of leaves for {data} of data");
    }

    #[test]
    fn a_run_ends_where_another_key_lies_or_the_order_breaks() {
        let keys = Ascending::new(10..20);
        assert_eq!(run_len(&keys, None), 10);
        assert_eq!(run_len(&keys, Some(&15u32.to_be_bytes())), 5);
        assert_eq!(run_len(&keys, Some(&10u32.to_be_bytes())), 0, "it is there already");
        let twice = Ascending(0..3, [1, 2, 2, 3].map(u32::to_be_bytes).to_vec());
        assert_eq!(run_len(&twice, None), 2);
    }
}
