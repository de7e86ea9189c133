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

use parking_lot::Mutex;
use weir_store::Snapshot;
use weir_value::{DocumentId, Schema, TableNumber, ValidationError, Validator};

use crate::catalog::Catalog;
use crate::deployed::Deployed;
use crate::index::Registry;
use crate::keyspace::{self, Namespace};
use crate::query::CursorKey;
use crate::{DbOpenError, DeploymentVersion, NoFunctions};

pub use error::DeploymentError;
pub use prepared::{IndexWork, PreparedDeployment, Progress};

/// The name of the record of the schema in force.
pub(crate) const SCHEMA_RECORD: &str = "schema";
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
    let schema = match snapshot.get(&keyspace::system_record_key(SCHEMA_RECORD))? {
        None => Schema::default(),
        Some(record) => read_schema(&record)
            .ok_or_else(|| DbOpenError::Catalog("the record of the schema cannot be read".to_owned()))?,
    };
    let number = |table: &str| catalog.number(Namespace::APP, table, snapshot.ts());
    registry.set_documents(validators(&schema, number));
    Ok(Deployed {
        version: DeploymentVersion::default(),
        functions: Arc::new(NoFunctions),
        schema: Arc::new(schema),
        registry: Arc::new(registry),
    })
}

/// The key of the database's cursors, which its first deployment records.
pub(crate) fn load_cursor_key(snapshot: &Snapshot) -> Result<Option<CursorKey>, DbOpenError> {
    let record = snapshot.get(&keyspace::system_record_key(CURSOR_KEY_RECORD))?;
    Ok(record.and_then(|record| record.as_ref().try_into().ok()).map(|key| CursorKey::new(&key)))
}

fn read_schema(record: &[u8]) -> Option<Schema> {
    Schema::from_json(&serde_json::from_slice(record).ok()?).ok()
}

/// What documents must be like, by table; without those that may be like anything.
fn validators(
    schema: &Schema,
    number: impl Fn(&str) -> Option<TableNumber>,
) -> BTreeMap<TableNumber, Arc<Validator>> {
    if !schema.validates {
        return BTreeMap::new();
    }
    let strict = schema.tables.iter().filter(|(_, table)| table.document != Validator::Any);
    strict.filter_map(|(name, table)| Some((number(name)?, Arc::new(table.document.clone())))).collect()
}
