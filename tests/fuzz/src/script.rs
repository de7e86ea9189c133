//! Inputs that are scripts: lines of text, of which the first word says what happens.

/// The lines of an input, so many at most: word, and the rest. What is no UTF-8 is replaced.
pub(crate) fn lines(input: &[u8], lines_max: usize) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(input);
    let lines = text.lines().take(lines_max).map(|line| {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        (word.to_owned(), rest.to_owned())
    });
    lines.collect()
}

/// A number out of a word, whatever it is: its digits, or else its bytes.
pub(crate) fn number(word: &str) -> usize {
    let digits: String = word.chars().filter(char::is_ascii_digit).take(9).collect();
    digits.parse().unwrap_or_else(|_| word.bytes().map(usize::from).sum())
}
