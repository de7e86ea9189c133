//! How a mutation is executed first: optimistically, or serially because it would conflict anyway.
//!
//! Each function has a rate of conflicts that decays. Above a threshold its calls are executed serially at once, one after
//! another. Nothing conflicts there, so what is counted then is what *would* have: of some runs it is looked whether they
//! read what was committed just before, while they would have run beside it on another processor. Below a lower threshold
//! the function is optimistic again. A function that is slow is not executed serially at once, however often it conflicts:
//! nobody else would commit meanwhile.
//!
//! **Invariant:** the choice is about speed alone. Whichever is chosen, the outcome is serializable.
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use parking_lot::RwLock;
use weir_value::FunctionPath;
use weir_value::limits::SLOW_FUNCTION_MS;

/// A rate of one: every run conflicts.
const RATE_ONE: u32 = 1 << 16;
/// From here on a function is serial: one conflict in four runs.
const RATE_SERIAL: u32 = RATE_ONE / 4;
/// Below this it is optimistic again. A conflict costs a run, and the gate one processor instead of all.
const RATE_OPTIMISTIC: u32 = RATE_ONE / 8;
/// A run moves the rate by a sixteenth of the way.
const WEIGHT_SHIFT: u32 = 4;
/// One serial run in so many is looked at: that is done behind the gate.
const SAMPLE_INTERVAL_RUNS: u32 = 8;

/// A run moves what is known of a function's time by a fourth of the way.
const TIME_WEIGHT_SHIFT: u32 = 2;

/// How a mutation begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Execution {
    /// Without the gate, and checked at the end.
    Optimistic,
    /// Behind the gate: nothing else commits meanwhile.
    Serial,
}

/// How often one function has conflicted lately, and how long it runs.
#[derive(Debug, Default)]
pub(crate) struct ConflictRate {
    rate: AtomicU32,
    is_serial: AtomicBool,
    serial_runs: AtomicU32,
    /// How long runs take, in nanoseconds; zero before the first.
    run_ns: AtomicU64,
}

impl ConflictRate {
    pub(crate) fn choose(&self) -> Execution {
        match self.is_serial.load(Relaxed) && !self.is_slow() {
            true => Execution::Serial,
            false => Execution::Optimistic,
        }
    }

    /// Whether a run takes so long that nobody should have to wait for its end.
    pub(crate) fn is_slow(&self) -> bool {
        self.run_ns.load(Relaxed) >= SLOW_FUNCTION_MS * 1_000_000
    }

    /// How long runs take, as far as is known.
    pub(crate) fn run_time(&self) -> Duration {
        Duration::from_nanos(self.run_ns.load(Relaxed))
    }

    /// Notes how long a run took, of whichever kind.
    pub(crate) fn note_time(&self, took: Duration) {
        let took = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX >> TIME_WEIGHT_SHIFT);
        let known = self.run_ns.load(Relaxed);
        let moved = match known {
            0 => took,
            known => known - (known >> TIME_WEIGHT_SHIFT) + (took >> TIME_WEIGHT_SHIFT),
        };
        self.run_ns.store(moved, Relaxed);
    }

    /// Whether it is to be looked at a serial run that begins now, and noted whether it would have conflicted.
    pub(crate) fn samples(&self) -> bool {
        self.serial_runs.fetch_add(1, Relaxed).is_multiple_of(SAMPLE_INTERVAL_RUNS)
    }

    /// Notes whether an optimistic run has conflicted, or a serial one would have. Racing notes may lose one another: it is a
    /// rate.
    pub(crate) fn note(&self, conflicted: bool) {
        let rate = self.rate.load(Relaxed);
        let moved = match conflicted {
            true => rate + ((RATE_ONE - rate) >> WEIGHT_SHIFT),
            false => rate - (rate >> WEIGHT_SHIFT),
        };
        if moved == rate {
            return;
        }
        self.rate.store(moved, Relaxed);
        match self.is_serial.load(Relaxed) {
            false if moved >= RATE_SERIAL => self.is_serial.store(true, Relaxed),
            true if moved < RATE_OPTIMISTIC => self.is_serial.store(false, Relaxed),
            _ => {}
        }
    }
}

/// The rates of all functions that were called.
#[derive(Default)]
pub(crate) struct ConflictRates {
    rates: RwLock<HashMap<FunctionPath, Arc<ConflictRate>>>,
}

impl ConflictRates {
    /// The rate of a function that exists: paths of clients' choosing must not fill the map.
    pub(crate) fn rate(&self, path: &FunctionPath) -> Arc<ConflictRate> {
        if let Some(rate) = self.rates.read().get(path) {
            return rate.clone();
        }
        self.rates.write().entry(path.clone()).or_default().clone()
    }

    /// Whether calls of a function are executed serially at once, for the time being.
    pub(crate) fn is_serial(&self, path: &FunctionPath) -> bool {
        self.rates.read().get(path).is_some_and(|rate| rate.choose() == Execution::Serial)
    }

    /// Forgets all: another deployment's functions may do something else under the same paths.
    pub(crate) fn clear(&self) {
        self.rates.write().clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conflicts_lead_to_serial_execution_and_runs_that_would_not_back() {
        let rate = ConflictRate::default();
        assert_eq!(rate.choose(), Execution::Optimistic);
        rate.note(true);
        assert_eq!(rate.choose(), Execution::Optimistic, "one conflict is no habit");
        (0..8).for_each(|_| rate.note(true));
        assert_eq!(rate.choose(), Execution::Serial);
        (0..4).for_each(|_| rate.note(false));
        assert_eq!(rate.choose(), Execution::Serial, "the way back is longer");
        (0..16).for_each(|_| rate.note(false));
        assert_eq!(rate.choose(), Execution::Optimistic);
    }

    #[test]
    fn one_serial_run_in_so_many_is_looked_at() {
        let rate = ConflictRate::default();
        assert_eq!((0..320).filter(|_| rate.samples()).count(), 40);
    }

    #[test]
    fn a_rare_conflict_leaves_a_function_optimistic() {
        let rate = ConflictRate::default();
        for run in 0..10_000 {
            rate.note(run % 10 == 0);
            assert_eq!(rate.choose(), Execution::Optimistic, "at run {run}");
        }
    }

    #[test]
    fn a_slow_function_is_not_executed_serially_at_once() {
        let rate = ConflictRate::default();
        (0..64).for_each(|_| rate.note(true));
        rate.note_time(Duration::from_millis(300));
        assert!(rate.is_slow());
        assert!((0..100).all(|_| rate.choose() == Execution::Optimistic));
        (0..20).for_each(|_| rate.note_time(Duration::from_micros(50)));
        assert!(!rate.is_slow());
        assert_eq!(rate.choose(), Execution::Serial);
    }

    #[test]
    fn rates_are_shared_until_the_next_deployment() {
        let rates = ConflictRates::default();
        let path = FunctionPath::parse("a:b").expect("a path");
        assert!(Arc::ptr_eq(&rates.rate(&path), &rates.rate(&path)));
        let before = rates.rate(&path);
        rates.clear();
        assert!(!Arc::ptr_eq(&before, &rates.rate(&path)));
    }
}
