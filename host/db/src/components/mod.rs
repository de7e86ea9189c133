//! Components, as the database knows them: where each is mounted, which **namespace** its tables are in, and what becomes
//! of that when it is mounted no longer.
//!
//! A namespace is a number. That of a mount is given when a deployment first mounts something at its path, and is kept with
//! all that is in it until somebody drops it: a deployment that no longer has the mount leaves the data, and a later one
//! that has it again finds them. It is written down in the host's table `_components`.
mod drop;
mod list;

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use weir_store::{ReadError, Snapshot};
use weir_value::limits::COMPONENT_NAMESPACES_MAX;
use weir_value::{ComponentPath, DocumentId, ErrorCode};

use crate::keyspace::{self, Namespace};
use crate::scan_all::scan_all;
use crate::{DbError, DbOpenError, Transaction, system_tables};

pub use list::ComponentSummary;

/// The name of the record of the number that was given last.
const LAST_NAMESPACE_RECORD: &str = "last-namespace";

/// The components that have a namespace, mounted or not. Immutable: a deployment makes another.
#[derive(Debug, Clone, Default)]
pub(crate) struct Components {
    by_path: HashMap<ComponentPath, KnownComponent>,
    paths: BTreeMap<Namespace, ComponentPath>,
}

/// What is known of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KnownComponent {
    pub(crate) id: DocumentId,
    pub(crate) namespace: Namespace,
    pub(crate) state: ComponentState,
}

/// What a component does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum ComponentState {
    /// It is part of the deployment in force.
    Mounted,
    /// It is not, and its data wait for it.
    Unmounted,
    /// Its data are being removed.
    Dropping,
}

/// What is stored of one, besides what every document has.
#[derive(Debug, Serialize, Deserialize)]
struct StoredComponent {
    path: String,
    /// Numbers in documents are floats.
    namespace: f64,
    state: ComponentState,
}

impl StoredComponent {
    fn encode(path: &ComponentPath, namespace: Namespace, state: ComponentState) -> Vec<u8> {
        let stored = StoredComponent { path: path.to_string(), namespace: f64::from(namespace.0), state };
        serde_json::to_vec(&stored).expect("texts and numbers can be written")
    }
}

/// Reads a document of `_components`; `None` if it is none.
pub(crate) fn decode(document: &[u8]) -> Option<(ComponentPath, Namespace, ComponentState)> {
    let stored: StoredComponent = serde_json::from_slice(document).ok()?;
    let path = ComponentPath::parse(&stored.path).ok().filter(|path| !path.is_app())?;
    let namespace =
        u32::try_from(stored.namespace as u64).ok().filter(|number| *number != Namespace::APP.0)?;
    Some((path, Namespace(namespace), stored.state))
}

impl Components {
    /// Reads those of a snapshot.
    pub(crate) fn load(snapshot: &Snapshot) -> Result<Components, DbOpenError> {
        let mut components = Components::default();
        let mut damaged = None;
        scan_all(snapshot, keyspace::documents(system_tables::COMPONENTS), |key, document| {
            match keyspace::document_in_key(key).zip(decode(document)) {
                Some((id, (path, namespace, state))) => {
                    components.put(path, KnownComponent { id, namespace, state });
                }
                None => damaged = Some(format!("the document {key:?} does not describe a component")),
            }
            Ok::<(), ReadError>(())
        })?;
        match damaged {
            Some(problem) => Err(DbOpenError::Catalog(problem)),
            None => Ok(components),
        }
    }

    fn put(&mut self, path: ComponentPath, known: KnownComponent) {
        self.paths.insert(known.namespace, path.clone());
        self.by_path.insert(path, known);
    }

    /// What is known of the component at this path.
    pub(crate) fn find(&self, path: &ComponentPath) -> Option<&KnownComponent> {
        self.by_path.get(path)
    }

    /// The namespace of the component at this path.
    pub(crate) fn namespace(&self, path: &ComponentPath) -> Option<Namespace> {
        match path.is_app() {
            true => Some(Namespace::APP),
            false => self.find(path).map(|known| known.namespace),
        }
    }

    /// Where the component of this namespace is mounted, or was; `None`: there is none.
    pub(crate) fn path(&self, namespace: Namespace) -> Option<&ComponentPath> {
        match namespace {
            Namespace::APP => Some(&ComponentPath::APP),
            _ => self.paths.get(&namespace),
        }
    }

    /// Whether a scheduled function waits for the component that has scheduled it to be mounted again.
    pub(crate) fn holds_job(&self, id: &DocumentId) -> bool {
        let path = system_tables::namespace(id.table).and_then(|namespace| self.paths.get(&namespace));
        path.and_then(|path| self.find(path)).is_some_and(|known| known.state != ComponentState::Mounted)
    }

    /// All of them, in the order of their numbers.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&ComponentPath, &KnownComponent)> {
        self.paths.values().filter_map(|path| Some((path, self.find(path)?)))
    }

    /// The namespaces of all components, the app's first.
    pub(crate) fn namespaces(&self) -> impl Iterator<Item = Namespace> {
        std::iter::once(Namespace::APP).chain(self.paths.keys().copied())
    }
}

impl Transaction {
    /// Gives these mounts namespaces, as far as they have none; they count as unmounted until they are in force.
    pub(crate) fn make_namespaces<'a>(
        &mut self,
        components: &mut Components,
        mounts: impl Iterator<Item = &'a ComponentPath>,
    ) -> Result<(), DbError> {
        for path in mounts {
            match components.find(path).map(|known| known.state) {
                Some(ComponentState::Dropping) => return Err(is_being_dropped(path)),
                Some(_) => {}
                None => self.make_namespace(components, path)?,
            }
        }
        Ok(())
    }

    fn make_namespace(&mut self, components: &mut Components, path: &ComponentPath) -> Result<(), DbError> {
        if components.by_path.len() >= COMPONENT_NAMESPACES_MAX {
            let message = format!(
                "{COMPONENT_NAMESPACES_MAX} components have data already, those included that are mounted no longer; \
                 drop some of those: `host component list`, `host component drop PATH`."
            );
            return Err(DbError::new(ErrorCode::TooManyTables, message));
        }
        let last = self.read_uncounted(keyspace::system_record_key(LAST_NAMESPACE_RECORD))?;
        let last = last.and_then(|record| Some(u32::from_be_bytes(record.as_ref().try_into().ok()?)));
        // Numbers are given once: ids of documents that were dropped are nobody's.
        let namespace = Namespace(last.unwrap_or(Namespace::APP.0) + 1);
        self.put_record(LAST_NAMESPACE_RECORD, bytes::Bytes::copy_from_slice(&namespace.0.to_be_bytes()));
        let state = ComponentState::Unmounted;
        let document = StoredComponent::encode(path, namespace, state);
        let id = self.insert_system(system_tables::COMPONENTS, &document)?;
        components.put(path.clone(), KnownComponent { id, namespace, state });
        Ok(())
    }

    /// Makes these the mounts that are in force, and gives what others there were.
    pub(crate) fn put_mounts_in_force(
        &mut self,
        components: &mut Components,
        is_mounted: impl Fn(&ComponentPath) -> bool,
    ) -> Result<Vec<ComponentPath>, DbError> {
        let mut left = Vec::new();
        let all: Vec<_> = components.iter().map(|(path, known)| (path.clone(), known.clone())).collect();
        for (path, known) in all {
            let state = match (known.state, is_mounted(&path)) {
                (ComponentState::Dropping, true) => return Err(is_being_dropped(&path)),
                (ComponentState::Dropping, false) => ComponentState::Dropping,
                (_, true) => ComponentState::Mounted,
                (_, false) => ComponentState::Unmounted,
            };
            if state == known.state {
                continue;
            }
            if state == ComponentState::Unmounted {
                left.push(path.clone());
            }
            self.set_component_state(components, &path, &known, state)?;
        }
        Ok(left)
    }

    fn set_component_state(
        &mut self,
        components: &mut Components,
        path: &ComponentPath,
        known: &KnownComponent,
        state: ComponentState,
    ) -> Result<(), DbError> {
        self.replace_system(&known.id, &StoredComponent::encode(path, known.namespace, state))?;
        components.put(path.clone(), KnownComponent { state, ..known.clone() });
        Ok(())
    }
}

fn is_being_dropped(path: &ComponentPath) -> DbError {
    let message =
        format!("the data of the component `{path}` are just being removed; deploy again when they are gone");
    DbError::new(ErrorCode::NotFound, message)
}
