//! Cursors of pages: where a page of a query ends, as a client carries it to the next one.
//!
//! A cursor is encrypted and authenticated, together with the query it belongs to: it tells nothing of the documents
//! between which it stands, and neither a forged one nor one of another query is taken. Equal positions have equal
//! cursors, so that a page that has not changed is the same value again.
use aes_gcm_siv::aead::{Aead, Payload};
use aes_gcm_siv::{Aes256GcmSiv, KeyInit, Nonce};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use serde::Serialize;
use sha2::{Digest, Sha256};
use weir_store::Env;
use weir_value::ErrorCode;

use super::plan::{PlanJson, Source};
use crate::DbError;
use crate::keyspace::Namespace;

/// Behind a row, or behind all of them.
const BEHIND_ROW: u8 = 1;
const BEHIND_ALL: u8 = 2;

/// What tells a query from others: its table, index, range, order and filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fingerprint([u8; 32]);

impl Fingerprint {
    pub(super) fn of(plan: &PlanJson<'_>) -> Fingerprint {
        Fingerprint::of_json(plan)
    }

    fn of_json(plan: &impl Serialize) -> Fingerprint {
        let text = serde_json::to_vec(plan).expect("a plan that was read as JSON can be written");
        Fingerprint(Sha256::digest(text).into())
    }

    /// The same query of a component's function, whose tables are others.
    pub(crate) fn of_namespace(self, namespace: Namespace) -> Fingerprint {
        match namespace {
            Namespace::APP => self,
            Namespace(number) => {
                let hash = Sha256::new_with_prefix(self.0).chain_update(number.to_be_bytes());
                Fingerprint(hash.finalize().into())
            }
        }
    }

    /// The same query, on the index as it is defined now.
    pub(crate) fn on(self, source: &Source) -> Fingerprint {
        let Source::Entries(index) = source else { return self };
        let mut hash = Sha256::new_with_prefix(self.0);
        for field in &index.fields {
            hash.update(field.as_bytes());
            hash.update([0]);
        }
        Fingerprint(hash.finalize().into())
    }
}

/// Where a page ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PageCursor {
    /// Behind the row with this key, without the number of its table or index.
    BehindRow(Bytes),
    /// Behind everything.
    BehindAll,
}

/// The key that the cursors of a database are encrypted with.
pub(crate) struct CursorKey(Aes256GcmSiv);

impl CursorKey {
    /// Random bytes for a key.
    pub(crate) fn draw(env: &dyn Env) -> [u8; 32] {
        let mut key = [0; 32];
        env.fill_random(&mut key);
        key
    }

    pub(crate) fn new(key: &[u8; 32]) -> CursorKey {
        CursorKey(Aes256GcmSiv::new(key.into()))
    }

    /// The text of a cursor.
    pub(crate) fn seal(&self, cursor: &PageCursor, query: Fingerprint) -> String {
        let plain = match cursor {
            PageCursor::BehindRow(key) => [&[BEHIND_ROW], key.as_ref()].concat(),
            PageCursor::BehindAll => vec![BEHIND_ALL],
        };
        URL_SAFE_NO_PAD.encode(self.seal_bytes(&plain, &query.0))
    }

    /// Encrypts and authenticates something short, which opens for this purpose alone.
    pub(crate) fn seal_bytes(&self, plain: &[u8], purpose: &[u8]) -> Vec<u8> {
        let payload = Payload { msg: plain, aad: purpose };
        // GCM-SIV keeps its promises with one nonce for all; equal texts have equal ciphers, which is what is wanted.
        self.0.encrypt(&Nonce::default(), payload).expect("what is sealed is far from the cipher's limit")
    }

    /// What was sealed for this purpose.
    pub(crate) fn open_bytes(&self, sealed: &[u8], purpose: &[u8]) -> Option<Vec<u8>> {
        self.0.decrypt(&Nonce::default(), Payload { msg: sealed, aad: purpose }).ok()
    }

    /// Reads a cursor of this query.
    ///
    /// # Errors
    /// `InvalidCursor`: it is not one, or one of another query or database.
    pub(crate) fn open(&self, text: &str, query: Fingerprint) -> Result<PageCursor, DbError> {
        let sealed = URL_SAFE_NO_PAD.decode(text).ok();
        let plain = sealed.and_then(|sealed| self.open_bytes(&sealed, &query.0));
        match plain.as_deref().and_then(<[u8]>::split_first) {
            Some((&BEHIND_ROW, key)) => Ok(PageCursor::BehindRow(Bytes::copy_from_slice(key))),
            Some((&BEHIND_ALL, [])) => Ok(PageCursor::BehindAll),
            _ => Err(DbError::new(
                ErrorCode::InvalidCursor,
                "The cursor is not one of this query: it belongs to another query, to other arguments, or to another \
                 deployment. Begin again at the first page.",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(name: &str) -> Fingerprint {
        Fingerprint::of_json(&serde_json::json!({ "table": name }))
    }

    #[test]
    fn a_cursor_comes_back_to_its_query_alone() {
        let key = CursorKey::new(&[7; 32]);
        for cursor in [PageCursor::BehindRow(Bytes::from_static(b"key")), PageCursor::BehindAll] {
            let text = key.seal(&cursor, query("a"));
            assert_eq!(text, key.seal(&cursor, query("a")));
            assert_eq!(key.open(&text, query("a")).unwrap(), cursor);
            assert_eq!(key.open(&text, query("b")).unwrap_err().code, ErrorCode::InvalidCursor);
            assert!(CursorKey::new(&[8; 32]).open(&text, query("a")).is_err());
            assert!(!text.contains("key"));
        }
    }

    #[test]
    fn what_was_tampered_with_is_refused() {
        let key = CursorKey::new(&[7; 32]);
        let text = key.seal(&PageCursor::BehindRow(Bytes::from_static(b"some key")), query("a"));
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            if changed != text {
                assert!(key.open(&changed, query("a")).is_err(), "{changed}");
            }
        }
        for text in ["", "x", "not base64!", &text[..text.len() - 1]] {
            assert!(key.open(text, query("a")).is_err(), "{text}");
        }
    }
}
