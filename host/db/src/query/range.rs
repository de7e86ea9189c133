//! Ranges of an index: which of its entries a query's bounds leave.
//!
//! Bounds are `eq` on the first fields, in the index's order, then at most one lower and one upper bound on the next
//! field. The creation time and the id are the last fields of every index.
use std::cmp::Ordering;

use bytes::Bytes;
use weir_value::{CreationTime, DocumentId, Value, compare, sort_key};

use super::filter::{Comparison, invalid_query};
use super::plan::RangeBound;
use crate::index::Index;
use crate::{DbError, KeyRange, keyspace};

const CREATION_TIME: &str = "_creationTime";
const ID: &str = "_id";

/// The entries of an index that the bounds leave. Empty where they exclude each other.
///
/// # Errors
/// `InvalidQuery`: the bounds are not a range of this index.
pub(super) fn entry_keys(index: &Index, bounds: &[RangeBound<'_>]) -> Result<KeyRange, DbError> {
    let equal_count = bounds.iter().take_while(|bound| bound.comparison == Comparison::Eq).count();
    let (equal, rest) = bounds.split_at(equal_count);
    let mut prefix = keyspace::index_prefix(index.number);
    let mut is_possible = true;
    for (position, bound) in equal.iter().enumerate() {
        check_field(index, position, bound)?;
        is_possible &= append(index, &mut prefix, bound)? == Appended::Exact;
    }
    let mut keys = keyspace::with_prefix(prefix);
    let prefix = if rest.is_empty() { Bytes::new() } else { keys.start.clone() };
    let mut seen = (false, false);
    for bound in rest {
        check_field(index, equal_count, bound)?;
        let is_lower = matches!(bound.comparison, Comparison::Gt | Comparison::Gte);
        let twice = std::mem::replace(if is_lower { &mut seen.0 } else { &mut seen.1 }, true);
        if bound.comparison == Comparison::Eq || twice {
            return Err(not_a_range(index, &bound.field, "it is compared more often than a range can"));
        }
        restrict(index, &mut keys, &prefix, bound)?;
    }
    if !is_possible {
        keys.end = keys.start.clone();
    }
    Ok(keys)
}

/// Whether the bound is of the field that is at its position in the index.
fn check_field(index: &Index, position: usize, bound: &RangeBound<'_>) -> Result<(), DbError> {
    let mut fields = index.fields.iter().map(String::as_str).chain([CREATION_TIME, ID]);
    match fields.clone().nth(position) {
        Some(expected) if expected == bound.field => Ok(()),
        Some(expected) if fields.any(|field| field == bound.field) => {
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

/// Appends the sort key of a bound's value. Creation time and id have others than values have: their types are known.
fn append(index: &Index, key: &mut Vec<u8>, bound: &RangeBound<'_>) -> Result<Appended, DbError> {
    Ok(match &*bound.field {
        CREATION_TIME => append_time(key, bound.value.as_ref()),
        ID => append_id(index, key, bound.value.as_ref())?,
        _ => {
            sort_key::encode(bound.value.as_ref(), key);
            Appended::Exact
        }
    })
}

fn append_time(key: &mut Vec<u8>, value: Option<&Value>) -> Appended {
    match value {
        Some(Value::Float64(time)) if time.is_sign_negative() => Appended::Lower,
        Some(Value::Float64(time)) => match CreationTime::new(*time) {
            Ok(time) => {
                key.extend_from_slice(&time.sort_bits());
                Appended::Exact
            }
            Err(_) => Appended::Higher,
        },
        other => beside(&Value::Float64(0.0), other),
    }
}

/// The documents that are left have one creation time, the key's last bytes; an id says its own, and what it adds.
fn append_id(index: &Index, key: &mut Vec<u8>, value: Option<&Value>) -> Result<Appended, DbError> {
    let id = match value {
        Some(Value::String(text)) => {
            DocumentId::parse(text).ok().filter(|id| id.table == index.table).ok_or_else(|| {
                let table = &index.table_name;
                invalid_query(format!(
                    "`{ID}` is compared with `{text}`, which is not an id of table `{table}`"
                ))
            })?
        }
        other => return Ok(beside(&Value::String(String::new()), other)),
    };
    let time = id.creation_time.sort_bits();
    Ok(match time.as_slice().cmp(&key[key.len().saturating_sub(time.len())..]) {
        Ordering::Less => Appended::Lower,
        Ordering::Greater => Appended::Higher,
        Ordering::Equal => {
            key.extend_from_slice(&id.random);
            Appended::Exact
        }
    })
}

/// Where a value of another type stands among those of a field, of whose type `sample` is.
fn beside(sample: &Value, value: Option<&Value>) -> Appended {
    match compare(Some(sample), value) {
        Ordering::Less => Appended::Higher,
        _ => Appended::Lower,
    }
}

fn restrict(
    index: &Index,
    keys: &mut KeyRange,
    prefix: &[u8],
    bound: &RangeBound<'_>,
) -> Result<(), DbError> {
    let mut key = prefix.to_vec();
    let (start, end) = match append(index, &mut key, bound)? {
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
    Ok(())
}
