//! The variables of a deployment: settings and secrets that functions read by name.
//!
//! Each is a document of the system table `_variables`, `{name, value}`, and stands by its name in the catalog, so that
//! a call which reads one, there or not, depends on that one key. Some are built in: the server says what they are, and
//! nobody sets them.
//!
//! **Invariant:** no error and no `Debug` text here shows a value.
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use weir_store::{ReadError, SequenceError, Snapshot};
use weir_value::component::{Binding, Mount};
use weir_value::limits::{VARIABLE_VALUE_BYTES_MAX, VARIABLES_MAX};
use weir_value::{ErrorCode, Timestamp, names};

use crate::scan_all::scan_all;
use crate::{CommitError, Database, DbError, keyspace, system_tables};

/// The names of the variables that the server gives, and that cannot be set.
pub const BUILT_IN_VARIABLES: [&str; 2] = ["CONVEX_CLOUD_URL", "CONVEX_SITE_URL"];

/// How long a value has to be to be masked.
const MASKED_BYTES_MIN: usize = 4;

/// The variables of a deployment as of one commit. Its `Debug` shows names alone.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Variables {
    set: BTreeMap<String, String>,
    built_in: Arc<BTreeMap<String, String>>,
}

/// New values of variables that were checked; `None` removes one. Its `Debug` shows names alone.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct VariableChanges(BTreeMap<String, Option<String>>);

/// Which variables something was made with: what a module read before any of its functions was called.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VariableReads {
    names: BTreeSet<String>,
    all: bool,
}

impl VariableReads {
    /// These variables, and, if `all` is set, which variables there are.
    pub fn new(names: BTreeSet<String>, all: bool) -> VariableReads {
        VariableReads { names, all }
    }

    /// Notes that a variable was read, there or not. A name that no variable can have is not noted.
    pub fn add(&mut self, name: &str) {
        if self.names.len() >= VARIABLES_MAX {
            self.all = true;
        } else if names::check_variable_name(name).is_ok() && !self.names.contains(name) {
            self.names.insert(name.to_owned());
        }
    }

    /// Notes that it was asked which variables there are.
    pub fn add_all(&mut self) {
        self.all = true;
    }

    /// Adds what something else was made with.
    pub fn extend(&mut self, other: &VariableReads) {
        self.names.extend(other.names.iter().cloned());
        self.all |= other.all;
    }

    /// Which variables of the app those are that a component has read, where it is mounted.
    #[must_use]
    pub fn of_app(&self, mount: &Mount) -> VariableReads {
        let bound = mount.variables.iter().filter_map(|(name, binding)| match binding {
            Binding::Variable { name: of_app, .. } if self.all || self.names.contains(name) => {
                Some(of_app.clone())
            }
            _ => None,
        });
        VariableReads::new(bound.collect(), false)
    }

    /// Whether no variable was read.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty() && !self.all
    }

    /// Whether what was read is the same in both.
    pub fn agree(&self, before: &Variables, after: &Variables) -> bool {
        match self.all {
            true => before == after,
            false => self.names.iter().all(|name| before.get(name) == after.get(name)),
        }
    }
}

/// Why variables were not set. Nothing of the change was made.
#[derive(Debug, Clone, Error)]
pub enum VariablesError {
    /// A name or a value cannot be had, or there are too many variables.
    #[error("{}", .0.message)]
    Refused(DbError),
    /// The store takes no writes, or cannot be read.
    #[error(transparent)]
    Commit(#[from] CommitError),
}

impl From<DbError> for VariablesError {
    fn from(error: DbError) -> Self {
        VariablesError::Refused(error)
    }
}

impl From<ReadError> for VariablesError {
    fn from(error: ReadError) -> Self {
        VariablesError::Commit(error.into())
    }
}

impl From<SequenceError> for VariablesError {
    fn from(error: SequenceError) -> Self {
        VariablesError::Commit(error.into())
    }
}

/// What is stored of a variable, besides what every document has.
#[derive(Serialize, Deserialize)]
pub(crate) struct StoredVariable {
    pub(crate) name: String,
    pub(crate) value: String,
}

impl StoredVariable {
    /// Reads a document; `None` if it is none of a variable.
    pub(crate) fn decode(document: &[u8]) -> Option<StoredVariable> {
        serde_json::from_slice(document).ok()
    }

    pub(crate) fn encode(name: &str, value: &str) -> Vec<u8> {
        let stored = StoredVariable { name: name.to_owned(), value: value.to_owned() };
        serde_json::to_vec(&stored).expect("two texts can be written")
    }
}

impl Variables {
    /// These, without built-in ones: for tests, and for programs without a server.
    pub fn of(set: BTreeMap<String, String>) -> Variables {
        Variables { set, built_in: Arc::default() }
    }

    /// Those that a component has, where it is mounted: the ones that it was given.
    pub fn of_mount(&self, mount: &Mount) -> Variables {
        let value = |binding: &Binding| match binding {
            Binding::Value(value) => Some(value.clone()),
            Binding::Variable { name, .. } => self.get(name).map(str::to_owned),
        };
        let given = mount.variables.iter();
        Variables::of(given.filter_map(|(name, binding)| Some((name.clone(), value(binding)?))).collect())
    }

    /// The value of a variable, built in or set.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.built_in.get(name).or_else(|| self.set.get(name)).map(String::as_str)
    }

    /// Those that were set, in the order of their names: names and values.
    pub fn set(&self) -> &BTreeMap<String, String> {
        &self.set
    }

    /// The names of all of them, in their order.
    pub fn names(&self) -> Vec<String> {
        self.to_map().into_keys().collect()
    }

    /// All of them: names and values.
    pub fn to_map(&self) -> BTreeMap<String, String> {
        let mut all = self.set.clone();
        all.extend(self.built_in.iter().map(|(name, value)| (name.clone(), value.clone())));
        all
    }

    /// A text without the values of those that were read and set: what has read them may tell them on. A value of less
    /// than four bytes is no secret, and stands in every text.
    pub fn mask(&self, reads: &VariableReads, text: &str) -> String {
        let read = self.set.iter().filter(|(name, _)| reads.all || reads.names.contains(*name));
        let mut values: Vec<_> = read.filter(|(_, value)| value.len() >= MASKED_BYTES_MIN).collect();
        // What holds another one goes first.
        values.sort_by_key(|(_, value)| std::cmp::Reverse(value.len()));
        values
            .into_iter()
            .fold(text.to_owned(), |text, (name, value)| text.replace(value, &format!("[{name}]")))
    }

    /// What they are after these changes.
    #[must_use]
    pub fn with(&self, changes: &VariableChanges) -> Variables {
        let mut changed = self.clone();
        for (name, value) in &changes.0 {
            match value {
                Some(value) => drop(changed.set.insert(name.clone(), value.clone())),
                None => drop(changed.set.remove(name)),
            }
        }
        changed
    }
}

impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.built_in.keys().chain(self.set.keys())).finish()
    }
}

impl VariableChanges {
    /// Checks names and values. Of two changes of one variable the later one counts.
    ///
    /// # Errors
    /// `InvalidVariable`: a name that no variable can have, a built-in one, or a value that is too large.
    pub fn new(
        changes: impl IntoIterator<Item = (String, Option<String>)>,
    ) -> Result<VariableChanges, DbError> {
        let mut checked = BTreeMap::new();
        for (name, value) in changes {
            check_name(&name)?;
            check_value(&name, value.as_deref())?;
            checked.insert(name, value);
        }
        Ok(VariableChanges(checked))
    }

    /// The variables that they are of.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_deref()))
    }
}

impl fmt::Debug for VariableChanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

fn invalid(message: impl Into<String>) -> DbError {
    DbError::new(ErrorCode::InvalidVariable, message)
}

fn check_name(name: &str) -> Result<(), DbError> {
    names::check_variable_name(name).map_err(|error| invalid(error.to_string()))?;
    match BUILT_IN_VARIABLES.contains(&name) {
        true => {
            Err(invalid(format!("the variable `{name}` is built in and cannot be set; choose another name")))
        }
        false => Ok(()),
    }
}

fn check_value(name: &str, value: Option<&str>) -> Result<(), DbError> {
    let bytes = value.map_or(0, str::len);
    match bytes <= VARIABLE_VALUE_BYTES_MAX {
        true => Ok(()),
        false => Err(invalid(format!(
            "the value of the variable `{name}` is too large: {bytes} bytes, where {VARIABLE_VALUE_BYTES_MAX} are \
             allowed"
        ))),
    }
}

/// Whether there may be so many variables.
pub(crate) fn check_count(count: u64) -> Result<(), DbError> {
    match count <= VARIABLES_MAX as u64 {
        true => Ok(()),
        false => Err(DbError::new(
            ErrorCode::TooManyVariables,
            format!("there would be {count} variables; at most {VARIABLES_MAX} are allowed: remove some"),
        )),
    }
}

impl Database {
    /// Says what the built-in variables are, from now on. Those of [`BUILT_IN_VARIABLES`] that are not given are absent.
    /// For the start: no query that has run depends on it.
    pub fn set_built_in_variables(&self, values: BTreeMap<String, String>) {
        *self.shared.built_in_variables.write() = Arc::new(values);
    }

    /// The variables as of a snapshot, with the built-in ones.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn variables(&self, at: &Snapshot) -> Result<Variables, ReadError> {
        let mut set = BTreeMap::new();
        scan_all(at, keyspace::documents(system_tables::VARIABLES), |_, document: &Bytes| {
            // One that cannot be read is told by `check`, and is absent to functions.
            if let Some(StoredVariable { name, value }) = StoredVariable::decode(document) {
                set.insert(name, value);
            }
            Ok::<(), ReadError>(())
        })?;
        Ok(Variables { set, built_in: self.shared.built_in_variables.read().clone() })
    }

    /// Sets and removes variables, all in one commit; returns when it is sequenced, with its timestamp. Where nothing
    /// changes nothing is written, and the timestamp is that of the newest commit.
    ///
    /// # Errors
    /// See [`VariablesError`]; nothing is changed then.
    pub fn set_variables(&self, changes: &VariableChanges) -> Result<Timestamp, VariablesError> {
        let mut gate = self.committer.enter();
        let opened = self.committer.open();
        let mut tx = self.begin_system(opened.snapshot.clone());
        tx.put_variables(changes, gate.count(system_tables::VARIABLES))?;
        if !tx.has_writes() {
            return Ok(opened.snapshot.ts());
        }
        let draft = tx.into_draft().0;
        Ok(gate.sequence_unstamped(draft.changes, &draft.counts)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_is_masked_and_nothing_else() {
        let set =
            [("KEY", "secret"), ("LONG", "secret and more"), ("SHORT", "abc"), ("OTHER", "other value")];
        let set = set.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let built_in = [("CONVEX_CLOUD_URL".to_owned(), "http://here".to_owned())];
        let variables = Variables { set: set.into(), built_in: Arc::new(built_in.into()) };
        let text = "secret and more, secret, abc, other value, http://here";
        let mut reads = VariableReads::default();
        assert_eq!(variables.mask(&reads, text), text);
        for name in ["KEY", "LONG", "SHORT", "CONVEX_CLOUD_URL"] {
            reads.add(name);
        }
        assert_eq!(variables.mask(&reads, text), "[LONG], [KEY], abc, other value, http://here");
        reads.add_all();
        assert_eq!(variables.mask(&reads, text), "[LONG], [KEY], abc, [OTHER], http://here");
    }
}
