//! The rooms below the sockets, put together in this process: a store on a real disk, a database, the bank's component.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use bytes::Bytes;
use serde_json::{Value, json};
use weir_build::Project;
use weir_db::{Call, Database, Deployment, Principal};
use weir_runtime::{ModuleSource, Runtime, RuntimeOptions};
use weir_store::{RealEnv, StoreOptions};
use weir_test_support::project;
use weir_value::FunctionPath;

use crate::bank::{ACCOUNTS_A_CALL, BALANCE};

/// A database in `folder`, without functions.
///
/// # Errors
/// When the store does not open.
pub fn open(folder: &Path) -> Result<Arc<Database>> {
    let env: Arc<RealEnv> = Arc::new(RealEnv::default());
    let store = weir_store::open(folder, StoreOptions::default(), env.clone())?;
    Ok(Database::open(store, env)?)
}

/// The functions of the bank, built from source and compiled.
///
/// # Errors
/// When they do not build.
pub fn bank(runtime: &Arc<Runtime>) -> Result<Arc<dyn Deployment>> {
    let project = Project::load(&project::guest("bench"))?;
    let modules: Vec<ModuleSource> = weir_build::build(&project, None, &mut |_| {})?
        .modules
        .into_iter()
        .map(|built| ModuleSource { name: built.name, component: built.component.into() })
        .collect();
    Ok(runtime.load(&modules)?)
}

/// A runtime as `host serve` has it, without a folder for compiled code.
///
/// # Errors
/// When the engine cannot be made.
pub fn runtime() -> Result<Arc<Runtime>> {
    Ok(Runtime::new(RuntimeOptions::default())?)
}

/// A call of a public function.
///
/// # Errors
/// When `path` is invalid.
pub fn call(path: &str, args: String) -> Result<Call> {
    let path = FunctionPath::parse(path).context("a function path")?;
    Ok(Call {
        path,
        args: Bytes::from(args),
        principal: Principal::Anonymous,
        request_id: "bench".to_owned(),
    })
}

/// Opens accounts; gives their ids.
///
/// # Errors
/// When a mutation fails.
pub fn seed(database: &Database, accounts: usize) -> Result<Vec<String>> {
    let mut ids: Vec<String> = Vec::with_capacity(accounts);
    while ids.len() < accounts {
        let count = (accounts - ids.len()).min(ACCOUNTS_A_CALL);
        let args = json!({"from": ids.len(), "count": count, "balance": BALANCE}).to_string();
        let outcome = database.mutation(&call("bank:seed", args)?, None);
        let result = outcome.result.map_err(|error| anyhow::anyhow!(error.message))?;
        ids.extend(serde_json::from_slice::<Vec<String>>(&result)?);
        database.store().wait_durable(outcome.ts)?;
    }
    Ok(ids)
}

/// The JSON of a result, or the function's error.
///
/// # Errors
/// When the function failed.
pub fn value(result: Result<Bytes, weir_db::CallError>) -> Result<Value> {
    let json = result.map_err(|error| anyhow::anyhow!(error.message))?;
    Ok(serde_json::from_slice(&json)?)
}
