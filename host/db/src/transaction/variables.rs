//! Variables: read by name, one key each; written by the host alone.
use std::collections::BTreeMap;

use weir_store::Direction;
use weir_value::component::Binding;
use weir_value::{DocumentId, names};

use super::Transaction;
use super::write::damaged;
use crate::variables::{StoredVariable, VariableChanges, check_count};
use crate::write_buffer::Written;
use crate::{DbError, keyspace, system_tables};

/// More than there may be.
const NAMES_MAX: usize = weir_value::limits::VARIABLES_MAX + 1;

/// What a variable is: in the app all that are set are there, in a component those that it was given.
enum Bound {
    OfApp,
    Nothing,
    Value(String),
    Variable(String),
}

impl Transaction {
    /// The value of a variable; `None` when there is none. A live query that has read one runs again when that one is
    /// set or removed, and a mutation conflicts with it; built-in ones do not change while a host runs.
    ///
    /// # Errors
    /// The limits: it is a call of the host, and no read of documents.
    pub fn variable(&mut self, name: &str) -> Result<Option<String>, DbError> {
        self.count_host_call()?;
        // No variable has such a name, and there are many of those, and long ones: they are not recorded.
        if names::check_variable_name(name).is_err() {
            return Ok(None);
        }
        match self.binding(name) {
            Bound::OfApp => self.app_variable(name),
            Bound::Nothing => Ok(None),
            Bound::Value(value) => Ok(Some(value)),
            Bound::Variable(of_app) => self.app_variable(&of_app),
        }
    }

    fn app_variable(&mut self, name: &str) -> Result<Option<String>, DbError> {
        if let Some(value) = self.shared.built_in_variables.read().get(name) {
            return Ok(Some(value.clone()));
        }
        Ok(self.stored_variable(name)?.map(|(_, value)| value))
    }

    /// The names of all variables, the built-in ones included, in their order. Whoever asks depends on every variable.
    ///
    /// # Errors
    /// As for [`Transaction::variable`].
    pub fn variable_names(&mut self) -> Result<Vec<String>, DbError> {
        self.count_host_call()?;
        if !self.path.component().is_app() {
            return self.bound_names();
        }
        let all = keyspace::variable_names();
        let rows = self.snapshot.scan(&all.start, &all.end, Direction::Ascending, NAMES_MAX);
        let rows = self.or_unreadable(rows)?;
        self.reads.add_range(all);
        let built_in = self.shared.built_in_variables.read().clone();
        let set = rows.iter().filter_map(|(key, _)| keyspace::variable_in_key(key));
        let mut names: Vec<String> = set.map(str::to_owned).chain(built_in.keys().cloned()).collect();
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }

    /// The names of the variables of a component that have a value.
    fn bound_names(&mut self) -> Result<Vec<String>, DbError> {
        let deployment = self.deployed.deployment.clone();
        let mut names = Vec::new();
        for name in
            deployment.mounts().find(self.path.component()).into_iter().flat_map(|m| m.variables.keys())
        {
            if self.variable(name)?.is_some() {
                names.push(name.clone());
            }
        }
        Ok(names)
    }

    /// What a variable is to the function that runs.
    fn binding(&self, name: &str) -> Bound {
        let component = self.path.component();
        if component.is_app() {
            return Bound::OfApp;
        }
        let mount = self.deployed.deployment.mounts().find(component);
        match mount.and_then(|mount| mount.variables.get(name)) {
            None => Bound::Nothing,
            Some(Binding::Value(value)) => Bound::Value(value.clone()),
            Some(Binding::Variable { name, .. }) => Bound::Variable(name.clone()),
        }
    }

    /// The value of a variable that was set; for the host's own functions.
    ///
    /// # Errors
    /// As for [`Transaction::variable`].
    pub fn variable_set(&mut self, name: &str) -> Result<Option<String>, DbError> {
        self.count_host_call()?;
        if names::check_variable_name(name).is_err() {
            return Ok(None);
        }
        Ok(self.stored_variable(name)?.map(|(_, value)| value))
    }

    /// All variables that were set, names and values; for the host's own functions.
    ///
    /// # Errors
    /// As for [`Transaction::variable`].
    pub fn variables_set(&mut self) -> Result<BTreeMap<String, String>, DbError> {
        let mut variables = BTreeMap::new();
        for name in self.variable_names()? {
            if let Some((_, value)) = self.stored_variable(&name)? {
                variables.insert(name, value);
            }
        }
        Ok(variables)
    }

    /// Writes changes of variables, of which there were `count`; one that stays as it is is not written.
    pub(crate) fn put_variables(&mut self, changes: &VariableChanges, count: u64) -> Result<(), DbError> {
        let table = system_tables::VARIABLES;
        for (name, value) in changes.iter() {
            let key = keyspace::variable_name_key(name);
            match (self.stored_variable(name)?, value) {
                (None, None) => {}
                (Some((_, stored)), Some(value)) if stored == value => {}
                (None, Some(value)) => {
                    let id = self.insert_system(table, &StoredVariable::encode(name, value))?;
                    self.writes.put(key, Written::Value(keyspace::document_place(&id)));
                }
                (Some((id, _)), Some(value)) => {
                    self.replace_system(&id, &StoredVariable::encode(name, value))?;
                    self.writes.put(key, Written::Value(keyspace::document_place(&id)));
                }
                (Some((id, _)), None) => {
                    self.delete_system(&id)?;
                    self.writes.put(key, Written::Deleted);
                }
            }
        }
        check_count(count.saturating_add_signed(self.writes.count_change(table)))
    }

    /// A variable's document and value. Its name alone is recorded as read: whoever changes the value writes that too.
    fn stored_variable(&mut self, name: &str) -> Result<Option<(DocumentId, String)>, DbError> {
        let Some(place) = self.read_point(keyspace::variable_name_key(name))? else { return Ok(None) };
        let table = system_tables::VARIABLES;
        let id = keyspace::document_at_place(table, &place).ok_or_else(damaged)?;
        let key = keyspace::document_key(&id);
        let document = match self.writes.get(&key) {
            Some(written) => written.value().cloned(),
            None => {
                let stored = self.snapshot.get(&key);
                self.or_unreadable(stored)?
            }
        };
        let stored = document.and_then(|document| StoredVariable::decode(&document)).ok_or_else(damaged);
        Ok(Some((id, self.or_poison(stored)?.value)))
    }
}
