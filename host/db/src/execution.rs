//! How a mutation is executed first: optimistically, or serially because it would conflict anyway.
//!
//! Each function has a rate of conflicts that decays. Above a threshold its calls are executed serially at once,
//! where nothing can conflict and so nothing is learnt; every now and then one is let through as a probe. A function that
//! is slow is not executed serially at once, however often it conflicts: nobody else would commit meanwhile.
//!
//! **Invariant:** the choice is about speed alone. Whichever is chosen, the outcome is serializable.
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use parking_lot::RwLock;
use weir_value::FunctionPath;
use weir_value::limits::SLOW_FUNCTION_MS;

/// A rate of one: every run conflicts.
const RATE_ONE: u32 = 1 << 16;
/// From here on a function is serial: one conflict in four runs.
const RATE_SERIAL: u32 = RATE_ONE / 4;
/// An optimistic run moves the rate by a sixteenth of the way, a probe, which is rare, by a quarter.
const WEIGHT_RUN_SHIFT: u32 = 4;
const WEIGHT_PROBE_SHIFT: u32 = 2;
/// One call in so many of a serial function is a probe.
const PROBE_INTERVAL_CALLS: u32 = 32;

/// A run moves what is known of a function's time by a fourth of the way.
const TIME_WEIGHT_SHIFT: u32 = 2;

/// How a mutation begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Execution {
    /// Without the gate, and checked at the end.
    Optimistic,
    /// Without the gate, to see whether the function still conflicts.
    Probe,
    /// Behind the gate: nothing else commits meanwhile.
    Serial,
}

/// How often one function has conflicted lately, and how long it runs.
#[derive(Debug, Default)]
pub(crate) struct ConflictRate {
    rate: AtomicU32,
    serial_calls: AtomicU32,
    /// How long runs take, in nanoseconds; zero before the first.
    run_ns: AtomicU64,
}

impl ConflictRate {
    pub(crate) fn choose(&self) -> Execution {
        if self.rate.load(Relaxed) < RATE_SERIAL || self.is_slow() {
            return Execution::Optimistic;
        }
        let calls = self.serial_calls.fetch_add(1, Relaxed).wrapping_add(1);
        if calls.is_multiple_of(PROBE_INTERVAL_CALLS) { Execution::Probe } else { Execution::Serial }
    }

    /// Whether a run takes so long that nobody should have to wait for its end.
    pub(crate) fn is_slow(&self) -> bool {
        self.run_ns.load(Relaxed) >= SLOW_FUNCTION_MS * 1_000_000
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

    /// Notes how an optimistic run or a probe ended. Racing notes may lose one another: it is a rate.
    pub(crate) fn note(&self, execution: Execution, conflicted: bool) {
        let shift = match execution {
            Execution::Optimistic => WEIGHT_RUN_SHIFT,
            Execution::Probe => WEIGHT_PROBE_SHIFT,
            Execution::Serial => return,
        };
        let rate = self.rate.load(Relaxed);
        let moved = match conflicted {
            true => rate + ((RATE_ONE - rate) >> shift),
            false => rate - (rate >> shift),
        };
        if moved != rate {
            self.rate.store(moved, Relaxed);
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

    /// Forgets all: another deployment's functions may do something else under the same paths.
    pub(crate) fn clear(&self) {
        self.rates.write().clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conflicts_lead_to_the_serial_lane_and_quiet_probes_back() {
        let rate = ConflictRate::default();
        assert_eq!(rate.choose(), Execution::Optimistic);
        rate.note(Execution::Optimistic, true);
        assert_eq!(rate.choose(), Execution::Optimistic, "one conflict is no habit");
        for _ in 0..8 {
            rate.note(Execution::Optimistic, true);
        }
        assert_eq!(rate.choose(), Execution::Serial);
        let mut calls = 0;
        while rate.choose() != Execution::Optimistic {
            calls += 1;
            rate.note(Execution::Probe, false);
            assert!(calls < 20, "quiet probes must end the serial time");
        }
    }

    #[test]
    fn one_serial_call_in_so_many_probes() {
        let rate = ConflictRate::default();
        (0..64).for_each(|_| rate.note(Execution::Optimistic, true));
        let probes = (0..320).filter(|_| rate.choose() == Execution::Probe).count();
        assert_eq!(probes, 10);
    }

    #[test]
    fn a_rare_conflict_leaves_a_function_optimistic() {
        let rate = ConflictRate::default();
        for run in 0..10_000 {
            rate.note(Execution::Optimistic, run % 10 == 0);
            assert_eq!(rate.choose(), Execution::Optimistic, "at run {run}");
        }
    }

    #[test]
    fn a_slow_function_is_not_executed_serially_at_once() {
        let rate = ConflictRate::default();
        (0..64).for_each(|_| rate.note(Execution::Optimistic, true));
        rate.note_time(Duration::from_millis(300));
        assert!(rate.is_slow());
        assert!((0..100).all(|_| rate.choose() == Execution::Optimistic));
        (0..20).for_each(|_| rate.note_time(Duration::from_micros(50)));
        assert!(!rate.is_slow());
        assert_eq!(rate.choose(), Execution::Serial);
    }

    #[test]
    fn serial_runs_teach_nothing() {
        let rate = ConflictRate::default();
        rate.note(Execution::Serial, true);
        assert_eq!(rate.rate.load(Relaxed), 0);
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
