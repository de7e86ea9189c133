//! Dropping the records of session requests that nobody will repeat any more.
//!
//! A sweep is a pass over all records, a step at a time: each step looks at some of them and drops the old ones in a
//! commit of its own, and whoever steps lets others go first in between. Not here: what makes a record old.
use bytes::Bytes;
use weir_store::{Direction, Snapshot, Write};
use weir_value::Timestamp;
use weir_value::limits::{SESSION_SWEEP_STEP_BYTES, SESSION_SWEEP_STEP_ROWS};

use crate::session_requests::SessionRecord;
use crate::stats::add;
use crate::transaction::ReadSetBuilder;
use crate::{CommitError, Database, KeyRange, keyspace, record_age};

/// How many records are read at once: each may hold a result of the largest size.
const PIECE_ROWS: usize = 8;

/// A pass over the records that has not come to its end.
#[derive(Debug)]
pub struct SweepPass {
    /// Records of commits up to here go.
    up_to: Timestamp,
    rest: KeyRange,
    scanned: u64,
    removed: u64,
}

impl SweepPass {
    /// A pass over the records of commits up to `up_to`, whatever their age: for tests that decide what is old.
    pub fn up_to(up_to: Timestamp) -> SweepPass {
        SweepPass { up_to, rest: keyspace::session_requests(), scanned: 0, removed: 0 }
    }
}

/// What one step has looked at.
struct Step {
    old: ReadSetBuilder,
    deletions: Vec<Write>,
    scanned: u64,
    /// Empty: that was all.
    rest: KeyRange,
}

impl Database {
    /// Notes that time has passed, and begins a pass if there may be records that are old enough to go: older than
    /// [`SESSION_RECORD_MS`](weir_value::limits::SESSION_RECORD_MS) of running time, whatever the wall clock says. A
    /// repetition of a request whose record is gone runs again.
    ///
    /// # Errors
    /// The store takes no writes.
    pub fn begin_sweep(&self) -> Result<Option<SweepPass>, CommitError> {
        self.note_running_time()?;
        Ok(self.record_age.old_up_to().map(SweepPass::up_to))
    }

    /// Goes on with a pass; `None` when it has come to its end.
    ///
    /// # Errors
    /// The store cannot be read or takes no writes; what was removed until then stays removed, and a new pass begins
    /// where there is something to remove.
    pub fn sweep_step(&self, mut pass: SweepPass) -> Result<Option<SweepPass>, CommitError> {
        let opened = self.committer.open();
        let step = look(&opened.snapshot, &pass.rest, pass.up_to)?;
        let removed = step.deletions.len() as u64;
        if !self.drop_records(&step.old, opened.snapshot.ts(), step.deletions)? {
            return Ok(Some(pass));
        }
        add(&self.counters.session_requests_swept, removed);
        pass.scanned += step.scanned;
        pass.removed += removed;
        pass.rest = step.rest;
        if pass.rest.is_empty() {
            self.record_age.is_gone(pass.up_to);
            tracing::debug!(pass.scanned, pass.removed, "swept old request records");
            return Ok(None);
        }
        Ok(Some(pass))
    }

    /// Writes down how long hosts have run on this data; records age by that. Sweeping does it, and so should whoever
    /// is about to close the store.
    ///
    /// # Errors
    /// The store takes no writes; what was not noted is noted the next time, by the same process.
    pub fn note_running_time(&self) -> Result<(), CommitError> {
        let newest = self.store().sequenced();
        self.record_age.note(newest, |record| self.write_system(record_age::RECORD_NAME, record))
    }

    /// Removes what was old at `seen_at`; false, and nothing is removed, if any of it has been written since: another
    /// sweep has removed it, and its request has run again.
    fn drop_records(
        &self,
        old: &ReadSetBuilder,
        seen_at: Timestamp,
        deletions: Vec<Write>,
    ) -> Result<bool, CommitError> {
        if deletions.is_empty() {
            return Ok(true);
        }
        let mut gate = self.committer.enter();
        if gate.check(old, seen_at).is_err() {
            return Ok(false);
        }
        gate.sequence_plain(deletions)?;
        Ok(true)
    }
}

/// Looks at the next records. One that is damaged counts as old: it can answer nothing.
fn look(snapshot: &Snapshot, range: &KeyRange, up_to: Timestamp) -> Result<Step, CommitError> {
    let mut step =
        Step { old: ReadSetBuilder::default(), deletions: Vec::new(), scanned: 0, rest: range.clone() };
    let mut bytes = 0;
    while (step.scanned as usize) < SESSION_SWEEP_STEP_ROWS && bytes < SESSION_SWEEP_STEP_BYTES {
        let rows = snapshot.scan(&step.rest.start, &step.rest.end, Direction::Ascending, PIECE_ROWS)?;
        step.rest.start = match rows.last() {
            Some((last, _)) if rows.len() == PIECE_ROWS => keyspace::successor(last),
            _ => step.rest.end.clone(),
        };
        step.scanned += rows.len() as u64;
        for (key, record) in rows {
            bytes += record.len();
            if SessionRecord::ts_of(&record).is_none_or(|ts| ts <= up_to) {
                // The records do not stay in memory with the key.
                let key = Bytes::copy_from_slice(&key);
                step.old.add_point(key.clone(), None);
                step.deletions.push(Write { key, value: None });
            }
        }
        if step.rest.is_empty() {
            break;
        }
    }
    Ok(step)
}

#[cfg(test)]
mod tests {
    use weir_store::Changes;

    use super::*;
    use crate::session_requests::Owner;
    use crate::testing::World;
    use crate::write_buffer::CountChanges;
    use crate::{Principal, SessionRequest};

    #[test]
    fn what_was_written_since_it_was_looked_at_stays() {
        let world = World::forgetful();
        let key = keyspace::session_request_key(&SessionRequest { session: [1; 16], request: 1 });
        let write = |result: &'static [u8]| {
            let stamp = |ts| {
                let record = SessionRecord {
                    ts,
                    owner: Owner::of(&Principal::Anonymous),
                    result: Bytes::from_static(result),
                    log_lines: Vec::new(),
                };
                Write { key: key.clone(), value: Some(record.encode()) }
            };
            world
                .db
                .committer
                .enter()
                .sequence(Changes::default(), &CountChanges::new(), Some(stamp), &mut |_| {})
                .expect("the store takes writes")
                .ts
        };
        let first = write(b"1");
        let opened = world.db.committer.open();
        let step = look(&opened.snapshot, &keyspace::session_requests(), first).unwrap();
        assert_eq!((step.scanned, step.deletions.len()), (1, 1));
        write(b"2");
        assert!(!world.db.drop_records(&step.old, opened.snapshot.ts(), step.deletions).unwrap());
        let now = world.db.committer.open();
        assert!(now.snapshot.get(&key).unwrap().is_some());
        let step = look(&now.snapshot, &keyspace::session_requests(), now.snapshot.ts()).unwrap();
        assert!(world.db.drop_records(&step.old, now.snapshot.ts(), step.deletions).unwrap());
        assert!(world.db.committer.open().snapshot.get(&key).unwrap().is_none());
    }
}
