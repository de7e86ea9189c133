//! Which accounts a transfer touches: uniform, or Zipf with exponent alpha.

use std::sync::Arc;

/// A small generator (xorshift64*): the client must cost next to nothing, and the same seed draws the same accounts.
#[derive(Clone)]
pub struct Random(u64);

impl Random {
    /// A generator for one client.
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// A number in `0.0..1.0`.
    pub fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A number in `0..bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        ((self.share() * bound as f64) as usize).min(bound.saturating_sub(1))
    }
}

/// How accounts are drawn.
#[derive(Clone)]
pub struct Draw {
    cumulative: Arc<[f64]>,
}

impl Draw {
    /// Account `k` (from 0) has weight `1 / (k + 1) ^ alpha`; alpha 0 is uniform.
    pub fn zipf(count: usize, alpha: f64) -> Draw {
        let weights = (1..=count).map(|rank| (rank as f64).powf(-alpha));
        let mut total = 0.0;
        let mut cumulative: Vec<f64> = weights
            .map(|weight| {
                total += weight;
                total
            })
            .collect();
        cumulative.iter_mut().for_each(|sum| *sum /= total);
        Draw { cumulative: cumulative.into() }
    }

    /// Two different accounts.
    pub fn pair(&self, random: &mut Random) -> (usize, usize) {
        let from = self.one(random);
        loop {
            let to = self.one(random);
            if to != from {
                return (from, to);
            }
        }
    }

    fn one(&self, random: &mut Random) -> usize {
        let share = random.share();
        self.cumulative.partition_point(|&sum| sum < share).min(self.cumulative.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zipf_prefers_the_first_and_uniform_does_not() {
        let mut random = Random::new(7);
        let mut hits = |draw: &Draw| (0..10_000).filter(|_| draw.pair(&mut random).0 == 0).count();
        assert!(hits(&Draw::zipf(100_000, 1.5)) > 3_000);
        assert!(hits(&Draw::zipf(100_000, 0.0)) < 10);
    }
}
