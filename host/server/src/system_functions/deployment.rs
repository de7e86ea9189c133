//! `_system/cli/modules:apiSpec`: the functions of the deployment, as the official tools list them.

use serde_json::json;
use weir_db::{FunctionInfo, FunctionKind, Transaction};
use weir_value::{Validator, Value};

/// `[{identifier, functionType, visibility: {kind}, args, returns}]`, in the order of the paths.
pub(super) fn api_spec(tx: &Transaction) -> Value {
    Value::Array(tx.deployment_in_force().list().iter().map(|info| describe(info)).collect())
}

fn describe(info: &FunctionInfo) -> Value {
    let kind = match info.kind {
        FunctionKind::Query => "Query",
        FunctionKind::Mutation => "Mutation",
        FunctionKind::Action => "Action",
        FunctionKind::HttpAction => "HttpAction",
    };
    let described = |args: &Validator, returns: &Validator| {
        let json = json!({
            "identifier": format!("{}.js:{}", info.path.module(), info.path.function()),
            "functionType": kind,
            "visibility": {"kind": info.visibility.as_str()},
            "args": args.to_json(),
            "returns": returns.to_json(),
        });
        Value::from_json(json.to_string().as_bytes())
    };
    // A validator may be nested more deeply, as JSON, than a value may be.
    described(&info.args, &info.returns)
        .or_else(|_| described(&Validator::Any, &Validator::Any))
        .unwrap_or(Value::Null)
}
