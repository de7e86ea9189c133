//! Which indexes and rules the tables have: what every write and every query looks up.
//!
//! Immutable: a change makes another registry, in force from a timestamp on.
use std::collections::BTreeMap;
use std::sync::Arc;

use weir_store::{ReadError, Snapshot};
use weir_value::{TableNumber, Validator};

use super::{Index, IndexState};
use crate::keyspace::{self, IndexNumber};
use crate::scan_all::scan_all;
use crate::{DbOpenError, system_tables};

/// The indexes of all tables, and what their documents must be like.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    tables: BTreeMap<TableNumber, TableRules>,
    /// Those that nothing keeps any more, and whose entries are not all gone.
    dropping: Vec<Arc<Index>>,
    last_number: u32,
}

/// What holds for a table.
#[derive(Debug, Default, Clone)]
pub(crate) struct TableRules {
    /// Those that a write must keep. An index that is being built to replace another has the same name.
    pub(crate) indexes: Vec<Arc<Index>>,
    /// What its documents must be like, without the host's fields.
    pub(crate) document: Option<Arc<Validator>>,
    /// What they must be like under a deployment that is being prepared.
    pub(crate) pending_document: Option<Arc<Validator>>,
}

impl TableRules {
    /// The index of this name that queries read, or else one that they cannot read yet: one that is staged, perhaps by
    /// a deployment that is not in force, or on its way.
    pub(crate) fn index(&self, name: &str) -> Option<&Arc<Index>> {
        let of_name = || self.indexes.iter().filter(|index| *index.name == *name);
        of_name().find(|index| index.is_readable()).or_else(|| of_name().next())
    }

    fn is_empty(&self) -> bool {
        self.indexes.is_empty() && self.document.is_none() && self.pending_document.is_none()
    }
}

impl Registry {
    /// Reads the indexes of a snapshot.
    pub(crate) fn load(snapshot: &Snapshot) -> Result<Registry, DbOpenError> {
        let mut registry = Registry::default();
        for index in read_indexes(snapshot)? {
            let index = index.map_err(DbOpenError::Catalog)?;
            registry.put_index(index);
        }
        Ok(registry)
    }

    /// What holds for this table; `None`: nothing does.
    pub(crate) fn table(&self, table: TableNumber) -> Option<&TableRules> {
        self.tables.get(&table)
    }

    /// Every index that a write must keep, table by table: equal registries give equal orders of work.
    pub(crate) fn indexes(&self) -> impl Iterator<Item = &Arc<Index>> {
        self.tables.values().flat_map(|table| &table.indexes)
    }

    /// Those whose entries are to be removed.
    pub(crate) fn dropping(&self) -> &[Arc<Index>] {
        &self.dropping
    }

    /// A number that no index has.
    pub(crate) fn next_number(&self) -> IndexNumber {
        IndexNumber(self.last_number + 1)
    }

    /// A registry to change.
    pub(crate) fn to_changed(&self) -> Registry {
        Registry {
            tables: self.tables.clone(),
            dropping: self.dropping.clone(),
            last_number: self.last_number,
        }
    }

    /// Adds an index, or puts it in the place of the one of its number.
    pub(crate) fn put_index(&mut self, index: Index) {
        self.remove_index(index.table, index.number);
        self.last_number = self.last_number.max(index.number.0);
        match index.state {
            IndexState::Dropping => self.dropping.push(Arc::new(index)),
            _ => self.tables.entry(index.table).or_default().indexes.push(Arc::new(index)),
        }
    }

    /// Forgets an index.
    pub(crate) fn remove_index(&mut self, table: TableNumber, number: IndexNumber) {
        self.dropping.retain(|index| index.number != number);
        if let Some(rules) = self.tables.get_mut(&table) {
            rules.indexes.retain(|index| index.number != number);
        }
        self.forget_empty(table);
    }

    /// Says what the documents of these tables must be like, and that those of no other table must.
    pub(crate) fn set_documents(&mut self, documents: BTreeMap<TableNumber, Arc<Validator>>) {
        self.tables.values_mut().for_each(|rules| rules.document = None);
        for (table, validator) in documents {
            self.tables.entry(table).or_default().document = Some(validator);
        }
        self.tables.retain(|_, rules| !rules.is_empty());
    }

    /// As `set_documents`, under a deployment that is being prepared.
    pub(crate) fn set_pending_documents(&mut self, documents: BTreeMap<TableNumber, Arc<Validator>>) {
        self.tables.values_mut().for_each(|rules| rules.pending_document = None);
        for (table, validator) in documents {
            self.tables.entry(table).or_default().pending_document = Some(validator);
        }
        self.tables.retain(|_, rules| !rules.is_empty());
    }

    fn forget_empty(&mut self, table: TableNumber) {
        if self.tables.get(&table).is_some_and(TableRules::is_empty) {
            self.tables.remove(&table);
        }
    }
}

/// The indexes that a snapshot has documents of; the inner error says which document cannot be read.
pub(crate) fn read_indexes(snapshot: &Snapshot) -> Result<Vec<Result<Index, String>>, ReadError> {
    let mut indexes = Vec::new();
    scan_all(snapshot, keyspace::documents(system_tables::INDEXES), |key, document| {
        let index = keyspace::document_in_key(key).and_then(|id| Index::decode(id, document));
        indexes.push(index.ok_or_else(|| format!("the document {key:?} does not describe an index")));
        Ok::<(), ReadError>(())
    })?;
    Ok(indexes)
}
