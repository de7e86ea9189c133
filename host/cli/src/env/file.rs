//! Files of variables, as `.env` files are written: `NAME=value` lines, comments, quotes.
//!
//! **Invariant:** no error shows anything of the file but the number of a line.

use std::collections::BTreeMap;

use anyhow::bail;

/// Reads a file. A value may stand in single quotes, as it is; or in double quotes, where `\n`, `\r`, `\t`, `\"`, `\\` and
/// `\$` stand for what they say; either may go over several lines. Without quotes it ends with the line, or before a
/// ` #`. `export` before a name is ignored. Of two lines with one name the later one counts.
///
/// # Errors
/// A line is none of these.
pub fn parse(text: &str) -> anyhow::Result<BTreeMap<String, String>> {
    let mut variables = BTreeMap::new();
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    while !rest.is_empty() {
        let number = text[..text.len() - rest.len()].matches('\n').count() + 1;
        let (line, after) = split_line(rest);
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            rest = after;
            continue;
        }
        let Some((name, _)) = line.split_once('=') else {
            bail!("line {number}: it has no `=`; write NAME=value");
        };
        let name = name.trim();
        let name = name.strip_prefix("export ").unwrap_or(name).trim();
        let value = rest.split_once('=').map_or("", |(_, value)| value).trim_start_matches([' ', '\t']);
        let (value, after) = read_value(value, number)?;
        variables.insert(name.to_owned(), value);
        rest = after;
    }
    Ok(variables)
}

/// A line of such a file.
pub fn line(name: &str, value: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./:@%+,=".contains(c);
    if value.chars().all(is_plain) {
        return format!("{name}={value}");
    }
    let mut line = format!("{name}=\"");
    for c in value.chars() {
        match c {
            '\n' => line.push_str("\\n"),
            '\r' => line.push_str("\\r"),
            '\t' => line.push_str("\\t"),
            '"' | '\\' | '$' => line.extend(['\\', c]),
            c => line.push(c),
        }
    }
    line.push('"');
    line
}

fn split_line(text: &str) -> (&str, &str) {
    text.split_once('\n').unwrap_or((text, ""))
}

/// A value, and what comes after its line.
fn read_value(text: &str, number: usize) -> anyhow::Result<(String, &str)> {
    let (value, after) = match text.chars().next() {
        Some('\'') => match text[1..].split_once('\'') {
            Some((value, after)) => (value.to_owned(), after),
            None => bail!("line {number}: its quote `'` does not end"),
        },
        Some('"') => read_quoted(&text[1..], number)?,
        _ => {
            let (line, after) = split_line(text);
            let comment =
                line.match_indices('#').find(|(at, _)| *at == 0 || line[..*at].ends_with([' ', '\t']));
            let value = comment.map_or(line, |(at, _)| &line[..at]);
            return Ok((value.trim().to_owned(), after));
        }
    };
    let (behind, after) = split_line(after);
    match behind.trim() {
        "" => Ok((value, after)),
        behind if behind.starts_with('#') => Ok((value, after)),
        _ => bail!("line {number}: something stands behind the quotes of its value"),
    }
}

fn read_quoted(text: &str, number: usize) -> anyhow::Result<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Ok((value, &text[at + 1..])),
            '\\' => match chars.next() {
                Some((_, 'n')) => value.push('\n'),
                Some((_, 'r')) => value.push('\r'),
                Some((_, 't')) => value.push('\t'),
                Some((_, c @ ('"' | '\\' | '$'))) => value.push(c),
                // As other readers of such files do.
                Some((_, c)) => value.extend(['\\', c]),
                None => break,
            },
            c => value.push(c),
        }
    }
    bail!("line {number}: its quote `\"` does not end")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_as_others_read_them() {
        let text = concat!(
            "\u{feff}# a comment\n",
            "\n",
            "PLAIN=value\r\n",
            "  SPACED =  two words   # a comment\n",
            "HASH=a#b\n",
            "EMPTY=\n",
            "export EXPORTED=yes\n",
            "SINGLE='it is \\n \"so\"' # a comment\n",
            "DOUBLE=\"a\\nb \\\"c\\\" \\\\ \\$ \\d é\"\n",
            "LINES=\"first\n",
            "second\"\n",
            "EQUALS=a=b=c\n",
            "TWICE=1\n",
            "TWICE=2",
        );
        let expected = [
            ("PLAIN", "value"),
            ("SPACED", "two words"),
            ("HASH", "a#b"),
            ("EMPTY", ""),
            ("EXPORTED", "yes"),
            ("SINGLE", "it is \\n \"so\""),
            ("DOUBLE", "a\nb \"c\" \\ $ \\d é"),
            ("LINES", "first\nsecond"),
            ("EQUALS", "a=b=c"),
            ("TWICE", "2"),
        ];
        let expected: BTreeMap<_, _> =
            expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter().collect();
        assert_eq!(parse(text).unwrap(), expected);
    }

    #[test]
    fn what_is_wrong_is_told_by_its_line_alone() {
        let cases = [
            ("A=1\nhidden\n", "line 2: it has no `=`"),
            ("A=\"1\n\n2\"\nB='hidden\n", "line 4: its quote `'` does not end"),
            ("A=\"hidden\\", "line 1: its quote"),
            ("A='1' hidden", "line 1: something stands behind"),
        ];
        for (text, expected) in cases {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(expected) && !error.contains("hidden"), "{error}");
        }
    }

    #[test]
    fn what_is_printed_is_read_again() {
        for value in ["", "plain", "two words", "a\nb\r\n\t", "\"'\\$`#=", "#", " edge ", "é\u{0}", "a\\nb"]
        {
            let text = format!("{}\n", line("NAME", value));
            assert_eq!(parse(&text).unwrap()["NAME"], value, "{text}");
        }
    }
}
