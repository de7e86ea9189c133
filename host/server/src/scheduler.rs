//! Calls scheduled functions and cron jobs when their time has come.
//!
//! One task takes what is due out of the store, some hundreds at a time, and sleeps until the next one is due, some have
//! ended, or a commit has brought others. It keeps no list of what waits: a million jobs are keys of the store, and a
//! start reads none of them but those that are due.
//!
//! So many runners call what was taken. A runner is a job of the executor that calls one function after another, for a
//! short time, and then stands in line again: a trip between threads for each function would cost more than many
//! functions do.
//!
//! A job that is taken twice, by a start after a power failure for instance, runs once: see `weir_db::ScheduledJob`.

use std::collections::{HashSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use weir_db::{
    Database, JobStep, MutationOutcome, PasswordResults, PasswordWork, ScheduledJob, Teardown,
    VariablesError, earliest_due_job,
};
use weir_store::CommitGroup;
use weir_value::{DocumentId, Timestamp, limits};

use crate::actions::Actions;
use crate::executor::{Flow, JobKind, Work};
use crate::inbox::DurableGate;
use crate::machine::Machine;
use crate::tasks::pause;

/// So many are taken out of the store at once.
const BATCH_JOBS: usize = 256;
/// So few that were taken and not called are left, and others are taken.
const FEW_JOBS: usize = 128;
/// So many may have been taken out and not be durably done, before others are.
const TAKEN_JOBS_MAX: usize = 4096;
/// So long a runner goes on before others have its thread.
const RUNNER_TURN: Duration = Duration::from_millis(2);
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
    /// Room for runners.
    room: Arc<Semaphore>,
    /// Runs those that are actions.
    actions: Arc<Actions>,
    /// Room for those at once.
    action_room: Arc<Semaphore>,
    /// Mutations that were taken, and have not been called: those that are due for the longest time first.
    due: Mutex<VecDeque<ScheduledJob>>,
    /// Jobs that the store has as waiting, and that were taken.
    taken: Mutex<HashSet<DocumentId>>,
}

/// What a runner has done in its turn.
#[derive(Default)]
struct Turn {
    /// Jobs that have come to their end.
    ended: Vec<DocumentId>,
    /// The newest commit of theirs.
    ts: Timestamp,
    /// How long the runner is to pause, because one has written much.
    pause: Duration,
    /// A job that the store has refused, or whose call has panicked: to be tried again.
    refused: Option<DocumentId>,
    /// Jobs that a deployment of the moment has made actions.
    actions: Vec<ScheduledJob>,
    /// A job that waits for a password.
    waits: Option<(ScheduledJob, PasswordWork, PasswordResults)>,
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
            due: Mutex::default(),
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
        loop {
            let mut sleep = SLEEP_MAX;
            if self.due.lock().len() <= FEW_JOBS {
                sleep = self.take_due().unwrap_or_else(|error| {
                    tracing::error!(%error, "scheduled functions cannot be read; trying again");
                    RETRY_AFTER
                });
            }
            self.start_runners();
            let _ = tokio::time::timeout(sleep, self.alarm.changed.notified()).await;
        }
    }

    /// Starts as many runners as there is room and work for.
    fn start_runners(self: &Arc<Self>) {
        let mut due = self.due.lock().len();
        while due > 0 {
            let Ok(room) = Arc::clone(&self.room).try_acquire_owned() else { return };
            self.machine.tasks.spawn_until_stop(Arc::clone(self).call_due(room));
            due -= 1;
        }
    }

    fn release(&self, ids: &[DocumentId]) {
        let mut taken = self.taken.lock();
        for id in ids {
            taken.remove(id);
        }
        drop(taken);
        self.alarm.changed.notify_one();
    }

    /// Takes the next jobs that are due, and begins those that are actions; gives how long it is until the first of the
    /// rest.
    fn take_due(self: &Arc<Self>) -> Result<Duration, weir_store::ReadError> {
        let now_ms = self.machine.unix_time().as_secs_f64() * 1000.0;
        let mut taken = self.taken.lock();
        let limit = BATCH_JOBS.min(TAKEN_JOBS_MAX.saturating_sub(taken.len()));
        // Whatever becomes durable from here on says by itself when it is due.
        let from_ms = std::mem::replace(&mut *self.alarm.earliest_ms.lock(), f64::INFINITY);
        let found = self.db.due_jobs(from_ms, now_ms, limit, &|id| taken.contains(id));
        let first_ms = found.as_ref().map_or(Some(from_ms), |found| found.first_ms);
        self.alarm.note_earliest(first_ms.unwrap_or(now_ms));
        let found = found?;
        taken.extend(found.jobs.iter().map(|job| job.id));
        drop(taken);
        let (actions, mutations): (Vec<_>, Vec<_>) =
            found.jobs.into_iter().partition(|job| self.db.is_action_job(job));
        self.due.lock().extend(mutations);
        self.begin_actions(actions);
        let rest_ms = found.next_ms.map_or(f64::INFINITY, |next| next - now_ms);
        // With no place left a job that is durably done is waited for.
        let rest_ms = if limit == 0 { f64::INFINITY } else { rest_ms.max(0.0) };
        Ok(Duration::try_from_secs_f64(rest_ms / 1000.0).unwrap_or(SLEEP_MAX).min(SLEEP_MAX))
    }

    /// Calls what is due, turn by turn, until nothing is left.
    async fn call_due(self: Arc<Self>, room: OwnedSemaphorePermit) {
        loop {
            let scheduler = Arc::clone(&self);
            let turn = self.machine.executor.run(self.next_work(), move || scheduler.take_turn()).await;
            let Ok(turn) = turn else { return };
            self.machine.tasks.spawn_until_stop(Arc::clone(&self).end(turn.ended, turn.ts));
            self.begin_actions(turn.actions);
            // Its place is kept meanwhile, as it is below.
            pause(turn.pause).await;
            if let Some(id) = turn.refused {
                // What the store refuses now it would refuse others.
                tokio::time::sleep(RETRY_AFTER).await;
                self.release(&[id]);
            }
            if let Some(waiting) = turn.waits {
                self.resume(waiting).await;
            }
            self.alarm.changed.notify_one();
            if self.due.lock().is_empty() {
                break;
            }
        }
        drop(room);
        // Something may have come between the last look and the end.
        self.alarm.changed.notify_one();
    }

    /// What the next turn is: slow functions are called where they hold up none that are quick.
    fn next_work(&self) -> Work {
        let work = Work::of_host(JobKind::Scheduled);
        match self.due.lock().front() {
            Some(job) => self.machine.executor.calling(&job.call.path, work),
            None => work,
        }
    }

    /// Calls one function after another, on the calling thread, for a short time, and none that is slow after another.
    fn take_turn(&self) -> Turn {
        let began = self.machine.env.monotonic();
        let mut turn = Turn::default();
        while turn.refused.is_none() && turn.waits.is_none() && turn.pause.is_zero() {
            let Some(job) = self.next_of_turn(&turn) else { break };
            if self.db.is_action_job(&job) {
                turn.actions.push(job);
                continue;
            }
            let mut passwords = PasswordResults::default();
            let step = || self.step(&job, &mut passwords);
            match self.machine.executor.learn(&job.call.path, step) {
                Some(JobStep::Ended(outcome)) => {
                    turn.note_end(job.id, self.end_of(&job, &outcome));
                    turn.pause = outcome.pause;
                }
                Some(JobStep::Waits(work)) => turn.waits = Some((job, work, passwords)),
                Some(JobStep::Refused(_)) | None => turn.refused = Some(job.id),
            }
            if self.machine.env.monotonic().saturating_sub(began) >= RUNNER_TURN {
                break;
            }
        }
        turn
    }

    fn next_of_turn(&self, turn: &Turn) -> Option<ScheduledJob> {
        let mut due = self.due.lock();
        let is_first = turn.ended.is_empty() && turn.actions.is_empty();
        match due.front() {
            Some(next) if !is_first && self.machine.executor.is_slow(&next.call.path) => None,
            _ => due.pop_front(),
        }
    }

    /// `None`: the call has panicked.
    fn step(&self, job: &ScheduledJob, passwords: &mut PasswordResults) -> Option<JobStep> {
        let step = || self.db.step_job(job, passwords, &mut Teardown::default());
        let stepped = catch_unwind(AssertUnwindSafe(step));
        stepped.inspect_err(|_| tracing::error!(id = %job.id, "{job} panicked; it is tried again")).ok()
    }

    /// When the end of a job is durable.
    fn end_of(&self, job: &ScheduledJob, outcome: &MutationOutcome) -> Timestamp {
        if let Err(error) = &outcome.result {
            say_failed(job, &error.message);
        }
        // What notes a failure is a later commit than the run's own.
        match outcome.result {
            Ok(_) => outcome.ts,
            Err(_) => outcome.ts.max(self.db.store().sequenced()),
        }
    }

    /// Forgets jobs as soon as their end is durable.
    async fn end(self: Arc<Self>, ended: Vec<DocumentId>, ts: Timestamp) {
        self.durable.wait(ts).await;
        self.release(&ended);
    }

    /// Has the password computed that a job waits for, and goes on with it to its end.
    async fn resume(self: &Arc<Self>, waiting: (ScheduledJob, PasswordWork, PasswordResults)) {
        let (job, work, passwords) = waiting;
        let id = job.id;
        match self.run_with_password(job, work, passwords).await {
            Some(ts) => self.durable.wait(ts).await,
            None => tokio::time::sleep(RETRY_AFTER).await,
        }
        self.release(&[id]);
    }

    /// Gives when the job's end is durable; `None`: it is to be tried again.
    async fn run_with_password(
        self: &Arc<Self>,
        job: ScheduledJob,
        mut work: PasswordWork,
        mut passwords: PasswordResults,
    ) -> Option<Timestamp> {
        let job = Arc::new(job);
        loop {
            let place = self.machine.passwords.take_place().ok()?;
            passwords.add(self.machine.passwords.run(place, work).await?);
            let (scheduler, running) = (Arc::clone(self), Arc::clone(&job));
            let step = move || (scheduler.step(&running, &mut passwords), passwords);
            let (step, known) =
                self.machine.executor.run(Work::of_host(JobKind::Scheduled), step).await.ok()?;
            passwords = known;
            match step? {
                JobStep::Ended(outcome) => {
                    pause(outcome.pause).await;
                    return Some(self.end_of(&job, &outcome));
                }
                JobStep::Refused(_) => return None,
                JobStep::Waits(next) => work = next,
            }
        }
    }

    fn begin_actions(self: &Arc<Self>, jobs: Vec<ScheduledJob>) {
        for job in jobs {
            self.machine.tasks.spawn_until_stop(Arc::clone(self).call_action(job));
        }
    }

    async fn call_action(self: Arc<Self>, job: ScheduledJob) {
        if let Err(error) = self.act(&job).await {
            tracing::warn!(id = %job.id, %error, "what became of a scheduled action cannot be written");
            tokio::time::sleep(RETRY_AFTER).await;
        }
        self.release(&[job.id]);
    }

    /// Runs an action: that it has begun is durable before it begins, so that it begins once. If the end cannot be
    /// written, the next start says that it was interrupted.
    async fn act(&self, job: &ScheduledJob) -> Result<(), VariablesError> {
        let room = self.action_room.acquire().await;
        let room = room.expect("the room for actions is never closed");
        let begun = self.on_disk(job, |db, job| db.begin_action_job(job)).await?;
        let Some(begun) = begun else { return Ok(()) };
        self.durable.wait(begun).await;
        let outcome = self.actions.run(job.call.clone(), Flow::HOST).await;
        if let Err(error) = &outcome.result {
            say_failed(job, &error.message);
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
        let written =
            self.machine.executor.run(Work::of_host(JobKind::Scheduled), move || write(&db, &job)).await;
        // The server stops.
        written.unwrap_or(Ok(None))
    }
}

/// What a function does wrong is its own line in the log: any number of them can be scheduled.
fn say_failed(job: &ScheduledJob, message: &str) {
    tracing::warn!(target: "weir::function", path = %job.call.path, id = %job.id, "{job} failed: {message}");
}

impl Turn {
    fn note_end(&mut self, id: DocumentId, ts: Timestamp) {
        self.ended.push(id);
        self.ts = self.ts.max(ts);
    }
}
