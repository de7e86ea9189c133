//! What a schema asks of the indexes that there are.
use std::collections::BTreeMap;
use std::sync::Arc;

use weir_value::{IndexSchema, Schema, TableNumber};

use crate::index::{Index, Registry};

/// The indexes that a schema wants, by table and name.
pub(super) struct Wanted {
    indexes: BTreeMap<(TableNumber, String), IndexSchema>,
    names: BTreeMap<TableNumber, Arc<str>>,
}

/// An index to make.
pub(super) struct NewIndex {
    pub(super) table: TableNumber,
    pub(super) table_name: Arc<str>,
    pub(super) name: Arc<str>,
    pub(super) fields: Vec<String>,
    pub(super) staged: bool,
}

impl Wanted {
    /// `numbers` has every table of the schema.
    pub(super) fn new(schema: &Schema, numbers: &BTreeMap<String, TableNumber>) -> Wanted {
        let mut wanted = Wanted { indexes: BTreeMap::new(), names: BTreeMap::new() };
        for (name, table) in &schema.tables {
            let Some(number) = numbers.get(name) else { continue };
            wanted.names.insert(*number, name.as_str().into());
            for (index, declared) in &table.indexes {
                wanted.indexes.insert((*number, index.clone()), declared.clone());
            }
        }
        wanted
    }

    /// What the schema says of this index, if it wants it.
    pub(super) fn declared(&self, index: &Index) -> Option<&IndexSchema> {
        let declared = self.indexes.get(&(index.table, index.name.to_string()))?;
        (declared.fields == index.fields).then_some(declared)
    }

    /// Those that there are not, not even half built.
    pub(super) fn missing(&self, registry: &Registry) -> Vec<NewIndex> {
        let exists = |table: TableNumber, name: &str, declared: &IndexSchema| {
            let rules = registry.table(table);
            let mut indexes = rules.into_iter().flat_map(|rules| &rules.indexes);
            indexes.any(|index| *index.name == *name && index.fields == declared.fields)
        };
        let missing = self.indexes.iter().filter(|((table, name), declared)| !exists(*table, name, declared));
        missing
            .map(|((table, name), declared)| NewIndex {
                table: *table,
                table_name: self.names[table].clone(),
                name: name.as_str().into(),
                fields: declared.fields.clone(),
                staged: declared.staged,
            })
            .collect()
    }
}

/// Whether an index has nobody who wants it, neither this schema nor the one in force: a deployment that did not come to
/// its end has made it, and perhaps the housekeeping has built it since.
pub(super) fn is_abandoned(index: &Index, wanted: &Wanted, in_force: &Wanted) -> bool {
    wanted.declared(index).is_none() && in_force.declared(index).is_none()
}
