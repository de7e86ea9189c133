//! The timestamp of the commit that writes a document.

use std::fmt;

use serde::de::{self, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::json::COMMIT_TIMESTAMP;

/// When a mutation committed, in nanoseconds on the database's clock: the order of commits.
///
/// A mutation writes [`Pending`](CommitTimestamp::Pending), which it reads back until it has committed. Then the field is
/// [`At`](CommitTimestamp::At) the timestamp of the commit, in indexes too. Pending is later than all others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum CommitTimestamp {
    /// That of a commit; an int64, a JavaScript client's `bigint`.
    At(i64),
    /// That of the mutation that runs.
    #[default]
    Pending,
}

impl CommitTimestamp {
    /// The nanoseconds; `None` in the mutation that has written it.
    pub fn nanos(self) -> Option<i64> {
        match self {
            CommitTimestamp::At(nanos) => Some(nanos),
            CommitTimestamp::Pending => None,
        }
    }
}

impl From<i64> for CommitTimestamp {
    fn from(nanos: i64) -> Self {
        CommitTimestamp::At(nanos)
    }
}

impl Serialize for CommitTimestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            CommitTimestamp::At(nanos) => serializer.serialize_i64(*nanos),
            CommitTimestamp::Pending => {
                let mut object = serializer.serialize_map(Some(1))?;
                object.serialize_entry(COMMIT_TIMESTAMP, &())?;
                object.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for CommitTimestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TimestampVisitor)
    }
}

struct TimestampVisitor;

impl<'de> Visitor<'de> for TimestampVisitor {
    type Value = CommitTimestamp;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a commit's timestamp")
    }

    fn visit_i64<E>(self, nanos: i64) -> Result<CommitTimestamp, E> {
        Ok(CommitTimestamp::At(nanos))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<CommitTimestamp, A::Error> {
        match entries.next_entry::<String, ()>()? {
            Some((name, ())) if name == COMMIT_TIMESTAMP => Ok(CommitTimestamp::Pending),
            _ => Err(de::Error::custom("an object is no commit's timestamp")),
        }
    }
}
