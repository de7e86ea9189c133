//! Functions that the host calls later.

use weir::prelude::*;

use crate::told;

type JobId = Id<ScheduledFunction>;

/// Writes down that it was called, and who by.
#[mutation(internal)]
fn add(ctx: &MutationCtx, text: String) -> Result<()> {
    log!("adding {text}");
    let by = ctx.identity().map_or_else(|| "nobody".to_owned(), |who| who.subject().to_owned());
    ctx.db.insert("done", &fields! { text: text, at: ctx.now(), by: by })?;
    Ok(())
}

/// Writes something down, and fails.
#[mutation]
fn fail(ctx: &MutationCtx, text: String) -> Result<()> {
    ctx.db.insert("done", &fields! { text: text.clone() })?;
    bail!("not today: {text}")
}

/// Has a function called after so many milliseconds.
#[mutation]
fn after(ctx: &MutationCtx, ms: u32, path: String, args: Value) -> Result<JobId> {
    ctx.scheduler.run_after(std::time::Duration::from_millis(ms.into()), &path, &args)
}

/// Has one called at a time.
#[mutation]
fn at(ctx: &MutationCtx, at: f64, path: String, args: Value) -> Result<JobId> {
    ctx.scheduler.run_at(at, &path, &args)
}

/// The same, or why not.
#[mutation]
fn tell(ctx: &MutationCtx, at: f64, path: String, args: Value) -> String {
    told(ctx.scheduler.run_at(at, &path, &args), |_| "scheduled".to_owned())
}

/// Tries it in a query, past what the types allow; tells what the host says.
#[query]
fn from_query(_ctx: &QueryCtx, path: String, args: Value) -> Vec<String> {
    let scheduler = MutationCtx::new().scheduler;
    let scheduled = told(scheduler.run_at(0.0, &path, &args), |_| "scheduled".to_owned());
    vec![scheduled, told(scheduler.cancel(&Id::from_text("")), |()| "canceled".to_owned())]
}

/// Has one called, and fails.
#[mutation]
fn after_and_fail(ctx: &MutationCtx, path: String, args: Value) -> Result<()> {
    ctx.scheduler.run_after(std::time::Duration::ZERO, &path, &args)?;
    bail!("after all not")
}

/// Has one called so often.
#[mutation]
fn many(ctx: &MutationCtx, count: u32, at: f64) -> Result<u32> {
    for number in 0..count {
        ctx.scheduler.run_at(at, "scheduled:add", fields! { text: number.to_string() })?;
    }
    Ok(count)
}

/// Writes a number down, and has itself called a second later, until none is left.
#[mutation(internal)]
fn again(ctx: &MutationCtx, left: u32) -> Result<()> {
    ctx.db.insert("done", &fields! { left: left, at: ctx.now() })?;
    if left > 0 {
        ctx.scheduler.run_after(
            std::time::Duration::from_secs(1),
            "scheduled:again",
            fields! { left: left - 1 },
        )?;
    }
    Ok(())
}

/// Takes a function back.
#[mutation]
fn cancel(ctx: &MutationCtx, id: JobId) -> Result<()> {
    ctx.scheduler.cancel(&id)
}

/// The same with what may be no id, or why not.
#[mutation]
fn try_cancel(ctx: &MutationCtx, id: String) -> String {
    told(ctx.scheduler.cancel(&Id::from_text(id)), |()| "fine".to_owned())
}

/// What has become of a function.
#[value]
struct Job {
    name: String,
    args: Vec<Value>,
    due: f64,
    /// `null`: it has not come to its end.
    ended: Value,
    state: String,
}

/// Reads what has become of a function.
#[query]
fn state(ctx: &QueryCtx, id: JobId) -> Result<Option<Job>> {
    Ok(ctx.db.system().get(&id)?.map(|job| job_of(job.into_value())))
}

/// Its document as it is.
#[query]
fn document(ctx: &QueryCtx, id: JobId) -> Result<Option<Doc<ScheduledFunction>>> {
    ctx.db.system().get(&id)
}

/// The same of all.
#[query]
fn all(ctx: &QueryCtx) -> Result<Vec<Job>> {
    let jobs = ctx.db.system().query::<ScheduledFunction>("_scheduled_functions").collect()?;
    Ok(jobs.into_iter().map(|job| job_of(job.into_value())).collect())
}

fn job_of(job: ScheduledFunction) -> Job {
    let state = match job.state {
        ScheduledState::Pending => "pending".to_owned(),
        ScheduledState::InProgress => "in progress".to_owned(),
        ScheduledState::Success => "success".to_owned(),
        ScheduledState::Failed { error } => format!("failed: {error}"),
        ScheduledState::Canceled => "canceled".to_owned(),
    };
    let ended = job.completed_time.map_or(Value::Null, Value::from);
    Job { name: job.name, args: job.args, due: job.scheduled_time, ended, state }
}
