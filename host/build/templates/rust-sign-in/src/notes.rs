//! Notes: each user sees and changes only their own.

use weir::prelude::*;

use crate::passwords::User;
use crate::problem::problem;
use crate::sessions::require_user;

#[document("notes", index(by_user = [user]))]
struct Note {
    user: Id<User>,
    text: String,
}

/// The user's notes, the newest first.
#[query]
fn list(ctx: &QueryCtx) -> Result<Vec<Doc<Note>>> {
    let user = require_user(ctx)?;
    ctx.db.query("notes").with_index(Note::BY_USER, |range| range.eq(&user.id)).order(Desc).take(100)
}

/// Writes one down.
#[mutation]
fn add(ctx: &MutationCtx, text: String) -> Result<Id<Note>> {
    let user = require_user(ctx)?.id;
    let text = text.trim().to_owned();
    if text.is_empty() {
        return Err(problem("EmptyNote", "Write something first."));
    }
    ctx.db.insert("notes", &Note { user, text })
}

/// Removes one.
#[mutation]
fn remove(ctx: &MutationCtx, id: Id<Note>) -> Result<()> {
    let user = require_user(ctx)?;
    match ctx.db.get(&id)? {
        Some(note) if note.user == user.id => ctx.db.delete(&id),
        _ => Err(problem("NoSuchNote", "You have no such note.")),
    }
}
