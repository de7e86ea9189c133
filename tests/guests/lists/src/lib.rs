//! Lists that are appended to and read, several in one transaction: what the history checker runs.
//!
//! Eight lists share a table, a new one for each eight. In even tables a list is one document, which is patched; in odd
//! ones each element is a document, which is inserted, so that nothing but the range that was read keeps two appends
//! apart.
//!
//! Not here: what to do in a transaction, and whether what comes back is right. That is `tests/history`.

use weir::prelude::*;

mod entries;
mod whole;

/// How many lists share a table. The clients count on it.
const LISTS_PER_TABLE: u32 = 8;

/// One step of a transaction.
#[value]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Step {
    /// Puts an element at the end of a list and gives what was there before.
    Append {
        key: u32,
        element: u32,
        /// The list's document, if the client knows it: then it is read by its id, else it is searched.
        id: Option<String>,
    },
    /// Reads one list.
    Read { key: u32, id: Option<String> },
    /// Reads the lists from `low` up to and without `high`, of one table, with one scan.
    ReadRange { low: u32, high: u32 },
    /// Reads the lists of an even table that were created in an interval of time: the index's own range.
    ReadTimes { table: u32, from: f64, until: Option<f64> },
    /// Reads the lists of an even table that were created last.
    ReadNewest { table: u32, count: u32 },
    /// Appends in a mutation of its own, which fails, and gives what the list is then.
    AppendInVain { key: u32, element: u32 },
}

/// A list as it was read.
#[value]
pub struct Row {
    key: u32,
    elements: Vec<u32>,
    /// Its document, in even tables.
    id: Option<String>,
    /// When that was created.
    created: Option<f64>,
}

/// Runs the steps in one transaction and gives what each one read; in the end fails, if it is told to.
#[mutation]
fn transact(ctx: &MutationCtx, steps: Vec<Step>, fail: bool) -> Result<Vec<Vec<Row>>> {
    let rows = steps.iter().map(|step| perform(ctx, step)).collect::<Result<Vec<_>>>()?;
    if fail {
        bail_with!(fields! { code: "AsPlanned" });
    }
    Ok(rows)
}

/// The same under another name: the host learns how often a function conflicts, and ranges conflict more often.
#[mutation]
fn transact_ranges(ctx: &MutationCtx, steps: Vec<Step>, fail: bool) -> Result<Vec<Vec<Row>>> {
    transact(ctx, steps, fail)
}

/// The same again, for what conflicts less often.
#[mutation]
fn transact_one(ctx: &MutationCtx, steps: Vec<Step>, fail: bool) -> Result<Vec<Vec<Row>>> {
    transact(ctx, steps, fail)
}

/// Runs steps that only read.
#[query]
fn look(ctx: &QueryCtx, steps: Vec<Step>) -> Result<Vec<Vec<Row>>> {
    steps.iter().map(|step| read(ctx, step)).collect()
}

/// Appends, and fails: what it wrote must not stay.
#[mutation]
fn append_and_fail(ctx: &MutationCtx, key: u32, element: u32) -> Result<()> {
    append(ctx, key, element, None)?;
    bail_with!(fields! { code: "AsPlanned" })
}

fn perform(ctx: &MutationCtx, step: &Step) -> Result<Vec<Row>> {
    match step {
        Step::Append { key, element, id } => Ok(vec![append(ctx, *key, *element, id.as_deref())?]),
        Step::AppendInVain { key, element } => {
            let call =
                ctx.run_mutation::<()>("lists:appendAndFail", fields! { key: *key, element: *element });
            ensure!(call.is_err(), "an append in vain did not fail");
            Ok(vec![find(ctx, *key, None)?])
        }
        _ => read(ctx, step),
    }
}

fn append(ctx: &MutationCtx, key: u32, element: u32, id: Option<&str>) -> Result<Row> {
    match is_whole(key / LISTS_PER_TABLE) {
        true => whole::append(ctx, key, element, id),
        false => entries::append(ctx, key, element),
    }
}

fn read(ctx: &QueryCtx, step: &Step) -> Result<Vec<Row>> {
    match step {
        Step::Read { key, id } => Ok(vec![find(ctx, *key, id.as_deref())?]),
        Step::ReadRange { low, high } if is_whole(low / LISTS_PER_TABLE) => whole::range(ctx, *low, *high),
        Step::ReadRange { low, high } => entries::range(ctx, *low, *high),
        Step::ReadTimes { table, from, until } => whole::times(ctx, *table, *from, *until),
        Step::ReadNewest { table, count } => whole::newest(ctx, *table, *count),
        Step::Append { .. } | Step::AppendInVain { .. } => bail!("a query cannot append"),
    }
}

fn find(ctx: &QueryCtx, key: u32, id: Option<&str>) -> Result<Row> {
    match is_whole(key / LISTS_PER_TABLE) {
        true => Ok(whole::find(ctx, key, id)?.map_or_else(|| Row::empty(key), whole::row)),
        false => entries::find(ctx, key),
    }
}

fn is_whole(table: u32) -> bool {
    table.is_multiple_of(2)
}

fn table_name(table: u32) -> String {
    format!("lists{table}")
}

fn table_of(key: u32) -> String {
    table_name(key / LISTS_PER_TABLE)
}

impl Row {
    fn empty(key: u32) -> Row {
        Row { key, elements: Vec::new(), id: None, created: None }
    }
}
