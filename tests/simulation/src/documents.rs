//! Documents and their ids as the host has them: what an id tells, and the canonical JSON.
//!
//! Not here: which documents there are.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use weir_value::{DocumentId, Timestamp, Value};

use crate::program::Fields;

/// An id as the host gave it, and what it tells.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct DocId {
    pub(crate) text: Arc<str>,
    pub(crate) parsed: DocumentId,
}

impl DocId {
    /// `None`: the host gave something that is not an id.
    pub(crate) fn parse(text: &str) -> Option<DocId> {
        DocumentId::parse(text).ok().map(|parsed| DocId { text: Arc::from(text), parsed })
    }

    /// The creation time, as JSON.
    pub(crate) fn creation_time_json(&self) -> String {
        let mut json = Vec::new();
        Value::Float64(self.parsed.creation_time.as_f64()).write_json(&mut json);
        String::from_utf8_lossy(&json).into_owned()
    }
}

impl fmt::Debug for DocId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A document of the model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Document {
    pub(crate) fields: Fields,
    /// As it is stored.
    pub(crate) json: Bytes,
}

impl Document {
    pub(crate) fn new(id: &DocId, fields: Fields) -> Document {
        let (time, pad) = (id.creation_time_json(), "x".repeat(fields.pad_bytes));
        let m = fields.m.json();
        let json = format!(
            r#"{{"_creationTime":{time},"_id":"{}","m":{m},"n":{},"pad":"{pad}"}}"#,
            id.text, fields.n
        );
        Document { fields, json: json.into() }
    }

    /// The document that a commit leaves.
    pub(crate) fn committed(self, id: &DocumentId, ts: Timestamp) -> Document {
        let m = self.fields.m.committed(ts);
        if m == self.fields.m {
            return self;
        }
        let id = DocId { text: id.to_string().into(), parsed: *id };
        Document::new(&id, Fields { m, ..self.fields })
    }
}

/// The fields `n` of stored documents that stand one behind the other.
pub(crate) fn numbers_in(documents: &[u8]) -> impl Iterator<Item = u32> + '_ {
    let text = std::str::from_utf8(documents).unwrap_or_default();
    text.split('}').filter_map(|document| {
        let (_, rest) = document.split_once(r#""n":"#)?;
        rest.split(',').next()?.parse().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found_and_nothing_else() {
        let documents = br#"{"_id":"n","m":1,"n":7,"pad":"x"},{"_id":"nn","m":null,"n":999,"pad":""}"#;
        assert_eq!(numbers_in(documents).collect::<Vec<_>>(), [7, 999]);
        assert_eq!(numbers_in(b"").count(), 0);
    }
}
