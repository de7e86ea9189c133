//! The text that is read, and its tokens.

use std::borrow::Cow;

use super::JsonError;
use super::plain::plain_len;

/// A position in a JSON text.
pub(super) struct Input<'de> {
    text: &'de str,
    at: usize,
}

impl<'de> Input<'de> {
    pub(super) fn new(text: &'de str) -> Self {
        Self { text, at: 0 }
    }

    pub(super) fn error(&self, expected: &str) -> JsonError {
        JsonError::new(format!("expected {expected} at byte {}", self.at))
    }

    /// The next byte that is no white space, without taking it; 0 at the end.
    pub(super) fn peek(&mut self) -> u8 {
        let bytes = self.text.as_bytes();
        while let Some(&byte) = bytes.get(self.at) {
            if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return byte;
            }
            self.at += 1;
        }
        0
    }

    /// Takes the next byte if it is this one.
    pub(super) fn take(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == byte;
        self.at += usize::from(is_next);
        is_next
    }

    pub(super) fn expect(&mut self, byte: u8, name: &str) -> Result<(), JsonError> {
        if self.take(byte) { Ok(()) } else { Err(self.error(name)) }
    }

    pub(super) fn expect_word(&mut self, word: &str) -> Result<(), JsonError> {
        self.peek();
        match self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
            true => {
                self.at += word.len();
                Ok(())
            }
            false => Err(self.error("a JSON value")),
        }
    }

    pub(super) fn is_at_end(&mut self) -> bool {
        self.peek();
        self.at == self.text.len()
    }

    /// Whether an object begins here whose first key starts with `$`: one of
    /// the encodings. Takes nothing.
    pub(super) fn is_encoding(&mut self) -> bool {
        let start = self.at;
        let found = self.take(b'{') && self.take(b'"') && self.text.as_bytes().get(self.at) == Some(&b'$');
        self.at = start;
        found
    }

    pub(super) fn number(&mut self) -> Result<f64, JsonError> {
        self.peek();
        let start = self.at;
        let bytes = self.text.as_bytes();
        while let Some(b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E') = bytes.get(self.at) {
            self.at += 1;
        }
        match self.text[start..self.at].parse() {
            Ok(number) => Ok(number),
            Err(_) => {
                self.at = start;
                Err(self.error("a JSON value"))
            }
        }
    }

    pub(super) fn string(&mut self) -> Result<Cow<'de, str>, JsonError> {
        self.expect(b'"', "a string")?;
        let start = self.at;
        let end = self.run_end();
        self.at = end;
        if self.text.as_bytes().get(end) == Some(&b'"') {
            self.at += 1;
            return Ok(Cow::Borrowed(&self.text[start..end]));
        }
        let mut owned = String::with_capacity((end - start) * 2 + 16);
        owned.push_str(&self.text[start..end]);
        loop {
            match self.text.as_bytes().get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(Cow::Owned(owned));
                }
                Some(b'\\') => owned.push(self.escape()?),
                _ => return Err(self.error("the end of a string")),
            }
            let (from, to) = (self.at, self.run_end());
            owned.push_str(&self.text[from..to]);
            self.at = to;
        }
    }

    /// Where the plain characters of a string end.
    fn run_end(&self) -> usize {
        self.at + plain_len(&self.text.as_bytes()[self.at..])
    }

    fn escape(&mut self) -> Result<char, JsonError> {
        let name = self.text.as_bytes().get(self.at + 1).copied().unwrap_or(0);
        self.at += 2;
        Ok(match name {
            b'"' | b'\\' | b'/' => char::from(name),
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'u' => return self.unicode_escape(),
            _ => return Err(self.error("an escape")),
        })
    }

    fn unicode_escape(&mut self) -> Result<char, JsonError> {
        let high = self.hex_unit()?;
        if !(0xd800..0xe000).contains(&high) {
            return char::from_u32(high).ok_or_else(|| self.error("a character"));
        }
        if !self.text.as_bytes()[self.at..].starts_with(b"\\u") {
            return Err(self.error("the other half of a surrogate pair"));
        }
        self.at += 2;
        let low = self.hex_unit()?;
        char::decode_utf16([high as u16, low as u16])
            .next()
            .and_then(Result::ok)
            .ok_or_else(|| self.error("a surrogate pair"))
    }

    fn hex_unit(&mut self) -> Result<u32, JsonError> {
        let digits = self.text.as_bytes().get(self.at..self.at + 4).unwrap_or_default();
        let mut unit = 0;
        for &digit in digits {
            let value = char::from(digit).to_digit(16);
            unit = unit * 16 + value.ok_or_else(|| self.error("four hexadecimal digits"))?;
        }
        if digits.len() < 4 {
            return Err(self.error("four hexadecimal digits"));
        }
        self.at += 4;
        Ok(unit)
    }

    /// Passes over one value without looking at what it is.
    pub(super) fn skip(&mut self) -> Result<(), JsonError> {
        let mut depth = 0_usize;
        loop {
            match self.peek() {
                b'"' => self.skip_string()?,
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                    continue;
                }
                b'}' | b']' if depth > 0 => {
                    depth -= 1;
                    self.at += 1;
                }
                b',' | b':' if depth > 0 => {
                    self.at += 1;
                    continue;
                }
                b't' => self.expect_word("true")?,
                b'f' => self.expect_word("false")?,
                b'n' => self.expect_word("null")?,
                _ => {
                    self.number()?;
                }
            }
            if depth == 0 {
                return Ok(());
            }
        }
    }

    fn skip_string(&mut self) -> Result<(), JsonError> {
        self.at += 1;
        loop {
            self.at = self.run_end();
            match self.text.as_bytes().get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => {
                    self.escape()?;
                }
                _ => return Err(self.error("the end of a string")),
            }
        }
    }
}
