//! Running a job, and what becomes of it.
use std::error::Error;
use std::fmt;
use std::sync::Arc;

use weir_value::DocumentId;

use super::{JobState, StoredJob};
use crate::crons::{self, CronJob, CronStatus, LateRuns};
use crate::mutation::Origin;
use crate::passwords::{PasswordResults, PasswordWork};
use crate::{Call, Database, DbError, MutationOutcome, MutationStep, Teardown, Transaction};

/// A job that is due.
#[derive(Debug, Clone)]
pub struct ScheduledJob {
    /// Its document.
    pub id: DocumentId,
    /// When it is due, in milliseconds since the epoch.
    pub due_ms: f64,
    /// What is to be called.
    pub call: Call,
    /// The name of the cron job that it is a run of; `None`: it was scheduled.
    pub cron: Option<Arc<str>>,
}

/// How far a job has come.
#[derive(Debug)]
pub enum JobStep {
    /// It has run, or is not to be run any more: that was sequenced.
    Ended(MutationOutcome),
    /// The store takes no writes just now; it is still to be run.
    Refused(MutationOutcome),
    /// It waits for a password, as [`MutationStep::Waits`] does.
    Waits(PasswordWork),
}

/// What is stored of a job.
pub(crate) enum Stored {
    Scheduled(StoredJob),
    Cron(CronJob),
}

impl fmt::Display for ScheduledJob {
    /// For the log: what it is, and what it calls.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cron {
            Some(name) => write!(f, "the cron job `{name}`, which calls `{}`,", self.call.path),
            None => write!(f, "the scheduled function `{}`", self.call.path),
        }
    }
}

impl ScheduledJob {
    /// Whether it is a run of a cron job, which will have others.
    pub fn is_cron(&self) -> bool {
        self.cron.is_some()
    }
}

impl Database {
    /// Runs a job that is a mutation on the calling thread, unless it was run or cancelled meanwhile. It is marked as done in its own
    /// transaction, and as failed in one after that.
    pub fn step_job(
        &self,
        job: &ScheduledJob,
        passwords: &mut PasswordResults,
        teardown: &mut Teardown,
    ) -> JobStep {
        let outcome = match self.step_mutation_of(&job.call, Origin::Job(job), passwords, teardown) {
            MutationStep::Waits(work) => return JobStep::Waits(work),
            MutationStep::Ended(outcome) => outcome,
        };
        match &outcome.result {
            Ok(_) => JobStep::Ended(outcome),
            Err(error) if error.retryable => JobStep::Refused(outcome),
            Err(error) => match self.fail_job(job, error.own_message()) {
                Ok(()) => JobStep::Ended(outcome),
                Err(why) => {
                    tracing::warn!(target: "weir::db", id = %job.id, %why, "cannot note that a scheduled function failed");
                    JobStep::Refused(outcome)
                }
            },
        }
    }

    /// Marks a pending job as failed.
    fn fail_job(&self, job: &ScheduledJob, error: &str) -> Result<(), Box<dyn Error>> {
        let mut gate = self.committer.enter();
        let opened = self.committer.open();
        let mut tx = self.begin_system(opened.snapshot.clone());
        let Some(stored) = tx.find_job(job)? else { return Ok(()) };
        let late = tx.fail_job(&job.id, stored, error)?;
        let draft = tx.into_draft().0;
        gate.sequence_unstamped(draft.changes, &draft.counts)?;
        late.iter().for_each(crons::warn_of);
        Ok(())
    }
}

impl Transaction {
    /// Looks at a job that is to be run; `None`: somebody has run it, cancelled it, dropped it, or deployed it otherwise, or
    /// it waits for its component. Looking is a read: who cancels it meanwhile conflicts with the run.
    pub(crate) fn find_job(&mut self, job: &ScheduledJob) -> Result<Option<Stored>, DbError> {
        if self.deployed().components.holds_job(&job.id) {
            return Ok(None);
        }
        if job.is_cron() {
            return Ok(self.find_cron(job)?.map(Stored::Cron));
        }
        let found = self.job(&job.id)?.filter(|job| job.state == JobState::Pending);
        Ok(found.map(Stored::Scheduled))
    }

    fn fail_job(
        &mut self,
        id: &DocumentId,
        stored: Stored,
        error: &str,
    ) -> Result<Option<LateRuns>, DbError> {
        let error = error.to_owned();
        match stored {
            Stored::Scheduled(job) => self.end_job(id, job, JobState::Failed { error }).map(|()| None),
            Stored::Cron(job) => self.end_cron(id, job, CronStatus::Failed { error }),
        }
    }

    /// Marks a job as done, in the transaction that has done it.
    pub(crate) fn succeed_job(&mut self, id: &DocumentId, stored: Stored) -> Result<(), DbError> {
        self.uncounted(|tx| match stored {
            Stored::Scheduled(job) => tx.end_job(id, job, JobState::Success),
            Stored::Cron(job) => tx.succeed_cron(id, job),
        })
    }
}
