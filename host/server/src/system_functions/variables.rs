//! `_system/cli/queryEnvironmentVariables`: the deployment's variables, for those who may set them.

use weir_db::{FunctionError, Transaction};
use weir_value::{Object, Value};

/// `[{name, value}]` of those that were set, in the order of their names.
pub(super) fn list(tx: &mut Transaction) -> Result<Value, FunctionError> {
    let variables = tx.variables_set()?;
    Ok(Value::Array(variables.into_iter().map(|(name, value)| describe(&name, value)).collect()))
}

/// `{name, value}`, or `null` when no variable of this name was set.
pub(super) fn get(tx: &mut Transaction, args: &Value) -> Result<Value, FunctionError> {
    let name = args.as_object().and_then(|args| args.get("name"));
    let Some(Value::String(name)) = name else { return Ok(Value::Null) };
    Ok(tx.variable_set(name)?.map_or(Value::Null, |value| describe(name, value)))
}

fn describe(name: &str, value: String) -> Value {
    Value::Object(Object::from([("name", Value::from(name)), ("value", Value::from(value))]))
}
