//! Numbers that an app writes, and the components that it mounts: the same functions are both.

use std::time::Duration;

use weir::prelude::*;

/// A number, and into which mount it was written too; empty in the mount itself.
#[document("numbers", index(by_mount = [mount, number]))]
struct Number {
    mount: String,
    number: u32,
}

/// A number that was written a moment before.
#[document("late")]
struct Late {
    number: u32,
}

/// What takes long to be removed.
#[document("ballast")]
struct Ballast {
    turn: u32,
}

/// Writes so many documents.
#[mutation]
fn fill(ctx: &MutationCtx, turn: u32, count: u32) -> Result<()> {
    for _ in 0..count {
        ctx.db.insert("ballast", &Ballast { turn })?;
    }
    Ok(())
}

/// The turn of each of them.
#[query]
fn ballast(ctx: &QueryCtx) -> Result<Vec<u32>> {
    Ok(ctx.db.query::<Ballast>("ballast").collect()?.iter().map(|ballast| ballast.turn).collect())
}

/// Writes a number here and in a mount, or in neither.
#[mutation]
fn add_in(ctx: &MutationCtx, mount: String, number: u32) -> Result<()> {
    let add = component(&mount).function("parts:add");
    ctx.db.insert("numbers", &Number { mount, number })?;
    ctx.run_mutation(&add, fields! { number: number })
}

/// Writes a number, and once more a moment later.
#[mutation]
fn add(ctx: &MutationCtx, number: u32) -> Result<()> {
    ctx.db.insert("numbers", &Number { mount: String::new(), number })?;
    ctx.scheduler.run_after(Duration::from_millis(20), "parts:addLate", fields! { number: number })?;
    Ok(())
}

#[mutation(internal)]
fn add_late(ctx: &MutationCtx, number: u32) -> Result<()> {
    ctx.db.insert("late", &Late { number })?;
    Ok(())
}

/// The numbers that were written into a mount, as they stand here.
#[query]
fn numbers(ctx: &QueryCtx, mount: String) -> Result<Vec<u32>> {
    let numbers = ctx.db.query("numbers").with_index(Number::BY_MOUNT, |range| range.eq(&mount)).collect()?;
    Ok(numbers.iter().map(|number| number.number).collect())
}

/// Those that were written once more.
#[query]
fn late(ctx: &QueryCtx) -> Result<Vec<u32>> {
    Ok(ctx.db.query::<Late>("late").collect()?.iter().map(|late| late.number).collect())
}
