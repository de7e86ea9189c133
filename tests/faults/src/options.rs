//! How the stores of these tests are opened: the one place that knows what lies below them.
//!
//! Not here: what is done with them.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use weir_store::{FatalHandler, OpenError, RealEnv, Store, StoreOptions, StoreStats};

use crate::Sizes;

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

/// So small that a short run sees several segments, flushes and checkpoints.
pub fn options(sizes: Sizes) -> StoreOptions {
    let small = StoreOptions {
        segment_bytes: 64 * KIB,
        memory_budget_bytes: 96 * KIB,
        checkpoint_log_bytes: 256 * KIB,
        idle_before_fold: Duration::from_secs(3600),
        disk_reserve_bytes: 0,
        fold_cache_bytes: MIB,
        ..StoreOptions::default()
    };
    match sizes {
        Sizes::Small | Sizes::Mixed => small,
        Sizes::Large => StoreOptions {
            segment_bytes: 8 * MIB,
            memory_budget_bytes: 8 * MIB,
            memory_max_bytes: 64 * MIB,
            checkpoint_log_bytes: 32 * MIB,
            ..small
        },
    }
}

/// Keys that have been moved from memory to the base.
pub fn moved_keys(stats: &StoreStats) -> u64 {
    stats.folded_keys
}

/// The folder below a data folder that holds the base tree; for faults in its files alone.
pub const BASE_FOLDER: &str = "fold";
/// And the one that holds the log.
pub const LOG_FOLDER: &str = "log";

/// Opens the store in `dir`.
///
/// # Errors
/// Those of the store.
pub fn open(dir: &Path, options: StoreOptions) -> Result<Arc<dyn Store>, OpenError> {
    weir_store::open(dir, options, Arc::new(RealEnv::new()))
}

/// Hands the reason over instead of ending the process.
pub fn told(tell: impl Fn(String) + Send + Sync + 'static) -> FatalHandler {
    FatalHandler::new(move |reason| tell(reason.to_owned()))
}
