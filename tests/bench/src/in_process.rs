//! The funds transfer without sockets: a component, the same log, called by threads of this process.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use weir_db::{Database, Deployment};
use weir_value::Timestamp;
use weir_value::limits::THREAD_STACK_BYTES;

use crate::accounts::{Draw, Random};
use crate::engine;

/// As many as the sockets have in flight: 64 clients with 40 each.
const IN_FLIGHT: usize = 64 * 40;

/// Transfers a second, each waited for until it is durable.
///
/// # Errors
/// When a transfer fails.
pub fn measure(bank: Arc<dyn Deployment>, accounts: usize, duration: Duration) -> Result<f64> {
    let folder = tempfile::tempdir()?;
    let database = engine::open(folder.path())?;
    database.set_deployment(bank);
    let ids = engine::seed(&database, accounts)?;
    let draw = Draw::zipf(accounts, 0.0);
    let threads = std::thread::available_parallelism()?.get();

    let started = Instant::now();
    let end = started + duration;
    let done = std::thread::scope(|scope| {
        let run = |seed| {
            let (database, ids, draw) = (&database, &ids, &draw);
            let thread = std::thread::Builder::new().stack_size(THREAD_STACK_BYTES);
            thread.spawn_scoped(scope, move || {
                transfer_until(database, ids, draw, Random::new(seed), end, IN_FLIGHT / threads)
            })
        };
        let running = (1..=threads as u64).map(run).collect::<std::io::Result<Vec<_>>>()?;
        running.into_iter().map(|thread| thread.join().expect("a thread panicked")).sum::<Result<u64>>()
    })?;
    let per_second = done as f64 / started.elapsed().as_secs_f64();
    database.store().close();
    Ok(per_second)
}

fn transfer_until(
    database: &Database,
    ids: &[String],
    draw: &Draw,
    mut random: Random,
    end: Instant,
    in_flight: usize,
) -> Result<u64> {
    let mut waiting: VecDeque<Timestamp> = VecDeque::with_capacity(in_flight);
    let mut done = 0;
    while Instant::now() < end {
        let (from, to) = draw.pair(&mut random);
        let args = format!(r#"{{"amount":1,"from":"{}","to":"{}"}}"#, ids[from], ids[to]);
        let outcome = database.mutation(&engine::call("bank:transfer", args)?, None);
        ensure!(outcome.result.is_ok(), "a transfer failed: {:?}", outcome.result);
        waiting.push_back(outcome.ts);
        if waiting.len() == in_flight {
            database.store().wait_durable(waiting.pop_front().expect("not empty"))?;
        }
        done += 1;
    }
    waiting.into_iter().try_for_each(|ts| database.store().wait_durable(ts))?;
    Ok(done)
}
