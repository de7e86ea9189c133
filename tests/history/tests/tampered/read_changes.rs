//! One read that gives something else than it did.
//!
//! Not here: transitions (`snapshot_changes`).

use weir_history::history::{Element, History, Kind};
use weir_history::workload::Random;

use crate::original::{Original, any};

pub fn drop_inner(original: &Original, random: &mut Random) -> Option<History> {
    let place = original.any_read(random)?;
    let at = any(place.list, random).filter(|at| at + 1 < place.list.len())?;
    let mut list = place.list.to_vec();
    list.remove(at);
    Some(original.with_list(place, list))
}

pub fn exchange(original: &Original, random: &mut Random) -> Option<History> {
    let place = original.any_read(random)?;
    let at = any(place.list, random).filter(|at| at + 1 < place.list.len())?;
    let mut list = place.list.to_vec();
    list.swap(at, at + 1);
    Some(original.with_list(place, list))
}

pub fn repeat_last(original: &Original, random: &mut Random) -> Option<History> {
    let place = original.any_read(random).filter(|place| place.list.len() == original.longest[&place.key])?;
    let last = *place.list.last()?;
    let list: Vec<Element> = place.list.iter().copied().chain([last]).collect();
    Some(original.with_list(place, list))
}

pub fn invent(original: &Original, random: &mut Random) -> Option<History> {
    let place = original.any_read(random).filter(|place| place.list.len() == original.longest[&place.key])?;
    let list: Vec<Element> = place.list.iter().copied().chain([Element::MAX]).collect();
    Some(original.with_list(place, list))
}

/// A query that read one list alone, which is then as it was long before.
pub fn make_stale(original: &Original, random: &mut Random) -> Option<History> {
    let place = original.any_read(random)?;
    let transaction = original.transaction(place.transaction);
    (transaction.kind == Kind::Query && transaction.operations.len() == 1).then_some(())?;
    let earlier = place.list.len().checked_sub(6)?;
    // A query may be as early as its request: what is taken away was answered before.
    let writer = original.transaction(original.writers[&place.list[earlier]]);
    writer.ended_ns.filter(|answered| *answered < transaction.started_ns)?;
    Some(original.with_list(place, &place.list[..earlier]))
}
