//! Reads of a table with two indexes, each a call of its own.

use weir::prelude::*;

/// Of fifty that share a group.
#[document("indexed", index(by_n = [n]), index(by_group = [group]))]
pub struct Numbered {
    n: f64,
    group: f64,
    text: String,
}

/// How many rows of a list are read.
const ROWS: u32 = 50;

/// The document with this id.
#[query]
fn read_by_id(ctx: &QueryCtx, id: Id<Numbered>) -> Result<Option<Doc<Numbered>>> {
    ctx.db.get(&id)
}

/// The document with this number.
#[query]
fn read_by_index(ctx: &QueryCtx, n: f64) -> Result<Option<Doc<Numbered>>> {
    ctx.db.query("indexed").with_index(Numbered::BY_N, |range| range.eq(n)).first()
}

/// Fifty documents, from this one on.
#[query]
fn read_by_time(ctx: &QueryCtx, id: Id<Numbered>) -> Result<Vec<Doc<Numbered>>> {
    ctx.db.query("indexed").by_id(|range| range.gte(&id)).take(ROWS)
}

/// The documents of this group.
#[query]
fn read_by_group(ctx: &QueryCtx, group: f64) -> Result<Vec<Doc<Numbered>>> {
    ctx.db.query("indexed").with_index(Numbered::BY_GROUP, |range| range.eq(group)).take(ROWS)
}
