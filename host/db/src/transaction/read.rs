//! Reading single documents, and ids.
use bytes::Bytes;
use weir_value::{DocumentId, ErrorCode, TableNumber};

use super::Transaction;
use super::scan::{Piece, Rows};
use super::write::damaged;
use crate::query::{Cursor, Plan};
use crate::{DbError, keyspace, system_tables};

/// So many entries of an index are counted at once.
const COUNT_PIECE_ROWS: usize = 512;

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

    /// The documents with these ids, a JSON array of strings, as a JSON array in the same order, with `null` where there
    /// is none.
    ///
    /// # Errors
    /// As for [`Transaction::get`]; `InvalidQuery`: not an array of strings.
    pub fn get_many(&mut self, table: Option<&str>, ids: &[u8]) -> Result<Vec<u8>, DbError> {
        self.count_host_call()?;
        let ids: Vec<String> = serde_json::from_slice(ids).map_err(|error| {
            DbError::new(ErrorCode::InvalidQuery, format!("the ids are not an array of strings: {error}"))
        })?;
        let counted = self.usage.add_range();
        self.or_poison(counted)?;
        let mut documents = Rows::new();
        for id in &ids {
            let id = self.resolve_id(table, id)?;
            let document = self.read_point(keyspace::document_key(&id))?;
            let counted = self.usage.add_read(document.as_ref().map_or(0, Bytes::len));
            self.or_poison(counted)?;
            documents.push(document.as_deref().unwrap_or(b"null"));
        }
        Ok(documents.finish().0)
    }

    /// How many documents a table has, in constant time; or a range of one of its indexes, by its entries. `plan` is a
    /// query's, without filter and limit.
    ///
    /// # Errors
    /// `InvalidQuery`, `IndexNotFound`, and the limits: each entry of a range counts as a document read.
    pub fn count(&mut self, plan: &[u8]) -> Result<u64, DbError> {
        self.count_host_call()?;
        let plan = Plan::parse(plan)?;
        if plan.filter.is_some() || plan.limit.is_some() {
            let message =
                "what is counted is a table or a range of an index: leave the filter and the limit out";
            return Err(DbError::new(ErrorCode::InvalidQuery, message));
        }
        let counted = self.usage.add_range();
        self.or_poison(counted)?;
        let (source, keys) = self.resolve_plan(&plan)?;
        match self.table_number(&plan.table)? {
            None => Ok(0),
            Some(table) if plan.is_whole_table() => self.count_table(table),
            Some(_) => self.count_rows(Cursor::new(&plan, source, keys)),
        }
    }

    fn count_table(&mut self, table: TableNumber) -> Result<u64, DbError> {
        let key = keyspace::table_count_key(table);
        let stored = match self.read_point(key)? {
            None => 0,
            Some(value) => keyspace::count_in_value(&value).ok_or_else(damaged)?,
        };
        Ok(stored.saturating_add_signed(self.writes.count_change(table)))
    }

    fn count_rows(&mut self, mut cursor: Cursor) -> Result<u64, DbError> {
        let all = cursor.rest.clone();
        let mut count = 0;
        while !cursor.is_done() {
            let Piece { rows, reached } = self.read_keys(&cursor, COUNT_PIECE_ROWS)?;
            for (key, _) in &rows {
                let counted = self.usage.add_read(key.len());
                self.or_poison(counted)?;
            }
            count += rows.len() as u64;
            match reached {
                Some(key) => cursor.pass(&key),
                None => cursor.pass_all(),
            }
        }
        self.reads.add_range(all);
        Ok(count)
    }

    /// The id in its canonical form if it is one of this table's, whether or not the document exists.
    pub fn normalize_id(&mut self, table: &str, id: &str) -> Option<String> {
        self.count_host_call().ok()?;
        let id = DocumentId::parse(id).ok()?;
        let number = self.table_number(table).ok()??;
        (id.table == number && !system_tables::is_private(number)).then(|| id.to_string())
    }

    /// What an id means, if it is one of this deployment, and of this table when one is given.
    pub(super) fn resolve_id(&mut self, table: Option<&str>, text: &str) -> Result<DocumentId, DbError> {
        let id =
            DocumentId::parse(text).map_err(|error| DbError::new(ErrorCode::InvalidId, error.to_string()))?;
        let found = self.table_name(id.table)?;
        let Some(found) = found.filter(|_| !system_tables::is_private(id.table)) else {
            let message =
                format!("`{text}` is not an id of this deployment: there is no table with its number.");
            return Err(DbError::new(ErrorCode::InvalidId, message));
        };
        match table {
            Some(wanted) if wanted != found.as_ref() => {
                // Recorded: the wanted table may be the one that is missing.
                self.table_number(wanted)?;
                let message = format!("`{text}` is an id of table `{found}`, not of table `{wanted}`.");
                Err(DbError::new(ErrorCode::InvalidId, message))
            }
            _ => Ok(id),
        }
    }

    /// What stands under a key: the transaction's own write, or the snapshot's value, which is recorded.
    pub(super) fn read_point(&mut self, key: Bytes) -> Result<Option<Bytes>, DbError> {
        if let Some(written) = self.writes.get(&key) {
            return Ok(written.value().cloned());
        }
        if let Some(value) = self.reads.point(&key) {
            return Ok(value.clone());
        }
        let value = self.snapshot.get(&key);
        let value = self.or_unreadable(value)?;
        self.reads.add_point(key, value.clone());
        Ok(value)
    }

    /// Notes that nothing stands under a key, of which that is known: as if it had been read.
    pub(crate) fn note_absent(&mut self, key: Bytes) {
        self.reads.add_point(key, None);
    }

    /// Reads a key of the host's own: recorded, and counted by no limit.
    pub(crate) fn read_uncounted(&mut self, key: Bytes) -> Result<Option<Bytes>, DbError> {
        self.read_point(key)
    }
}
