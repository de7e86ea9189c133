//! Accounts, and transfers between them.

use weir::prelude::*;

#[document("accounts")]
pub struct Account {
    number: u32,
    balance: f64,
}

/// One transfer, written in the same transaction as the balances it changed.
#[document("ledger")]
pub struct Entry {
    client: u32,
    seq: u32,
    from: Id<Account>,
    to: Id<Account>,
    amount: f64,
}

/// A row of a table that nothing else reads.
#[document("notes")]
pub struct Note {
    text: String,
}

/// A part of the ledger, the oldest first.
#[value]
pub struct LedgerPage {
    rows: Vec<Doc<Entry>>,
    /// Where the next page begins; absent at the end.
    next: Option<f64>,
}

/// A part of the accounts, the oldest first.
#[value]
pub struct Page {
    ids: Vec<Id<Account>>,
    balance: f64,
    /// Where the next page begins; absent at the end.
    next: Option<f64>,
}

/// Opens accounts, numbered on from `from`, and gives their ids.
#[mutation]
fn seed(ctx: &MutationCtx, from: u32, count: u32, balance: f64) -> Result<Vec<Id<Account>>> {
    (from..from + count).map(|number| ctx.db.insert("accounts", &Account { number, balance })).collect()
}

/// Moves money from one account to another, if it is there.
#[mutation]
fn transfer(ctx: &MutationCtx, from: Id<Account>, to: Id<Account>, amount: f64) -> Result<()> {
    ensure!(amount > 0.0 && from != to, "move an amount above 0 between two accounts");
    let source = ctx.db.get(&from)?.context("there is no account to debit")?;
    let target = ctx.db.get(&to)?.context("there is no account to credit")?;
    if source.balance < amount {
        bail_with!(fields! { code: "InsufficientFunds", balance: source.balance });
    }
    ctx.db.patch(&from, fields! { balance: source.balance - amount })?;
    ctx.db.patch(&to, fields! { balance: target.balance + amount })
}

/// The account with this id.
#[query]
fn get(ctx: &QueryCtx, id: Id<Account>) -> Result<Option<Doc<Account>>> {
    ctx.db.get(&id)
}

/// The sum of all balances, as long as one call can read all accounts.
#[query]
fn total(ctx: &QueryCtx) -> Result<f64> {
    let mut total = 0.0;
    for account in ctx.db.query::<Account>("accounts").iter() {
        total += account?.balance;
    }
    Ok(total)
}

/// The accounts that were opened after `after`, `limit` at most.
#[query]
fn page(ctx: &QueryCtx, after: Option<f64>, limit: u32) -> Result<Page> {
    let after = after.unwrap_or(f64::NEG_INFINITY);
    let query = ctx.db.query::<Account>("accounts").by_creation_time(|time| time.gt(after));
    let accounts = query.take(limit)?;
    let is_full = accounts.len() as u32 == limit;
    Ok(Page {
        balance: accounts.iter().map(|account| account.balance).sum(),
        next: accounts.last().filter(|_| is_full).map(|last| last.creation_time),
        ids: accounts.into_iter().map(|account| account.id).collect(),
    })
}

/// A transfer that leaves a row which tells who asked for it, and which may overdraw.
#[mutation]
fn transfer_logged(
    ctx: &MutationCtx,
    from: Id<Account>,
    to: Id<Account>,
    amount: f64,
    client: u32,
    seq: u32,
) -> Result<()> {
    let source = ctx.db.get(&from)?.context("there is no account to debit")?;
    ctx.db.patch(&from, fields! { balance: source.balance - amount })?;
    let target = ctx.db.get(&to)?.context("there is no account to credit")?;
    ctx.db.patch(&to, fields! { balance: target.balance + amount })?;
    ctx.db.insert("ledger", &Entry { client, seq, from, to, amount })?;
    Ok(())
}

/// The ledger after `after`, `limit` rows at most.
#[query]
fn ledger(ctx: &QueryCtx, after: f64, limit: u32) -> Result<LedgerPage> {
    let rows = ctx.db.query::<Entry>("ledger").by_creation_time(|time| time.gt(after)).take(limit)?;
    let is_full = rows.len() as u32 == limit;
    Ok(LedgerPage { next: rows.last().filter(|_| is_full).map(|last| last.creation_time), rows })
}

/// What these accounts hold, in the order of their ids here.
#[query]
fn balances(ctx: &QueryCtx, ids: Vec<Id<Account>>) -> Result<Vec<f64>> {
    ids.iter().map(|id| Ok(ctx.db.get(id)?.context("there is no such account")?.balance)).collect()
}

/// The accounts that were opened last.
#[query]
fn newest(ctx: &QueryCtx, count: u32) -> Result<Vec<Doc<Account>>> {
    ctx.db.query("accounts").order(Desc).take(count)
}

/// Writes into a table of its own.
#[mutation]
fn note(ctx: &MutationCtx, text: String) -> Result<()> {
    ctx.db.insert("notes", &Note { text })?;
    Ok(())
}
