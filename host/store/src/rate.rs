//! How fast something goes on the average, lately.
//!
//! Not here: what is done about it.

use std::time::Duration;

/// The newest span counts an eighth.
const WEIGHT: f64 = 1.0 / 8.0;

/// Bytes a second, over spans of different lengths. Bytes and time are averaged apart: of the rates of quick
/// and slow spans the average would say that all of them are quick.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rate {
    bytes: f64,
    seconds: f64,
}

impl Rate {
    /// What is assumed before anything was measured, as one span of that many bytes.
    pub(crate) fn assumed(bytes_per_second: f64, bytes: f64) -> Rate {
        Rate { bytes, seconds: bytes / bytes_per_second }
    }

    /// A span in which so much was done, perhaps nothing.
    pub(crate) fn note(&mut self, bytes: u64, time: Duration) {
        self.bytes += (bytes as f64 - self.bytes) * WEIGHT;
        self.seconds += (time.as_secs_f64() - self.seconds) * WEIGHT;
    }

    pub(crate) fn bytes_per_second(&self) -> f64 {
        self.bytes / self.seconds.max(1e-9)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_spans_count_by_their_time() {
        let mut rate = Rate::assumed(1000.0, 100.0);
        assert!((rate.bytes_per_second() - 1000.0).abs() < 0.01);
        for _ in 0..100 {
            rate.note(100, Duration::from_millis(1));
            rate.note(0, Duration::from_millis(99));
        }
        // 100 bytes in each tenth of a second.
        let found = rate.bytes_per_second();
        assert!((700.0..1300.0).contains(&found), "{found}");
    }
}
