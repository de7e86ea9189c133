//! Ranges of an index: which of its entries a query's bounds leave.
//!
//! Bounds are `eq` on the first fields, in the index's order, then at most one lower and one upper bound on the next
//! field. The creation time is the last field of every index.
use std::cmp::Ordering;

use bytes::Bytes;
use weir_value::{CreationTime, Value, compare, sort_key};

use super::filter::{Comparison, invalid_query};
use super::plan::RangeBound;
use crate::index::Index;
use crate::{DbError, KeyRange, keyspace};

const CREATION_TIME: &str = "_creationTime";

/// The entries of an index that the bounds leave. Empty where they exclude each other.
///
/// # Errors
/// `InvalidQuery`: the bounds are not a range of this index.
pub(super) fn entry_keys(index: &Index, bounds: &[RangeBound]) -> Result<KeyRange, DbError> {
    let fields: Vec<&str> = index.fields.iter().map(String::as_str).chain([CREATION_TIME]).collect();
    let equal_count = bounds.iter().take_while(|bound| bound.comparison == Comparison::Eq).count();
    let (equal, rest) = bounds.split_at(equal_count);
    let mut prefix = keyspace::index_prefix(index.number);
    let mut is_possible = true;
    for (position, bound) in equal.iter().enumerate() {
        check_field(index, &fields, position, bound)?;
        is_possible &= append(&mut prefix, bound) == Appended::Exact;
    }
    let mut keys = KeyRange { start: prefix.clone().into(), end: keyspace::behind_prefix(&prefix) };
    let mut seen = (false, false);
    for bound in rest {
        check_field(index, &fields, equal_count, bound)?;
        let is_lower = matches!(bound.comparison, Comparison::Gt | Comparison::Gte);
        let twice = std::mem::replace(if is_lower { &mut seen.0 } else { &mut seen.1 }, true);
        if bound.comparison == Comparison::Eq || twice {
            return Err(not_a_range(index, &bound.field, "it is compared more often than a range can"));
        }
        restrict(&mut keys, &prefix, bound);
    }
    if !is_possible {
        keys.end = keys.start.clone();
    }
    Ok(keys)
}

/// Whether the bound is of the field that is at its position in the index.
fn check_field(index: &Index, fields: &[&str], position: usize, bound: &RangeBound) -> Result<(), DbError> {
    match fields.get(position) {
        Some(expected) if *expected == bound.field => Ok(()),
        Some(expected) if fields.contains(&bound.field.as_str()) => {
            Err(not_a_range(index, &bound.field, &format!("`{expected}` must be compared by `eq` before")))
        }
        Some(expected) => Err(not_a_range(
            index,
            &bound.field,
            &format!(
                "the next field of the index is `{expected}`; use a filter for fields that are not in it"
            ),
        )),
        None => Err(not_a_range(index, &bound.field, "no field of the index is left")),
    }
}

fn not_a_range(index: &Index, field: &str, why: &str) -> DbError {
    invalid_query(format!(
        "`{field}` cannot be compared here: {why}. Index `{}.{}` is on [{}], then `{CREATION_TIME}`; its fields are compared \
         in this order",
        index.table_name,
        index.name,
        index.fields.join(", ")
    ))
}

/// How a bound's value stands among the values that its field can have.
#[derive(PartialEq, Eq)]
enum Appended {
    /// Its sort key was appended.
    Exact,
    /// It is lower than every value of the field; nothing was appended.
    Lower,
    /// It is higher.
    Higher,
}

/// Appends the sort key of a bound's value. The creation time has one of its own, without a tag: it is a time.
fn append(key: &mut Vec<u8>, bound: &RangeBound) -> Appended {
    if bound.field != CREATION_TIME {
        sort_key::encode(bound.value.as_ref(), key);
        return Appended::Exact;
    }
    match &bound.value {
        Some(Value::Float64(time)) if time.is_sign_negative() => Appended::Lower,
        Some(Value::Float64(time)) => match CreationTime::new(*time) {
            Ok(time) => {
                key.extend_from_slice(&time.sort_bits());
                Appended::Exact
            }
            Err(_) => Appended::Higher,
        },
        other => match compare(Some(&Value::Float64(0.0)), other.as_ref()) {
            Ordering::Less => Appended::Higher,
            _ => Appended::Lower,
        },
    }
}

fn restrict(keys: &mut KeyRange, prefix: &[u8], bound: &RangeBound) {
    let mut key = prefix.to_vec();
    let (start, end) = match append(&mut key, bound) {
        Appended::Exact => (Bytes::from(key.clone()), keyspace::behind_prefix(&key)),
        // As if it stood right before, or right behind, all that there is.
        Appended::Lower => (keys.start.clone(), keys.start.clone()),
        Appended::Higher => (keys.end.clone(), keys.end.clone()),
    };
    match bound.comparison {
        Comparison::Gt => keys.start = end.max(keys.start.clone()),
        Comparison::Gte => keys.start = start.max(keys.start.clone()),
        Comparison::Lt => keys.end = start.min(keys.end.clone()),
        Comparison::Lte => keys.end = end.min(keys.end.clone()),
        Comparison::Eq | Comparison::Neq => {}
    }
}
