//! One call of a function: from the client's JSON through the function to the client's JSON.
//!
//! Commits nothing: the database does, with what a run leaves behind.
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use weir_value::commit_timestamp::Template;
use weir_value::json::{self, Bounds};
use weir_value::limits::{FUNCTION_ARGS_BYTES_MAX, FUNCTION_RESULT_BYTES_MAX, VALUE_ALONE_BYTES};
use weir_value::{FunctionPath, Timestamp, Validator, Value};

use crate::error::Failure;
use crate::transaction::SeenTables;
use crate::{
    Access, CallError, Deployment, FunctionError, FunctionInfo, FunctionKind, Functions, LogLevel, Principal,
    ReadSet, Teardown, Transaction, Visibility,
};

/// A call of a function, as a client asked for it.
#[derive(Debug, Clone)]
pub struct Call {
    /// Which function.
    pub path: FunctionPath,
    /// Its arguments, one JSON object, as sent: any spelling of it.
    pub args: Bytes,
    /// On whose behalf.
    pub principal: Principal,
    /// The request's id, as it stands in error messages and in the log.
    pub request_id: String,
}

impl Call {
    /// The time of its run, and what is logged in it.
    pub(crate) fn span(&self) -> tracing::Span {
        tracing::debug_span!(target: "weir::call", "call", path = %self.path, request = self.request_id)
    }
}

/// How a query ended.
#[derive(Debug, Clone)]
pub struct QueryOutcome {
    /// Its result, canonical JSON.
    pub result: Result<Bytes, CallError>,
    /// What it logged: `[LEVEL] text`.
    pub log_lines: Vec<String>,
    /// What the result, or the error, depends on.
    pub read_set: ReadSet,
    /// Where the page ends that it read, for [`Database::query_again`](crate::Database::query_again). `None`: it read
    /// none.
    pub journal: Option<String>,
    /// Whether the function, or one that it called, asked who calls. If not, the outcome is the same for everybody who
    /// may call it.
    pub asked_identity: bool,
    /// The timestamp of the snapshot that it read.
    pub ts: Timestamp,
}

/// How a mutation ended.
#[derive(Debug, Clone)]
pub struct MutationOutcome {
    /// Its result, canonical JSON.
    pub result: Result<Bytes, CallError>,
    /// Its commit, which is sequenced and perhaps not durable yet. A mutation that failed or wrote nothing has
    /// the timestamp that it read; one whose failure says nothing of the data, as that of a store that takes no writes,
    /// has [`Timestamp::ZERO`]. Answer once the store's durable timestamp has reached it.
    pub ts: Timestamp,
    /// What it logged: `[LEVEL] text`. Nothing, where the timestamp is zero.
    pub log_lines: Vec<String>,
    /// Answered from the record of an earlier run.
    pub replayed: bool,
    /// How long its caller should wait before it calls another one: it has written much, or was refused because others
    /// have, and memory fills faster than it is flushed. Hold no thread meanwhile.
    pub pause: Duration,
}

/// A call whose function is known.
pub(crate) struct Resolved {
    pub(crate) info: Arc<FunctionInfo>,
    pub(crate) functions: Arc<dyn Functions>,
}

/// Finds the function of a call among a deployment's, for a caller that may see it and as what it is.
pub(crate) fn resolve_deployed(
    call: &Call,
    deployment: &Arc<dyn Deployment>,
    called_as: FunctionKind,
) -> Result<Resolved, Failure> {
    let access = call.principal.access();
    let info =
        deployment.find(&call.path).ok_or_else(|| absence(&**deployment, &call.path, &call.principal))?;
    if !access.sees(info.visibility) || !(call.path.component().is_app() || access.sees_components()) {
        return Err(not_found(&call.principal));
    }
    if info.kind != called_as {
        return Err(Failure::WrongKind { is: info.kind, called_as });
    }
    match access.may_call(info.kind) {
        true => Ok(Resolved { info, functions: deployment.clone() }),
        false => Err(Failure::KeyScope),
    }
}

/// Why a function is not there: it is missing, or there never was one that this caller may know of.
pub(crate) fn absence(deployment: &dyn Deployment, path: &FunctionPath, principal: &Principal) -> Failure {
    let access = principal.access();
    let is_open = path.component().is_app() || access.sees_components();
    let is_seen = |visibility: Option<Visibility>| is_open && visibility.is_none_or(|it| access.sees(it));
    match deployment.missing(path) {
        Some(missing) if is_seen(missing.visibility) => Failure::Missing(missing),
        _ => not_found(principal),
    }
}

fn not_found(principal: &Principal) -> Failure {
    Failure::NotFound { to_admin: principal.is_admin() || principal.access() == Access::All }
}

/// Runs a function in a transaction: its arguments are checked before, its result after.
pub(crate) fn run(
    resolved: &Resolved,
    call: &Call,
    mut tx: Transaction,
    teardown: &mut Teardown,
) -> (Transaction, Result<Bytes, Failure>) {
    let args = match check_args(&resolved.info, &call.args, &mut tx) {
        Ok(args) => args,
        Err(failure) => return (tx, Err(failure)),
    };
    let (mut tx, returned) = resolved.functions.run(&resolved.info, &args, tx, teardown);
    let result = match (tx.poisoned(), returned) {
        (Some(error), _) => Err(Failure::Poisoned(error.clone())),
        (None, Err(error)) => Err(Failure::Function(error)),
        (None, Ok(json)) => check_result(&resolved.info, &json, &mut tx),
    };
    (tx, result)
}

/// Does what takes a value of so many bytes of JSON apart: a large one when no other large one is. As a tree it takes several
/// times as much memory, and as many threads as there are would have one each.
fn alone_if_large<T>(bytes: usize, work: impl FnOnce() -> T) -> T {
    static LARGE: Mutex<()> = Mutex::new(());
    let _turn = (bytes > VALUE_ALONE_BYTES).then(|| LARGE.lock());
    work()
}

/// Checks arguments against their validator; gives them in their canonical form.
pub(crate) fn check_args(info: &FunctionInfo, json: &[u8], tx: &mut Transaction) -> Result<Bytes, Failure> {
    alone_if_large(json.len(), || check_args_now(info, json, tx))
}

fn check_args_now(info: &FunctionInfo, json: &[u8], tx: &mut Transaction) -> Result<Bytes, Failure> {
    if json.len() > FUNCTION_ARGS_BYTES_MAX {
        return Err(Failure::Arguments(format!(
            "the arguments are larger than the {FUNCTION_ARGS_BYTES_MAX} bytes that are allowed."
        )));
    }
    if json.starts_with(b"{")
        && let Some(args) = accepted(&info.args, json, tx)?
    {
        return Ok(args);
    }
    let args = Value::from_json(json)
        .map_err(|error| Failure::Arguments(format!("the arguments cannot be read: {error}")))?;
    if args.as_object().is_none() {
        return Err(Failure::Arguments(
            "the arguments are not an object; pass one object with named fields.".into(),
        ));
    }
    let checked = info.args.check(&args, &SeenTables::new(tx));
    not_poisoned(tx)?;
    checked.map_err(|error| Failure::Arguments(error.to_string()))?;
    Ok(args.to_json_bytes().into())
}

/// Checks a result against its validator; gives it in its canonical form.
pub(crate) fn check_result(info: &FunctionInfo, text: &[u8], tx: &mut Transaction) -> Result<Bytes, Failure> {
    alone_if_large(text.len(), || check_result_now(info, text, tx))
}

fn check_result_now(info: &FunctionInfo, text: &[u8], tx: &mut Transaction) -> Result<Bytes, Failure> {
    if text.len() > FUNCTION_RESULT_BYTES_MAX {
        return Err(Failure::ResultTooLarge);
    }
    if let Some(result) = accepted(&info.returns, text, tx)? {
        return Ok(result);
    }
    let invalid = |message: String| Failure::Function(FunctionError::InvalidResult { message });
    let commit_timestamp = tx.may_return_placeholders(info.kind);
    let value = json::parse_within(text, Bounds { commit_timestamp, ..Bounds::VALUE })
        .map_err(|error| invalid(error.to_string()))?;
    let checked = info.returns.check(&value, &SeenTables::new(tx));
    not_poisoned(tx)?;
    checked.map_err(|error| Failure::Returns(error.to_string()))?;
    let canonical = value.to_json_bytes();
    let mut size_bytes = canonical.len();
    if value.has_commit_timestamp() {
        tx.note_placeholder_in_result();
        size_bytes = Template::of_json(&canonical).map_or(size_bytes, |template| template.size_bytes());
    }
    match size_bytes <= FUNCTION_RESULT_BYTES_MAX {
        true => Ok(canonical.into()),
        false => Err(Failure::ResultTooLarge),
    }
}

/// The text, if it is seen without making a value of it that it is canonical and what is wanted.
fn accepted(wanted: &Validator, text: &[u8], tx: &mut Transaction) -> Result<Option<Bytes>, Failure> {
    let is_accepted = wanted.accepts_text(text, &[], &SeenTables::new(tx));
    not_poisoned(tx)?;
    Ok(is_accepted.then(|| Bytes::copy_from_slice(text)))
}

fn not_poisoned(tx: &Transaction) -> Result<(), Failure> {
    match tx.poisoned() {
        Some(error) => Err(Failure::Poisoned(error.clone())),
        None => Ok(()),
    }
}

/// Passes a call's lines on to the host's log, and gives them as the caller gets them.
pub(crate) fn emit_log(call: &Call, lines: Vec<(LogLevel, String)>) -> Vec<String> {
    let emit = |(level, line): (LogLevel, String)| {
        let (path, request) = (&call.path, call.request_id.as_str());
        match level {
            LogLevel::Debug => tracing::debug!(target: "weir::function", %path, request, "{line}"),
            LogLevel::Info | LogLevel::Log => {
                tracing::info!(target: "weir::function", %path, request, "{line}")
            }
            LogLevel::Warn => tracing::warn!(target: "weir::function", %path, request, "{line}"),
            LogLevel::Error => tracing::error!(target: "weir::function", %path, request, "{line}"),
        }
        line
    };
    lines.into_iter().map(emit).collect()
}

/// What the client gets of a failure; the operator's part goes into the host's log.
pub(crate) fn report(call: &Call, failure: Failure) -> CallError {
    if let Some(message) = failure.operator_message() {
        let (path, request) = (&call.path, call.request_id.as_str());
        match failure.is_overload() {
            // As many as anybody calls: a function's lines are bounded.
            true => {
                tracing::error!(target: "weir::function", %path, request, "a call was refused: {message}")
            }
            false => tracing::error!(target: "weir::db", %path, request, "the host failed a call: {message}"),
        }
    }
    failure.into_call_error(&call.path, &call.request_id)
}
