//! Functions that are called later, and actions that wait.

use std::time::Duration;

use weir::prelude::*;

use crate::bank::Account;

/// How late a scheduled function was.
#[document("delays")]
pub struct Delay {
    ms: f64,
}

/// Has transfers called by the scheduler, right after this one, between accounts beside each other in the list.
#[mutation]
fn schedule_transfers(ctx: &MutationCtx, ids: Vec<Id<Account>>) -> Result<()> {
    for pair in ids.chunks_exact(2) {
        let args = fields! { from: pair[0].clone(), to: pair[1].clone(), amount: 1.0 };
        ctx.scheduler.run_after(Duration::ZERO, "bank:transfer", args)?;
    }
    Ok(())
}

/// Has so many functions called, one every `every` milliseconds, that note how late they are.
#[mutation]
fn schedule_delays(ctx: &MutationCtx, count: u32, every: f64) -> Result<()> {
    for number in 1..=count {
        let due = ctx.now() + f64::from(number) * every;
        ctx.scheduler.run_at(due, "jobs:noteDelay", fields! { due: due })?;
    }
    Ok(())
}

#[mutation(internal)]
fn note_delay(ctx: &MutationCtx, due: f64) -> Result<()> {
    ctx.db.insert("delays", &Delay { ms: ctx.now() - due })?;
    Ok(())
}

/// How late they were, in milliseconds; they are forgotten.
#[mutation]
fn take_delays(ctx: &MutationCtx) -> Result<Vec<f64>> {
    let mut delays = Vec::new();
    for delay in ctx.db.query::<Delay>("delays").collect()? {
        ctx.db.delete(&delay.id)?;
        delays.push(delay.ms);
    }
    Ok(delays)
}

/// Waits for a server's answer.
#[action]
async fn wait_for(ctx: &ActionCtx, url: String) -> Result<u32> {
    Ok(ctx.fetch(Request::get(url)).await?.status().into())
}
