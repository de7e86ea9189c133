//! Reading rows that are all in the base: by key, and range after range.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use weir_store::{Direction, Snapshot, Store};

use super::child::Figures;
use super::rows;
use crate::accounts::Random;
use crate::table::quantile;

/// Ranges of one sample, as a page with many lists reads them.
pub const RANGES: usize = 32;
/// Rows of one range.
pub const RANGE_ROWS: usize = 50;
/// Reads by key in one sample.
const POINTS: usize = 1000;
/// Samples of each kind; the figure is their median.
const SAMPLES: usize = 60;

/// Adds the figures of reading `rows` rows, which were flushed.
///
/// # Errors
/// When a read fails, or does not find what was written.
pub fn measure(store: &dyn Store, rows: usize, figures: &mut Figures) -> Result<()> {
    let mut random = Random::new(11);
    let mut sampled = |name: &str, count: usize, sample: &dyn Fn(&Snapshot, usize) -> Result<()>| {
        let mut times_ns = Vec::with_capacity(SAMPLES);
        for _ in 0..SAMPLES {
            let chosen: Vec<usize> = (0..count).map(|_| random.below(rows)).collect();
            let snapshot = store.snapshot_durable();
            let started = Instant::now();
            chosen.iter().try_for_each(|row| sample(&snapshot, *row))?;
            times_ns.push((started.elapsed() / count as u32).as_nanos() as u64);
        }
        figures.insert(name.to_owned(), quantile(&mut times_ns, 0.5) as f64 / 1000.0);
        anyhow::Ok(())
    };
    sampled("point_us", POINTS, &read_point)?;
    sampled("range_us", RANGES, &|snapshot, row| read_range(snapshot, row, rows))?;
    sampled("range_back_us", RANGES, &|snapshot, row| read_range_back(snapshot, row, rows))
}

fn read_point(snapshot: &Snapshot, row: usize) -> Result<()> {
    let value = snapshot.get(&rows::key(row))?.with_context(|| format!("no row {row}"))?;
    ensure!(rows::is_of(row, &value), "row {row} has the value of another");
    Ok(())
}

fn read_range(snapshot: &Snapshot, row: usize, rows: usize) -> Result<()> {
    let first = row.min(rows - RANGE_ROWS);
    let end = rows::key(rows);
    let found = snapshot.scan(&rows::key(first), &end, Direction::Ascending, RANGE_ROWS)?;
    ensure!(found.len() == RANGE_ROWS && rows::is_of(first, &found[0].1), "not the range from row {first}");
    Ok(())
}

fn read_range_back(snapshot: &Snapshot, row: usize, rows: usize) -> Result<()> {
    let end = row.clamp(RANGE_ROWS, rows);
    let found = snapshot.scan(&rows::key(0), &rows::key(end), Direction::Descending, RANGE_ROWS)?;
    ensure!(
        found.len() == RANGE_ROWS && rows::is_of(end - 1, &found[0].1),
        "not the range back from row {end}"
    );
    Ok(())
}
