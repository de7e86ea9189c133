//! Lists of which each element is a document.
//!
//! Not here: lists that are one document each (`whole`).

use weir::prelude::*;

use crate::{Row, table_of};

/// One element, and how many stand before it.
#[value]
pub struct Entry {
    key: u32,
    place: u32,
    element: u32,
}

pub fn append(ctx: &MutationCtx, key: u32, element: u32) -> Result<Row> {
    let before = find(ctx, key)?;
    let place = before.elements.len() as u32;
    ctx.db.insert(&table_of(key), &Entry { key, place, element })?;
    Ok(before)
}

pub fn find(ctx: &QueryCtx, key: u32) -> Result<Row> {
    let entries = ctx.db.query(&table_of(key)).filter(|entry| entry.field("key").eq(key)).collect()?;
    Ok(row(key, entries))
}

pub fn range(ctx: &QueryCtx, low: u32, high: u32) -> Result<Vec<Row>> {
    let query = ctx.db.query::<Entry>(&table_of(low));
    let entries =
        query.filter(|entry| entry.field("key").gte(low).and(entry.field("key").lt(high))).collect()?;
    let mut lists: Vec<Vec<Doc<Entry>>> = (low..high).map(|_| Vec::new()).collect();
    for entry in entries {
        lists[(entry.key - low) as usize].push(entry);
    }
    Ok((low..high).zip(lists).map(|(key, entries)| row(key, entries)).collect())
}

/// The entries of one list in its order. Two of one place, which there must not be, both stay.
fn row(key: u32, mut entries: Vec<Doc<Entry>>) -> Row {
    entries.sort_by_key(|entry| entry.place);
    Row { elements: entries.iter().map(|entry| entry.element).collect(), ..Row::empty(key) }
}
