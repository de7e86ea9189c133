//! Which jobs are due, and when the next one is.
use std::sync::Arc;

use bytes::Bytes;
use weir_store::{Direction, ReadError, Snapshot};
use weir_value::{DocumentId, FunctionPath};

use super::{ScheduledJob, StoredJob};
use crate::crons::{self, CronJob};
use crate::{Call, Database, Principal, keyspace, system_tables};

/// So many keys are looked at, at once.
const PIECE_ROWS: usize = 256;

/// What is due.
#[derive(Debug, Default)]
pub struct DueJobs {
    /// The jobs.
    pub jobs: Vec<ScheduledJob>,
    /// When the first job is due that waits, one that was taken included; `None`: none waits. Like every time here, in
    /// milliseconds since the epoch.
    pub first_ms: Option<f64>,
    /// When the first is due that is neither taken nor among `jobs`.
    pub next_ms: Option<f64>,
}

/// The earliest time at which a job is due whose waiting begins or ends with these changed keys.
pub fn earliest_due_job<'a>(keys: impl Iterator<Item = &'a Bytes>) -> Option<f64> {
    let components = keyspace::documents(system_tables::COMPONENTS);
    let due_ms = |key: &Bytes| match keyspace::is_due_job(key) {
        true => keyspace::job_in_key(key).map(|(due_ms, _)| due_ms),
        // What one has scheduled that is mounted again may be due since any time.
        false => components.contains(key).then_some(0.0),
    };
    keys.filter_map(due_ms).reduce(f64::min)
}

impl Database {
    /// Whether this is the id of a cron job, and not of a function that was scheduled.
    pub fn is_cron_job(&self, id: &DocumentId) -> bool {
        crons::is_cron(id)
    }

    /// The jobs that wait durably, are due at `now_ms`, and not before `from_ms`, without those that `is_taken` knows:
    /// those that are due for the longest time first, `limit` at most. Those of a component that is mounted no longer wait
    /// for it, as if there were none.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn due_jobs(
        &self,
        from_ms: f64,
        now_ms: f64,
        limit: usize,
        is_taken: &dyn Fn(&DocumentId) -> bool,
    ) -> Result<DueJobs, ReadError> {
        let snapshot = self.store().snapshot_durable();
        let components = self.deployments.at(snapshot.ts()).components.clone();
        let mut due = DueJobs::default();
        let mut rest = keyspace::due_jobs_from(from_ms);
        loop {
            let rows = snapshot.scan(&rest.start, &rest.end, Direction::Ascending, PIECE_ROWS)?;
            for (key, _) in &rows {
                let Some((due_ms, id)) = keyspace::job_in_key(key) else { continue };
                if components.holds_job(&id) {
                    continue;
                }
                due.first_ms.get_or_insert(due_ms);
                if is_taken(&id) {
                    continue;
                }
                if due_ms > now_ms || due.jobs.len() == limit {
                    due.next_ms = Some(due_ms);
                    return Ok(due);
                }
                due.jobs.extend(job_at(&snapshot, id, due_ms)?);
            }
            match rows.last() {
                Some((last, _)) if rows.len() == PIECE_ROWS => rest.start = keyspace::successor(last),
                _ => return Ok(due),
            }
        }
    }
}

/// A job as it is to be run. One that cannot be read is told of, and stays.
fn job_at(snapshot: &Snapshot, id: DocumentId, due_ms: f64) -> Result<Option<ScheduledJob>, ReadError> {
    let document = snapshot.get(&keyspace::document_key(&id))?;
    let called = document.and_then(|document| match crons::is_cron(&id) {
        true => called_by_cron(&document),
        false => called_by_job(&document),
    });
    let Some((path, args, cron)) = called else {
        tracing::error!(target: "weir::db", %id, "a scheduled function cannot be read; `host check` says more");
        return Ok(None);
    };
    let call = Call { path, args, principal: Principal::System, request_id: id.to_string() };
    Ok(Some(ScheduledJob { id, due_ms, call, cron }))
}

/// The function, its arguments, and the name of the cron job.
type Called = (FunctionPath, Bytes, Option<Arc<str>>);

fn called_by_job(document: &[u8]) -> Option<Called> {
    let job = StoredJob::decode(document)?;
    Some((job.path()?, Bytes::copy_from_slice(job.args.0.get().as_bytes()), None))
}

fn called_by_cron(document: &[u8]) -> Option<Called> {
    let job = CronJob::decode(document)?;
    Some((job.function().clone(), Bytes::copy_from_slice(job.args()), Some(job.name().into())))
}
