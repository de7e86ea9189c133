//! Admin keys, beside the first one of the data folder: documents of the system table `_admin_keys`.
//!
//! What is kept of a key is its SHA-256. A key holds 256 random bits, which nobody finds by trying: a slow hash, as
//! passwords need it, would add nothing. Knows nothing of the keys' text, nor of who sends one.
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use weir_store::{ReadError, SequenceError, Snapshot};
use weir_value::limits::{ADMIN_KEY_LIFETIME_S_MAX, ADMIN_KEY_NAME_CHARS_MAX, ADMIN_KEYS_MAX};
use weir_value::{DocumentId, Timestamp};

use crate::scan_all::scan_all;
use crate::transaction::Draft;
use crate::{CommitError, Database, DbError, Scope, keyspace, system_tables};

/// Bytes of a key's hash.
pub const ADMIN_KEY_HASH_BYTES: usize = 32;

/// An admin key, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdminKeyRecord {
    /// Its name, unique.
    pub name: String,
    /// SHA-256 of its text.
    pub hash: [u8; ADMIN_KEY_HASH_BYTES],
    /// What it is good for.
    pub scope: Scope,
    /// When it was made, in milliseconds since the epoch.
    pub created_at_ms: u64,
    /// Until when it is good, in milliseconds since the epoch; `None`: until it is revoked.
    pub expires_at_ms: Option<u64>,
}

/// An admin key to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAdminKey {
    /// Its name: letters, digits, `.`, `_` and `-`, the first of them a letter or a digit.
    pub name: String,
    /// SHA-256 of its text.
    pub hash: [u8; ADMIN_KEY_HASH_BYTES],
    /// What it is good for.
    pub scope: Scope,
    /// For how long; `None`: until it is revoked.
    pub lifetime: Option<Duration>,
}

/// Why a key was not made, or not revoked. Nothing was changed.
#[derive(Debug, Clone, Error)]
pub enum AdminKeyError {
    /// No key can have this name.
    #[error(
        "`{}` cannot be the name of an admin key: use 1 to {ADMIN_KEY_NAME_CHARS_MAX} letters, digits, `.`, `_` and \
         `-`, and begin with a letter or a digit",
        .0.escape_debug()
    )]
    InvalidName(String),
    /// It would be good for no time, or for more than a lifetime.
    #[error("an admin key that expires is good for 1 to {ADMIN_KEY_LIFETIME_S_MAX} seconds, not for {0}")]
    InvalidLifetime(u64),
    /// There is one of this name.
    #[error("there is an admin key `{0}` already: choose another name, or revoke that one first")]
    Exists(String),
    /// There is none of this name.
    #[error("there is no admin key `{0}`")]
    NotFound(String),
    /// There are as many as there may be.
    #[error("there are {ADMIN_KEYS_MAX} admin keys already: revoke some that are no longer used")]
    TooMany,
    /// The table cannot be written.
    #[error("the table of admin keys: {0}")]
    Table(#[from] DbError),
    /// The store takes no writes, or cannot be read.
    #[error(transparent)]
    Commit(#[from] CommitError),
}

impl From<ReadError> for AdminKeyError {
    fn from(error: ReadError) -> Self {
        AdminKeyError::Commit(error.into())
    }
}

impl From<SequenceError> for AdminKeyError {
    fn from(error: SequenceError) -> Self {
        AdminKeyError::Commit(error.into())
    }
}

/// A document of the table, without what every document has.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredKey {
    name: String,
    hash: String,
    scope: String,
    created_at: f64,
    expires_at: Option<f64>,
}

impl AdminKeyRecord {
    /// Reads a document; `None` if it is none of a key.
    pub(crate) fn decode(document: &[u8]) -> Option<AdminKeyRecord> {
        let stored: StoredKey = serde_json::from_slice(document).ok()?;
        Some(AdminKeyRecord {
            name: stored.name,
            hash: hash_from_hex(&stored.hash)?,
            scope: Scope::parse(&stored.scope)?,
            created_at_ms: stored.created_at as u64,
            expires_at_ms: stored.expires_at.map(|at| at as u64),
        })
    }

    fn encode(&self) -> Vec<u8> {
        let stored = StoredKey {
            name: self.name.clone(),
            hash: self.hash.iter().map(|byte| format!("{byte:02x}")).collect(),
            scope: self.scope.as_str().to_owned(),
            created_at: self.created_at_ms as f64,
            expires_at: self.expires_at_ms.map(|at| at as f64),
        };
        serde_json::to_vec(&stored).expect("texts and numbers can be written")
    }
}

impl NewAdminKey {
    /// Whether there can be such a key.
    ///
    /// # Errors
    /// Its name, or its lifetime.
    pub fn check(&self) -> Result<(), AdminKeyError> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        let name = self.name.as_bytes();
        let begins_well = name.first().is_some_and(u8::is_ascii_alphanumeric);
        if !begins_well || name.len() > ADMIN_KEY_NAME_CHARS_MAX || !name.iter().copied().all(is_allowed) {
            let shown = self.name.chars().take(ADMIN_KEY_NAME_CHARS_MAX + 1).collect();
            return Err(AdminKeyError::InvalidName(shown));
        }
        match self.lifetime.map(|lifetime| lifetime.as_secs()) {
            Some(seconds) if !(1..=ADMIN_KEY_LIFETIME_S_MAX).contains(&seconds) => {
                Err(AdminKeyError::InvalidLifetime(seconds))
            }
            _ => Ok(()),
        }
    }

    fn record(&self, now_ms: u64) -> AdminKeyRecord {
        AdminKeyRecord {
            name: self.name.clone(),
            hash: self.hash,
            scope: self.scope,
            created_at_ms: now_ms,
            expires_at_ms: self.lifetime.map(|lifetime| now_ms + lifetime.as_millis() as u64),
        }
    }
}

fn hash_from_hex(hex: &str) -> Option<[u8; ADMIN_KEY_HASH_BYTES]> {
    if hex.len() != 2 * ADMIN_KEY_HASH_BYTES || !hex.is_ascii() {
        return None;
    }
    let mut hash = [0; ADMIN_KEY_HASH_BYTES];
    for (at, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).ok()?;
    }
    Some(hash)
}

impl Database {
    /// The admin keys as of a snapshot, in the order in which they were made. A document that is none of a key is left
    /// out: `check` tells of it.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn admin_keys(&self, at: &Snapshot) -> Result<Vec<AdminKeyRecord>, ReadError> {
        Ok(read_keys(at)?.into_iter().map(|(_, record)| record).collect())
    }

    /// Makes an admin key; returns when that is sequenced, with its timestamp. Nobody may use the key before that is
    /// durable.
    ///
    /// # Errors
    /// See [`AdminKeyError`].
    pub fn create_admin_key(&self, key: &NewAdminKey) -> Result<(AdminKeyRecord, Timestamp), AdminKeyError> {
        key.check()?;
        let record = key.record(self.shared.env.now().as_nanos() / 1_000_000);
        let ts = self.change_admin_keys(|tx, keys| {
            if keys.iter().any(|(_, other)| other.name == record.name) {
                return Err(AdminKeyError::Exists(record.name.clone()));
            }
            if keys.len() >= ADMIN_KEYS_MAX {
                return Err(AdminKeyError::TooMany);
            }
            tx.insert_system(system_tables::ADMIN_KEYS, &record.encode())?;
            Ok(())
        })?;
        Ok((record, ts))
    }

    /// Revokes an admin key: its record is removed. Returns when that is sequenced, with its timestamp.
    ///
    /// # Errors
    /// See [`AdminKeyError`].
    pub fn revoke_admin_key(&self, name: &str) -> Result<Timestamp, AdminKeyError> {
        self.change_admin_keys(|tx, keys| {
            let found = keys.iter().find(|(_, key)| key.name == name);
            let (id, _) = found.ok_or_else(|| AdminKeyError::NotFound(name.to_owned()))?;
            Ok(tx.delete_system(id)?)
        })
    }

    /// Commits a change of the keys that there are, behind the gate, so that names stay unique.
    fn change_admin_keys(
        &self,
        change: impl FnOnce(&mut crate::Transaction, &[(DocumentId, AdminKeyRecord)]) -> Result<(), AdminKeyError>,
    ) -> Result<Timestamp, AdminKeyError> {
        let mut gate = self.committer.enter();
        let opened = self.committer.open();
        let keys = read_keys(&opened.snapshot)?;
        let mut tx = self.begin_system(opened.snapshot.clone());
        change(&mut tx, &keys)?;
        let (Draft { changes, counts, .. }, _) = tx.into_draft();
        Ok(gate.sequence_unstamped(changes, &counts)?)
    }
}

fn read_keys(at: &Snapshot) -> Result<Vec<(DocumentId, AdminKeyRecord)>, ReadError> {
    let mut keys = Vec::new();
    scan_all(at, keyspace::documents(system_tables::ADMIN_KEYS), |key, document: &Bytes| {
        keys.extend(keyspace::document_in_key(key).zip(AdminKeyRecord::decode(document)));
        Ok::<(), ReadError>(())
    })?;
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::World;

    fn new_key(name: &str) -> NewAdminKey {
        NewAdminKey { name: name.to_owned(), hash: [0xa5; 32], scope: Scope::Functions, lifetime: None }
    }

    #[test]
    fn there_are_so_many_and_no_more() {
        let world = World::forgetful();
        let all = world.db.change_admin_keys(|tx, _| {
            for number in 0..ADMIN_KEYS_MAX {
                let record = new_key(&format!("key-{number}")).record(1);
                tx.insert_system(system_tables::ADMIN_KEYS, &record.encode())?;
            }
            Ok(())
        });
        all.unwrap();
        assert!(matches!(world.db.create_admin_key(&new_key("more")), Err(AdminKeyError::TooMany)));
        world.db.revoke_admin_key("key-7").unwrap();
        world.db.create_admin_key(&new_key("more")).unwrap();
        let keys = world.db.admin_keys(&world.db.store().snapshot_sequenced()).unwrap();
        assert_eq!(keys.len(), ADMIN_KEYS_MAX);
    }

    #[test]
    fn records_come_back_and_others_are_none() {
        let record = AdminKeyRecord { expires_at_ms: Some(1_790_000_000_001), ..new_key("ci").record(7) };
        assert_eq!(AdminKeyRecord::decode(&record.encode()), Some(record.clone()));
        let text = String::from_utf8(record.encode()).unwrap();
        let changes =
            [("functions", "all"), ("\"ci\"", "7"), ("a5a5", "a5"), ("a5a5", "éé"), ("a5a5", "x5a5")];
        for (from, to) in changes {
            let changed = text.replacen(from, to, 1);
            assert_ne!(changed, text);
            assert_eq!(AdminKeyRecord::decode(changed.as_bytes()), None, "{changed}");
        }
    }

    #[test]
    fn a_check_tells_of_a_key_that_is_none() {
        let world = World::forgetful();
        world.db.create_admin_key(&new_key("ci")).unwrap();
        let broken = world.db.change_admin_keys(|tx, _| {
            tx.insert_system(system_tables::ADMIN_KEYS, &new_key("ci").record(1).encode())?;
            tx.insert_system(system_tables::ADMIN_KEYS, b"{}")?;
            Ok(())
        });
        broken.unwrap();
        let found = crate::check(&world.db.store().snapshot_sequenced()).unwrap();
        assert_eq!(found.problem_count, 2, "{:?}", found.problems);
        let told = found.problems.join("\n");
        assert!(
            told.contains("two admin keys have the name `ci`") && told.contains("cannot be read"),
            "{told}"
        );
    }
}
