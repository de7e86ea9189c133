//! Transfers as a function of the host's: no guest, so what is left is transaction, gate, log and disk.

use std::sync::Arc;

use anyhow::Result;
use weir_db::native::NativeFunctions;
use weir_db::{FunctionError, Transaction};
use weir_value::{Object, Value};

use super::bank::Bank;
use super::counted;

const WARM_UP: u32 = 40;

/// Transfers, each until it is durable.
pub fn run(times: u32) -> Result<()> {
    let functions = NativeFunctions::new().mutation("bank:seed", seed).mutation("bank:transfer", transfer);
    let mut bank = Bank::open(Arc::new(functions))?;
    let (first, rest) = (bank.transfers(WARM_UP)?, bank.transfers(times)?);
    bank.run(&first)?;
    counted(&mut || bank.run(&rest))
}

fn failed(what: &str) -> FunctionError {
    FunctionError::Application { message: what.to_owned(), data: None }
}

fn field<'a>(args: &'a Value, name: &str) -> Option<&'a Value> {
    args.as_object().and_then(|args| args.get(name))
}

fn seed(transaction: &mut Transaction, args: &Value) -> Result<Value, FunctionError> {
    let number = |name| field(args, name).and_then(Value::as_float64).ok_or_else(|| failed(name));
    let balance = number("balance")?;
    let open = |number: u32| {
        let fields =
            Object::from([("number", Value::Float64(number.into())), ("balance", Value::Float64(balance))]);
        Ok(Value::from(transaction.insert("accounts", &fields.to_json_bytes())?))
    };
    Ok(Value::Array((0..number("count")? as u32).map(open).collect::<Result<Vec<_>, FunctionError>>()?))
}

fn transfer(transaction: &mut Transaction, args: &Value) -> Result<Value, FunctionError> {
    let id = |name| field(args, name).and_then(Value::as_str).ok_or_else(|| failed(name));
    let (from, to) = (id("from")?, id("to")?);
    let debited = balance(transaction, from)? - 1.0;
    let credited = balance(transaction, to)? + 1.0;
    set_balance(transaction, from, debited)?;
    set_balance(transaction, to, credited)?;
    Ok(Value::Null)
}

fn balance(transaction: &mut Transaction, id: &str) -> Result<f64, FunctionError> {
    let document = transaction.get(Some("accounts"), id)?.ok_or_else(|| failed("no account"))?;
    let document = Value::from_json(&document).map_err(|error| failed(&error.to_string()))?;
    field(&document, "balance").and_then(Value::as_float64).ok_or_else(|| failed("no balance"))
}

fn set_balance(transaction: &mut Transaction, id: &str, balance: f64) -> Result<(), FunctionError> {
    let fields = Object::from([("balance", Value::Float64(balance))]);
    Ok(transaction.patch(Some("accounts"), id, &fields.to_json_bytes())?)
}
