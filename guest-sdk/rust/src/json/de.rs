//! The reading half: a serde `Deserializer` over a text.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::value::{BorrowedStrDeserializer, MapDeserializer};
use serde::de::{self, DeserializeSeed, Visitor};

use super::input::Input;
use super::{COMMIT_TIMESTAMP, EXACT, JsonError, float};

/// The largest integer below which every integer is an `f64`.
const EXACT_INTEGER_MAX: f64 = 9_007_199_254_740_992.0;

/// Reads one value after the other from a text.
pub(super) struct Reader<'de> {
    input: Input<'de>,
    /// Whether the next number keeps its type: see [`EXACT`].
    exact: bool,
}

/// What an object with a key that starts with `$` stands for.
enum Encoded {
    Integer(i64),
    Float(f64),
    Bytes(Vec<u8>),
    /// The placeholder for the timestamp of the commit.
    CommitTimestamp,
}

impl<'de> Reader<'de> {
    pub(super) fn new(text: &'de str) -> Self {
        Self { input: Input::new(text), exact: false }
    }

    pub(super) fn end(&mut self) -> Result<(), JsonError> {
        if self.input.is_at_end() { Ok(()) } else { Err(self.input.error("the end of the JSON")) }
    }

    fn encoded(&mut self) -> Result<Encoded, JsonError> {
        self.input.expect(b'{', "an object")?;
        let name = self.input.string()?;
        self.input.expect(b':', "`:`")?;
        if name == COMMIT_TIMESTAMP {
            self.input.expect_word("null")?;
            self.input.expect(b'}', "`}`")?;
            return Ok(Encoded::CommitTimestamp);
        }
        let text = self.input.string()?;
        let value = match name.as_ref() {
            "$integer" => Encoded::Integer(i64::from_le_bytes(float::read_eight(&text)?)),
            "$float" => Encoded::Float(f64::from_le_bytes(float::read_eight(&text)?)),
            "$bytes" => Encoded::Bytes(decode_bytes(&text)?),
            _ => return Err(JsonError::new(format!("`{name}` is no encoding of a value"))),
        };
        self.input.expect(b'}', "`}`")?;
        Ok(value)
    }

    fn visit_string<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, JsonError> {
        match self.input.string()? {
            Cow::Borrowed(text) => visitor.visit_borrowed_str(text),
            Cow::Owned(text) => visitor.visit_string(text),
        }
    }

    fn visit_seq<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, JsonError> {
        self.input.expect(b'[', "an array")?;
        let value = visitor.visit_seq(Elements { reader: self, first: true })?;
        self.input.expect(b']', "`]`")?;
        Ok(value)
    }

    fn visit_map<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, JsonError> {
        self.input.expect(b'{', "an object")?;
        let value = visitor.visit_map(Elements { reader: self, first: true })?;
        self.input.expect(b'}', "`}`")?;
        Ok(value)
    }

    /// An integer, however it is written, else a float.
    fn visit_integer<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, JsonError> {
        match self.input.peek() {
            b'-' | b'0'..=b'9' => visit_whole(self.input.number()?, visitor),
            _ => de::Deserializer::deserialize_any(self, visitor),
        }
    }
}

fn visit_whole<'de, V: Visitor<'de>>(number: f64, visitor: V) -> Result<V::Value, JsonError> {
    if number.fract() == 0.0 && number.abs() <= EXACT_INTEGER_MAX {
        visitor.visit_i64(number as i64)
    } else {
        visitor.visit_f64(number)
    }
}

fn decode_bytes(text: &str) -> Result<Vec<u8>, JsonError> {
    STANDARD.decode(text).map_err(|_| JsonError::new("`$bytes` is not base64"))
}

macro_rules! forward {
    ($target:ident: $($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
            self.$target(visitor)
        }
    )*};
}

impl<'de> de::Deserializer<'de> for &mut Reader<'de> {
    type Error = JsonError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
        let exact = std::mem::take(&mut self.exact);
        match self.input.peek() {
            b'"' => self.visit_string(visitor),
            b'[' => self.visit_seq(visitor),
            b'{' if self.input.is_encoding() => match self.encoded()? {
                Encoded::Integer(value) => visitor.visit_i64(value),
                Encoded::Float(value) => visitor.visit_f64(value),
                Encoded::Bytes(value) => visitor.visit_byte_buf(value),
                // An object, so that only what knows it takes it, and a value without a type gives it back.
                Encoded::CommitTimestamp => {
                    visitor.visit_map(MapDeserializer::new([(COMMIT_TIMESTAMP, ())].into_iter()))
                }
            },
            b'{' => self.visit_map(visitor),
            b't' => {
                self.input.expect_word("true")?;
                visitor.visit_bool(true)
            }
            b'f' => {
                self.input.expect_word("false")?;
                visitor.visit_bool(false)
            }
            b'n' => {
                self.input.expect_word("null")?;
                visitor.visit_unit()
            }
            _ if exact => visitor.visit_f64(self.input.number()?),
            _ => visit_whole(self.input.number()?, visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
        if self.input.peek() != b'n' {
            return visitor.visit_some(self);
        }
        self.input.expect_word("null")?;
        visitor.visit_none()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, JsonError> {
        self.deserialize_any(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, JsonError> {
        self.exact = name == EXACT;
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _len: usize, visitor: V) -> Result<V::Value, JsonError> {
        self.deserialize_any(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, JsonError> {
        self.deserialize_any(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, JsonError> {
        self.deserialize_map(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
        if self.input.peek() == b'{' && !self.input.is_encoding() {
            self.visit_map(visitor)
        } else {
            self.deserialize_any(visitor)
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, JsonError> {
        if self.input.peek() == b'"' {
            return match self.input.string()? {
                Cow::Borrowed(name) => visitor.visit_enum(BorrowedStrDeserializer::new(name)),
                Cow::Owned(name) => visitor.visit_enum(de::value::StringDeserializer::new(name)),
            };
        }
        self.input.expect(b'{', "the name of a variant, or an object with it as the only key")?;
        let value = visitor.visit_enum(Variant { reader: self })?;
        self.input.expect(b'}', "`}`")?;
        Ok(value)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
        self.input.skip()?;
        visitor.visit_unit()
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
        if self.input.peek() == b'"' { self.visit_string(visitor) } else { self.deserialize_any(visitor) }
    }

    forward!(deserialize_str: deserialize_string deserialize_char deserialize_identifier);
    forward!(deserialize_any: deserialize_bool deserialize_bytes deserialize_byte_buf deserialize_unit deserialize_seq deserialize_f32 deserialize_f64);
    forward!(visit_integer: deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64);
}

/// The elements of an array, or the entries of an object.
struct Elements<'a, 'de> {
    reader: &'a mut Reader<'de>,
    first: bool,
}

impl Elements<'_, '_> {
    /// Moves to the next element, if there is one.
    fn has_next(&mut self, close: u8) -> Result<bool, JsonError> {
        if self.reader.input.peek() == close {
            return Ok(false);
        }
        if !std::mem::replace(&mut self.first, false) {
            self.reader.input.expect(b',', "`,`")?;
        }
        Ok(true)
    }
}

impl<'de> de::SeqAccess<'de> for Elements<'_, 'de> {
    type Error = JsonError;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, JsonError> {
        match self.has_next(b']')? {
            true => seed.deserialize(&mut *self.reader).map(Some),
            false => Ok(None),
        }
    }
}

impl<'de> de::MapAccess<'de> for Elements<'_, 'de> {
    type Error = JsonError;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, JsonError> {
        if !self.has_next(b'}')? {
            return Ok(None);
        }
        if self.reader.input.peek() != b'"' {
            return Err(self.reader.input.error("a key"));
        }
        let key = seed.deserialize(&mut *self.reader)?;
        self.reader.input.expect(b':', "`:`")?;
        Ok(Some(key))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, JsonError> {
        seed.deserialize(&mut *self.reader)
    }
}

/// A variant that is an object's only key, with its content as the value.
struct Variant<'a, 'de> {
    reader: &'a mut Reader<'de>,
}

impl<'de> de::EnumAccess<'de> for Variant<'_, 'de> {
    type Error = JsonError;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), JsonError> {
        let name = seed.deserialize(&mut *self.reader)?;
        self.reader.input.expect(b':', "`:`")?;
        Ok((name, self))
    }
}

impl<'de> de::VariantAccess<'de> for Variant<'_, 'de> {
    type Error = JsonError;

    fn unit_variant(self) -> Result<(), JsonError> {
        self.reader.input.expect_word("null")
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, JsonError> {
        seed.deserialize(self.reader)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _len: usize, visitor: V) -> Result<V::Value, JsonError> {
        self.reader.visit_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, JsonError> {
        self.reader.visit_map(visitor)
    }
}
