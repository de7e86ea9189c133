//! What has to hold, whatever strangers do.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::attacks::{ALL, Attack};
use crate::ordinary::{Latencies, Measured, measure};
use crate::strangers::Strangers;
use crate::target::{Target, alone};

/// How long the ordinary client is measured in the quiet.
const QUIET: Duration = Duration::from_millis(1500);
/// How long the ordinary client is measured in an attack.
const ATTACKED: Duration = Duration::from_millis(2500);
/// How often an attack alone is measured: a window in which the machine did something else as well is measured again.
const WINDOWS_MAX: usize = 4;
/// How long one measurement is, of many.
const SLICE: Duration = Duration::from_secs(10);
/// How many times as long as in the quiet the ordinary client may wait, in the median.
const TIMES_MAX: f64 = 5.0;
/// What the host may hold, in MiB: what it holds by default.
const RESIDENT_MIB_MAX: u64 = 512;

/// What was measured while the host was attacked.
#[derive(Debug)]
pub struct Verdict {
    name: String,
    mutations: Multiples,
    queries: Multiples,
    /// The most that the host held, in MiB.
    resident_mib: u64,
    /// How many mutations were answered.
    answered: usize,
}

/// Latencies as multiples of the quiet ones.
#[derive(Debug)]
struct Multiples {
    median: f64,
    p99: f64,
    /// The quiet median, and the attacked one.
    from: Duration,
    to: Duration,
}

impl Multiples {
    fn of(attacked: &Latencies, quiet: &Latencies) -> Multiples {
        Multiples {
            median: attacked.times_median(quiet),
            p99: attacked.times_p99(quiet),
            from: quiet.median(),
            to: attacked.median(),
        }
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
    /// Whether the ordinary client was served well enough.
    fn is_served(&self) -> bool {
        self.mutations.median <= TIMES_MAX && self.queries.median <= TIMES_MAX
    }

    fn hold(&self) -> Result<()> {
        ensure!(self.resident_mib <= RESIDENT_MIB_MAX, "the host held too much: {self}");
        ensure!(self.is_served(), "the ordinary client waits too long: {self}");
        Ok(())
    }
}

/// One attack alone, on a host of its own.
///
/// # Errors
/// When the ordinary client has to wait too long in every window or is refused, the host holds too much, or something
/// is lost.
pub fn withstands(attack: &Attack) -> Result<Verdict> {
    let _alone = alone();
    let mut siege = Siege::begin(attack.name, std::slice::from_ref(attack))?;
    let mut verdict = siege.measured(ATTACKED)?;
    for _ in 1..WINDOWS_MAX {
        if verdict.is_served() {
            break;
        }
        println!("measured again, after {verdict}");
        verdict = siege.measured(ATTACKED)?;
    }
    siege.end(verdict)
}

/// All of them at once, for so long.
///
/// # Errors
/// As those of [`withstands`], over the whole time.
pub fn all_at_once(time: Duration) -> Result<Verdict> {
    let _alone = alone();
    let mut siege = Siege::begin("all at once", ALL)?;
    let begun = Instant::now();
    let mut measured = siege.window(SLICE.min(time))?;
    while begun.elapsed() < time {
        println!("{}", siege.verdict_of(&measured));
        measured.append(siege.window(SLICE.min(time))?);
    }
    let verdict = siege.verdict_of(&measured);
    siege.end(verdict)
}

/// A host under attack.
struct Siege {
    name: String,
    target: Target,
    quiet: Measured,
    strangers: Vec<Strangers>,
    /// What the host held at most, in MiB, and how many mutations were answered.
    resident_mib: u64,
    answered: usize,
}

impl Siege {
    fn begin(name: &str, attacks: &[Attack]) -> Result<Siege> {
        let target = Target::start()?;
        let address = target.address();
        let quiet = measure(address, QUIET).context("in the quiet")?;
        attacks.iter().try_for_each(|attack| (attack.prepare)(address))?;
        let strangers = attacks.iter().map(|attack| (attack.start)(address)).collect();
        let beginning = attacks.iter().map(|attack| attack.beginning).max();
        std::thread::sleep(beginning.unwrap_or_default());
        let answered = quiet.mutations.count();
        Ok(Siege { name: name.to_owned(), target, quiet, strangers, resident_mib: 0, answered })
    }

    /// Measures for so long.
    fn window(&mut self, time: Duration) -> Result<Measured> {
        let measured = measure(self.target.address(), time).with_context(|| self.name.clone())?;
        self.answered += measured.mutations.count();
        self.resident_mib = self.resident_mib.max(self.target.resident_mib()?);
        Ok(measured)
    }

    /// Measures for so long, and judges by that alone.
    fn measured(&mut self, time: Duration) -> Result<Verdict> {
        let measured = self.window(time)?;
        Ok(self.verdict_of(&measured))
    }

    fn verdict_of(&self, measured: &Measured) -> Verdict {
        Verdict {
            name: self.name.clone(),
            mutations: Multiples::of(&measured.mutations, &self.quiet.mutations),
            queries: Multiples::of(&measured.queries, &self.quiet.queries),
            resident_mib: self.resident_mib,
            answered: self.answered,
        }
    }

    fn end(self, verdict: Verdict) -> Result<Verdict> {
        drop(self.strangers);
        println!("{verdict}");
        verdict.hold()?;
        self.target.nothing_is_lost(verdict.answered as u64)?;
        Ok(verdict)
    }
}
