//! What has to hold, whatever strangers do.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::attacks::{ALL, Attack};
use crate::ordinary::{Latencies, Measured, measure};
use crate::target::{Target, alone};

/// How long the ordinary client is measured in the quiet.
const QUIET: Duration = Duration::from_millis(1500);
/// How long the ordinary client is measured in an attack.
const ATTACKED: Duration = Duration::from_millis(2500);
/// How long one measurement is, of many.
const SLICE: Duration = Duration::from_secs(10);
/// How many times as long as in the quiet the ordinary client may wait, in the median.
const TIMES_MAX: f64 = 5.0;
/// What the host may hold, in MiB: what it holds by default.
const RESIDENT_MIB_MAX: u64 = 512;

/// What was measured while the host was attacked.
#[derive(Debug, Default)]
pub struct Verdict {
    name: String,
    mutations: Multiples,
    queries: Multiples,
    /// The most that the host held, in MiB.
    resident_mib: u64,
    answered: usize,
}

/// Latencies as multiples of the quiet ones, the worst of all measurements.
#[derive(Debug, Default)]
struct Multiples {
    median: f64,
    p99: f64,
    /// The quiet median, and the worst median.
    from: Duration,
    to: Duration,
}

impl Multiples {
    fn add(&mut self, attacked: &Latencies, quiet: &Latencies) {
        self.median = self.median.max(attacked.times_median(quiet));
        self.p99 = self.p99.max(attacked.times_p99(quiet));
        self.from = quiet.median();
        self.to = self.to.max(attacked.median());
    }
}

impl fmt::Display for Multiples {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "{:.1} times ({:.1?} to {:.1?}), p99 {:.1} times",
            self.median, self.from, self.to, self.p99
        )
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Verdict { name, mutations, queries, resident_mib, answered } = self;
        write!(
            out,
            "{name}: mutations {mutations}; queries {queries}; {resident_mib} MiB; {answered} answered"
        )
    }
}

impl Verdict {
    fn add(&mut self, attacked: &Measured, quiet: &Measured, resident_mib: u64) {
        self.mutations.add(&attacked.mutations, &quiet.mutations);
        self.queries.add(&attacked.queries, &quiet.queries);
        self.resident_mib = self.resident_mib.max(resident_mib);
        self.answered += attacked.mutations.count();
    }

    fn hold(&self) -> Result<()> {
        ensure!(self.resident_mib <= RESIDENT_MIB_MAX, "the host held too much: {self}");
        ensure!(self.mutations.median <= TIMES_MAX, "mutations take too long: {self}");
        ensure!(self.queries.median <= TIMES_MAX, "queries take too long: {self}");
        Ok(())
    }
}

/// One attack alone, on a host of its own.
///
/// # Errors
/// When the ordinary client has to wait too long or is refused, the host holds too much, or something is lost.
pub fn withstands(attack: &Attack) -> Result<Verdict> {
    let _alone = alone();
    attacked(attack.name, std::slice::from_ref(attack), ATTACKED, ATTACKED)
}

/// All of them at once, for so long.
///
/// # Errors
/// As those of [`withstands`].
pub fn all_at_once(time: Duration) -> Result<Verdict> {
    let _alone = alone();
    attacked("all at once", ALL, time, SLICE.min(time))
}

fn attacked(name: &str, attacks: &[Attack], time: Duration, slice: Duration) -> Result<Verdict> {
    let target = Target::start()?;
    let address = target.address();
    let quiet = measure(address, QUIET).context("in the quiet")?;
    attacks.iter().try_for_each(|attack| (attack.prepare)(address))?;
    let strangers: Vec<_> = attacks.iter().map(|attack| (attack.start)(address)).collect();
    let beginning = attacks.iter().map(|attack| attack.beginning).max();
    std::thread::sleep(beginning.unwrap_or_default());
    let mut verdict =
        Verdict { name: name.to_owned(), answered: quiet.mutations.count(), ..Verdict::default() };
    let begun = Instant::now();
    while begun.elapsed() < time {
        let measured = measure(address, slice).with_context(|| verdict.to_string())?;
        verdict.add(&measured, &quiet, target.resident_mib()?);
    }
    drop(strangers);
    println!("{verdict}");
    verdict.hold()?;
    target.nothing_is_lost(verdict.answered as u64)?;
    Ok(verdict)
}
