//! A table of live queries by number, which are used again.
use crate::interval_index::LiveId;

#[derive(Debug)]
pub(super) struct Slab<T> {
    slots: Vec<Option<T>>,
    free: Vec<LiveId>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Slab { slots: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slab<T> {
    pub(super) fn insert(&mut self, value: T) -> LiveId {
        let id = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            LiveId(self.slots.len() as u32 - 1)
        });
        self.slots[id.0 as usize] = Some(value);
        id
    }

    pub(super) fn remove(&mut self, id: LiveId) -> Option<T> {
        let value = self.slots.get_mut(id.0 as usize)?.take()?;
        self.free.push(id);
        Some(value)
    }

    pub(super) fn get(&self, id: LiveId) -> Option<&T> {
        self.slots.get(id.0 as usize)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, id: LiveId) -> Option<&mut T> {
        self.slots.get_mut(id.0 as usize)?.as_mut()
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// The numbers in use, ascending.
    pub(super) fn ids(&self) -> Vec<LiveId> {
        let used = self.slots.iter().enumerate().filter(|(_, slot)| slot.is_some());
        used.map(|(at, _)| LiveId(at as u32)).collect()
    }
}
