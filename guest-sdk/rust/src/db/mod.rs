//! The database, inside the transaction of the running call.

mod filter;
mod index;
mod page;
mod query;
mod range;
mod system;

use std::ops::Deref;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use filter::{Expression, Operand, Row};
pub use index::{AnyField, Index, IndexValue};
pub use page::{PageStatus, PaginationOptions, PaginationResult};
pub use query::{Order, Query, Rows};
pub use range::{AnyIndex, AnyRange, Bounded, IndexRange, LowerBounded, NamedRange, Range, UpperBounded};
pub use system::SystemReader;

use crate::failure::{Context, Error, Result};
use crate::{Doc, Id, host, json};

/// What every function can do with the database.
#[derive(Debug)]
pub struct Reader(());

/// What a mutation can do with the database: all that a query can, and write.
#[derive(Debug)]
pub struct Writer(Reader);

impl Reader {
    pub(crate) fn new() -> Self {
        Self(())
    }

    /// The document with this id; `None` when there is none, or it was deleted.
    ///
    /// # Errors
    /// `InvalidId`, the limits, and a document that is no `T`.
    pub fn get<T: DeserializeOwned>(&self, id: &Id<T>) -> Result<Option<Doc<T>>> {
        get(None, id)
    }

    /// The same, and an error if the id is one of another table.
    ///
    /// # Errors
    /// As for [`get`](Reader::get).
    pub fn get_in<T: DeserializeOwned>(&self, table: &str, id: &Id<T>) -> Result<Option<Doc<T>>> {
        system::refuse(table)?;
        get(Some(table), id)
    }

    /// The documents with these ids, in their order, asked of the host at once; `None` where there is none.
    ///
    /// # Errors
    /// As for [`get`](Reader::get).
    pub fn get_many<T: DeserializeOwned>(&self, ids: &[Id<T>]) -> Result<Vec<Option<Doc<T>>>> {
        get_many(None, ids)
    }

    /// The same, and an error if one of the ids is one of another table.
    ///
    /// # Errors
    /// As for [`get`](Reader::get).
    pub fn get_many_in<T: DeserializeOwned>(
        &self,
        table: &str,
        ids: &[Id<T>],
    ) -> Result<Vec<Option<Doc<T>>>> {
        system::refuse(table)?;
        get_many(Some(table), ids)
    }

    /// The host's own tables, such as `_indexes`. They can be read.
    pub fn system(&self) -> SystemReader {
        SystemReader::new()
    }

    /// Begins a query of a table; nothing is read before one of the methods
    /// that end it: [`take`](Query::take), [`collect`](Query::collect),
    /// [`first`](Query::first), [`unique`](Query::unique), [`iter`](Query::iter), [`paginate`](Query::paginate),
    /// [`count`](Query::count). A table that does not exist is empty.
    pub fn query<T>(&self, table: &str) -> Query<'_, T> {
        match system::refuse(table) {
            Ok(()) => Query::new(table),
            Err(error) => Query::refused(table, error),
        }
    }

    /// The id in its canonical form if it is one of this table's, whether or
    /// not the document exists; else `None`.
    pub fn normalize_id<T>(&self, table: &str, id: &str) -> Option<Id<T>> {
        host::db::normalize_id(table, id).map(Id::from_text)
    }
}

fn get<T: DeserializeOwned>(table: Option<&str>, id: &Id<T>) -> Result<Option<Doc<T>>> {
    let document = host::db::get(table, id.as_str()).map_err(Error::from_host)?;
    let Some(document) = document else {
        return Ok(None);
    };
    json::from_slice(&document).map(Some).context(format_args!("reading the document {id}"))
}

fn get_many<T: DeserializeOwned>(table: Option<&str>, ids: &[Id<T>]) -> Result<Vec<Option<Doc<T>>>> {
    let documents = host::db::get_many(table, &json::to_vec(ids)?).map_err(Error::from_host)?;
    json::from_slice(&documents).context("reading documents")
}

impl Writer {
    pub(crate) fn new() -> Self {
        Self(Reader::new())
    }

    /// Adds a document and gives its id. The table need not exist before.
    ///
    /// # Errors
    /// `InvalidTableName`, `InvalidDocument`, `SchemaValidationError`, and the limits.
    pub fn insert<T: Serialize>(&self, table: &str, document: &T) -> Result<Id<T>> {
        let document = json::to_vec(document)?;
        host::db::insert(table, &document).map(Id::from_text).map_err(Error::from_host)
    }

    /// Sets some fields of a document and leaves the others as they are.
    /// `fields` is [`fields!`](crate::fields), where `undefined` removes a field,
    /// or any struct, of which those that are `None` are left as they are.
    ///
    /// # Errors
    /// `InvalidId`, `NotFound`, `InvalidDocument`, `SchemaValidationError`, and the limits.
    pub fn patch<T>(&self, id: &Id<T>, fields: impl Serialize) -> Result<()> {
        let fields = json::to_vec(&fields)?;
        host::db::patch(None, id.as_str(), &fields).map_err(Error::from_host)
    }

    /// The same, and an error if the id is one of another table.
    ///
    /// # Errors
    /// As for [`patch`](Writer::patch).
    pub fn patch_in<T>(&self, table: &str, id: &Id<T>, fields: impl Serialize) -> Result<()> {
        let fields = json::to_vec(&fields)?;
        host::db::patch(Some(table), id.as_str(), &fields).map_err(Error::from_host)
    }

    /// Puts another value in the place of a document's; its id and creation time stay.
    ///
    /// # Errors
    /// `InvalidId`, `NotFound`, `InvalidDocument`, `SchemaValidationError`, and the limits.
    pub fn replace<T: Serialize>(&self, id: &Id<T>, document: &T) -> Result<()> {
        let document = json::to_vec(document)?;
        host::db::replace(None, id.as_str(), &document).map_err(Error::from_host)
    }

    /// The same, and an error if the id is one of another table.
    ///
    /// # Errors
    /// As for [`replace`](Writer::replace).
    pub fn replace_in<T: Serialize>(&self, table: &str, id: &Id<T>, document: &T) -> Result<()> {
        let document = json::to_vec(document)?;
        host::db::replace(Some(table), id.as_str(), &document).map_err(Error::from_host)
    }

    /// Removes a document.
    ///
    /// # Errors
    /// `InvalidId`, `NotFound`, and the limits.
    pub fn delete<T>(&self, id: &Id<T>) -> Result<()> {
        host::db::delete(None, id.as_str()).map_err(Error::from_host)
    }

    /// The same, and an error if the id is one of another table.
    ///
    /// # Errors
    /// As for [`delete`](Writer::delete).
    pub fn delete_in<T>(&self, table: &str, id: &Id<T>) -> Result<()> {
        host::db::delete(Some(table), id.as_str()).map_err(Error::from_host)
    }
}

impl Deref for Writer {
    type Target = Reader;

    fn deref(&self) -> &Reader {
        &self.0
    }
}
