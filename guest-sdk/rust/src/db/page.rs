//! Pages: a query's documents some at a time, from call to call.

use serde::{Deserialize, Serialize};

use crate::Doc;
use crate::validator::{DocumentId, Field, Shape, Validator};

/// Which page of a query is wanted: Convex's `paginationOpts`, as an argument and for [`Query::paginate`].
///
/// [`Query::paginate`]: super::Query::paginate
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PaginationOptions {
    /// How many documents a page has at most. A live page grows and shrinks with what is written into it.
    pub num_items: f64,
    /// Where the page begins: the `continue_cursor` of the one before; `None` for the first.
    #[serde(serialize_with = "null_or_text")]
    pub cursor: Option<String>,
    /// Where the page ends, instead of after so many documents.
    #[serde(default)]
    pub end_cursor: Option<String>,
    /// The number that clients give the pages of one list.
    #[serde(default)]
    pub id: Option<f64>,
    /// After how many documents read the page ends, whether or not the filter dropped them.
    #[serde(default)]
    pub maximum_rows_read: Option<f64>,
    /// After how many bytes read the page ends.
    #[serde(default)]
    pub maximum_bytes_read: Option<f64>,
}

/// A page of documents, as `usePaginatedQuery` takes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", bound(serialize = "T: Serialize", deserialize = "T: Deserialize<'de>"))]
pub struct PaginationResult<T> {
    /// The documents, in the query's order.
    pub page: Vec<Doc<T>>,
    /// Whether this is the last page.
    pub is_done: bool,
    /// Where the next page begins.
    pub continue_cursor: String,
    /// Where the page can be split in two.
    #[serde(default, serialize_with = "null_or_text")]
    pub split_cursor: Option<String>,
    /// Whether it should be split.
    #[serde(default, serialize_with = "null_or_status")]
    pub page_status: Option<PageStatus>,
}

/// Whether a page should be read as two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PageStatus {
    /// It is long.
    SplitRecommended,
    /// It is too long to be read to its end.
    SplitRequired,
}

impl PaginationOptions {
    /// The first page, of so many documents.
    pub fn first(num_items: u32) -> Self {
        Self {
            num_items: num_items.into(),
            cursor: None,
            end_cursor: None,
            id: None,
            maximum_rows_read: None,
            maximum_bytes_read: None,
        }
    }

    /// The page from a cursor on.
    #[must_use]
    pub fn after(mut self, cursor: impl Into<String>) -> Self {
        self.cursor = Some(cursor.into());
        self
    }
}

/// A text, or `null` where other fields are left out: clients tell the two apart.
fn null_or_text<S: serde::Serializer>(text: &Option<String>, serializer: S) -> Result<S::Ok, S::Error> {
    null_or(text.as_ref(), serializer)
}

fn null_or_status<S: serde::Serializer>(
    status: &Option<PageStatus>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    null_or(status.as_ref(), serializer)
}

fn null_or<T: Serialize, S: serde::Serializer>(value: Option<&T>, serializer: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => value.serialize(serializer),
        None => serializer.serialize_unit(),
    }
}

fn text_or_null() -> Validator {
    Validator::Union(vec![Validator::String, Validator::Null])
}

fn field(validator: Validator, optional: bool) -> Field {
    Field { validator, optional }
}

impl Shape for PaginationOptions {
    fn validator() -> Validator {
        Validator::object([
            ("numItems", f64::field()),
            ("cursor", field(text_or_null(), false)),
            ("endCursor", field(text_or_null(), true)),
            ("id", <Option<f64>>::field()),
            ("maximumRowsRead", <Option<f64>>::field()),
            ("maximumBytesRead", <Option<f64>>::field()),
        ])
    }
}

impl<T: Shape + DocumentId> Shape for PaginationResult<T> {
    fn validator() -> Validator {
        let literals = ["SplitRecommended", "SplitRequired"].map(Validator::Literal);
        let status = Validator::union(literals.into_iter().chain([Validator::Null]));
        Validator::object([
            ("page", <Vec<Doc<T>>>::field()),
            ("isDone", bool::field()),
            ("continueCursor", String::field()),
            ("splitCursor", field(text_or_null(), true)),
            ("pageStatus", field(status, true)),
        ])
    }
}
