//! The threads that functions run on.
//!
//! Guests run synchronously and may take up to a second, so they never run on the threads of the network: a fixed number
//! of dedicated threads takes jobs from one queue. That shares their time between clients, by address, between the
//! connections of one, and last between kinds of work ([`shares`]), each of which has a number of threads that it may have at
//! most ([`lanes`]). What has waited for too long is refused ([`waiting`]), and so is all that waits when the
//! executor stops. A function that is not known to be slow may turn out to be: it is seen while it runs, it counts among
//! the slow ones from then on, and a thread that was spare until then takes its place ([`calls`]). The queue itself knows no bound; whoever puts jobs in is bounded (HTTP calls by a semaphore, a
//! socket by its one mutation queue, live queries by single flight).
//!
//! Knows nothing of what it runs, but that what calls leave to be torn down waits until the job has answered.

mod calls;
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
use parking_lot::{Condvar, Mutex, MutexGuard};
use tokio::sync::oneshot;
use weir_db::Teardown;
use weir_store::Env;
use weir_value::{FunctionPath, limits};

use calls::Calls;
use estimates::{Estimates, FunctionKey, SLOW};
pub use flow::Flow;
pub use lanes::JobKind;
use lanes::{Lane, Limits, Taken};
use queue_waits::QueueWaits;
pub use waiting::Place;
use waiting::{Next, WaitingJobs};

use crate::metrics::Counter;

/// How long a job waits that does not wait for ever.
const WAIT_MAX: Duration = Duration::from_millis(limits::CALL_WAIT_MS_MAX);

/// How often threads that have nothing to do look at those that have, while jobs wait that may not run.
const WATCH_EVERY: Duration = Duration::from_millis(limits::SLOW_FUNCTION_MS / 2);

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
    /// The function that it calls first, if it calls any.
    function: Option<FunctionKey>,
    /// How long it is expected to take, if it is slow.
    expected: Option<Duration>,
    /// It is a mutation that is executed serially.
    is_serial: bool,
    waits_for_ever: bool,
}

impl Work {
    /// What the host does by itself. It waits for as long as it takes.
    pub fn of_host(kind: JobKind) -> Work {
        Work { waits_for_ever: true, ..Work::of(kind, Flow::HOST) }
    }

    /// What a client wants, who waits for it and is told if that takes too long.
    pub fn of(kind: JobKind, flow: Flow) -> Work {
        Work { kind, flow, function: None, expected: None, is_serial: false, waits_for_ever: false }
    }

    /// The same, for as long as it takes.
    pub fn however_long(self) -> Work {
        Work { waits_for_ever: true, ..self }
    }

    /// The same; whether it is a mutation that is executed serially, so that one at a time is enough.
    pub fn serially(self, is_serial: bool) -> Work {
        Work { is_serial, ..self }
    }

    fn lane(self) -> Lane {
        let quick = if self.is_serial { Lane::SerialMutation } else { Lane::Quick(self.kind) };
        if self.expected.is_some() { quick.when_slow() } else { quick }
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
    /// What each thread waits at.
    wakes: Vec<Condvar>,
    estimates: Estimates,
    calls: Calls,
    waits: QueueWaits,
    /// Jobs that have waited for too long.
    late: Counter,
}

/// A job, what it is for, and since when it waits.
struct Waiting {
    job: Job,
    work: Work,
    since: Duration,
}

struct Queue {
    jobs: WaitingJobs<Waiting>,
    /// What each thread has taken.
    taken: Vec<Option<Taken>>,
    /// Threads that wait, the last to have come last: that is woken first, because what it needs is still in the caches, and the
    /// memory of its instances too.
    idle: Vec<usize>,
    /// One was woken, and has not looked for a job yet. It wakes the next one if there is more to do: each push would wake
    /// another meanwhile, for a job that it does not find.
    is_waking: bool,
    /// A thread that has nothing to do looks at the others now and then.
    is_watched: bool,
    stopped: bool,
}

impl Queue {
    /// Whether a thread that has nothing to do is to be woken: a job may run, or it waits and nobody watches those that do.
    fn wakes_another(&self) -> bool {
        !self.is_waking
            && !self.idle.is_empty()
            && (self.jobs.has_next() || !self.is_watched && self.jobs.len() > 0)
    }

    /// Which thread is to be woken, if one is.
    fn wake_another(&mut self) -> Option<usize> {
        let woken = if self.wakes_another() { self.idle.pop() } else { None };
        self.is_waking |= woken.is_some();
        woken
    }
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

    /// Starts threads, whose names begin with `name`: `threads` of them for as many jobs, and `spare` that take the places of
    /// those whose jobs turn out to be slow.
    pub fn start(env: &Arc<dyn Env>, name: &str, threads: usize, spare: usize) -> Executor {
        let limits = Limits::of(threads);
        let threads = threads + spare;
        let queue = Queue {
            jobs: WaitingJobs::new(limits),
            taken: vec![None; threads],
            idle: Vec::new(),
            is_waking: false,
            is_watched: false,
            stopped: false,
        };
        let shared = Arc::new(Shared {
            env: Arc::clone(env),
            queue: Mutex::new(queue),
            wakes: (0..threads).map(|_| Condvar::new()).collect(),
            estimates: Estimates::default(),
            calls: Calls::new(threads),
            waits: QueueWaits::default(),
            late: Counter::default(),
        });
        let thread = |number| {
            let shared = Arc::clone(&shared);
            env.spawn(&format!("{name}-{number}"), Box::new(move || work(&shared, number)))
        };
        let threads = Mutex::new((0..threads).map(thread).collect());
        Executor { shared, threads }
    }

    /// The same work, as what a call of this function is: if that is known to be slow, it waits where it holds up none
    /// that are quick.
    pub fn calling(&self, path: &FunctionPath, work: Work) -> Work {
        let function = self.shared.estimates.key(path);
        Work { function: Some(function), expected: self.shared.estimates.slow(function), ..work }
    }

    /// Whether a function is known to be slow.
    pub fn is_slow(&self, path: &FunctionPath) -> bool {
        self.shared.estimates.is_slow(path)
    }

    /// Calls a function on the calling thread, which is one of the executor's, and learns how long it takes.
    pub fn learn<T>(&self, path: &FunctionPath, call: impl FnOnce() -> T) -> T {
        let Shared { env, estimates, calls, .. } = &*self.shared;
        let function = estimates.key(path);
        let began = env.monotonic();
        calls.begin(function, began);
        let result = call();
        calls.end();
        let took = env.monotonic().saturating_sub(began);
        // The system is not asked for the thread's time after every quick call.
        if estimates.is_worth(function, took) {
            let computed = thread_cpu_time().saturating_sub(LOOKED_AT.replace(thread_cpu_time()));
            estimates.note(function, took.min(computed));
        }
        result
    }

    /// Puts a job at the end of the queue, and tells where it waits. What it leaves in its [`Teardown`] is torn down when it has
    /// returned.
    pub fn spawn(&self, work: Work, job: impl FnOnce(Turn<'_>) + Send + 'static) -> Option<Place> {
        self.shared.push(work, Box::new(job))
    }

    /// Takes a job out of the queue, and drops it; false if it waits no more.
    pub fn withdraw(&self, place: Place) -> bool {
        // Not dropped under the lock: what it holds may come here again.
        let job = self.shared.queue.lock().jobs.remove(place);
        job.is_some()
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
        let place = self.shared.push(
            work,
            Box::new(move |turn: Turn<'_>| {
                if sender.is_closed() {
                    return;
                }
                let _ = sender.send(match turn {
                    Turn::Run(teardown) => Ok(job(teardown)),
                    Turn::Refused(Refusal::TooLate) => Err(JobLost::TooLate),
                    Turn::Refused(Refusal::Stopping) => Err(JobLost::Stopped),
                });
            }),
        );
        let mut awaited = Awaited { shared: &self.shared, place };
        let result = receiver.await.unwrap_or(Err(JobLost::Panicked));
        awaited.place = None;
        result
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

    /// How many jobs were refused because they had waited for too long.
    pub fn late(&self) -> u64 {
        self.shared.late.get()
    }

    /// Refuses what is queued, and what comes later. What runs goes on.
    pub fn close(&self) {
        let mut queue = self.shared.queue.lock();
        queue.stopped = true;
        let jobs = queue.jobs.take_all();
        drop(queue);
        for wake in &self.shared.wakes {
            wake.notify_one();
        }
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

/// A job that somebody awaits. When nobody does any more it gives up its place at once, and all that it holds: thousands
/// of calls whose clients have left would hold the room of those who stay.
struct Awaited<'a> {
    shared: &'a Shared,
    place: Option<Place>,
}

impl Drop for Awaited<'_> {
    fn drop(&mut self) {
        let left = self.place.and_then(|place| self.shared.queue.lock().jobs.remove(place));
        // Not under the lock: what it holds may come here again.
        drop(left);
    }
}

impl Shared {
    /// Where the job waits, if it does.
    fn push(&self, work: Work, job: Job) -> Option<Place> {
        let since = self.env.monotonic();
        let until = (!work.waits_for_ever).then(|| since + WAIT_MAX);
        let mut queue = self.queue.lock();
        if queue.stopped {
            // Not under the lock: what the job does may come here again.
            drop(queue);
            refuse(job, Refusal::Stopping);
            return None;
        }
        let place =
            queue.jobs.push((work.lane(), work.flow), work.expected, until, Waiting { job, work, since });
        let woken = queue.wake_another();
        drop(queue);
        self.wake(woken);
        Some(place)
    }

    fn wake(&self, thread: Option<usize>) {
        if let Some(thread) = thread {
            self.wakes[thread].notify_one();
        }
    }

    /// Looks for calls that have turned out to be slow while others wait; whether there are new ones.
    fn promote(&self, queue: &mut Queue, now: Duration) -> bool {
        let Queue { jobs, taken, .. } = queue;
        let mut promoted = false;
        if jobs.len() == 0 {
            return false;
        }
        for (thread, taken) in taken.iter_mut().enumerate() {
            let Some(taken) = taken.as_mut().filter(|taken| taken.is_quick()) else { continue };
            if let Some((function, computed)) = self.calls.long(thread, now, SLOW) {
                self.estimates.note(function, computed);
                jobs.promote(taken);
                promoted = true;
            }
        }
        promoted
    }

    /// Waits for something to do; while jobs wait that may not run, one thread looks now and then whether they may.
    fn rest(&self, queue: &mut MutexGuard<'_, Queue>, thread: usize, now: Duration) {
        let watches = !queue.is_watched && queue.jobs.len() > 0;
        let late = queue.jobs.next_late().map(|late| late.saturating_sub(now));
        let time = if watches { Some(late.map_or(WATCH_EVERY, |late| late.min(WATCH_EVERY))) } else { late };
        queue.idle.push(thread);
        queue.is_watched |= watches;
        match time {
            Some(time) => drop(self.wakes[thread].wait_for(queue, time)),
            None => self.wakes[thread].wait(queue),
        }
        match queue.idle.iter().position(|idle| *idle == thread) {
            // Its time was over.
            Some(place) => drop(queue.idle.remove(place)),
            None => queue.is_waking = false,
        }
        if watches {
            queue.is_watched = false;
        }
    }
}

fn work(shared: &Shared, thread: usize) {
    shared.calls.join(thread);
    let mut took = None;
    let mut began = thread_cpu_time();
    while let Some(next) = next_job(shared, thread, took.take()) {
        match next {
            Next::TooLate(Waiting { job, .. }) => {
                shared.late.add(1);
                refuse(job, Refusal::TooLate);
            }
            Next::Run(_, Waiting { job, work, since }) => {
                shared.waits.note(work.kind, shared.env.monotonic().saturating_sub(since));
                LOOKED_AT.set(began);
                shared.calls.begin_job(began);
                run(|| job(Turn::Run(&mut Teardown::default())));
                let ended = thread_cpu_time();
                took = Some(ended.saturating_sub(began));
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

/// What this thread is to do next, after a job that has taken so long. `None`: the executor has stopped.
fn next_job(shared: &Shared, thread: usize, took: Option<Duration>) -> Option<Next<Waiting>> {
    let slow = |waiting: &Waiting| waiting.work.function.and_then(|function| shared.estimates.slow(function));
    let mut queue = shared.queue.lock();
    if let (Some(taken), Some(took)) = (queue.taken[thread].take(), took) {
        queue.jobs.done(taken, took);
    }
    loop {
        let now = shared.env.monotonic();
        if let Some(next) = queue.jobs.next(now, slow) {
            queue.taken[thread] = next.taken();
            // What has ended may have made room for more than the one that this thread takes.
            let woken = queue.wake_another();
            drop(queue);
            shared.wake(woken);
            return Some(next);
        }
        if queue.stopped {
            return None;
        }
        if shared.promote(&mut queue, now) {
            continue;
        }
        shared.rest(&mut queue, thread, now);
    }
}

#[cfg(test)]
mod tests;
