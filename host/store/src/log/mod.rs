//! The commit log: what is true.
//!
//! Commits are appended to segments, files named by their number. A segment begins with a header (see
//! [`segment`]) and holds one record for each group of commits (see [`record`]); the group is durable when
//! the segment has been synced. The [`writer`] appends, [`recovery`] reads everything back at the next start
//! and decides whether what does not parse is the torn end of an interrupted write, which is cut, or damage,
//! which is refused.
//!
//! Not here: who waits for a group, and what the writes mean.

pub(crate) mod record;
pub(crate) mod recovery;
pub(crate) mod segment;
pub(crate) mod writer;
