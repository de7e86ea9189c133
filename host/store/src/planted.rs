//! Defects that are planted on purpose, to show that the tests would find them.
//!
//! Each is the kind of mistake that a store or a database makes: a sync that is left out, a gap that is not
//! recorded as read. The code asks [`is`] where a defect would stand. Without the feature `planted-bugs` the
//! answer is a constant, and nothing of this is in the program.
//!
//! Not here: the defects themselves, which stand where the right code stands, and the search for them (see
//! `tests/simulation`).

/// A defect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Bug {
    /// The log is written and not synced.
    UnsyncedLog,
    /// A group counts as durable before its record is synced.
    AnswerBeforeSync,
    /// A range that was read is recorded as the rows that were found in it.
    ReadSetMissesGap,
    /// The base gets commits that an open snapshot must not see.
    CheckpointPastOpenSnapshot,
    /// A log segment goes before the base has what it holds.
    SegmentReleasedEarly,
    /// A mutation commits without the record of its session's request.
    RequestRecordLost,
    /// A flush forgets a key that it did not write.
    FlushSkipsKey,
    /// A flush remembers a row as it was before the last commit to it.
    RememberedRowStays,
    /// Recovery takes a record whose checksum is wrong.
    TornRecordTakenWhole,
    /// A clock that was set back sets timestamps back.
    TimestampGoesBack,
    /// What a failed nested call wrote stays.
    NestedWritesKept,
    /// A document that is written leaves its old entry in an index behind.
    IndexEntryStays,
    /// Nobody is told of a document that was written without a change of its index entries.
    TouchedKeyUnannounced,
    /// Writes do not keep an index that is being built.
    BuildingIndexNotKept,
    /// A mutation commits under another deployment than it ran with.
    MutationPassesDeployment,
}

/// Whether the defect is planted: never, in a program that is built without `planted-bugs`.
#[cfg(not(feature = "planted-bugs"))]
#[must_use]
pub const fn is(_bug: Bug) -> bool {
    false
}

#[cfg(feature = "planted-bugs")]
pub use choice::{ENVIRONMENT_VARIABLE, Planted, is, plant};

#[cfg(feature = "planted-bugs")]
mod choice {
    use std::cell::Cell;
    use std::marker::PhantomData;
    use std::sync::OnceLock;

    use super::Bug;

    /// Names the one defect that is planted in all threads of a process.
    pub const ENVIRONMENT_VARIABLE: &str = "WEIR_PLANTED_BUG";

    thread_local! {
        static HERE: Cell<Option<Bug>> = const { Cell::new(None) };
    }

    impl Bug {
        /// All of them.
        pub const ALL: [Bug; 15] = [
            Bug::UnsyncedLog,
            Bug::AnswerBeforeSync,
            Bug::ReadSetMissesGap,
            Bug::CheckpointPastOpenSnapshot,
            Bug::SegmentReleasedEarly,
            Bug::RequestRecordLost,
            Bug::FlushSkipsKey,
            Bug::RememberedRowStays,
            Bug::TornRecordTakenWhole,
            Bug::TimestampGoesBack,
            Bug::NestedWritesKept,
            Bug::IndexEntryStays,
            Bug::TouchedKeyUnannounced,
            Bug::BuildingIndexNotKept,
            Bug::MutationPassesDeployment,
        ];

        /// Its name in the environment and on command lines.
        pub const fn name(self) -> &'static str {
            match self {
                Bug::UnsyncedLog => "unsynced-log",
                Bug::AnswerBeforeSync => "answer-before-sync",
                Bug::ReadSetMissesGap => "read-set-misses-gap",
                Bug::CheckpointPastOpenSnapshot => "checkpoint-past-open-snapshot",
                Bug::SegmentReleasedEarly => "segment-released-early",
                Bug::RequestRecordLost => "request-record-lost",
                Bug::FlushSkipsKey => "flush-skips-key",
                Bug::RememberedRowStays => "remembered-row-stays",
                Bug::TornRecordTakenWhole => "torn-record-taken-whole",
                Bug::TimestampGoesBack => "timestamp-goes-back",
                Bug::NestedWritesKept => "nested-writes-kept",
                Bug::IndexEntryStays => "index-entry-stays",
                Bug::TouchedKeyUnannounced => "touched-key-unannounced",
                Bug::BuildingIndexNotKept => "building-index-not-kept",
                Bug::MutationPassesDeployment => "mutation-passes-deployment",
            }
        }

        /// The defect of this name.
        ///
        /// # Errors
        /// There is none; the text lists those that there are.
        pub fn parse(name: &str) -> Result<Bug, String> {
            Bug::ALL.into_iter().find(|bug| bug.name() == name).ok_or_else(|| {
                let names = Bug::ALL.map(Bug::name).join(", ");
                format!("`{name}` is not a planted defect; there are {names}")
            })
        }
    }

    /// Whether the defect is planted, in this thread or in the whole process.
    #[must_use]
    pub fn is(bug: Bug) -> bool {
        HERE.get() == Some(bug) || in_process() == Some(bug)
    }

    /// Plants a defect in this thread, in place of one that is there, until the guard is dropped.
    #[must_use = "dropping it takes the defect out again"]
    pub fn plant(bug: Bug) -> Planted {
        Planted { before: HERE.replace(Some(bug)), _stays: PhantomData }
    }

    /// Keeps a defect planted in the thread that planted it.
    #[derive(Debug)]
    pub struct Planted {
        before: Option<Bug>,
        /// The setting belongs to a thread, and so does this.
        _stays: PhantomData<*const ()>,
    }

    impl Drop for Planted {
        fn drop(&mut self) {
            HERE.set(self.before);
        }
    }

    /// Read once: a defect does not come and go while a host runs.
    fn in_process() -> Option<Bug> {
        static CHOSEN: OnceLock<Option<Bug>> = OnceLock::new();
        *CHOSEN.get_or_init(|| {
            let name = std::env::var(ENVIRONMENT_VARIABLE).ok()?;
            Some(Bug::parse(&name).unwrap_or_else(|error| panic!("{ENVIRONMENT_VARIABLE}: {error}")))
        })
    }
}

#[cfg(all(test, feature = "planted-bugs"))]
mod tests {
    use super::*;

    #[test]
    fn a_defect_is_there_while_its_guard_lives_and_in_its_thread_alone() {
        assert!(!is(Bug::UnsyncedLog));
        let outer = plant(Bug::UnsyncedLog);
        {
            let _inner = plant(Bug::FlushSkipsKey);
            assert!(is(Bug::FlushSkipsKey) && !is(Bug::UnsyncedLog));
        }
        assert!(is(Bug::UnsyncedLog));
        std::thread::scope(|scope| {
            scope.spawn(|| assert!(!is(Bug::UnsyncedLog)));
        });
        drop(outer);
        assert!(Bug::ALL.into_iter().all(|bug| !is(bug)));
    }

    #[test]
    fn names_are_read_back_and_others_are_told() {
        for bug in Bug::ALL {
            assert_eq!(Bug::parse(bug.name()), Ok(bug));
        }
        let error = Bug::parse("all-of-them").unwrap_err();
        assert!(error.contains("`all-of-them`") && error.contains("unsynced-log"), "{error}");
    }
}
