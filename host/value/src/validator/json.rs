//! Convex's JSON form of validators, both ways.

use serde_json::{Map, Value as Json, json};

use super::{Field, Validator, ValidatorError};
use crate::Value;
use crate::limits::VALUE_NESTING_MAX;
use crate::names::{check_field_name, check_table_name};
use crate::path::{Path, Step, quote, shorten};

/// The types that need nothing but their name.
const PLAIN: [(&str, Validator); 7] = [
    ("null", Validator::Null),
    ("number", Validator::Number),
    ("bigint", Validator::Bigint),
    ("boolean", Validator::Boolean),
    ("string", Validator::String),
    ("bytes", Validator::Bytes),
    ("any", Validator::Any),
];

impl Validator {
    /// Reads Convex's JSON form, such as
    /// `{"type":"object","value":{"body":{"fieldType":{"type":"string"},"optional":false}}}`.
    /// Keys that it does not know are ignored; `commitTs` is read as `bigint`.
    ///
    /// # Errors
    /// A [`ValidatorError`] that names the place and what is needed there.
    pub fn from_json(tree: &Json) -> Result<Validator, ValidatorError> {
        read(tree, 0).map_err(|error| ValidatorError { path: error.path.text(), reason: error.reason })
    }

    /// The JSON form.
    pub fn to_json(&self) -> Json {
        match self {
            Validator::Literal(value) => {
                let value: Json =
                    serde_json::from_slice(&value.to_json_bytes()).expect("values are written as JSON");
                json!({"type": "literal", "value": value})
            }
            Validator::Id(table) => json!({"type": "id", "tableName": table}),
            Validator::Array(item) => json!({"type": "array", "value": item.to_json()}),
            Validator::Object(fields) => {
                let fields: Map<_, _> =
                    fields.iter().map(|(name, field)| (name.clone(), field.to_json())).collect();
                json!({"type": "object", "value": fields})
            }
            Validator::Record { keys, values } => json!({
                "type": "record", "keys": keys.to_json(),
                "values": {"fieldType": values.to_json(), "optional": false},
            }),
            Validator::Union(members) => {
                json!({"type": "union", "value": members.iter().map(Validator::to_json).collect::<Vec<_>>()})
            }
            plain => {
                let name = PLAIN.iter().find(|(_, validator)| validator == plain).map(|(name, _)| name);
                json!({"type": name.expect("every other validator is handled above")})
            }
        }
    }
}

impl Field {
    fn to_json(&self) -> Json {
        json!({"fieldType": self.validator.to_json(), "optional": self.optional})
    }
}

/// A [`ValidatorError`] whose path is not complete yet.
struct Failure {
    path: Path,
    reason: String,
}

impl Failure {
    fn new(reason: impl Into<String>) -> Failure {
        Failure { path: Path::default(), reason: reason.into() }
    }

    fn at(mut self, step: Step) -> Failure {
        self.path.enclose(step);
        self
    }

    fn within(self, name: &str) -> Failure {
        self.at(Step::Field(name.to_owned()))
    }
}

fn read(tree: &Json, nesting: usize) -> Result<Validator, Failure> {
    if nesting > VALUE_NESTING_MAX {
        return Err(Failure::new(format!("it is nested deeper than {VALUE_NESTING_MAX} levels")));
    }
    let Some(kind) = tree.get("type").and_then(Json::as_str) else {
        let found = shorten(tree.to_string());
        return Err(Failure::new(format!(
            "it must be an object with a `type`, such as {{\"type\": \"string\"}}, and is {found}"
        )));
    };
    let nested = |name: &str| {
        member(tree, name).and_then(|tree| read(tree, nesting + 1)).map_err(|error| error.within(name))
    };
    match kind {
        "literal" => read_literal(tree).map_err(|error| error.within("value")),
        "id" => read_table(tree).map_err(|error| error.within("tableName")),
        "array" => Ok(Validator::Array(Box::new(nested("value")?))),
        "object" => read_object(tree, nesting).map_err(|error| error.within("value")),
        "record" => {
            let keys = nested("keys")?;
            check_keys(&keys).map_err(|error| error.within("keys"))?;
            let values = member(tree, "values").and_then(|tree| read_field(tree, nesting)).and_then(require);
            Ok(Validator::Record {
                keys: Box::new(keys),
                values: Box::new(values.map_err(|error| error.within("values"))?),
            })
        }
        "union" => read_union(tree, nesting).map_err(|error| error.within("value")),
        // What is stored of a commit's timestamp is a bigint. The placeholder for one is no value yet: it is refused as such.
        "commitTs" => Ok(Validator::Bigint),
        _ => match PLAIN.iter().find(|(name, _)| *name == kind) {
            Some((_, validator)) => Ok(validator.clone()),
            None => Err(Failure::new(format!(
                "the type {} is unknown; this host knows null, number, bigint, boolean, string, bytes, any, literal, id, array, object, record and union",
                quote(kind)
            ))),
        },
    }
}

fn member<'t>(tree: &'t Json, name: &str) -> Result<&'t Json, Failure> {
    tree.get(name).ok_or_else(|| Failure::new("it is missing"))
}

fn read_literal(tree: &Json) -> Result<Validator, Failure> {
    let value =
        Value::from_json_value(member(tree, "value")?).map_err(|error| Failure::new(error.to_string()))?;
    match value {
        Value::String(_) | Value::Float64(_) | Value::Int64(_) | Value::Boolean(_) => {
            Ok(Validator::Literal(value))
        }
        other => Err(Failure::new(format!(
            "a literal is a string, a number, a bigint or a boolean, and this is {}",
            other.type_name()
        ))),
    }
}

fn read_table(tree: &Json) -> Result<Validator, Failure> {
    let name = member(tree, "tableName")?.as_str().ok_or_else(|| Failure::new("it must be a string"))?;
    // The host's own tables (`_storage`) have ids too.
    let own = name.strip_prefix('_').unwrap_or(name);
    check_table_name(own).map_err(|error| Failure::new(error.to_string()))?;
    Ok(Validator::Id(name.to_owned()))
}

fn read_object(tree: &Json, nesting: usize) -> Result<Validator, Failure> {
    let fields =
        member(tree, "value")?.as_object().ok_or_else(|| Failure::new("it must be an object of fields"))?;
    let read_named = |(name, tree): (&String, &Json)| {
        check_field_name(name).map_err(|error| Failure::new(error.to_string()))?;
        Ok((name.clone(), read_field(tree, nesting).map_err(|error| error.within(name))?))
    };
    Ok(Validator::Object(fields.iter().map(read_named).collect::<Result<_, Failure>>()?))
}

fn read_field(tree: &Json, nesting: usize) -> Result<Field, Failure> {
    let validator = member(tree, "fieldType").and_then(|tree| read(tree, nesting + 1));
    let validator = validator.map_err(|error| error.within("fieldType"))?;
    match tree.get("optional") {
        None => Ok(Field::required(validator)),
        Some(Json::Bool(optional)) => Ok(Field { validator, optional: *optional }),
        Some(_) => Err(Failure::new("it must be true or false").within("optional")),
    }
}

fn require(field: Field) -> Result<Validator, Failure> {
    if field.optional {
        Err(Failure::new("the values of a record cannot be optional").within("optional"))
    } else {
        Ok(field.validator)
    }
}

fn read_union(tree: &Json, nesting: usize) -> Result<Validator, Failure> {
    let members =
        member(tree, "value")?.as_array().ok_or_else(|| Failure::new("it must be an array of validators"))?;
    let read_member = |(index, tree)| read(tree, nesting + 1).map_err(|error| error.at(Step::Index(index)));
    Ok(Validator::Union(members.iter().enumerate().map(read_member).collect::<Result<_, Failure>>()?))
}

fn check_keys(keys: &Validator) -> Result<(), Failure> {
    match keys {
        Validator::String | Validator::Id(_) => Ok(()),
        Validator::Union(members) => members.iter().try_for_each(check_keys),
        other => Err(Failure::new(format!(
            "the keys of a record are strings, ids or a union of such, and not {}",
            shorten(other.to_string())
        ))),
    }
}
