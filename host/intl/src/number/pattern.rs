//! Patterns of numbers, as CLDR writes them: `¤#,##0.00;(¤#,##0.00)`.

/// A piece of what stands before or behind a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Affix {
    Text(String),
    Minus,
    Plus,
    Percent,
    Currency,
}

/// A pattern, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern {
    pub(crate) positive: (Vec<Affix>, Vec<Affix>),
    /// Where it has one of its own.
    pub(crate) negative: Option<(Vec<Affix>, Vec<Affix>)>,
    /// Digits of the group that is next to the point, and of the others; 0: there are none.
    pub(crate) groups: (usize, usize),
    /// Zeros before the point; 0: a text without any number.
    pub(crate) whole_digits: usize,
}

impl Pattern {
    pub(crate) fn parse(text: &str) -> Pattern {
        let (positive, negative) = match text.split_once(';') {
            Some((positive, negative)) => (positive, Some(negative)),
            None => (text, None),
        };
        let (prefix, number, suffix) = split(positive);
        let whole = number.split('.').next().unwrap_or_default();
        let mut groups = whole.rsplit(',').map(str::len);
        let first = groups.next().unwrap_or(0);
        let has_groups = whole.contains(',');
        let second = if whole.matches(',').count() > 1 { groups.next().unwrap_or(first) } else { first };
        Pattern {
            positive: (affix(prefix), affix(suffix)),
            negative: negative.map(|negative| {
                let (prefix, _, suffix) = split(negative);
                (affix(prefix), affix(suffix))
            }),
            groups: if has_groups { (first, second) } else { (0, 0) },
            whole_digits: whole.matches('0').count(),
        }
    }
}

/// What stands before the number, the number, and what follows.
fn split(pattern: &str) -> (&str, &str, &str) {
    let mut is_quoted = false;
    let mut bounds = None;
    for (at, c) in pattern.char_indices() {
        match c {
            '\'' => is_quoted = !is_quoted,
            '#' | '0' | ',' | '.' if !is_quoted => {
                let (start, _) = *bounds.get_or_insert((at, at));
                bounds = Some((start, at + 1));
            }
            _ if bounds.is_some() => break,
            _ => {}
        }
    }
    let (start, end) = bounds.unwrap_or((pattern.len(), pattern.len()));
    (&pattern[..start], &pattern[start..end], &pattern[end..])
}

fn affix(text: &str) -> Vec<Affix> {
    let mut pieces = Vec::new();
    let mut is_quoted = false;
    let mut rest = text.chars().peekable();
    let literal = |pieces: &mut Vec<Affix>, c: char| match pieces.last_mut() {
        Some(Affix::Text(text)) => text.push(c),
        _ => pieces.push(Affix::Text(c.to_string())),
    };
    while let Some(c) = rest.next() {
        match c {
            '\'' if rest.peek() == Some(&'\'') => {
                rest.next();
                literal(&mut pieces, '\'');
            }
            '\'' => is_quoted = !is_quoted,
            '-' if !is_quoted => pieces.push(Affix::Minus),
            '+' if !is_quoted => pieces.push(Affix::Plus),
            '%' if !is_quoted => pieces.push(Affix::Percent),
            '¤' if !is_quoted => pieces.push(Affix::Currency),
            _ => literal(&mut pieces, c),
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_taken_apart() {
        let pattern = Pattern::parse("¤ #,##,##0.00;(¤#,##0.00)");
        assert_eq!(pattern.positive, (vec![Affix::Currency, Affix::Text(" ".to_owned())], vec![]));
        assert_eq!(pattern.groups, (3, 2));
        let (prefix, suffix) = pattern.negative.unwrap();
        assert_eq!(prefix, [Affix::Text("(".to_owned()), Affix::Currency]);
        assert_eq!(suffix, [Affix::Text(")".to_owned())]);
        let compact = Pattern::parse("00 Mio'.' ¤");
        assert_eq!(compact.whole_digits, 2);
        assert_eq!(compact.positive.1, [Affix::Text(" Mio. ".to_owned()), Affix::Currency]);
        assert_eq!(Pattern::parse("mille").whole_digits, 0);
        assert_eq!(Pattern::parse("mille").positive.0, [Affix::Text("mille".to_owned())]);
        assert_eq!(Pattern::parse("#E0").groups, (0, 0));
    }
}
