//! A map in the order of its keys that stands where it is kept as long as it has few.
use std::collections::BTreeMap;
use std::ops::{Bound, RangeBounds};

use smallvec::SmallVec;

/// With more keys it is a tree.
const FEW: usize = 16;

/// Most sockets watch few queries. A tree would be a place in memory of its own for each of them, to be fetched at each push;
/// up to `HERE` keys stand in the map itself.
#[derive(Debug)]
pub(super) enum SmallMap<K, V, const HERE: usize> {
    /// Ascending.
    Few(SmallVec<[(K, V); HERE]>),
    Many(BTreeMap<K, V>),
}

impl<K, V, const HERE: usize> Default for SmallMap<K, V, HERE> {
    fn default() -> Self {
        SmallMap::Few(SmallVec::new())
    }
}

impl<K: Ord + Copy, V, const HERE: usize> SmallMap<K, V, HERE> {
    pub(super) fn is_empty(&self) -> bool {
        match self {
            SmallMap::Few(few) => few.is_empty(),
            SmallMap::Many(many) => many.is_empty(),
        }
    }

    pub(super) fn get(&self, key: K) -> Option<&V> {
        match self {
            SmallMap::Few(few) => place(few, key).ok().map(|at| &few[at].1),
            SmallMap::Many(many) => many.get(&key),
        }
    }

    pub(super) fn get_mut(&mut self, key: K) -> Option<&mut V> {
        match self {
            SmallMap::Few(few) => place(few, key).ok().map(|at| &mut few[at].1),
            SmallMap::Many(many) => many.get_mut(&key),
        }
    }

    /// Sets a key to a value.
    pub(super) fn insert(&mut self, key: K, value: V) {
        match self {
            SmallMap::Few(few) => match place(few, key) {
                Ok(at) => few[at].1 = value,
                Err(at) if few.len() < FEW => few.insert(at, (key, value)),
                Err(_) => *self = SmallMap::Many(few.drain(..).chain([(key, value)]).collect()),
            },
            SmallMap::Many(many) => drop(many.insert(key, value)),
        }
    }

    pub(super) fn remove(&mut self, key: K) -> Option<V> {
        match self {
            SmallMap::Few(few) => place(few, key).ok().map(|at| few.remove(at).1),
            SmallMap::Many(many) => {
                let removed = many.remove(&key);
                // Not as soon as there are few: it would go to and fro.
                if many.is_empty() {
                    *self = SmallMap::default();
                }
                removed
            }
        }
    }

    /// All, ascending.
    pub(super) fn iter(&self) -> impl Iterator<Item = (K, &V)> {
        self.between(Bound::Unbounded, Bound::Unbounded)
    }

    /// Those above a key, ascending.
    pub(super) fn after(&self, key: K) -> impl Iterator<Item = (K, &V)> {
        self.between(Bound::Excluded(key), Bound::Unbounded)
    }

    /// Those up to a key, ascending.
    pub(super) fn until(&self, key: K) -> impl Iterator<Item = (K, &V)> {
        self.between(Bound::Unbounded, Bound::Included(key))
    }

    fn between(&self, low: Bound<K>, high: Bound<K>) -> impl Iterator<Item = (K, &V)> {
        let (few, many) = match self {
            SmallMap::Few(few) => (&few[..], None),
            SmallMap::Many(many) => (&[][..], Some(many.range((low, high)))),
        };
        let few = few.iter().filter(move |(key, _)| (low, high).contains(key));
        few.map(|(key, value)| (*key, value))
            .chain(many.into_iter().flatten().map(|(key, value)| (*key, value)))
    }
}

/// Where a key stands, or would.
fn place<K: Ord, V>(few: &[(K, V)], key: K) -> Result<usize, usize> {
    few.binary_search_by(|(other, _)| other.cmp(&key))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_what_a_tree_is(steps in prop::collection::vec((any::<bool>(), 0u8..40), 0..120), bound in 0u8..40) {
            let (mut map, mut tree) = (SmallMap::<_, _, 2>::default(), BTreeMap::new());
            let owned = |(key, value): (u8, &usize)| (key, *value);
            for (value, (is_set, key)) in steps.into_iter().enumerate() {
                match is_set {
                    true => {
                        map.insert(key, value);
                        tree.insert(key, value);
                    }
                    false => prop_assert_eq!(map.remove(key), tree.remove(&key)),
                }
                prop_assert_eq!(map.get(bound), tree.get(&bound));
                prop_assert_eq!(map.get_mut(bound), tree.get_mut(&bound));
                prop_assert_eq!(map.is_empty(), tree.is_empty());
                let all = |range: (Bound<u8>, Bound<u8>)| -> Vec<_> {
                    tree.range(range).map(|(key, value)| (*key, *value)).collect()
                };
                prop_assert_eq!(map.iter().map(owned).collect::<Vec<_>>(), all((Bound::Unbounded, Bound::Unbounded)));
                prop_assert_eq!(map.after(bound).map(owned).collect::<Vec<_>>(), all((Bound::Excluded(bound), Bound::Unbounded)));
                prop_assert_eq!(map.until(bound).map(owned).collect::<Vec<_>>(), all((Bound::Unbounded, Bound::Included(bound))));
            }
        }
    }
}
