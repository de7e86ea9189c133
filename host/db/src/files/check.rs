//! Whether documents of files, their names and their bytes agree, for `host check`.
use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use uuid::Uuid;
use weir_value::DocumentId;

use super::StoredDocument;
use crate::keyspace;

/// What was seen of files.
#[derive(Default)]
pub(crate) struct FilesCheck {
    documents: BTreeSet<DocumentId>,
    bytes: u64,
    /// Documents by the names of their files, and names by documents, as the keys say.
    names: BTreeMap<Uuid, Option<DocumentId>>,
    of_documents: BTreeMap<DocumentId, Option<Uuid>>,
    removed: BTreeSet<Uuid>,
}

impl FilesCheck {
    /// A document of `_storage`; false if it is none.
    pub(crate) fn document(&mut self, id: &DocumentId, json: &[u8]) -> bool {
        self.documents.insert(*id);
        let document = StoredDocument::decode(json);
        self.bytes += document.as_ref().map_or(0, |document| document.size);
        document.is_some()
    }

    pub(crate) fn name(&mut self, name: Uuid, place: &Bytes) {
        self.names.insert(name, keyspace::file_at_place(place));
    }

    pub(crate) fn document_name(&mut self, id: DocumentId, name: &Bytes) {
        self.of_documents.insert(id, Uuid::from_slice(name).ok());
    }

    pub(crate) fn removed(&mut self, name: Uuid) {
        self.removed.insert(name);
    }

    /// What is wrong, where this is what all files are said to have.
    pub(crate) fn finish(self, counted_bytes: u64) -> Vec<String> {
        let mut problems = Vec::new();
        for id in &self.documents {
            let name = self.of_documents.get(id).copied().flatten();
            if name.and_then(|name| self.names.get(&name).copied().flatten()) != Some(*id) {
                problems.push(format!("the name of the stored file {id} does not agree with its document"));
            }
        }
        for id in self.of_documents.keys().filter(|id| !self.documents.contains(*id)) {
            problems.push(format!("the name of the stored file {id} is there, and its document is not"));
        }
        if self.names.len() != self.of_documents.len() {
            let (names, documents) = (self.names.len(), self.of_documents.len());
            problems.push(format!("{names} stored files have names, and {documents} documents have files"));
        }
        for name in self.removed.iter().filter(|name| self.names.contains_key(*name)) {
            problems.push(format!("the stored file {name} has a document, and is to be removed"));
        }
        if self.bytes != counted_bytes {
            let bytes = self.bytes;
            problems.push(format!("the stored files count {counted_bytes} bytes and have {bytes}"));
        }
        problems
    }
}
