//! What a call knows of the world, and what it says to its developer.

use weir::prelude::*;

/// The time, twice.
#[query]
fn time(ctx: &QueryCtx) -> Vec<f64> {
    vec![ctx.now(), ctx.now()]
}

/// The first random numbers of the call.
#[query]
fn random_numbers(ctx: &QueryCtx, count: u32) -> Vec<f64> {
    (0..count).map(|_| ctx.random()).collect()
}

/// Who calls.
#[value]
#[serde(rename_all = "camelCase")]
struct Caller {
    token_identifier: String,
    subject: String,
    issuer: String,
    email: Option<String>,
}

#[query]
fn identity(ctx: &QueryCtx) -> Option<Caller> {
    let identity = ctx.identity()?;
    Some(Caller {
        token_identifier: identity.token_identifier().to_owned(),
        subject: identity.subject().to_owned(),
        issuer: identity.issuer().to_owned(),
        email: identity.claim("email").and_then(Value::as_str).map(str::to_owned),
    })
}

/// A line of each level.
#[query]
fn log_all(_ctx: &QueryCtx, text: String) {
    debug!("{text} debug");
    info!("{text} info");
    log!("{text} log");
    warn!("{text} warn");
    error!("{text} error");
}

/// Numbered lines with a text of this length.
#[query]
fn log_lines(_ctx: &QueryCtx, count: u32, bytes: u32) {
    let text = "x".repeat(bytes as usize);
    for number in 0..count {
        log!("{number} {text}");
    }
}
