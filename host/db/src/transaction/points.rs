//! The keys that a transaction has read alone, and what it has found under them.

use std::collections::HashMap;

use bytes::Bytes;

/// So many are looked through one by one: a hash that nobody can foresee takes longer.
const LISTED_MAX: usize = 8;

/// What a snapshot has under keys; misses too.
pub(super) enum Points {
    Listed(Vec<(Bytes, Option<Bytes>)>),
    Hashed(HashMap<Bytes, Option<Bytes>>),
}

impl Default for Points {
    fn default() -> Points {
        Points::Listed(Vec::new())
    }
}

impl Points {
    pub(super) fn get(&self, key: &[u8]) -> Option<&Option<Bytes>> {
        match self {
            Points::Listed(points) => points.iter().find(|(point, _)| point == key).map(|(_, value)| value),
            Points::Hashed(points) => points.get(key),
        }
    }

    /// Sets what is under a key.
    pub(super) fn add(&mut self, key: Bytes, value: Option<Bytes>) {
        match self {
            Points::Listed(points) => match points.iter().position(|(point, _)| *point == key) {
                Some(known) => points[known].1 = value,
                None if points.len() < LISTED_MAX => points.push((key, value)),
                None => *self = Points::Hashed(points.drain(..).chain([(key, value)]).collect()),
            },
            Points::Hashed(points) => drop(points.insert(key, value)),
        }
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &Bytes> {
        let (listed, hashed) = match self {
            Points::Listed(points) => (Some(points), None),
            Points::Hashed(points) => (None, Some(points)),
        };
        listed.into_iter().flatten().map(|(key, _)| key).chain(hashed.into_iter().flat_map(HashMap::keys))
    }
}
