//! Scheduling and cancelling, as a part of the transaction of a function.
use bytes::Bytes;
use serde_json::value::RawValue;
use weir_value::limits::{
    SCHEDULED_ARGS_BYTES_MAX, SCHEDULED_ARGS_BYTES_TOTAL_MAX, SCHEDULED_FUNCTIONS_MAX, SCHEDULED_MS_MAX,
};
use weir_value::{DocumentId, ErrorCode, FunctionPath, TableNumber, Value};

use super::Transaction;
use crate::jobs::{JobState, StoredJob};
use crate::{DbError, FunctionKind, keyspace, system_tables};

/// What a transaction has scheduled so far.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ScheduledCalls {
    pub(super) count: usize,
    pub(super) args_bytes: usize,
}

impl Transaction {
    /// Has a mutation or an action called at a time in milliseconds since the epoch, as nobody in particular, and gives the id of the
    /// job. A time that has passed means at once, which is after this transaction. `args` is one JSON object, in any
    /// spelling; whether the function takes it is seen when it is called.
    ///
    /// # Errors
    /// `ReadOnly` in a query; `FunctionNotFound`, `WrongFunctionKind`; `InvalidArguments`, `InvalidTime`;
    /// `TooManyScheduled`, which poisons; and the limits of writes.
    pub fn schedule(&mut self, path: &str, args: &[u8], at_ms: f64) -> Result<String, DbError> {
        self.count_host_call()?;
        self.writable()?;
        let path = self.schedulable(path)?;
        let at_ms = check_time(at_ms, self.context().now_ms)?;
        let args = check_args(&path, args)?;
        let added = self.scheduled.add(args.get().len());
        self.or_poison(added)?;
        let job = StoredJob::new(&path, args, at_ms);
        let id = self.insert_system(self.jobs_table(), &job.encode())?;
        self.put_key(keyspace::due_job_key(at_ms, &id), Bytes::new());
        Ok(id.to_string())
    }

    /// Takes a job back. One that has begun, or has come to its end, is left as it is.
    ///
    /// # Errors
    /// `ReadOnly`; `InvalidId`: not the id of a job; `NotFound`: it was dropped, some time after its end.
    pub fn cancel_scheduled(&mut self, id: &str) -> Result<(), DbError> {
        self.count_host_call()?;
        self.writable()?;
        let table = self.jobs_table();
        let id = DocumentId::parse(id).ok().filter(|id| id.table == table);
        let id = id.ok_or_else(|| {
            let message =
                "This is not the id of a scheduled function: it is what `runAfter` and `runAt` give.";
            DbError::new(ErrorCode::InvalidId, message)
        })?;
        let job = self.job(&id)?.ok_or_else(|| {
            DbError::new(ErrorCode::NotFound, format!("There is no scheduled function `{id}` any more."))
        })?;
        match job.state {
            JobState::Pending => self.end_job(&id, job, JobState::Canceled),
            _ => Ok(()),
        }
    }

    /// Where the jobs are that functions of this one's component schedule, whoever's function they call.
    fn jobs_table(&self) -> TableNumber {
        system_tables::of(self.namespace, system_tables::SCHEDULED_FUNCTIONS)
    }

    /// The job of this id, if it is there.
    pub(crate) fn job(&mut self, id: &DocumentId) -> Result<Option<StoredJob>, DbError> {
        let Some(document) = self.read_point(keyspace::document_key(id))? else { return Ok(None) };
        let job = StoredJob::decode(&document).ok_or_else(|| {
            let message = "A scheduled function is damaged; restore the data folder from a backup.";
            DbError::new(ErrorCode::StorageFailed, message)
        });
        self.or_poison(job).map(Some)
    }

    /// Writes what became of a job that was pending.
    pub(crate) fn end_job(
        &mut self,
        id: &DocumentId,
        job: StoredJob,
        state: JobState,
    ) -> Result<(), DbError> {
        let now_ms = self.context().now_ms;
        self.delete_key(keyspace::due_job_key(job.scheduled_time, id));
        self.put_key(keyspace::ended_job_key(now_ms, id), Bytes::new());
        self.replace_system(id, &job.ended(state, now_ms).encode())
    }

    /// The function of this path, if it may be scheduled.
    fn schedulable(&self, path: &str) -> Result<FunctionPath, DbError> {
        let path = self.resolve_address(path)?;
        let functions = self.deployment_in_force();
        match functions.find(&path).map(|info| info.kind) {
            Some(FunctionKind::Mutation | FunctionKind::Action) => Ok(path),
            Some(kind) => Err(DbError::new(
                ErrorCode::WrongFunctionKind,
                format!(
                    "`{path}` is {}, which cannot be scheduled: schedule a mutation or an action.",
                    kind.with_article()
                ),
            )),
            // It will be there again before it is called, or the job says that it is not.
            None if functions.missing(&path).is_some() => Ok(path),
            None => Err(DbError::new(
                ErrorCode::FunctionNotFound,
                format!("There is no function `{path}` in this deployment to schedule."),
            )),
        }
    }
}

impl ScheduledCalls {
    fn add(&mut self, args_bytes: usize) -> Result<(), DbError> {
        self.count += 1;
        self.args_bytes += args_bytes;
        let message = if self.count > SCHEDULED_FUNCTIONS_MAX {
            format!(
                "Too many functions scheduled in a single function execution (limit: {SCHEDULED_FUNCTIONS_MAX}). Let \
                 one that is scheduled go on with the rest."
            )
        } else if self.args_bytes > SCHEDULED_ARGS_BYTES_TOTAL_MAX {
            format!(
                "The arguments of the functions scheduled in a single function execution are too large in all \
                 (limit: {SCHEDULED_ARGS_BYTES_TOTAL_MAX} bytes). Keep them in documents, and pass ids."
            )
        } else {
            return Ok(());
        };
        Err(DbError::new(ErrorCode::TooManyScheduled, message))
    }
}

/// A time that a job can have.
fn check_time(at_ms: f64, now_ms: f64) -> Result<f64, DbError> {
    let error = |message: String| Err(DbError::new(ErrorCode::InvalidTime, message));
    if !at_ms.is_finite() || at_ms < 0.0 {
        return error(format!("{at_ms} is not a time, in milliseconds since 1970, to call a function at."));
    }
    match at_ms <= now_ms + SCHEDULED_MS_MAX {
        true => Ok(at_ms),
        false => error("A function cannot be scheduled more than five years ahead.".to_owned()),
    }
}

/// The arguments of a function that is called later, one JSON object in any spelling, as they are stored.
pub(crate) fn check_args(path: &FunctionPath, args: &[u8]) -> Result<Box<RawValue>, DbError> {
    let error = |message: String| DbError::new(ErrorCode::InvalidArguments, message);
    if args.len() > SCHEDULED_ARGS_BYTES_MAX {
        return Err(error(format!(
            "The arguments for `{path}` are {} bytes; at most {SCHEDULED_ARGS_BYTES_MAX} are allowed for a scheduled \
             function. Keep them in a document, and pass its id.",
            args.len()
        )));
    }
    let value = Value::from_json(args)
        .map_err(|why| error(format!("The arguments for `{path}` cannot be read: {why}")))?;
    if value.as_object().is_none() {
        let message = format!("The arguments for `{path}` are not an object; pass one with named fields.");
        return Err(error(message));
    }
    let canonical = String::from_utf8(value.to_json_bytes()).map_err(|why| error(why.to_string()))?;
    RawValue::from_string(canonical).map_err(|why| error(why.to_string()))
}
