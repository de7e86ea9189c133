//! Transactions: what a running function reads and writes, at one snapshot and with its own writes on top.
//!
//! Does not commit: the committer takes the reads and the writes when the function has ended.
mod budget;
mod crypto;
mod files;
mod page;
mod points;
mod read;
mod read_set_builder;
mod scan;
mod schedule;
mod splice;
mod system;
mod tables;
#[cfg(test)]
mod tests;
mod usage;
mod variables;
mod write;
mod write_document;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use parking_lot::RwLock;
use weir_store::{Env, ReadError, Snapshot};
use weir_value::{CreationTime, DocumentId, ErrorCode, FunctionPath, Identity, Timestamp, ValidationError};

use crate::catalog::Catalog;
use crate::commit_timestamp::Unstamped;
use crate::deployed::Deployed;
use crate::entropy::Entropy;
use crate::keyspace::Namespace;
use crate::log_lines::LogLines;
use crate::nested::{NestedCalls, derive_seed};
use crate::passwords::AskedPasswords;
use crate::query::{CursorKey, Cursors};
use crate::write_buffer::{CountChanges, WriteBuffer};
use crate::{
    Call, DbError, Deployment, FunctionInfo, FunctionKind, LogLevel, Principal, ReadSet, TokenSigner,
};

pub use crypto::digest;
pub(crate) use read_set_builder::ReadSetBuilder;
use schedule::ScheduledCalls;
pub(crate) use schedule::check_args as check_scheduled_args;
pub(crate) use tables::SeenTables;
pub use usage::Usage;
pub(crate) use write_document::without_host_fields;

/// What a call may know of the world. Fixed when the call begins.
#[derive(Debug, Clone, PartialEq)]
pub struct CallContext {
    /// The time when the transaction began, in milliseconds since the epoch, with a fraction.
    pub now_ms: f64,
    /// The seed of the call's random numbers.
    pub seed: [u8; 32],
    /// The id of the request that the call belongs to.
    pub request_id: String,
}

/// What of a transaction belongs to the one function that runs, and is set aside while that calls another.
pub(crate) struct Frame {
    namespace: Namespace,
    kind: FunctionKind,
    path: FunctionPath,
    seed: [u8; 32],
    cursors: Cursors,
    has_paged: bool,
}

/// A savepoint, from [`Transaction::begin_sub`]. Dropping it keeps what was written.
#[derive(Debug)]
#[must_use = "end it with `commit_sub` or `rollback_sub`"]
pub struct SubTransaction {
    savepoint: usize,
}

/// What all transactions of a database share.
pub(crate) struct Shared {
    pub(crate) env: Arc<dyn Env>,
    pub(crate) catalog: Catalog,
    pub(crate) entropy: Entropy,
    /// Who signs tokens for functions.
    pub(crate) signer: OnceLock<Arc<dyn TokenSigner>>,
    /// For the cursors of pages; made when it is first needed, if the database has none.
    pub(crate) cursor_key: RwLock<Option<Arc<CursorKey>>>,
    /// The variables that the server gives.
    pub(crate) built_in_variables: RwLock<Arc<BTreeMap<String, String>>>,
}

impl Shared {
    /// The time, in milliseconds since the epoch, with a fraction.
    pub(crate) fn now_ms(&self) -> f64 {
        let now_ns = self.env.now().as_nanos();
        // As one float, nanoseconds would be rounded before they are divided, and no millisecond whole.
        (now_ns / 1_000_000) as f64 + (now_ns % 1_000_000) as f64 / 1e6
    }

    /// What the cursors of pages are encrypted with.
    pub(crate) fn cursor_key(&self) -> Arc<CursorKey> {
        if let Some(key) = &*self.cursor_key.read() {
            return key.clone();
        }
        let made = || Arc::new(CursorKey::new(&CursorKey::draw(&*self.env)));
        self.cursor_key.write().get_or_insert_with(made).clone()
    }
}

/// A transaction of one run of a function.
///
/// Its methods are the host's side of the WIT interface `db`: see there for what they mean. An error leaves the
/// transaction as it was, but after an error about a limit, or of the store, it is *poisoned*: every
/// further operation gives that error again, and so does the call, whatever the function returns.
pub struct Transaction {
    shared: Arc<Shared>,
    snapshot: Arc<Snapshot>,
    /// What is in force at the snapshot.
    deployed: Arc<Deployed>,
    /// Whose tables the running function sees.
    namespace: Namespace,
    kind: FunctionKind,
    path: FunctionPath,
    context: CallContext,
    principal: Principal,
    /// Whether anybody has asked for the identity, which the result depends on from then on.
    asked_identity: bool,
    reads: ReadSetBuilder,
    writes: WriteBuffer,
    cursors: Cursors,
    /// Whether the running function has read a page.
    has_paged: bool,
    /// Where the page ended when the query ran before, and where it ends now.
    journal_in: Option<String>,
    journal_out: Option<String>,
    log: LogLines,
    usage: Usage,
    passwords: AskedPasswords,
    scheduled: ScheduledCalls,
    pub(crate) nested: NestedCalls,
    /// Where documents are written down before their bytes are kept, in an allocation of their own size.
    scratch: Vec<u8>,
    /// The `_creationTime` of the document inserted last.
    last_created: Option<CreationTime>,
    /// The table whose name was asked for last.
    last_table: Option<tables::SeenTable>,
    /// Documents of which some version did not fit a deployment that is being prepared.
    pending_suspects: BTreeSet<DocumentId>,
    /// Whether the placeholder for the commit's timestamp may stand in what is written, or in the result.
    has_placeholders: bool,
    poison: Option<DbError>,
}

/// What a transaction leaves behind for the committer.
pub(crate) struct Draft {
    pub(crate) changes: Unstamped,
    pub(crate) counts: CountChanges,
    /// A document that is left and does not fit a deployment that is being prepared.
    pub(crate) pending_mismatch: Option<(DocumentId, ValidationError)>,
}

impl Transaction {
    /// A transaction of a call of a function of this kind; its clock stands still from here on.
    pub(crate) fn begin(
        shared: Arc<Shared>,
        snapshot: Arc<Snapshot>,
        deployed: Arc<Deployed>,
        kind: FunctionKind,
        call: &Call,
    ) -> Transaction {
        let (now_ms, seed) = (shared.now_ms(), shared.entropy.draw());
        let context = CallContext { now_ms, seed, request_id: call.request_id.clone() };
        let path = call.path.clone();
        let namespace = namespace_of(&deployed, &path);
        Transaction {
            shared,
            snapshot,
            deployed,
            namespace,
            kind,
            path,
            context,
            principal: call.principal.clone(),
            asked_identity: false,
            reads: ReadSetBuilder::default(),
            writes: WriteBuffer::default(),
            cursors: Cursors::default(),
            has_paged: false,
            journal_in: None,
            journal_out: None,
            log: LogLines::default(),
            usage: Usage::default(),
            passwords: AskedPasswords::default(),
            scheduled: ScheduledCalls::default(),
            nested: NestedCalls::default(),
            scratch: Vec::new(),
            last_created: None,
            last_table: None,
            pending_suspects: BTreeSet::new(),
            has_placeholders: false,
            poison: None,
        }
    }

    /// What the call may know of the world.
    pub fn context(&self) -> &CallContext {
        &self.context
    }

    /// On whose behalf the call is made: for checks and logs of the host. A function is told by
    /// [`Transaction::identity`].
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// The user that the call is made for. What the function does from here on depends on it. To a component's function
    /// there is none: whoever calls it says what it is to know of the user.
    pub fn identity(&mut self) -> Option<&Identity> {
        if !self.path.component().is_app() {
            return None;
        }
        self.asked_identity = true;
        self.principal.identity()
    }

    /// The function whose transaction it is.
    pub fn path(&self) -> &FunctionPath {
        &self.path
    }

    /// What that function may do.
    pub fn kind(&self) -> FunctionKind {
        self.kind
    }

    /// What is in force at its snapshot: without the host's own functions.
    pub fn deployment_in_force(&self) -> &Arc<dyn Deployment> {
        &self.deployed.deployment
    }

    /// The timestamp of its snapshot.
    pub fn ts(&self) -> Timestamp {
        self.snapshot.ts()
    }

    /// What has been used of what may be used.
    pub fn usage(&self) -> &Usage {
        &self.usage
    }

    /// Lets the host itself write, which uses nothing of what the function may use.
    pub(crate) fn uncounted<R>(&mut self, write: impl FnOnce(&mut Self) -> R) -> R {
        let usage = std::mem::take(&mut self.usage);
        let result = write(self);
        self.usage = usage;
        result
    }

    /// Adds a line to the call's log. Never fails: what is too long is cut, what is too much is dropped, and both
    /// are said in the log.
    pub fn log(&mut self, level: LogLevel, message: &str) {
        self.log.push(level, message);
    }

    /// The error of the limit that was hit, if one was: the call must fail with it.
    pub fn poisoned(&self) -> Option<&DbError> {
        self.poison.as_ref()
    }

    /// Counts a call of the host that is none of this type's operations, which count themselves.
    ///
    /// # Errors
    /// `TooManyHostCalls`; then the transaction is poisoned.
    pub fn count_host_call(&mut self) -> Result<(), DbError> {
        if let Some(error) = &self.poison {
            return Err(error.clone());
        }
        let counted = self.usage.add_host_call();
        self.or_poison(counted)
    }

    /// Lets another function run in this transaction, with its own kind, random numbers and cursors.
    pub(crate) fn enter(&mut self, info: &FunctionInfo) -> Frame {
        self.nested.depth += 1;
        let seed = derive_seed(&self.context.seed, self.nested.count);
        let namespace = match info.path.component() == self.path.component() {
            true => self.namespace,
            false => namespace_of(&self.deployed, &info.path),
        };
        Frame {
            namespace: std::mem::replace(&mut self.namespace, namespace),
            kind: std::mem::replace(&mut self.kind, info.kind),
            path: std::mem::replace(&mut self.path, info.path.clone()),
            seed: std::mem::replace(&mut self.context.seed, seed),
            cursors: std::mem::take(&mut self.cursors),
            has_paged: std::mem::take(&mut self.has_paged),
        }
    }

    /// Lets the function go on that had called another.
    pub(crate) fn leave(&mut self, frame: Frame) {
        self.nested.depth -= 1;
        let Frame { namespace, kind, path, seed, cursors, has_paged } = frame;
        self.namespace = namespace;
        (self.kind, self.path, self.context.seed, self.cursors) = (kind, path, seed, cursors);
        self.has_paged = has_paged;
    }

    /// Makes a savepoint, for a nested call.
    pub fn begin_sub(&mut self) -> SubTransaction {
        SubTransaction { savepoint: self.writes.begin() }
    }

    /// Keeps what was written since the savepoint. Savepoints made after it end with it.
    pub fn commit_sub(&mut self, sub: SubTransaction) {
        self.writes.keep(sub.savepoint);
    }

    /// Undoes what was written since the savepoint, and since those made after it. What was read stays in the read
    /// set, what was used stays used, what was logged stays in the log.
    pub fn rollback_sub(&mut self, sub: SubTransaction) {
        self.writes.undo(sub.savepoint);
    }

    /// Passes a limit's error on, and remembers it.
    pub(crate) fn or_poison<T>(&mut self, result: Result<T, DbError>) -> Result<T, DbError> {
        if let Err(error) = &result {
            self.poison.get_or_insert_with(|| error.clone());
        }
        result
    }

    /// A store that cannot be read ends the call: the function's text for it would be a lie.
    pub(crate) fn or_unreadable<T>(&mut self, result: Result<T, ReadError>) -> Result<T, DbError> {
        let result = result.map_err(|error| {
            tracing::error!(target: "weir::db", path = %self.path, %error, "the store cannot be read");
            DbError::new(
                ErrorCode::StorageFailed,
                "The database's storage cannot be read; see the host's log.",
            )
        });
        self.or_poison(result)
    }

    /// Refuses writes of what may only read.
    fn writable(&self) -> Result<(), DbError> {
        match self.kind {
            FunctionKind::Mutation => Ok(()),
            _ => Err(DbError::new(
                ErrorCode::ReadOnly,
                format!("`{}` is a query, which cannot write; make it a mutation.", self.path),
            )),
        }
    }

    /// What was read so far.
    pub(crate) fn reads(&self) -> &ReadSetBuilder {
        &self.reads
    }

    /// The function has ended: makes the read set quick to check.
    pub(crate) fn order_reads(&mut self) {
        self.reads.order();
    }

    /// What was written so far.
    pub(crate) fn writes(&self) -> &WriteBuffer {
        &self.writes
    }

    /// Whether there is anything to commit.
    pub(crate) fn has_writes(&self) -> bool {
        !self.writes.is_empty()
    }

    /// Lets a page end where it ended when the query ran before.
    pub(crate) fn resume_page(&mut self, journal: Option<String>) {
        self.journal_in = journal;
    }

    /// Who signs tokens, if anybody does.
    pub(crate) fn signer(&self) -> Option<Arc<dyn TokenSigner>> {
        self.shared.signer.get().cloned()
    }

    /// Whether the identity was asked for, by the function or one that it called.
    pub(crate) fn asked_identity(&self) -> bool {
        self.asked_identity
    }

    /// Ends it: what a query leaves behind, with its journal.
    pub(crate) fn into_read_set(self) -> (ReadSet, Option<String>, Vec<(LogLevel, String)>) {
        (self.reads.into_read_set(), self.journal_out, self.log.into_lines())
    }

    /// Ends it: what a mutation leaves behind.
    pub(crate) fn into_draft(mut self) -> (Draft, Vec<(LogLevel, String)>) {
        let pending_mismatch = self.pending_mismatch();
        let (changes, counts) = self.writes.into_changes();
        let changes = match self.has_placeholders {
            true => Unstamped::find(changes),
            false => changes.into(),
        };
        let draft = Draft { changes, counts, pending_mismatch };
        (draft, self.log.into_lines())
    }

    /// Whether the placeholder for the commit's timestamp may stand in what is written, or in the result.
    pub(crate) fn has_placeholders(&self) -> bool {
        self.has_placeholders
    }

    /// Whether the result of a function of this kind, which runs in this transaction, may have the placeholder; a query
    /// reads it where a mutation has called it.
    pub(crate) fn may_return_placeholders(&self, kind: FunctionKind) -> bool {
        kind == FunctionKind::Mutation || self.has_placeholders
    }

    /// Notes that a result has it.
    pub(crate) fn note_placeholder_in_result(&mut self) {
        self.has_placeholders = true;
    }

    /// Whose tables the function sees.
    pub fn namespace(&self) -> Namespace {
        self.namespace
    }

    /// What cursors and handles are sealed with.
    pub(crate) fn cursor_key(&self) -> Arc<CursorKey> {
        self.shared.cursor_key()
    }

    /// What is in force at its snapshot.
    pub(crate) fn deployed(&self) -> &Arc<Deployed> {
        &self.deployed
    }
}

/// Whose tables a function sees.
fn namespace_of(deployed: &Deployed, path: &FunctionPath) -> Namespace {
    deployed.components.namespace(path.component()).unwrap_or(Namespace::NOBODY)
}
