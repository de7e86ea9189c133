//! Which functions are slow, as their runs so far tell.
//!
//! Few functions are, so only those are known: whoever is not in the list is quick, or has not run yet.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::RwLock;
use weir_value::{FunctionPath, limits};

/// A run moves the estimate by a fourth of the way: some runs of another kind do not change what a function is.
const WEIGHT_RUN: u32 = 4;

/// A function that has become quicker than slow by so much is quick again.
const QUICK_DIVISOR: u32 = 2;

pub(super) const SLOW: Duration = Duration::from_millis(limits::SLOW_FUNCTION_MS);

/// A function, by the hash of its path: two that share one are taken for one function, which makes a quick one wait longer
/// at worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FunctionKey(pub u64);

/// How long slow functions compute.
#[derive(Default)]
pub struct Estimates {
    hasher: RandomState,
    slow: RwLock<HashMap<FunctionKey, Duration>>,
    /// How many are known: none, most of the time.
    known: AtomicUsize,
}

impl Estimates {
    /// The key of a function; never 0.
    pub fn key(&self, path: &FunctionPath) -> FunctionKey {
        FunctionKey(self.hasher.hash_one(path).max(1))
    }

    /// What a run of a function is expected to take, if that is slow.
    pub fn slow(&self, function: FunctionKey) -> Option<Duration> {
        if self.known.load(Ordering::Relaxed) == 0 {
            return None;
        }
        self.slow.read().get(&function).copied()
    }

    /// Whether a function is slow. While none is, no path is hashed.
    pub fn is_slow(&self, path: &FunctionPath) -> bool {
        self.known.load(Ordering::Relaxed) > 0 && self.slow(self.key(path)).is_some()
    }

    /// Whether a run that took so long says something new.
    pub fn is_worth(&self, function: FunctionKey, took: Duration) -> bool {
        took >= SLOW || self.slow(function).is_some()
    }

    /// A run of a function has computed for so long.
    pub fn note(&self, function: FunctionKey, took: Duration) {
        if !self.is_worth(function, took) {
            return;
        }
        let mut slow = self.slow.write();
        let estimate = slow.entry(function).or_insert(took);
        *estimate = *estimate * (WEIGHT_RUN - 1) / WEIGHT_RUN + took / WEIGHT_RUN;
        if *estimate < SLOW / QUICK_DIVISOR {
            slow.remove(&function);
        }
        self.known.store(slow.len(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn a_function_is_slow_from_its_first_run_on_and_quick_again_after_some() {
        let estimates = Estimates::default();
        let key = |path| estimates.key(&FunctionPath::parse(path).unwrap());
        let (heavy, light) = (key("a:heavy"), key("a:light"));
        estimates.note(light, MS);
        assert_eq!((estimates.slow(light), estimates.known.load(Ordering::Relaxed)), (None, 0));
        estimates.note(heavy, 800 * MS);
        assert_eq!(estimates.slow(heavy), Some(800 * MS));
        assert_eq!(estimates.slow(light), None);
        estimates.note(heavy, MS);
        assert!(estimates.slow(heavy).is_some(), "one quick run is no habit");
        (0..20).for_each(|_| estimates.note(heavy, MS));
        assert_eq!((estimates.slow(heavy), estimates.known.load(Ordering::Relaxed)), (None, 0));
    }
}
