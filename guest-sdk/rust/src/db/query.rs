//! Queries of a table: what is asked, and the rows that come back in batches.

use std::marker::PhantomData;
use std::vec;

use serde::de::DeserializeOwned;

use super::filter::{Expression, Row};
use super::page::{PaginationOptions, PaginationResult};
use super::range::{AnyIndex, AnyRange, Range};
use crate::doc::{CREATION_TIME_FIELD, ID_FIELD};
use crate::failure::{Context, Error, Result};
use crate::json::{self, JsonError};
use crate::{Doc, Id, host};

/// The order of a query's documents, by the index that it reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The lowest first: with `by_creation_time`, the oldest.
    Asc,
    /// The highest first: with `by_creation_time`, the newest.
    Desc,
}

/// A query of one table that has not been asked yet. By itself it gives all
/// documents, the oldest first.
#[derive(Debug)]
#[must_use = "a query reads nothing before it is ended, with `collect` for instance"]
pub struct Query<'db, T> {
    table: String,
    index: Option<String>,
    range: Vec<u8>,
    filter: Option<Expression>,
    order: Order,
    /// What is wrong with it, told when it is asked.
    error: Option<Error>,
    of: PhantomData<&'db T>,
}

impl<'db, T> Query<'db, T> {
    pub(super) fn new(table: &str) -> Self {
        Self {
            table: table.to_owned(),
            index: None,
            range: Vec::new(),
            filter: None,
            order: Order::Asc,
            error: None,
            of: PhantomData,
        }
    }

    /// A query that cannot be asked.
    pub(super) fn refused(table: &str, error: Error) -> Self {
        Self { error: Some(error), ..Self::new(table) }
    }

    /// Reads a range of an index, in its order. The index is a constant that [`#[document]`](crate::document) made of
    /// the type, or a name:
    ///
    /// ```
    /// # use weir::prelude::*;
    /// #[document("tasks", index(by_team_rank = [team, rank]))]
    /// struct Task {
    ///     team: String,
    ///     rank: f64,
    /// }
    ///
    /// # fn urgent(ctx: &QueryCtx) -> Result<()> {
    /// let typed = ctx.db.query("tasks").with_index(Task::BY_TEAM_RANK, |range| range.eq("red").gte(5.0));
    /// let named = ctx
    ///     .db
    ///     .query::<Task>("tasks")
    ///     .with_index("by_team_rank", |range| range.eq("team", "red").gte("rank", 5.0));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// `|range| range` reads all of it.
    pub fn with_index<I: AnyIndex<T>, R: AnyRange>(
        mut self,
        index: I,
        range: impl FnOnce(I::Range) -> R,
    ) -> Self {
        let (name, whole) = index.into_parts();
        self.index = Some(name);
        self.bounded(range(whole).into_text())
    }

    fn bounded(mut self, (range, error): (Vec<u8>, Option<JsonError>)) -> Self {
        self.range = range;
        if let (Some(error), None) = (error, &self.error) {
            self.error = Some(Error::from(error).context("in the range of an index"));
        }
        self
    }

    /// Reads a range of creation times, in milliseconds since the epoch:
    /// `.by_creation_time(|time| time.gte(start).lt(end))`.
    pub fn by_creation_time(mut self, range: impl FnOnce(Range<f64>) -> Range<f64>) -> Self {
        self.index = Some("by_creation_time".to_owned());
        self.bounded(range(Range::new(CREATION_TIME_FIELD)).into_text())
    }

    /// Reads a range of ids, in the order of their texts:
    /// `.by_id(|id| id.gt(&last))`.
    pub fn by_id<'id>(mut self, range: impl FnOnce(Range<&'id Id<T>>) -> Range<&'id Id<T>>) -> Self
    where
        T: 'id,
    {
        self.index = Some("by_id".to_owned());
        self.bounded(range(Range::new(ID_FIELD)).into_text())
    }

    /// Sets the order; without it, [`Order::Asc`].
    pub fn order(mut self, order: Order) -> Self {
        self.order = order;
        self
    }

    /// Leaves out the documents for which the condition does not hold; they
    /// count as read: `.filter(|doc| doc.field("user").eq("ada"))`. Where there
    /// are several, all must hold.
    pub fn filter(mut self, condition: impl FnOnce(Row) -> Expression) -> Self {
        let condition = condition(Row::new());
        self.filter = Some(match self.filter.take() {
            Some(earlier) => earlier.and(condition),
            None => condition,
        });
        self
    }

    fn plan(&self, limit: Option<u32>) -> Vec<u8> {
        let mut plan = Vec::with_capacity(128);
        plan.extend_from_slice(br#"{"table":"#);
        // A text can always be written.
        plan.extend_from_slice(&json::to_vec(&self.table).unwrap_or_default());
        if let Some(index) = &self.index {
            plan.extend_from_slice(br#","index":"#);
            plan.extend_from_slice(&json::to_vec(index).unwrap_or_default());
        }
        if !self.range.is_empty() {
            plan.extend_from_slice(br#","range":"#);
            plan.extend_from_slice(&self.range);
            plan.push(b']');
        }
        if self.order == Order::Desc {
            plan.extend_from_slice(br#","order":"desc""#);
        }
        if let Some(filter) = &self.filter {
            plan.extend_from_slice(br#","filter":"#);
            plan.extend_from_slice(filter.as_json());
        }
        if let Some(limit) = limit {
            plan.extend_from_slice(br#","limit":"#);
            plan.extend_from_slice(limit.to_string().as_bytes());
        }
        plan.push(b'}');
        plan
    }

    /// How many documents there are: of a table in constant time, of a range of an index by its entries, each of
    /// which counts as a document read. The documents themselves are not read.
    ///
    /// # Errors
    /// `InvalidQuery`, also for a query with a filter; `IndexNotFound`, `IndexNotReady`, and the limits.
    pub fn count(mut self) -> Result<u64> {
        match self.error.take() {
            Some(error) => Err(error),
            None => host::db::count(&self.plan(None)).map_err(Error::from_host),
        }
    }
}

impl<'db, T: DeserializeOwned> Query<'db, T> {
    fn rows(mut self, limit: Option<u32>) -> Rows<'db, T> {
        let next = match self.error.take() {
            Some(error) => Next::Refuse(error),
            None => Next::Begin(self.plan(limit)),
        };
        Rows { table: self.table, documents: Vec::new().into_iter(), next, of: PhantomData }
    }

    /// The first `limit` documents; fewer if there are fewer.
    ///
    /// # Errors
    /// `InvalidQuery`, the limits, and a document that is no `T`.
    pub fn take(self, limit: u32) -> Result<Vec<Doc<T>>> {
        self.rows(Some(limit)).all()
    }

    /// All documents. Mind that a call can read only so many.
    ///
    /// # Errors
    /// As for [`take`](Query::take).
    pub fn collect(self) -> Result<Vec<Doc<T>>> {
        self.rows(None).all()
    }

    /// The first document, if there is one.
    ///
    /// # Errors
    /// As for [`take`](Query::take).
    pub fn first(self) -> Result<Option<Doc<T>>> {
        self.rows(Some(1)).next().transpose()
    }

    /// The only document, if there is one.
    ///
    /// # Errors
    /// As for [`take`](Query::take), and if there are several.
    pub fn unique(self) -> Result<Option<Doc<T>>> {
        let mut rows = self.rows(Some(2));
        let Some(first) = rows.next().transpose()? else {
            return Ok(None);
        };
        match rows.next().transpose()? {
            None => Ok(Some(first)),
            // The words are those of the npm package.
            Some(second) => Err(Error::new(format_args!(
                "unique() query returned more than one result from table {}:\n [{}, {}, ...]",
                rows.table, first.id, second.id
            ))),
        }
    }

    /// One page of the documents. The options are a client's `paginationOpts`, as `usePaginatedQuery` gives them, or
    /// [`PaginationOptions::first`]. A function reads one page.
    ///
    /// # Errors
    /// `InvalidQuery`, `IndexNotFound`, `IndexNotReady`, `TooManyPages`, the limits, and a document that is no `T`. A
    /// cursor of another query ends the call, with `InvalidCursor`.
    pub fn paginate(mut self, options: &PaginationOptions) -> Result<PaginationResult<T>> {
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        let page = host::db::page(&self.plan(None), &json::to_vec(options)?).map_err(Error::from_host)?;
        json::from_slice(&page).context(format_args!("reading documents of `{}`", self.table))
    }

    /// The documents one by one. They come from the host in batches, so that
    /// one can stop early without having read all.
    pub fn iter(self) -> Rows<'db, T> {
        self.rows(None)
    }
}

/// The documents of a query, as they come. Ends after the first error.
#[derive(Debug)]
pub struct Rows<'db, T> {
    table: String,
    documents: vec::IntoIter<Doc<T>>,
    next: Next,
    of: PhantomData<&'db ()>,
}

/// Where the next batch comes from.
#[derive(Debug)]
enum Next {
    /// The query has not been asked yet.
    Begin(Vec<u8>),
    /// From the host's cursor.
    Continue(u32),
    /// Nowhere, because of this.
    Refuse(Error),
    /// Nowhere.
    End,
}

impl<T: DeserializeOwned> Rows<'_, T> {
    /// The next batch; `None` at the end. It may be empty before the end.
    fn batch(&mut self) -> Result<Option<Vec<Doc<T>>>> {
        let batch = match std::mem::replace(&mut self.next, Next::End) {
            Next::Begin(plan) => host::db::query(&plan, 0),
            Next::Continue(cursor) => host::db::query_next(cursor, 0),
            Next::Refuse(error) => return Err(error),
            Next::End => return Ok(None),
        };
        let batch = batch.map_err(Error::from_host)?;
        if let Some(cursor) = batch.cursor {
            self.next = Next::Continue(cursor);
        }
        let documents = json::from_slice(&batch.documents);
        documents.map(Some).context(format_args!("reading documents of `{}`", self.table))
    }

    fn all(mut self) -> Result<Vec<Doc<T>>> {
        let mut all = Vec::new();
        while let Some(mut batch) = self.batch()? {
            if all.is_empty() {
                all = batch;
            } else {
                all.append(&mut batch);
            }
        }
        Ok(all)
    }

    fn refill(&mut self) -> Result<bool> {
        let Some(batch) = self.batch()? else {
            return Ok(false);
        };
        self.documents = batch.into_iter();
        Ok(true)
    }
}

impl<T: DeserializeOwned> Iterator for Rows<'_, T> {
    type Item = Result<Doc<T>>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(document) = self.documents.next() {
                return Some(Ok(document));
            }
            match self.refill() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => {
                    self.close();
                    return Some(Err(error));
                }
            }
        }
    }
}

impl<T> Rows<'_, T> {
    fn close(&mut self) {
        if let Next::Continue(cursor) = std::mem::replace(&mut self.next, Next::End) {
            host::db::query_close(cursor);
        }
    }
}

impl<T> Drop for Rows<'_, T> {
    fn drop(&mut self) {
        self.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Value;
    use crate::db::Index;

    fn check(query: Query<'_, Value>, limit: Option<u32>, expected: &str) {
        assert_eq!(String::from_utf8(query.plan(limit)).unwrap(), expected);
    }

    #[test]
    fn plans_say_what_differs_from_the_default() {
        check(Query::new("a\"b"), None, r#"{"table":"a\"b"}"#);
        check(
            Query::new("messages").order(Order::Desc),
            Some(50),
            r#"{"table":"messages","order":"desc","limit":50}"#,
        );
        check(
            Query::new("m").by_creation_time(|time| time.gte(1.0).lt(f64::INFINITY)).order(Order::Asc),
            None,
            concat!(
                r#"{"table":"m","index":"by_creation_time","range":["#,
                r#"{"op":"gte","field":"_creationTime","value":1},"#,
                r#"{"op":"lt","field":"_creationTime","value":{"$float":"AAAAAAAA8H8="}}]}"#
            ),
        );
        let last = Id::from_text("k7");
        check(
            Query::new("m").by_id(|id| id.gt(&last)),
            None,
            r#"{"table":"m","index":"by_id","range":[{"op":"gt","field":"_id","value":"k7"}]}"#,
        );
        check(
            Query::new("m").by_creation_time(|time| time),
            None,
            r#"{"table":"m","index":"by_creation_time"}"#,
        );
    }

    #[test]
    fn the_range_of_an_index_has_its_fields_in_order() {
        type Fields = (String, (Option<f64>, (f64, ())));
        const INDEX: Index<Value, Fields> = Index::new("by_team_rank", &["team", "rank", "_creationTime"]);
        let bound = |op: &str, field: &str, value: &str| {
            format!(r#"{{"op":"{op}","field":"{field}","value":{value}}}"#)
        };
        let plan = |bounds: &[String]| {
            format!(r#"{{"table":"m","index":"by_team_rank","range":[{}]}}"#, bounds.join(","))
        };
        let team = bound("eq", "team", r#""red""#);
        let (low, high) = (bound("gte", "rank", "1"), bound("lt", "rank", "2.5"));
        let expected = plan(&[team.clone(), low.clone(), high.clone()]);
        check(Query::new("m").with_index(INDEX, |range| range.eq("red").gte(1.0).lt(2.5)), None, &expected);
        let expected = plan(&[team.clone(), high, low]);
        check(Query::new("m").with_index(INDEX, |range| range.eq("red").lt(2.5).gte(1.0)), None, &expected);
        let missing = bound("eq", "rank", r#"{"$undefined":null}"#);
        let expected = plan(&[team, missing, bound("gt", "_creationTime", "5")]);
        check(Query::new("m").with_index(INDEX, |range| range.eq("red").eq(None).gt(5.0)), None, &expected);
        check(
            Query::new("m").with_index(INDEX, |range| range),
            None,
            r#"{"table":"m","index":"by_team_rank"}"#,
        );
    }

    #[test]
    fn the_range_of_a_named_index_names_its_fields() {
        check(
            Query::new("m")
                .with_index("by\"x", |range| range.eq("a.b", None::<f64>).lte("c", Value::from("d"))),
            None,
            concat!(
                r#"{"table":"m","index":"by\"x","range":[{"op":"eq","field":"a.b","value":{"$undefined":null}},"#,
                r#"{"op":"lte","field":"c","value":"d"}]}"#
            ),
        );
        let error = Query::<Value>::new("m").with_index("i", |range| range.eq("n", u64::MAX)).count();
        assert!(error.unwrap_err().message().contains("in the range of an index"), "told when it is asked");
    }

    #[test]
    fn all_filters_must_hold() {
        check(
            Query::new("m").filter(|doc| doc.field("a").eq(1)).filter(|doc| doc.field("b").eq(2)),
            None,
            concat!(
                r#"{"table":"m","filter":{"$and":[{"$eq":[{"$field":"a"},{"$literal":1}]},"#,
                r#"{"$eq":[{"$field":"b"},{"$literal":2}]}]}}"#
            ),
        );
    }

    #[test]
    fn without_a_host_reading_is_an_error() {
        let error = Query::<Value>::new("m").collect().unwrap_err();
        assert_eq!(error.code(), Some("NoHost"));
    }
}
