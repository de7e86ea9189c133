//! The deployment's variables.

use std::sync::LazyLock;

use weir::prelude::*;

/// Made before the first function is called.
static TOP: LazyLock<Option<String>> = LazyLock::new(|| weir::env("TOP"));

/// The value of a variable.
#[query]
fn get(ctx: &QueryCtx, name: String) -> Option<String> {
    ctx.env(&name)
}

/// The value that a variable had then.
#[query]
fn top(_ctx: &QueryCtx) -> Option<String> {
    TOP.clone()
}
