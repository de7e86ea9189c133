//! The store: commit log, memory table, sled fold.
//!
//! It keeps byte keys and byte values, gives every commit a strictly increasing timestamp, makes commits
//! durable in groups, and shows the state at a timestamp through [`Snapshot`]s.
//!
//! * A commit is *sequenced* when it has its timestamp and stands in the memory table: the next transaction
//!   may read it.
//! * It is *durable* when the log record that holds it has been synced: only now may it be answered or
//!   pushed.
//! * It is *folded* when a background thread has moved it from the memory table into sled, and *checkpointed*
//!   when sled itself has been synced; only then may the log forget it.
//!
//! **Invariant.** This room knows nothing of documents, tables, indexes or transactions: it never looks into
//! a key or a value, and detects no conflicts. No other room names sled, a log segment, or anything else
//! about how a commit becomes durable. Time, randomness, sleeping and spawning come through [`Env`] alone.

mod commit;
mod disk;
mod engine;
mod env;
mod fold;
mod group_commit;
mod log;
pub mod memory;
mod memory_table;
mod open;
mod options;
pub mod planted;
mod sequencer;
mod snapshot;
mod stats;
mod store;
mod view;

pub use commit::{Commit, CommitGroup, GroupObserver, Write};
pub use env::{Env, RealEnv, SimEnv};
pub use open::{OpenError, open};
pub use options::{FatalHandler, StoreOptions};
pub use snapshot::{Direction, ReadError, Snapshot};
pub use stats::StoreStats;
pub use store::{SequenceError, Store, StoreClosed};
pub use weir_value::Timestamp;
