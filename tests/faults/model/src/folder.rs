//! One folder: the names in it, which of them are on the disk, and the changes between.
//!
//! A file system keeps the changes of a folder in order; a power failure cuts them off somewhere. The sync of
//! a file says nothing about its name.
//!
//! Not here: what the names stand for.

use std::collections::BTreeMap;

use crate::Random;

/// What a name stands for.
pub(crate) type NodeId = usize;
pub(crate) type Names = BTreeMap<String, NodeId>;

/// The names in a folder.
#[derive(Debug, Clone, Default)]
pub(crate) struct Folder {
    seen: Names,
    disk: Names,
    unsynced: Vec<(u64, NameChange)>,
}

/// One change of names.
#[derive(Debug, Clone)]
pub(crate) enum NameChange {
    Add(String, NodeId),
    Remove(String),
    Rename(String, String),
}

impl NameChange {
    fn apply(&self, names: &mut Names) {
        match self {
            NameChange::Add(name, node) => drop(names.insert(name.clone(), *node)),
            NameChange::Remove(name) => drop(names.remove(name)),
            NameChange::Rename(from, to) => {
                if let Some(node) = names.remove(from) {
                    names.insert(to.clone(), node);
                }
            }
        }
    }
}

impl Folder {
    /// What programs see.
    pub(crate) fn seen(&self) -> &Names {
        &self.seen
    }

    /// What is surely on the disk.
    pub(crate) fn disk(&self) -> &Names {
        &self.disk
    }

    /// A name that was there, durably, from the beginning.
    pub(crate) fn add_on_disk(&mut self, name: &str, node: NodeId) {
        self.seen.insert(name.to_owned(), node);
        self.disk.insert(name.to_owned(), node);
    }

    /// A change at moment `at`.
    pub(crate) fn change(&mut self, at: u64, change: NameChange) {
        change.apply(&mut self.seen);
        self.unsynced.push((at, change));
    }

    /// A sync that began at `at` has succeeded. One that failed leaves everything as it was.
    pub(crate) fn flush(&mut self, at: u64) {
        let newer = self.unsynced.iter().position(|(of, _)| *of > at).unwrap_or(self.unsynced.len());
        for (_, change) in self.unsynced.drain(..newer) {
            change.apply(&mut self.disk);
        }
    }

    /// What a power failure may leave.
    pub(crate) fn torn(&self, random: &mut Random) -> Names {
        let mut names = self.disk.clone();
        let kept = random.below(self.unsynced.len() + 1);
        for (_, change) in &self.unsynced[..kept] {
            change.apply(&mut names);
        }
        names
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn changes_of_names_are_kept_in_order() {
        let mut folder = Folder::default();
        folder.add_on_disk("a", 1);
        folder.change(1, NameChange::Add("b.new".to_owned(), 2));
        folder.change(2, NameChange::Rename("b.new".to_owned(), "b".to_owned()));
        folder.change(3, NameChange::Remove("a".to_owned()));
        let listing = |names: &Names| names.keys().cloned().collect::<Vec<_>>().join(" ");
        let torn: BTreeSet<String> =
            (0..100).map(|seed| listing(&folder.torn(&mut Random::new(seed)))).collect();
        assert_eq!(torn, ["a", "a b.new", "a b", "b"].map(str::to_owned).into());
        folder.flush(2);
        assert_eq!((listing(folder.disk()), listing(folder.seen())), ("a b".to_owned(), "b".to_owned()));
    }
}
