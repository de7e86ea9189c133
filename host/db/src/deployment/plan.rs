//! What the schemas of a deployment ask of the indexes that there are.
use std::collections::BTreeMap;
use std::sync::Arc;

use weir_value::{ComponentPath, IndexSchema, TableNumber, Validator};

use crate::Schemas;
use crate::components::Components;
use crate::index::{Index, Registry};
use crate::keyspace::Namespace;

/// Numbers of tables, by whose they are and their names.
pub(crate) type TableNumbers = BTreeMap<(Namespace, String), TableNumber>;

/// The indexes that a deployment wants, by table and name.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
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
    /// `numbers` has every table of the schemas.
    pub(super) fn new(schemas: &Schemas, components: &Components, numbers: &TableNumbers) -> Wanted {
        let mut wanted = Wanted::default();
        for (path, schema) in schemas.iter() {
            let Some(namespace) = components.namespace(path) else { continue };
            for (name, table) in &schema.tables {
                let Some(number) = numbers.get(&(namespace, name.clone())) else { continue };
                wanted.names.insert(*number, name.as_str().into());
                for (index, declared) in &table.indexes {
                    wanted.indexes.insert((*number, index.clone()), declared.clone());
                }
            }
        }
        wanted
    }

    /// Wants the indexes, too, that components have which are mounted no longer: nobody writes to their tables, and they may
    /// be mounted again.
    pub(super) fn keep_unmounted(&mut self, registry: &Registry, is_unmounted: impl Fn(TableNumber) -> bool) {
        for index in registry.indexes().filter(|index| is_unmounted(index.table)) {
            let declared = IndexSchema { fields: index.fields.clone(), staged: index.staged };
            self.names.insert(index.table, index.table_name.clone());
            self.indexes.entry((index.table, index.name.to_string())).or_insert(declared);
        }
    }

    /// What the schema says of this index, if it wants it.
    pub(crate) fn declared(&self, index: &Index) -> Option<&IndexSchema> {
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

/// What documents must be like, by table; without those that may be like anything.
pub(super) fn validators(
    schemas: &Schemas,
    components: &Components,
    numbers: &TableNumbers,
) -> BTreeMap<TableNumber, Arc<Validator>> {
    let mut validators = BTreeMap::new();
    for (path, schema) in schemas.iter().filter(|(_, schema)| schema.validates) {
        let Some(namespace) = components.namespace(path) else { continue };
        for (name, table) in schema.tables.iter().filter(|(_, table)| table.document != Validator::Any) {
            if let Some(number) = numbers.get(&(namespace, name.clone())) {
                validators.insert(*number, Arc::new(table.document.clone()));
            }
        }
    }
    validators
}

/// A table, for people: `messages`, or `waitlist/messages` of the component that is mounted there.
pub(super) fn told(name: &str, component: Option<&ComponentPath>) -> String {
    match component.filter(|path| !path.is_app()) {
        Some(path) => format!("{path}/{name}"),
        None => name.to_owned(),
    }
}
