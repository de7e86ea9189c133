//! The admin keys that are in force, in memory: checking one asks no disk.
//!
//! The ring follows the table: it is read anew, at a durable snapshot, whenever a key was made or revoked. So no key is
//! good before it would survive a crash. Found by a part of their hashes and compared as a whole in constant time, keys
//! cost the same however many there are; and what a comparison could tell is of a hash, not of a key.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::RwLock;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use weir_db::{ADMIN_KEY_HASH_BYTES, AdminKeyRecord, Database, Scope};
use weir_store::{Env, ReadError};
use weir_value::Timestamp;

use super::Refusal;
use crate::admin_key::{self, AdminKey, without_kind};

/// The name under which the key of the data folder is listed.
pub const FIRST_KEY_NAME: &str = admin_key::FILE_NAME;

/// The hash of a key's text.
pub type KeyHash = [u8; ADMIN_KEY_HASH_BYTES];

/// SHA-256 of a key's text.
pub fn hash_of(text: &str) -> KeyHash {
    Sha256::digest(text.as_bytes()).into()
}

/// A key that is in force, or was until it was revoked.
#[derive(Debug)]
pub struct HeldKey {
    name: Arc<str>,
    scope: Scope,
    hash: KeyHash,
    expires_at: Option<Duration>,
    is_revoked: AtomicBool,
}

/// The keys of one server.
pub struct KeyRing {
    env: Arc<dyn Env>,
    db: Arc<Database>,
    first: Arc<HeldKey>,
    held: RwLock<Held>,
}

#[derive(Default)]
struct Held {
    /// Of which commit they are.
    at: Timestamp,
    by_prefix: HashMap<u64, Vec<Arc<HeldKey>>>,
}

impl HeldKey {
    fn new(name: &str, scope: Scope, hash: KeyHash, expires_at_ms: Option<u64>) -> HeldKey {
        let expires_at = expires_at_ms.map(Duration::from_millis);
        HeldKey { name: name.into(), scope, hash, expires_at, is_revoked: AtomicBool::new(false) }
    }

    /// What it is called.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// What it is good for.
    pub fn scope(&self) -> Scope {
        self.scope
    }

    /// Until when, since the Unix epoch; `None`: until it is revoked.
    pub fn expires_at(&self) -> Option<Duration> {
        self.expires_at
    }

    /// Whether it was revoked since it was found.
    pub fn is_revoked(&self) -> bool {
        self.is_revoked.load(Ordering::Acquire)
    }
}

impl Held {
    fn find(&self, hash: &KeyHash) -> Option<&Arc<HeldKey>> {
        let candidates = self.by_prefix.get(&prefix_of(hash))?;
        candidates.iter().find(|key| bool::from(key.hash.ct_eq(hash)))
    }

    fn add(&mut self, key: Arc<HeldKey>) {
        self.by_prefix.entry(prefix_of(&key.hash)).or_default().push(key);
    }

    fn all(&self) -> impl Iterator<Item = &Arc<HeldKey>> {
        self.by_prefix.values().flatten()
    }
}

fn prefix_of(hash: &KeyHash) -> u64 {
    let (prefix, _) = hash.split_first_chunk().expect("a hash is longer");
    u64::from_be_bytes(*prefix)
}

impl KeyRing {
    /// The key of the data folder alone, until `refresh`.
    pub fn new(env: Arc<dyn Env>, db: Arc<Database>, first: &AdminKey) -> KeyRing {
        let first = Arc::new(HeldKey::new(FIRST_KEY_NAME, Scope::Everything, hash_of(first.as_str()), None));
        let mut held = Held::default();
        held.add(Arc::clone(&first));
        KeyRing { env, db, first, held: RwLock::new(held) }
    }

    /// The key that was sent, if it is one in force. A deployment kind in front (`prod:`) is ignored.
    ///
    /// # Errors
    /// It is none, or has expired.
    pub fn find(&self, sent: &str) -> Result<Arc<HeldKey>, Refusal> {
        let found = self.held.read().find(&hash_of(without_kind(sent))).cloned();
        let key = found.ok_or(Refusal::WrongKey)?;
        match key.expires_at {
            Some(at) if at <= self.env.now().since_epoch() => Err(Refusal::ExpiredKey),
            _ => Ok(key),
        }
    }

    /// The keys of the table, as far as they are durable, the oldest first; and the time since the Unix epoch, which
    /// says which of them have expired. Reads the store.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn list(&self) -> Result<(Vec<AdminKeyRecord>, Duration), ReadError> {
        Ok((self.db.admin_keys(&self.db.store().snapshot_durable())?, self.env.now().since_epoch()))
    }

    /// Takes in what is durable of the table. Sockets of revoked keys are to look at theirs afterwards. Reads the store.
    ///
    /// # Errors
    /// The store cannot be read; the keys stay as they were.
    pub fn refresh(&self) -> Result<(), ReadError> {
        let snapshot = self.db.store().snapshot_durable();
        let records = self.db.admin_keys(&snapshot)?;
        let mut held = self.held.write();
        // Two that refresh at once: the newer one counts.
        if snapshot.ts() < held.at {
            return Ok(());
        }
        let mut next = Held { at: snapshot.ts(), ..Held::default() };
        next.add(Arc::clone(&self.first));
        for record in &records {
            let known = held.find(&record.hash).cloned();
            next.add(known.unwrap_or_else(|| {
                Arc::new(HeldKey::new(&record.name, record.scope, record.hash, record.expires_at_ms))
            }));
        }
        for gone in held.all().filter(|key| next.find(&key.hash).is_none()) {
            gone.is_revoked.store(true, Ordering::Release);
        }
        *held = next;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_db::NewAdminKey;
    use weir_store::{SimEnv, Store, StoreOptions, memory};

    struct World {
        env: Arc<SimEnv>,
        db: Arc<Database>,
        store: Arc<dyn Store>,
        ring: KeyRing,
        first: AdminKey,
        _dir: tempfile::TempDir,
    }

    impl Drop for World {
        fn drop(&mut self) {
            self.store.close();
        }
    }

    fn world() -> World {
        let env = Arc::new(SimEnv::new(1, Timestamp::from_nanos(1_790_000_000_000_000_000)));
        let shared: Arc<dyn Env> = env.clone();
        let disk = memory::MemoryDisk::new();
        let store = memory::open(&disk, StoreOptions::default(), Arc::clone(&shared)).unwrap();
        let db = Database::open(Arc::clone(&store), Arc::clone(&shared)).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let first = AdminKey::read_or_create(dir.path(), "weir").unwrap();
        let ring = KeyRing::new(shared, Arc::clone(&db), &first);
        World { env, db, store, ring, first, _dir: dir }
    }

    impl World {
        fn make(&self, text: &str, scope: Scope, lifetime: Option<Duration>) {
            let key = NewAdminKey { name: name_of(text), hash: hash_of(text), scope, lifetime };
            let (_, ts) = self.db.create_admin_key(&key).unwrap();
            self.wait_durable(ts);
        }

        fn wait_durable(&self, ts: Timestamp) {
            while self.store.durable() < ts {
                std::thread::yield_now();
            }
        }

        fn scope(&self, sent: &str) -> Result<Scope, Refusal> {
            self.ring.find(sent).map(|key| key.scope())
        }
    }

    fn name_of(text: &str) -> String {
        text.replace('|', "-")
    }

    #[test]
    fn whole_keys_are_found_and_nothing_else() {
        let world = world();
        world.make("weir|00ff", Scope::Deploy, None);
        assert_eq!(world.scope("weir|00ff"), Err(Refusal::WrongKey), "not before it is taken in");
        world.ring.refresh().unwrap();
        for (sent, expected) in [
            ("weir|00ff", Ok(Scope::Deploy)),
            ("prod:weir|00ff", Ok(Scope::Deploy)),
            ("weir|00fe", Err(Refusal::WrongKey)),
            ("weir|00f", Err(Refusal::WrongKey)),
            ("weir|00ff0", Err(Refusal::WrongKey)),
            ("other|00ff", Err(Refusal::WrongKey)),
            ("weir|00FF", Err(Refusal::WrongKey)),
            ("00ff", Err(Refusal::WrongKey)),
            ("", Err(Refusal::WrongKey)),
            (world.first.as_str(), Ok(Scope::Everything)),
        ] {
            assert_eq!(world.scope(sent), expected, "{sent}");
        }
    }

    #[test]
    fn an_expired_key_is_told_so_and_no_other() {
        let world = world();
        world.make("weir|01", Scope::ReadOnly, Some(Duration::from_secs(60)));
        world.ring.refresh().unwrap();
        world.env.advance(Duration::from_secs(59));
        assert_eq!(world.scope("weir|01"), Ok(Scope::ReadOnly));
        world.env.advance(Duration::from_secs(1));
        assert_eq!(world.scope("weir|01"), Err(Refusal::ExpiredKey));
        assert_eq!(world.scope("weir|02"), Err(Refusal::WrongKey));
        assert!(world.scope(world.first.as_str()).is_ok());
    }

    #[test]
    fn who_holds_a_revoked_key_can_see_it() {
        let world = world();
        world.make("weir|01", Scope::Functions, None);
        world.make("weir|02", Scope::Functions, None);
        world.ring.refresh().unwrap();
        let (first, second) = (world.ring.find("weir|01").unwrap(), world.ring.find("weir|02").unwrap());
        let ts = world.db.revoke_admin_key(&name_of("weir|01")).unwrap();
        world.wait_durable(ts);
        world.ring.refresh().unwrap();
        assert_eq!((first.is_revoked(), second.is_revoked()), (true, false));
        assert_eq!(world.scope("weir|01"), Err(Refusal::WrongKey));
        // The one that stays is the one that sockets hold.
        assert!(Arc::ptr_eq(&second, &world.ring.find("weir|02").unwrap()));
        assert!(world.scope(world.first.as_str()).is_ok());
    }
}
