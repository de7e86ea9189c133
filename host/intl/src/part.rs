//! Pieces of a formatted text, each with the type that ECMA-402 gives it.
use serde::Serialize;

/// One piece.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Part {
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    #[serde(rename = "value")]
    pub(crate) text: String,
}

pub(crate) const LITERAL: &str = "literal";

impl Part {
    pub(crate) fn new(kind: &'static str, text: impl Into<String>) -> Part {
        Part { kind, text: text.into() }
    }
}

/// Adds a piece; nothing for no text, and one for literals that follow each other.
pub(crate) fn push(parts: &mut Vec<Part>, kind: &'static str, text: &str) {
    match parts.last_mut() {
        _ if text.is_empty() => {}
        Some(last) if kind == LITERAL && last.kind == LITERAL => last.text.push_str(text),
        _ => parts.push(Part::new(kind, text)),
    }
}

/// The whole text.
pub(crate) fn text(parts: &[Part]) -> String {
    parts.iter().map(|part| part.text.as_str()).collect()
}

/// Space and marks of writing direction at a piece's ends are literals, as ICU has it.
pub(crate) fn trim(parts: Vec<Part>) -> Vec<Part> {
    let mut trimmed = Vec::with_capacity(parts.len());
    for part in parts {
        if part.kind == LITERAL || part.kind == "group" {
            push(&mut trimmed, part.kind, &part.text);
            continue;
        }
        let rest = part.text.trim_start_matches(is_ignorable);
        let core = rest.trim_end_matches(is_ignorable);
        push(&mut trimmed, LITERAL, &part.text[..part.text.len() - rest.len()]);
        push(&mut trimmed, part.kind, core);
        push(&mut trimmed, LITERAL, &rest[core.len()..]);
    }
    trimmed
}

fn is_ignorable(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\u{a0}' | '\u{202f}' | '\u{2000}'..='\u{200a}' | '\u{3000}')
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Fills `{0}` and so on of a pattern with pieces; what stands between is literal.
pub(crate) fn fill(pattern: &str, arguments: &[&[Part]]) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut rest = pattern;
    while let Some((before, number, after)) = placeholder(rest) {
        push(&mut parts, LITERAL, before);
        for part in arguments.get(number).copied().unwrap_or_default() {
            push(&mut parts, part.kind, &part.text);
        }
        rest = after;
    }
    push(&mut parts, LITERAL, rest);
    parts
}

/// A pattern's text before its first placeholder, the placeholder's number, and what follows.
pub(crate) fn placeholder(pattern: &str) -> Option<(&str, usize, &str)> {
    let at = pattern.find('{')?;
    let number = pattern.as_bytes().get(at + 1).filter(|byte| byte.is_ascii_digit())?;
    let after = pattern.get(at + 3..).filter(|_| pattern.as_bytes()[at + 2] == b'}')?;
    Some((&pattern[..at], usize::from(number - b'0'), after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_filled_and_ends_are_trimmed() {
        let number = [Part::new("integer", "5")];
        let filled = fill("~{0} m", &[&number]);
        assert_eq!(filled.iter().map(|part| part.kind).collect::<Vec<_>>(), [LITERAL, "integer", LITERAL]);
        assert_eq!(text(&filled), "~5 m");
        let trimmed = trim(vec![Part::new(LITERAL, "a"), Part::new("minusSign", "\u{200e}-")]);
        assert_eq!(trimmed, [Part::new(LITERAL, "a\u{200e}"), Part::new("minusSign", "-")]);
    }
}
