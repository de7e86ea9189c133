//! The plain characters of a string: those that JSON has without an escape.

/// How many bytes a text begins with that are plain.
pub(super) fn plain_len(text: &[u8]) -> usize {
    let (words, _) = text.as_chunks::<8>();
    for (number, word) in words.iter().enumerate() {
        if let Some(at) = first_special(*word) {
            return number * 8 + at;
        }
    }
    let passed = words.len() * 8;
    let special = text[passed..].iter().position(|&byte| is_special(byte));
    special.map_or(text.len(), |at| passed + at)
}

/// Whether it ends the plain characters of a string.
fn is_special(byte: u8) -> bool {
    byte == b'"' || byte == b'\\' || byte < 0x20
}

/// Where the first of eight bytes stands that ends the plain characters of a string. All of them at once: subtracting
/// from each byte borrows into its highest bit if it is too small, and from the bytes behind it, which do not count then.
fn first_special(word: [u8; 8]) -> Option<usize> {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGHEST: u64 = ONES << 7;
    let word = u64::from_le_bytes(word);
    let below = |word: u64, bound: u8| word.wrapping_sub(ONES * u64::from(bound)) & !word;
    let equals = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    let found = (below(word, 0x20) | equals(b'"') | equals(b'\\')) & HIGHEST;
    (found != 0).then(|| found.trailing_zeros() as usize / 8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_special_of_eight_bytes_is_that_of_one_after_the_other() {
        let bytes = [0, 1, 0x1f, 0x20, 0x21, b'"', b'#', b'[', b'\\', b']', 0x7f, 0x80, 0xa2, 0xdc, 0xff];
        let mut number = 1_u32;
        for _ in 0..200_000 {
            let word = std::array::from_fn(|_| {
                number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                match number >> 30 {
                    0 => bytes[(number >> 16) as usize % bytes.len()],
                    _ => b'a',
                }
            });
            assert_eq!(first_special(word), word.iter().position(|&byte| is_special(byte)), "{word:?}");
        }
    }
}
