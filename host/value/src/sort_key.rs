//! Sort keys: bytes that sort as values do (`crate::compare`), decode to the value again, and
//! say themselves where they end, so that keys may be put one after another. Which keys an index
//! has is not known here.
//!
//! A tag for the type comes first, in the order of the types. Numbers follow in 8 bytes whose
//! order is theirs. Text and bytes follow with each zero written `00 FF`, and end with `00 01`:
//! a prefix is smaller, whatever comes after. Items of arrays follow as keys of their own, up to
//! `00`, which is smaller than every tag; fields of objects likewise, each name before its value.

use crate::limits::VALUE_NESTING_MAX;
use crate::{Object, Value};

/// What the first byte says, ascending as the types do, with gaps for types to come. Zero is
/// none of them: it ends arrays and objects.
mod tag {
    pub(super) const UNDEFINED: u8 = 0x10;
    pub(super) const NULL: u8 = 0x18;
    pub(super) const INT64: u8 = 0x20;
    /// In no key that is stored.
    pub(super) const COMMIT_TIMESTAMP: u8 = 0x24;
    pub(super) const FLOAT64: u8 = 0x28;
    pub(super) const FALSE: u8 = 0x30;
    pub(super) const TRUE: u8 = 0x31;
    pub(super) const STRING: u8 = 0x38;
    pub(super) const BYTES: u8 = 0x40;
    pub(super) const ARRAY: u8 = 0x48;
    pub(super) const OBJECT: u8 = 0x50;
}

/// Ends arrays and objects.
const END: u8 = 0x00;
/// Stands for a zero within text and bytes, and begins their end.
const ZERO: u8 = 0x00;
/// Follows [`ZERO`] where it stands for itself.
const ESCAPED: u8 = 0xFF;
/// Follows [`ZERO`] at the end of text and bytes. Smaller than [`ESCAPED`].
const TERMINATOR: u8 = 0x01;
/// The bit that makes signed numbers sort as unsigned ones.
const SIGN_BIT: u64 = 1 << 63;

/// Why bytes are no sort key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SortKeyError {
    /// They end in the middle of a key.
    #[error("the sort key ends too early")]
    Truncated,
    /// No type has this tag, or it stands where this type cannot.
    #[error("the sort key has the unexpected tag {0:#04x}")]
    Tag(u8),
    /// A zero within text or bytes that is followed by neither of what may follow it.
    #[error("the sort key has the unexpected escape {0:#04x}")]
    Escape(u8),
    /// Text that is not UTF-8.
    #[error("the sort key has text that is not UTF-8")]
    NotUtf8,
    /// Names of fields that do not ascend.
    #[error("the sort key has fields out of order")]
    FieldOrder,
    /// Deeper than values are.
    #[error("the sort key is nested deeper than {VALUE_NESTING_MAX} levels")]
    TooDeep,
}

/// Appends the sort key of a value; `None` is `undefined`, the lowest.
pub fn encode(value: Option<&Value>, out: &mut Vec<u8>) {
    match value {
        None => out.push(tag::UNDEFINED),
        Some(Value::Null) => out.push(tag::NULL),
        Some(Value::Int64(number)) => encode_fixed(tag::INT64, int_bits(*number), out),
        Some(Value::CommitTimestamp) => out.push(tag::COMMIT_TIMESTAMP),
        Some(Value::Float64(number)) => encode_fixed(tag::FLOAT64, float_bits(*number), out),
        Some(Value::Boolean(false)) => out.push(tag::FALSE),
        Some(Value::Boolean(true)) => out.push(tag::TRUE),
        Some(Value::String(text)) => encode_bytes(tag::STRING, text.as_bytes(), out),
        Some(Value::Bytes(bytes)) => encode_bytes(tag::BYTES, bytes, out),
        Some(Value::Array(items)) => encode_array(items, out),
        Some(Value::Object(object)) => encode_object(object, out),
    }
}

/// The sort key of a value on its own.
pub fn encode_to_vec(value: Option<&Value>) -> Vec<u8> {
    let mut out = Vec::with_capacity(16);
    encode(value, &mut out);
    out
}

/// Takes the sort key off the front: the value, and the bytes after it. Only what [`encode`]
/// writes is taken.
///
/// # Errors
/// A [`SortKeyError`] for anything else.
pub fn decode(bytes: &[u8]) -> Result<(Option<Value>, &[u8]), SortKeyError> {
    let mut input = Input { rest: bytes };
    let value = match input.peek()? {
        tag::UNDEFINED => {
            input.byte()?;
            None
        }
        _ => Some(input.value(0)?),
    };
    Ok((value, input.rest))
}

/// Where placeholders for the commit's timestamp stand, a byte each, in sort keys that follow each other.
///
/// # Errors
/// `Truncated` and `Tag` where the bytes are no sort keys.
pub(crate) fn commit_timestamps(keys: &[u8]) -> Result<Vec<usize>, SortKeyError> {
    let mut places = Vec::new();
    let mut input = Input { rest: keys };
    while let Some(&first) = input.rest.first() {
        let place = keys.len() - input.rest.len();
        input.byte()?;
        match first {
            tag::COMMIT_TIMESTAMP => places.push(place),
            tag::INT64 | tag::FLOAT64 => drop(input.fixed()?),
            tag::STRING | tag::BYTES => drop(input.bytes()?),
            // What is in a container stands there as keys of its own.
            tag::UNDEFINED | tag::NULL | tag::FALSE | tag::TRUE | tag::ARRAY | tag::OBJECT | END => {}
            other => return Err(SortKeyError::Tag(other)),
        }
    }
    Ok(places)
}

/// 8 bytes that sort as doubles do in IEEE total order (-NaN < -Inf .. -0 < 0 .. Inf < NaN).
pub fn float_bits(number: f64) -> [u8; 8] {
    let bits = number.to_bits();
    let sorted = if bits & SIGN_BIT == 0 { bits | SIGN_BIT } else { !bits };
    sorted.to_be_bytes()
}

/// The double with these [`float_bits`]. All bits are one's.
pub fn float_from_bits(bits: [u8; 8]) -> f64 {
    let sorted = u64::from_be_bytes(bits);
    f64::from_bits(if sorted & SIGN_BIT == 0 { !sorted } else { sorted & !SIGN_BIT })
}

fn int_bits(number: i64) -> [u8; 8] {
    (number.cast_unsigned() ^ SIGN_BIT).to_be_bytes()
}

fn int_from_bits(bits: [u8; 8]) -> i64 {
    (u64::from_be_bytes(bits) ^ SIGN_BIT).cast_signed()
}

fn encode_fixed(tag: u8, bits: [u8; 8], out: &mut Vec<u8>) {
    out.push(tag);
    out.extend_from_slice(&bits);
}

fn encode_bytes(tag: u8, bytes: &[u8], out: &mut Vec<u8>) {
    out.push(tag);
    for (position, part) in bytes.split(|&byte| byte == ZERO).enumerate() {
        if position > 0 {
            out.extend_from_slice(&[ZERO, ESCAPED]);
        }
        out.extend_from_slice(part);
    }
    out.extend_from_slice(&[ZERO, TERMINATOR]);
}

fn encode_array(items: &[Value], out: &mut Vec<u8>) {
    out.push(tag::ARRAY);
    items.iter().for_each(|item| encode(Some(item), out));
    out.push(END);
}

fn encode_object(object: &Object, out: &mut Vec<u8>) {
    out.push(tag::OBJECT);
    for (name, value) in object {
        encode_bytes(tag::STRING, name.as_bytes(), out);
        encode(Some(value), out);
    }
    out.push(END);
}

/// What is left to decode.
struct Input<'b> {
    rest: &'b [u8],
}

impl Input<'_> {
    fn peek(&self) -> Result<u8, SortKeyError> {
        self.rest.first().copied().ok_or(SortKeyError::Truncated)
    }

    fn byte(&mut self) -> Result<u8, SortKeyError> {
        let (&first, rest) = self.rest.split_first().ok_or(SortKeyError::Truncated)?;
        self.rest = rest;
        Ok(first)
    }

    fn fixed(&mut self) -> Result<[u8; 8], SortKeyError> {
        let (bits, rest) = self.rest.split_first_chunk().ok_or(SortKeyError::Truncated)?;
        self.rest = rest;
        Ok(*bits)
    }

    fn bytes(&mut self) -> Result<Vec<u8>, SortKeyError> {
        let mut bytes = Vec::new();
        loop {
            let zero = self.rest.iter().position(|&byte| byte == ZERO).ok_or(SortKeyError::Truncated)?;
            bytes.extend_from_slice(&self.rest[..zero]);
            self.rest = &self.rest[zero + 1..];
            match self.byte()? {
                ESCAPED => bytes.push(ZERO),
                TERMINATOR => return Ok(bytes),
                other => return Err(SortKeyError::Escape(other)),
            }
        }
    }

    fn text(&mut self) -> Result<String, SortKeyError> {
        String::from_utf8(self.bytes()?).map_err(|_| SortKeyError::NotUtf8)
    }

    fn value(&mut self, nesting: usize) -> Result<Value, SortKeyError> {
        Ok(match self.byte()? {
            tag::NULL => Value::Null,
            tag::INT64 => Value::Int64(int_from_bits(self.fixed()?)),
            tag::COMMIT_TIMESTAMP => Value::CommitTimestamp,
            tag::FLOAT64 => Value::Float64(float_from_bits(self.fixed()?)),
            tag::FALSE => Value::Boolean(false),
            tag::TRUE => Value::Boolean(true),
            tag::STRING => Value::String(self.text()?),
            tag::BYTES => Value::Bytes(self.bytes()?),
            tag::ARRAY | tag::OBJECT if nesting == VALUE_NESTING_MAX => return Err(SortKeyError::TooDeep),
            tag::ARRAY => Value::Array(self.items(nesting + 1)?),
            tag::OBJECT => Value::Object(self.fields(nesting + 1)?),
            other => return Err(SortKeyError::Tag(other)),
        })
    }

    /// Whether the container ends here; takes the end if so.
    fn at_end(&mut self) -> Result<bool, SortKeyError> {
        let ends = self.peek()? == END;
        if ends {
            self.byte()?;
        }
        Ok(ends)
    }

    fn items(&mut self, nesting: usize) -> Result<Vec<Value>, SortKeyError> {
        let mut items = Vec::new();
        while !self.at_end()? {
            items.push(self.value(nesting)?);
        }
        Ok(items)
    }

    fn fields(&mut self, nesting: usize) -> Result<Object, SortKeyError> {
        let mut fields: Vec<(String, Value)> = Vec::new();
        while !self.at_end()? {
            let tag = self.byte()?;
            if tag != tag::STRING {
                return Err(SortKeyError::Tag(tag));
            }
            let name = self.text()?;
            if fields.last().is_some_and(|last| last.0 >= name) {
                return Err(SortKeyError::FieldOrder);
            }
            fields.push((name, self.value(nesting)?));
        }
        Ok(Object::from_sorted(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_are_fixed() {
        // Keys are on disk: none of these may ever change.
        let object = Object::from([("a", Value::from(1_i64))]);
        let cases: [(Option<Value>, &[u8]); 13] = [
            (None, &[0x10]),
            (Some(Value::Null), &[0x18]),
            (Some(Value::from(-1_i64)), &[0x20, 0x7F, 255, 255, 255, 255, 255, 255, 255]),
            (Some(Value::CommitTimestamp), &[0x24]),
            (Some(Value::from(1.0)), &[0x28, 0xBF, 0xF0, 0, 0, 0, 0, 0, 0]),
            (Some(Value::from(-0.0)), &[0x28, 0x7F, 255, 255, 255, 255, 255, 255, 255]),
            (Some(Value::from(false)), &[0x30]),
            (Some(Value::from(true)), &[0x31]),
            (Some(Value::from("a\0b")), &[0x38, b'a', 0, 255, b'b', 0, 1]),
            (Some(Value::from("")), &[0x38, 0, 1]),
            (Some(Value::from(vec![0_u8, 255])), &[0x40, 0, 255, 255, 0, 1]),
            (Some(Value::from(vec![Value::Null])), &[0x48, 0x18, 0]),
            (Some(Value::from(object)), &[0x50, 0x38, b'a', 0, 1, 0x20, 0x80, 0, 0, 0, 0, 0, 0, 1, 0]),
        ];
        for (value, key) in cases {
            assert_eq!(encode_to_vec(value.as_ref()), key, "{value:?}");
            assert_eq!(decode(key), Ok((value, &[][..])));
            let followed = [key, &[255, 0]].concat();
            assert_eq!(decode(&followed).unwrap().1, [255, 0]);
            for end in 0..key.len() {
                assert_eq!(decode(&key[..end]), Err(SortKeyError::Truncated), "{key:?} cut at {end}");
            }
        }
    }

    #[test]
    fn other_bytes_are_refused() {
        let deep = [vec![tag::ARRAY; 100_000], vec![END; 100_000]].concat();
        let deepest = [vec![tag::ARRAY; VALUE_NESTING_MAX], vec![END; VALUE_NESTING_MAX]].concat();
        let cases: [(&[u8], SortKeyError); 9] = [
            (&[], SortKeyError::Truncated),
            (&[0], SortKeyError::Tag(0)),
            (&[0x11], SortKeyError::Tag(0x11)),
            (&[tag::ARRAY, tag::UNDEFINED, END], SortKeyError::Tag(tag::UNDEFINED)),
            (&[tag::STRING, 0, 2], SortKeyError::Escape(2)),
            (&[tag::STRING, 0xC3, 0, 1], SortKeyError::NotUtf8),
            (&[tag::OBJECT, tag::NULL, END], SortKeyError::Tag(tag::NULL)),
            (
                &[tag::OBJECT, tag::STRING, 0, 1, tag::NULL, tag::STRING, 0, 1, tag::NULL, END],
                SortKeyError::FieldOrder,
            ),
            (&deep, SortKeyError::TooDeep),
        ];
        for (key, error) in cases {
            assert_eq!(decode(key), Err(error), "{:?}", &key[..key.len().min(16)]);
        }
        assert!(decode(&deepest).is_ok());
    }
}
