//! Functions that call others.

use weir::prelude::*;

/// One call of another function.
#[value]
struct Step {
    /// `query` or `mutation`.
    kind: String,
    path: String,
    args: Value,
    /// Whether its error is a result too.
    caught: bool,
}

fn result_of(step: &Step, result: Result<Value>) -> Result<Value> {
    match result {
        Err(error) if step.caught => Ok(Value::Object(
            [
                ("code".to_owned(), error.code().unwrap_or_default().into()),
                ("message".to_owned(), error.message().into()),
                ("data".to_owned(), error.data().map_or(Ok(Value::Null), weir::json::from_slice)?),
            ]
            .into(),
        )),
        result => result,
    }
}

/// Runs the steps, one after the other, and gives their results.
#[mutation]
fn run(ctx: &MutationCtx, steps: Vec<Step>) -> Result<Vec<Value>> {
    steps.iter().map(|step| run_step(ctx, step)).collect()
}

fn run_step(ctx: &MutationCtx, step: &Step) -> Result<Value> {
    let result = match step.kind.as_str() {
        "query" => ctx.run_query(&step.path, &step.args),
        _ => ctx.run_mutation(&step.path, &step.args),
    };
    result_of(step, result)
}

/// The same from a query, with queries alone.
#[query]
fn run_queries(ctx: &QueryCtx, steps: Vec<Step>) -> Result<Vec<Value>> {
    steps.iter().map(|step| result_of(step, ctx.run_query(&step.path, &step.args))).collect()
}

/// What a query gives that is called by its handle, and by the handle of that.
#[query]
fn by_handle(ctx: &QueryCtx, path: String) -> Result<Vec<Value>> {
    let handle = ctx.function_handle(&path)?;
    let again = ctx.function_handle(&handle)?;
    Ok(vec![
        handle.starts_with("function://").into(),
        ctx.run_query(&handle, fields! {})?,
        ctx.run_query(&again, fields! {})?,
    ])
}

/// Runs a step with the handle of a function as the argument `path`; gives its result.
#[mutation]
fn pass_handle(ctx: &MutationCtx, target: String, step: Step) -> Result<Value> {
    let mut args = match step.args.clone() {
        Value::Object(args) => args,
        _ => bail!("the arguments are an object"),
    };
    args.insert("path".to_owned(), ctx.function_handle(&target)?.into());
    run_step(ctx, &Step { args: Value::Object(args), ..step })
}

/// How a function of a component is named.
#[query]
fn of_component(_ctx: &QueryCtx, name: String, path: String) -> String {
    component(&name).function(&path)
}

#[query(internal)]
fn secret(_ctx: &QueryCtx) -> &'static str {
    "inside"
}

/// Calls itself this often, one inside the other; gives how often.
#[mutation]
fn recurse(ctx: &MutationCtx, depth: u32) -> Result<f64> {
    if depth == 0 {
        return Ok(0.0);
    }
    let below: f64 = ctx.run_mutation("calls:recurse", fields! { depth: depth - 1 })?;
    Ok(below + 1.0)
}

/// Calls a function without effect this often, one after the other.
#[query]
fn repeat(ctx: &QueryCtx, count: u32) -> Result<()> {
    for _ in 0..count {
        ctx.run_query::<Value>("calls:secret", fields! {})?;
    }
    Ok(())
}

/// A random number of its own, one of each of two calls, and another one of its own.
#[query]
fn random_numbers(ctx: &QueryCtx) -> Result<Vec<f64>> {
    let mut numbers = vec![ctx.random()];
    for _ in 0..2 {
        numbers.extend(ctx.run_query::<Vec<f64>>("context:randomNumbers", fields! { count: 1 })?);
    }
    numbers.push(ctx.random());
    Ok(numbers)
}
