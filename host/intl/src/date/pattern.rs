//! Patterns of dates: letters that stand for fields, and text.

/// A piece of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    /// A letter, and how often it stands there.
    Field(char, usize),
    Text(String),
}

/// A pattern's pieces.
pub(crate) fn tokens(pattern: &str) -> Vec<Token> {
    let mut found: Vec<Token> = Vec::new();
    let mut is_quoted = false;
    let mut rest = pattern.chars().peekable();
    while let Some(c) = rest.next() {
        if c == '\'' {
            if rest.peek() == Some(&'\'') {
                rest.next();
                add_text(&mut found, '\'');
            } else {
                is_quoted = !is_quoted;
            }
        } else if !is_quoted && c.is_ascii_alphabetic() {
            match found.last_mut() {
                Some(Token::Field(letter, length)) if *letter == c => *length += 1,
                _ => found.push(Token::Field(c, 1)),
            }
        } else {
            add_text(&mut found, c);
        }
    }
    found
}

fn add_text(found: &mut Vec<Token>, c: char) {
    match found.last_mut() {
        Some(Token::Text(text)) => text.push(c),
        _ => found.push(Token::Text(c.to_string())),
    }
}

/// Adds text to a pattern, in quotes where it needs them.
pub(crate) fn quote(pattern: &mut String, text: &str) {
    if text.chars().any(|c| c.is_ascii_alphabetic()) {
        pattern.push('\'');
        pattern.push_str(&text.replace('\'', "''"));
        pattern.push('\'');
    } else {
        pattern.push_str(&text.replace('\'', "''"));
    }
}

/// Replaces the letter of hours.
pub(crate) fn with_hours(pattern: &str, to: char) -> String {
    let mut replaced = String::new();
    for token in tokens(pattern) {
        match token {
            Token::Field('h' | 'H' | 'K' | 'k', length) => replaced.extend(std::iter::repeat_n(to, length)),
            Token::Field(letter, length) => replaced.extend(std::iter::repeat_n(letter, length)),
            Token::Text(text) => quote(&mut replaced, &text),
        }
    }
    replaced
}

/// The letter of hours of a pattern, if it has any.
pub(crate) fn hours_of(pattern: &str) -> Option<char> {
    tokens(pattern).into_iter().find_map(|token| match token {
        Token::Field(letter @ ('h' | 'H' | 'K' | 'k'), _) => Some(letter),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_taken_apart_and_put_together() {
        let found = tokens("d 'de' MMMM, h 'o''clock' a''");
        let text = |text: &str| Token::Text(text.to_owned());
        assert_eq!(
            found,
            [
                Token::Field('d', 1),
                text(" de "),
                Token::Field('M', 4),
                text(", "),
                Token::Field('h', 1),
                text(" o'clock "),
                Token::Field('a', 1),
                text("'")
            ]
        );
        assert_eq!(tokens(&with_hours("h 'o''clock' a''", 'K')), tokens("K 'o''clock' a''"));
        assert_eq!(hours_of("d 'h' HH"), Some('H'));
    }
}
