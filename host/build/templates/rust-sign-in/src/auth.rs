//! Accounts with e-mail and password: what the page calls.
//!
//! An error undoes what its mutation has written. So one that comes with something to keep, a wrong password that is
//! counted or a session that is ended, is a part of the answer.

use weir::prelude::*;

use crate::passwords::{User, check_new_password, check_password, normalized, user_of};
use crate::problem::{Problem, problem};
use crate::sessions::{self, Tokens};

/// Either tokens or an error.
#[value]
struct Answer {
    tokens: Option<Tokens>,
    error: Option<Problem>,
}

impl From<Tokens> for Answer {
    fn from(tokens: Tokens) -> Answer {
        Answer { tokens: Some(tokens), error: None }
    }
}

impl From<Problem> for Answer {
    fn from(error: Problem) -> Answer {
        Answer { tokens: None, error: Some(error) }
    }
}

/// Makes an account, and signs in.
#[mutation]
fn sign_up(ctx: &MutationCtx, email: String, password: String) -> Result<Answer> {
    let email = normalized(&email)?;
    check_new_password(&password)?;
    if user_of(ctx, &email)?.is_some() {
        return Err(problem("EmailTaken", "There is an account with this e-mail already."));
    }
    let password_hash = ctx.hash_password(&password)?;
    let user = ctx.db.insert("users", &User { email, password_hash })?;
    Ok(sessions::begin(ctx, user)?.into())
}

/// Signs in. A wrong password and an e-mail that nobody has get the same answer, and take equally long.
#[mutation]
fn sign_in(ctx: &MutationCtx, email: String, password: String) -> Result<Answer> {
    let email = normalized(&email)?;
    let user = user_of(ctx, &email)?;
    let hash = user.as_ref().map(|user| user.password_hash.as_str());
    match (check_password(ctx, &email, hash, &password)?, user) {
        (None, Some(user)) => Ok(sessions::begin(ctx, user.id)?.into()),
        (error, _) => Ok(error.context("nobody has the password of nobody")?.into()),
    }
}

/// New tokens for a refresh token, which is good once.
#[mutation]
fn refresh(ctx: &MutationCtx, refresh_token: String) -> Result<Answer> {
    Ok(match sessions::renew(ctx, &refresh_token)? {
        Some(tokens) => tokens.into(),
        None => Problem::new("SessionEnded", "You have been signed out. Sign in again.").into(),
    })
}

/// Ends the session of a refresh token.
#[mutation]
fn sign_out(ctx: &MutationCtx, refresh_token: String) -> Result<()> {
    match sessions::find(ctx, &refresh_token)? {
        Some(session) => ctx.db.delete(&session.id),
        None => Ok(()),
    }
}

#[value]
struct Changed {
    error: Option<Problem>,
}

/// Sets another password, and ends all other sessions of the user.
#[mutation]
fn change_password(ctx: &MutationCtx, password: String, new_password: String) -> Result<Changed> {
    let user = sessions::require_user(ctx)?;
    check_new_password(&new_password)?;
    let error = check_password(ctx, &user.email, Some(&user.password_hash), &password)?;
    if error.is_none() {
        let password_hash = ctx.hash_password(&new_password)?;
        ctx.db.patch(&user.id, fields! { passwordHash: password_hash })?;
        sessions::end_others(ctx)?;
    }
    Ok(Changed { error })
}

#[value]
struct Me {
    email: String,
}

/// Who is signed in, or null.
#[query]
fn me(ctx: &QueryCtx) -> Result<Option<Me>> {
    let user = sessions::current_user(ctx)?;
    Ok(user.map(|user| Me { email: user.into_value().email }))
}
