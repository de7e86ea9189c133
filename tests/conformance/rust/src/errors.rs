//! Functions that fail.

use weir::prelude::*;

#[query]
fn fail(_ctx: &QueryCtx, message: String) -> Result<()> {
    bail!("{message}")
}

#[query]
fn fail_with_data(_ctx: &QueryCtx, data: Value) -> Result<()> {
    bail_with!(data)
}

/// Fails after it has written `{label}`; with data if it is given.
#[mutation]
fn write_and_fail(ctx: &MutationCtx, table: String, label: String, data: Option<String>) -> Result<()> {
    ctx.db.insert(&table, &fields! { label: label })?;
    if let Some(data) = data {
        bail_with!(fields! { why: data });
    }
    bail!("failed after writing {label}")
}
