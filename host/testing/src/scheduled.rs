//! Scheduled functions in a test: they are called when the test lets the clock come to their time.

use std::time::Duration;

use bytes::Bytes;
use weir_db::{CallError, JobStep, MutationOutcome, PasswordResults, ScheduledJob, Teardown, VariablesError};
use weir_store::Env;
use weir_value::{DocumentId, FunctionPath, Timestamp};

use crate::{TestDatabase, TestError, timestamp, without_prefix};

/// After so many, one that schedules itself again at once is taken for one that never ends.
const RUNS_MAX: usize = 1_000;

/// What came of a job, and what it logged.
type JobOutcome = (Result<Bytes, CallError>, Vec<String>);

/// A scheduled function that was called.
#[derive(Debug, Clone)]
pub struct ScheduledRun {
    /// Its document in `_scheduled_functions`, which has the error too.
    pub id: DocumentId,
    /// The function.
    pub path: FunctionPath,
    /// Its arguments, one object in canonical JSON.
    pub args: Bytes,
    /// Its result, canonical JSON; or the error, whose message is what a client reads without the request's id.
    pub result: Result<Bytes, CallError>,
    /// What it logged: `[LEVEL] text`.
    pub log_lines: Vec<String>,
}

impl TestDatabase {
    /// Lets the clock go on, and has those scheduled functions called that are due by then, each at its time, in the order
    /// of the times; those too that they schedule. Gives what came of them.
    ///
    /// # Errors
    /// The store in memory cannot be read; or functions schedule others without end.
    pub fn advance(&self, duration: Duration) -> Result<Vec<ScheduledRun>, TestError> {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        let until = Timestamp::from_nanos(self.env.now().as_nanos().saturating_add(nanos));
        let runs = self.run_due(millis(until))?;
        if let Some(rest) = until.since_epoch().checked_sub(self.env.now().since_epoch()) {
            self.env.advance(rest);
        }
        Ok(runs)
    }

    /// Has scheduled functions called until none waits; the clock goes on to their times. Gives what came of them.
    ///
    /// # Errors
    /// As for [`TestDatabase::advance`].
    pub fn finish_scheduled(&self) -> Result<Vec<ScheduledRun>, TestError> {
        self.run_due(f64::INFINITY)
    }

    /// Calls what is due until then, one after the other.
    fn run_due(&self, until_ms: f64) -> Result<Vec<ScheduledRun>, TestError> {
        let mut runs = Vec::new();
        while let Some(job) = self.next_job(until_ms)? {
            if runs.len() == RUNS_MAX {
                return Err(TestError::EndlessSchedule(job.call.path.to_string()));
            }
            let due = timestamp(job.due_ms)?;
            if let Some(wait) = due.since_epoch().checked_sub(self.env.now().since_epoch()) {
                self.env.advance(wait);
            }
            runs.push(self.run_job(job)?);
            self.env.advance(self.tick);
        }
        Ok(runs)
    }

    fn next_job(&self, until_ms: f64) -> Result<Option<ScheduledJob>, TestError> {
        let failed = |error: &dyn std::fmt::Display| TestError::Store(error.to_string());
        // Only what is durable is due; in memory that takes no time.
        self.store.wait_durable(self.store.sequenced()).map_err(|error| failed(&error))?;
        let due = self.db.due_jobs(0.0, until_ms, 1, &|_| false).map_err(|error| failed(&error))?;
        Ok(due.jobs.into_iter().next())
    }

    fn run_job(&self, job: ScheduledJob) -> Result<ScheduledRun, TestError> {
        let (result, log_lines) = match self.db.is_action_job(&job) {
            true => self.action_job_outcome(&job)?,
            false => {
                let outcome = self.job_outcome(&job)?;
                (outcome.result, outcome.log_lines)
            }
        };
        let result = result.map_err(without_prefix);
        Ok(ScheduledRun { id: job.id, path: job.call.path, args: job.call.args, result, log_lines })
    }

    /// Runs an action to its end, between what is written of its job as a host writes it.
    fn action_job_outcome(&self, job: &ScheduledJob) -> Result<JobOutcome, TestError> {
        let failed = |error: VariablesError| TestError::Store(error.to_string());
        self.db.begin_action_job(&job.id).map_err(failed)?;
        let outcome = self.run_action(job.call.clone())?;
        let error = outcome.result.as_ref().err().map(|error| error.own_message().to_owned());
        self.db.end_action_job(&job.id, error.as_deref()).map_err(failed)?;
        Ok((outcome.result, outcome.log_lines))
    }

    /// Runs a job to its end; passwords on this thread.
    fn job_outcome(&self, job: &ScheduledJob) -> Result<MutationOutcome, TestError> {
        let mut passwords = PasswordResults::default();
        loop {
            match self.db.step_job(job, &mut passwords, &mut Teardown::default()) {
                JobStep::Ended(outcome) => return Ok(outcome),
                JobStep::Waits(work) => passwords.add(work.run()),
                JobStep::Refused(outcome) => {
                    let why = outcome.result.err().map(|error| error.message).unwrap_or_default();
                    return Err(TestError::Store(why));
                }
            }
        }
    }
}

fn millis(time: Timestamp) -> f64 {
    time.since_epoch().as_secs_f64() * 1e3
}
