//! Deployments: how functions, schema and indexes come into force together.
//!
//! 1. **Prepare.** One commit makes the schema's tables and the documents of its new indexes. From then on every write
//!    keeps these indexes, and is checked against the coming schema too: a document that does not fit fails the
//!    deployment, never the write.
//! 2. **Build.** The documents that were there before are added to the new indexes and checked, in batches, while reads
//!    and writes go on. How far an index is built is committed with each batch.
//! 3. **Put in force.** One commit writes the record and says that the indexes are whole. Its timestamp divides the
//!    calls: those that read an older snapshot run under the deployment before, those that commit later run anew.
//!
//! A process that ends on the way leaves indexes that are being built. The next deployment that wants them goes on where
//! they are; one that does not has them dropped. When none comes soon the housekeeping drops them, because every write
//! keeps them (see [`Database::drop_abandoned_indexes`](crate::Database::drop_abandoned_indexes)).
//!
//! Not here: compiling and files, which are the server's.
mod build;
mod error;
mod maintain;
mod plan;
mod prepared;
mod system;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use weir_store::Snapshot;
use weir_value::{ComponentPath, DocumentId, Schema, TableNumber, Timestamp, ValidationError};

use crate::catalog::Catalog;
use crate::components::{ComponentState, Components};
use crate::deployed::Deployed;
use crate::index::Registry;
use crate::keyspace;
use crate::query::CursorKey;
use crate::{DbOpenError, DeploymentVersion, NoFunctions, Schemas};

pub use error::DeploymentError;
use plan::validators;
pub(crate) use plan::{TableNumbers, Wanted};
pub use prepared::{IndexWork, PreparedDeployment, Progress};

/// The name of the record of the schema in force.
pub(crate) const SCHEMA_RECORD: &str = "schema";
/// The name of the record of the schemas of the components, by where they are mounted.
const COMPONENT_SCHEMAS_RECORD: &str = "component-schemas";
/// The name of the record of what else the server wants to know of the deployment.
pub(crate) const DEPLOYMENT_RECORD: &str = "deployment";

/// The name of the record of the key that cursors are encrypted with.
const CURSOR_KEY_RECORD: &str = "cursor-key";

/// The deployment that is being prepared, as the mutations see it.
#[derive(Default)]
pub(crate) struct Preparing {
    state: Mutex<PreparingState>,
}

/// Which of the deployments of a process it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Turn(u64);

#[derive(Default)]
struct PreparingState {
    turn: Turn,
    /// Whether the deployment of this turn has neither come into force nor been given up.
    is_under_way: bool,
    mismatch: Option<(DocumentId, String)>,
}

impl Preparing {
    /// A document was written that does not fit.
    pub(crate) fn fail(&self, id: DocumentId, error: &ValidationError) {
        self.state.lock().mismatch.get_or_insert_with(|| (id, error.to_string()));
    }

    /// A deployment begins; the turn of the one before is over. The caller holds the gate.
    fn begin(&self) -> Turn {
        self.next(true)
    }

    /// The deployment has ended. The caller holds the gate.
    fn end(&self) {
        self.next(false);
    }

    fn next(&self, is_under_way: bool) -> Turn {
        let mut state = self.state.lock();
        *state = PreparingState { turn: Turn(state.turn.0 + 1), is_under_way, mismatch: None };
        state.turn
    }

    fn is_under_way(&self) -> bool {
        self.state.lock().is_under_way
    }

    fn is_turn(&self, turn: Turn) -> bool {
        self.state.lock().turn == turn
    }

    /// The document that has been written in this turn and does not fit.
    ///
    /// # Errors
    /// The turn is over.
    fn mismatch(&self, turn: Turn) -> Result<Option<(DocumentId, String)>, DeploymentError> {
        let state = self.state.lock();
        match state.turn == turn {
            true => Ok(state.mismatch.clone()),
            false => Err(DeploymentError::Superseded),
        }
    }
}

/// What is in force in a database that was just opened, still without functions.
pub(crate) fn load(snapshot: &Snapshot, catalog: &Catalog) -> Result<Deployed, DbOpenError> {
    let mut registry = Registry::load(snapshot)?;
    let components = Components::load(snapshot)?;
    let schemas = load_schemas(snapshot)?;
    let mut numbers = TableNumbers::new();
    for (path, schema) in schemas.iter() {
        let Some(namespace) = components.namespace(path) else { continue };
        for name in schema.tables.keys() {
            if let Some(number) = catalog.number(namespace, name, snapshot.ts()) {
                numbers.insert((namespace, name.clone()), number);
            }
        }
    }
    registry.set_documents(validators(&schemas, &components, &numbers));
    let mut wanted = Wanted::new(&schemas, &components, &numbers);
    let is_unmounted = |table| is_of_unmounted(table, catalog, &components, snapshot.ts());
    wanted.keep_unmounted(&registry, is_unmounted);
    Ok(Deployed {
        version: DeploymentVersion::default(),
        deployment: Arc::new(NoFunctions),
        wanted: Arc::new(wanted),
        registry: Arc::new(registry),
        components: Arc::new(components),
    })
}

/// Whether a table is one of a component that is mounted no longer, and whose data are kept.
fn is_of_unmounted(table: TableNumber, catalog: &Catalog, components: &Components, at: Timestamp) -> bool {
    let owner = catalog.name(table, at).and_then(|(namespace, _)| components.path(namespace));
    let known = owner.and_then(|path| components.find(path));
    known.is_some_and(|known| known.state == ComponentState::Unmounted)
}

fn load_schemas(snapshot: &Snapshot) -> Result<Schemas, DbOpenError> {
    let damaged = || DbOpenError::Catalog("the record of the schema cannot be read".to_owned());
    let mut schemas = Schemas::default();
    if let Some(record) = snapshot.get(&keyspace::system_record_key(SCHEMA_RECORD))? {
        schemas = Schemas::from(read_schema(&record).ok_or_else(damaged)?);
    }
    if let Some(record) = snapshot.get(&keyspace::system_record_key(COMPONENT_SCHEMAS_RECORD))? {
        let texts: BTreeMap<String, serde_json::Value> =
            serde_json::from_slice(&record).map_err(|_| damaged())?;
        for (path, schema) in texts {
            let path = ComponentPath::parse(&path).map_err(|_| damaged())?;
            let schema = Schema::from_json(&schema).map_err(|_| damaged())?;
            schemas.mounts.insert(path, Arc::new(schema));
        }
    }
    Ok(schemas)
}

/// The records of schemas, which [`load_schemas`] reads.
fn schema_records(schemas: &Schemas) -> [(&'static str, Bytes); 2] {
    let app = serde_json::to_vec(&schemas.app.to_json());
    let of_mounts: serde_json::Map<_, _> =
        schemas.mounts.iter().map(|(path, schema)| (path.to_string(), schema.to_json())).collect();
    let records = [(SCHEMA_RECORD, app), (COMPONENT_SCHEMAS_RECORD, serde_json::to_vec(&of_mounts))];
    records.map(|(name, text)| (name, text.expect("JSON can be written").into()))
}

/// The key of the database's cursors, which its first deployment records.
pub(crate) fn load_cursor_key(snapshot: &Snapshot) -> Result<Option<CursorKey>, DbOpenError> {
    let record = snapshot.get(&keyspace::system_record_key(CURSOR_KEY_RECORD))?;
    Ok(record.and_then(|record| record.as_ref().try_into().ok()).map(|key| CursorKey::new(&key)))
}

fn read_schema(record: &[u8]) -> Option<Schema> {
    Schema::from_json(&serde_json::from_slice(record).ok()?).ok()
}
