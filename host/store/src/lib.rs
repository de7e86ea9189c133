//! The store: commit log, memory table, base tree.
//!
//! It keeps byte keys and byte values, gives every commit a strictly increasing timestamp, makes commits
//! durable in groups, and shows the state at a timestamp through [`Snapshot`]s.
//!
//! * A commit is *sequenced* when it has its timestamp and stands in the memory table: the next transaction
//!   may read it.
//! * It is *durable* when the log record that holds it has been synced: only now may it be answered or
//!   pushed.
//! * It is *flushed* when a background thread has moved it from the memory table into the base tree, and
//!   *checkpointed* when the base itself has been synced; only then may the log forget it.
//!
//! **Invariant.** This room knows nothing of documents, tables, indexes or transactions: it never looks into
//! a key or a value, and detects no conflicts. No other room names sled, redb, a log segment, or anything else
//! about how a commit becomes durable. Time, randomness, sleeping and spawning come through [`Env`] alone.

mod base;
mod check;
mod commit;
mod consumer;
mod convert;
mod disk;
mod engine;
mod env;
mod folder;
mod group_commit;
mod joining;
mod log;
pub mod memory;
mod memory_table;
mod open;
mod options;
pub mod planted;
mod rate;
mod rows;
mod sequencer;
mod snapshot;
mod stats;
mod store;
mod view;

pub use check::{CheckReport, check};
pub(crate) use commit::StoreId;
pub use commit::{Changes, Commit, CommitGroup, GroupObserver, Write};
pub use consumer::{ConsumerError, LogConsumer};
pub use convert::{Converted, convert};
pub use env::{Env, RealEnv, SimEnv};
pub use joining::Joining;
pub use log::LogReadError;
pub use open::{OpenError, open};
pub use options::{BaseKind, FatalHandler, StoreOptions};
pub use snapshot::{Direction, ReadError, ScanPart, Snapshot};
pub use stats::StoreStats;
pub use store::{SequenceError, Sequenced, Store, StoreClosed};
pub use weir_value::Timestamp;
