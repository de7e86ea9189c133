//! Functions that are called later, and again and again: each notes what it has done.

use std::collections::BTreeMap;
use std::time::Duration;

use weir::prelude::*;

crons!(|crons| {
    crons.interval("tick", Duration::from_secs(1), "jobs:tick", fields! {});
});

/// A run of the cron job.
#[document("ticks")]
pub struct Tick {
    /// The time that the run was due at, in milliseconds since the epoch: no two runs have one.
    due: f64,
}

#[mutation(internal)]
fn tick(ctx: &MutationCtx) -> Result<()> {
    let job = ctx.db.system().query::<Value>("_cron_jobs").first()?.context("the cron job that runs")?;
    let due = job.get("nextRun").and_then(Value::as_f64).context("when it is due")?;
    ctx.db.insert("ticks", &Tick { due })?;
    Ok(())
}

/// When the runs of the cron job were due.
#[query]
fn ticks(ctx: &QueryCtx) -> Result<Vec<f64>> {
    Ok(ctx.db.query::<Tick>("ticks").collect()?.iter().map(|tick| tick.due).collect())
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
