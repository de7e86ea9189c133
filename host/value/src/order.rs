//! The total order across types, which equality and hashing follow. Sort keys keep it byte for
//! byte; they live in `sort_key`.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

use crate::Value;

/// Compares two values where either may be missing: `undefined` (`None`) is the lowest.
///
/// undefined < null < int64 < the commit timestamp to come < float64 (IEEE total order: -NaN < -Inf .. -0 < 0 .. Inf < NaN) <
/// boolean (false < true) < string (UTF-8 bytes) < bytes < array (item by item, then the shorter)
/// < object (by its sorted pairs of name and value).
pub fn compare(a: Option<&Value>, b: Option<&Value>) -> Ordering {
    a.cmp(&b)
}

/// The place of the value's type in the order.
fn rank(value: &Value) -> u8 {
    match value {
        Value::Null => 0,
        Value::Int64(_) => 1,
        Value::CommitTimestamp => 2,
        Value::Float64(_) => 3,
        Value::Boolean(_) => 4,
        Value::String(_) => 5,
        Value::Bytes(_) => 6,
        Value::Array(_) => 7,
        Value::Object(_) => 8,
    }
}

impl Ord for Value {
    fn cmp(&self, other: &Value) -> Ordering {
        match (self, other) {
            (Value::Int64(a), Value::Int64(b)) => a.cmp(b),
            (Value::Float64(a), Value::Float64(b)) => a.total_cmp(b),
            (Value::Boolean(a), Value::Boolean(b)) => a.cmp(b),
            (Value::String(a), Value::String(b)) => a.as_bytes().cmp(b.as_bytes()),
            (Value::Bytes(a), Value::Bytes(b)) => a.cmp(b),
            (Value::Array(a), Value::Array(b)) => a.cmp(b),
            (Value::Object(a), Value::Object(b)) => a.cmp(b),
            _ => rank(self).cmp(&rank(other)),
        }
    }
}

impl PartialOrd for Value {
    fn partial_cmp(&self, other: &Value) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::Float64(a), Value::Float64(b)) => a.to_bits() == b.to_bits(),
            (Value::String(a), Value::String(b)) => a == b,
            (Value::Bytes(a), Value::Bytes(b)) => a == b,
            (Value::Array(a), Value::Array(b)) => a == b,
            (Value::Object(a), Value::Object(b)) => a == b,
            _ => self.cmp(other) == Ordering::Equal,
        }
    }
}

impl Eq for Value {}

impl Hash for Value {
    fn hash<H: Hasher>(&self, state: &mut H) {
        rank(self).hash(state);
        match self {
            Value::Null | Value::CommitTimestamp => {}
            Value::Int64(number) => number.hash(state),
            Value::Float64(number) => number.to_bits().hash(state),
            Value::Boolean(flag) => flag.hash(state),
            Value::String(text) => text.hash(state),
            Value::Bytes(bytes) => bytes.hash(state),
            Value::Array(items) => items.hash(state),
            Value::Object(object) => object.hash(state),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::hash::DefaultHasher;

    use super::*;
    use crate::Object;

    fn hash(value: &Value) -> u64 {
        let mut hasher = DefaultHasher::new();
        value.hash(&mut hasher);
        hasher.finish()
    }

    /// Every pair of neighbours is strictly ascending, so every pair is.
    fn ascending() -> Vec<Option<Value>> {
        let floats =
            [-f64::NAN, f64::NEG_INFINITY, -1.5, -f64::MIN_POSITIVE, -0.0, 0.0, 5e-324, 1.0, f64::MAX];
        let mut values = vec![None, Some(Value::Null)];
        values.extend([i64::MIN, -1, 0, 1, i64::MAX].map(|number| Some(Value::from(number))));
        values.push(Some(Value::CommitTimestamp));
        values.extend(floats.map(|number| Some(Value::from(number))));
        values.extend([f64::INFINITY, f64::NAN].map(|number| Some(Value::from(number))));
        values.extend([false, true].map(|flag| Some(Value::from(flag))));
        values
            .extend(["", "\0", "\0\0", "A", "a", "a\0", "ab", "é", "日", "😀"].map(|text| Some(text.into())));
        values
            .extend([&[][..], &[0], &[0, 0], &[0, 255], &[1], &[255]].map(|b| Some(Value::from(b.to_vec()))));
        let arrays = [vec![], vec![Value::Null], vec![Value::Null, Value::Null], vec![Value::from(1_i64)]];
        values.extend(arrays.map(|items| Some(Value::from(items))));
        values.push(Some(Value::from(Object::new())));
        let object = |fields: &[(&str, i64)]| {
            fields.iter().map(|&(name, number)| (name.to_owned(), Value::from(number))).collect::<Object>()
        };
        let objects =
            [&[("a", 1)][..], &[("a", 1), ("b", 1)], &[("a", 1), ("c", 0)], &[("a", 2)], &[("b", 0)]];
        values.extend(objects.map(|fields| Some(Value::from(object(fields)))));
        values
    }

    #[test]
    fn the_order_across_types() {
        let values = ascending();
        for (i, a) in values.iter().enumerate() {
            for (j, b) in values.iter().enumerate() {
                assert_eq!(compare(a.as_ref(), b.as_ref()), i.cmp(&j), "{a:?} and {b:?}");
                assert_eq!(a == b, i == j, "{a:?} and {b:?}");
                assert_eq!(a.as_ref().map(hash) == b.as_ref().map(hash), i == j, "{a:?} and {b:?}");
            }
        }
    }
}
