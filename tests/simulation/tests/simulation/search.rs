//! Seeds on all processors.
//!
//! Not here: what a seed that fails means.

use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use weir_simulation::{Figures, Settings, run};

/// What the seeds below a bound came to.
pub struct Searched {
    /// The lowest that failed.
    pub failed: Option<u64>,
    /// Of those that did not.
    pub figures: Vec<Figures>,
}

/// Runs seeds from zero on, until one fails or all have run.
pub fn search(seeds: u64, settings: &Settings) -> Searched {
    let (next, failed) = (AtomicU64::new(0), AtomicU64::new(u64::MAX));
    let figures = Mutex::new(Vec::new());
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            // Lower ones than the one that failed are taken already, and still run to their end.
            if seed >= seeds.min(failed.load(Ordering::Relaxed)) {
                return;
            }
            let outcome = run(seed, settings);
            match outcome.broken {
                Some(_) => drop(failed.fetch_min(seed, Ordering::Relaxed)),
                None => figures.lock().push(outcome.figures),
            }
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, |count| count.get());
    std::thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
    let failed = Some(failed.into_inner()).filter(|seed| *seed < seeds);
    Searched { failed, figures: figures.into_inner() }
}
