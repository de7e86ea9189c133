//! Queries: each gives the labels of the documents that it finds, in their order. The documents may
//! have more fields than a label.

use weir::db::{Expression, Row};
use weir::prelude::*;

#[value]
struct Item {
    label: String,
}

fn labels(documents: Vec<Doc<Item>>) -> Vec<String> {
    documents.into_iter().map(|document| document.into_value().label).collect()
}

fn order_named(name: &str) -> Order {
    if name == "desc" { Desc } else { Asc }
}

/// Adds items with the labels "0", "1", ... and a text of this length.
#[mutation]
fn fill(ctx: &MutationCtx, table: String, count: u32, bytes: u32) -> Result<()> {
    let text = "x".repeat(bytes as usize);
    for number in 0..count {
        ctx.db.insert(&table, &fields! { label: number.to_string(), text: text })?;
    }
    Ok(())
}

/// In an order, and at most `limit` of them if it is given.
#[query]
fn list(ctx: &QueryCtx, table: String, order: String, limit: Option<u32>) -> Result<Vec<String>> {
    let query = ctx.db.query(&table).order(order_named(&order));
    match limit {
        Some(limit) => query.take(limit).map(labels),
        None => query.collect().map(labels),
    }
}

#[query]
fn first(ctx: &QueryCtx, table: String, order: String) -> Result<Option<String>> {
    let first = ctx.db.query::<Item>(&table).order(order_named(&order)).first()?;
    Ok(first.map(|item| item.into_value().label))
}

/// The only one with this label.
#[query]
fn unique(ctx: &QueryCtx, table: String, label: String) -> Result<Option<String>> {
    let only = ctx.db.query::<Item>(&table).filter(|item| item.field("label").eq(label)).unique()?;
    Ok(only.map(|item| item.into_value().label))
}

#[value]
struct Stamped {
    label: String,
    at: CommitTimestamp,
}

/// Adds an item with the timestamp of the commit, finds it by that, and gives it as it was found.
#[mutation]
fn stamp(ctx: &MutationCtx, table: String) -> Result<CommitTimestamp> {
    let at = CommitTimestamp::Pending;
    ctx.db.insert(&table, &Stamped { label: "stamped".to_owned(), at })?;
    let found = ctx.db.query::<Stamped>(&table).filter(|item| item.field("at").eq(at)).unique()?;
    match found {
        Some(found) if found.at == at => Ok(found.at),
        _ => bail!("it is not pending"),
    }
}

/// Those that the commit with this timestamp, or a later one, has added.
#[query]
fn stamped_from(ctx: &QueryCtx, table: String, at: i64) -> Result<Vec<String>> {
    ctx.db.query(&table).filter(|item| item.field("at").gte(at)).collect().map(labels)
}

/// Goes through the items one by one until the label is found; gives how many that took, -1 if there
/// is none.
#[query]
fn position(ctx: &QueryCtx, table: String, label: String) -> Result<i32> {
    for (number, item) in ctx.db.query::<Item>(&table).iter().enumerate() {
        if item?.label == label {
            return Ok(number as i32 + 1);
        }
    }
    Ok(-1)
}

/// Those whose field compares so with a value.
#[query]
fn compare(
    ctx: &QueryCtx,
    table: String,
    operator: String,
    field: String,
    value: Value,
) -> Result<Vec<String>> {
    let condition = |item: Row| {
        let field = item.field(&field);
        match operator.as_str() {
            "eq" => field.eq(value),
            "neq" => field.neq(value),
            "lt" => field.lt(value),
            "lte" => field.lte(value),
            "gt" => field.gt(value),
            _ => field.gte(value),
        }
    };
    ctx.db.query(&table).filter(condition).collect().map(labels)
}

/// Those for which the condition of this name holds.
#[query]
fn matching(ctx: &QueryCtx, table: String, condition: String) -> Result<Vec<String>> {
    ctx.db.query(&table).filter(|item| condition_named(item, &condition)).collect().map(labels)
}

fn condition_named(item: Row, name: &str) -> Expression {
    let (a, b) = (item.field("a"), item.field("b"));
    match name {
        "and" => a.gt(1).and(b.lt(5)),
        "or" => a.gt(3).or(b.gt(5)),
        "not" => a.gt(1).not(),
        "add" => (a + b).eq(7),
        "sub" => (a - b).eq(-3),
        "mul" => (a * b).eq(10),
        "div" => (a / b).eq(0.5),
        "mod" => (a % 2).eq(1),
        "neg" => (-a).lt(-2),
        "fields" => a.eq(b),
        "inner" => item.field("inner.deep").eq("yes"),
        "constant" => a.eq(item.field("a")),
        _ => item.field("a"),
    }
}

/// Those made in a time: from `from` on, and before `to`; `to` too if `closed`, and not `from` itself.
#[query]
fn made_between(ctx: &QueryCtx, table: String, from: f64, to: f64, closed: bool) -> Result<Vec<String>> {
    let query = ctx.db.query(&table).by_creation_time(|time| match closed {
        true => time.gt(from).lte(to),
        false => time.gte(from).lt(to),
    });
    query.collect().map(labels)
}

/// Those whose id compares so with this one, in descending order.
#[query]
fn by_id(ctx: &QueryCtx, table: String, operator: String, id: String) -> Result<Vec<String>> {
    let bound = Id::from_text(id);
    let query = ctx.db.query::<Item>(&table).by_id(|id| match operator.as_str() {
        "eq" => id.eq(&bound),
        "lt" => id.lt(&bound),
        "lte" => id.lte(&bound),
        "gt" => id.gt(&bound),
        _ => id.gte(&bound),
    });
    query.order(Desc).collect().map(labels)
}
