//! The committer: decides which transactions commit, and in which order.
//!
//! One gate. A commit enters it, checks its reads against the keys of the commits sequenced since its snapshot, and is
//! sequenced before it leaves; so what commits is as if each transaction had run alone, in the order of the timestamps.
//! A transaction that is executed serially runs inside the gate, on a snapshot taken there: nothing can come between.
//!
//! Every write of the database goes through the gate. Does not run functions, and does not wait for disks.
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::{Mutex, MutexGuard};
use thiserror::Error;
use weir_store::planted::{self, Bug};
use weir_store::{Changes, Joining, ReadError, SequenceError, Sequenced, Snapshot, Store, Write};
use weir_value::{TableNumber, Timestamp};

use crate::commit_timestamp::Unstamped;
use crate::keyspace;
use crate::transaction::ReadSetBuilder;
use crate::write_buffer::CountChanges;

/// How many keys of past commits are kept for the transactions that are still open. One that is open for longer than
/// this lasts counts as in conflict, which costs it a serial execution and bounds the memory.
const HISTORY_KEYS_MAX: usize = 1 << 18;

/// Why a write of the host itself was not made.
#[derive(Debug, Clone, Error)]
pub enum CommitError {
    /// The store takes no writes.
    #[error(transparent)]
    Sequence(#[from] SequenceError),
    /// The store cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

pub(crate) struct Committer {
    store: Arc<dyn Store>,
    gate: Mutex<History>,
    open: Mutex<BTreeMap<Timestamp, usize>>,
}

/// What is known behind the gate: the keys of the commits that open transactions have not seen, oldest first, and
/// how many documents each table has.
struct History {
    commits: VecDeque<PastCommit>,
    keys: usize,
    counts: HashMap<TableNumber, u64>,
    /// Transactions that read before this cannot be checked any more.
    floor: Timestamp,
    /// So many of the last commits are kept in any case: see [`Gate::meets_recent`].
    kept_commits: usize,
}

struct PastCommit {
    ts: Timestamp,
    keys: Box<[Bytes]>,
}

/// A snapshot of the newest sequenced commit; while it lives, later commits stay checkable against it.
pub(crate) struct Opened<'a> {
    committer: &'a Committer,
    pub(crate) snapshot: Arc<Snapshot>,
    ts: Timestamp,
    /// Whoever opens a transaction is about to commit it.
    pub(crate) joining: Joining,
}

impl Drop for Opened<'_> {
    fn drop(&mut self) {
        let mut open = self.committer.open.lock();
        if let Some(count) = open.get_mut(&self.ts) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.ts);
            }
        }
    }
}

/// Something that was read has been written since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Conflict;

/// The gate, held: nobody else commits.
pub(crate) struct Gate<'a> {
    committer: &'a Committer,
    history: MutexGuard<'a, History>,
}

impl Committer {
    /// `counts` are the tables' as the store has them. So many of the last commits are kept in any case.
    pub(crate) fn new(
        store: Arc<dyn Store>,
        counts: HashMap<TableNumber, u64>,
        kept_commits: usize,
    ) -> Committer {
        let (commits, floor) = (VecDeque::new(), Timestamp::ZERO);
        let history = History { commits, keys: 0, counts, floor, kept_commits };
        Committer { store, gate: Mutex::new(history), open: Mutex::new(BTreeMap::new()) }
    }

    pub(crate) fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// Takes a snapshot and registers it, as one step: nothing that is sequenced in between may be forgotten.
    pub(crate) fn open(&self) -> Opened<'_> {
        let mut open = self.open.lock();
        let snapshot = self.store.snapshot_sequenced();
        let ts = snapshot.ts();
        *open.entry(ts).or_insert(0) += 1;
        Opened { committer: self, snapshot: Arc::new(snapshot), ts, joining: self.store.joining() }
    }

    /// Waits for the gate.
    pub(crate) fn enter(&self) -> Gate<'_> {
        Gate { committer: self, history: self.gate.lock() }
    }

    /// Keeps every commit checkable, for transactions that were begun by hand.
    #[cfg(test)]
    pub(crate) fn keep_history(&self) {
        self.open.lock().insert(Timestamp::ZERO, 1);
    }

    fn oldest_open(&self) -> Option<Timestamp> {
        self.open.lock().first_key_value().map(|(ts, _)| *ts)
    }
}

impl Gate<'_> {
    /// Whether nothing of this was written since.
    pub(crate) fn check(&self, reads: &ReadSetBuilder, since: Timestamp) -> Result<(), Conflict> {
        if since < self.history.floor {
            return Err(Conflict);
        }
        let missed = self.history.commits.iter().rev().take_while(|commit| commit.ts > since);
        match missed.flat_map(|commit| commit.keys.iter()).any(|key| reads.contains(key)) {
            true => Err(Conflict),
            false => Ok(()),
        }
    }

    /// Whether one of the last commits, as many as `others` and after `since`, has written any of this.
    pub(crate) fn meets_recent(&self, reads: &ReadSetBuilder, others: usize, since: Timestamp) -> bool {
        let recent = self.history.commits.iter().rev().take(others).take_while(|commit| commit.ts > since);
        recent.flat_map(|commit| commit.keys.iter()).any(|key| reads.contains(key))
    }

    /// Sequences changes that were checked, with the tables' new counts and one more write, that knows its own
    /// timestamp. Placeholders for it in the changes are completed. Whoever is to pause lets go of the gate before. `at` is told the timestamp before anything of the commit can be read.
    pub(crate) fn sequence(
        &mut self,
        changes: impl Into<Unstamped>,
        counts: &CountChanges,
        stamped: Option<impl FnOnce(Timestamp) -> Write>,
        at: &mut dyn FnMut(Timestamp),
    ) -> Result<Sequenced, SequenceError> {
        let (mut changes, mut stamped) = (changes.into(), stamped);
        let mut keys: Box<[Bytes]> = Box::default();
        let counted = self.history.counted(counts);
        let count_write = |(table, count): &(TableNumber, u64)| Write {
            key: keyspace::table_count_key(*table),
            value: Some(Bytes::copy_from_slice(&count.to_be_bytes())),
        };
        changes.extend(counted.iter().map(count_write));
        let sequenced = self.committer.store.sequence(&mut |ts| {
            let mut changes = std::mem::take(&mut changes).stamp(ts);
            changes.writes.extend(stamped.take().map(|stamp| stamp(ts)));
            keys = changes.writes.iter().map(|write| &write.key).chain(&changes.touched).cloned().collect();
            at(ts);
            if planted::is(Bug::TouchedKeyUnannounced) {
                changes.touched.clear();
            }
            changes
        })?;
        self.history.counts.extend(counted);
        let ts = sequenced.ts;
        self.history.push(PastCommit { ts, keys });
        let forgettable = self.committer.oldest_open().unwrap_or(ts);
        self.history.forget(forgettable);
        Ok(sequenced)
    }

    /// How many documents a table has, as of the newest commit.
    pub(crate) fn count(&self, table: TableNumber) -> u64 {
        self.history.counts.get(&table).copied().unwrap_or_default()
    }

    /// Sequences writes of the host itself, which depend on nothing that was read and are none of documents.
    pub(crate) fn sequence_plain(&mut self, writes: Vec<Write>) -> Result<Sequenced, SequenceError> {
        let none = None::<fn(Timestamp) -> Write>;
        self.sequence(Changes::from(writes), &CountChanges::new(), none, &mut |_| {})
    }

    /// As [`Gate::sequence`], without such a write.
    pub(crate) fn sequence_unstamped(
        &mut self,
        changes: impl Into<Unstamped>,
        counts: &CountChanges,
    ) -> Result<Timestamp, SequenceError> {
        let sequenced = self.sequence(changes, counts, None::<fn(Timestamp) -> Write>, &mut |_| {})?;
        Ok(sequenced.ts)
    }
}

impl History {
    /// The counts of the tables whose count changes.
    fn counted(&self, changes: &CountChanges) -> Vec<(TableNumber, u64)> {
        let count = |table: &TableNumber, change: i64| {
            self.counts.get(table).copied().unwrap_or_default().saturating_add_signed(change)
        };
        let changed = changes.iter().filter(|(_, change)| **change != 0);
        changed.map(|(table, change)| (*table, count(table, *change))).collect()
    }

    fn push(&mut self, commit: PastCommit) {
        self.keys += commit.keys.len();
        self.commits.push_back(commit);
    }

    /// Drops the commits that every open transaction has seen, but for the last ones, and the oldest where there are too many.
    fn forget(&mut self, seen_by_all: Timestamp) {
        while let Some(oldest) = self.commits.front()
            && (oldest.ts <= seen_by_all && self.commits.len() > self.kept_commits
                || self.keys > HISTORY_KEYS_MAX)
        {
            self.floor = oldest.ts;
            self.keys -= oldest.keys.len();
            self.commits.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use weir_value::Timestamp;

    use super::*;
    use crate::testing::World;

    fn write(world: &World, keys: usize) -> Timestamp {
        let key = |n: usize| Bytes::from(format!("test key {n}"));
        let writes = (0..keys).map(|n| Write { key: key(n), value: Some(Bytes::new()) }).collect();
        world.db.committer.enter().sequence_plain(writes).expect("the store takes writes").ts
    }

    #[test]
    fn history_is_kept_for_those_who_are_open() {
        let world = World::forgetful();
        let committer = &world.db.committer;
        let kept = || committer.enter().history.keys;
        write(&world, 3);
        write(&world, 2);
        assert_eq!(kept(), 2, "nobody is open: the last one is kept in any case");
        let old = committer.open();
        write(&world, 5);
        let young = committer.open();
        write(&world, 7);
        assert_eq!(kept(), 12);
        drop(old);
        write(&world, 1);
        assert_eq!(kept(), 8, "the young one has seen the five");
        drop(young);
        write(&world, 1);
        assert_eq!(kept(), 1);
        assert!(committer.open.lock().is_empty());
    }

    #[test]
    fn what_the_last_commits_have_written_is_known() {
        let world = World::forgetful();
        let mut reads = ReadSetBuilder::default();
        reads.add_point(Bytes::from_static(b"test key 1"), None);
        let meets = |others, since| world.db.committer.enter().meets_recent(&reads, others, since);
        let first = write(&world, 2);
        assert!(meets(1, Timestamp::ZERO));
        assert!(!meets(1, first) && !meets(0, Timestamp::ZERO));
        write(&world, 1);
        assert!(!meets(1, Timestamp::ZERO), "it is the last but one");
    }

    #[test]
    fn history_has_a_bound_and_those_behind_it_conflict() {
        let world = World::forgetful();
        let committer = &world.db.committer;
        let opened = committer.open();
        let nothing = ReadSetBuilder::default();
        for _ in 0..4 {
            write(&world, HISTORY_KEYS_MAX / 4);
        }
        assert_eq!(committer.enter().check(&nothing, opened.snapshot.ts()), Ok(()));
        write(&world, 1);
        assert_eq!(committer.enter().check(&nothing, opened.snapshot.ts()), Err(Conflict));
        assert!(committer.enter().history.keys <= HISTORY_KEYS_MAX);
        assert_eq!(committer.enter().check(&nothing, committer.open().snapshot.ts()), Ok(()));
    }
}
