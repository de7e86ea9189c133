//! A run of a cron job, from its due time to its end, in transactions.
use bytes::Bytes;
use weir_value::DocumentId;

use super::deploy::damaged;
use super::{CronJob, CronStatus, LateRuns};
use crate::{DbError, LogLevel, ScheduledJob, Transaction, keyspace};

impl Transaction {
    /// The cron job of this id, if it is there.
    fn cron(&mut self, id: &DocumentId) -> Result<Option<CronJob>, DbError> {
        let Some(document) = self.read_uncounted(keyspace::document_key(id))? else { return Ok(None) };
        CronJob::decode(&document).map(Some).ok_or_else(damaged)
    }

    /// A cron job that is to be run now; `None` if it has been, or is to be run otherwise since the scheduler saw it.
    pub(crate) fn find_cron(&mut self, job: &ScheduledJob) -> Result<Option<CronJob>, DbError> {
        Ok(self.cron(&job.id)?.filter(|cron| cron.is_as_taken(job)))
    }

    /// Marks a cron job as under way.
    pub(crate) fn begin_cron(&mut self, id: &DocumentId, mut job: CronJob) -> Result<(), DbError> {
        job.due_ms().into_iter().for_each(|due_ms| self.delete_key(keyspace::due_job_key(due_ms, id)));
        self.put_key(keyspace::begun_job_key(id), Bytes::new());
        job.begin();
        self.replace_system(id, &job.encode())
    }

    /// Notes the end of a run, and when the next is due.
    pub(crate) fn end_cron(
        &mut self,
        id: &DocumentId,
        mut job: CronJob,
        status: CronStatus,
    ) -> Result<Option<LateRuns>, DbError> {
        match job.due_ms() {
            Some(due_ms) => self.delete_key(keyspace::due_job_key(due_ms, id)),
            None => self.delete_key(keyspace::begun_job_key(id)),
        }
        let late = job.end(status, self.context().now_ms);
        self.write_waiting_cron(id, &job)?;
        Ok(late)
    }

    /// The same of a run that the transaction of the function itself ends: what is late is said in its log, if it counts.
    pub(crate) fn succeed_cron(&mut self, id: &DocumentId, job: CronJob) -> Result<(), DbError> {
        if let Some(late) = self.end_cron(id, job, CronStatus::Success)? {
            self.log(LogLevel::Warn, &late.told());
        }
        Ok(())
    }

    /// The same of an action; nothing, if the job is gone or not under way.
    pub(crate) fn end_begun_cron(
        &mut self,
        id: &DocumentId,
        status: CronStatus,
    ) -> Result<Option<LateRuns>, DbError> {
        match self.cron(id)? {
            Some(job) if job.due_ms().is_none() => self.end_cron(id, job, status),
            _ => Ok(None),
        }
    }

    /// Writes a job whose due time has changed; the key of the old one is deleted already.
    pub(super) fn write_waiting_cron(&mut self, id: &DocumentId, job: &CronJob) -> Result<(), DbError> {
        self.put_key(keyspace::due_job_key(job.stored.next_run, id), Bytes::new());
        self.replace_system(id, &job.encode())
    }
}
