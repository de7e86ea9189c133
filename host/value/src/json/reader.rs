//! The visitor that makes values of whatever serde deserializes: text or a tree. It counts as it
//! goes, so that a hostile input ends early, and knows the path once something is wrong.

use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::encoding::Encoding;
use super::{Bounds, ValueError, ValueErrorReason};
use crate::limits::{ARRAY_ITEMS_MAX, OBJECT_FIELDS_MAX, VALUES_MAX};
use crate::names::check_field_name;
use crate::object::sort_fields;
use crate::path::{Path, Step};
use crate::{Object, Value};

/// What reading one input goes along with.
pub(super) struct Reader {
    bounds: Bounds,
    nesting: usize,
    size_bytes: usize,
    /// How many values were read, containers included.
    values: usize,
    /// The encoding whose content is being read: a scalar, whatever else stands there.
    content_of: Option<Encoding>,
    /// Items of the arrays that are open, those of the innermost last. On one stack, so that
    /// each array is allocated once, as large as it is: a hostile input must not make 4 of 1.
    items: Vec<Value>,
    /// The same for fields of objects.
    fields: Vec<(String, Value)>,
    path: Path,
    reason: Option<ValueErrorReason>,
}

/// The fields of a patch; `None` is `undefined`.
type Patch = Vec<(String, Option<Value>)>;

impl Reader {
    pub(super) fn new(bounds: Bounds) -> Reader {
        Reader {
            bounds,
            nesting: 0,
            size_bytes: 0,
            values: 0,
            content_of: None,
            items: Vec::new(),
            fields: Vec::new(),
            path: Path::default(),
            reason: None,
        }
    }

    /// Our own reason if there is one; else the parser's, which is about syntax.
    pub(super) fn into_error(self, error: &serde_json::Error) -> ValueError {
        let reason = self.reason.unwrap_or_else(|| ValueErrorReason::Syntax(error.to_string()));
        ValueError { path: self.path.text(), reason }
    }

    /// Keeps the reason aside, since serde's errors are texts.
    fn fail<E: Error>(&mut self, reason: ValueErrorReason) -> E {
        self.reason = Some(reason);
        E::custom("")
    }

    /// Counts what was read. The content of an encoding is not: what it means is, once it is decoded.
    fn grow<E: Error>(&mut self, size_bytes: usize) -> Result<(), E> {
        if self.content_of.is_some() {
            return Ok(());
        }
        self.size_bytes += size_bytes;
        let size_bytes_max = self.bounds.size_bytes_max;
        if self.size_bytes > size_bytes_max {
            return Err(self.fail(ValueErrorReason::TooLarge { size_bytes_max }));
        }
        Ok(())
    }

    /// Counts one more value. A short text may stand for as many as it has bytes, and each takes up some ten times as much.
    fn count<E: Error>(&mut self) -> Result<(), E> {
        self.values += 1;
        match self.values > VALUES_MAX {
            true => Err(self.fail(ValueErrorReason::TooManyValues { values_max: VALUES_MAX })),
            false => Ok(()),
        }
    }

    fn enter<E: Error>(&mut self) -> Result<(), E> {
        if let Some(encoding) = self.content_of {
            return Err(self.fail(encoding.wrong_content()));
        }
        let nesting_max = self.bounds.nesting_max;
        if self.nesting == nesting_max {
            return Err(self.fail(ValueErrorReason::TooDeep { nesting_max }));
        }
        self.nesting += 1;
        self.grow(2)
    }

    fn fail_at<E: Error>(&mut self, name: String, reason: ValueErrorReason) -> E {
        self.path.enclose(Step::Field(name));
        self.fail(reason)
    }

    /// Reads the items of an array.
    fn items<'de, A: SeqAccess<'de>>(&mut self, mut seq: A) -> Result<Vec<Value>, A::Error> {
        self.enter()?;
        let start = self.items.len();
        loop {
            let index = self.items.len() - start;
            let item = match seq.next_element_seed(ValueSeed(self)) {
                Ok(None) => break,
                Ok(Some(item)) => item.ok_or_else(|| self.fail(ValueErrorReason::Undefined)),
                Err(error) => Err(error),
            };
            let item = item.inspect_err(|_| self.path.enclose(Step::Index(index)))?;
            if index == ARRAY_ITEMS_MAX {
                return Err(self.fail(ValueErrorReason::TooManyItems { items_max: ARRAY_ITEMS_MAX }));
            }
            self.items.push(item);
        }
        self.nesting -= 1;
        Ok(self.items.split_off(start))
    }

    /// Reads the fields of an object from its first name on.
    fn object<'de, A: MapAccess<'de>>(
        &mut self,
        mut map: A,
        first: Option<String>,
    ) -> Result<Object, A::Error> {
        self.enter()?;
        let start = self.fields.len();
        let mut next = first;
        while let Some(name) = next {
            let value = match self.field(&mut map, &name, self.fields.len() - start)? {
                Some(value) => value,
                None => return Err(self.fail_at(name, ValueErrorReason::Undefined)),
            };
            self.fields.push((name, value));
            next = map.next_key()?;
        }
        self.nesting -= 1;
        let fields = self.fields.split_off(start);
        Object::from_fields(fields).map_err(|name| self.fail_at(name, ValueErrorReason::DuplicateField))
    }

    /// Reads the fields of a patch from its first name on, and sorts them.
    fn patch<'de, A: MapAccess<'de>>(
        &mut self,
        mut map: A,
        first: Option<String>,
    ) -> Result<Patch, A::Error> {
        self.enter()?;
        let mut fields = Patch::new();
        let mut next = first;
        while let Some(name) = next {
            let value = self.field(&mut map, &name, fields.len())?;
            fields.push((name, value));
            next = map.next_key()?;
        }
        self.nesting -= 1;
        sort_fields(&mut fields).map_err(|name| self.fail_at(name, ValueErrorReason::DuplicateField))?;
        Ok(fields)
    }

    /// Reads the value of the field with this name, which `position` others stand before.
    fn field<'de, A: MapAccess<'de>>(
        &mut self,
        map: &mut A,
        name: &str,
        position: usize,
    ) -> Result<Option<Value>, A::Error> {
        if position == OBJECT_FIELDS_MAX {
            return Err(self.fail(ValueErrorReason::TooManyFields { fields_max: OBJECT_FIELDS_MAX }));
        }
        check_field_name(name).map_err(|error| self.fail(error.into()))?;
        self.grow(name.len() + 1)?;
        let value = map.next_value_seed(ValueSeed(self));
        value.inspect_err(|_| self.path.enclose(Step::Field(name.to_owned())))
    }

    /// Reads an object whose first name starts with `$`: one encoded value.
    fn encoded<'de, A: MapAccess<'de>>(&mut self, mut map: A, name: &str) -> Result<Option<Value>, A::Error> {
        if let Some(outer) = self.content_of {
            return Err(self.fail(outer.wrong_content()));
        }
        let encoding = Encoding::named(name).map_err(|reason| self.fail(reason))?;
        if encoding == Encoding::CommitTimestamp && !self.bounds.commit_timestamp {
            return Err(self.fail(ValueErrorReason::CommitTimestamp));
        }
        self.content_of = Some(encoding);
        let content = map.next_value_seed(ValueSeed(self))?;
        self.content_of = None;
        let value = encoding.decode(content).map_err(|reason| self.fail(reason))?;
        if map.next_key::<IgnoredAny>()?.is_some() {
            return Err(self.fail(ValueErrorReason::EncodingWithOthers(encoding.name())));
        }
        self.grow(value.as_ref().map_or(0, Value::size_bytes))?;
        Ok(value)
    }
}

/// Makes one value; `None` is `undefined`, which only some places take.
pub(super) struct ValueSeed<'r>(pub(super) &'r mut Reader);

impl<'de> DeserializeSeed<'de> for ValueSeed<'_> {
    type Value = Option<Value>;
    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<Option<Value>, D::Error> {
        self.0.count()?;
        input.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ValueSeed<'_> {
    type Value = Option<Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Option<Value>, E> {
        self.0.grow(1)?;
        Ok(Some(Value::Null))
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Option<Value>, E> {
        self.0.grow(1)?;
        Ok(Some(Value::Boolean(flag)))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Option<Value>, E> {
        self.0.grow(9)?;
        Ok(Some(Value::Float64(number)))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Option<Value>, E> {
        self.visit_f64(number as f64)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Option<Value>, E> {
        self.visit_f64(number as f64)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Option<Value>, E> {
        self.0.grow(2 + text.len())?;
        Ok(Some(Value::String(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Option<Value>, A::Error> {
        Ok(Some(Value::Array(self.0.items(seq)?)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Option<Value>, A::Error> {
        let first: Option<String> = map.next_key()?;
        match first {
            Some(name) if name.starts_with('$') => self.0.encoded(map, &name),
            first => Ok(Some(Value::Object(self.0.object(map, first)?))),
        }
    }
}

/// Makes the fields of a patch.
pub(super) struct PatchSeed<'r>(pub(super) &'r mut Reader);

impl<'de> DeserializeSeed<'de> for PatchSeed<'_> {
    type Value = Patch;
    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<Patch, D::Error> {
        input.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for PatchSeed<'_> {
    type Value = Patch;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with the fields to change")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Patch, A::Error> {
        let first = map.next_key()?;
        self.0.patch(map, first)
    }
}
