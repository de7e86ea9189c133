//! Runs the simulation for a seed, for a range of seeds, or for hours.
//!
//! Not here: what is simulated.

use std::ops::Range;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use clap::Parser;
use parking_lot::Mutex;
use weir_simulation::{EVENTS, Failure, Settings, find_failure, run};
use weir_store::planted::Bug;
use weir_store::{Env, RealEnv};

/// How often progress is told.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(60);

/// The store and the database in a simulated world, from a seed. A seed that fails is made short and told.
#[derive(Debug, Parser)]
struct Arguments {
    /// Runs one seed, and prints everything that happens
    #[arg(long, conflicts_with_all = ["seeds", "hours"])]
    seed: Option<u64>,
    /// Runs the seeds from A up to, and without, B
    #[arg(long, value_name = "A..B", value_parser = parse_range, conflicts_with = "hours")]
    seeds: Option<Range<u64>>,
    /// Runs new seeds for so many hours
    #[arg(long)]
    hours: Option<f64>,
    /// How many events a run has
    #[arg(long, default_value_t = EVENTS)]
    events: u64,
    /// Plants a defect, which should be found
    #[arg(long, value_parser = Bug::parse)]
    bug: Option<Bug>,
    /// How many seeds run at once; as many as there are processors, unless told otherwise
    #[arg(long)]
    jobs: Option<usize>,
}

fn parse_range(text: &str) -> Result<Range<u64>, String> {
    let range = text.split_once("..").and_then(|(from, to)| Some(from.parse().ok()?..to.parse().ok()?));
    range
        .filter(|range| !range.is_empty())
        .ok_or_else(|| format!("`{text}` is not a range of seeds; write 0..1000"))
}

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let settings = Settings { events: arguments.events, bug: arguments.bug, is_traced: false };
    if let Some(seed) = arguments.seed {
        return Ok(trace(seed, &settings));
    }
    let env = RealEnv::new();
    let jobs = match arguments.jobs {
        Some(jobs) => jobs,
        None => std::thread::available_parallelism().context("the number of processors is unknown")?.get(),
    };
    ensure!(jobs > 0, "--jobs 0 runs nothing; leave it out, or give at least 1");
    let (seeds, time) = match (arguments.seeds, arguments.hours) {
        (Some(seeds), _) => (seeds, None),
        (None, hours) => (new_seeds(&env), Some(time_of(hours.unwrap_or(1.0))?)),
    };
    match search(seeds, time, jobs, &settings, &env) {
        Some(failure) => {
            println!("{failure}");
            Ok(ExitCode::FAILURE)
        }
        None => Ok(ExitCode::SUCCESS),
    }
}

fn time_of(hours: f64) -> anyhow::Result<Duration> {
    Duration::try_from_secs_f64(hours * 3600.0)
        .with_context(|| format!("--hours {hours} is not a length of time; write --hours 0.5"))
}

/// Seeds that were not tried before, as likely as not.
fn new_seeds(env: &RealEnv) -> Range<u64> {
    let mut word = [0; 8];
    env.fill_random(&mut word);
    let first = u64::from_le_bytes(word) >> 16;
    first..u64::MAX
}

fn trace(seed: u64, settings: &Settings) -> ExitCode {
    let outcome = run(seed, &Settings { is_traced: true, ..settings.clone() });
    print!("{}", outcome.trace);
    match outcome.broken {
        Some(_) => ExitCode::FAILURE,
        None => {
            println!("Everything held: {:?}", outcome.figures);
            ExitCode::SUCCESS
        }
    }
}

/// Runs seeds on several threads until one fails, all have run, or the time is over.
fn search(
    seeds: Range<u64>,
    time: Option<Duration>,
    jobs: usize,
    settings: &Settings,
    env: &RealEnv,
) -> Option<Failure> {
    let first = seeds.start;
    let (next, has_ended) = (AtomicU64::new(first), AtomicBool::new(false));
    let failure: Mutex<Option<Failure>> = Mutex::new(None);
    let told = Mutex::new(Duration::ZERO);
    println!("Seeds from {first} on, {} events each, {jobs} at once", settings.events);
    let work = || {
        while !has_ended.load(Ordering::Relaxed) {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            let is_over = time.is_some_and(|time| env.monotonic() >= time);
            if seed >= seeds.end || is_over {
                return;
            }
            if let Some(found) = find_failure(seed, settings) {
                has_ended.store(true, Ordering::Relaxed);
                failure.lock().get_or_insert(found);
            }
            let mut told = told.lock();
            if env.monotonic().saturating_sub(*told) >= PROGRESS_INTERVAL {
                *told = env.monotonic();
                println!("{} seeds", seed - first);
            }
        }
    };
    std::thread::scope(|scope| (0..jobs).for_each(|_| drop(scope.spawn(work))));
    let count = next.into_inner().min(seeds.end) - first;
    let seconds = env.monotonic().as_secs_f64();
    println!("{count} seeds in {seconds:.1} s: {:.0} a second", count as f64 / seconds);
    failure.into_inner()
}
