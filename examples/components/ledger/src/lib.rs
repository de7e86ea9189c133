//! A ledger: who has how much of something. Whoever mounts it says of what.

use weir::prelude::*;

#[document("accounts", index(by_owner = [owner]))]
struct Account {
    owner: String,
    amount: f64,
}

/// What an error says of itself.
#[value]
#[serde(rename_all = "camelCase")]
struct TooLittle {
    code: String,
    owner: String,
    /// How much there is.
    amount: f64,
}

/// Gives an owner something that nobody had.
#[mutation]
fn issue(ctx: &MutationCtx, to: String, amount: f64) -> Result<()> {
    add(ctx, &to, positive(amount)?)
}

/// Moves an amount from one owner to another one, who may have none yet.
#[mutation]
fn transfer(ctx: &MutationCtx, from: String, to: String, amount: f64) -> Result<()> {
    add(ctx, &from, -positive(amount)?)?;
    add(ctx, &to, amount)
}

/// How much an owner has.
#[query]
fn balance(ctx: &QueryCtx, owner: String) -> Result<f64> {
    Ok(account(ctx, &owner)?.map_or(0.0, |account| account.value.amount))
}

fn positive(amount: f64) -> Result<f64> {
    ensure!(amount > 0.0 && amount.is_finite(), "an amount is more than nothing");
    Ok(amount)
}

/// Adds to an account, or takes from it; it is never below zero.
fn add(ctx: &MutationCtx, owner: &str, amount: f64) -> Result<()> {
    let account = account(ctx, owner)?;
    let had = account.as_ref().map_or(0.0, |account| account.value.amount);
    if had + amount < 0.0 {
        bail_with!(TooLittle { code: "TooLittle".to_owned(), owner: owner.to_owned(), amount: had });
    }
    match account {
        Some(account) => ctx.db.patch(&account.id, fields! { amount: had + amount }),
        None => ctx.db.insert("accounts", &Account { owner: owner.to_owned(), amount }).map(drop),
    }
}

fn account(ctx: &QueryCtx, owner: &str) -> Result<Option<Doc<Account>>> {
    ctx.db.query("accounts").with_index(Account::BY_OWNER, |range| range.eq(owner)).unique()
}
