//! Running a job, and what becomes of it.
use std::error::Error;

use weir_value::DocumentId;

use super::{JobState, StoredJob};
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

/// What a job is when its transaction looks at it.
pub(crate) enum Found {
    /// To be run.
    Pending(StoredJob),
    /// Somebody has run it, cancelled it, or dropped it.
    Over,
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
        let outcome = match self.step_mutation_of(&job.call, Origin::Job(job.id), passwords, teardown) {
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
        if let Found::Pending(stored) = tx.find_job(&job.id)? {
            tx.end_job(&job.id, stored, JobState::Failed { error: error.to_owned() })?;
            let draft = tx.into_draft().0;
            gate.sequence_unstamped(draft.changes, &draft.counts)?;
        }
        Ok(())
    }
}

impl Transaction {
    /// Looks at a job that is to be run. Looking is a read: who cancels it meanwhile conflicts with the run.
    pub(crate) fn find_job(&mut self, id: &DocumentId) -> Result<Found, DbError> {
        Ok(match self.job(id)? {
            Some(job) if job.state == JobState::Pending => Found::Pending(job),
            _ => Found::Over,
        })
    }

    /// Marks a job as done, in the transaction that has done it.
    pub(crate) fn succeed_job(&mut self, id: &DocumentId, job: StoredJob) -> Result<(), DbError> {
        self.uncounted(|tx| tx.end_job(id, job, JobState::Success))
    }
}
