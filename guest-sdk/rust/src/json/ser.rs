//! The writing half: a serde `Serializer` onto a byte vector.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::ser::{self, Serialize};

use super::plain::plain_len;
use super::{JsonError, RAW, float};

const CAPACITY_BYTES: usize = 256;
const HEX: &[u8; 16] = b"0123456789abcdef";

/// Up to here every integer is a double.
const INTEGRAL_MAX: f64 = 9_007_199_254_740_992.0;

/// Where JSON is written to.
///
/// The fields of objects are sorted, and integral numbers have no fraction: a text in the one form that Weir keeps is
/// taken as it is.
pub(crate) struct Writer {
    out: Vec<u8>,
    /// Where the fields begin of all objects that are open.
    fields: Vec<usize>,
    /// Where the last `None` was written, so that a struct can leave its field out.
    none_at: usize,
    /// Whether the next bytes are JSON themselves.
    raw: bool,
    /// Whether it is JSON as the web has it, without Convex's encoding.
    is_plain: bool,
}

impl Default for Writer {
    fn default() -> Self {
        Self {
            out: Vec::with_capacity(CAPACITY_BYTES),
            fields: Vec::new(),
            none_at: usize::MAX,
            raw: false,
            is_plain: false,
        }
    }
}

impl Writer {
    /// One of JSON as the web has it.
    pub(crate) fn plain() -> Self {
        Self { is_plain: true, ..Self::default() }
    }

    fn refuse_in_plain(&self, what: &str) -> Result<(), JsonError> {
        match self.is_plain {
            true => Err(JsonError::new(format!("{what} cannot be written as plain JSON"))),
            false => Ok(()),
        }
    }

    /// Whether all that was written is a `None`.
    pub(crate) fn is_none(&self) -> bool {
        self.none_at == 0
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.out
    }

    fn put(&mut self, text: &[u8]) {
        self.out.extend_from_slice(text);
    }

    fn put_str(&mut self, text: &str) {
        // A long text with its quotes, so that the last of them does not double what it takes.
        self.out.reserve(text.len() + 2);
        self.out.push(b'"');
        let mut rest = text.as_bytes();
        loop {
            let (plain, special) = rest.split_at(plain_len(rest));
            self.put(plain);
            let Some((&byte, others)) = special.split_first() else { break };
            self.put_escape(byte);
            rest = others;
        }
        self.out.push(b'"');
    }

    fn put_escape(&mut self, byte: u8) {
        match byte {
            b'"' => self.put(b"\\\""),
            b'\\' => self.put(b"\\\\"),
            b'\n' => self.put(b"\\n"),
            b'\r' => self.put(b"\\r"),
            b'\t' => self.put(b"\\t"),
            0x08 => self.put(b"\\b"),
            0x0c => self.put(b"\\f"),
            _ => {
                let digits = [HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]];
                self.put(b"\\u00");
                self.put(&digits);
            }
        }
    }

    fn put_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), JsonError> {
        let start = self.out.len();
        key.serialize(&mut *self)?;
        match self.out.get(start) {
            Some(b'"') => Ok(()),
            _ => Err(JsonError::new("the keys of a map must be strings")),
        }
    }

    fn put_eight(&mut self, name: &str, bytes: [u8; 8]) {
        self.put(b"{\"");
        self.put(name.as_bytes());
        self.put(b"\":\"");
        float::write_eight(bytes, &mut self.out);
        self.put(b"\"}");
    }

    fn open(&mut self, bracket: u8, close: &'static [u8]) -> Nested<'_> {
        self.out.push(bracket);
        let fields = self.fields.len();
        Nested { writer: self, fields, first: true, close, omits_none: true }
    }

    fn open_variant(&mut self, variant: &str, bracket: u8, close: &'static [u8]) -> Nested<'_> {
        self.out.push(b'{');
        self.put_str(variant);
        self.out.push(b':');
        self.open(bracket, close)
    }
}

impl<'a> ser::Serializer for &'a mut Writer {
    type Ok = ();
    type Error = JsonError;
    type SerializeSeq = Nested<'a>;
    type SerializeTuple = Nested<'a>;
    type SerializeTupleStruct = Nested<'a>;
    type SerializeTupleVariant = Nested<'a>;
    type SerializeMap = Nested<'a>;
    type SerializeStruct = Nested<'a>;
    type SerializeStructVariant = Nested<'a>;

    fn serialize_bool(self, value: bool) -> Result<(), JsonError> {
        self.put(if value { b"true" } else { b"false" });
        Ok(())
    }

    fn serialize_i8(self, value: i8) -> Result<(), JsonError> {
        self.serialize_i32(value.into())
    }

    fn serialize_i16(self, value: i16) -> Result<(), JsonError> {
        self.serialize_i32(value.into())
    }

    fn serialize_i32(self, value: i32) -> Result<(), JsonError> {
        // Writing to a vector cannot fail.
        let _ = write!(self.out, "{value}");
        Ok(())
    }

    fn serialize_i64(self, value: i64) -> Result<(), JsonError> {
        if self.is_plain {
            let _ = write!(self.out, "{value}");
        } else {
            self.put_eight("$integer", value.to_le_bytes());
        }
        Ok(())
    }

    fn serialize_u8(self, value: u8) -> Result<(), JsonError> {
        self.serialize_u32(value.into())
    }

    fn serialize_u16(self, value: u16) -> Result<(), JsonError> {
        self.serialize_u32(value.into())
    }

    fn serialize_u32(self, value: u32) -> Result<(), JsonError> {
        let _ = write!(self.out, "{value}");
        Ok(())
    }

    fn serialize_u64(self, value: u64) -> Result<(), JsonError> {
        match i64::try_from(value) {
            Ok(value) => self.serialize_i64(value),
            Err(_) => Err(JsonError::new("an integer is above the largest 64-bit integer")),
        }
    }

    fn serialize_f32(self, value: f32) -> Result<(), JsonError> {
        self.serialize_f64(value.into())
    }

    fn serialize_f64(self, value: f64) -> Result<(), JsonError> {
        if self.is_plain && value.is_finite() {
            let _ = write!(self.out, "{value:?}");
        } else if float::is_special(value) {
            self.refuse_in_plain("a number that is not finite")?;
            self.put_eight("$float", value.to_le_bytes());
        } else if value.abs() < INTEGRAL_MAX && value == value.trunc() {
            let _ = write!(self.out, "{}", value as i64);
        } else {
            let _ = write!(self.out, "{value:?}");
        }
        Ok(())
    }

    fn serialize_char(self, value: char) -> Result<(), JsonError> {
        self.put_str(value.encode_utf8(&mut [0; 4]));
        Ok(())
    }

    fn serialize_str(self, value: &str) -> Result<(), JsonError> {
        self.put_str(value);
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), JsonError> {
        if std::mem::take(&mut self.raw) {
            self.put(value);
            return Ok(());
        }
        self.refuse_in_plain("bytes")?;
        self.put(b"{\"$bytes\":\"");
        self.put(STANDARD.encode(value).as_bytes());
        self.put(b"\"}");
        Ok(())
    }

    fn serialize_none(self) -> Result<(), JsonError> {
        self.none_at = self.out.len();
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), JsonError> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), JsonError> {
        self.put(b"null");
        Ok(())
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), JsonError> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<(), JsonError> {
        self.put_str(variant);
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<(), JsonError> {
        self.raw = name == RAW;
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), JsonError> {
        self.out.push(b'{');
        self.put_str(variant);
        self.out.push(b':');
        value.serialize(&mut *self)?;
        self.out.push(b'}');
        Ok(())
    }

    fn serialize_seq(self, _len: Option<usize>) -> Result<Nested<'a>, JsonError> {
        Ok(self.open(b'[', b"]"))
    }

    fn serialize_tuple(self, _len: usize) -> Result<Nested<'a>, JsonError> {
        Ok(self.open(b'[', b"]"))
    }

    fn serialize_tuple_struct(self, _name: &'static str, _len: usize) -> Result<Nested<'a>, JsonError> {
        Ok(self.open(b'[', b"]"))
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<Nested<'a>, JsonError> {
        Ok(self.open_variant(variant, b'[', b"]}"))
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Nested<'a>, JsonError> {
        // Maps know how many entries they have. Who does not is a struct that
        // is written through this method because parts of it are flattened.
        Ok(Nested { omits_none: len.is_none(), ..self.open(b'{', b"}") })
    }

    fn serialize_struct(self, _name: &'static str, _len: usize) -> Result<Nested<'a>, JsonError> {
        Ok(self.open(b'{', b"}"))
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<Nested<'a>, JsonError> {
        Ok(self.open_variant(variant, b'{', b"}}"))
    }
}

/// An array or object whose end is still to come.
pub(crate) struct Nested<'a> {
    writer: &'a mut Writer,
    /// How many fields the objects have that this stands in.
    fields: usize,
    first: bool,
    close: &'static [u8],
    /// Whether entries whose value is `None` are left out.
    omits_none: bool,
}

impl Nested<'_> {
    fn separate(&mut self) {
        if !std::mem::replace(&mut self.first, false) {
            self.writer.out.push(b',');
        }
    }

    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), JsonError> {
        self.separate();
        value.serialize(&mut *self.writer)
    }

    /// Writes a field, or nothing if its value is `None` and that is left out.
    fn field<T: Serialize + ?Sized>(
        &mut self,
        put_key: impl FnOnce(&mut Writer) -> Result<(), JsonError>,
        value: &T,
    ) -> Result<(), JsonError> {
        let (start, was_first) = (self.writer.out.len(), self.first);
        self.separate();
        let key_at = self.writer.out.len();
        put_key(self.writer)?;
        self.writer.out.push(b':');
        let value_at = self.writer.out.len();
        value.serialize(&mut *self.writer)?;
        if self.omits_none && self.writer.none_at == value_at {
            self.writer.none_at = usize::MAX;
            self.writer.out.truncate(start);
            self.first = was_first;
        } else if !self.writer.is_plain {
            self.sort_in(key_at, value_at);
        }
        Ok(())
    }

    /// Moves the field that was written last, and begins at `key_at`, to where it belongs among those before. Nearly
    /// always that is where it is.
    fn sort_in(&mut self, key_at: usize, value_at: usize) {
        let Writer { out, fields, .. } = &mut *self.writer;
        let before = &fields[self.fields..];
        let key = &out[key_at..value_at];
        // A key is compared with its quotes and the colon, of which the second quote is below all letters and digits.
        let is_behind = |start: &usize| out[*start..].iter().take(key.len()).le(key.iter());
        let place = match before.last() {
            Some(last) if !is_behind(last) => before.partition_point(is_behind),
            _ => return fields.push(key_at),
        };
        let start = before[place];
        // `first,last` becomes `last,first`: the comma in front goes behind.
        let moved = out.len() - key_at + 1;
        out[start..].rotate_right(moved);
        out[start..start + moved].rotate_left(1);
        fields.push(key_at);
        let shifted = &mut fields[self.fields + place..];
        shifted.rotate_right(1);
        shifted[0] = start;
        shifted[1..].iter_mut().for_each(|at| *at += moved);
    }

    fn finish(self) {
        self.writer.fields.truncate(self.fields);
        self.writer.put(self.close);
    }
}

macro_rules! sequences {
    ($($name:ident :: $method:ident),*) => {$(
        impl ser::$name for Nested<'_> {
            type Ok = ();
            type Error = JsonError;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), JsonError> {
                self.element(value)
            }

            fn end(self) -> Result<(), JsonError> {
                self.finish();
                Ok(())
            }
        }
    )*};
}

sequences!(
    SerializeSeq::serialize_element,
    SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field,
    SerializeTupleVariant::serialize_field
);

macro_rules! structs {
    ($($name:ident),*) => {$(
        impl ser::$name for Nested<'_> {
            type Ok = ();
            type Error = JsonError;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                key: &'static str,
                value: &T,
            ) -> Result<(), JsonError> {
                self.field(|writer| Ok(writer.put_str(key)), value)
            }

            fn end(self) -> Result<(), JsonError> {
                self.finish();
                Ok(())
            }
        }
    )*};
}

structs!(SerializeStruct, SerializeStructVariant);

impl ser::SerializeMap for Nested<'_> {
    type Ok = ();
    type Error = JsonError;

    fn serialize_entry<K: Serialize + ?Sized, T: Serialize + ?Sized>(
        &mut self,
        key: &K,
        value: &T,
    ) -> Result<(), JsonError> {
        self.field(|writer| writer.put_key(key), value)
    }

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), JsonError> {
        self.separate();
        self.writer.put_key(key)?;
        self.writer.out.push(b':');
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), JsonError> {
        value.serialize(&mut *self.writer)
    }

    fn end(self) -> Result<(), JsonError> {
        self.finish();
        Ok(())
    }
}
