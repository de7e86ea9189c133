//! A query's plan: which keys, in which direction, which of them, how many.
//!
//! Reads nothing: it turns the guest's JSON into a plan, and a plan and a table number into a range of keys.
use std::cmp::Ordering;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value as Json;
use weir_store::Direction;
use weir_value::{CreationTime, DocumentId, TableNumber, Value, compare};

use super::filter::{Comparison, Filter, invalid_query, parse_value};
use crate::{DbError, KeyRange, keyspace};

/// A plan as the guest sends it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanJson {
    table: String,
    #[serde(default)]
    index: Option<String>,
    #[serde(default)]
    range: Vec<BoundJson>,
    #[serde(default)]
    order: Option<Order>,
    #[serde(default)]
    filter: Option<Json>,
    #[serde(default)]
    limit: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BoundJson {
    op: String,
    field: String,
    value: Json,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum Order {
    Asc,
    Desc,
}

/// The built-in indexes: two names for one order of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Index {
    ByCreationTime,
    ById,
}

impl Index {
    fn parse(name: Option<&str>, table: &str) -> Result<Index, DbError> {
        match name {
            None | Some("by_creation_time") => Ok(Index::ByCreationTime),
            Some("by_id") => Ok(Index::ById),
            Some(other) => Err(DbError::new(
                "IndexNotFound",
                format!(
                    "Table `{table}` has no index `{other}`. It has the built-in ones, by_creation_time and by_id; \
                     indexes of your own are not there yet."
                ),
            )),
        }
    }

    fn field(self) -> &'static str {
        match self {
            Index::ByCreationTime => "_creationTime",
            Index::ById => "_id",
        }
    }

    /// A value of the type that the index's field always has.
    fn sample(self) -> Value {
        match self {
            Index::ByCreationTime => Value::Float64(0.0),
            Index::ById => Value::String(String::new()),
        }
    }
}

/// A comparison of the index's field.
#[derive(Debug)]
struct RangeBound {
    comparison: Comparison,
    /// `None` is `undefined`.
    value: Option<Value>,
}

/// A query, checked as far as it can be without its table.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) table: String,
    pub(crate) direction: Direction,
    pub(crate) filter: Option<Arc<Filter>>,
    /// How many rows are wanted.
    pub(crate) limit: Option<u64>,
    index: Index,
    bounds: Vec<RangeBound>,
}

impl Plan {
    /// Reads a plan.
    pub(crate) fn parse(json: &[u8]) -> Result<Plan, DbError> {
        let plan: PlanJson = serde_json::from_slice(json)
            .map_err(|error| invalid_query(format!("the query's plan cannot be read: {error}")))?;
        let index = Index::parse(plan.index.as_deref(), &plan.table)?;
        let bounds = plan.range.iter().map(|bound| parse_bound(bound, index)).collect::<Result<_, _>>()?;
        let filter = plan.filter.as_ref().map(Filter::parse).transpose()?.map(Arc::new);
        let direction = match plan.order.unwrap_or(Order::Asc) {
            Order::Asc => Direction::Ascending,
            Order::Desc => Direction::Descending,
        };
        Ok(Plan { table: plan.table, direction, filter, limit: plan.limit, index, bounds })
    }

    /// The keys that its range leaves of the table. Empty where the bounds exclude each other.
    pub(crate) fn keys(&self, table: TableNumber) -> Result<KeyRange, DbError> {
        let mut keys = keyspace::documents(table);
        for bound in &self.bounds {
            let allowed = self.allowed(bound, table)?;
            keys.start = keys.start.max(allowed.start);
            keys.end = keys.end.min(allowed.end);
        }
        Ok(keys)
    }

    fn allowed(&self, bound: &RangeBound, table: TableNumber) -> Result<KeyRange, DbError> {
        let all = keyspace::documents(table);
        let none = KeyRange { start: all.end.clone(), end: all.start.clone() };
        let equal = match (&bound.value, self.index) {
            (Some(Value::Float64(time)), Index::ByCreationTime) => created_at(*time, table),
            (Some(Value::String(id)), Index::ById) => Position::At(key_of(id, table, &self.table)?),
            (other, index) => match compare(Some(&index.sample()), other.as_ref()) {
                Ordering::Less => Position::Behind,
                _ => Position::Before,
            },
        };
        Ok(match equal {
            Position::At(keys) => restrict(bound.comparison, all, keys),
            Position::Before if bound.comparison.holds(Ordering::Greater) => all,
            Position::Behind if bound.comparison.holds(Ordering::Less) => all,
            Position::Before | Position::Behind => none,
        })
    }
}

/// Where the keys stand that are equal to a bound.
enum Position {
    At(KeyRange),
    /// The bound is lower than every key.
    Before,
    /// The bound is higher than every key.
    Behind,
}

fn restrict(comparison: Comparison, all: KeyRange, equal: KeyRange) -> KeyRange {
    match comparison {
        Comparison::Lt => KeyRange { start: all.start, end: equal.start },
        Comparison::Lte => KeyRange { start: all.start, end: equal.end },
        Comparison::Gt => KeyRange { start: equal.end, end: all.end },
        Comparison::Gte => KeyRange { start: equal.start, end: all.end },
        // `$neq` is refused by `parse_bound`.
        Comparison::Eq | Comparison::Neq => equal,
    }
}

fn created_at(time: f64, table: TableNumber) -> Position {
    // Documents have finite times from 0 on; IEEE's total order says on which side the others are.
    if time.is_sign_negative() {
        return Position::Before;
    }
    match CreationTime::new(time) {
        Ok(time) => {
            let prefix = keyspace::created_at(table, time);
            Position::At(KeyRange { start: prefix.to_vec().into(), end: keyspace::behind_prefix(&prefix) })
        }
        Err(_) => Position::Behind,
    }
}

fn key_of(id: &str, table: TableNumber, table_name: &str) -> Result<KeyRange, DbError> {
    match DocumentId::parse(id) {
        Ok(id) if id.table == table => {
            let start = keyspace::document_key(&id);
            Ok(KeyRange { end: keyspace::successor(&start), start })
        }
        _ => Err(invalid_query(format!(
            "`_id` is compared with `{id}`, which is no id of table `{table_name}`"
        ))),
    }
}

fn parse_bound(bound: &BoundJson, index: Index) -> Result<RangeBound, DbError> {
    let comparison = Comparison::parse(&bound.op).filter(|comparison| *comparison != Comparison::Neq);
    let Some(comparison) = comparison else {
        let op = &bound.op;
        return Err(invalid_query(format!("`{op}` is no comparison of a range; there are eq gt gte lt lte")));
    };
    if bound.field != index.field() {
        return Err(invalid_query(format!(
            "the range compares `{}`, but the index is on `{}`; use a filter for other fields",
            bound.field,
            index.field()
        )));
    }
    Ok(RangeBound { comparison, value: parse_value(&bound.value)? })
}
