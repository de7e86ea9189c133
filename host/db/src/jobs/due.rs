//! Which jobs are due, and when the next one is.
use weir_store::{Direction, ReadError, Snapshot};
use weir_value::DocumentId;

use super::{ScheduledJob, StoredJob};
use crate::{Call, Database, Principal, keyspace};

/// So many keys are looked at, at once.
const PIECE_ROWS: usize = 256;

impl Database {
    /// The jobs that are due at `now_ms`, the longest first, without those that `is_under_way` knows: `limit` at most. And
    /// when the first of the rest is due, in milliseconds since the epoch; `None`: there is none.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn due_jobs(
        &self,
        now_ms: f64,
        limit: usize,
        is_under_way: &dyn Fn(&DocumentId) -> bool,
    ) -> Result<(Vec<ScheduledJob>, Option<f64>), ReadError> {
        let snapshot = self.store().snapshot_durable();
        let mut jobs = Vec::new();
        let mut rest = keyspace::due_jobs();
        loop {
            let rows = snapshot.scan(&rest.start, &rest.end, Direction::Ascending, PIECE_ROWS)?;
            for (key, _) in &rows {
                let Some((due_ms, id)) = keyspace::job_in_key(key) else { continue };
                if is_under_way(&id) {
                    continue;
                }
                if due_ms > now_ms || jobs.len() == limit {
                    return Ok((jobs, Some(due_ms)));
                }
                jobs.extend(job_at(&snapshot, id, due_ms)?);
            }
            match rows.last() {
                Some((last, _)) if rows.len() == PIECE_ROWS => rest.start = keyspace::successor(last),
                _ => return Ok((jobs, None)),
            }
        }
    }
}

/// A job as it is to be run. One that cannot be read is told of, and stays.
fn job_at(snapshot: &Snapshot, id: DocumentId, due_ms: f64) -> Result<Option<ScheduledJob>, ReadError> {
    let document = snapshot.get(&keyspace::document_key(&id))?;
    let job = document.and_then(|document| StoredJob::decode(&document));
    let Some((job, path)) = job.and_then(|job| job.path().map(|path| (job, path))) else {
        tracing::error!(target: "weir::db", %id, "a scheduled function cannot be read; `host check` says more");
        return Ok(None);
    };
    let call = Call {
        path,
        args: job.args.0.get().as_bytes().to_vec().into(),
        principal: Principal::System,
        request_id: id.to_string(),
    };
    Ok(Some(ScheduledJob { id, due_ms, call }))
}
