//! Validators, schemas and the values that they check: a line a validator or a schema, or a value for those before it.

use std::sync::Arc;

use serde_json::Value as Json;
use weir_value::{Schema, TableNumber, Validator, Value};

use super::Target;
use crate::script::lines;

pub(super) const TARGET: Target = Target {
    name: "validators",
    run,
    dictionary: &[
        "{\"type\":\"",
        "\"}",
        "null",
        "number",
        "bigint",
        "boolean",
        "string",
        "bytes",
        "any",
        "literal",
        "id",
        "array",
        "object",
        "record",
        "union",
        "commitTs",
        "\"value\":",
        "\"keys\":",
        "\"values\":",
        "\"fieldType\":",
        "\"optional\":true",
        "\"tableName\":",
        "\"indexes\":[",
        "\"indexDescriptor\":",
        "\"fields\":[",
        "\"stagedDbIndexes\":[",
        "\"documentType\":",
        "\"schemaValidation\":false",
        "\ncheck ",
        "\nvalidator ",
        "\nschema ",
        "{\"tables\":[",
        "_storage",
        "a.b",
    ],
    bytes_max: 16 * 1024,
    rounds: 20_000,
    is_in_process: true,
};

/// The name of a table: there are `a` and `b`.
fn table_name(number: TableNumber) -> Option<Arc<str>> {
    match number {
        TableNumber::FIRST_USER => Some("a".into()),
        number if number == TableNumber::FIRST_USER.next() => Some("b".into()),
        _ => None,
    }
}

fn run(input: &[u8]) {
    let mut validators = vec![Validator::Any];
    for (word, rest) in lines(input, 24) {
        let Ok(tree) = serde_json::from_str::<Json>(&rest) else { continue };
        match word.as_str() {
            "validator" => validators.extend(validator(&tree)),
            "schema" => validators.extend(schema(&tree)),
            _ => {
                let Ok(value) = Value::from_json_value(&tree) else { continue };
                validators.iter().for_each(|validator| check(validator, &value));
            }
        }
    }
}

fn validator(tree: &Json) -> Option<Validator> {
    let validator = match Validator::from_json(tree) {
        Ok(validator) => validator,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return None;
        }
    };
    assert_eq!(Validator::from_json(&validator.to_json()).as_ref(), Ok(&validator));
    Some(validator)
}

/// The validators of its tables' documents.
fn schema(tree: &Json) -> Vec<Validator> {
    let Ok(schema) = Schema::from_json(tree) else { return Vec::new() };
    assert_eq!(Schema::from_json(&schema.to_json()).as_ref(), Ok(&schema));
    let mut twice = schema.clone();
    assert_eq!(twice.merge(schema.clone()), Ok(()), "a schema agrees with itself");
    assert_eq!(twice, schema);
    schema.tables.into_values().map(|table| table.document).collect()
}

fn check(validator: &Validator, value: &Value) {
    let fits = validator.check(value, &table_name);
    if let Err(error) = &fits {
        assert!(error.to_string().len() < 4096, "an error is short, however long the value is");
    }
    let both = Validator::Union(vec![validator.clone(), Validator::Null]);
    assert_eq!(both.check(value, &table_name).is_ok(), fits.is_ok() || value.is_null());
    let list = Value::from(vec![value.clone(), value.clone()]);
    let items = Validator::Array(Box::new(validator.clone()));
    assert_eq!(items.check(&list, &table_name).is_ok(), fits.is_ok());
}
