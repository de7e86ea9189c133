//! Large transitions in parts.
use super::push_json_string;

/// Splits the text of a transition into the texts of its `TransitionChunk` messages, each with at most
/// `chunk_bytes` (at least 4) of it, cut between characters. They have to be sent in order with nothing between them.
pub fn split_transition(transition: &str, chunk_bytes: usize) -> Vec<String> {
    let parts = cut(transition, chunk_bytes.max(4));
    let total = parts.len();
    parts
        .into_iter()
        .enumerate()
        .map(|(number, part)| message(part, number, total, transition.len()))
        .collect()
}

fn cut(mut text: &str, part_bytes: usize) -> Vec<&str> {
    let mut parts = Vec::with_capacity(text.len() / part_bytes + 1);
    while text.len() > part_bytes {
        let (part, rest) = text.split_at(text.floor_char_boundary(part_bytes));
        parts.push(part);
        text = rest;
    }
    parts.push(text);
    parts
}

fn message(part: &str, number: usize, total: usize, transition_bytes: usize) -> String {
    let mut out = String::with_capacity(part.len() + part.len() / 8 + 128);
    out.push_str(r#"{"type":"TransitionChunk","chunk":"#);
    push_json_string(&mut out, part);
    let rest =
        format!(r#","partNumber":{number},"totalParts":{total},"transitionId":"{transition_bytes}"}}"#);
    out.push_str(&rest);
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    proptest! {
        #[test]
        fn the_parts_together_are_the_text(text in "[aé€😀\"\\\\]{1,80}", chunk_bytes in 4..40_usize) {
            let chunks = split_transition(&text, chunk_bytes);
            let mut together = String::new();
            for (number, chunk) in chunks.iter().enumerate() {
                let chunk: Value = serde_json::from_str(chunk).expect("JSON");
                prop_assert_eq!(&chunk["type"], "TransitionChunk");
                prop_assert_eq!(&chunk["partNumber"], number);
                prop_assert_eq!(&chunk["totalParts"], chunks.len());
                prop_assert_eq!(&chunk["transitionId"], &text.len().to_string());
                let part = chunk["chunk"].as_str().expect("a string");
                prop_assert!(!part.is_empty() && part.len() <= chunk_bytes);
                together.push_str(part);
            }
            prop_assert_eq!(together, text);
        }
    }
}
