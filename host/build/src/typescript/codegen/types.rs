//! Types of TypeScript: of validators, of variables, and of the functions that a component has for who mounts it.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::manifest::Function;

/// The type of what a validator lets through, in Convex's JSON form. Ids are texts: they are another component's.
pub(super) fn of_validator(validator: &Json) -> String {
    let inner = |name: &str| of_validator(&validator[name]);
    match validator["type"].as_str().unwrap_or_default() {
        "null" => "null".to_owned(),
        "number" => "number".to_owned(),
        "bigint" => "bigint".to_owned(),
        "boolean" => "boolean".to_owned(),
        "string" | "id" => "string".to_owned(),
        "bytes" => "ArrayBuffer".to_owned(),
        "literal" => literal(&validator["value"]),
        "array" => format!("Array<{}>", inner("value")),
        "record" => {
            format!("Record<{}, {}>", inner("keys"), of_validator(&validator["values"]["fieldType"]))
        }
        "union" => {
            let members: Vec<_> =
                validator["value"].as_array().into_iter().flatten().map(of_validator).collect();
            if members.is_empty() { "never".to_owned() } else { members.join(" | ") }
        }
        "object" => object(&validator["value"]),
        _ => "any".to_owned(),
    }
}

fn literal(value: &Json) -> String {
    match value.get("$integer") {
        // A literal of 64 bits; which one, no type need tell.
        Some(_) => "bigint".to_owned(),
        None => value.to_string(),
    }
}

fn object(fields: &Json) -> String {
    let field = |(name, field): (&String, &Json)| {
        let mark = if field["optional"] == Json::Bool(true) { "?" } else { "" };
        format!("{}{mark}: {}", Json::from(name.as_str()), of_validator(&field["fieldType"]))
    };
    let fields: Vec<_> = fields.as_object().into_iter().flatten().map(field).collect();
    if fields.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", fields.join("; ")) }
}

/// The type of what a component offers to who mounts it: its public functions. `mount` is the type of the mount's name.
pub(super) fn of_component(functions: &[Function], mount: &str) -> String {
    let mut tree = Tree::default();
    for function in functions.iter().filter(|function| function.visibility == "public") {
        let (module, name) = function.module_and_name();
        if matches!(function.kind.as_str(), "query" | "mutation" | "action") {
            let branch =
                module.split('/').fold(&mut tree, |tree, part| tree.branches.entry(part).or_default());
            branch.leaves.insert(name, of_function(function, mount));
        }
    }
    tree.text("  ")
}

fn of_function(function: &Function, mount: &str) -> String {
    let or_any = |validator: Option<&Json>| validator.map_or_else(|| "any".to_owned(), of_validator);
    let (args, returns) = (or_any(function.args()), or_any(function.returns()));
    format!("FunctionReference<\"{}\", \"internal\", {args}, {returns}, {mount}>", function.kind)
}

#[derive(Default)]
struct Tree<'a> {
    branches: BTreeMap<&'a str, Tree<'a>>,
    leaves: BTreeMap<&'a str, String>,
}

impl Tree<'_> {
    fn text(&self, indent: &str) -> String {
        let deeper = format!("{indent}  ");
        let branches = self.branches.iter().map(|(name, tree)| (*name, tree.text(&deeper)));
        let leaves = self.leaves.iter().map(|(name, text)| (*name, text.clone()));
        let lines: String =
            branches.chain(leaves).map(|(name, text)| format!("{indent}\"{name}\": {text};\n")).collect();
        format!("{{\n{lines}{}}}", &indent[2..])
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn validators_have_types() {
        let cases = [
            (json!({ "type": "id", "tableName": "users" }), "string"),
            (json!({ "type": "literal", "value": "a\"b" }), "\"a\\\"b\""),
            (json!({ "type": "literal", "value": true }), "true"),
            (json!({ "type": "array", "value": { "type": "bytes" } }), "Array<ArrayBuffer>"),
            (
                json!({ "type": "record", "keys": { "type": "string" },
                        "values": { "fieldType": { "type": "number" }, "optional": false } }),
                "Record<string, number>",
            ),
            (
                json!({ "type": "union", "value": [{ "type": "null" }, { "type": "bigint" }] }),
                "null | bigint",
            ),
            (
                json!({ "type": "object", "value": {
                    "a-b": { "fieldType": { "type": "boolean" }, "optional": true },
                    "c": { "fieldType": { "type": "any" }, "optional": false } } }),
                "{ \"a-b\"?: boolean; \"c\": any }",
            ),
            (json!({ "type": "object", "value": {} }), "{}"),
        ];
        for (validator, expected) in cases {
            assert_eq!(of_validator(&validator), expected, "{validator}");
        }
    }

    #[test]
    fn only_public_functions_are_offered() {
        let function = |path: &str, kind: &str, visibility: &str| Function {
            path: path.to_owned(),
            kind: kind.to_owned(),
            visibility: visibility.to_owned(),
            args: Some(json!({ "type": "object", "value": {} })),
            returns: None,
        };
        let functions = [
            function("a/b:c", "query", "public"),
            function("a:d", "mutation", "public"),
            function("a:hidden", "mutation", "internal"),
            function("http:h", "httpAction", "public"),
        ];
        let text = of_component(&functions, "Name");
        let c = "\"c\": FunctionReference<\"query\", \"internal\", {}, any, Name>;";
        assert_eq!(
            text,
            format!(
                "{{\n  \"a\": {{\n    \"b\": {{\n      {c}\n    }};\n    \"d\": FunctionReference<\"mutation\", \"internal\", {{}}, any, Name>;\n  }};\n}}"
            )
        );
    }
}
