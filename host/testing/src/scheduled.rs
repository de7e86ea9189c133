//! Scheduled functions and cron jobs in a test: they are called when the test lets the clock come to their
//! time.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use weir_db::{ActionOutcome, CallError, JobStep, MutationOutcome, PasswordResults, ScheduledJob, Teardown};
use weir_store::Env;
use weir_value::{DocumentId, FunctionPath, Timestamp};

use crate::actions::block_on;
use crate::host::{Host, Made, Shared};
use crate::{TestDatabase, TestError, after, timestamp, without_prefix};

/// After so many that were scheduled, one that schedules itself again at once is taken for one that never
/// ends.
const RUNS_MAX: usize = 1_000;

/// A scheduled function that was called, or a cron job.
#[derive(Debug, Clone)]
pub struct ScheduledRun {
    /// Its document in `_scheduled_functions`, or in `_cron_jobs`, which has the error too.
    pub id: DocumentId,
    /// The name of the cron job; `None`: it was scheduled.
    pub cron: Option<Arc<str>>,
    /// The function.
    pub path: FunctionPath,
    /// Its arguments, one object in canonical JSON.
    pub args: Bytes,
    /// Its result, canonical JSON; or the error, whose message is what a client reads without the request's
    /// id.
    pub result: Result<Bytes, CallError>,
    /// What it logged: `[LEVEL] text`.
    pub log_lines: Vec<String>,
    /// What an action did besides.
    pub made: Made,
}

impl TestDatabase {
    /// Lets the clock go on, and has those scheduled functions and cron jobs called that are due by then,
    /// each at its time, in the order of the times; those too that they schedule. Gives what came of those
    /// that have ended by then: an action that still waits goes on when the clock goes on again.
    ///
    /// # Errors
    /// The store in memory cannot be read; functions schedule others without end; nothing answers a request.
    pub fn advance(&self, duration: Duration) -> Result<Vec<ScheduledRun>, TestError> {
        let until = after(self.env.now(), duration);
        self.started.set(0);
        self.go_on(until, &|| false)?;
        if let Some(rest) = until.since_epoch().checked_sub(self.env.now().since_epoch()) {
            self.env.advance(rest);
        }
        self.ended_runs()
    }

    /// Has scheduled functions called until none waits or is under way; the clock goes on to their times, and
    /// cron jobs that are due by then are called too. Gives what came of them.
    ///
    /// # Errors
    /// As for [`TestDatabase::advance`].
    pub fn finish_scheduled(&self) -> Result<Vec<ScheduledRun>, TestError> {
        self.started.set(0);
        while let Some(next) = self.next_end()? {
            self.go_on(next, &|| false)?;
        }
        self.ended_runs()
    }

    /// When a scheduled function is due next, or something comes to its end that one waits for. Cron jobs
    /// wait for ever.
    fn next_end(&self) -> Result<Option<Timestamp>, TestError> {
        let job = self.next_job(f64::INFINITY, &|id| self.db.is_cron_job(id))?;
        let due = job.map(|job| timestamp(job.due_ms)).transpose()?;
        let timer = self.shared.event_loop.next_timer().filter(|_| self.shared.has_jobs_under_way());
        let timer = timer.map(|wait| after(self.env.now(), wait));
        Ok(due.into_iter().chain(timer).min())
    }

    fn ended_runs(&self) -> Result<Vec<ScheduledRun>, TestError> {
        let runs = self.shared.take_ended();
        self.shared.take_failure().map(|()| runs)
    }

    /// Calls a job at its time, or now, if that has passed; an action goes on by itself.
    pub(crate) fn start_job(&self, job: ScheduledJob) -> Result<(), TestError> {
        let due = timestamp(job.due_ms)?;
        if let Some(wait) = due.since_epoch().checked_sub(self.env.now().since_epoch()) {
            self.env.advance(wait);
        }
        self.count_run(&job)?;
        match self.db.is_action_job(&job) {
            true => self.start_action_job(job)?,
            false => {
                let outcome = self.job_outcome(&job)?;
                self.shared.job_ended(ended(job, outcome.result, outcome.log_lines, Made::default()));
            }
        }
        self.shared.tick();
        Ok(())
    }

    /// Whether another one may be called.
    fn count_run(&self, job: &ScheduledJob) -> Result<(), TestError> {
        if job.cron.is_none() {
            self.started.set(self.started.get() + 1);
        }
        match self.started.get() > RUNS_MAX {
            true => Err(TestError::EndlessSchedule(job.call.path.to_string())),
            false => Ok(()),
        }
    }

    pub(crate) fn next_job(
        &self,
        until_ms: f64,
        is_passed_over: &dyn Fn(&DocumentId) -> bool,
    ) -> Result<Option<ScheduledJob>, TestError> {
        // Only what is durable is due.
        self.shared.settle();
        let due = self.db.due_jobs(0.0, until_ms, 1, is_passed_over);
        Ok(due.map_err(|error| TestError::Store(error.to_string()))?.jobs.into_iter().next())
    }

    /// Begins an action, between what is written of its job as a host writes it.
    fn start_action_job(&self, job: ScheduledJob) -> Result<(), TestError> {
        self.db.begin_action_job(&job).map_err(|error| TestError::Store(error.to_string()))?;
        self.shared.settle();
        if let Some(host) = self.action_host.clone() {
            let outcome = block_on(self.db.clone().action(job.call.clone(), host));
            end_action_job(&self.shared, job, outcome, Made::default());
            return Ok(());
        }
        let (host, record) = Host::new(&self.shared, &job.call);
        let shared = self.shared.clone();
        let action = self.db.clone().action(job.call.clone(), host);
        self.shared.jobs_under_way.fetch_add(1, Ordering::Relaxed);
        self.shared.event_loop.spawn_to_its_end(Box::pin(async move {
            let outcome = action.await;
            end_action_job(&shared, job, outcome, record.made());
            shared.jobs_under_way.fetch_sub(1, Ordering::Relaxed);
        }));
        Ok(())
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

fn end_action_job(shared: &Shared, job: ScheduledJob, outcome: ActionOutcome, made: Made) {
    let ActionOutcome { result, log_lines } = outcome;
    let error = result.as_ref().err().map(|error| error.own_message().to_owned());
    if let Err(error) = shared.db.end_action_job(&job.id, error.as_deref()) {
        shared.fail(TestError::Store(error.to_string()));
    }
    shared.job_ended(ended(job, result, log_lines, made));
}

fn ended(
    job: ScheduledJob,
    result: Result<Bytes, CallError>,
    log_lines: Vec<String>,
    made: Made,
) -> ScheduledRun {
    let ScheduledJob { id, cron, call, .. } = job;
    let result = result.map_err(without_prefix);
    ScheduledRun { id, cron, path: call.path, args: call.args, result, log_lines, made }
}

pub(crate) fn millis(time: Timestamp) -> f64 {
    time.since_epoch().as_secs_f64() * 1e3
}
