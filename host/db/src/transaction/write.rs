//! Writing documents: what each operation makes of a document.
//!
//! All of them end in `write_document`, which alone knows what else a written document changes.
use bytes::Bytes;
use weir_value::json::Bounds;
use weir_value::{
    CreationTime, DocumentError, DocumentId, ErrorCode, Object, TableNumber, Value, document, json, names,
};

use super::Transaction;
use super::splice::splice;
use super::write_document::NewDocument;
use crate::{DbError, keyspace, system_tables};

pub(super) const ID: &str = "_id";
pub(super) const CREATION_TIME: &str = "_creationTime";

impl Transaction {
    /// Adds a document, a JSON object without `_id` and `_creationTime`, and gives its new id.
    ///
    /// # Errors
    /// `ReadOnly` in a query, `InvalidDocument`, `InvalidTableName`, `TooManyTables`, and the limits.
    pub fn insert(&mut self, table: &str, document: &[u8]) -> Result<String, DbError> {
        self.count_host_call()?;
        self.writable()?;
        names::check_table_name(table)
            .map_err(|error| DbError::new(ErrorCode::InvalidTableName, error.to_string()))?;
        let mut fields = document::parse(document).map_err(|error| invalid(&error))?;
        if let Some(name) = [ID, CREATION_TIME].into_iter().find(|name| fields.contains_key(name)) {
            let message = format!("`{name}` is given by the host: leave it out of the document to insert.");
            return Err(DbError::new(ErrorCode::InvalidDocument, message));
        }
        let number = self.table_for_insert(table)?;
        self.note_placeholders(fields.values());
        let id = self.insert_into(number, &mut fields)?;
        Ok(id.to_string())
    }

    /// Adds a document to one of the host's own tables.
    pub(crate) fn insert_system(
        &mut self,
        table: TableNumber,
        document: &[u8],
    ) -> Result<DocumentId, DbError> {
        let mut fields = parse_system(document)?;
        self.insert_into(table, &mut fields)
    }

    /// Puts another document in the place of one of the host's own.
    pub(crate) fn replace_system(&mut self, id: &DocumentId, document: &[u8]) -> Result<(), DbError> {
        let mut fields = parse_system(document)?;
        let stored = self.find_document(id)?;
        set_host_fields(id, &mut fields);
        self.write_object(id, Some(&stored), &fields)
    }

    /// Removes one of the host's own documents.
    pub(crate) fn delete_system(&mut self, id: &DocumentId) -> Result<(), DbError> {
        let stored = self.find_document(id)?;
        self.write_document(id, Some(&stored), None)
    }

    fn insert_into(&mut self, table: TableNumber, fields: &mut Object) -> Result<DocumentId, DbError> {
        let id = self.next_id(table);
        set_host_fields(&id, fields);
        self.write_object(&id, None, fields)?;
        Ok(id)
    }

    /// Sets top-level fields of a document, and removes those that are `{"$undefined": null}`.
    ///
    /// # Errors
    /// `ReadOnly`, `InvalidId`, `NotFound`, `InvalidDocument`, and the limits.
    pub fn patch(&mut self, table: Option<&str>, id: &str, fields: &[u8]) -> Result<(), DbError> {
        self.count_host_call()?;
        self.writable()?;
        let id = self.resolve_writable(table, id)?;
        let mut changes = json::parse_patch(fields).map_err(|error| invalid(&error.into()))?;
        let stored = self.find_document(&id)?;
        for (name, value) in changes.iter().filter(|(name, _)| is_given_by_host(name)) {
            check_unchanged(&id, name, value.as_ref())?;
        }
        changes.retain(|(name, _)| !is_given_by_host(name));
        self.note_placeholders(changes.iter().filter_map(|(_, value)| value.as_ref()));
        self.scratch.clear();
        if splice(&stored, &changes, &mut self.scratch) {
            let json = Bytes::copy_from_slice(&self.scratch);
            return self.write_document(&id, Some(&stored), Some(NewDocument { json, fields: None }));
        }
        let patched = patch_value(&stored, changes)?;
        self.write_object(&id, Some(&stored), &patched)
    }

    /// Puts another document in the place of one; its `_id` and `_creationTime` stay.
    ///
    /// # Errors
    /// As for [`Transaction::patch`].
    pub fn replace(&mut self, table: Option<&str>, id: &str, document: &[u8]) -> Result<(), DbError> {
        self.count_host_call()?;
        self.writable()?;
        let id = self.resolve_writable(table, id)?;
        let mut fields = document::parse(document).map_err(|error| invalid(&error))?;
        for name in [ID, CREATION_TIME] {
            if let Some(value) = fields.get(name) {
                check_unchanged(&id, name, Some(value))?;
            }
        }
        let stored = self.find_document(&id)?;
        self.note_placeholders(fields.values());
        set_host_fields(&id, &mut fields);
        self.write_object(&id, Some(&stored), &fields)
    }

    /// Removes a document.
    ///
    /// # Errors
    /// `ReadOnly`, `InvalidId`, `NotFound`, and the limits.
    pub fn delete(&mut self, table: Option<&str>, id: &str) -> Result<(), DbError> {
        self.count_host_call()?;
        self.writable()?;
        let id = self.resolve_writable(table, id)?;
        let stored = self.find_document(&id)?;
        self.write_document(&id, Some(&stored), None)
    }

    /// Notes whether what is about to be written waits for the commit's timestamp.
    fn note_placeholders<'v>(&mut self, mut values: impl Iterator<Item = &'v Value>) {
        self.has_placeholders = self.has_placeholders || values.any(Value::has_commit_timestamp);
    }

    /// What an id means, if functions may write its document.
    fn resolve_writable(&mut self, table: Option<&str>, text: &str) -> Result<DocumentId, DbError> {
        let id = self.resolve_id(table, text)?;
        match system_tables::name(id.table) {
            None => Ok(id),
            Some((_, name)) => Err(DbError::new(
                ErrorCode::InvalidId,
                format!("`{text}` is a document of the system table `{name}`, which only the host writes."),
            )),
        }
    }

    fn find_document(&mut self, id: &DocumentId) -> Result<Bytes, DbError> {
        match self.read_point(keyspace::document_key(id))? {
            Some(document) => Ok(document),
            None => Err(DbError::new(
                ErrorCode::NotFound,
                format!("There is no document `{id}`; it was deleted, or never was."),
            )),
        }
    }

    fn write_object(
        &mut self,
        id: &DocumentId,
        before: Option<&Bytes>,
        fields: &Object,
    ) -> Result<(), DbError> {
        self.scratch.clear();
        fields.write_json(&mut self.scratch);
        let json = Bytes::copy_from_slice(&self.scratch);
        self.write_document(id, before, Some(NewDocument { json, fields: Some(fields) }))
    }

    /// An id that no document has: later than all that this transaction gave, and random.
    fn next_id(&mut self, table: TableNumber) -> DocumentId {
        let creation_time = match self.last_created {
            Some(last) => last.next(),
            None => CreationTime::new(self.context.now_ms).unwrap_or(CreationTime::ZERO),
        };
        self.last_created = Some(creation_time);
        DocumentId { table, creation_time, random: self.shared.entropy.draw() }
    }
}

/// Reads a document of the host's own, which may be larger and deeper than an app's.
fn parse_system(document: &[u8]) -> Result<Object, DbError> {
    json::parse_object(document).map_err(|error| DbError::new(ErrorCode::InvalidDocument, error.to_string()))
}

fn set_host_fields(id: &DocumentId, fields: &mut Object) {
    fields.insert(ID, Value::String(id.to_string()));
    fields.insert(CREATION_TIME, Value::Float64(id.creation_time.as_f64()));
}

/// The patched document, by the way that every patch could go, and the unusual ones do.
fn patch_value(stored: &[u8], changes: Vec<(String, Option<Value>)>) -> Result<Object, DbError> {
    let mut patched = json::parse_object_within(stored, Bounds::MUTATION).map_err(|_| damaged())?;
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
            ErrorCode::InvalidDocument,
            format!("`{name}` of a document cannot change: leave it out, or give it as it is."),
        )),
    }
}

fn invalid(error: &DocumentError) -> DbError {
    DbError::new(ErrorCode::InvalidDocument, error.to_string())
}

pub(super) fn damaged() -> DbError {
    DbError::new(
        ErrorCode::StorageFailed,
        "A stored document is damaged; restore the data folder from a backup.",
    )
}
