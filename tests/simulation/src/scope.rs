//! What a program's queries, counts and pages are about: a table, an index of it, a range, an order, a filter; and where
//! pages end.
//!
//! Not here: which rows that are (see `replay`).

use std::fmt::Write as _;
use std::sync::Arc;

use weir_value::DocumentId;

use crate::documents::DocId;
use crate::program::{DocRef, Fields, Other};
use crate::schemas::Field;

/// Which order of a table's documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    ById,
    ByCreation,
    /// An index of a schema, by its name.
    Index(&'static str),
}

/// What a bound of a range compares with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place<D> {
    /// A document's place in a built-in index.
    Document(D),
    /// A value of a field of the index.
    Value(Field, Other),
}

/// The bounds of a range, each with its comparison.
pub(crate) type Bounds<D> = Vec<(&'static str, Place<D>)>;

/// Some documents of a table, in some order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scope {
    pub(crate) table: &'static str,
    pub(crate) source: Source,
    pub(crate) descending: bool,
    pub(crate) bounds: Bounds<DocRef>,
    /// Keeps documents whose number is lower.
    pub(crate) below: Option<u32>,
}

impl Scope {
    /// The plan without a limit, and without its last brace.
    pub(crate) fn plan(&self, bounds: &Bounds<DocId>) -> String {
        let order = if self.descending { "desc" } else { "asc" };
        let (index, place) = match self.source {
            Source::ById => ("by_id", "_id"),
            Source::ByCreation => ("by_creation_time", "_creationTime"),
            Source::Index(name) => (name, ""),
        };
        let mut plan = format!(r#"{{"table":"{}","index":"{index}","order":"{order}","range":["#, self.table);
        for (at, (op, bound)) in bounds.iter().enumerate() {
            let comma = if at > 0 { "," } else { "" };
            let (field, value) = match bound {
                Place::Document(id) if self.source == Source::ById => (place, format!("\"{}\"", id.text)),
                Place::Document(id) => (place, id.creation_time_json()),
                Place::Value(field, value) => (field.name(), value.json()),
            };
            let _ = write!(plan, r#"{comma}{{"op":"{op}","field":"{field}","value":{value}}}"#);
        }
        plan.push(']');
        if let Some(below) = self.below {
            let _ = write!(plan, r#","filter":{{"$lt":[{{"$field":"n"}},{{"$literal":{below}}}]}}"#);
        }
        plan
    }
}

/// Where a document stands in an index: what its fields are, then its id.
pub(crate) type Position = (Vec<Option<Other>>, DocumentId);

/// The position of a document in an index on these fields. Absent values come first.
pub(crate) fn position(index: &[Field], id: &DocumentId, fields: &Fields) -> Position {
    (index.iter().map(|field| field.of(fields)).collect(), *id)
}

/// What a page ends behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum After {
    Row(Position),
    All,
}

/// Where a page ended, as a client carries it to another call.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Cursor {
    pub(crate) text: Arc<str>,
    pub(crate) after: After,
    /// The fields of the index that it stands in; none for a built-in one.
    pub(crate) fields: Vec<Field>,
}

impl std::fmt::Debug for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "behind {:?} of {:?}", self.after, self.fields)
    }
}

/// A page as a program sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PageSeen {
    /// With commas between them.
    pub(crate) documents: bytes::Bytes,
    pub(crate) cursor: Arc<str>,
    pub(crate) is_done: bool,
}
