//! What must hold, and the report of what did not.
//!
//! Not here: how each is checked.

use std::fmt;

/// Something that must hold in every run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Property {
    /// Every value that a committed transaction read is what the order of timestamps gives at its place.
    Serializable,
    /// Every transaction, also one that fails, reads one snapshot and its own writes.
    OneSnapshot,
    /// Calls return, fail and log as their function does on the model.
    Results,
    /// What was answered is there after every crash.
    AnsweredIsDurable,
    /// A restart shows the state after some commit, whole.
    Prefix,
    /// Each commit's timestamp is larger than every one before it, across restarts too.
    TimestampsRise,
    /// A session's request takes effect once, and its repetition gets the same answer.
    RequestsOnce,
    /// The newest state is what the commits wrote.
    State,
    /// A snapshot shows the same state as long as it is open.
    SnapshotsStay,
    /// Every commit is announced once, in order, when it is durable.
    GroupsInOrder,
    /// A result stays right until something is written that its read set holds.
    ReadSetsSuffice,
    /// A store opens again, whatever a crash has left.
    Opens,
    /// The store gives up when a sync has failed, and at no other time.
    Lives,
    /// Commits are refused for want of room, and for nothing else.
    Accepts,
    /// What was not refused becomes durable on a full disk too, if the file system keeps its promise of room.
    RoomIsKept,
    /// Counters tell what happened.
    Counters,
    /// Documents, index entries and counts agree, also while indexes are built, and after every crash.
    Sound,
    /// A deployment comes into force when every document fits it, and is refused for a reason.
    Deployments,
    /// Nothing panics.
    NoPanic,
}

impl Property {
    /// One sentence for a report.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Property::Serializable => {
                "a committed transaction reads what the order of timestamps gives at its place"
            }
            Property::OneSnapshot => "a transaction reads one snapshot and its own writes",
            Property::Results => "calls return, fail and log as their function does on the model",
            Property::AnsweredIsDurable => "what was answered is there after a crash",
            Property::Prefix => "a restart shows the state after some commit, whole",
            Property::TimestampsRise => "timestamps rise strictly, across restarts too",
            Property::RequestsOnce => {
                "a session's request takes effect once, and a repetition gets the same answer"
            }
            Property::State => "the newest state is what the commits wrote",
            Property::SnapshotsStay => "a snapshot shows the same state as long as it is open",
            Property::GroupsInOrder => "every commit is announced once, in order, when it is durable",
            Property::ReadSetsSuffice => "a result stays right until something in its read set is written",
            Property::Opens => "a store opens again, whatever a crash has left",
            Property::Lives => "the store gives up when a sync has failed, and at no other time",
            Property::Accepts => "commits are refused for want of room, and for nothing else",
            Property::RoomIsKept => "what was not refused becomes durable, on a full disk too",
            Property::Counters => "counters tell what happened",
            Property::Sound => "documents, index entries and counts agree",
            Property::Deployments => {
                "a deployment comes into force when every document fits it, and is refused for a reason"
            }
            Property::NoPanic => "nothing panics",
        }
    }
}

/// A property that did not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Which one.
    pub property: Property,
    /// What was seen, and what should have been.
    pub detail: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}\n{}", self.property, self.property.sentence(), self.detail)
    }
}

/// Fails when something does not hold.
pub(crate) type Checked<T = ()> = Result<T, Broken>;

/// Checks a property; the text is made only when it does not hold.
pub(crate) fn check(holds: bool, property: Property, detail: impl FnOnce() -> String) -> Checked {
    match holds {
        true => Ok(()),
        false => Err(Broken { property, detail: detail() }),
    }
}
