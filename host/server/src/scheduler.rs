//! Calls scheduled functions and cron jobs when their time has come.
//!
//! One task takes what is due out of the store, a few dozen at a time, has so many called at once, and sleeps until the
//! next one is due, one has ended, or a commit has brought others. It keeps no list of what waits: a million jobs are keys
//! of the store, and a start reads none of them but those that are due.
//!
//! A job that is taken twice, by a start after a power failure for instance, runs once: see `weir_db::ScheduledJob`.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use weir_db::{
    Database, JobStep, MutationOutcome, PasswordResults, ScheduledJob, Teardown, VariablesError,
    earliest_due_job,
};
use weir_store::CommitGroup;
use weir_value::{DocumentId, Timestamp, limits};

use crate::actions::Actions;
use crate::durable_gate::DurableGate;
use crate::machine::Machine;

/// So many are taken out of the store at once.
const BATCH_JOBS: usize = 64;
/// So many may have been taken out and not be durably done, before others are.
const TAKEN_JOBS_MAX: usize = 4096;
/// The clock on the wall may be set meanwhile, so nobody sleeps for longer.
const SLEEP_MAX: Duration = Duration::from_secs(60);
/// How long a job waits that the store has refused, and the scheduler when the store cannot be read.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// When jobs are due, as far as is known beside the store.
pub struct Alarm {
    /// Something has changed: a job was scheduled or has ended.
    changed: Notify,
    /// No job that waits is due before: what stood there once is not looked through again.
    earliest_ms: Mutex<f64>,
}

impl Alarm {
    fn new() -> Alarm {
        Alarm { changed: Notify::new(), earliest_ms: Mutex::new(0.0) }
    }

    /// A group of commits is durable. Called on the log's thread.
    pub fn group_durable(&self, group: &CommitGroup) {
        let keys = group.commits.iter().flat_map(|commit| commit.keys());
        if let Some(due_ms) = earliest_due_job(keys) {
            self.note_earliest(due_ms);
            self.changed.notify_one();
        }
    }

    fn note_earliest(&self, due_ms: f64) {
        let mut earliest = self.earliest_ms.lock();
        *earliest = earliest.min(due_ms);
    }
}

/// The scheduler of one app.
pub struct Scheduler {
    machine: Arc<Machine>,
    db: Arc<Database>,
    durable: Arc<DurableGate>,
    alarm: Arc<Alarm>,
    /// Room for calls at once.
    room: Arc<Semaphore>,
    /// Runs those that are actions.
    actions: Arc<Actions>,
    /// Room for those at once.
    action_room: Arc<Semaphore>,
    /// Jobs that the store has as waiting, and that were taken.
    taken: Mutex<HashSet<DocumentId>>,
}

impl Scheduler {
    /// One that has `calls_at_once` calls under way at most.
    pub fn new(
        machine: Arc<Machine>,
        db: Arc<Database>,
        durable: Arc<DurableGate>,
        actions: Arc<Actions>,
        calls_at_once: usize,
    ) -> Scheduler {
        Scheduler {
            machine,
            db,
            durable,
            alarm: Arc::new(Alarm::new()),
            room: Arc::new(Semaphore::new(calls_at_once.max(1))),
            actions,
            action_room: Arc::new(Semaphore::new(limits::SCHEDULED_ACTIONS_AT_ONCE)),
            taken: Mutex::default(),
        }
    }

    /// Calls at once, as many as there should be on so many threads: half of them are left to clients.
    pub fn default_calls(threads: usize) -> usize {
        (threads / 2).clamp(1, limits::SCHEDULED_CALLS_AT_ONCE)
    }

    /// What is to be told of durable commits.
    pub fn alarm(&self) -> Arc<Alarm> {
        Arc::clone(&self.alarm)
    }

    /// Calls what is due, for ever.
    pub async fn run(self: &Arc<Self>) {
        let mut waiting = VecDeque::new();
        let mut sleep = Duration::ZERO;
        loop {
            if waiting.is_empty() {
                match self.take_due() {
                    Ok((jobs, next)) => (waiting, sleep) = (jobs, next),
                    Err(error) => {
                        tracing::error!(%error, "scheduled functions cannot be read; trying again");
                        sleep = RETRY_AFTER;
                    }
                }
            }
            let Some(job) = waiting.pop_front() else {
                let _ = tokio::time::timeout(sleep, self.alarm.changed.notified()).await;
                continue;
            };
            let room = Arc::clone(&self.room).acquire_owned().await;
            let room = room.expect("the room for calls is never closed");
            self.machine.tasks.spawn_until_stop(Arc::clone(self).call(job, room));
        }
    }

    fn release(&self, id: &DocumentId) {
        self.taken.lock().remove(id);
        self.alarm.changed.notify_one();
    }

    /// Takes the next jobs that are due; with how long it is until the first of the rest.
    fn take_due(&self) -> Result<(VecDeque<ScheduledJob>, Duration), weir_store::ReadError> {
        let now_ms = self.machine.unix_time().as_secs_f64() * 1000.0;
        let mut taken = self.taken.lock();
        let limit = BATCH_JOBS.min(TAKEN_JOBS_MAX.saturating_sub(taken.len()));
        // Whatever becomes durable from here on says by itself when it is due.
        let from_ms = std::mem::replace(&mut *self.alarm.earliest_ms.lock(), f64::INFINITY);
        let due = self.db.due_jobs(from_ms, now_ms, limit, &|id| taken.contains(id));
        let first_ms = due.as_ref().map_or(Some(from_ms), |due| due.first_ms);
        self.alarm.note_earliest(first_ms.unwrap_or(now_ms));
        let due = due?;
        taken.extend(due.jobs.iter().map(|job| job.id));
        let rest_ms = due.next_ms.map_or(f64::INFINITY, |next| next - now_ms);
        // With no place left a job that is durably done is waited for.
        let rest_ms = if limit == 0 { f64::INFINITY } else { rest_ms.max(0.0) };
        let sleep = Duration::try_from_secs_f64(rest_ms / 1000.0).unwrap_or(SLEEP_MAX).min(SLEEP_MAX);
        Ok((due.jobs.into(), sleep))
    }

    async fn call(self: Arc<Self>, job: ScheduledJob, room: OwnedSemaphorePermit) {
        if self.db.is_action_job(&job) {
            drop(room);
            if let Err(error) = self.act(&job).await {
                tracing::warn!(id = %job.id, %error, "what became of a scheduled action cannot be written");
                tokio::time::sleep(RETRY_AFTER).await;
            }
            return self.release(&job.id);
        }
        let job = Arc::new(job);
        match self.run_to_its_end(&job).await {
            Some(outcome) => {
                drop(room);
                if let Err(error) = &outcome.result {
                    tracing::warn!(id = %job.id, "{job} failed: {}", error.message);
                }
                // What notes a failure is a later commit than the run's own.
                self.durable.wait(outcome.ts.max(self.db.store().sequenced())).await;
            }
            // Its place is kept meanwhile: what the store refuses now it would refuse others.
            None => tokio::time::sleep(RETRY_AFTER).await,
        }
        self.release(&job.id);
    }

    /// Runs an action: that it has begun is durable before it begins, so that it begins once. If the end cannot be
    /// written, the next start says that it was interrupted.
    async fn act(&self, job: &ScheduledJob) -> Result<(), VariablesError> {
        let room = self.action_room.acquire().await;
        let room = room.expect("the room for actions is never closed");
        let begun = self.on_disk(job, |db, job| db.begin_action_job(job)).await?;
        let Some(begun) = begun else { return Ok(()) };
        self.durable.wait(begun).await;
        let outcome = self.actions.run(job.call.clone()).await;
        if let Err(error) = &outcome.result {
            tracing::warn!(id = %job.id, "{job} failed: {}", error.message);
        }
        drop(room);
        let error = outcome.result.err().map(|error| error.own_message().to_owned());
        let ended = self.on_disk(job, move |db, job| db.end_action_job(&job.id, error.as_deref())).await?;
        self.durable.wait(ended.unwrap_or_default()).await;
        Ok(())
    }

    /// Writes on a thread that may wait for the gate.
    async fn on_disk(
        &self,
        job: &ScheduledJob,
        write: impl FnOnce(&Database, &ScheduledJob) -> Result<Option<Timestamp>, VariablesError> + Send + 'static,
    ) -> Result<Option<Timestamp>, VariablesError> {
        let (db, job) = (Arc::clone(&self.db), job.clone());
        let written = self.machine.executor.run(move || write(&db, &job)).await;
        // The server stops.
        written.unwrap_or(Ok(None))
    }

    /// Runs a job to its end. `None`: it is to be tried again.
    async fn run_to_its_end(&self, job: &Arc<ScheduledJob>) -> Option<MutationOutcome> {
        let mut passwords = PasswordResults::default();
        loop {
            let (db, running) = (Arc::clone(&self.db), Arc::clone(job));
            let step =
                move |teardown: &mut Teardown| (db.step_job(&running, &mut passwords, teardown), passwords);
            // A call that panicked has been logged where it was.
            let (step, known) = self.machine.executor.run_calls(step).await.ok()?;
            passwords = known;
            match step {
                JobStep::Ended(outcome) => return Some(outcome),
                JobStep::Refused(_) => return None,
                JobStep::Waits(work) => {
                    let place = self.machine.passwords.take_place().ok()?;
                    passwords.add(self.machine.passwords.run(place, work).await?);
                }
            }
        }
    }
}
