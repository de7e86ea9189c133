//! The commits of a workload: each is known from a seed and its number, and so is the state after it.
//!
//! Every commit sets the same key to its number; a folder's content tells how far it got. Not here: who
//! commits them.

use std::collections::BTreeMap;

use bytes::Bytes;
use weir_fault_model::Random;
use weir_store::Write;

/// All keys lie below this.
pub const END: &[u8] = &[0xff; 4];
/// Holds the number of the newest commit.
const COUNT_KEY: &[u8] = b"count";
const KEYS: usize = 40;
/// Values repeat so many random bytes. No multiple of a sector or a page: no two of those in a value are equal.
const BLOCK_BYTES: usize = 1021;

/// Rows by key.
pub type Rows = BTreeMap<Bytes, Bytes>;

/// A commit that was answered: durable before anyone heard of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Answer {
    /// Its number, from one.
    pub number: u64,
    /// Its timestamp, in nanoseconds.
    pub ts: u64,
}

/// How large values are. The command lines of programs have the same words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sizes {
    /// Up to some ten bytes: for folders of which every byte is looked at.
    Tiny,
    /// Up to some KiB: for runs of which there are many.
    Small,
    /// Most of them small, a few up to 300 KB.
    Mixed,
    /// A single value of 4 MB in each commit.
    Large,
}

impl Sizes {
    const WORDS: [(&'static str, Sizes); 4] =
        [("tiny", Sizes::Tiny), ("small", Sizes::Small), ("mixed", Sizes::Mixed), ("large", Sizes::Large)];

    /// As a word.
    pub fn to_word(self) -> &'static str {
        Sizes::WORDS.iter().find(|(_, sizes)| *sizes == self).map_or("", |(word, _)| word)
    }

    /// Reads the word back.
    pub fn from_word(word: &str) -> Option<Sizes> {
        Sizes::WORDS.iter().find(|(of, _)| *of == word).map(|(_, sizes)| *sizes)
    }
}

/// Commits from a seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct History {
    /// Equal seeds give equal commits.
    pub seed: u64,
    /// How large values are.
    pub sizes: Sizes,
}

impl History {
    /// As arguments of a program.
    pub fn to_arguments(self) -> [String; 2] {
        [self.seed.to_string(), self.sizes.to_word().to_owned()]
    }

    /// Reads them back.
    ///
    /// # Errors
    /// What cannot be read.
    pub fn from_arguments(seed: &str, sizes: &str) -> Result<History, String> {
        let seed = seed.parse().map_err(|_| format!("the seed {seed:?} is not a number"))?;
        let sizes = Sizes::from_word(sizes).ok_or_else(|| format!("{sizes:?} is not a size of values"))?;
        Ok(History { seed, sizes })
    }

    /// The writes of commit `number`.
    pub fn writes(&self, number: u64) -> Vec<Write> {
        let mut random = Random::new(self.seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut writes = Vec::new();
        let keys = if self.sizes == Sizes::Large { 1 } else { 1 + random.below(4) };
        for _ in 0..keys {
            let key = Bytes::from(format!("key-{:02}", random.below(KEYS)));
            let value = if random.chance(20) { None } else { Some(self.value(&mut random)) };
            writes.push(Write { key, value });
        }
        let count = Bytes::copy_from_slice(&number.to_be_bytes());
        writes.push(Write { key: Bytes::from_static(COUNT_KEY), value: Some(count) });
        writes
    }

    /// The state after commit `number`.
    pub fn state_after(&self, number: u64) -> Rows {
        let mut rows = Rows::new();
        for write in (1..=number).flat_map(|number| self.writes(number)) {
            match write.value {
                Some(value) => rows.insert(write.key, value),
                None => rows.remove(&write.key),
            };
        }
        rows
    }

    fn value(&self, random: &mut Random) -> Bytes {
        let len = match (self.sizes, random.below(100)) {
            (Sizes::Large, _) => 4_000_000,
            (Sizes::Tiny, _) => random.below(40),
            (_, 0..70) => random.below(200),
            (_, 70..92) => 1000 + random.below(6000),
            (Sizes::Small, _) => random.below(9000),
            (Sizes::Mixed, 92..98) => 20_000 + random.below(40_000),
            (Sizes::Mixed, _) => 100_000 + random.below(200_000),
        };
        let words = std::iter::repeat_with(|| random.word().to_le_bytes());
        let block: Vec<u8> = words.flatten().take(len.min(BLOCK_BYTES)).collect();
        let mut value = block.repeat(len.div_ceil(BLOCK_BYTES));
        value.truncate(len);
        Bytes::from(value)
    }
}

/// How far the commits got that a state shows; zero when it is empty.
pub fn count(rows: &Rows) -> Option<u64> {
    match rows.get(COUNT_KEY) {
        Some(count) => Some(u64::from_be_bytes(count[..].try_into().ok()?)),
        None => rows.is_empty().then_some(0),
    }
}

/// The first difference between what was found and what should be there, in words.
pub fn difference(found: &Rows, expected: &Rows) -> Option<String> {
    for key in found.keys().chain(expected.keys()) {
        let name = String::from_utf8_lossy(key);
        match (found.get(key), expected.get(key)) {
            (Some(found), Some(expected)) if found == expected => {}
            (Some(found), Some(expected)) => {
                return Some(format!(
                    "{name} has a wrong value of {} bytes, not its own of {}",
                    found.len(),
                    expected.len()
                ));
            }
            (None, _) => return Some(format!("{name} is missing")),
            (_, None) => return Some(format!("{name} is there and should not be")),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_tells_its_commit() {
        let history = History { seed: 1, sizes: Sizes::Small };
        for number in [0, 1, 30] {
            assert_eq!(count(&history.state_after(number)), Some(number));
        }
        assert_ne!(history.state_after(30), History { seed: 2, ..history }.state_after(30));
    }

    #[test]
    fn histories_pass_through_arguments() {
        for (_, sizes) in Sizes::WORDS {
            let history = History { seed: 7, sizes };
            let [seed, sizes] = history.to_arguments();
            assert_eq!(History::from_arguments(&seed, &sizes), Ok(history));
        }
        assert!(History::from_arguments("7", "huge").unwrap_err().contains("huge"));
    }

    #[test]
    fn mixed_values_are_small_and_large() {
        let history = History { seed: 1, sizes: Sizes::Mixed };
        let sizes: Vec<usize> =
            (1..=200).flat_map(|n| history.writes(n)).filter_map(|write| Some(write.value?.len())).collect();
        assert!(sizes.iter().any(|size| *size < 50) && sizes.iter().any(|size| *size > 200_000));
        let deletions = (1..=200).flat_map(|n| history.writes(n)).filter(|write| write.value.is_none());
        assert!(deletions.count() > 20);
    }

    #[test]
    fn differences_are_named() {
        let row = |value: &'static str| Rows::from([(Bytes::from("k"), Bytes::from(value))]);
        assert_eq!(difference(&row("a"), &row("a")), None);
        assert!(difference(&row("a"), &row("b")).unwrap().contains("wrong value"));
        assert_eq!(difference(&Rows::new(), &row("b")).unwrap(), "k is missing");
        assert!(difference(&row("a"), &Rows::new()).unwrap().contains("should not"));
    }
}
