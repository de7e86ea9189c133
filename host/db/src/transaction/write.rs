//! Writing documents.
//!
//! **Invariant:** everything about a write is checked before the first key is buffered, so that an error leaves the
//! transaction as it was.
use bytes::Bytes;
use weir_value::{CreationTime, DocumentError, DocumentId, Object, Value, document, json, names};

use super::Transaction;
use super::splice::splice;
use crate::{DbError, keyspace};

const ID: &str = "_id";
const CREATION_TIME: &str = "_creationTime";

impl Transaction {
    /// Adds a document, a JSON object without `_id` and `_creationTime`, and gives its new id.
    ///
    /// # Errors
    /// `ReadOnly` in a query, `InvalidDocument`, `InvalidTableName`, `TooManyTables`, and the limits.
    pub fn insert(&mut self, table: &str, document: &[u8]) -> Result<String, DbError> {
        self.count_host_call()?;
        self.writable()?;
        names::check_table_name(table)
            .map_err(|error| DbError::new("InvalidTableName", error.to_string()))?;
        let mut fields = document::parse(document).map_err(|error| invalid(&error))?;
        if let Some(name) = [ID, CREATION_TIME].into_iter().find(|name| fields.contains_key(name)) {
            let message = format!("`{name}` is given by the host: leave it out of the document to insert.");
            return Err(DbError::new("InvalidDocument", message));
        }
        let number = self.table_for_insert(table)?;
        let id = self.next_id(number);
        let text = id.to_string();
        fields.insert(ID, Value::String(text.clone()));
        fields.insert(CREATION_TIME, Value::Float64(id.creation_time.as_f64()));
        self.put_document(keyspace::document_key(&id), 0, &fields)?;
        Ok(text)
    }

    /// Sets top-level fields of a document, and removes those that are `{"$undefined": null}`.
    ///
    /// # Errors
    /// `ReadOnly`, `InvalidId`, `NotFound`, `InvalidDocument`, and the limits.
    pub fn patch(&mut self, table: Option<&str>, id: &str, fields: &[u8]) -> Result<(), DbError> {
        self.count_host_call()?;
        self.writable()?;
        let id = self.resolve_id(table, id)?;
        let mut changes = json::parse_patch(fields).map_err(|error| invalid(&error.into()))?;
        let (key, stored) = self.find_document(&id)?;
        for (name, value) in changes.iter().filter(|(name, _)| is_given_by_host(name)) {
            check_unchanged(&id, name, value.as_ref())?;
        }
        changes.retain(|(name, _)| !is_given_by_host(name));
        self.scratch.clear();
        if splice(&stored, &changes, &mut self.scratch) {
            return self.put_scratch(key, stored.len());
        }
        let patched = patch_value(&stored, changes)?;
        self.put_document(key, stored.len(), &patched)
    }

    /// Puts another document in the place of one; its `_id` and `_creationTime` stay.
    ///
    /// # Errors
    /// As for [`Transaction::patch`].
    pub fn replace(&mut self, table: Option<&str>, id: &str, document: &[u8]) -> Result<(), DbError> {
        self.count_host_call()?;
        self.writable()?;
        let id = self.resolve_id(table, id)?;
        let mut fields = document::parse(document).map_err(|error| invalid(&error))?;
        for name in [ID, CREATION_TIME] {
            if let Some(value) = fields.get(name) {
                check_unchanged(&id, name, Some(value))?;
            }
        }
        let (key, stored) = self.find_document(&id)?;
        fields.insert(ID, Value::String(id.to_string()));
        fields.insert(CREATION_TIME, Value::Float64(id.creation_time.as_f64()));
        self.put_document(key, stored.len(), &fields)
    }

    /// Removes a document.
    ///
    /// # Errors
    /// `ReadOnly`, `InvalidId`, `NotFound`, and the limits.
    pub fn delete(&mut self, table: Option<&str>, id: &str) -> Result<(), DbError> {
        self.count_host_call()?;
        self.writable()?;
        let id = self.resolve_id(table, id)?;
        let (key, stored) = self.find_document(&id)?;
        let counted = self.usage.add_write(stored.len());
        self.or_poison(counted)?;
        self.writes.put(key, None);
        Ok(())
    }

    fn find_document(&mut self, id: &DocumentId) -> Result<(Bytes, Bytes), DbError> {
        let key = keyspace::document_key(id);
        match self.read_point(key.clone())? {
            Some(document) => Ok((key, document)),
            None => Err(DbError::new(
                "NotFound",
                format!("There is no document `{id}`; it was deleted, or never was."),
            )),
        }
    }

    fn put_document(&mut self, key: Bytes, bytes_before: usize, fields: &Object) -> Result<(), DbError> {
        self.scratch.clear();
        fields.write_json(&mut self.scratch);
        self.put_scratch(key, bytes_before)
    }

    /// Buffers the document that was written down.
    fn put_scratch(&mut self, key: Bytes, bytes_before: usize) -> Result<(), DbError> {
        let counted = self.usage.add_write(self.scratch.len().max(bytes_before));
        self.or_poison(counted)?;
        self.writes.put(key, Some(Bytes::copy_from_slice(&self.scratch)));
        Ok(())
    }

    /// An id that no document has: later than all that this transaction gave, and random.
    fn next_id(&mut self, table: weir_value::TableNumber) -> DocumentId {
        let creation_time = match self.last_created {
            Some(last) => last.next(),
            None => CreationTime::new(self.context.now_ms).unwrap_or(CreationTime::ZERO),
        };
        self.last_created = Some(creation_time);
        DocumentId { table, creation_time, random: self.shared.entropy.draw() }
    }
}

/// The patched document, by the way that every patch could go, and the unusual ones do.
fn patch_value(stored: &[u8], changes: Vec<(String, Option<Value>)>) -> Result<Object, DbError> {
    let mut patched = json::parse_object(stored).map_err(|_| damaged())?;
    for (name, value) in changes {
        match value {
            Some(value) => drop(patched.insert(name, value)),
            None => drop(patched.remove(&name)),
        }
    }
    document::check_object(&patched).map_err(|error| invalid(&error))?;
    Ok(patched)
}

fn is_given_by_host(name: &str) -> bool {
    name == ID || name == CREATION_TIME
}

/// `_id` and `_creationTime` may be given if they are what they are.
fn check_unchanged(id: &DocumentId, name: &str, given: Option<&Value>) -> Result<(), DbError> {
    let unchanged = match given {
        Some(Value::String(text)) => name == ID && *text == id.to_string(),
        Some(Value::Float64(time)) => name == CREATION_TIME && *time == id.creation_time.as_f64(),
        _ => false,
    };
    match unchanged {
        true => Ok(()),
        false => Err(DbError::new(
            "InvalidDocument",
            format!("`{name}` of a document cannot change: leave it out, or give it as it is."),
        )),
    }
}

fn invalid(error: &DocumentError) -> DbError {
    DbError::new("InvalidDocument", error.to_string())
}

fn damaged() -> DbError {
    DbError::new("StorageFailed", "A stored document is damaged; restore the data folder from a backup.")
}
