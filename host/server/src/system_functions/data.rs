//! `_system/cli/tables` and `_system/cli/tableData`: the tables, and the documents of one.

use serde_json::{Value as Json, json};
use weir_db::{DbError, FunctionError, Transaction};
use weir_value::{ErrorCode, Value};

/// `{paginationOpts?}` -> a page of `{name}`: all tables of the app, whatever number was asked for, since there are few.
pub(super) fn tables(tx: &mut Transaction, _args: &Value) -> Result<Value, FunctionError> {
    let page: Vec<Json> = tx.table_names()?.into_iter().map(|name| json!({ "name": name })).collect();
    let result = json!({"page": page, "isDone": true, "continueCursor": ""});
    Ok(value(&result.to_string().into_bytes())?)
}

/// `{table, order?, paginationOpts}` -> a page of the table's documents, by creation time. A table that is not there is
/// empty.
pub(super) fn table_data(tx: &mut Transaction, args: &Value) -> Result<Value, FunctionError> {
    let args: Json = serde_json::from_slice(&args.to_json_bytes()).expect("values are written as JSON");
    let order = args.get("order").cloned().unwrap_or_else(|| json!("asc"));
    let plan = json!({"table": args["table"], "order": order}).to_string();
    let page = tx.page(plan.as_bytes(), args["paginationOpts"].to_string().as_bytes())?;
    Ok(value(&page)?)
}

fn value(json: &[u8]) -> Result<Value, DbError> {
    Value::from_json(json).map_err(|error| {
        DbError::new(ErrorCode::StorageFailed, format!("a page of documents cannot be read: {error}"))
    })
}
