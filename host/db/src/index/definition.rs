//! One index, and its document in the table `_indexes`.
use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use weir_value::schema::field_at;
use weir_value::{DocumentId, Object, TableNumber, sort_key};

use crate::keyspace::{self, IndexNumber};

/// How far an index is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum IndexState {
    /// Every write keeps it, and the documents from before are being added.
    Building,
    /// It holds every document of its table.
    Ready,
    /// Nothing keeps it any more, and its entries are being removed.
    Dropping,
}

/// One index of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Index {
    /// Its document in `_indexes`.
    pub(crate) id: DocumentId,
    pub(crate) number: IndexNumber,
    pub(crate) table: TableNumber,
    pub(crate) table_name: Arc<str>,
    pub(crate) name: Arc<str>,
    /// Paths, with dots.
    pub(crate) fields: Vec<String>,
    /// Only built, not to be read.
    pub(crate) staged: bool,
    pub(crate) state: IndexState,
}

/// An index as its document has it.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct IndexDocument {
    table: Arc<str>,
    table_number: f64,
    number: f64,
    name: Arc<str>,
    fields: Vec<String>,
    staged: bool,
    state: IndexState,
}

impl Index {
    /// Reads the document of an index.
    pub(crate) fn decode(id: DocumentId, document: &[u8]) -> Option<Index> {
        let read: IndexDocument = serde_json::from_slice(document).ok()?;
        Some(Index {
            id,
            number: IndexNumber(whole(read.number)?),
            table: TableNumber(whole(read.table_number)?),
            table_name: read.table,
            name: read.name,
            fields: read.fields,
            staged: read.staged,
            state: read.state,
        })
    }

    /// Its document, without `_id` and `_creationTime`.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let document = IndexDocument {
            table: self.table_name.clone(),
            table_number: f64::from(self.table.0),
            number: f64::from(self.number.0),
            name: self.name.clone(),
            fields: self.fields.clone(),
            staged: self.staged,
            state: self.state,
        };
        serde_json::to_vec(&document).expect("a struct of plain fields can be written as JSON")
    }

    /// The key of a document's entry.
    pub(crate) fn entry_key(&self, id: &DocumentId, document: &Object) -> Bytes {
        let mut key = keyspace::index_prefix(self.number);
        for field in &self.fields {
            sort_key::encode(field_at(document, field), &mut key);
        }
        keyspace::index_entry_key(key, id)
    }

    /// Whether queries may read it.
    pub(crate) fn is_readable(&self) -> bool {
        self.state == IndexState::Ready && !self.staged
    }
}

/// JSON numbers of documents are doubles.
fn whole(number: f64) -> Option<u32> {
    let is_whole = number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number);
    is_whole.then_some(number as u32)
}
