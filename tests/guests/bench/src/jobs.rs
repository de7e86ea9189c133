//! Functions that are called later, and actions that wait.

use std::collections::BTreeMap;
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

/// What a job has done.
#[document("steps")]
pub struct Step {
    /// The job's number.
    number: u32,
    /// `run`, of a mutation; `begun` or `ended`, of an action.
    what: String,
}

/// Schedules a mutation and an action of this number, so many milliseconds from now.
#[mutation]
fn schedule_steps(ctx: &MutationCtx, number: u32, after: u32) -> Result<()> {
    let after = Duration::from_millis(after.into());
    let args = || fields! { number: number };
    ctx.scheduler.run_after(after, "jobs:noteStep", fields! { number: number, what: "run" })?;
    ctx.scheduler.run_after(after, "jobs:act", args())?;
    Ok(())
}

#[mutation(internal)]
fn note_step(ctx: &MutationCtx, number: u32, what: String) -> Result<()> {
    ctx.db.insert("steps", &Step { number, what })?;
    Ok(())
}

/// Begins, waits, and ends.
#[action(internal)]
async fn act(ctx: &ActionCtx, number: u32) -> Result<()> {
    ctx.run_mutation::<()>("jobs:noteStep", fields! { number: number, what: "begun" }).await?;
    ctx.sleep(Duration::from_millis(20)).await?;
    ctx.run_mutation::<()>("jobs:noteStep", fields! { number: number, what: "ended" }).await
}

/// Each step that was taken, with its number: `7 run`.
#[query]
fn steps(ctx: &QueryCtx) -> Result<Vec<String>> {
    let steps = ctx.db.query::<Step>("steps").collect()?;
    Ok(steps.iter().map(|step| format!("{} {}", step.number, step.what)).collect())
}

/// How many scheduled functions are in each state, and of each name: `"jobs:act failed": 2`.
#[query]
fn states(ctx: &QueryCtx) -> Result<BTreeMap<String, u32>> {
    let mut states = BTreeMap::new();
    for job in ctx.db.system().query::<Value>("_scheduled_functions").iter() {
        let job = job?;
        let kind = job.get("state").and_then(|state| state.get("kind")).and_then(Value::as_str);
        let name = job.get("name").and_then(Value::as_str);
        let key = format!("{} {}", name.unwrap_or_default(), kind.unwrap_or_default());
        *states.entry(key).or_default() += 1;
    }
    Ok(states)
}
