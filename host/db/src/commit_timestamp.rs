//! What a transaction leaves before its commit has a timestamp, and with it.
//!
//! A mutation may write a placeholder for that timestamp. Until the commit it is a value of its own, in documents as in
//! the keys of index entries, so that the transaction's own reads find it. Then an int64 takes its place in both: before
//! the keys are checked against by others and announced. Nobody but the transaction ever sees a placeholder.
use bytes::Bytes;
use weir_store::{Changes, Write};
use weir_value::Timestamp;
use weir_value::commit_timestamp::Template;

use crate::{Transaction, keyspace};

/// The changes of a commit that has no timestamp yet.
#[derive(Default)]
pub(crate) struct Unstamped {
    changes: Changes,
    /// The writes that wait for it.
    waiting: Vec<Waiting>,
}

/// One write that waits for the timestamp.
enum Waiting {
    /// With its value: the place in the changes, where a key stands with none.
    Value(usize, Template),
    /// With its key; the value of an index entry is empty.
    Key(Template),
}

impl From<Changes> for Unstamped {
    /// Changes without a placeholder.
    fn from(changes: Changes) -> Unstamped {
        Unstamped { changes, waiting: Vec::new() }
    }
}

impl Unstamped {
    /// Changes in which there may be placeholders: in values of documents and in keys of index entries.
    pub(crate) fn find(changes: Changes) -> Unstamped {
        let mut found = Unstamped::default();
        found.changes.touched = changes.touched;
        for write in changes.writes {
            match template_of_key(&write.key) {
                Some(template) if write.value.is_some() => found.waiting.push(Waiting::Key(template)),
                // What the transaction wrote and took away again was never there.
                Some(_) => {}
                None => found.add(write),
            }
        }
        found
    }

    fn add(&mut self, mut write: Write) {
        let is_document = keyspace::document_in_key(&write.key).is_some();
        if let Some(template) = write.value.as_deref().filter(|_| is_document).and_then(Template::of_json) {
            self.waiting.push(Waiting::Value(self.changes.writes.len(), template));
            write.value = None;
        }
        self.changes.writes.push(write);
    }

    /// Adds writes that have no placeholders.
    pub(crate) fn extend(&mut self, writes: impl Iterator<Item = Write>) {
        self.changes.writes.extend(writes);
    }

    /// Whether nothing is written.
    pub(crate) fn is_empty(&self) -> bool {
        self.changes.writes.is_empty() && self.waiting.is_empty()
    }

    /// The changes of the commit with this timestamp. An entry that is written stands behind one of the same key that is
    /// removed: a document may have had just this number there before.
    pub(crate) fn stamp(self, ts: Timestamp) -> Changes {
        let Unstamped { mut changes, waiting } = self;
        for waiting in waiting {
            match waiting {
                Waiting::Value(place, template) => {
                    changes.writes[place].value = Some(template.complete(ts).into());
                }
                Waiting::Key(template) => {
                    changes
                        .writes
                        .push(Write { key: template.complete(ts).into(), value: Some(Bytes::new()) });
                }
            }
        }
        changes
    }
}

fn template_of_key(key: &[u8]) -> Option<Template> {
    let keys = keyspace::sort_keys_of_entry(key)?;
    // Only what the transaction has encoded itself stands there.
    Template::of_sort_keys(key, keys).ok().flatten()
}

/// The result of a mutation whose commit has no timestamp yet.
#[derive(Clone)]
pub(crate) enum UnstampedJson {
    Complete(Bytes),
    Waiting(Template),
}

impl UnstampedJson {
    /// The result, canonical JSON, of this transaction.
    pub(crate) fn of(tx: &Transaction, result: Bytes) -> UnstampedJson {
        match tx.has_placeholders().then(|| Template::of_json(&result)).flatten() {
            Some(template) => UnstampedJson::Waiting(template),
            None => UnstampedJson::Complete(result),
        }
    }

    /// The result of the commit with this timestamp.
    pub(crate) fn stamp(self, ts: Timestamp) -> Bytes {
        match self {
            UnstampedJson::Complete(result) => result,
            UnstampedJson::Waiting(template) => template.complete(ts).into(),
        }
    }
}
