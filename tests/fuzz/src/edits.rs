//! Changes of bytes that are not text, written as text: a line an edit, so that an input can be read and a mutated
//! line is another edit.
//!
//! | line | what it does |
//! |---|---|
//! | `flip AT BIT` | turns one bit over |
//! | `set AT BYTE` | writes one byte |
//! | `zero AT LENGTH` | writes zeros |
//! | `cut AT` | takes away all from there on |
//! | `drop AT LENGTH` | takes a part away |
//! | `insert AT TEXT` | puts a text there |
//! | `copy FROM TO LENGTH` | writes a part over another one |
//!
//! Places count from the start and wrap around at the end, so that every number is one.

/// Carries an edit out. False: the line is none.
pub(crate) fn apply(bytes: &mut Vec<u8>, line: &str) -> bool {
    let mut words = line.splitn(3, ' ');
    let name = words.next().unwrap_or_default();
    let at = number(words.next()) % (bytes.len() + 1);
    let rest = words.next().unwrap_or_default();
    let within = |at: usize, length: usize| at..at.saturating_add(length).min(bytes.len());
    match name {
        "flip" => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << (number(Some(rest)) % 8)),
        "set" => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte = number(Some(rest)) as u8),
        "zero" => {
            let range = within(at, number(Some(rest)));
            bytes[range].fill(0);
        }
        "cut" => bytes.truncate(at),
        "drop" => drop(bytes.drain(within(at, number(Some(rest))))),
        "insert" => drop(bytes.splice(at..at, rest.bytes())),
        "copy" => {
            let (to, length) = rest.split_once(' ').unwrap_or((rest, "1"));
            let from = within(at, number(Some(length)));
            let to = number(Some(to)) % (bytes.len() + 1);
            let length = from.len().min(bytes.len() - to);
            bytes.copy_within(from.start..from.start + length, to);
        }
        _ => return false,
    }
    true
}

/// A number as far as the word is one; zero, if it is none.
fn number(word: Option<&str>) -> usize {
    word.and_then(|word| word.trim().parse().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_edit_does_what_it_says() {
        let cases = [
            ("flip 1 0", "accdef"),
            ("set 0 122", "zbcdef"),
            ("zero 4 9", "abcd\0\0"),
            ("cut 2", "ab"),
            ("drop 1 2", "adef"),
            ("drop 5 18446744073709551615", "abcde"),
            ("insert 3 x y", "abcx ydef"),
            ("copy 0 4 3", "abcdab"),
            ("flip 8 0", "accdef"),
        ];
        for (line, expected) in cases {
            let mut bytes = b"abcdef".to_vec();
            assert!(apply(&mut bytes, line), "{line}");
            assert_eq!(String::from_utf8_lossy(&bytes), expected, "{line}");
        }
        assert!(!apply(&mut Vec::new(), "nothing 1 2"));
        ["flip 1 2", "set 1 2", "zero 1 2", "cut 3", "drop 1 2", "copy 1 2 3"].iter().for_each(|line| {
            assert!(apply(&mut Vec::new(), line), "{line} of nothing");
        });
    }
}
