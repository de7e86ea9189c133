//! The one way in which a document comes to be written.
//!
//! A written document changes its own key, its table's indexes and its table's count, and has to be what the schema
//! wants. Whoever adds something that is kept beside documents adds it here.
//!
//! **Invariant:** everything about a write is checked before the first key is buffered, so that an error leaves the
//! transaction as it was. For every written document the keys of *all* its indexes are among the transaction's
//! changes, old and new, whether or not they are equal: a query that read the document through an index depends on
//! the key that it has there.
use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use weir_store::planted::{self, Bug};
use weir_value::json::Bounds;
use weir_value::{DocumentId, ErrorCode, Object, ValidationError, Validator, Value, json};

use super::Transaction;
use super::tables::SeenTables;
use super::write::{CREATION_TIME, ID, damaged};
use crate::index::{Index, IndexState, TableRules};
use crate::write_buffer::Written;
use crate::{DbError, keyspace};

/// A document as it is to be kept.
pub(super) struct NewDocument<'a> {
    /// Canonical JSON.
    pub(super) json: Bytes,
    /// The same, where it was read already.
    pub(super) fields: Option<&'a Object>,
}

/// A document's entry in one index, before and after.
struct EntryChange {
    before: Option<Bytes>,
    after: Option<Bytes>,
}

impl Transaction {
    /// Buffers that `after` stands in the place of `before`; `None` is no document.
    pub(super) fn write_document(
        &mut self,
        id: &DocumentId,
        before: Option<&Bytes>,
        after: Option<NewDocument<'_>>,
    ) -> Result<(), DbError> {
        let bytes = before.map_or(0, Bytes::len).max(after.as_ref().map_or(0, |after| after.json.len()));
        let counted = self.usage.add_write(bytes);
        self.or_poison(counted)?;
        let deployed = Arc::clone(&self.deployed);
        let entries = match deployed.registry.table(id.table) {
            Some(rules) => self.check_and_index(rules, id, before, after.as_ref())?,
            None => Vec::new(),
        };
        for entry in entries {
            self.put_entry(entry);
        }
        match (before, &after) {
            (None, Some(_)) => self.writes.add_to_count(id.table, 1),
            (Some(_), None) => self.writes.add_to_count(id.table, -1),
            _ => {}
        }
        let written = after.map_or(Written::Deleted, |after| Written::Value(after.json));
        self.writes.put(keyspace::document_key(id), written);
        Ok(())
    }

    /// Checks the document against its table's rules; gives what changes in the table's indexes.
    fn check_and_index(
        &mut self,
        rules: &TableRules,
        id: &DocumentId,
        before: Option<&Bytes>,
        after: Option<&NewDocument<'_>>,
    ) -> Result<Vec<EntryChange>, DbError> {
        let is_accepted = match after {
            Some(NewDocument { json, .. }) => self.is_accepted(rules, json)?,
            None => true,
        };
        if is_accepted && rules.indexes.is_empty() {
            return Ok(Vec::new());
        }
        let after: Option<Cow<'_, Object>> = match after {
            None => None,
            Some(NewDocument { fields: Some(fields), .. }) => Some(Cow::Borrowed(fields)),
            Some(NewDocument { json, fields: None }) => Some(Cow::Owned(parse(json)?)),
        };
        let entries = self.entry_changes(rules, id, before, after.as_deref())?;
        if let Some(document) = after.filter(|_| !is_accepted) {
            self.check_document(rules, id, document)?;
        }
        Ok(entries)
    }

    /// Whether a document is seen to be what its table wants without being parsed.
    fn is_accepted(&mut self, rules: &TableRules, json: &[u8]) -> Result<bool, DbError> {
        let tables = SeenTables::new(self);
        let mut validators = rules.document.iter().chain(&rules.pending_document);
        let is_accepted =
            validators.all(|validator| validator.accepts_text(json, &[ID, CREATION_TIME], &tables));
        self.not_poisoned()?;
        Ok(is_accepted)
    }

    fn entry_changes(
        &self,
        rules: &TableRules,
        id: &DocumentId,
        before: Option<&Bytes>,
        after: Option<&Object>,
    ) -> Result<Vec<EntryChange>, DbError> {
        if rules.indexes.is_empty() {
            return Ok(Vec::new());
        }
        let before = before.map(parse).transpose()?;
        let change = |index: &Arc<Index>| EntryChange {
            before: before.as_ref().map(|document| index.entry_key(id, document)),
            after: after.map(|document| index.entry_key(id, document)),
        };
        let is_kept =
            |index: &&Arc<Index>| index.state == IndexState::Ready || !planted::is(Bug::BuildingIndexNotKept);
        Ok(rules.indexes.iter().filter(is_kept).map(change).collect())
    }

    fn check_document(
        &mut self,
        rules: &TableRules,
        id: &DocumentId,
        document: Cow<'_, Object>,
    ) -> Result<(), DbError> {
        let bare = Value::Object(without_host_fields(document.into_owned()));
        if let Some(validator) = &rules.document
            && let Err(error) = self.check_against(validator, &bare)?
        {
            let table = self.table_name(id.table)?.unwrap_or_default();
            return Err(DbError::new(
                ErrorCode::SchemaValidationError,
                format!(
                    "Failed to insert or update a document in table \"{table}\" because it does not match the schema: {error}"
                ),
            ));
        }
        // A deployment that is being prepared must not stop the one in force: it is the one that fails.
        if let Some(validator) = &rules.pending_document
            && self.check_against(validator, &bare)?.is_err()
        {
            self.pending_suspects.insert(*id);
        }
        Ok(())
    }

    /// The document that a deployment that is being prepared fails of. What was written over or undone since is not it.
    pub(super) fn pending_mismatch(&mut self) -> Option<(DocumentId, ValidationError)> {
        let deployed = Arc::clone(&self.deployed);
        std::mem::take(&mut self.pending_suspects).into_iter().find_map(|id| {
            let validator = deployed.registry.table(id.table)?.pending_document.as_ref()?;
            let written = self.writes.get(&keyspace::document_key(&id))?.value()?;
            let bare = without_host_fields(parse(written).ok()?);
            let checked = validator.check(&Value::Object(bare), &SeenTables::new(self));
            checked.err().map(|error| (id, error))
        })
    }

    fn check_against(
        &mut self,
        validator: &Validator,
        document: &Value,
    ) -> Result<Result<(), ValidationError>, DbError> {
        let checked = validator.check(document, &SeenTables::new(self));
        self.not_poisoned()?;
        Ok(checked)
    }

    /// A table that cannot be read leaves its error there.
    fn not_poisoned(&self) -> Result<(), DbError> {
        self.poison.clone().map_or(Ok(()), Err)
    }

    fn put_entry(&mut self, EntryChange { before, after }: EntryChange) {
        match (before, after) {
            (Some(before), Some(after)) if before == after => self.writes.touch(after),
            (before, after) => {
                let stays = after.is_some() && planted::is(Bug::IndexEntryStays);
                if let Some(key) = before.filter(|_| !stays) {
                    self.writes.put(key, Written::Deleted);
                }
                if let Some(key) = after {
                    self.writes.put(key, Written::Value(Bytes::new()));
                }
            }
        }
    }
}

fn parse(document: &Bytes) -> Result<Object, DbError> {
    json::parse_object_within(document, Bounds::MUTATION).map_err(|_| damaged())
}

/// A document as validators of tables describe it.
pub(crate) fn without_host_fields(mut document: Object) -> Object {
    document.remove(ID);
    document.remove(CREATION_TIME);
    document
}
