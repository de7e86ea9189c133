//! A query's plan: which keys, in which direction, which of them, how many.
//!
//! Reads nothing: it turns the guest's JSON into a plan, and a plan and what is known of its table into a range of keys.
use std::borrow::Cow;
use std::cmp::Ordering;
use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use smallvec::SmallVec;
use weir_store::Direction;
use weir_value::{CreationTime, DocumentId, ErrorCode, TableNumber, Value, compare};

use super::filter::{Comparison, Filter, invalid_query, parse_value};
use super::page_cursor::Fingerprint;
use super::plan_text;
use crate::index::{Index, TableRules};
use crate::{DbError, KeyRange, keyspace};

const BY_ID: &str = "by_id";
pub(super) const BY_CREATION_TIME: &str = "by_creation_time";

/// A plan as the guest sends it. What of it needs no copy is none: each query is read from such a text.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PlanJson<'a> {
    #[serde(borrow)]
    table: Cow<'a, str>,
    #[serde(borrow, default)]
    index: Option<Name<'a>>,
    #[serde(borrow, default)]
    range: Vec<BoundJson<'a>>,
    #[serde(default)]
    order: Option<Order>,
    #[serde(default)]
    filter: Option<Json>,
    #[serde(default, skip_serializing)]
    limit: Option<u64>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct BoundJson<'a> {
    #[serde(borrow)]
    op: Cow<'a, str>,
    #[serde(borrow)]
    field: Cow<'a, str>,
    value: Json,
}

/// serde borrows a `Cow` only where it is a field itself.
#[derive(Deserialize, Serialize)]
#[serde(transparent)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

#[derive(Deserialize, Serialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum Order {
    Asc,
    Desc,
}

impl<'a> PlanJson<'a> {
    fn parse(json: &'a [u8]) -> Result<PlanJson<'a>, DbError> {
        serde_json::from_slice(json)
            .map_err(|error| invalid_query(format!("the query's plan cannot be read: {error}")))
    }

    /// The same plan with its defaults, and with all numbers in one form: a cursor is one of a query, however that was
    /// written.
    fn spelt_out(mut self) -> PlanJson<'a> {
        self.index.get_or_insert(Name(Cow::Borrowed(BY_CREATION_TIME)));
        self.order.get_or_insert(Order::Asc);
        for bound in &mut self.range {
            spell_numbers(&mut bound.value);
        }
        self.filter.iter_mut().for_each(spell_numbers);
        self
    }
}

fn spell_numbers(json: &mut Json) {
    match json {
        Json::Number(number) => *json = number.as_f64().map_or(Json::Null, Json::from),
        Json::Array(items) => items.iter_mut().for_each(spell_numbers),
        Json::Object(fields) => fields.values_mut().for_each(spell_numbers),
        Json::Null | Json::Bool(_) | Json::String(_) => {}
    }
}

/// A comparison of one of the index's fields.
#[derive(Debug)]
pub(super) struct RangeBound<'a> {
    pub(super) comparison: Comparison,
    pub(super) field: Cow<'a, str>,
    /// `None` is `undefined`.
    pub(super) value: Option<Value>,
}

/// Most ranges have one bound.
pub(super) type Bounds<'a> = SmallVec<[RangeBound<'a>; 1]>;

/// A query, checked as far as it can be without its table.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    pub(crate) table: Cow<'a, str>,
    pub(crate) direction: Direction,
    pub(crate) filter: Option<Arc<Filter>>,
    /// How many rows are wanted.
    pub(crate) limit: Option<u64>,
    /// The index's name.
    pub(crate) index: Cow<'a, str>,
    pub(super) bounds: Bounds<'a>,
}

/// Where a query's rows come from.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    /// The table itself, which both built-in indexes are.
    Documents,
    /// The entries of an index.
    Entries(Arc<Index>),
}

impl<'a> Plan<'a> {
    /// Reads a plan.
    pub(crate) fn parse(json: &'a [u8]) -> Result<Plan<'a>, DbError> {
        plan_text::read(json).map_or_else(|| Plan::parse_any(json), Ok)
    }

    pub(super) fn parse_any(json: &'a [u8]) -> Result<Plan<'a>, DbError> {
        Plan::new(PlanJson::parse(json)?)
    }

    /// Reads the plan of a query whose pages are read one at a time.
    pub(crate) fn parse_for_pages(json: &'a [u8]) -> Result<(Plan<'a>, Fingerprint), DbError> {
        let plan = PlanJson::parse(json)?.spelt_out();
        let fingerprint = Fingerprint::of(&plan);
        Ok((Plan::new(plan)?, fingerprint))
    }

    fn new(plan: PlanJson<'a>) -> Result<Plan<'a>, DbError> {
        let bounds = plan.range.into_iter().map(parse_bound).collect::<Result<_, _>>()?;
        let filter = plan.filter.as_ref().map(Filter::parse).transpose()?.map(Arc::new);
        let direction = match plan.order.unwrap_or(Order::Asc) {
            Order::Asc => Direction::Ascending,
            Order::Desc => Direction::Descending,
        };
        let index = plan.index.map_or(Cow::Borrowed(BY_CREATION_TIME), |Name(name)| name);
        Ok(Plan { table: plan.table, direction, filter, limit: plan.limit, index, bounds })
    }

    /// Whether it is about a whole table, in whatever order.
    pub(crate) fn is_whole_table(&self) -> bool {
        self.bounds.is_empty() && BuiltIn::parse(&self.index).is_some()
    }

    /// The rows that it reads of a table: where they are, and which keys its range leaves of them. Empty where the bounds
    /// exclude each other.
    ///
    /// # Errors
    /// `IndexNotFound`, or a range that is not one of the index.
    pub(crate) fn resolve(
        &self,
        table: Option<TableNumber>,
        rules: Option<&TableRules>,
    ) -> Result<(Source, KeyRange), DbError> {
        if let Some(built_in) = BuiltIn::parse(&self.index) {
            let keys = built_in.keys(self, table)?;
            return Ok((Source::Documents, keys));
        }
        let Some(index) = rules.and_then(|rules| rules.index(&self.index)) else {
            return Err(self.no_such_index(rules));
        };
        if !index.is_readable() {
            return Err(self.not_readable(index));
        }
        let keys = super::range::entry_keys(index, &self.bounds)?;
        Ok((Source::Entries(index.clone()), keys))
    }

    fn no_such_index(&self, rules: Option<&TableRules>) -> DbError {
        let mut names: Vec<&str> = vec![BY_ID, BY_CREATION_TIME];
        names.extend(rules.into_iter().flat_map(|rules| &rules.indexes).map(|index| &*index.name));
        let (table, index) = (&self.table, &self.index);
        DbError::new(
            ErrorCode::IndexNotFound,
            format!(
                "Index `{table}.{index}` not found: the table has {}. Declare it in the schema and deploy again.",
                names.join(", ")
            ),
        )
    }

    fn not_readable(&self, index: &Index) -> DbError {
        let (table, name) = (&self.table, &self.index);
        let message = match (index.staged, index.state) {
            (true, _) => format!(
                "Index `{table}.{name}` is staged and cannot be queried: declare it without `staged` and deploy again."
            ),
            _ => format!(
                "Index `{table}.{name}` is still being built: it can be queried when the deployment that adds it is in \
                 force."
            ),
        };
        DbError::new(ErrorCode::IndexNotReady, message)
    }
}

/// The built-in indexes: two names for one order of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BuiltIn {
    ByCreationTime,
    ById,
}

impl BuiltIn {
    fn parse(name: &str) -> Option<BuiltIn> {
        match name {
            BY_CREATION_TIME => Some(BuiltIn::ByCreationTime),
            BY_ID => Some(BuiltIn::ById),
            _ => None,
        }
    }

    fn field(self) -> &'static str {
        match self {
            BuiltIn::ByCreationTime => "_creationTime",
            BuiltIn::ById => "_id",
        }
    }

    /// A value of the type that the index's field always has.
    fn sample(self) -> Value {
        match self {
            BuiltIn::ByCreationTime => Value::Float64(0.0),
            BuiltIn::ById => Value::String(String::new()),
        }
    }

    /// Whether a bound is of the id, among documents of one creation time: the next field of that index.
    fn is_tie_break(self, bound: &RangeBound<'_>, before: &[RangeBound<'_>]) -> bool {
        let has_time = before.iter().any(|bound| bound.comparison == Comparison::Eq);
        self == BuiltIn::ByCreationTime && bound.field == BuiltIn::ById.field() && has_time
    }

    /// The keys that a plan's range leaves of the table.
    fn keys(self, plan: &Plan<'_>, table: Option<TableNumber>) -> Result<KeyRange, DbError> {
        for (position, bound) in plan.bounds.iter().enumerate() {
            if bound.field != self.field() && !self.is_tie_break(bound, &plan.bounds[..position]) {
                return Err(invalid_query(format!(
                    "the range compares `{}`, but the index is on `{}`; use a filter for other fields",
                    bound.field,
                    self.field()
                )));
            }
        }
        let Some(table) = table else { return Ok(KeyRange { start: Bytes::new(), end: Bytes::new() }) };
        let mut keys = keyspace::documents(table);
        for bound in &plan.bounds {
            let field = if bound.field == self.field() { self } else { BuiltIn::ById };
            let allowed = field.allowed(bound, table, &plan.table)?;
            keys.start = keys.start.max(allowed.start);
            keys.end = keys.end.min(allowed.end);
        }
        Ok(keys)
    }

    fn allowed(self, bound: &RangeBound<'_>, table: TableNumber, name: &str) -> Result<KeyRange, DbError> {
        let all = keyspace::documents(table);
        let none = KeyRange { start: all.end.clone(), end: all.start.clone() };
        let equal = match (&bound.value, self) {
            (Some(Value::Float64(time)), BuiltIn::ByCreationTime) => created_at(*time, table),
            (Some(Value::String(id)), BuiltIn::ById) => Position::At(key_of(id, table, name)?),
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
            "`_id` is compared with `{id}`, which is not an id of table `{table_name}`"
        ))),
    }
}

fn parse_bound(bound: BoundJson<'_>) -> Result<RangeBound<'_>, DbError> {
    let comparison = Comparison::parse(&bound.op).filter(|comparison| *comparison != Comparison::Neq);
    let Some(comparison) = comparison else {
        let op = &bound.op;
        return Err(invalid_query(format!(
            "`{op}` is not a comparison of a range; there are eq gt gte lt lte"
        )));
    };
    Ok(RangeBound { comparison, field: bound.field, value: parse_value(&bound.value)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fingerprint(plan: &str) -> Fingerprint {
        Plan::parse_for_pages(plan.as_bytes()).unwrap().1
    }

    #[test]
    fn a_query_is_the_same_however_it_is_written() {
        let short = r#"{"table":"t","filter":{"$eq":[{"$field":"n"},{"$literal":1}]}}"#;
        let long = r#"{"table":"t","index":"by_creation_time","range":[],"order":"asc",
            "filter":{"$eq":[{"$field":"n"},{"$literal":1.0}]}}"#;
        assert_eq!(fingerprint(short), fingerprint(long));
        let bound = |number: &str| {
            fingerprint(&format!(
                r#"{{"table":"t","index":"i","range":[{{"op":"gt","field":"n","value":{number}}}]}}"#
            ))
        };
        assert_eq!(bound("2"), bound("2.0"));
        assert_ne!(bound("2"), bound("2.5"));
        for other in [r#"{"table":"t"}"#, r#"{"table":"u"}"#, r#"{"table":"t","order":"desc"}"#] {
            assert_ne!(fingerprint(short), fingerprint(other), "{other}");
        }
    }
}
