//! The two bases side by side: reads, flush, room on the disk, opening, memory, a bulk load, and the funds transfer.
//!
//! Each figure of a store comes from a process of its own (see `child`), so that its memory is that of one base. The
//! bases take turns: a machine that is slow for a while is slow for both.

mod child;
mod churn;
mod pair;
mod reads;
mod rows;
mod task;

use std::path::{Path, PathBuf};

use anyhow::Result;
use tempfile::TempDir;
use weir_store::BaseKind;

pub use self::child::peak_mib;
use self::child::{Child, Figures};
use self::pair::{Better, Pair};
use self::task::Task;
pub use self::task::TaskOptions;
use crate::bank::{Bank, Setting};
use crate::table::{Line, quantile};
use crate::transfer;

const MIB: f64 = 1024.0 * 1024.0;
/// What `tests/faults` allows a store with its usual 256 MiB: those, a quarter, and 32 MiB.
const PEAK_MIB_MAX: f64 = 352.0;
/// What it allows the base on the disk under churn, times the documents.
const SPACE_MAX: f64 = 8.0;
/// And the log: eight checkpoints of 64 MiB.
const LOG_MIB_MAX: f64 = 512.0;
/// Fewer would not have the ranges that are read.
const ROWS_MIN: usize = 1000;
/// How often an opening is repeated; the line shows the median.
const OPENINGS: usize = 3;

/// The lines of this part.
///
/// # Errors
/// When a store or a host fails, or shows other data than were written.
pub fn measure(options: &crate::Options, show: &mut impl FnMut(Line)) -> Result<()> {
    pair::print_head();
    let rows = options.rows.max(ROWS_MIN);
    let mut show_all = |lines: Vec<Line>| lines.into_iter().for_each(&mut *show);
    show_all(flush_and_reads(rows / 10)?);
    show_all(churn(options.changes)?);

    let folders = Folders::new()?;
    let loaded = folders.measure(Task::Load, rows)?;
    let opened = folders.measure(Task::Open, rows)?;
    show_all(load_lines(rows, &loaded, &opened));
    show_all(open_clean(&folders, rows)?);
    show_all(large_reads(&folders, rows)?);
    show_all(open_killed(&folders, rows)?);
    drop(folders);

    show_all(transfers(options)?);
    Ok(())
}

/// A folder for each base, where one process after the other opens the same store.
struct Folders {
    root: TempDir,
}

impl Folders {
    fn new() -> Result<Folders> {
        Ok(Folders { root: tempfile::tempdir()? })
    }

    fn of(&self, base: BaseKind) -> PathBuf {
        self.root.path().join(base.name())
    }

    /// One base after the other.
    fn measure(&self, task: Task, count: usize) -> Result<[Figures; 2]> {
        both(|base| Child::start(task, base, count, &self.of(base))?.finish())
    }
}

/// In the order of the columns.
fn both<T>(mut measure: impl FnMut(BaseKind) -> Result<T>) -> Result<[T; 2]> {
    let [sled, redb] = BaseKind::ALL;
    Ok([measure(sled)?, measure(redb)?])
}

/// What the figure is for each base.
fn of_both(figures: &[Figures; 2], name: &str) -> [f64; 2] {
    figures.each_ref().map(|figures| figures.get(name).copied().unwrap_or(f64::NAN))
}

fn peak(what: &str, figures: &[Figures; 2]) -> Line {
    let name = format!("  peak resident memory, {what}");
    Pair::new(name, "MiB", Better::Lower, of_both(figures, "peak_mib")).at_most(PEAK_MIB_MAX)
}

fn flush_and_reads(rows: usize) -> Result<Vec<Line>> {
    let found = Folders::new()?.measure(Task::Flush, rows)?;
    let rate = |name: String, key: &str| {
        let rates = of_both(&found, key);
        let [sled, redb] = rates.map(|rate| rate * rows::ROW_BYTES as f64 / MIB);
        Pair::new(name, "rows/s", Better::Higher, rates).note(format!("{sled:.1} and {redb:.1} MiB/s"))
    };
    let mut lines = vec![
        rate(format!("flush of {} new rows to a checkpoint", grouped(rows)), "new_rows"),
        rate("  of rows that are replaced, all over it".to_owned(), "replaced_rows"),
    ];
    lines.extend(read_lines(rows, &found));
    lines.push(peak("flush and reads", &found));
    Ok(lines)
}

fn read_lines(rows: usize, found: &[Figures; 2]) -> Vec<Line> {
    let range = |name: String, key: &str| {
        let us = of_both(found, key);
        let [sled, redb] = us.map(|us| us / reads::RANGE_ROWS as f64);
        Pair::new(name, "us", Better::Lower, us).note(format!("{sled:.2} and {redb:.2} us a row"))
    };
    let (ranges, length) = (reads::RANGES, reads::RANGE_ROWS);
    vec![
        Pair::new(
            format!("a row by its key, of {}", grouped(rows)),
            "us",
            Better::Lower,
            of_both(found, "point_us"),
        )
        .line(),
        range(format!("  a range of {length} rows, {ranges} in turn"), "range_us"),
        range("  the same, the last row first".to_owned(), "range_back_us"),
    ]
}

/// Documents that are replaced and deleted: what they leave on the disk.
fn churn(changes: usize) -> Result<Vec<Line>> {
    let found = Folders::new()?.measure(Task::Churn, changes)?;
    let values = |key| of_both(&found, key);
    let name = format!("{} changes of documents of 40 KB", grouped(changes));
    Ok(vec![
        Pair::new(name, "/s", Better::Higher, values("changes")).line(),
        Pair::new("  base on the disk over live data, at most", "", Better::Lower, values("base_max"))
            .at_most(SPACE_MAX),
        Pair::new("  the same when the store is closed", "", Better::Lower, values("base_end")).line(),
        Pair::new("  log on the disk, at most", "MiB", Better::Lower, values("log_max_mib"))
            .at_most(LOG_MIB_MAX),
        Pair::new("  the same when the store is closed", "MiB", Better::Lower, values("log_end_mib")).line(),
        Pair::new("  commits refused, churn", "", Better::Lower, values("refused")).at_most(0.0),
        peak("churn", &found),
    ])
}

/// `opened` is the first opening after it, which ends with everything in the base.
fn load_lines(rows: usize, loaded: &[Figures; 2], opened: &[Figures; 2]) -> Vec<Line> {
    let values = |key| of_both(loaded, key);
    let name = format!("bulk load of {} rows of 150 bytes", grouped(rows));
    vec![
        Pair::new(name, "rows/s", Better::Higher, values("rows")).line(),
        peak("bulk load", loaded),
        Pair::new("  commits refused, bulk load", "", Better::Lower, values("refused")).at_most(0.0),
        Pair::new("  close", "ms", Better::Lower, values("close_ms")).line(),
        Pair::new("  the first open", "ms", Better::Lower, of_both(opened, "open_ms")).note(replayed(opened)),
        peak("the first open", opened),
        Pair::new("  base on the disk over live data", "", Better::Lower, of_both(opened, "base_end")).line(),
    ]
}

/// After the end of an orderly process that had no more to flush.
fn open_clean(folders: &Folders, rows: usize) -> Result<Vec<Line>> {
    let name = format!("open {} rows after a clean close", grouped(rows));
    open_lines(folders, rows, name, "open after a close", || Ok(()))
}

/// After a process that was killed when it had committed, and not flushed, changes of a twentieth of the rows.
fn open_killed(folders: &Folders, rows: usize) -> Result<Vec<Line>> {
    let name = format!("open {} rows after a kill", grouped(rows));
    open_lines(folders, rows, name, "open after a kill", || {
        both(|base| Child::start(Task::WriteUntilKilled, base, rows, &folders.of(base))?.kill()).map(drop)
    })
}

/// `before` says what comes before each opening.
fn open_lines(
    folders: &Folders,
    rows: usize,
    name: String,
    peak_name: &str,
    before: impl Fn() -> Result<()>,
) -> Result<Vec<Line>> {
    let mut times = [Vec::new(), Vec::new()];
    let mut last = [Figures::new(), Figures::new()];
    for _ in 0..OPENINGS {
        before()?;
        last = folders.measure(Task::Open, rows)?;
        for (times, ms) in times.iter_mut().zip(of_both(&last, "open_ms")) {
            times.push((ms * 1000.0) as u64);
        }
    }
    let medians = times.map(|mut times| quantile(&mut times, 0.5) as f64 / 1000.0);
    Ok(vec![Pair::new(name, "ms", Better::Lower, medians).note(replayed(&last)), peak(peak_name, &last)])
}

fn replayed(opened: &[Figures; 2]) -> String {
    let [sled, redb] = of_both(opened, "replayed");
    format!("{sled:.0} and {redb:.0} commits replayed")
}

/// Rows that do not fit the cache of the base; the page cache has them.
fn large_reads(folders: &Folders, rows: usize) -> Result<Vec<Line>> {
    let found = folders.measure(Task::Read, rows)?;
    let mut lines = read_lines(rows, &found);
    lines.push(peak("reads of all rows", &found));
    Ok(lines)
}

/// The funds transfer against a host on each base.
fn transfers(options: &crate::Options) -> Result<Vec<Line>> {
    let found = both(|base| {
        let bank = Bank::open(options.accounts, &Setting { base: Some(base), ..Setting::default() })?;
        let transfer = transfer::run(&bank, options, 0.0, 40)?;
        let peak_mib = child::peak_mib(Path::new(&format!("/proc/{}", bank.pid())))?;
        bank.check_total()?;
        Ok((transfer, peak_mib))
    })?;
    let per_second = found.each_ref().map(|(transfer, _)| transfer.per_second);
    let [sled, redb] = found.each_ref().map(|(transfer, _)| transfer.note());
    let notes = [("sled", sled), ("redb", redb)];
    let transfer = Pair::new("transfer, 64 clients x 40, alpha 0", "tx/s", Better::Higher, per_second);
    let mut lines = vec![transfer.at_least(20_000.0)];
    lines.extend(notes.map(|(base, note)| Line::figure(format!("  {base}"), "").note(note)));
    let peaks = found.each_ref().map(|(_, peak_mib)| *peak_mib);
    lines.push(Pair::new("  peak resident memory of the host", "MiB", Better::Lower, peaks).line());
    Ok(lines)
}

/// A number with its thousands apart.
fn grouped(number: usize) -> String {
    match number {
        0..1000 => number.to_string(),
        _ => format!("{},{:03}", grouped(number / 1000), number % 1000),
    }
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn thousands_stand_apart() {
        assert_eq!(grouped(7), "7");
        assert_eq!(grouped(1_050), "1,050");
        assert_eq!(grouped(2_000_000), "2,000,000");
    }
}
