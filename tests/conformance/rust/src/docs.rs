//! A table of documents with a type, and each operation on it.

use weir::prelude::*;

#[document("notes")]
pub struct Note {
    pub title: String,
    count: f64,
    big: i64,
    done: bool,
    data: Bytes,
    tags: Vec<String>,
    place: Place,
    extra: Option<String>,
    parent: Option<Id<Note>>,
}

#[value]
pub struct Place {
    x: f64,
    name: Option<String>,
}

#[mutation]
fn insert(ctx: &MutationCtx, note: Note) -> Result<Id<Note>> {
    ctx.db.insert("notes", &note)
}

#[query]
fn get(ctx: &QueryCtx, id: Id<Note>) -> Result<Option<Doc<Note>>> {
    ctx.db.get(&id)
}

#[query]
fn list(ctx: &QueryCtx) -> Result<Vec<Doc<Note>>> {
    ctx.db.query("notes").collect()
}

/// Sets the fields that are given, and removes `extra` if asked to.
#[mutation]
fn patch(
    ctx: &MutationCtx,
    id: Id<Note>,
    title: Option<String>,
    count: Option<f64>,
    remove_extra: bool,
) -> Result<()> {
    let mut changes = Fields::new();
    if let Some(title) = title {
        changes.set("title", &title);
    }
    if let Some(count) = count {
        changes.set("count", &count);
    }
    if remove_extra {
        changes.remove("extra");
    }
    ctx.db.patch(&id, changes)
}

#[mutation]
fn replace(ctx: &MutationCtx, id: Id<Note>, note: Note) -> Result<()> {
    ctx.db.replace(&id, &note)
}

#[mutation]
fn remove(ctx: &MutationCtx, id: Id<Note>) -> Result<()> {
    ctx.db.delete(&id)
}
