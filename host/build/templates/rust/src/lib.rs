//! A list of things to do, the same for everyone who looks at it.

use weir::prelude::*;

#[document("todos", index(by_done = [done]))]
pub struct Todo {
    pub text: String,
    pub done: bool,
}

/// Everything on the list, the oldest first: `todos:list {}`.
#[query]
pub fn list(ctx: &QueryCtx) -> Result<Vec<Doc<Todo>>> {
    ctx.db.query("todos").collect()
}

/// Puts something on the list: `todos:add {text}`.
#[mutation]
pub fn add(ctx: &MutationCtx, text: String) -> Result<Id<Todo>> {
    let text = text.trim().to_owned();
    ensure!(!text.is_empty(), "write what is to do");
    ctx.db.insert("todos", &Todo { text, done: false })
}

/// Marks something as done, or as not done after all: `todos:toggle {id}`.
#[mutation]
pub fn toggle(ctx: &MutationCtx, id: Id<Todo>) -> Result<()> {
    let todo = ctx.db.get(&id)?.context("this is no longer on the list")?;
    ctx.db.patch(&id, fields! { done: !todo.done })
}

/// Takes off the list what is done, and says how many that were: `todos:clearDone {}`.
#[mutation]
pub fn clear_done(ctx: &MutationCtx) -> Result<u32> {
    let done = ctx.db.query("todos").with_index(Todo::BY_DONE, |range| range.eq(true)).collect()?;
    for todo in &done {
        ctx.db.delete(&todo.id)?;
    }
    Ok(done.len() as u32)
}
