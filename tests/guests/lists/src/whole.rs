//! Lists of which each is one document.
//!
//! Not here: lists whose elements are documents (`entries`).

use weir::prelude::*;

use crate::{Row, table_name, table_of};

/// A list.
#[value]
pub struct List {
    key: u32,
    elements: Vec<u32>,
}

pub fn append(ctx: &MutationCtx, key: u32, element: u32, id: Option<&str>) -> Result<Row> {
    let Some(mut list) = find(ctx, key, id)? else {
        ctx.db.insert(&table_of(key), &List { key, elements: vec![element] })?;
        return Ok(Row::empty(key));
    };
    let before = list.elements.clone();
    list.elements.push(element);
    ctx.db.patch(&list.id, fields! { elements: &list.elements })?;
    list.elements = before;
    Ok(row(list))
}

/// The document of a list. A search for it ends at the first that fits.
pub fn find(ctx: &QueryCtx, key: u32, id: Option<&str>) -> Result<Option<Doc<List>>> {
    match id.and_then(|id| ctx.db.normalize_id(&table_of(key), id)) {
        Some(id) => ctx.db.get(&id),
        None => ctx.db.query(&table_of(key)).filter(|list| list.field("key").eq(key)).first(),
    }
}

pub fn range(ctx: &QueryCtx, low: u32, high: u32) -> Result<Vec<Row>> {
    let query = ctx.db.query(&table_of(low));
    let lists = query.filter(|list| list.field("key").gte(low).and(list.field("key").lt(high))).collect()?;
    Ok(lists.into_iter().map(row).collect())
}

pub fn times(ctx: &QueryCtx, table: u32, from: f64, until: Option<f64>) -> Result<Vec<Row>> {
    let query = ctx.db.query(&table_name(table)).by_creation_time(|time| match until {
        Some(until) => time.gte(from).lt(until),
        None => time.gte(from),
    });
    Ok(query.collect()?.into_iter().map(row).collect())
}

pub fn newest(ctx: &QueryCtx, table: u32, count: u32) -> Result<Vec<Row>> {
    let lists = ctx.db.query(&table_name(table)).order(Desc).take(count)?;
    Ok(lists.into_iter().map(row).collect())
}

pub fn row(list: Doc<List>) -> Row {
    Row {
        key: list.key,
        id: Some(list.id.as_str().to_owned()),
        created: Some(list.creation_time),
        elements: list.into_value().elements,
    }
}
