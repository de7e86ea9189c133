//! How the stores of these tests are opened: the one place that knows what lies below them.
//!
//! Not here: what is done with them.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use weir_store::{BaseKind, FatalHandler, OpenError, RealEnv, Store, StoreOptions};

use crate::Sizes;

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

/// So small that a short run sees several segments, flushes and checkpoints. The folder has that base, or gets
/// it.
pub fn options(base: BaseKind, sizes: Sizes) -> StoreOptions {
    let small = StoreOptions {
        base: Some(base),
        segment_bytes: 64 * KIB,
        log_room_bytes: 32 * KIB,
        memory_bytes: 768 * KIB,
        checkpoint_log_bytes: 256 * KIB,
        idle_before_flush: Duration::from_secs(3600),
        disk_reserve_bytes: 0,
        ..StoreOptions::default()
    };
    match sizes {
        Sizes::Tiny | Sizes::Small | Sizes::Mixed => small,
        Sizes::Large => StoreOptions {
            segment_bytes: 8 * MIB,
            log_room_bytes: 4 * MIB,
            memory_bytes: 128 * MIB,
            checkpoint_log_bytes: 32 * MIB,
            ..small
        },
    }
}

/// The folder below a data folder that holds the base tree; for faults in its files alone.
pub fn base_folder(base: BaseKind) -> String {
    format!("base-{base}")
}

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
