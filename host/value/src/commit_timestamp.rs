//! Encodings of [`Value::CommitTimestamp`](crate::Value::CommitTimestamp) that a commit completes: when its timestamp
//! is known, an int64 stands in the place of each placeholder.
//!
//! An int64 has one width, in JSON and in sort keys. So everything is laid out before, and only bytes that are there
//! are written over when it counts: who gives the timestamp has others waiting.
use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::json::COMMIT_TIMESTAMP;
use crate::{SortKeyError, Timestamp, Value, sort_key};

/// Bytes with room for the timestamp of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    bytes: Vec<u8>,
    /// Where the timestamp is to be written, ascending.
    places: Vec<usize>,
    form: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Base64 of the little-endian bytes.
    Json,
    /// The bytes of a sort key, behind its tag.
    SortKey,
}

impl Template {
    /// From a value's canonical JSON; `None` if no placeholder is in it.
    pub fn of_json(json: &[u8]) -> Option<Template> {
        // Within a text each quotation mark has a backslash before it, so that these bytes stand for nothing else.
        let mut template = Template { bytes: Vec::new(), places: Vec::new(), form: Form::Json };
        let (zero, mut rest) = (Value::Int64(0).to_json_bytes(), 0);
        let into_encoding = br#"{"$integer":""#.len();
        let windows = json.windows(COMMIT_TIMESTAMP.len()).enumerate();
        for (place, _) in windows.filter(|(_, bytes)| *bytes == COMMIT_TIMESTAMP) {
            template.bytes.extend_from_slice(&json[rest..place]);
            template.places.push(template.bytes.len() + into_encoding);
            template.bytes.extend_from_slice(&zero);
            rest = place + COMMIT_TIMESTAMP.len();
        }
        template.finish(&json[rest..])
    }

    /// From a key, in which sort keys stand in the range `keys`, one after another; `None` if no placeholder is in them.
    ///
    /// # Errors
    /// There are no sort keys.
    pub fn of_sort_keys(key: &[u8], keys: Range<usize>) -> Result<Option<Template>, SortKeyError> {
        let places = sort_key::commit_timestamps(key.get(keys.clone()).ok_or(SortKeyError::Truncated)?)?;
        let mut template = Template { bytes: Vec::new(), places: Vec::new(), form: Form::SortKey };
        let (zero, mut rest) = (sort_key::encode_to_vec(Some(&Value::Int64(0))), 0);
        for place in places.into_iter().map(|place| place + keys.start) {
            template.bytes.extend_from_slice(&key[rest..place]);
            template.places.push(template.bytes.len() + 1);
            template.bytes.extend_from_slice(&zero);
            rest = place + 1;
        }
        Ok(template.finish(&key[rest..]))
    }

    fn finish(mut self, rest: &[u8]) -> Option<Template> {
        self.bytes.extend_from_slice(rest);
        (!self.places.is_empty()).then_some(self)
    }

    /// How many bytes there will be.
    pub fn size_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The bytes of the commit with this timestamp.
    pub fn complete(mut self, ts: Timestamp) -> Vec<u8> {
        let number = ts.as_nanos().cast_signed();
        let written = match self.form {
            Form::Json => STANDARD.encode(number.to_le_bytes()).into_bytes(),
            Form::SortKey => sort_key::encode_to_vec(Some(&Value::Int64(number))).split_off(1),
        };
        for place in self.places {
            self.bytes[place..place + written.len()].copy_from_slice(&written);
        }
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Object;

    const TS: Timestamp = Timestamp::from_nanos(1_764_000_000_123_456_789);

    /// The value as it is when the placeholders in it are no more.
    fn completed(value: &Value) -> Value {
        match value {
            Value::CommitTimestamp => Value::Int64(TS.as_nanos().cast_signed()),
            Value::Array(items) => Value::Array(items.iter().map(completed).collect()),
            Value::Object(object) => {
                Value::Object(object.iter().map(|(name, value)| (name.clone(), completed(value))).collect())
            }
            other => other.clone(),
        }
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            2 => Just(Value::CommitTimestamp),
            1 => Just(Value::Null),
            1 => any::<i64>().prop_map(Value::Int64),
            1 => any::<f64>().prop_map(Value::Float64),
            1 => "[\\x00\\x01$a-c\"\\\\{}:]{0,6}|\\{\"\\$commitTs\":null\\}".prop_map(Value::String),
            1 => any::<Vec<u8>>().prop_map(Value::Bytes),
        ];
        leaf.prop_recursive(3, 12, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
                prop::collection::btree_map("[a-c]{1,2}", inner, 0..3)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect::<Object>())),
            ]
        })
    }

    proptest! {
        #[test]
        fn json_is_that_of_the_completed_value(value in any_value()) {
            let template = Template::of_json(&value.to_json_bytes());
            prop_assert_eq!(template.is_some(), value.has_commit_timestamp());
            if let Some(template) = template {
                let expected = completed(&value).to_json_bytes();
                prop_assert_eq!(template.size_bytes(), expected.len());
                prop_assert_eq!(template.complete(TS), expected);
            }
        }

        #[test]
        fn keys_are_those_of_the_completed_values(values in prop::collection::vec(any_value(), 0..4)) {
            let key = |values: &[Value]| {
                let mut key = vec![0x24; 5];
                values.iter().for_each(|value| sort_key::encode(Some(value), &mut key));
                key.extend([0x24; 16]);
                key
            };
            let before = key(&values);
            let template = Template::of_sort_keys(&before, 5..before.len() - 16).unwrap();
            prop_assert_eq!(template.is_some(), values.iter().any(Value::has_commit_timestamp));
            if let Some(template) = template {
                let values: Vec<Value> = values.iter().map(completed).collect();
                prop_assert_eq!(template.complete(TS), key(&values));
            }
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in any::<Vec<u8>>(), from in 0..20_usize, to in 0..20_usize) {
            let _ = (Template::of_json(&bytes), Template::of_sort_keys(&bytes, from..to));
        }
    }
}
