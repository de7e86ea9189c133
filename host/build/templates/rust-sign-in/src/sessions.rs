//! Sessions: who is signed in, in which browser.
//!
//! A browser holds two tokens. The token says who calls, is verified without a look at the database, and is good for
//! minutes. The refresh token brings the next one. It is good once, and the database knows only its digest.

use std::time::Duration;

use weir::prelude::*;

use crate::passwords::User;
use crate::problem::problem;

/// One for each browser that is signed in.
#[document("sessions", index(by_user = [user], by_expiry = [expires_at]))]
#[serde(rename_all = "camelCase")]
pub struct Session {
    pub user: Id<User>,
    /// Digests of refresh tokens: those that are good,
    current: Vec<String>,
    /// and those that these have replaced.
    replaced: Vec<String>,
    replaced_at: f64,
    expires_at: f64,
}

#[value]
#[serde(rename_all = "camelCase")]
pub struct Tokens {
    token: String,
    refresh_token: String,
    /// For how long the token is good.
    seconds: f64,
}

/// As in `host.toml`: tells these tokens from others that functions sign.
const AUDIENCE: &str = "notes";
/// For how long a token is good, unless the variable `AUTH_TOKEN_SECONDS` says otherwise.
const TOKEN_SECONDS: f64 = 600.0;
/// For how long a browser that stays away stays signed in.
const SESSION_MS: f64 = 30.0 * 24.0 * 3600.0 * 1000.0;
/// For how long a refresh token that was replaced is good still: the answer with the new one may have been lost.
const GRACE_MS: f64 = 30.0 * 1000.0;

/// The session of whoever calls. One that was ended is gone at once, although its token is good for longer.
pub fn current(ctx: &QueryCtx) -> Result<Option<Doc<Session>>> {
    let Some(identity) = ctx.identity() else { return Ok(None) };
    let id = identity.claim("sessionId").and_then(Value::as_str).unwrap_or_default();
    let session = get(ctx, id)?;
    Ok(session.filter(|session| session.user.as_str() == identity.subject()))
}

fn get(ctx: &QueryCtx, id: &str) -> Result<Option<Doc<Session>>> {
    match ctx.db.normalize_id("sessions", id) {
        Some(id) => ctx.db.get(&id),
        None => Ok(None),
    }
}

/// The user that calls.
pub fn current_user(ctx: &QueryCtx) -> Result<Option<Doc<User>>> {
    match current(ctx)? {
        Some(session) => ctx.db.get(&session.user),
        None => Ok(None),
    }
}

/// The user that calls; an error if nobody is signed in.
pub fn require_user(ctx: &QueryCtx) -> Result<Doc<User>> {
    current_user(ctx)?.ok_or_else(|| problem("NotSignedIn", "Sign in first."))
}

/// Signs a user in, in one more browser.
pub fn begin(ctx: &MutationCtx, user: Id<User>) -> Result<Tokens> {
    remove_expired(ctx)?;
    let secret = new_secret(ctx);
    let session = Session {
        user: user.clone(),
        current: vec![digest_of(&secret)],
        replaced: Vec::new(),
        replaced_at: 0.0,
        expires_at: ctx.now() + SESSION_MS,
    };
    let id = ctx.db.insert("sessions", &session)?;
    tokens_of(ctx, &id, &user, &secret)
}

/// The session that a refresh token names, whether or not the token is good.
pub fn find(ctx: &MutationCtx, refresh_token: &str) -> Result<Option<Doc<Session>>> {
    get(ctx, refresh_token.split('.').next().unwrap_or_default())
}

/// New tokens for a refresh token; `None` if it is no good. If it names a session all the same, it was used before, by
/// somebody who has stolen it or by the one it was stolen from: the session ends.
pub fn renew(ctx: &MutationCtx, refresh_token: &str) -> Result<Option<Tokens>> {
    let Some(session) = find(ctx, refresh_token)? else { return Ok(None) };
    let now = ctx.now();
    let secret = refresh_token.split_once('.').map_or("", |(_, secret)| secret);
    let digest = digest_of(secret);
    let is_current = session.current.contains(&digest);
    let was_lost = session.replaced.contains(&digest) && now < session.replaced_at + GRACE_MS;
    let Doc { id, value: session, .. } = session;
    if now >= session.expires_at || !(is_current || was_lost) {
        ctx.db.delete(&id)?;
        return Ok(None);
    }
    let secret = new_secret(ctx);
    // Two tabs that ask at once, or one that asks again, get one each. Whichever of these is used replaces them all.
    let (mut current, replaced, replaced_at) = match is_current {
        true => (Vec::new(), session.current, now),
        false => (session.current, session.replaced, session.replaced_at),
    };
    current.drain(..current.len().saturating_sub(3));
    current.push(digest_of(&secret));
    let expires_at = now + SESSION_MS;
    ctx.db.patch(
        &id,
        fields! { current: current, replaced: replaced, replacedAt: replaced_at, expiresAt: expires_at },
    )?;
    tokens_of(ctx, &id, &session.user, &secret).map(Some)
}

/// Ends all sessions of the user that calls but the one that it calls with.
pub fn end_others(ctx: &MutationCtx) -> Result<()> {
    let Some(own) = current(ctx)? else { return Ok(()) };
    let sessions = ctx.db.query("sessions").with_index(Session::BY_USER, |range| range.eq(&own.user));
    for session in sessions.collect()? {
        if session.id != own.id {
            ctx.db.delete(&session.id)?;
        }
    }
    Ok(())
}

/// Removes some of those that nobody came back to.
fn remove_expired(ctx: &MutationCtx) -> Result<()> {
    let now = ctx.now();
    let expired = ctx.db.query("sessions").with_index(Session::BY_EXPIRY, |range| range.lte(now)).take(20)?;
    expired.iter().try_for_each(|session| ctx.db.delete(&session.id))
}

fn tokens_of(ctx: &MutationCtx, session: &Id<Session>, user: &Id<User>, secret: &str) -> Result<Tokens> {
    let seconds = match ctx.env("AUTH_TOKEN_SECONDS") {
        Some(text) => text.parse().context("reading the variable AUTH_TOKEN_SECONDS")?,
        None => TOKEN_SECONDS,
    };
    let claims = fields! { sub: user, aud: AUDIENCE, sessionId: session };
    let lifetime = Duration::try_from_secs_f64(seconds).context("the variable AUTH_TOKEN_SECONDS")?;
    let token = ctx.sign_jwt(claims, lifetime)?;
    Ok(Tokens { token, refresh_token: format!("{}.{secret}", session.as_str()), seconds })
}

fn new_secret(ctx: &MutationCtx) -> String {
    hex(&ctx.random_bytes::<32>())
}

fn digest_of(secret: &str) -> String {
    hex(&weir::sha256(secret))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
