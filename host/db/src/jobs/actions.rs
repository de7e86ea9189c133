//! Jobs that are actions: begun once, whatever becomes of them.
use weir_store::Direction;
use weir_value::{DocumentId, Timestamp};

use super::{JobState, ScheduledJob, Stored, StoredJob};
use crate::crons::{self, CronStatus, LateRuns};
use crate::{CommitError, Database, DbError, FunctionKind, Transaction, VariablesError, keyspace};

/// So many are marked in one commit.
const STEP_JOBS: usize = 256;

/// What an action that was under way has failed of.
const INTERRUPTED: &str = "The host ended while the action was under way; what it had done by then is done.";

impl Database {
    /// Whether a job is an action, as far as is deployed.
    pub fn is_action_job(&self, job: &ScheduledJob) -> bool {
        let functions = self.deployments.newest().deployment.clone();
        functions.find(&job.call.path).is_some_and(|info| info.kind == FunctionKind::Action)
    }

    /// Marks a job as begun, if it waits still; when the timestamp is durable it may begin. `None`: it has run, was
    /// cancelled or dropped.
    ///
    /// # Errors
    /// The store cannot be read or takes no writes.
    pub fn begin_action_job(&self, job: &ScheduledJob) -> Result<Option<Timestamp>, VariablesError> {
        self.write_job(|tx| match tx.find_job(job)? {
            Some(Stored::Scheduled(stored)) => tx.begin_job(&job.id, stored).map(|()| true),
            Some(Stored::Cron(cron)) => tx.begin_cron(&job.id, cron).map(|()| true),
            None => Ok(false),
        })
    }

    /// Marks an action that has begun as done, or as failed with this error.
    ///
    /// # Errors
    /// The store cannot be read or takes no writes.
    pub fn end_action_job(
        &self,
        id: &DocumentId,
        error: Option<&str>,
    ) -> Result<Option<Timestamp>, VariablesError> {
        let mut late = None;
        let written = self.write_job(|tx| {
            late = tx.end_begun(id, error)?;
            Ok(true)
        })?;
        late.iter().for_each(crons::warn_of);
        Ok(written)
    }

    /// Marks actions as failed that were under way when the host ended. To be called before any begins.
    ///
    /// # Errors
    /// The store cannot be read or takes no writes.
    pub fn fail_interrupted_jobs(&self) -> Result<usize, VariablesError> {
        let mut failed = 0;
        loop {
            let all = keyspace::begun_jobs();
            let snapshot = self.store().snapshot_sequenced();
            let rows = snapshot.scan(&all.start, &all.end, Direction::Ascending, STEP_JOBS)?;
            let ids: Vec<_> = rows.iter().filter_map(|(key, _)| keyspace::begun_job_in_key(key)).collect();
            if ids.is_empty() {
                return Ok(failed);
            }
            let mut late = Vec::new();
            self.write_job(|tx| {
                for id in &ids {
                    late.extend(tx.end_begun(id, Some(INTERRUPTED))?);
                }
                Ok(true)
            })?;
            late.iter().for_each(crons::warn_of);
            failed += ids.len();
        }
    }

    /// Commits what `write` has written, if it says that there is something.
    pub(crate) fn write_job(
        &self,
        write: impl FnOnce(&mut Transaction) -> Result<bool, DbError>,
    ) -> Result<Option<Timestamp>, VariablesError> {
        let mut gate = self.committer.enter();
        let opened = self.committer.open();
        let mut tx = self.begin_system(opened.snapshot.clone());
        // The arguments of a job may be larger than what a function may write.
        if !tx.uncounted(write)? {
            return Ok(None);
        }
        let draft = tx.into_draft().0;
        let sequenced = gate.sequence_unstamped(draft.changes, &draft.counts).map_err(CommitError::from)?;
        Ok(Some(sequenced))
    }
}

impl Transaction {
    fn begin_job(&mut self, id: &DocumentId, job: StoredJob) -> Result<(), DbError> {
        self.delete_key(keyspace::due_job_key(job.scheduled_time, id));
        self.put_key(keyspace::begun_job_key(id), bytes::Bytes::new());
        self.replace_system(id, &StoredJob { state: JobState::InProgress, ..job }.encode())
    }

    /// Marks an action as ended that has begun; gives which runs of a cron job were late by then.
    fn end_begun(&mut self, id: &DocumentId, error: Option<&str>) -> Result<Option<LateRuns>, DbError> {
        if crons::is_cron(id) {
            let failed = |error: &str| CronStatus::Failed { error: error.to_owned() };
            return self.end_begun_cron(id, error.map_or(CronStatus::Success, failed));
        }
        self.end_begun_job(id, error).map(|()| None)
    }

    fn end_begun_job(&mut self, id: &DocumentId, error: Option<&str>) -> Result<(), DbError> {
        self.delete_key(keyspace::begun_job_key(id));
        let Some(job) = self.job(id)?.filter(|job| job.state == JobState::InProgress) else {
            return Ok(());
        };
        let state = error.map_or(JobState::Success, |error| JobState::Failed { error: error.to_owned() });
        let now_ms = self.context().now_ms;
        self.put_key(keyspace::ended_job_key(now_ms, id), bytes::Bytes::new());
        self.replace_system(id, &job.ended(state, now_ms).encode())
    }
}
