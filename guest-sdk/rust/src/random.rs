//! Random numbers of a call: different in each call, and the same again when
//! the same call runs again.

use std::cell::Cell;

/// A generator of random numbers (xoshiro256++, by Blackman and Vigna). It is
/// *not* for secrets: who sees some of its numbers can tell the next.
#[derive(Debug, Clone)]
pub struct Random {
    state: Cell<[u64; 4]>,
}

/// The smallest step of a number below 1 with 53 bits.
const UNIT: f64 = 1.0 / 9_007_199_254_740_992.0;

impl Random {
    /// A generator whose numbers are determined by these 32 bytes.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        let mut state = [0; 4];
        for (word, bytes) in state.iter_mut().zip(seed.as_chunks::<8>().0) {
            *word = u64::from_le_bytes(*bytes);
        }
        if state == [0; 4] {
            // The one state that the generator cannot leave.
            state[0] = 1;
        }
        Self { state: Cell::new(state) }
    }

    /// 64 random bits.
    pub fn next_u64(&self) -> u64 {
        let mut s = self.state.get();
        let result = s[0].wrapping_add(s[3]).rotate_left(23).wrapping_add(s[0]);
        let t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = s[3].rotate_left(45);
        self.state.set(s);
        result
    }

    /// A number of at least 0 and below 1.
    pub fn next_f64(&self) -> f64 {
        (self.next_u64() >> 11) as f64 * UNIT
    }

    /// An integer of at least 0 and below `bound`, all equally likely.
    ///
    /// # Panics
    /// If `bound` is 0.
    pub fn below(&self, bound: u64) -> u64 {
        assert!(bound > 0, "there is no integer below 0");
        // Numbers past the last multiple of the bound would favour the low ones.
        let excess = (u64::MAX % bound + 1) % bound;
        loop {
            let bits = self.next_u64();
            if bits <= u64::MAX - excess {
                return bits % bound;
            }
        }
    }

    /// Fills all of `bytes`.
    pub fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.next_u64().to_le_bytes()[..chunk.len()]);
        }
    }

    /// Puts the items in a random order, all equally likely.
    pub fn shuffle<T>(&self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last as u64 + 1) as usize);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_numbers() {
        let (a, b) = (Random::from_seed([7; 32]), Random::from_seed([7; 32]));
        let other = Random::from_seed([8; 32]);
        let numbers: Vec<u64> = (0..8).map(|_| a.next_u64()).collect();
        assert_eq!(numbers, (0..8).map(|_| b.next_u64()).collect::<Vec<_>>());
        assert_ne!(numbers[0], other.next_u64());
    }

    #[test]
    fn the_numbers_are_those_of_the_algorithm() {
        // The first outputs for the state 1, 2, 3, 4, as its reference gives them.
        let mut seed = [0; 32];
        for word in 0..4 {
            seed[word * 8] = word as u8 + 1;
        }
        let random = Random::from_seed(seed);
        assert_eq!(
            [random.next_u64(), random.next_u64(), random.next_u64()],
            [41_943_041, 58_720_359, 3_588_806_011_781_223]
        );
    }

    #[test]
    fn numbers_stay_in_their_bounds() {
        let random = Random::from_seed([0; 32]);
        let mut seen = [0_u32; 6];
        for _ in 0..6_000 {
            seen[random.below(6) as usize] += 1;
            assert!((0.0..1.0).contains(&random.next_f64()));
        }
        assert!(seen.iter().all(|&count| (800..1_200).contains(&count)), "{seen:?}");
        assert_eq!(random.below(1), 0);
    }

    #[test]
    fn shuffling_keeps_the_items() {
        let random = Random::from_seed([3; 32]);
        let mut items: Vec<u32> = (0..100).collect();
        random.shuffle(&mut items);
        assert_ne!(items, (0..100).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..100).collect::<Vec<_>>());
        let mut bytes = [0; 13];
        random.fill(&mut bytes);
        assert_ne!(bytes, [0; 13]);
    }
}
