//! The host's own functions, `_system/...`: what Convex's command line asks of a deployment.
//!
//! They run over the same transactions as a deployment's functions and are live in the same way, for the holders of
//! admin keys alone; which keys, each says with a permission. Shapes are those of npm `convex`, `src/cli`.

mod data;
mod deployment;
mod variables;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value as Json, json};
use weir_db::native::NativeFunctions;
use weir_db::{
    FunctionError, FunctionInfo, FunctionKind, Functions, Scope, SystemFunctions, Teardown, Transaction,
    Visibility,
};
use weir_value::{FunctionPath, Validator, Value};

use crate::canonical_urls::CanonicalUrls;
use crate::identity::Permission;

/// The paths of all of them, in their order.
pub fn system_function_paths() -> Vec<FunctionPath> {
    let urls = CanonicalUrls { cloud: String::new(), site: String::new() };
    AdminFunctions::new(&urls).needed.into_keys().collect()
}

/// The functions, and what each needs.
pub struct AdminFunctions {
    functions: NativeFunctions,
    needed: BTreeMap<FunctionPath, Permission>,
}

impl AdminFunctions {
    /// Those of a server that is reached at these URLs.
    pub fn new(urls: &CanonicalUrls) -> AdminFunctions {
        let cloud_url = urls.cloud.clone();
        let order: Vec<Json> = ["asc", "desc"].map(|it| json!({"type": "literal", "value": it})).into();
        let order = json!({"fieldType": {"type": "union", "value": order}, "optional": true});
        AdminFunctions { functions: NativeFunctions::new(), needed: BTreeMap::new() }
            .query(
                "_system/cli/tables",
                Permission::CallAny,
                &json!({"paginationOpts": field("any")}),
                data::tables,
            )
            .query(
                "_system/cli/tableData",
                Permission::CallAny,
                &json!({"table": field("string"), "order": order, "paginationOpts": field("any")}),
                data::table_data,
            )
            .query("_system/cli/modules:apiSpec", Permission::Inspect, &json!({}), |tx, _| {
                Ok(deployment::api_spec(tx))
            })
            .query("_system/cli/queryEnvironmentVariables", Permission::Deploy, &json!({}), |tx, _| {
                variables::list(tx)
            })
            .query(
                "_system/cli/queryEnvironmentVariables:get",
                Permission::Deploy,
                &json!({"name": field("string")}),
                variables::get,
            )
            .query("_system/cli/convexUrl:cloudUrl", Permission::Inspect, &json!({}), move |_, _| {
                Ok(Value::from(cloud_url.clone()))
            })
    }

    fn query(
        mut self,
        path: &str,
        needed: Permission,
        fields: &Json,
        body: impl Fn(&mut Transaction, &Value) -> Result<Value, FunctionError> + Send + Sync + 'static,
    ) -> AdminFunctions {
        let path = FunctionPath::parse(path).expect("a function's path");
        let args = Validator::from_json(&json!({"type": "object", "value": fields})).expect("a validator");
        self.needed.insert(path.clone(), needed);
        let info = FunctionInfo {
            path,
            kind: FunctionKind::Query,
            visibility: Visibility::Internal,
            args,
            returns: Validator::Any,
        };
        self.functions = self.functions.register(info, body);
        self
    }
}

/// A required field of this type, in the JSON form of validators.
fn field(name: &str) -> Json {
    json!({"fieldType": {"type": name}, "optional": false})
}

impl Functions for AdminFunctions {
    fn find(&self, path: &FunctionPath) -> Option<Arc<FunctionInfo>> {
        self.functions.find(path)
    }

    fn list(&self) -> Vec<Arc<FunctionInfo>> {
        self.functions.list()
    }

    fn run(
        &self,
        info: &FunctionInfo,
        args: &Bytes,
        tx: Transaction,
        teardown: &mut Teardown,
    ) -> (Transaction, Result<Bytes, FunctionError>) {
        self.functions.run(info, args, tx, teardown)
    }
}

impl SystemFunctions for AdminFunctions {
    fn is_open_to(&self, path: &FunctionPath, scope: Scope) -> bool {
        self.needed.get(path).is_some_and(|needed| needed.is_in(scope))
    }
}
