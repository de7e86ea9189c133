//! The threads that functions run on.
//!
//! Guests run synchronously and may take up to a second, so they never run on
//! the threads of the network: a fixed number of dedicated threads takes jobs
//! from one queue, which shares their time fairly between kinds of jobs. The
//! queue itself knows no bound; whoever puts jobs in is bounded (HTTP calls by
//! a semaphore, a socket by its one mutation queue, live queries by single
//! flight).
//!
//! Knows nothing of what it runs, but that what calls leave to be torn down
//! waits until the job has answered.

mod fair_queue;
mod queue_waits;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use async_task::{FallibleTask, Runnable};
use parking_lot::{Condvar, Mutex};
use tokio::sync::oneshot;
use weir_db::Teardown;
use weir_store::Env;

use fair_queue::FairQueue;
pub use fair_queue::JobKind;
use queue_waits::QueueWaits;

/// One piece of work. It answers whoever asked for it, and leaves for after that what its calls ran in.
type Job = Box<dyn FnOnce(&mut Teardown) + Send>;

/// A fixed set of threads and the queue they take jobs from.
pub struct Executor {
    shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

struct Shared {
    env: Arc<dyn Env>,
    queue: Mutex<Queue>,
    filled: Condvar,
    waits: QueueWaits,
}

/// A job, and since when it waits.
struct Waiting {
    job: Job,
    since: Duration,
}

#[derive(Default)]
struct Queue {
    jobs: FairQueue<Waiting>,
    idle: usize,
    stopped: bool,
}

/// The job did not give a result: it panicked, or the executor has stopped.
#[derive(Debug, thiserror::Error)]
#[error("the call was dropped before it gave a result")]
pub struct JobLost;

impl Executor {
    /// How many threads a machine of this size runs functions on: enough that a
    /// few slow functions do not hold up all others.
    pub fn default_threads() -> usize {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        (2 * cores).max(4)
    }

    /// Starts `threads` threads, whose names begin with `name`.
    pub fn start(env: &Arc<dyn Env>, name: &str, threads: usize) -> Executor {
        let shared = Shared {
            env: Arc::clone(env),
            queue: Mutex::new(Queue::default()),
            filled: Condvar::new(),
            waits: QueueWaits::default(),
        };
        let shared = Arc::new(shared);
        let thread = |number| {
            let shared = Arc::clone(&shared);
            env.spawn(&format!("{name}-{number}"), Box::new(move || work(&shared)))
        };
        let threads = Mutex::new((0..threads).map(thread).collect());
        Executor { shared, threads }
    }

    /// Puts a job at the end of the queue of its kind. What it leaves in its [`Teardown`] is torn down when it has returned. After
    /// `stop` the job is dropped.
    pub fn spawn(&self, kind: JobKind, job: impl FnOnce(&mut Teardown) + Send + 'static) {
        self.shared.push(kind, Box::new(job));
    }

    /// Runs `job` on one of the threads and gives its result. If nobody waits for it any more when its turn comes, it
    /// is not run.
    ///
    /// # Errors
    /// `JobLost` when the job panicked or the executor has stopped.
    pub async fn run<T: Send + 'static>(
        &self,
        kind: JobKind,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, JobLost> {
        self.run_calls(kind, move |_| job()).await
    }

    /// As [`Executor::run`], of a job that calls functions: its result is given before what it leaves in its
    /// [`Teardown`] is torn down.
    ///
    /// # Errors
    /// As those of [`Executor::run`].
    pub async fn run_calls<T: Send + 'static>(
        &self,
        kind: JobKind,
        job: impl FnOnce(&mut Teardown) -> T + Send + 'static,
    ) -> Result<T, JobLost> {
        let (sender, receiver) = oneshot::channel::<T>();
        self.spawn(kind, move |teardown| {
            if !sender.is_closed() {
                let _ = sender.send(job(teardown));
            }
        });
        receiver.await.map_err(|_| JobLost)
    }

    /// Polls an action on the threads, each time that it is woken; between that it holds none. Dropping what this gives
    /// drops the future. Gives `None` if the future panicked, or the executor has stopped.
    pub fn run_future<T: Send + 'static>(
        &self,
        future: impl Future<Output = T> + Send + 'static,
    ) -> FallibleTask<T> {
        let shared = Arc::downgrade(&self.shared);
        let schedule = move |runnable: Runnable| {
            if let Some(shared) = shared.upgrade() {
                let poll = move |_: &mut Teardown| {
                    runnable.run();
                };
                shared.push(JobKind::Action, Box::new(poll));
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

    /// Finishes the queued jobs and ends the threads. Jobs that come later are
    /// dropped. Blocks; may be called twice.
    pub fn stop(&self) {
        self.shared.queue.lock().stopped = true;
        self.shared.filled.notify_all();
        for thread in std::mem::take(&mut *self.threads.lock()) {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn push(&self, kind: JobKind, job: Job) {
        let since = self.env.monotonic();
        let mut queue = self.queue.lock();
        if queue.stopped {
            // Not under the lock: what the job holds may come here when it is dropped.
            drop(queue);
            drop(job);
            return;
        }
        queue.jobs.push(kind, Waiting { job, since });
        let someone_waits = queue.idle > 0;
        drop(queue);
        if someone_waits {
            self.filled.notify_one();
        }
    }
}

fn work(shared: &Shared) {
    let mut done = None;
    while let Some((kind, Waiting { job, since })) = next_job(shared, done.take()) {
        let began = shared.env.monotonic();
        shared.waits.note(kind, began.saturating_sub(since));
        if catch_unwind(AssertUnwindSafe(|| job(&mut Teardown::default()))).is_err() {
            tracing::error!("a call panicked; its caller gets an internal error");
        }
        done = Some((kind, shared.env.monotonic().saturating_sub(began)));
    }
}

/// The next job, after one that was done. `None`: the executor has stopped.
fn next_job(shared: &Shared, done: Option<(JobKind, Duration)>) -> Option<(JobKind, Waiting)> {
    let mut queue = shared.queue.lock();
    if let Some((kind, took)) = done {
        queue.jobs.charge(kind, took);
    }
    loop {
        if let Some(next) = queue.jobs.pop() {
            return Some(next);
        }
        if queue.stopped {
            return None;
        }
        queue.idle += 1;
        shared.filled.wait(&mut queue);
        queue.idle -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_store::RealEnv;

    fn start(name: &str, threads: usize) -> Executor {
        let env: Arc<dyn Env> = Arc::new(RealEnv::new());
        Executor::start(&env, name, threads)
    }

    #[tokio::test]
    async fn gives_results_and_survives_a_panic() {
        let executor = start("call", 1);
        assert_eq!(executor.run(JobKind::Client, || 6 * 7).await.unwrap(), 42);
        assert!(executor.run(JobKind::Client, || panic!("as a guest's bug would")).await.is_err());
        assert_eq!(executor.run(JobKind::Client, || "still here").await.unwrap(), "still here");
    }

    #[tokio::test]
    async fn a_future_holds_no_thread_while_it_waits() {
        let executor = start("call", 1);
        let (sender, receiver) = oneshot::channel();
        let waiting = executor.run_future(async move { receiver.await.unwrap_or(0) });
        assert_eq!(
            executor.run(JobKind::Client, || "the thread is free").await.unwrap(),
            "the thread is free"
        );
        sender.send(7).unwrap();
        assert_eq!(waiting.await, Some(7));
        assert_eq!(executor.run_future(async { panic!("as a guest's bug would") }).await, None::<()>);
        let dropped = executor.run_future(std::future::pending::<()>());
        executor.stop();
        drop(dropped);
        assert_eq!(executor.run_future(async { 1 }).await, None);
    }

    #[tokio::test]
    async fn finishes_what_is_queued_and_takes_no_more() {
        let executor = start("call", 2);
        let results: Vec<_> = (0..100).map(|n| executor.run(JobKind::Client, move || n)).collect();
        let results = futures_util::future::join_all(results);
        assert_eq!(results.await.into_iter().map(Result::unwrap).sum::<i32>(), 4950);
        executor.stop();
        assert!(executor.run(JobKind::Client, || ()).await.is_err());
    }

    /// Reports when it is torn down, and waits until it may be.
    struct Finished(std::sync::mpsc::Receiver<()>, oneshot::Sender<()>);

    impl Drop for Finished {
        fn drop(&mut self) {
            self.0.recv().unwrap();
            let (unused, _) = oneshot::channel();
            std::mem::replace(&mut self.1, unused).send(()).unwrap();
        }
    }

    #[tokio::test]
    async fn answers_before_it_tears_down() {
        let executor = start("call", 1);
        let (answered, may_tear_down) = std::sync::mpsc::channel();
        let (sender, torn_down) = oneshot::channel();
        let job = move |teardown: &mut Teardown| teardown.defer(Finished(may_tear_down, sender));
        executor.run_calls(JobKind::Client, job).await.unwrap();
        answered.send(()).unwrap();
        torn_down.await.unwrap();
    }

    #[tokio::test]
    async fn what_nobody_waits_for_is_not_run() {
        let executor = start("call", 1);
        let (free, busy) = std::sync::mpsc::channel::<()>();
        executor.spawn(JobKind::Client, move |_| busy.recv().unwrap());
        let ran = Arc::new(Mutex::new(Vec::new()));
        let job = |name| {
            let ran = Arc::clone(&ran);
            executor.run(JobKind::Client, move || ran.lock().push(name))
        };
        let mut given_up = Box::pin(job("given up"));
        assert!(futures_util::poll!(given_up.as_mut()).is_pending());
        drop(given_up);
        free.send(()).unwrap();
        job("awaited").await.unwrap();
        assert_eq!(*ran.lock(), ["awaited"]);
    }
}
