//! Schemas of the simulation: few tables and indexes, so that deployments replace each other's.
//!
//! Not here: when they are deployed.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use weir_value::Schema;

use crate::chance::Chance;
use crate::generate::TABLES;
use crate::program::{Fields, Other};

/// The names of indexes.
pub(crate) const INDEX_NAMES: [&str; 2] = ["by_a", "by_b"];

/// A field of documents that indexes may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Field {
    N,
    M,
    /// No document has it.
    Absent,
}

impl Field {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Field::N => "n",
            Field::M => "m",
            Field::Absent => "absent",
        }
    }

    /// Its value in a document; `None`: it has none.
    pub(crate) fn of(self, fields: &Fields) -> Option<Other> {
        match self {
            Field::N => Some(Other::Number(fields.n)),
            Field::M => Some(fields.m),
            Field::Absent => None,
        }
    }
}

/// What indexes are on.
const INDEX_FIELDS: [&[Field]; 6] = [
    &[Field::N],
    &[Field::N],
    &[Field::M],
    &[Field::N, Field::M],
    &[Field::M, Field::N],
    &[Field::Absent, Field::N],
];

/// What documents must be like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Strictness {
    Any,
    /// What they are in any case.
    Open,
    /// The field `m` must not be null.
    Strict,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IndexModel {
    pub(crate) fields: &'static [Field],
    pub(crate) is_staged: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TableModel {
    pub(crate) indexes: BTreeMap<&'static str, IndexModel>,
    strictness: Strictness,
}

/// What a deployment declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SchemaModel {
    pub(crate) tables: BTreeMap<&'static str, TableModel>,
    validates: bool,
}

impl Default for SchemaModel {
    fn default() -> SchemaModel {
        SchemaModel { tables: BTreeMap::new(), validates: true }
    }
}

impl SchemaModel {
    /// A schema of some of the first tables.
    pub(crate) fn draw(chance: &mut Chance, tables: usize) -> SchemaModel {
        let mut schema = SchemaModel { validates: chance.percent(90), ..SchemaModel::default() };
        for table in &TABLES[..tables] {
            if chance.percent(85) {
                schema.tables.insert(table, TableModel::draw(chance));
            }
        }
        schema
    }

    /// The fields of an index that programs may read.
    pub(crate) fn readable(&self, table: &str, index: &str) -> Option<&'static [Field]> {
        let declared = self.tables.get(table)?.indexes.get(index)?;
        (!declared.is_staged).then_some(declared.fields)
    }

    /// Whether the table may have a document of these fields.
    pub(crate) fn allows(&self, table: &str, fields: &Fields) -> bool {
        let is_strict = |table: &TableModel| table.strictness == Strictness::Strict;
        !self.validates || !self.tables.get(table).is_some_and(is_strict) || fields.m != Other::Null
    }

    pub(crate) fn to_schema(&self) -> Schema {
        let tables: Vec<Json> = self.tables.iter().map(|(name, table)| table.to_json(name)).collect();
        let schema = json!({ "tables": tables, "schemaValidation": self.validates });
        Schema::from_json(&schema).expect("the simulation's schemas are schemas")
    }
}

impl TableModel {
    fn draw(chance: &mut Chance) -> TableModel {
        let mut indexes = BTreeMap::new();
        for name in INDEX_NAMES {
            if chance.percent(75) {
                let fields = INDEX_FIELDS[chance.index(INDEX_FIELDS.len())];
                indexes.insert(name, IndexModel { fields, is_staged: chance.percent(20) });
            }
        }
        let strictness = chance.pick(&[
            Strictness::Any,
            Strictness::Any,
            Strictness::Open,
            Strictness::Open,
            Strictness::Strict,
        ]);
        TableModel { indexes, strictness }
    }

    fn to_json(&self, name: &str) -> Json {
        let list = |is_staged: bool| -> Vec<Json> {
            let chosen = self.indexes.iter().filter(|(_, index)| index.is_staged == is_staged);
            let fields =
                |index: &IndexModel| index.fields.iter().map(|field| field.name()).collect::<Vec<_>>();
            chosen.map(|(name, index)| json!({ "indexDescriptor": name, "fields": fields(index) })).collect()
        };
        json!({
            "tableName": name, "indexes": list(false), "stagedDbIndexes": list(true),
            "documentType": self.strictness.to_json(),
        })
    }
}

impl Strictness {
    fn to_json(self) -> Json {
        let number = json!({ "type": "number" });
        let m = match self {
            Strictness::Any => return json!({ "type": "any" }),
            Strictness::Open => {
                json!({ "type": "union", "value": [number, { "type": "commitTs" }, { "type": "null" }] })
            }
            Strictness::Strict => json!({ "type": "union", "value": [number, { "type": "commitTs" }] }),
        };
        let field = |of: Json| json!({ "fieldType": of, "optional": false });
        json!({ "type": "object", "value": {
            "n": field(number), "m": field(m), "pad": field(json!({ "type": "string" })),
        } })
    }
}
