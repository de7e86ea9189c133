//! Which components have data.
use serde::{Deserialize, Serialize};
use weir_store::{Direction, ReadError};
use weir_value::ComponentPath;
use weir_value::limits::TABLES_MAX;

use super::ComponentState;
use crate::keyspace::{self, Namespace};
use crate::{Database, system_tables};

/// A component that has a namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ComponentSummary {
    /// Where it is mounted, or was.
    pub path: String,
    /// `mounted`, `unmounted` (its data wait for it) or `dropping` (they are being removed).
    pub state: String,
    /// Its own tables.
    pub tables: u64,
    /// The documents in them.
    pub documents: u64,
    /// Its stored files.
    pub files: u64,
    /// Its functions that were scheduled, those included that ended within the last week.
    pub scheduled_functions: u64,
}

impl Database {
    /// The components that have data, in the order of their paths.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn components(&self) -> Result<Vec<ComponentSummary>, ReadError> {
        let snapshot = self.store().snapshot_durable();
        let components = self.deployments.at(snapshot.ts()).components.clone();
        let count = |table| {
            let stored = snapshot.get(&keyspace::table_count_key(table))?;
            Ok::<u64, ReadError>(
                stored.and_then(|value| keyspace::count_in_value(&value)).unwrap_or_default(),
            )
        };
        let mut summaries = Vec::new();
        for (path, known) in components.iter() {
            let tables = keyspace::table_names(known.namespace);
            let rows = snapshot.scan(&tables.start, &tables.end, Direction::Ascending, TABLES_MAX)?;
            let mut documents = 0;
            for (_, number) in &rows {
                documents += keyspace::number_in_value(number).map_or(Ok(0), count)?;
            }
            summaries.push(ComponentSummary {
                path: path.to_string(),
                state: known.state.as_str().to_owned(),
                tables: rows.len() as u64,
                documents,
                files: count(system_tables::of(known.namespace, system_tables::STORAGE))?,
                scheduled_functions: count(system_tables::of(
                    known.namespace,
                    system_tables::SCHEDULED_FUNCTIONS,
                ))?,
            });
        }
        summaries.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(summaries)
    }

    /// Where components were mounted that are so no longer, and whose data are kept, in their order.
    pub fn unmounted_components(&self) -> Vec<ComponentPath> {
        let components = self.deployments.newest().components.clone();
        let unmounted = components.iter().filter(|(_, known)| known.state == ComponentState::Unmounted);
        let mut paths: Vec<_> = unmounted.map(|(path, _)| path.clone()).collect();
        paths.sort();
        paths
    }

    /// Whether some namespace is being emptied.
    pub(super) fn dropping_namespace(&self) -> Option<Namespace> {
        let components = self.deployments.newest().components.clone();
        components.iter().find(|(_, known)| known.state == ComponentState::Dropping).map(|(_, k)| k.namespace)
    }
}

impl ComponentState {
    /// As it is stored and shown.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            ComponentState::Mounted => "mounted",
            ComponentState::Unmounted => "unmounted",
            ComponentState::Dropping => "dropping",
        }
    }
}
