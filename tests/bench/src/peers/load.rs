//! What a load of a peer gives, and how its times are kept.

use crate::processor::Spent;
use crate::table::quantile;

/// What one load gave.
pub struct Outcome {
    /// Transfers that were answered.
    pub answered: u64,
    /// How often they were tried: more often where a conflict is an error.
    pub tries: u64,
    /// Median time from the request to its answer, in microseconds, all tries together.
    pub median_us: u64,
    /// The 99th percentile of the same.
    pub p99_us: u64,
    /// Its window, and what the server took of it.
    pub spent: Spent,
}

/// Times of transfers.
#[derive(Default)]
pub struct Times {
    /// Of each, in microseconds.
    pub us: Vec<u64>,
    /// Tries of all of them.
    pub tries: u64,
}

impl Times {
    /// Those of another client, too.
    pub fn append(&mut self, mut other: Times) {
        self.us.append(&mut other.us);
        self.tries += other.tries;
    }

    /// What they come to, in this window.
    pub fn outcome(mut self, spent: Spent) -> Outcome {
        Outcome {
            answered: self.us.len() as u64,
            tries: self.tries,
            median_us: quantile(&mut self.us, 0.5),
            p99_us: quantile(&mut self.us, 0.99),
            spent,
        }
    }
}
