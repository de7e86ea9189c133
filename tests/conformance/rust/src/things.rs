//! Documents of any form in any table, and what the host refuses.

use weir::prelude::*;

use crate::told;

#[mutation]
fn insert(ctx: &MutationCtx, table: String, value: Value) -> Result<String> {
    Ok(ctx.db.insert(&table, &value)?.to_string())
}

#[query]
fn get(ctx: &QueryCtx, id: String) -> Result<Option<Doc<Value>>> {
    ctx.db.get(&Id::from_text(id))
}

#[query]
fn list(ctx: &QueryCtx, table: String) -> Result<Vec<Doc<Value>>> {
    ctx.db.query(&table).collect()
}

#[mutation]
fn patch(ctx: &MutationCtx, id: String, value: Value) -> Result<()> {
    ctx.db.patch::<Value>(&Id::from_text(id), value)
}

#[mutation]
fn replace(ctx: &MutationCtx, id: String, value: Value) -> Result<()> {
    ctx.db.replace(&Id::from_text(id), &value)
}

#[mutation]
fn remove(ctx: &MutationCtx, id: String) -> Result<()> {
    ctx.db.delete::<Value>(&Id::from_text(id))
}

#[query]
fn normalize(ctx: &QueryCtx, table: String, id: String) -> Option<String> {
    ctx.db.normalize_id::<Value>(&table, &id).map(|id| id.to_string())
}

/// Tries an operation; gives `fine`, or what the host said against it. The call goes on either way.
#[mutation]
fn attempt(ctx: &MutationCtx, operation: String, table: String, id: String, value: Value) -> Result<String> {
    let id: Id = Id::from_text(id);
    let done = match operation.as_str() {
        "get" => ctx.db.get(&id).map(|_| ()),
        "insert" => ctx.db.insert(&table, &value).map(|_| ()),
        "patch" => ctx.db.patch(&id, value),
        "replace" => ctx.db.replace(&id, &value),
        "delete" => ctx.db.delete(&id),
        "query" => ctx.db.query::<Value>(&table).collect().map(|_| ()),
        other => bail!("no operation {other}"),
    };
    Ok(told(done, |()| "fine".to_owned()))
}

/// Reads a document so many times; gives how often it was there.
#[query]
fn read_many(ctx: &QueryCtx, id: String, count: u32) -> Result<u32> {
    let id: Id = Id::from_text(id);
    let mut found = 0;
    for _ in 0..count {
        found += u32::from(ctx.db.get(&id)?.is_some());
    }
    Ok(found)
}
