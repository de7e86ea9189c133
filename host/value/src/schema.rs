//! Schemas: which tables an app declares, what their documents must be like, and which indexes they have.
//!
//! Read from Convex's JSON form of `defineSchema`. Not here: whether documents fit, and how indexes are kept.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::limits::{INDEX_FIELDS_MAX, INDEX_NAME_CHARS_MAX, TABLE_INDEXES_MAX, TABLES_MAX};
use crate::names::{check_field_name, check_table_name};
use crate::path::quote;
use crate::{Object, Validator};

/// The indexes that every table has.
pub const BUILT_IN_INDEXES: [&str; 2] = ["by_id", "by_creation_time"];

/// The tables that an app declares.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Schema {
    /// By name.
    pub tables: BTreeMap<String, TableSchema>,
    /// Whether documents are checked at all (`schemaValidation`).
    pub validates: bool,
}

/// One declared table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableSchema {
    /// What its documents must be like, without `_id` and `_creationTime`.
    pub document: Validator,
    /// Its indexes, by name.
    pub indexes: BTreeMap<String, IndexSchema>,
}

/// One declared index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexSchema {
    /// The paths of its fields, with dots, in their order; the creation time follows by itself.
    pub fields: Vec<String>,
    /// Whether it is only built, and not to be read yet.
    pub staged: bool,
}

/// Why a schema is not one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SchemaError(pub String);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SchemaJson {
    tables: Vec<TableJson>,
    #[serde(default = "yes")]
    schema_validation: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TableJson {
    table_name: String,
    #[serde(default)]
    indexes: Vec<IndexJson>,
    #[serde(default, alias = "stagedDbIndexes")]
    staged_indexes: Vec<IndexJson>,
    #[serde(default)]
    search_indexes: Vec<Json>,
    #[serde(default)]
    vector_indexes: Vec<Json>,
    #[serde(default)]
    document_type: Option<Json>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct IndexJson {
    index_descriptor: String,
    fields: Vec<String>,
}

fn yes() -> bool {
    true
}

impl Schema {
    /// Reads Convex's JSON form: `{"tables": [{"tableName": "messages", "documentType": {"type": "any"},
    /// "indexes": [{"indexDescriptor": "by_user", "fields": ["user"]}]}], "schemaValidation": true}`.
    ///
    /// # Errors
    /// What is wrong with which table.
    pub fn from_json(json: &Json) -> Result<Schema, SchemaError> {
        let read = SchemaJson::deserialize(json)
            .map_err(|error| SchemaError(format!("the schema cannot be read: {error}")))?;
        if read.tables.len() > TABLES_MAX {
            return Err(SchemaError(format!("the schema has more than {TABLES_MAX} tables")));
        }
        let mut schema = Schema { tables: BTreeMap::new(), validates: read.schema_validation };
        for table in read.tables {
            let name = table.table_name.clone();
            check_table_name(&name).map_err(|error| SchemaError(error.to_string()))?;
            let table = read_table(table).map_err(|what| SchemaError(format!("table `{name}`: {what}")))?;
            if schema.tables.insert(name.clone(), table).is_some() {
                return Err(SchemaError(format!("table `{name}` is declared twice")));
            }
        }
        Ok(schema)
    }

    /// The JSON form, with staged indexes apart from the others.
    pub fn to_json(&self) -> Json {
        let tables: Vec<Json> = self.tables.iter().map(|(name, table)| table.to_json(name)).collect();
        serde_json::json!({ "tables": tables, "schemaValidation": self.validates })
    }

    /// Adds the tables of another part of the app. A table that both declare must be declared alike.
    ///
    /// # Errors
    /// The first table that is not.
    pub fn merge(&mut self, other: Schema) -> Result<(), TableConflict> {
        for (name, table) in &other.tables {
            if self.tables.get(name).is_some_and(|own| own != table) {
                return Err(TableConflict { table: name.clone() });
            }
        }
        self.validates &= other.validates;
        self.tables.extend(other.tables);
        Ok(())
    }
}

/// Two parts of an app declare a table differently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableConflict {
    /// The table.
    pub table: String,
}

impl TableSchema {
    fn to_json(&self, name: &str) -> Json {
        let list = |staged: bool| -> Vec<Json> {
            let chosen = self.indexes.iter().filter(|(_, index)| index.staged == staged);
            chosen
                .map(|(name, index)| serde_json::json!({ "indexDescriptor": name, "fields": index.fields }))
                .collect()
        };
        serde_json::json!({
            "tableName": name, "indexes": list(false), "stagedDbIndexes": list(true),
            "searchIndexes": [], "vectorIndexes": [], "documentType": self.document.to_json(),
        })
    }
}

fn read_table(table: TableJson) -> Result<TableSchema, String> {
    if !table.search_indexes.is_empty() || !table.vector_indexes.is_empty() {
        return Err("search and vector indexes are not supported yet: remove them".to_owned());
    }
    let document = match &table.document_type {
        None => Validator::Any,
        Some(json) => Validator::from_json(json).map_err(|error| error.to_string())?,
    };
    check_document_type(&document)?;
    let mut indexes = BTreeMap::new();
    let staged = table.staged_indexes.into_iter().map(|index| (index, true));
    for (index, staged) in table.indexes.into_iter().map(|index| (index, false)).chain(staged) {
        let IndexJson { index_descriptor: name, fields } = index;
        check_index(&name, &fields).map_err(|what| format!("index `{name}`: {what}"))?;
        if indexes.insert(name.clone(), IndexSchema { fields, staged }).is_some() {
            return Err(format!("it has two indexes of the name `{name}`"));
        }
    }
    if indexes.len() > TABLE_INDEXES_MAX {
        return Err(format!("it has {} indexes, more than {TABLE_INDEXES_MAX}", indexes.len()));
    }
    Ok(TableSchema { document, indexes })
}

/// Documents are objects, whose `_id` and `_creationTime` are the host's.
fn check_document_type(validator: &Validator) -> Result<(), String> {
    match validator {
        Validator::Any => Ok(()),
        Validator::Object(fields) => match fields.keys().find(|name| name.starts_with('_')) {
            Some(name) => {
                Err(format!("the field {} begins with `_`, as only the host's own do", quote(name)))
            }
            None => Ok(()),
        },
        Validator::Union(members) => members.iter().try_for_each(check_document_type),
        other => Err(format!("its documents must be objects, not {other}")),
    }
}

fn check_index(name: &str, fields: &[String]) -> Result<(), String> {
    let starts_well = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic());
    let is_identifier = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if !starts_well || !is_identifier || name.len() > INDEX_NAME_CHARS_MAX {
        return Err(format!(
            "the name must have 1 to {INDEX_NAME_CHARS_MAX} letters, digits and underscores, and begin with a letter"
        ));
    }
    if BUILT_IN_INDEXES.contains(&name) {
        return Err("the name is taken: every table has an index of this name".to_owned());
    }
    if fields.is_empty() || fields.len() > INDEX_FIELDS_MAX {
        return Err(format!("it has {} fields, and must have 1 to {INDEX_FIELDS_MAX}", fields.len()));
    }
    let mut seen = BTreeSet::new();
    for field in fields {
        check_index_field(field)?;
        if !seen.insert(field) {
            return Err(format!("the field `{field}` stands in it twice"));
        }
    }
    Ok(())
}

fn check_index_field(field: &str) -> Result<(), String> {
    if field == "_creationTime" {
        return Err("`_creationTime` is the last field of every index: leave it out".to_owned());
    }
    if field == "_id" {
        return Err("`_id` cannot be a field of an index: use the index `by_id`".to_owned());
    }
    field.split('.').try_for_each(|part| check_field_name(part).map_err(|error| error.to_string()))
}

/// The value of a field by its path, with dots. A step into what is not an object gives nothing, `undefined`.
pub fn field_at<'a>(document: &'a Object, path: &str) -> Option<&'a crate::Value> {
    match path.split_once('.') {
        None => document.get(path),
        Some((first, rest)) => document.get(first)?.at_path(rest),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn table(name: &str, indexes: Json) -> Json {
        json!({ "tableName": name, "indexes": indexes, "documentType": { "type": "any" } })
    }

    fn read(tables: Json) -> Result<Schema, String> {
        Schema::from_json(&json!({ "tables": tables })).map_err(|error| error.to_string())
    }

    #[test]
    fn a_schema_comes_back() {
        let json = json!({ "schemaValidation": false, "tables": [{
            "tableName": "tasks",
            "indexes": [{ "indexDescriptor": "by_team", "fields": ["team", "meta.rank"] }],
            "stagedDbIndexes": [{ "indexDescriptor": "by_age", "fields": ["age"] }],
            "searchIndexes": [], "vectorIndexes": [],
            "documentType": { "type": "object", "value": {
                "team": { "fieldType": { "type": "string" }, "optional": true } } },
        }]});
        let schema = Schema::from_json(&json).unwrap();
        assert_eq!(schema.to_json(), json);
        assert!(schema.tables["tasks"].indexes["by_age"].staged);
        assert_eq!(schema.tables["tasks"].indexes["by_team"].fields, ["team", "meta.rank"]);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let index = |name: &str, fields: &[&str]| json!([{ "indexDescriptor": name, "fields": fields }]);
        let many: Vec<Json> =
            (0..33).map(|n| json!({"indexDescriptor": format!("i{n}"), "fields": ["a"]})).collect();
        let long: Vec<String> = (0..17).map(|n| format!("f{n}")).collect();
        let long: Vec<&str> = long.iter().map(String::as_str).collect();
        for (tables, part) in [
            (json!([table("_own", json!([]))]), "_own"),
            (json!([table("a", json!([])), table("a", json!([]))]), "`a` is declared twice"),
            (json!([table("a", index("by_id", &["x"]))]), "the name is taken"),
            (json!([table("a", index("9", &["x"]))]), "begin with a letter"),
            (json!([table("a", index("i", &[]))]), "1 to 16"),
            (json!([table("a", index("i", &long))]), "17 fields"),
            (json!([table("a", index("i", &["x", "x"]))]), "`x` stands in it twice"),
            (json!([table("a", index("i", &["_creationTime"]))]), "leave it out"),
            (json!([table("a", index("i", &["_id"]))]), "by_id"),
            (json!([table("a", index("i", &["a..b"]))]), "empty"),
            (json!([table("a", json!(many))]), "33 indexes"),
            (json!([{ "tableName": "a", "documentType": { "type": "string" } }]), "must be objects"),
            (
                json!([{ "tableName": "a", "documentType": { "type": "object", "value": {
                "_x": { "fieldType": { "type": "null" }, "optional": false } } } }]),
                "begins with `_`",
            ),
            (json!([{ "tableName": "a", "searchIndexes": [{}] }]), "not supported yet"),
        ] {
            let error = read(tables.clone()).unwrap_err();
            assert!(error.contains(part), "{tables}: {error}");
        }
    }

    #[test]
    fn parts_of_an_app_may_share_a_table_that_they_declare_alike() {
        let one = read(json!([table("a", json!([])), table("b", json!([]))])).unwrap();
        let mut all = one.clone();
        all.merge(read(json!([table("b", json!([])), table("c", json!([]))])).unwrap()).unwrap();
        assert_eq!(all.tables.keys().collect::<Vec<_>>(), ["a", "b", "c"]);
        let other = read(json!([table("b", json!([{ "indexDescriptor": "i", "fields": ["x"] }]))])).unwrap();
        assert_eq!(all.merge(other), Err(TableConflict { table: "b".to_owned() }));
    }
}
