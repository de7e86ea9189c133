//! Who calls, and tokens that functions sign.

use std::time::Duration;

use weir::prelude::*;

use crate::docs::Note;
use crate::told;

/// A claim of the caller's; null if there is none, or nobody in particular calls.
#[query]
fn claim(ctx: &QueryCtx, name: String) -> Option<Value> {
    ctx.identity()?.claim(&name).cloned()
}

/// How many notes have the caller's subject for a title; -1 for nobody in particular.
#[query]
fn mine(ctx: &QueryCtx) -> Result<f64> {
    let Some(identity) = ctx.identity() else { return Ok(-1.0) };
    let notes: Vec<Doc<Note>> = ctx.db.query("notes").collect()?;
    Ok(notes.iter().filter(|note| note.title == identity.subject()).count() as f64)
}

#[mutation]
fn sign(ctx: &MutationCtx, claims: Value, seconds: f64) -> Result<String> {
    ctx.sign_jwt(claims, Duration::from_secs_f64(seconds))
}

/// What is signed for a member of a team.
#[value]
struct Member {
    sub: String,
    seats: i64,
    share: f64,
    tags: Vec<String>,
    note: Option<String>,
}

#[mutation]
fn sign_typed(ctx: &MutationCtx, subject: String, seats: i64) -> Result<String> {
    let tags = vec!["a".to_owned(), "é 😀 \"x\"".to_owned()];
    let member = Member { sub: subject, seats, share: 2.0, tags, note: None };
    ctx.sign_jwt(member, Duration::from_secs(60))
}

/// Tries to sign; gives `fine`, or what the host said against it. The call goes on either way.
#[mutation]
fn try_sign(ctx: &MutationCtx, claims: Value, seconds: f64) -> String {
    told(ctx.sign_jwt(claims, Duration::from_secs_f64(seconds)), |_| "fine".to_owned())
}

/// The same from a query, past what the types allow.
#[query]
fn sign_in_query(_ctx: &QueryCtx) -> String {
    told(MutationCtx::new().sign_jwt(fields! { sub: "ada" }, Duration::from_secs(60)), |_| "fine".to_owned())
}
