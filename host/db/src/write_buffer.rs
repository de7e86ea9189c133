//! The writes of a transaction, before they are committed.
//!
//! Knows nothing of documents or limits: keys and values, counters, and savepoints that put them back.
use std::collections::BTreeMap;
use std::ops::Bound;

use bytes::Bytes;
use weir_store::{Changes, Write};
use weir_value::TableNumber;

use crate::KeyRange;

/// What stands under a key at the end of the transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Written {
    /// This value.
    Value(Bytes),
    /// Nothing.
    Deleted,
    /// What the snapshot has, although what the key is about has changed.
    Touched,
}

impl Written {
    /// The value that was written.
    pub(crate) fn value(&self) -> Option<&Bytes> {
        match self {
            Written::Value(value) => Some(value),
            Written::Deleted | Written::Touched => None,
        }
    }
}

/// How many documents more, or fewer, the tables have.
pub(crate) type CountChanges = BTreeMap<TableNumber, i64>;

#[derive(Default)]
pub(crate) struct WriteBuffer {
    writes: BTreeMap<Bytes, Written>,
    counts: CountChanges,
    /// What stood in `writes` before each write since the first open savepoint, oldest first.
    undo: Vec<(Bytes, Option<Written>)>,
    savepoints: Vec<Savepoint>,
}

struct Savepoint {
    /// Where in `undo` it was made.
    undo_from: usize,
    counts: CountChanges,
}

impl WriteBuffer {
    pub(crate) fn get(&self, key: &[u8]) -> Option<&Written> {
        self.writes.get(key)
    }

    pub(crate) fn put(&mut self, key: Bytes, written: Written) {
        if self.savepoints.is_empty() {
            self.writes.insert(key, written);
        } else {
            let before = self.writes.insert(key.clone(), written);
            self.undo.push((key, before));
        }
    }

    /// Notes that what the key is about has changed, if nothing is written under it.
    pub(crate) fn touch(&mut self, key: Bytes) {
        if !self.writes.contains_key(&key) {
            self.put(key, Written::Touched);
        }
    }

    /// Notes that a table has so many documents more.
    pub(crate) fn add_to_count(&mut self, table: TableNumber, documents: i64) {
        *self.counts.entry(table).or_default() += documents;
    }

    /// How many documents more, or fewer, a table has.
    pub(crate) fn count_change(&self, table: TableNumber) -> i64 {
        self.counts.get(&table).copied().unwrap_or_default()
    }

    /// The writes in a range, ascending.
    pub(crate) fn range(&self, range: &KeyRange) -> impl DoubleEndedIterator<Item = (&Bytes, &Written)> {
        let end = range.end.as_ref().max(range.start.as_ref());
        let bounds = (Bound::Included(range.start.as_ref()), Bound::Excluded(end));
        let some = (!range.is_empty()).then(|| self.writes.range::<[u8], _>(bounds));
        some.into_iter().flatten()
    }

    /// All writes, ascending.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Bytes, &Written)> {
        self.writes.iter()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    /// Makes a savepoint; gives how many were open before it.
    pub(crate) fn begin(&mut self) -> usize {
        self.savepoints.push(Savepoint { undo_from: self.undo.len(), counts: self.counts.clone() });
        self.savepoints.len() - 1
    }

    /// Keeps what was written since the savepoint, and since those inside it.
    pub(crate) fn keep(&mut self, savepoint: usize) {
        self.savepoints.truncate(savepoint);
        if savepoint == 0 {
            self.undo.clear();
        }
    }

    /// Undoes what was written since the savepoint, and since those inside it.
    pub(crate) fn undo(&mut self, savepoint: usize) {
        if savepoint >= self.savepoints.len() {
            return;
        }
        let Savepoint { undo_from, counts } = self.savepoints.swap_remove(savepoint);
        for (key, before) in self.undo.drain(undo_from..).rev() {
            match before {
                Some(written) => self.writes.insert(key, written),
                None => self.writes.remove(&key),
            };
        }
        self.counts = counts;
        self.savepoints.truncate(savepoint);
    }

    /// The changes for the store, writes ascending by key, and those of the tables' counts.
    pub(crate) fn into_changes(self) -> (Changes, CountChanges) {
        let mut changes = Changes::default();
        changes.writes.reserve(self.writes.len());
        for (key, written) in self.writes {
            match written {
                Written::Value(value) => changes.writes.push(Write { key, value: Some(value) }),
                Written::Deleted => changes.writes.push(Write { key, value: None }),
                Written::Touched => changes.touched.push(key),
            }
        }
        (changes, self.counts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &'static str) -> Bytes {
        Bytes::from_static(text.as_bytes())
    }

    fn value(text: &'static str) -> Written {
        Written::Value(key(text))
    }

    fn contents(buffer: &WriteBuffer) -> Vec<String> {
        let all = KeyRange { start: key(""), end: key("zz") };
        let show = |written: &Written| match written {
            Written::Value(value) => String::from_utf8_lossy(value).into_owned(),
            Written::Deleted => "-".to_owned(),
            Written::Touched => "~".to_owned(),
        };
        buffer.range(&all).map(|(k, v)| format!("{}={}", String::from_utf8_lossy(k), show(v))).collect()
    }

    #[test]
    fn savepoints_put_back_what_stood_there() {
        let mut buffer = WriteBuffer::default();
        buffer.put(key("a"), value("1"));
        let outer = buffer.begin();
        buffer.put(key("a"), value("2"));
        buffer.put(key("b"), value("3"));
        let inner = buffer.begin();
        buffer.put(key("a"), Written::Deleted);
        buffer.put(key("c"), value("4"));
        buffer.undo(inner);
        assert_eq!(contents(&buffer), ["a=2", "b=3"]);
        let kept = buffer.begin();
        buffer.put(key("b"), Written::Deleted);
        buffer.keep(kept);
        assert_eq!(contents(&buffer), ["a=2", "b=-"]);
        buffer.undo(outer);
        assert_eq!(contents(&buffer), ["a=1"]);
    }

    #[test]
    fn undoing_the_outer_one_ends_the_inner_ones() {
        let mut buffer = WriteBuffer::default();
        let outer = buffer.begin();
        buffer.put(key("a"), value("1"));
        let _inner = buffer.begin();
        buffer.put(key("b"), value("2"));
        buffer.undo(outer);
        assert!(buffer.is_empty());
        buffer.put(key("c"), Written::Deleted);
        assert_eq!(contents(&buffer), ["c=-"]);
        assert!(buffer.undo.is_empty());
    }

    #[test]
    fn touched_keys_are_no_writes_and_counts_go_back() {
        let table = TableNumber(10_001);
        let mut buffer = WriteBuffer::default();
        buffer.touch(key("a"));
        buffer.add_to_count(table, 2);
        let savepoint = buffer.begin();
        buffer.put(key("b"), Written::Deleted);
        buffer.touch(key("b"));
        buffer.put(key("a"), value("1"));
        buffer.add_to_count(table, -1);
        assert_eq!((contents(&buffer), buffer.count_change(table)), (vec!["a=1".into(), "b=-".into()], 1));
        buffer.undo(savepoint);
        assert_eq!((contents(&buffer), buffer.count_change(table)), (vec!["a=~".into()], 2));
        let (changes, counts) = buffer.into_changes();
        assert_eq!((changes.writes.len(), changes.touched), (0, vec![key("a")]));
        assert_eq!(counts[&table], 2);
    }

    #[test]
    fn an_empty_range_holds_nothing() {
        let mut buffer = WriteBuffer::default();
        buffer.put(key("b"), Written::Deleted);
        assert_eq!(buffer.range(&KeyRange { start: key("c"), end: key("a") }).count(), 0);
        assert_eq!(buffer.range(&KeyRange { start: key("b"), end: key("b") }).count(), 0);
    }
}
