//! What the tests of deployments stand on: functions that do what their arguments say, schemas in one line, and what
//! an index is seen to hold.
use std::sync::Arc;

use serde_json::{Value as Json, json};
use weir_db::native::NativeFunctions;
use weir_db::{DbCheck, DeploymentError, PreparedDeployment, check};
use weir_store::Snapshot;
use weir_value::{Schema, Value};

use crate::world::{World, call, json as value_of, text};

/// Functions of a deployment whose number `v:number` tells: `t:insert {document}` -> id, `t:patch {id, fields}`,
/// `t:delete {id}`, `t:rows {plan}`, `t:count {plan}`. Documents, fields and plans are JSON texts.
pub fn functions(number: u32) -> NativeFunctions {
    NativeFunctions::new()
        .mutation("t:insert", |tx, args| Ok(Value::from(tx.insert("t", text(args, "document").as_bytes())?)))
        .mutation("t:patch", |tx, args| {
            tx.patch(None, text(args, "id"), text(args, "fields").as_bytes())?;
            Ok(Value::Null)
        })
        .mutation("t:delete", |tx, args| {
            tx.delete(None, text(args, "id"))?;
            Ok(Value::Null)
        })
        .query("t:rows", |tx, args| {
            let mut batch = tx.query(text(args, "plan").as_bytes(), 1_000)?;
            let mut rows = Vec::new();
            loop {
                let documents = Value::from_json(&batch.documents).expect("documents");
                rows.extend(documents.as_array().expect("an array").to_vec());
                match batch.cursor {
                    Some(cursor) => batch = tx.query_next(cursor, 1_000)?,
                    None => return Ok(Value::from(rows)),
                }
            }
        })
        .query("t:count", |tx, args| Ok(Value::from(tx.count(text(args, "plan").as_bytes())? as f64)))
        .query("v:number", move |_, _| Ok(Value::from(f64::from(number))))
}

/// One index: its name and its fields.
pub type Index = (&'static str, &'static [&'static str]);

/// A schema of the table `t`.
#[derive(Clone)]
pub struct Declared {
    pub indexes: Vec<Index>,
    pub staged: Vec<Index>,
    /// The validator of its documents.
    pub document: Json,
    pub validates: bool,
}

/// Documents of any kind, with these indexes.
pub fn indexes(indexes: &[Index]) -> Declared {
    Declared {
        indexes: indexes.to_vec(),
        staged: Vec::new(),
        document: json!({ "type": "any" }),
        validates: true,
    }
}

/// The validator of an object whose field `n` is of this type, beside any `k`.
pub fn n_is(of: &str) -> Json {
    let field = |kind: &str, optional: bool| json!({ "fieldType": { "type": kind }, "optional": optional });
    json!({ "type": "object", "value": { "n": field(of, false), "k": field("any", true) } })
}

impl Declared {
    pub fn staged(self, staged: &[Index]) -> Declared {
        Declared { staged: staged.to_vec(), ..self }
    }

    pub fn documents(self, document: Json) -> Declared {
        Declared { document, ..self }
    }

    pub fn unchecked(self) -> Declared {
        Declared { validates: false, ..self }
    }

    pub fn schema(&self) -> Schema {
        let list = |indexes: &[Index]| -> Vec<Json> {
            let one = |(name, fields): &Index| json!({ "indexDescriptor": name, "fields": fields });
            indexes.iter().map(one).collect()
        };
        let table = json!({
            "tableName": "t", "indexes": list(&self.indexes), "stagedDbIndexes": list(&self.staged),
            "documentType": self.document,
        });
        Schema::from_json(&json!({ "tables": [table], "schemaValidation": self.validates }))
            .expect("a schema")
    }
}

/// A plan that reads all of an index, or of the table.
pub fn whole(index: Option<&str>) -> Json {
    match index {
        Some(index) => json!({ "table": "t", "index": index }),
        None => json!({ "table": "t" }),
    }
}

impl World {
    pub fn insert(&self, document: &Json) -> String {
        let id = value_of(&self.mutate("t:insert", &json!({ "document": document.to_string() })).result);
        id.as_str().expect("an id").to_owned()
    }

    pub fn try_insert(&self, document: &Json) -> Result<(), String> {
        let outcome = self.mutate("t:insert", &json!({ "document": document.to_string() }));
        outcome.result.map(drop).map_err(|error| error.message)
    }

    pub fn patch(&self, id: &str, fields: &Json) {
        value_of(&self.mutate("t:patch", &json!({ "id": id, "fields": fields.to_string() })).result);
    }

    pub fn delete(&self, id: &str) {
        value_of(&self.mutate("t:delete", &json!({ "id": id })).result);
    }

    pub fn rows(&self, plan: &Json) -> Result<Vec<Json>, String> {
        self.rows_at(plan, self.store.snapshot_sequenced())
    }

    pub fn rows_at(&self, plan: &Json, at: impl Into<Arc<Snapshot>>) -> Result<Vec<Json>, String> {
        let outcome = self.db.query(&call("t:rows", &json!({ "plan": plan.to_string() })), at);
        let rows = outcome.result.map_err(|error| error.message)?;
        Ok(serde_json::from_slice(&rows).expect("JSON"))
    }

    /// The ids that an index gives are those of the table.
    #[track_caller]
    pub fn assert_holds_all(&self, index: &str) {
        let ids = |plan: &Json| -> Vec<String> {
            let rows = self.rows(plan).expect("it can be read");
            let mut ids: Vec<String> = rows.iter().map(|row| row["_id"].to_string()).collect();
            ids.sort();
            ids
        };
        assert_eq!(ids(&whole(Some(index))), ids(&whole(None)), "{index}");
    }

    /// Why an index cannot be read.
    #[track_caller]
    pub fn not_readable(&self, index: &str) -> String {
        self.rows(&whole(Some(index))).expect_err("the index is not to be read")
    }

    /// Which deployment's functions run.
    pub fn number(&self) -> Json {
        value_of(&self.query("v:number", &json!({})).result)
    }

    pub fn prepare(&self, declared: &Declared) -> PreparedDeployment {
        self.db.prepare(declared.schema()).expect("it can be prepared")
    }

    /// All of a deployment.
    pub fn deploy(&self, declared: &Declared, number: u32) -> Result<(), DeploymentError> {
        self.db.deploy(declared.schema(), Arc::new(functions(number))).map(drop)
    }

    pub fn put_in_force(&self, prepared: &PreparedDeployment, number: u32) -> Result<(), DeploymentError> {
        let record = number.to_string();
        self.db.put_in_force(prepared, Arc::new(functions(number)), record.into(), b"{}").map(drop)
    }

    /// Lets the housekeeping do all that there is to do; how many steps that took.
    pub fn maintain(&self) -> usize {
        (0..).find(|_| !self.db.maintain_indexes().expect("the store takes writes")).expect("it ends")
    }

    /// Documents, entries and counts agree; gives what there is.
    #[track_caller]
    pub fn assert_sound(&self) -> DbCheck {
        let found = check(&self.store.snapshot_sequenced()).expect("the store can be read");
        assert_eq!(found.problems, Vec::<String>::new());
        found
    }

    /// So many documents of indexes there are, and so many entries.
    #[track_caller]
    pub fn assert_indexes(&self, indexes: u64, entries: u64) {
        let found = self.assert_sound();
        let documents = found.tables.get("_indexes").copied().unwrap_or_default();
        assert_eq!((documents, found.index_entries), (indexes, entries));
    }
}

/// Does the work of a deployment to its end.
pub fn finish(world: &World, prepared: &mut PreparedDeployment) {
    while prepared.step(&world.db).expect("every document fits") {}
}
