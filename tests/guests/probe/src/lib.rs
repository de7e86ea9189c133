//! What the tests of the JavaScript clients call, where the chat does not do it:
//! a counter, a list, documents of any form, and every way to fail.

use weir::prelude::*;

#[document("counters")]
struct Counter {
    count: f64,
}

#[document("switches")]
struct Switch {
    stopped: bool,
}

#[document("lines")]
struct Line {
    n: f64,
}

#[document("documents")]
struct Entry {
    rank: f64,
    value: Value,
}

/// The data of the error that `refuse` gives.
#[value]
struct Refusal {
    code: String,
    limit: i64,
    path: Vec<Value>,
}

/// Changes between two versions of this module in the test of redeployment.
#[query]
fn version(_ctx: &QueryCtx) -> Result<String> {
    Ok("one".to_owned())
}

#[query]
fn count(ctx: &QueryCtx) -> Result<f64> {
    let counter = ctx.db.query::<Counter>("counters").first()?;
    Ok(counter.map_or(0.0, |counter| counter.count))
}

/// Adds to the counter, and gives what it holds then.
#[mutation]
fn increment(ctx: &MutationCtx, by: f64) -> Result<f64> {
    let Some(counter) = ctx.db.query::<Counter>("counters").first()? else {
        ctx.db.insert("counters", &Counter { count: by })?;
        return Ok(by);
    };
    let count = counter.count + by;
    ctx.db.patch(&counter.id, fields! { count: count })?;
    Ok(count)
}

/// Fails after it has written.
#[mutation]
fn increment_and_fail(ctx: &MutationCtx) -> Result<f64> {
    increment(ctx, 1.0)?;
    bail!("failed after writing")
}

/// Adds a line, and gives its position.
#[mutation]
fn append(ctx: &MutationCtx, n: f64) -> Result<u32> {
    let position = ctx.db.query::<Line>("lines").collect()?.len();
    ctx.db.insert("lines", &Line { n })?;
    Ok(position as u32)
}

/// The lines, in the order in which they were added.
#[query]
fn list(ctx: &QueryCtx) -> Result<Vec<f64>> {
    let lines = ctx.db.query::<Line>("lines").collect()?;
    Ok(lines.iter().map(|line| line.n).collect())
}

/// The documents, by rank.
#[query]
fn documents(ctx: &QueryCtx) -> Result<Vec<Doc<Entry>>> {
    let mut documents = ctx.db.query::<Entry>("documents").collect()?;
    documents.sort_by(|a, b| a.rank.total_cmp(&b.rank));
    Ok(documents)
}

#[mutation]
fn put(ctx: &MutationCtx, rank: f64, value: Value) -> Result<Id<Entry>> {
    ctx.db.insert("documents", &Entry { rank, value })
}

#[mutation]
fn edit(ctx: &MutationCtx, id: Id<Entry>, value: Value) -> Result<()> {
    ctx.db.patch(&id, fields! { value: value })
}

#[mutation]
fn remove(ctx: &MutationCtx, id: Id<Entry>) -> Result<()> {
    ctx.db.delete(&id)
}

#[query]
fn echo(_ctx: &QueryCtx, value: Value) -> Result<Value> {
    Ok(value)
}

/// Fails with data while the switch is off.
#[query]
fn unless_stopped(ctx: &QueryCtx) -> Result<String> {
    match ctx.db.query::<Switch>("switches").first()? {
        Some(switch) if switch.stopped => bail_with!("stopped"),
        _ => Ok("running".to_owned()),
    }
}

#[mutation]
fn stop(ctx: &MutationCtx, stopped: bool) -> Result<()> {
    match ctx.db.query::<Switch>("switches").first()? {
        Some(switch) => ctx.db.replace(&switch.id, &Switch { stopped }),
        None => ctx.db.insert("switches", &Switch { stopped }).map(|_| ()),
    }
}

#[mutation]
fn fail(_ctx: &MutationCtx, message: String) -> Result<()> {
    bail!("{message}")
}

#[mutation]
fn refuse(_ctx: &MutationCtx) -> Result<()> {
    bail_with!(Refusal {
        code: "Refused".to_owned(),
        limit: 3,
        path: vec![Value::String("a".to_owned()), Value::Null],
    })
}

#[mutation]
fn shout(_ctx: &MutationCtx) -> Result<()> {
    log!("hear me");
    Ok(())
}

#[mutation]
fn panic(_ctx: &MutationCtx) -> Result<()> {
    panic!("this is a bug")
}

#[mutation]
fn spin(_ctx: &MutationCtx) -> Result<()> {
    loop {
        std::hint::black_box(());
    }
}

/// Who calls, by `tokenIdentifier`.
#[query(internal)]
fn who(ctx: &QueryCtx) -> Result<Option<String>> {
    Ok(ctx.identity().map(|identity| identity.token_identifier().to_owned()))
}

/// What `increment` does, for admins and other functions alone.
#[mutation(internal)]
fn adjust(ctx: &MutationCtx, by: f64) -> Result<f64> {
    increment(ctx, by)
}
