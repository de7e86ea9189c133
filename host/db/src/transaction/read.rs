//! Reading single documents, and ids.
use bytes::Bytes;
use weir_value::DocumentId;

use super::Transaction;
use crate::{DbError, keyspace};

impl Transaction {
    /// The document with this id, canonical JSON. `None` when there is none, or it was deleted.
    ///
    /// # Errors
    /// `InvalidId`: not an id of this deployment, or of another table than `table` when that is given; the limits.
    pub fn get(&mut self, table: Option<&str>, id: &str) -> Result<Option<Bytes>, DbError> {
        self.count_host_call()?;
        let id = self.resolve_id(table, id)?;
        let counted = self.usage.add_range();
        self.or_poison(counted)?;
        let document = self.read_point(keyspace::document_key(&id))?;
        if let Some(document) = &document {
            let counted = self.usage.add_read(document.len());
            self.or_poison(counted)?;
        }
        Ok(document)
    }

    /// The id in its canonical form if it is one of this table's, whether or not the document exists.
    pub fn normalize_id(&mut self, table: &str, id: &str) -> Option<String> {
        self.count_host_call().ok()?;
        let id = DocumentId::parse(id).ok()?;
        let number = self.table_number(table).ok()??;
        (id.table == number).then(|| id.to_string())
    }

    /// What an id means, if it is one of this deployment, and of this table when one is given.
    pub(super) fn resolve_id(&mut self, table: Option<&str>, text: &str) -> Result<DocumentId, DbError> {
        let id = DocumentId::parse(text).map_err(|error| DbError::new("InvalidId", error.to_string()))?;
        let found = self.table_name(id.table)?;
        let Some(found) = found else {
            let message =
                format!("`{text}` is not an id of this deployment: there is no table with its number.");
            return Err(DbError::new("InvalidId", message));
        };
        match table {
            Some(wanted) if wanted != found.as_ref() => {
                // Recorded: the wanted table may be the one that is missing.
                self.table_number(wanted)?;
                let message = format!("`{text}` is an id of table `{found}`, not of table `{wanted}`.");
                Err(DbError::new("InvalidId", message))
            }
            _ => Ok(id),
        }
    }

    /// What stands under a key: the transaction's own write, or the snapshot's value, which is recorded.
    pub(super) fn read_point(&mut self, key: Bytes) -> Result<Option<Bytes>, DbError> {
        if let Some(written) = self.writes.get(&key) {
            return Ok(written.clone());
        }
        if let Some(value) = self.reads.point(&key) {
            return Ok(value.clone());
        }
        let value = self.snapshot.get(&key);
        let value = self.or_unreadable(value)?;
        self.reads.add_point(key, value.clone());
        Ok(value)
    }

    /// Reads a key of the host's own: recorded, and counted by no limit.
    pub(crate) fn read_uncounted(&mut self, key: Bytes) -> Result<Option<Bytes>, DbError> {
        self.read_point(key)
    }
}
