//! The writes of a transaction, before they are committed.
//!
//! Knows nothing of documents or limits: keys and values, and savepoints that put them back.
use std::collections::BTreeMap;
use std::ops::Bound;

use bytes::Bytes;
use weir_store::Write;

use crate::KeyRange;

/// What a write left under a key: `None` is a deletion.
pub(crate) type Written = Option<Bytes>;

#[derive(Default)]
pub(crate) struct WriteBuffer {
    writes: BTreeMap<Bytes, Written>,
    /// What stood in `writes` before each write since the first open savepoint, oldest first.
    undo: Vec<(Bytes, Option<Written>)>,
    /// Where in `undo` each open savepoint was made.
    savepoints: Vec<usize>,
}

impl WriteBuffer {
    pub(crate) fn get(&self, key: &[u8]) -> Option<&Written> {
        self.writes.get(key)
    }

    pub(crate) fn put(&mut self, key: Bytes, value: Written) {
        if self.savepoints.is_empty() {
            self.writes.insert(key, value);
        } else {
            let before = self.writes.insert(key.clone(), value);
            self.undo.push((key, before));
        }
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
        self.savepoints.push(self.undo.len());
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
        let Some(mark) = self.savepoints.get(savepoint).copied() else { return };
        for (key, before) in self.undo.drain(mark..).rev() {
            match before {
                Some(written) => self.writes.insert(key, written),
                None => self.writes.remove(&key),
            };
        }
        self.savepoints.truncate(savepoint);
    }

    /// The writes for the store, ascending by key.
    pub(crate) fn into_writes(self) -> Vec<Write> {
        self.writes.into_iter().map(|(key, value)| Write { key, value }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &'static str) -> Bytes {
        Bytes::from_static(text.as_bytes())
    }

    fn contents(buffer: &WriteBuffer) -> Vec<String> {
        let all = KeyRange { start: key(""), end: key("zz") };
        let show = |value: &Written| match value {
            Some(value) => String::from_utf8_lossy(value).into_owned(),
            None => "-".to_owned(),
        };
        buffer.range(&all).map(|(k, v)| format!("{}={}", String::from_utf8_lossy(k), show(v))).collect()
    }

    #[test]
    fn savepoints_put_back_what_stood_there() {
        let mut buffer = WriteBuffer::default();
        buffer.put(key("a"), Some(key("1")));
        let outer = buffer.begin();
        buffer.put(key("a"), Some(key("2")));
        buffer.put(key("b"), Some(key("3")));
        let inner = buffer.begin();
        buffer.put(key("a"), None);
        buffer.put(key("c"), Some(key("4")));
        buffer.undo(inner);
        assert_eq!(contents(&buffer), ["a=2", "b=3"]);
        let kept = buffer.begin();
        buffer.put(key("b"), None);
        buffer.keep(kept);
        assert_eq!(contents(&buffer), ["a=2", "b=-"]);
        buffer.undo(outer);
        assert_eq!(contents(&buffer), ["a=1"]);
    }

    #[test]
    fn undoing_the_outer_one_ends_the_inner_ones() {
        let mut buffer = WriteBuffer::default();
        let outer = buffer.begin();
        buffer.put(key("a"), Some(key("1")));
        let _inner = buffer.begin();
        buffer.put(key("b"), Some(key("2")));
        buffer.undo(outer);
        assert!(buffer.is_empty());
        buffer.put(key("c"), None);
        assert_eq!(contents(&buffer), ["c=-"]);
        assert!(buffer.undo.is_empty());
    }

    #[test]
    fn an_empty_range_holds_nothing() {
        let mut buffer = WriteBuffer::default();
        buffer.put(key("b"), None);
        assert_eq!(buffer.range(&KeyRange { start: key("c"), end: key("a") }).count(), 0);
        assert_eq!(buffer.range(&KeyRange { start: key("b"), end: key("b") }).count(), 0);
    }
}
