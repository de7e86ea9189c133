//! How old the records of session requests are, in time that hosts have run.
//!
//! A commit's timestamp is the wall clock's, and that may be wrong when a machine starts and jump by years when it is
//! put right, so no age can be told from it. Instead *marks* are kept: how long hosts had run on this data at some
//! point, and which commit was the newest then. Timestamps never go back, whatever the clock does: what is no newer
//! than a mark is no younger than the mark.
//!
//! Running time is counted by the monotonic clock. It stands with the marks in a system record, written now and then,
//! and goes on from there in the next process. So time in which no host runs does not count (nor, on Linux, time in
//! which the machine sleeps), and of a process that was killed what it had not noted: records are kept for longer
//! then, and never for less.
//!
//! Not here: the records, and when they are swept.
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use parking_lot::Mutex;
use weir_store::{Env, Snapshot};
use weir_value::Timestamp;
use weir_value::limits::{SESSION_RECORD_MARK_MS, SESSION_RECORD_MS};

use crate::{CommitError, keyspace};

/// The name of the system record.
pub(crate) const RECORD_NAME: &str = "running-time";

/// How long a record is kept.
const KEPT: Duration = Duration::from_millis(SESSION_RECORD_MS);
/// What lies between two marks.
const MARK_INTERVAL: Duration = Duration::from_millis(SESSION_RECORD_MARK_MS);
/// Those younger than `KEPT`, and one that is older.
const MARKS_MAX: usize = (SESSION_RECORD_MS / SESSION_RECORD_MARK_MS) as usize + 2;

/// The age of what is in one database.
pub(crate) struct RecordAge {
    env: Arc<dyn Env>,
    /// When this process began to count, and what had been counted before.
    opened_at: Duration,
    earlier: Duration,
    /// As they were last written, but for those that have done their duty.
    marks: Mutex<Marks>,
}

impl RecordAge {
    /// Goes on from what the database holds. A record that is damaged is as none: nothing is old then.
    pub(crate) fn load(snapshot: &Snapshot, env: Arc<dyn Env>) -> Result<RecordAge, weir_store::ReadError> {
        let record = snapshot.get(&keyspace::system_record_key(RECORD_NAME))?;
        let marks = record.map(|record| {
            Marks::decode(record).unwrap_or_else(|| {
                tracing::warn!("the record of the running time is damaged; it is counted anew");
                Marks::default()
            })
        });
        let marks = marks.unwrap_or_default();
        Ok(RecordAge { opened_at: env.monotonic(), env, earlier: marks.running, marks: Mutex::new(marks) })
    }

    /// Writes down how long hosts have run by now, and that `newest` is the newest commit.
    pub(crate) fn note(
        &self,
        newest: Timestamp,
        write: impl FnOnce(Bytes) -> Result<Timestamp, CommitError>,
    ) -> Result<(), CommitError> {
        let mut marks = self.marks.lock();
        let mut noted = marks.clone();
        noted.note(self.running(), newest);
        write(noted.encode())?;
        *marks = noted;
        Ok(())
    }

    /// The newest commit that is old enough for its record to go, and with it all that are older.
    pub(crate) fn old_up_to(&self) -> Option<Timestamp> {
        let marks = self.marks.lock();
        marks.marks.first().filter(|mark| mark.is_old(marks.running)).map(|mark| mark.newest)
    }

    /// What is that old is gone: nobody need look for it again.
    pub(crate) fn is_gone(&self, up_to: Timestamp) {
        self.marks.lock().marks.retain(|mark| mark.newest > up_to);
    }

    fn running(&self) -> Duration {
        self.earlier + self.env.monotonic().saturating_sub(self.opened_at)
    }
}

/// Running time, and the marks in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Marks {
    running: Duration,
    /// Oldest first.
    marks: Vec<Mark>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mark {
    /// How long hosts had run then.
    running: Duration,
    /// The newest commit then.
    newest: Timestamp,
}

impl Mark {
    fn is_old(&self, running: Duration) -> bool {
        running.saturating_sub(self.running) >= KEPT
    }
}

impl Marks {
    fn note(&mut self, running: Duration, newest: Timestamp) {
        self.running = running;
        let is_due = |last: &Mark| running.saturating_sub(last.running) >= MARK_INTERVAL;
        if self.marks.last().is_none_or(is_due) {
            self.marks.push(Mark { running, newest });
        }
        // Of those that are old the newest says all.
        let old = self.marks.iter().take_while(|mark| mark.is_old(running)).count();
        self.marks.drain(..old.saturating_sub(1));
    }

    /// `running u64 | for each mark: running u64 | newest u64`, all nanoseconds, integers big-endian.
    fn encode(&self) -> Bytes {
        let mut out = BytesMut::with_capacity(8 + 16 * self.marks.len());
        out.put_u64(to_nanos(self.running));
        for mark in &self.marks {
            out.put_u64(to_nanos(mark.running));
            out.put_u64(mark.newest.as_nanos());
        }
        out.freeze()
    }

    /// `None`: damaged.
    fn decode(mut bytes: Bytes) -> Option<Marks> {
        let running = Duration::from_nanos(bytes.try_get_u64().ok()?);
        let mut marks = Vec::new();
        while bytes.has_remaining() {
            let at = Duration::from_nanos(bytes.try_get_u64().ok()?);
            let newest_ns = bytes.try_get_u64().ok().filter(|ns| *ns <= Timestamp::MAX.as_nanos())?;
            marks.push(Mark { running: at, newest: Timestamp::from_nanos(newest_ns) });
        }
        let is_sorted = marks.is_sorted_by(|a, b| a.running < b.running && a.newest <= b.newest);
        let is_past = marks.last().is_none_or(|last| last.running <= running);
        (is_sorted && is_past && marks.len() <= MARKS_MAX).then_some(Marks { running, marks })
    }
}

/// Five centuries fit.
fn to_nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ts(nanos: u64) -> Timestamp {
        Timestamp::from_nanos(nanos)
    }

    fn oldest(marks: &Marks) -> Option<Timestamp> {
        marks.marks.first().filter(|mark| mark.is_old(marks.running)).map(|mark| mark.newest)
    }

    #[test]
    fn what_is_old_is_so_by_running_time() {
        let mut marks = Marks::default();
        marks.note(MARK_INTERVAL, ts(7));
        assert_eq!(oldest(&marks), None);
        marks.note(KEPT, ts(1_000_000));
        assert_eq!(oldest(&marks), None, "the first mark is younger by an interval");
        marks.note(KEPT + MARK_INTERVAL, ts(1_000_001));
        assert_eq!(oldest(&marks), Some(ts(7)));
        marks.note(KEPT * 2, ts(1_000_002));
        assert_eq!((oldest(&marks), marks.marks.len()), (Some(ts(1_000_000)), 3), "{marks:?}");
    }

    proptest! {
        #[test]
        fn marks_stay_few_and_come_back(
            steps in prop::collection::vec((0u64..SESSION_RECORD_MARK_MS * 3, 0u64..5), 0..200),
        ) {
            let (mut running, mut newest) = (Duration::ZERO, 0);
            let mut marks = Marks::default();
            let mut noted = Vec::new();
            for (ms, commits) in steps {
                running += Duration::from_millis(ms);
                newest += commits;
                marks.note(running, ts(newest));
                noted.push((running, newest));
                prop_assert!(marks.marks.len() <= MARKS_MAX);
                prop_assert_eq!(Marks::decode(marks.encode()), Some(marks.clone()));
                if let Some(old) = oldest(&marks) {
                    let seen = noted.iter().find(|(_, seen)| *seen >= old.as_nanos()).expect("it was noted");
                    prop_assert!(running - seen.0 >= KEPT, "what is no newer was there {:?} ago", running - seen.0);
                }
            }
            let first = noted.first().map(|(at, _)| *at).unwrap_or_default();
            let is_over = running.saturating_sub(first) >= KEPT + MARK_INTERVAL * 3;
            prop_assert!(!is_over || oldest(&marks).is_some(), "nothing is ever old");
        }

        #[test]
        fn arbitrary_bytes_are_no_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            if let Some(marks) = Marks::decode(bytes.clone().into()) {
                prop_assert_eq!(marks.encode(), Bytes::from(bytes));
            }
        }
    }

    #[test]
    fn damage_is_seen() {
        let bytes = |numbers: &[u64]| numbers.iter().flat_map(|n| n.to_be_bytes()).collect::<Bytes>();
        assert!(Marks::decode(bytes(&[9, 1, 5, 2, 5])).is_some());
        let too_many: Vec<u64> =
            (0..=2 * (MARKS_MAX as u64 + 1)).map(|n| if n == 0 { 1 << 20 } else { n }).collect();
        for damaged in
            [&[9, 1][..], &[9, 2, 5, 1, 6], &[9, 1, 6, 2, 5], &[9, 10, 5], &[9, 1, u64::MAX], &too_many]
        {
            assert_eq!(Marks::decode(bytes(damaged)), None, "{damaged:?}");
        }
        assert_eq!(Marks::decode(Bytes::from_static(b"seven b")), None);
    }
}
