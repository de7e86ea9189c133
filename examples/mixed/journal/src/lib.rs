//! The journal, in Rust: what was done, in words.

use weir::prelude::*;

#[document("journal")]
struct Line {
    text: String,
}

/// Writes a line. It must say something.
#[mutation]
fn record(ctx: &MutationCtx, text: String) -> Result<()> {
    ensure!(!text.trim().is_empty(), "a line of the journal says something");
    ctx.db.insert("journal", &Line { text })?;
    Ok(())
}

/// All lines, the oldest first.
#[query]
fn lines(ctx: &QueryCtx) -> Result<Vec<String>> {
    let lines = ctx.db.query::<Line>("journal").collect()?;
    Ok(lines.into_iter().map(|line| line.into_value().text).collect())
}
