//! `Intl.Segmenter`: where characters, words and sentences begin.
use icu_segmenter::options::{SentenceBreakInvariantOptions, WordBreakInvariantOptions};
use icu_segmenter::{GraphemeClusterSegmenter, SentenceSegmenter, WordSegmenter};

use crate::error::{Result, range};

/// The ends of a text's segments, in units of UTF-16; of words, those that are none are negative.
pub(crate) fn segments(granularity: &str, text: &str) -> Result<Vec<i64>> {
    let units = |from: usize, to: usize| text[from..to].encode_utf16().count() as i64;
    let mut ends = Vec::new();
    let mut last = 0;
    let mut total = 0;
    let mut add = |at: usize| {
        if at == last {
            return;
        }
        // Of Chinese and Japanese ICU4X does not say what is a word.
        let is_word = granularity != "word" || text[last..at].chars().any(char::is_alphanumeric);
        total += units(last, at);
        last = at;
        ends.push(if is_word { total } else { -total });
    };
    match granularity {
        "grapheme" => GraphemeClusterSegmenter::new().segment_str(text).for_each(&mut add),
        "word" => WordSegmenter::new_dictionary(WordBreakInvariantOptions::default())
            .segment_str(text)
            .for_each(&mut add),
        "sentence" => SentenceSegmenter::new(SentenceBreakInvariantOptions::default())
            .segment_str(text)
            .for_each(&mut add),
        _ => return range(format!("there are no segments of the granularity {granularity}")),
    }
    Ok(ends)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut() {
        assert_eq!(segments("grapheme", "e\u{301}👨‍👩‍👧x").unwrap(), [2, 10, 11]);
        assert_eq!(segments("word", "Hi, you").unwrap(), [2, -3, -4, 7]);
        assert_eq!(segments("sentence", "A b. C d.").unwrap(), [5, 9]);
        assert_eq!(segments("word", "").unwrap(), [0_i64; 0]);
        assert!(segments("line", "x").is_err());
    }
}
