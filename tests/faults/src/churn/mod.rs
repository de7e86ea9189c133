//! Documents that are inserted, replaced and deleted for a long time, and what that costs: time, memory, and
//! room on the disk.
//!
//! Not here: the disk, which may be a slow one (see the program `weir-fault-churn`).

mod meter;
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use weir_store::{BaseKind, FatalHandler, Store, StoreOptions};

use crate::options;
use meter::Meter;
pub use meter::Summary;
use writer::{DOCUMENTS, Writer};

/// Who commits, each one commit at a time.
const WRITERS: usize = 4;

/// How long, and how large.
#[derive(Debug, Clone)]
pub struct Churn {
    /// The base of the store.
    pub base: BaseKind,
    /// How long it is written to.
    pub time: Duration,
    /// How often a line is printed.
    pub report_interval: Duration,
    /// The store's budget.
    pub memory_bytes: u64,
}

/// What is too much; the verdict says which of it was passed. The documents are the same all the time: whatever
/// piles up passes its bound some time.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// From the first try of a commit to its answer.
    pub slowest: Duration,
    /// Of a flush that has something to do and moves nothing. Both on a machine that does not stand still itself.
    pub stall: Duration,
    /// Of the process.
    pub resident_bytes: u64,
    /// Base and log on the disk over the documents that there are, once most of them are.
    pub space: f64,
    /// Of the log on the disk: two checkpoints, and what comes while they are taken.
    pub log_bytes: u64,
}

impl Churn {
    /// What must hold on a disk that takes 20 MiB a second or more.
    pub fn bounds(&self) -> Bounds {
        Bounds {
            slowest: Duration::from_secs(2),
            stall: Duration::from_secs(2),
            resident_bytes: self.memory_bytes + self.memory_bytes / 4 + 32 * MIB,
            // What sled takes is sled's matter, and one of the reasons why it is not the default.
            space: if self.base == BaseKind::Redb { 3.0 } else { 8.0 },
            log_bytes: 8 * self.options().checkpoint_log_bytes,
        }
    }

    fn options(&self) -> StoreOptions {
        StoreOptions {
            base: Some(self.base),
            memory_bytes: self.memory_bytes,
            disk_reserve_bytes: 0,
            ..StoreOptions::default()
        }
    }

    /// Writes to a new store in `dir`, printing what it comes to, then checks what it shows against what was
    /// answered, and reads the folder.
    ///
    /// # Errors
    /// The store's, or a document that is not what was answered.
    pub fn run(&self, dir: &Path) -> Result<Summary, String> {
        let meter = Arc::new(Meter::new(dir, self));
        let told = Arc::clone(&meter);
        let on_fatal = FatalHandler::new(move |reason| {
            println!("{} verdict FAILED: the store gave up: {reason}", told.summary());
            std::process::abort();
        });
        let options = StoreOptions { on_fatal, ..self.options() };
        let store = options::open(dir, options).map_err(|error| error.to_string())?;
        let writers = self.write(&*store, &meter)?;
        for writer in &writers {
            writer.verify(&store.snapshot_durable())?;
        }
        store.checkpoint().map_err(|error| error.to_string())?;
        for writer in &writers {
            writer.verify(&store.snapshot_durable())?;
        }
        store.close();
        drop(store);
        meter.look_at_disk();
        let report = weir_store::check(dir).map_err(|error| error.to_string())?;
        match report.problems.first() {
            Some(problem) => Err(format!("{} problems; the first: {problem}", report.problems.len())),
            None => Ok(meter.summary()),
        }
    }

    fn write(&self, store: &dyn Store, meter: &Meter) -> Result<Vec<Writer>, String> {
        let end = Instant::now() + self.time;
        std::thread::scope(|scope| {
            let writers: Vec<_> = (0..WRITERS)
                .map(|number| {
                    let mut writer = Writer::new(number, DOCUMENTS / WRITERS);
                    scope.spawn(move || writer.run(store, meter, end).map(|()| writer))
                })
                .collect();
            let watch = scope.spawn(|| meter.watch(store, end));
            let probe = scope.spawn(|| meter.probe_machine(end));
            let written = writers.into_iter().map(|writer| joined(writer.join())).collect();
            joined(watch.join())?;
            joined(probe.join())?;
            written
        })
    }
}

fn joined<T>(outcome: std::thread::Result<Result<T, String>>) -> Result<T, String> {
    outcome.unwrap_or_else(|_| Err("a thread of the test panicked".to_owned()))
}

const MIB: u64 = 1024 * 1024;
