//! Inputs out of those that are there: some changes at random places, most of them small.

use crate::chance::Chance;

/// Numbers at which something ends.
const EDGES: [&str; 14] = [
    "0",
    "-0",
    "-1",
    "1",
    "127",
    "128",
    "255",
    "256",
    "65536",
    "2147483648",
    "4294967295",
    "9007199254740993",
    "18446744073709551616",
    "1e309",
];

/// What of an input is repeated at most, in bytes: enough to be nested deeper than anything may be.
const REPEATED_BYTES_MAX: usize = 8 * 1024;

/// What inputs are made of.
pub(crate) struct Mutator<'a> {
    /// What there is.
    pub(crate) corpus: &'a [Vec<u8>],
    /// What stands in inputs more often than by chance.
    pub(crate) dictionary: &'a [&'a str],
    /// How long an input may be.
    pub(crate) bytes_max: usize,
}

impl Mutator<'_> {
    /// Another input.
    pub(crate) fn next(&self, chance: &mut Chance) -> Vec<u8> {
        let mut input = self.entry(chance).to_vec();
        for _ in 0..=chance.below(6) {
            self.change(&mut input, chance);
        }
        input.truncate(self.bytes_max);
        input
    }

    fn entry(&self, chance: &mut Chance) -> &[u8] {
        match chance.below(64) {
            0 => &[],
            _ => self.corpus.get(chance.below(self.corpus.len())).map_or(&[], Vec::as_slice),
        }
    }

    fn change(&self, input: &mut Vec<u8>, chance: &mut Chance) {
        let at = chance.below(input.len() + 1);
        match chance.below(12) {
            0 => flip(input, at, chance),
            1 => {
                let count = chance.below(8);
                insert(input, at, &(0..count).map(|_| chance.byte()).collect::<Vec<u8>>());
            }
            2 | 3 => self.insert_word(input, at, chance),
            4 => self.replace_by_word(input, chance),
            5 => drop(input.drain(chance.range(input.len()))),
            6 => {
                let part = input[chance.range(input.len())].to_vec();
                insert(input, at, &part);
            }
            7 => repeat(input, at, chance),
            8 => replace_number(input, at, chance),
            9 => {
                let other = self.entry(chance);
                let part = &other[chance.range(other.len())];
                insert(input, at, part);
            }
            10 => self.cross(input, at, chance),
            _ => swap_lines(input, chance),
        }
    }

    fn insert_word(&self, input: &mut Vec<u8>, at: usize, chance: &mut Chance) {
        insert(input, at, self.word(chance).as_bytes());
    }

    fn replace_by_word(&self, input: &mut Vec<u8>, chance: &mut Chance) {
        let word = self.word(chance);
        let range = chance.range(input.len());
        input.splice(range, word.bytes());
    }

    fn word(&self, chance: &mut Chance) -> &str {
        if self.dictionary.is_empty() { chance.pick(&EDGES) } else { chance.pick(self.dictionary) }
    }

    /// The beginning of one, and the end of another.
    fn cross(&self, input: &mut Vec<u8>, at: usize, chance: &mut Chance) {
        let other = self.entry(chance);
        input.truncate(at);
        input.extend_from_slice(&other[chance.below(other.len() + 1)..]);
    }
}

fn flip(input: &mut [u8], at: usize, chance: &mut Chance) {
    if let Some(byte) = input.get_mut(at) {
        *byte ^= 1 << chance.below(8);
    }
}

fn insert(input: &mut Vec<u8>, at: usize, part: &[u8]) {
    input.splice(at..at, part.iter().copied());
}

/// A few bytes, again and again: depth, where they open something.
fn repeat(input: &mut Vec<u8>, at: usize, chance: &mut Chance) {
    let end = (at + 1 + chance.below(8)).min(input.len());
    let part = input[at..end].to_vec();
    let bound = if chance.below(4) == 0 { REPEATED_BYTES_MAX } else { 64 };
    let times = chance.below(bound / part.len().max(1));
    insert(input, at, &part.repeat(times));
}

/// A number that stands there, or behind there, becomes one at an edge.
fn replace_number(input: &mut Vec<u8>, at: usize, chance: &mut Chance) {
    let is_digit = |byte: &u8| byte.is_ascii_digit();
    let Some(start) = input[at..].iter().position(is_digit).map(|offset| at + offset) else { return };
    let end = input[start..].iter().position(|byte| !is_digit(byte)).map_or(input.len(), |len| start + len);
    input.splice(start..end, chance.pick(&EDGES).bytes());
}

/// Two lines change places, where an input is a script of several.
fn swap_lines(input: &mut Vec<u8>, chance: &mut Chance) {
    let mut lines: Vec<&[u8]> = input.split(|byte| *byte == b'\n').collect();
    let (one, other) = (chance.below(lines.len()), chance.below(lines.len()));
    lines.swap(one, other);
    *input = lines.join(&b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_seeds_give_equal_inputs_and_others_others() {
        let corpus = [b"first 12\nsecond".to_vec(), br#"{"a":[1]}"#.to_vec()];
        let mutator = Mutator { corpus: &corpus, dictionary: &["word", "{"], bytes_max: 4096 };
        let inputs = |seed: u64| -> Vec<Vec<u8>> {
            let mut chance = Chance::new(seed);
            (0..500).map(|_| mutator.next(&mut chance)).collect()
        };
        assert_eq!(inputs(1), inputs(1));
        assert_ne!(inputs(1), inputs(2));
        let made = inputs(1);
        let distinct: std::collections::BTreeSet<_> = made.iter().collect();
        assert!(distinct.len() > 450 && made.iter().all(|input| input.len() <= 4096), "{}", distinct.len());
        assert!(made.iter().any(|input| input.len() > 1000), "something is repeated often");
    }
}
