//! The host's own tables, whose names begin with `_`.

use serde::de::DeserializeOwned;

use super::query::Query;
use crate::failure::{Error, Result};
use crate::{Doc, Id};

/// What functions can know of the host's own tables: `_indexes`, `_deployments`, `_storage`, `_scheduled_functions`.
#[derive(Debug)]
pub struct SystemReader(());

impl SystemReader {
    pub(super) fn new() -> Self {
        Self(())
    }

    /// The document with this id; `None` when there is none.
    ///
    /// # Errors
    /// `InvalidId`, the limits, and a document that is no `T`.
    pub fn get<T: DeserializeOwned>(&self, id: &Id<T>) -> Result<Option<Doc<T>>> {
        super::get(None, id)
    }

    /// Begins a query of a system table: `ctx.db.system().query::<Value>("_indexes")`.
    pub fn query<T>(&self, table: &str) -> Query<'static, T> {
        if is_system(table) {
            return Query::new(table);
        }
        let error = format_args!("`{table}` is not a system table: read it as one of the app's own.");
        Query::refused(table, Error::new(error))
    }
}

fn is_system(table: &str) -> bool {
    table.starts_with('_')
}

/// Says where a system table is read, if this is one. The words are the same in every language.
pub(super) fn refuse(table: &str) -> Result<()> {
    match is_system(table) {
        true => Err(Error::new(format_args!(
            "`{table}` is one of the host's own tables: read it as a system table."
        ))),
        false => Ok(()),
    }
}
