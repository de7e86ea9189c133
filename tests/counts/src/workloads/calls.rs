//! Calls through a guest.

use std::path::Path;

use anyhow::{Context, Result, anyhow};
use serde_json::json;

use super::bank::{Bank, call, guest};
use super::counted;

/// Calls before those that are counted: instances are there then, and caches are warm.
const WARM_UP: u32 = 40;

/// Queries of single accounts.
pub fn query(component: &Path, times: u32) -> Result<()> {
    let mut bank = Bank::open(guest(component)?)?;
    let mut calls = (0..WARM_UP + times)
        .map(|_| call("bank:get", json!({"id": bank.draw()}).to_string()))
        .collect::<Result<Vec<_>>>()?;
    let rest = calls.split_off(WARM_UP as usize);
    let query = |calls: &[weir_db::Call]| {
        calls.iter().try_for_each(|call| {
            let outcome = bank.database.query(call, bank.database.store().snapshot_durable());
            outcome.result.map(drop).map_err(|error| anyhow!(error.message)).context("a query")
        })
    };
    query(&calls)?;
    counted(&mut || query(&rest))
}

/// Transfers.
pub fn mutation(component: &Path, times: u32) -> Result<()> {
    let mut bank = Bank::open(guest(component)?)?;
    let (first, rest) = (bank.transfers(WARM_UP)?, bank.transfers(times)?);
    bank.run(&first)?;
    counted(&mut || bank.run(&rest))
}
