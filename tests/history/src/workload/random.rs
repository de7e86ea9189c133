//! A generator of pseudo-random numbers (SplitMix64): the same seed gives the same run of choices.
//!
//! Not here: any randomness of the machine.

/// A stream of numbers.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// The stream that belongs to a purpose, here a few numbers: streams of different purposes have nothing in common.
    #[must_use]
    pub fn of(purpose: &[u64]) -> Random {
        let mut stream = Random(0);
        for part in purpose {
            stream.0 ^= *part;
            stream.0 = stream.bits();
        }
        stream
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, which is not 0.
    pub fn below(&mut self, bound: u32) -> u32 {
        (self.bits() % u64::from(bound)) as u32
    }

    /// True in `percent` of a hundred cases.
    pub fn percent(&mut self, percent: u32) -> bool {
        self.below(100) < percent
    }
}
