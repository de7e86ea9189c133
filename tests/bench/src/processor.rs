//! Whose time on the processors a window took: a process's, this one's, or that of others on the machine.
//!
//! Others make rates lower and times longer. A figure that was measured beside them is measured again.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nix::time::{ClockId, clock_getcpuclockid, clock_gettime};
use nix::unistd::Pid;

/// Ticks of the processor's time in a second, as the kernel tells them to programs.
const TICKS: f64 = 100.0;
/// The part of one processor that others may take in a window.
const OTHERS_SHARE_MAX: f64 = 0.15;
/// How often one window is measured, until others leave it alone.
const ATTEMPTS_MAX: u32 = 3;

/// A window that has begun.
pub struct Window {
    /// Each process, and what it had computed.
    processes: Vec<(u32, Duration)>,
    begun: Instant,
    own: Duration,
    of_all: Duration,
}

/// What a window took, or several together.
#[derive(Debug, Clone, Copy, Default)]
pub struct Spent {
    /// By the clock on the wall.
    pub wall: Duration,
    /// What the process computed.
    pub process: Duration,
    /// What this one computed, if it is another.
    own: Duration,
    /// What all computed, and what the machine below took from this one: in hundredths of a second for each
    /// processor, so that a short window alone says little.
    of_all: Duration,
}

impl Window {
    /// Begins, with an eye on this process.
    ///
    /// # Errors
    /// When there is no such process.
    pub fn begin(pid: u32) -> Result<Window> {
        Window::begin_with([pid])
    }

    /// Begins, with an eye on these processes, as one.
    ///
    /// # Errors
    /// When there is none of one of them.
    pub fn begin_with(pids: impl IntoIterator<Item = u32>) -> Result<Window> {
        let processes = pids.into_iter().map(|pid| Ok((pid, time_of(pid)?))).collect::<Result<_>>()?;
        let (own, of_all) = (own_time()?, time_of_all()?);
        Ok(Window { processes, begun: Instant::now(), own, of_all })
    }

    /// Ends.
    ///
    /// # Errors
    /// When a process is gone.
    pub fn end(&self) -> Result<Spent> {
        let wall = self.begun.elapsed();
        let of_all = time_of_all()?.saturating_sub(self.of_all);
        let mut process = Duration::ZERO;
        for (pid, before) in &self.processes {
            process += time_of(*pid)?.saturating_sub(*before);
        }
        let is_own = self.processes.iter().any(|(pid, _)| *pid == std::process::id());
        let own = if is_own { Duration::ZERO } else { own_time()?.saturating_sub(self.own) };
        Ok(Spent { wall, process, own, of_all })
    }
}

impl std::iter::Sum for Spent {
    fn sum<I: Iterator<Item = Spent>>(windows: I) -> Spent {
        windows.fold(Spent::default(), |sum, window| Spent {
            wall: sum.wall + window.wall,
            process: sum.process + window.process,
            own: sum.own + window.own,
            of_all: sum.of_all + window.of_all,
        })
    }
}

impl Spent {
    /// The part of one processor that others took; above 1 when it was more than one.
    pub fn others_share(&self) -> f64 {
        let others = self.of_all.saturating_sub(self.process + self.own);
        others.as_secs_f64() / self.wall.as_secs_f64().max(f64::MIN_POSITIVE)
    }

    /// What the process computed for each of so many, in microseconds.
    pub fn process_us_each(&self, count: u64) -> f64 {
        self.process.as_secs_f64() * 1e6 / count.max(1) as f64
    }
}

/// What was measured in a window that others left alone, or in the one that they left alone most.
pub struct Quietest<T> {
    best: Option<(T, f64)>,
    attempts: u32,
}

impl<T> Quietest<T> {
    /// Nothing was measured.
    pub fn new() -> Quietest<T> {
        Quietest { best: None, attempts: 0 }
    }

    /// Whether it is to be measured, again or for the first time.
    pub fn is_wanted(&self) -> bool {
        let is_quiet = self.best.as_ref().is_some_and(|(_, others)| *others <= OTHERS_SHARE_MAX);
        !is_quiet && self.attempts < ATTEMPTS_MAX
    }

    /// Takes what was measured while others took this part of a processor.
    pub fn take(&mut self, outcome: T, others_share: f64) {
        self.attempts += 1;
        if self.best.as_ref().is_none_or(|(_, others)| others_share < *others) {
            self.best = Some((outcome, others_share));
        }
    }

    /// The outcome, and what is to be said of others.
    ///
    /// # Errors
    /// When nothing was measured.
    pub fn outcome(self) -> Result<(T, Others)> {
        let (outcome, share) = self.best.context("nothing was measured")?;
        Ok((outcome, Others { share, attempts: self.attempts }))
    }
}

/// What others did beside a measurement.
#[derive(Debug, Clone, Copy)]
pub struct Others {
    /// The part of one processor that they took.
    pub share: f64,
    /// How often it was measured for their sake.
    pub attempts: u32,
}

impl std::fmt::Display for Others {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "others {:.0} % of a processor", 100.0 * self.share)?;
        match (self.attempts, self.share > OTHERS_SHARE_MAX) {
            (1, false) => Ok(()),
            (attempts, false) => write!(f, " (measured {attempts} times)"),
            (attempts, true) => write!(f, " (DISTURBED, the quietest of {attempts})"),
        }
    }
}

/// What a process has computed since it began, all its threads together, those that have ended too.
///
/// # Errors
/// When there is no such process.
pub fn time_of(pid: u32) -> Result<Duration> {
    let clock = clock_getcpuclockid(Pid::from_raw(pid.cast_signed())).context("the clock of a process")?;
    Ok(clock_gettime(clock)?.into())
}

fn own_time() -> Result<Duration> {
    Ok(clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID)?.into())
}

/// What was computed on this machine since it started, and what the machine below took from it.
fn time_of_all() -> Result<Duration> {
    let stat = std::fs::read_to_string("/proc/stat").context("the processors' times")?;
    let line = stat.lines().next().context("the processors' times")?;
    busy_time(line).context("the processors' times")
}

/// Of a line `cpu  user nice system idle iowait irq softirq steal ...`, all but `idle` and `iowait`; what comes
/// after them is in `user` and `nice`, too.
fn busy_time(line: &str) -> Option<Duration> {
    let fields = line.split_whitespace().skip(1).map(|field| field.parse::<u64>().ok());
    let fields: Vec<u64> = fields.take(8).collect::<Option<_>>()?;
    let [user, nice, system, _, _, irq, softirq, steal] = fields[..] else { return None };
    Some(Duration::from_secs_f64((user + nice + system + irq + softirq + steal) as f64 / TICKS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_process_computes_is_its_own_and_not_that_of_others() {
        let window = Window::begin(std::process::id()).unwrap();
        while window.end().unwrap().process < Duration::from_millis(50) {}
        let spent = window.end().unwrap();
        assert!(spent.process >= Duration::from_millis(50), "{spent:?}");
        let window = Spent { wall: Duration::from_secs(2), of_all: Duration::from_secs(3), ..spent };
        let spent = Spent { process: Duration::from_secs(1), own: Duration::from_millis(500), ..window };
        assert_eq!([spent, spent].into_iter().sum::<Spent>().others_share(), 0.75);
    }

    #[test]
    fn idle_time_is_nobodys() {
        let line = "cpu  100 20 3 999999 888888 4 5 600 70 8";
        assert_eq!(busy_time(line), Some(Duration::from_secs_f64(7.32)));
        assert_eq!(busy_time("cpu  100 20"), None);
    }

    #[test]
    fn a_disturbed_window_is_measured_again_and_the_quietest_is_kept() {
        let mut found = Quietest::new();
        for (outcome, share) in [("first", 0.5), ("second", 0.3), ("third", 0.9)] {
            assert!(found.is_wanted());
            found.take(outcome, share);
        }
        assert!(!found.is_wanted(), "there is an end of it");
        let (outcome, others) = found.outcome().unwrap();
        assert_eq!((outcome, others.attempts), ("second", 3));
        assert!(others.to_string().contains("DISTURBED"), "{others}");
        let mut found = Quietest::new();
        found.take("quiet", 0.1);
        assert!(!found.is_wanted());
    }
}
