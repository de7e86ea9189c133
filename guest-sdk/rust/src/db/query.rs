//! Queries of a table: what is asked, and the rows that come back in batches.

use std::marker::PhantomData;
use std::vec;

use serde::de::DeserializeOwned;

use super::filter::{Expression, Row};
use crate::doc::{CREATION_TIME_FIELD, ID_FIELD};
use crate::failure::{Context, Error, Result};
use crate::{Doc, Id, host, json};

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
    index: Option<&'static str>,
    range: Vec<u8>,
    filter: Option<Expression>,
    order: Order,
    of: PhantomData<&'db T>,
}

/// Bounds of an index's field, each of which narrows the query. Where two bound
/// the same side, both hold.
#[derive(Debug)]
pub struct Range<V> {
    field: &'static str,
    text: Vec<u8>,
    of: PhantomData<fn(V)>,
}

/// A value that an index's range can be bounded by.
pub(crate) trait Bound {
    fn write(&self, out: &mut Vec<u8>);
}

impl Bound for f64 {
    fn write(&self, out: &mut Vec<u8>) {
        // A number can always be written.
        out.extend_from_slice(&json::to_vec(self).unwrap_or_default());
    }
}

impl<T> Bound for &Id<T> {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&json::to_vec(self).unwrap_or_default());
    }
}

#[allow(private_bounds, reason = "ranges are made by the query's methods alone")]
impl<V: Bound> Range<V> {
    fn new(field: &'static str) -> Self {
        Self { field, text: Vec::new(), of: PhantomData }
    }

    fn bound(mut self, operator: &str, value: V) -> Self {
        self.text.extend_from_slice(if self.text.is_empty() { b"[" } else { b"," });
        let head = [r#"{"op":""#, operator, r#"","field":""#, self.field, r#"","value":"#];
        self.text.extend_from_slice(head.concat().as_bytes());
        value.write(&mut self.text);
        self.text.push(b'}');
        self
    }

    /// Only this value.
    #[must_use]
    pub fn eq(self, value: V) -> Self {
        self.bound("eq", value)
    }

    /// Only greater ones.
    #[must_use]
    pub fn gt(self, value: V) -> Self {
        self.bound("gt", value)
    }

    /// Only this one and greater ones.
    #[must_use]
    pub fn gte(self, value: V) -> Self {
        self.bound("gte", value)
    }

    /// Only lower ones.
    #[must_use]
    pub fn lt(self, value: V) -> Self {
        self.bound("lt", value)
    }

    /// Only this one and lower ones.
    #[must_use]
    pub fn lte(self, value: V) -> Self {
        self.bound("lte", value)
    }
}

impl<'db, T> Query<'db, T> {
    pub(super) fn new(table: &str) -> Self {
        Self {
            table: table.to_owned(),
            index: None,
            range: Vec::new(),
            filter: None,
            order: Order::Asc,
            of: PhantomData,
        }
    }

    /// Reads a range of creation times, in milliseconds since the epoch:
    /// `.by_creation_time(|time| time.gte(start).lt(end))`.
    pub fn by_creation_time(mut self, range: impl FnOnce(Range<f64>) -> Range<f64>) -> Self {
        self.index = Some("by_creation_time");
        self.range = range(Range::new(CREATION_TIME_FIELD)).text;
        self
    }

    /// Reads a range of ids, in the order of their texts:
    /// `.by_id(|id| id.gt(&last))`.
    pub fn by_id<'id>(mut self, range: impl FnOnce(Range<&'id Id<T>>) -> Range<&'id Id<T>>) -> Self
    where
        T: 'id,
    {
        self.index = Some("by_id");
        self.range = range(Range::new(ID_FIELD)).text;
        self
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
        if let Some(index) = self.index {
            plan.extend_from_slice(br#","index":""#);
            plan.extend_from_slice(index.as_bytes());
            plan.push(b'"');
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
}

impl<'db, T: DeserializeOwned> Query<'db, T> {
    fn rows(self, limit: Option<u32>) -> Rows<'db, T> {
        let next = Next::Begin(self.plan(limit));
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
    /// Nowhere.
    End,
}

impl<T: DeserializeOwned> Rows<'_, T> {
    /// The next batch; `None` at the end. It may be empty before the end.
    fn batch(&mut self) -> Result<Option<Vec<Doc<T>>>> {
        let batch = match std::mem::replace(&mut self.next, Next::End) {
            Next::Begin(plan) => host::db::query(&plan, 0),
            Next::Continue(cursor) => host::db::query_next(cursor, 0),
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
                r#"{"op":"gte","field":"_creationTime","value":1.0},"#,
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
