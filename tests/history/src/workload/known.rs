//! What the clients have learnt of lists: the ids of their documents, and when those were created.
//!
//! Not here: what the lists hold. Clients do not know that; the checker finds out.

use std::collections::HashMap;
use std::sync::Mutex;

use crate::history::Key;

use super::step::{LISTS_PER_TABLE, Seen, Step};

/// Shared by all clients.
#[derive(Debug, Default)]
pub struct Known {
    documents: Mutex<HashMap<Key, (String, f64)>>,
}

impl Known {
    /// Learns from a result.
    pub fn learn(&self, seen: &[Seen]) {
        let mut documents = self.documents.lock().expect("unpoisoned");
        for row in seen.iter().flat_map(|seen| &seen.rows) {
            if let Some(document) = &row.document {
                documents.entry(row.key).or_insert_with(|| document.clone());
            }
        }
    }

    /// Fills in what a step needs. What is not known yet is searched, or bounds nothing.
    pub fn resolve(&self, step: &mut Step) {
        let documents = self.documents.lock().expect("unpoisoned");
        let created = |key: &Key| documents.get(key).map(|(_, created)| *created);
        match step {
            Step::Append { key, by_id, id, .. } | Step::Read { key, by_id, id } if *by_id => {
                *id = documents.get(key).map(|(id, _)| id.clone());
            }
            Step::ReadTimes { between: (first, last), from, until, .. } => {
                *from = created(first).unwrap_or(0.0);
                *until = created(last).filter(|until| *until > *from);
            }
            _ => {}
        }
    }

    /// When a list's document was created, if anybody has seen it.
    #[must_use]
    pub fn created(&self, key: Key) -> Option<f64> {
        self.documents.lock().expect("unpoisoned").get(&key).map(|(_, created)| *created)
    }

    /// The lists of a table whose documents were created in a part of time.
    #[must_use]
    pub fn created_within(&self, table: u32, within: impl Fn(f64) -> bool) -> Vec<Key> {
        let keys = table * LISTS_PER_TABLE..(table + 1) * LISTS_PER_TABLE;
        keys.filter(|key| self.created(*key).is_some_and(&within)).collect()
    }
}
