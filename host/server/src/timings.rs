//! How long things take, as histograms: calls by function, waits for a thread, syncs, commits, pushes.
//!
//! What a histogram costs is paid where something ends: a lock that nobody else holds for long, and a few comparisons. Those
//! of functions are made when they are deployed, and there is a bound on them, so that no caller makes a new one.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::RwLock;
use prometheus_client::metrics::histogram::Histogram;
use weir_db::{FunctionInfo, RunObserver};
use weir_value::{FunctionPath, limits};

/// Where the buckets end, in seconds.
const BUCKETS: [f64; 16] =
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0];

/// The histogram of a kind of time.
#[derive(Debug, Clone)]
pub struct Times(Histogram);

impl Default for Times {
    fn default() -> Times {
        Times(Histogram::new(BUCKETS))
    }
}

impl Times {
    /// One more.
    pub fn note(&self, took: Duration) {
        self.0.observe(took.as_secs_f64());
    }

    /// For who shows it: the same histogram.
    pub fn histogram(&self) -> Histogram {
        self.0.clone()
    }
}

/// How long functions take.
#[derive(Debug, Clone, Default)]
pub struct RunTimes(Arc<RwLock<Arc<ByFunction>>>);

#[derive(Debug, Default)]
struct ByFunction {
    functions: HashMap<FunctionPath, Times>,
    /// Those that are one too many, and the host's own.
    other: Times,
}

impl RunTimes {
    /// These functions are in force. Those that were before keep what they have.
    pub fn deployed(&self, functions: &[Arc<FunctionInfo>]) {
        let mut known = self.0.write();
        let kept = functions.iter().take(limits::METRICS_FUNCTIONS_MAX).map(|info| {
            let times = known.functions.get(&info.path).cloned();
            (info.path.clone(), times.unwrap_or_default())
        });
        *known = Arc::new(ByFunction { functions: kept.collect(), other: known.other.clone() });
    }

    /// Each function's path with its times, in the order of the paths; the rest together at last, as `other`.
    pub fn all(&self) -> Vec<(String, Times)> {
        let known = Arc::clone(&self.0.read());
        let mut all: Vec<_> =
            known.functions.iter().map(|(path, times)| (path.to_string(), times.clone())).collect();
        all.sort_by(|(one, _), (other, _)| one.cmp(other));
        all.push(("other".to_owned(), known.other.clone()));
        all
    }
}

impl RunObserver for RunTimes {
    fn run_ended(&self, path: &FunctionPath, took: Duration) {
        let known = Arc::clone(&self.0.read());
        known.functions.get(path).unwrap_or(&known.other).note(took);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_db::FunctionKind;
    use weir_db::native::open_info;

    #[test]
    fn only_what_is_deployed_has_a_histogram_and_not_too_many() {
        let path = |number: usize| FunctionPath::parse(&format!("m:f{number:04}")).unwrap();
        let info = |number| Arc::new(open_info(&format!("m:f{number:04}"), FunctionKind::Query));
        let times = RunTimes::default();
        times.run_ended(&path(1), Duration::from_millis(3));
        assert_eq!(times.all().len(), 1, "nobody makes one by calling");
        times.deployed(&[info(1), info(2)]);
        times.run_ended(&path(1), Duration::from_millis(3));
        let first = times.0.read().functions[&path(1)].histogram();
        let many: Vec<_> = (0..limits::METRICS_FUNCTIONS_MAX + 50).map(info).collect();
        times.deployed(&many);
        assert_eq!(times.all().len(), limits::METRICS_FUNCTIONS_MAX + 1);
        let shown = |histogram: &Histogram| format!("{histogram:?}");
        let again = times.0.read().functions[&path(1)].histogram();
        assert_eq!(shown(&again), shown(&first), "it keeps what it has");
    }
}
