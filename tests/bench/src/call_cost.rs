//! What a guest costs: the same query as a component, in a fresh instance, and as a Rust closure of the host.

use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result};
use serde_json::json;
use weir_db::native::NativeFunctions;
use weir_db::{Call, Database, FunctionError, Transaction};
use weir_value::Value;

use crate::engine;
use crate::table::{Line, quantile};

/// Calls of one kind, one after another, whose mean is one sample.
const CALLS_A_SAMPLE: u32 = 500;
/// Samples of each kind, taken in turns so that a slow moment of the machine meets both.
const SAMPLES: usize = 40;
/// What a fresh instance may add to a call, in microseconds.
const ADDED_US_MAX: f64 = 20.0;

/// The lines of this part.
///
/// # Errors
/// When the guest does not build or a call fails.
pub fn measure() -> Result<Vec<Line>> {
    let folder = tempfile::tempdir()?;
    let database = engine::open(folder.path())?;
    let runtime = engine::runtime()?;
    let guest = engine::bank(&runtime)?;
    database.set_deployment(Arc::clone(&guest));
    let id = engine::seed(&database, 100)?.swap_remove(50);
    let native = Arc::new(NativeFunctions::new().query("bank:get", get));
    let call = engine::call("bank:get", json!({"id": id}).to_string())?;

    database.set_deployment(native.clone());
    let expected = engine::value(run(&database, &call))?;
    let (mut native_ns, mut guest_ns) = (Vec::new(), Vec::new());
    for _ in 0..SAMPLES {
        database.set_deployment(native.clone());
        native_ns.push(sample(&database, &call)?);
        database.set_deployment(Arc::clone(&guest));
        guest_ns.push(sample(&database, &call)?);
    }
    let found = engine::value(run(&database, &call))?;
    anyhow::ensure!(found == expected, "guest and closure differ: {found} and {expected}");
    database.store().close();

    let native_us = quantile(&mut native_ns, 0.5) as f64 / 1000.0;
    let guest_us = quantile(&mut guest_ns, 0.5) as f64 / 1000.0;
    let added_us = guest_us - native_us;
    Ok(vec![
        Line::figure("a query that gets one document, as a closure", format!("{native_us:.1} us")),
        Line::figure("the same as a Rust guest, fresh instance", format!("{guest_us:.1} us")),
        Line::goal(
            "  what the fresh instance adds",
            format!("{added_us:.1} us"),
            format!("<= {ADDED_US_MAX:.0} us"),
            added_us <= ADDED_US_MAX,
        ),
    ])
}

fn run(database: &Database, call: &Call) -> Result<bytes::Bytes, weir_db::CallError> {
    database.query(call, database.store().snapshot_durable()).result
}

/// The mean of one sample, in nanoseconds.
fn sample(database: &Database, call: &Call) -> Result<u64> {
    let started = Instant::now();
    for _ in 0..CALLS_A_SAMPLE {
        run(database, call).map_err(|error| anyhow::anyhow!(error.message)).context("a call")?;
    }
    Ok((started.elapsed() / CALLS_A_SAMPLE).as_nanos() as u64)
}

/// What the guest's `bank:get` does: the document with this id, or null.
fn get(transaction: &mut Transaction, args: &Value) -> Result<Value, FunctionError> {
    let failed = |message: String| FunctionError::Application { message, data: None };
    let id = args.as_object().and_then(|args| args.get("id")).and_then(Value::as_str);
    let id = id.ok_or_else(|| failed("no id".into()))?;
    let found = transaction.get(Some("accounts"), id).map_err(|error| failed(error.message))?;
    found.map_or(Ok(Value::Null), |json| Value::from_json(&json).map_err(|error| failed(error.to_string())))
}
