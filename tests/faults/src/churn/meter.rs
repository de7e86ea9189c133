//! What is measured while documents are written.
//!
//! Not here: the writing.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use weir_store::{Store, StoreStats, Timestamp};

use super::writer::{DOCUMENT_BYTES, DOCUMENTS};
use super::{Bounds, Churn, MIB};
use crate::options::{LOG_FOLDER, base_folder};

const POLL: Duration = Duration::from_millis(5);
/// How often it is seen what the machine takes for next to nothing.
const PROBE_INTERVAL: Duration = Duration::from_millis(100);
/// How often the folders are looked at.
const DISK_INTERVAL: Duration = Duration::from_secs(1);

/// Collects what writers tell and looks at the rest.
pub(super) struct Meter {
    base: PathBuf,
    log: PathBuf,
    probe: PathBuf,
    bounds: Bounds,
    flush_bytes: u64,
    report_interval: Duration,
    began: Instant,
    total: Mutex<Total>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Total {
    commits: u64,
    refused: u64,
    live_bytes: u64,
    slowest: Duration,
    stall: Duration,
    base_bytes: u64,
    base_bytes_max: u64,
    space_max: f64,
    log_bytes: u64,
    log_bytes_max: u64,
    /// How long the machine took for next to nothing.
    machine: Duration,
    /// Since the last line.
    recent: Recent,
}

#[derive(Debug, Clone, Copy, Default)]
struct Recent {
    commits: u64,
    slowest: Duration,
    stall: Duration,
}

/// What it all came to.
#[derive(Debug, Clone)]
pub struct Summary {
    total: Total,
    resident_peak_bytes: u64,
    bounds: Bounds,
    seconds: f64,
}

impl Meter {
    pub(super) fn new(dir: &Path, churn: &Churn) -> Meter {
        Meter {
            base: dir.join(base_folder(churn.base)),
            log: dir.join(LOG_FOLDER),
            probe: dir.with_extension("probe"),
            bounds: churn.bounds(),
            // What the options say of the memory.
            flush_bytes: churn.memory_bytes / 8,
            report_interval: churn.report_interval,
            began: Instant::now(),
            total: Mutex::default(),
        }
    }

    pub(super) fn note_commit(&self, took: Duration) {
        let mut total = self.lock();
        total.commits += 1;
        total.recent.commits += 1;
        total.slowest = total.slowest.max(took);
        total.recent.slowest = total.recent.slowest.max(took);
    }

    pub(super) fn note_refusal(&self) {
        self.lock().refused += 1;
    }

    pub(super) fn note_live(&self, before: u64, after: u64) {
        let mut total = self.lock();
        total.live_bytes = total.live_bytes + after - before;
    }

    /// Looks at the store until `end`, and prints a line from time to time.
    pub(super) fn watch(&self, store: &dyn Store, end: Instant) -> Result<(), String> {
        let mut progress = Progress::new(store.stats());
        let (mut disk_at, mut report_at) = (Instant::now(), Instant::now());
        while Instant::now() < end {
            std::thread::sleep(POLL);
            let stalled = progress.stalled(store.stats(), self.flush_bytes);
            let mut total = self.lock();
            total.stall = total.stall.max(stalled);
            total.recent.stall = total.recent.stall.max(stalled);
            drop(total);
            if disk_at.elapsed() >= DISK_INTERVAL {
                self.look_at_disk();
                disk_at = Instant::now();
            }
            if report_at.elapsed() >= self.report_interval {
                self.report(report_at.elapsed())?;
                report_at = Instant::now();
            }
        }
        Ok(())
    }

    /// Syncs a byte now and then, until `end`: on a machine that others use, too, the longest of that says what
    /// was none of the store's doing.
    pub(super) fn probe_machine(&self, end: Instant) -> Result<(), String> {
        let probe = || -> io::Result<()> {
            let file = File::create(&self.probe)?;
            while Instant::now() < end {
                let began = Instant::now();
                std::thread::sleep(PROBE_INTERVAL);
                file.write_all_at(b"x", 0)?;
                file.sync_data()?;
                let took = began.elapsed().saturating_sub(PROBE_INTERVAL);
                let mut total = self.lock();
                total.machine = total.machine.max(took);
            }
            fs::remove_file(&self.probe)
        };
        probe().map_err(|error| error.to_string())
    }

    /// How much the files take.
    pub(super) fn look_at_disk(&self) {
        let (base, log) = (taken_bytes(&self.base), taken_bytes(&self.log));
        let mut total = self.lock();
        (total.base_bytes, total.log_bytes) = (base, log);
        total.base_bytes_max = total.base_bytes_max.max(base);
        total.log_bytes_max = total.log_bytes_max.max(log);
        if total.live_bytes > (DOCUMENTS * DOCUMENT_BYTES / 2) as u64 {
            total.space_max = total.space_max.max((base + log) as f64 / total.live_bytes as f64);
        }
    }

    fn report(&self, time: Duration) -> Result<(), String> {
        let mut total = self.lock();
        let recent = std::mem::take(&mut total.recent);
        let total = *total;
        let line = format!(
            "{:5.0} s  {:7.1} commits/s  slowest {:5} ms  stall {:5} ms  resident {} MiB (peak {})  base {} MiB  \
             log {} MiB  live {} MiB  refused {}",
            self.began.elapsed().as_secs_f64(),
            recent.commits as f64 / time.as_secs_f64(),
            recent.slowest.as_millis(),
            recent.stall.as_millis(),
            memory_bytes("VmRSS") / MIB,
            memory_bytes("VmHWM") / MIB,
            total.base_bytes / MIB,
            total.log_bytes / MIB,
            total.live_bytes / MIB,
            total.refused,
        );
        let mut output = std::io::stdout().lock();
        writeln!(output, "{line}").and_then(|()| output.flush()).map_err(|error| error.to_string())
    }

    pub(super) fn summary(&self) -> Summary {
        Summary {
            total: *self.lock(),
            resident_peak_bytes: memory_bytes("VmHWM"),
            bounds: self.bounds,
            seconds: self.began.elapsed().as_secs_f64(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Total> {
        self.total.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// When the flush moved something last, or had nothing to move.
struct Progress {
    seen: (u64, Timestamp),
    at: Instant,
}

impl Progress {
    fn new(stats: StoreStats) -> Progress {
        Progress { seen: (stats.flushed_keys, stats.checkpoint), at: Instant::now() }
    }

    fn stalled(&mut self, stats: StoreStats, flush_bytes: u64) -> Duration {
        let seen = (stats.flushed_keys, stats.checkpoint);
        let stalled = self.at.elapsed();
        if seen != self.seen || stats.memory_bytes <= flush_bytes {
            (self.seen, self.at) = (seen, Instant::now());
        }
        stalled
    }
}

impl Summary {
    /// Commits that were answered.
    pub fn commits(&self) -> u64 {
        self.total.commits
    }

    /// What was not kept of what is promised.
    pub fn broken(&self) -> Vec<String> {
        let Summary { total, bounds, .. } = self;
        let mib = |bytes: u64| format!("{} MiB", bytes / MIB);
        let checks = [
            (total.slowest <= bounds.slowest + total.machine, format!("a commit took {:?}", total.slowest)),
            (
                total.stall <= bounds.stall + total.machine,
                format!("the flush stood still for {:?}", total.stall),
            ),
            (
                self.resident_peak_bytes <= bounds.resident_bytes,
                format!("{} of memory, not {}", mib(self.resident_peak_bytes), mib(bounds.resident_bytes)),
            ),
            (
                total.space_max <= bounds.space,
                format!("{:.1} times the documents on the disk, not {}", total.space_max, bounds.space),
            ),
            (
                total.log_bytes_max <= bounds.log_bytes,
                format!("{} of log, not {}", mib(total.log_bytes_max), mib(bounds.log_bytes)),
            ),
            (total.refused == 0, format!("{} commits were refused", total.refused)),
        ];
        checks.into_iter().filter(|(is_kept, _)| !is_kept).map(|(_, what)| what).collect()
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Summary { total, resident_peak_bytes, seconds, .. } = self;
        write!(
            f,
            "total: {} commits in {seconds:.0} s, slowest commit {} ms, max stall {} ms, peak resident {} MiB, base \
             {} MiB at most and {} at the end, log {} MiB at most, together {:.1} times the documents at most, {} refused, the machine itself stood still for {} ms;",
            total.commits,
            total.slowest.as_millis(),
            total.stall.as_millis(),
            resident_peak_bytes / MIB,
            total.base_bytes_max / MIB,
            total.base_bytes / MIB,
            total.log_bytes_max / MIB,
            total.space_max,
            total.refused,
            total.machine.as_millis(),
        )
    }
}

/// Blocks of the files in a folder, bytes. Files that go meanwhile take nothing.
fn taken_bytes(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    let taken = |entry: fs::DirEntry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => taken_bytes(&entry.path()),
        Ok(metadata) => metadata.blocks() * 512,
        Err(_) => 0,
    };
    entries.flatten().map(taken).sum()
}

/// What the kernel says of this process.
fn memory_bytes(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}
