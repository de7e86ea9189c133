//! The threads that functions run on.
//!
//! Guests run synchronously and may take up to a second, so they never run on the threads of the network: a fixed number
//! of dedicated threads takes jobs from one queue. That shares their time between kinds of work, by weight and with a
//! number of threads that each may have at most ([`lanes`]); within a kind between clients, by address, and between the
//! connections of one ([`shares`]). What has waited for too long is refused ([`waiting`]), and so is all that waits when the
//! executor stops. The queue itself knows no bound; whoever puts jobs in is bounded (HTTP calls by a semaphore, a
//! socket by its one mutation queue, live queries by single flight).
//!
//! Knows nothing of what it runs, but that what calls leave to be torn down waits until the job has answered.

mod estimates;
mod flow;
mod lanes;
mod queue_waits;
mod shares;
mod waiting;

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use async_task::{FallibleTask, Runnable};
use parking_lot::{Condvar, Mutex};
use tokio::sync::oneshot;
use weir_db::Teardown;
use weir_store::Env;
use weir_value::{FunctionPath, limits};

use estimates::Estimates;
pub use flow::Flow;
pub use lanes::JobKind;
use lanes::{Lane, Limits, Taken};
use queue_waits::QueueWaits;
use waiting::{Next, WaitingJobs};

/// How long a job waits that does not wait for ever.
const WAIT_MAX: Duration = Duration::from_millis(limits::CALL_WAIT_MS_MAX);

/// One piece of work. It answers whoever asked for it, and leaves for after that what its calls ran in.
type Job = Box<dyn FnOnce(Turn<'_>) + Send>;

/// What becomes of a job.
pub enum Turn<'a> {
    /// It is its turn.
    Run(&'a mut Teardown),
    /// It is not run.
    Refused(Refusal),
}

/// Why a job is not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It has waited for too long.
    TooLate,
    /// The executor has stopped.
    Stopping,
}

/// What a job is, and whose.
#[derive(Debug, Clone, Copy)]
pub struct Work {
    kind: JobKind,
    flow: Flow,
    /// How long it is expected to take, if it is slow.
    expected: Option<Duration>,
    waits_for_ever: bool,
}

impl Work {
    /// What the host does by itself. It waits for as long as it takes.
    pub fn of_host(kind: JobKind) -> Work {
        Work { kind, flow: Flow::HOST, expected: None, waits_for_ever: true }
    }

    /// What a client wants, who waits for it and is told if that takes too long.
    pub fn of(kind: JobKind, flow: Flow) -> Work {
        Work { kind, flow, expected: None, waits_for_ever: false }
    }

    /// The same, for as long as it takes.
    pub fn however_long(self) -> Work {
        Work { waits_for_ever: true, ..self }
    }

    fn lane(self) -> Lane {
        match (self.expected, self.kind) {
            (None, kind) => Lane::Quick(kind),
            (Some(_), JobKind::Mutation) => Lane::SlowMutation,
            (Some(_), _) => Lane::Slow,
        }
    }
}

thread_local! {
    /// How long the thread had computed when that was last looked at: when its job began, or after a slow call since.
    static LOOKED_AT: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

/// A fixed set of threads and the queue they take jobs from.
pub struct Executor {
    shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

struct Shared {
    env: Arc<dyn Env>,
    queue: Mutex<Queue>,
    filled: Condvar,
    estimates: Estimates,
    waits: QueueWaits,
}

/// A job, what it is for, and since when it waits.
struct Waiting {
    job: Job,
    kind: JobKind,
    since: Duration,
}

struct Queue {
    jobs: WaitingJobs<Waiting>,
    idle: usize,
    stopped: bool,
}

/// The job did not give a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JobLost {
    /// It waited for too long, and was not run.
    #[error("Too many calls are waiting: try again in a moment.")]
    TooLate,
    /// The executor has stopped, and it was not run.
    #[error("The server stops: try again later.")]
    Stopped,
    /// It panicked.
    #[error("the call was dropped before it gave a result")]
    Panicked,
}

impl Executor {
    /// How many threads a machine of this size runs functions on: enough that a
    /// few slow functions do not hold up all others.
    pub fn default_threads() -> usize {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        (2 * cores).max(4)
    }

    /// Starts `threads` threads, whose names begin with `name`.
    pub fn start(env: &Arc<dyn Env>, name: &str, threads: usize) -> Executor {
        let queue = Queue { jobs: WaitingJobs::new(Limits::of(threads)), idle: 0, stopped: false };
        let shared = Arc::new(Shared {
            env: Arc::clone(env),
            queue: Mutex::new(queue),
            filled: Condvar::new(),
            estimates: Estimates::default(),
            waits: QueueWaits::default(),
        });
        let thread = |number| {
            let shared = Arc::clone(&shared);
            env.spawn(&format!("{name}-{number}"), Box::new(move || work(&shared)))
        };
        let threads = Mutex::new((0..threads).map(thread).collect());
        Executor { shared, threads }
    }

    /// The same work, as what a call of this function is: if that is known to be slow, it waits where it holds up none
    /// that are quick.
    pub fn calling(&self, path: &FunctionPath, work: Work) -> Work {
        Work { expected: self.shared.estimates.slow(path), ..work }
    }

    /// Whether a function is known to be slow.
    pub fn is_slow(&self, path: &FunctionPath) -> bool {
        self.shared.estimates.slow(path).is_some()
    }

    /// Calls a function on the calling thread, which is one of the executor's, and learns how long it takes.
    pub fn learn<T>(&self, path: &FunctionPath, call: impl FnOnce() -> T) -> T {
        let began = self.shared.env.monotonic();
        let result = call();
        let took = self.shared.env.monotonic().saturating_sub(began);
        // The system is not asked for the thread's time after every quick call.
        if self.shared.estimates.is_worth(path, took) {
            let computed = thread_cpu_time().saturating_sub(LOOKED_AT.replace(thread_cpu_time()));
            self.shared.estimates.note(path, took.min(computed));
        }
        result
    }

    /// Puts a job at the end of the queue. What it leaves in its [`Teardown`] is torn down when it has returned.
    pub fn spawn(&self, work: Work, job: impl FnOnce(Turn<'_>) + Send + 'static) {
        self.shared.push(work, Box::new(job));
    }

    /// Runs `job` on one of the threads and gives its result. If nobody waits for it any more when its turn comes, it
    /// is not run.
    ///
    /// # Errors
    /// See [`JobLost`].
    pub async fn run<T: Send + 'static>(
        &self,
        work: Work,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, JobLost> {
        self.run_calls(work, move |_| job()).await
    }

    /// As [`Executor::run`], of a job that calls functions: its result is given before what it leaves in its
    /// [`Teardown`] is torn down.
    ///
    /// # Errors
    /// As those of [`Executor::run`].
    pub async fn run_calls<T: Send + 'static>(
        &self,
        work: Work,
        job: impl FnOnce(&mut Teardown) -> T + Send + 'static,
    ) -> Result<T, JobLost> {
        let (sender, receiver) = oneshot::channel::<Result<T, JobLost>>();
        self.spawn(work, move |turn| {
            if sender.is_closed() {
                return;
            }
            let _ = sender.send(match turn {
                Turn::Run(teardown) => Ok(job(teardown)),
                Turn::Refused(Refusal::TooLate) => Err(JobLost::TooLate),
                Turn::Refused(Refusal::Stopping) => Err(JobLost::Stopped),
            });
        });
        receiver.await.unwrap_or(Err(JobLost::Panicked))
    }

    /// Polls an action of this client on the threads, each time that it is woken; between that it holds none. Dropping
    /// what this gives drops the future. Gives `None` if the future panicked, or the executor has stopped.
    pub fn run_future<T: Send + 'static>(
        &self,
        flow: Flow,
        future: impl Future<Output = T> + Send + 'static,
    ) -> FallibleTask<T> {
        let shared = Arc::downgrade(&self.shared);
        let schedule = move |runnable: Runnable| {
            if let Some(shared) = shared.upgrade() {
                let poll = move |turn: Turn<'_>| match turn {
                    Turn::Run(_) => {
                        runnable.run();
                    }
                    Turn::Refused(_) => drop(runnable),
                };
                shared.push(Work::of(JobKind::Action, flow).however_long(), Box::new(poll));
            }
        };
        let (runnable, task) = async_task::spawn(future, schedule);
        runnable.schedule();
        task.fallible()
    }

    /// Jobs that wait for a thread.
    pub fn queued(&self) -> usize {
        self.shared.queue.lock().jobs.len()
    }

    /// How long jobs have waited for a thread.
    pub fn waits(&self) -> &QueueWaits {
        &self.shared.waits
    }

    /// Refuses what is queued, and what comes later. What runs goes on.
    pub fn close(&self) {
        let mut queue = self.shared.queue.lock();
        queue.stopped = true;
        let jobs = queue.jobs.take_all();
        drop(queue);
        self.shared.filled.notify_all();
        jobs.into_iter().for_each(|waiting| refuse(waiting.job, Refusal::Stopping));
    }

    /// The same, and ends the threads when what runs has ended. Blocks; may be called twice.
    pub fn stop(&self) {
        self.close();
        for thread in std::mem::take(&mut *self.threads.lock()) {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn push(&self, work: Work, job: Job) {
        let since = self.env.monotonic();
        let until = (!work.waits_for_ever).then(|| since + WAIT_MAX);
        let mut queue = self.queue.lock();
        if queue.stopped {
            // Not under the lock: what the job does may come here again.
            drop(queue);
            refuse(job, Refusal::Stopping);
            return;
        }
        let job = Waiting { job, kind: work.kind, since };
        queue.jobs.push((work.lane(), work.flow), work.expected, until, job);
        let someone_waits = queue.idle > 0;
        drop(queue);
        if someone_waits {
            self.filled.notify_one();
        }
    }
}

fn work(shared: &Shared) {
    let mut done = None;
    let mut began = thread_cpu_time();
    while let Some(next) = next_job(shared, done.take()) {
        match next {
            Next::TooLate(Waiting { job, .. }) => refuse(job, Refusal::TooLate),
            Next::Run(taken, Waiting { job, kind, since }) => {
                shared.waits.note(kind, shared.env.monotonic().saturating_sub(since));
                LOOKED_AT.set(began);
                run(|| job(Turn::Run(&mut Teardown::default())));
                let ended = thread_cpu_time();
                done = Some((taken, ended.saturating_sub(began)));
                began = ended;
            }
        }
    }
}

fn refuse(job: Job, why: Refusal) {
    run(|| job(Turn::Refused(why)));
}

fn run(job: impl FnOnce()) {
    if catch_unwind(AssertUnwindSafe(job)).is_err() {
        tracing::error!("a call panicked; its caller gets an internal error");
    }
}

/// How long the calling thread has computed: what it waited for is nobody's doing who runs on it.
fn thread_cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

/// What to do next, after a job that was done. `None`: the executor has stopped.
fn next_job(shared: &Shared, done: Option<(Taken, Duration)>) -> Option<Next<Waiting>> {
    let mut queue = shared.queue.lock();
    if let Some((taken, took)) = done {
        queue.jobs.done(taken, took);
    }
    loop {
        let now = shared.env.monotonic();
        if let Some(next) = queue.jobs.next(now) {
            // What has ended may have made room for more than the one that this thread takes.
            if queue.idle > 0 && queue.jobs.has_next() {
                shared.filled.notify_one();
            }
            return Some(next);
        }
        if queue.stopped {
            return None;
        }
        queue.idle += 1;
        match queue.jobs.next_late() {
            Some(late) => drop(shared.filled.wait_for(&mut queue, late.saturating_sub(now))),
            None => shared.filled.wait(&mut queue),
        }
        queue.idle -= 1;
    }
}

#[cfg(test)]
mod tests;
