//! A run's only source of chance.
//!
//! Not here: the bytes that the host itself draws, which come from its environment and from the same seed.

/// SplitMix64 (Steele, Lea, Flood 2014): equal seeds give equal draws.
#[derive(Debug, Clone)]
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Chance {
        Chance(seed)
    }

    pub(crate) fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let word = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    /// From zero up to, and without, `bound`.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.word() % bound.max(1)
    }

    /// A place in something of this length.
    pub(crate) fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).expect("less than a usize")
    }

    pub(crate) fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub(crate) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.index(choices.len())]
    }

    /// A place in `weights`, each as likely as its weight says. `None`: all are zero.
    pub(crate) fn weighted(&mut self, weights: &[u32]) -> Option<usize> {
        let total: u64 = weights.iter().map(|weight| u64::from(*weight)).sum();
        if total == 0 {
            return None;
        }
        let mut left = self.below(total);
        weights.iter().position(|weight| match left.checked_sub(u64::from(*weight)) {
            None => true,
            Some(rest) => {
                left = rest;
                false
            }
        })
    }

    /// A bound that is small most of the time, and sometimes large.
    pub(crate) fn mostly_small(&mut self, small: u64, large: u64) -> u64 {
        let bound = if self.percent(90) { small } else { large };
        self.below(bound + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_follow_the_weights() {
        let mut chance = Chance::new(1);
        let mut drawn = [0; 3];
        for _ in 0..4_000 {
            drawn[chance.weighted(&[3, 0, 1]).unwrap()] += 1;
        }
        assert!(drawn[1] == 0 && (900..1_100).contains(&drawn[2]), "{drawn:?}");
        assert_eq!(chance.weighted(&[0, 0]), None);
    }
}
