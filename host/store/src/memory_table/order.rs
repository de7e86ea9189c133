//! The keys of a memory table in their order, for scans and for the flush.
//!
//! Putting a key where it belongs takes longer than all else that a commit does with it, and most keys are never
//! scanned before they are flushed. So a commit puts new keys down as they come, and whoever wants them in their order
//! sorts them in. A scan finds the few that have come since the last one; a flush, all that nobody has scanned, which it
//! sorts at once.

use std::collections::BTreeSet;
use std::mem;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::{Mutex, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::TableKey;

/// Keys, sorted in when they are wanted in their order.
#[derive(Default)]
pub(super) struct Order {
    sorted: RwLock<BTreeSet<TableKey>>,
    /// In no order.
    added: Mutex<Vec<TableKey>>,
    /// As many as were added. Zero is only written by whoever holds `sorted`.
    added_len: AtomicUsize,
}

impl Order {
    /// Adds keys that are not there.
    pub(super) fn add(&self, keys: impl IntoIterator<Item = TableKey>) {
        let mut added = self.added.lock();
        added.extend(keys);
        self.added_len.store(added.len(), Ordering::Release);
    }

    /// All keys that were added before, in their order.
    pub(super) fn sorted(&self) -> RwLockReadGuard<'_, BTreeSet<TableKey>> {
        if self.added_len.load(Ordering::Acquire) > 0 {
            self.sort();
        }
        self.as_sorted()
    }

    /// As [`Order::sorted`], but perhaps without what was added after the last call of that.
    pub(super) fn as_sorted(&self) -> RwLockReadGuard<'_, BTreeSet<TableKey>> {
        self.sorted.read()
    }

    /// The keys as they were sorted last, to take some away. Nobody sorts meanwhile; keys may be added.
    pub(super) fn as_sorted_mut(&self) -> RwLockWriteGuard<'_, BTreeSet<TableKey>> {
        self.sorted.write()
    }

    pub(super) fn len(&self) -> usize {
        let sorted = self.sorted.read();
        sorted.len() + self.added.lock().len()
    }

    fn sort(&self) {
        // Held first: who finds nothing added waits here until what was is sorted in.
        let mut sorted = self.sorted.write();
        let mut added = self.added.lock();
        let mut keys = mem::take(&mut *added);
        self.added_len.store(0, Ordering::Release);
        drop(added);
        if keys.len() > sorted.len() / 4 {
            keys.sort_unstable();
            sorted.append(&mut BTreeSet::from_iter(keys));
        } else {
            sorted.extend(keys);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_in_their_order_however_many_were_added() {
        let order = Order::default();
        let key = |number: u32| TableKey::from_slice(&number.to_be_bytes());
        let mut expected = BTreeSet::new();
        let mut next = 1_u32;
        for count in [1, 500, 3, 0, 40, 2000] {
            let keys: Vec<_> = (0..count)
                .map(|_| {
                    next = next.wrapping_mul(2_654_435_761).wrapping_add(7);
                    key(next)
                })
                .collect();
            order.add(keys.iter().cloned());
            expected.extend(keys);
            assert_eq!(order.len(), expected.len());
            assert_eq!(*order.sorted(), expected);
        }
        order.add([key(0)]);
        assert_eq!(order.as_sorted().first(), expected.first(), "it is not sorted in yet");
        assert_eq!(order.sorted().first(), Some(&key(0)));
    }
}
