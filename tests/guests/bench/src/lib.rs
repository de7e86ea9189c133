//! What the measurements run: the funds transfer, and calls that do as little
//! as possible.

use weir::prelude::*;

mod bank;
mod files;
mod indexed;
mod jobs;
mod parts;

/// Gives back what it is given.
#[query]
fn echo(_ctx: &QueryCtx, value: Value) -> Value {
    value
}

/// Does nothing: the cost of a call.
#[query]
fn nothing(_ctx: &QueryCtx) {}
