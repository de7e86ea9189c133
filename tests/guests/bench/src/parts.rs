//! A function of the app, one of a component and a plain one: what each costs to call.

use weir::prelude::*;

use crate::bank::Account;

/// What the app mounts; it has the same functions.
const PART: Component = component("part");

#[document("parts")]
struct Part {
    number: f64,
}

/// Gets an account so many times: by a plain function, by `bank:get` of the app, or by that of the component, whose account it
/// is then.
#[query]
fn ask(ctx: &QueryCtx, how: String, id: String, times: u32) -> Result<()> {
    let of_part = PART.function("bank:get");
    for _ in 0..times {
        match how.as_str() {
            "plain" => drop(ctx.db.get(&Id::<Account>::from_text(id.as_str()))?),
            "app" => drop(ctx.run_query::<Value>("bank:get", fields! { id: id.as_str() })?),
            _ => drop(ctx.run_query::<Value>(&of_part, fields! { id: id.as_str() })?),
        }
    }
    Ok(())
}

/// Writes a document.
#[mutation]
fn add(ctx: &MutationCtx, number: f64) -> Result<()> {
    add_plain(ctx, number)
}

fn add_plain(ctx: &MutationCtx, number: f64) -> Result<()> {
    ctx.db.insert("parts", &Part { number }).map(drop)
}

/// Writes so many documents, each by one of the three.
#[mutation]
fn fill(ctx: &MutationCtx, how: String, times: u32) -> Result<()> {
    let of_part = PART.function("parts:add");
    for number in 0..times {
        match how.as_str() {
            "plain" => add_plain(ctx, number.into())?,
            "app" => ctx.run_mutation("parts:add", fields! { number: number })?,
            _ => ctx.run_mutation(&of_part, fields! { number: number })?,
        }
    }
    Ok(())
}
