//! One deployment of four modules, each in another language, in one transaction.

use std::fs;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use weir_test_support::{HostProcess, http, project};

/// A shop with three teas at 5, and a customer with 20.
fn open_shop(data: &std::path::Path) -> Result<HostProcess> {
    let host = HostProcess::dev(&project::repository().join("examples/mixed"), data)?;
    mutate(&host, "stock:fill", &json!({"item": "tea", "quantity": 3, "price": 5}))?;
    mutate(&host, "payments:deposit", &json!({"customer": "ada", "amount": 20}))?;
    Ok(host)
}

fn mutate(host: &HostProcess, path: &str, args: &Value) -> Result<Value> {
    http::value(host.address(), "mutation", path, args)
}

fn order(quantity: u32, note: &str) -> Value {
    json!({"customer": "ada", "item": "tea", "quantity": quantity, "note": note})
}

/// What each of the four has stored: the states of orders, the stock, the purse, the journal.
fn stored(host: &HostProcess) -> Result<Value> {
    let ask = |path: &str, args: Value| http::value(host.address(), "query", path, &args);
    let orders = ask("orders:list", json!({}))?;
    let states: Vec<Value> =
        orders.as_array().context("orders")?.iter().map(|order| order["state"].clone()).collect();
    Ok(json!([
        states,
        ask("stock:left", json!({"item": "tea"}))?,
        ask("payments:balance", json!({"customer": "ada"}))?,
        ask("journal:lines", json!({}))?,
    ]))
}

#[test]
fn what_goes_through_four_languages_is_one_transaction() -> Result<()> {
    let data = tempfile::tempdir()?;
    let host = open_shop(data.path())?;
    mutate(&host, "orders:place", &order(2, "two teas"))?;
    let after_one = json!([["placed"], 1, 10, ["two teas"]]);
    ensure!(stored(&host)? == after_one, "after an order: {}", stored(&host)?);

    // The journal, which is the last and in Rust, refuses.
    let answer = http::call(host.address(), "mutation", "orders:place", &order(1, " "))?;
    let message = answer["errorMessage"].as_str().unwrap_or_default();
    ensure!(message.contains("a line of the journal says something"), "{answer}");
    ensure!(stored(&host)? == after_one, "after one that failed: {}", stored(&host)?);
    Ok(())
}

#[test]
fn a_caller_catches_what_fails_below_it_and_keeps_its_own() -> Result<()> {
    let data = tempfile::tempdir()?;
    let host = open_shop(data.path())?;
    let state = mutate(&host, "orders:placeOrWait", &order(1, ""))?;
    ensure!(state == "waiting", "{state}");
    let orders = http::value(host.address(), "query", "orders:list", &json!({}))?;
    ensure!(orders[0]["reason"] == "a line of the journal says something", "{orders}");
    ensure!(stored(&host)? == json!([["waiting"], 3, 20, []]), "{}", stored(&host)?);

    // An error with data comes through Go as it left AssemblyScript.
    mutate(&host, "stock:fill", &json!({"item": "gold", "quantity": 1, "price": 500}))?;
    let gold = json!({"customer": "ada", "item": "gold", "quantity": 1, "note": "gold"});
    let answer = http::call(host.address(), "mutation", "orders:place", &gold)?;
    let data = &answer["errorData"];
    ensure!(data["code"] == "TooLittle" && data["balance"] == 20.0, "{answer}");
    mutate(&host, "orders:placeOrWait", &gold)?;
    let orders = http::value(host.address(), "query", "orders:list", &json!({}))?;
    ensure!(orders[1]["reason"] == "TooLittle", "{orders}");
    Ok(())
}

/// Two modules cannot have a function of one path: the deployment is refused, and names both.
#[test]
fn two_modules_with_one_path_are_refused() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let guest = |name: &str| project::repository().join(name).display().to_string();
    let modules = [("first", guest("examples/chat/rust")), ("second", guest("examples/chat/rust"))];
    let text =
        modules.map(|(name, path)| format!("[modules.{name}]\nlanguage = \"rust\"\npath = {path:?}\n"));
    fs::write(folder.path().join("host.toml"), text.concat())?;
    let data = tempfile::tempdir()?;
    let error = HostProcess::dev(folder.path(), data.path()).err().context("it was deployed")?.to_string();
    for wanted in ["`first`", "`second`", "chat:"] {
        ensure!(error.contains(wanted), "no {wanted} in: {error}");
    }
    Ok(())
}
