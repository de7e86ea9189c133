//! Lists of documents: items are matched by their `_id`.
use std::collections::HashMap;

use super::tree::{Kind, NodeId, Tree};
use super::writer::PatchWriter;
use super::{Differ, NoPatch};

/// How many items a search or a shift in a list of numbers passes in the time of one step.
const ITEMS_PER_STEP: usize = 64;

/// The `_id` of every item, as it stands in the text, if each is an object with a string of its own there.
pub(super) fn ids<'t>(tree: &'t Tree, items: &[NodeId]) -> Option<Vec<&'t str>> {
    let ids: Vec<&str> = items.iter().map(|&item| id(tree, item)).collect::<Option<_>>()?;
    let places: HashMap<&str, ()> = ids.iter().map(|&id| (id, ())).collect();
    (places.len() == ids.len()).then_some(ids)
}

fn id(tree: &Tree, item: NodeId) -> Option<&str> {
    if tree.kind(item) != Kind::Object {
        return None;
    }
    let field = tree.children(item).find(|&field| tree.key(field) == "_id")?;
    let raw = tree.raw(field);
    raw.starts_with('"').then_some(raw)
}

impl Differ<'_> {
    /// Removals from the back, moves, additions from the front, and then, where everything has its final place,
    /// what changed inside.
    pub(super) fn documents(
        &mut self,
        olds: &[NodeId],
        news: &[NodeId],
        old_ids: &[&str],
        new_ids: &[&str],
    ) -> Result<(), NoPatch> {
        let new_places = places(new_ids);
        let old_places = places(old_ids);
        for at in (0..olds.len()).rev() {
            if !new_places.contains_key(old_ids[at]) {
                self.writer.at_index(at, PatchWriter::remove);
            }
        }
        self.move_kept(old_ids.iter().filter_map(|id| new_places.get(id).copied()).collect())?;
        for (at, &new) in news.iter().enumerate() {
            if !old_places.contains_key(new_ids[at]) {
                self.writer.at_index(at, |writer| writer.add(new));
            }
        }
        for (at, &new) in news.iter().enumerate() {
            match old_places.get(new_ids[at]) {
                Some(&old) if self.base.raw(olds[old]) != self.new.raw(new) => {
                    self.under_index(at, |differ| differ.node(olds[old], new))?;
                }
                _ => self.spend(1)?,
            }
        }
        Ok(())
    }

    /// Sorts the list, whose items stand for their final places, with as few moves as there can be: what is in a
    /// longest increasing subsequence stays, each other item goes behind the one that it follows in the end.
    fn move_kept(&mut self, mut list: Vec<usize>) -> Result<(), NoPatch> {
        if list.is_sorted() {
            return Ok(());
        }
        let staying = longest_increasing(&list);
        let mut in_order = list.clone();
        in_order.sort_unstable();
        let mut stays = staying.into_iter().peekable();
        let mut before = None;
        for item in in_order {
            if stays.next_if_eq(&item).is_none() {
                self.spend(1 + list.len() / ITEMS_PER_STEP)?;
                let from = place_of(&list, item);
                list.remove(from);
                let to = before.map_or(0, |before| place_of(&list, before) + 1);
                list.insert(to, item);
                self.writer.move_item(from, to);
            }
            before = Some(item);
        }
        debug_assert!(list.is_sorted());
        Ok(())
    }
}

fn places<'t>(ids: &[&'t str]) -> HashMap<&'t str, usize> {
    ids.iter().enumerate().map(|(at, &id)| (id, at)).collect()
}

fn place_of(list: &[usize], item: usize) -> usize {
    list.iter().position(|&other| other == item).expect("moves keep the items of the list")
}

/// A longest increasing subsequence of distinct numbers (patience sorting).
fn longest_increasing(numbers: &[usize]) -> Vec<usize> {
    // For each length the place of the smallest number that ends a subsequence of that length.
    let mut ends: Vec<usize> = Vec::new();
    let mut previous: Vec<Option<usize>> = Vec::with_capacity(numbers.len());
    for (at, &number) in numbers.iter().enumerate() {
        let length = ends.partition_point(|&end| numbers[end] < number);
        previous.push(length.checked_sub(1).map(|shorter| ends[shorter]));
        match ends.get_mut(length) {
            Some(end) => *end = at,
            None => ends.push(at),
        }
    }
    let mut longest: Vec<usize> =
        std::iter::successors(ends.last().copied(), |&at| previous[at]).map(|at| numbers[at]).collect();
    longest.reverse();
    longest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn increasing_subsequences_are_the_longest() {
        for (numbers, length) in [
            (vec![], 0),
            (vec![3], 1),
            (vec![0, 1, 2], 3),
            (vec![4, 0, 1, 2, 3], 4),
            (vec![1, 2, 3, 4, 0], 4),
            (vec![2, 1, 0], 1),
            (vec![1, 0, 3, 2, 5, 4], 3),
        ] {
            let found = longest_increasing(&numbers);
            assert_eq!(found.len(), length, "{numbers:?}: {found:?}");
            assert!(found.is_sorted());
        }
        assert_eq!(longest_increasing(&[3, 1, 4, 0, 5, 9, 2, 6, 8, 7]), [1, 4, 5, 6, 7]);
    }
}
