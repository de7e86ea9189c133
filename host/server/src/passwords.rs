//! The threads that hash and verify passwords.
//!
//! A password takes tens of milliseconds of a processor and many mebibytes, and anybody may try to sign in. So there are
//! threads for this alone, few enough to leave the others their processors, and a queue that has an end; a mutation that
//! waits in it holds no thread that functions run on, no snapshot and no gate (see [`weir_db::PasswordWork`]).

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::oneshot;
use weir_db::{CallError, PasswordResult, PasswordWork};
use weir_store::Env;
use weir_value::{ErrorCode, limits};

use crate::executor::{Executor, JobKind, Turn, Work};
use crate::metrics::Counter;

/// The threads, and how many mutations wait for them.
pub struct PasswordThreads {
    executor: Executor,
    places: Arc<Places>,
    refused: Counter,
}

struct Places {
    taken: AtomicUsize,
    computed: Counter,
}

/// A place in the queue, until it is dropped.
pub struct Place(Arc<Places>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.taken.fetch_sub(1, Ordering::Relaxed);
    }
}

fn compute(work: PasswordWork) -> Option<PasswordResult> {
    let result = catch_unwind(AssertUnwindSafe(|| work.run())).ok();
    if result.is_none() {
        tracing::error!("computing a password panicked; its caller gets an internal error");
    }
    result
}

/// As many mutations wait as may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Too many passwords are waiting to be checked: try again in a moment.")]
pub struct TooManyWait;

impl TooManyWait {
    /// What the client of a mutation is told.
    pub fn into_call_error(self, request_id: &str) -> CallError {
        let message = format!("[Request ID: {request_id}] Server Error\nOverloaded: {self}");
        CallError { retryable: true, ..CallError::new(ErrorCode::Overloaded, message).public() }
    }
}

impl PasswordThreads {
    /// How many threads a machine of this size has for passwords: half of its processors, which leaves the others to all
    /// that needs none.
    pub fn default_threads() -> usize {
        std::thread::available_parallelism().map_or(1, |cores| cores.get() / 2).max(1)
    }

    /// Starts `threads` threads.
    pub fn start(env: &Arc<dyn Env>, threads: usize) -> PasswordThreads {
        let places = Arc::new(Places { taken: AtomicUsize::new(0), computed: Counter::default() });
        PasswordThreads {
            executor: Executor::start(env, "password", threads, 0),
            places,
            refused: Counter::default(),
        }
    }

    /// Takes a place in the queue.
    ///
    /// # Errors
    /// There is none left.
    pub fn take_place(&self) -> Result<Place, TooManyWait> {
        let taken = self.places.taken.fetch_add(1, Ordering::Relaxed);
        let place = Place(Arc::clone(&self.places));
        match taken < limits::PASSWORDS_WAITING_MAX {
            true => Ok(place),
            false => {
                self.refused.add(1);
                Err(TooManyWait)
            }
        }
    }

    /// Has a piece of work done, and hands over what comes of it, on the thread that has done it; nothing, if that has
    /// panicked, or the threads have stopped.
    pub fn compute(
        &self,
        place: Place,
        work: PasswordWork,
        done: impl FnOnce(Option<PasswordResult>) + Send + 'static,
    ) {
        self.executor.spawn(Work::of_host(JobKind::Client), move |turn| {
            let result = match turn {
                Turn::Run(_) => compute(work),
                Turn::Refused(_) => None,
            };
            place.0.computed.add(u64::from(result.is_some()));
            drop(place);
            done(result);
        });
    }

    /// As [`PasswordThreads::compute`], for who can wait. `None`: it was lost.
    pub async fn run(&self, place: Place, work: PasswordWork) -> Option<PasswordResult> {
        let (sender, receiver) = oneshot::channel();
        self.compute(place, work, move |result| drop(sender.send(result)));
        receiver.await.ok().flatten()
    }

    /// Mutations that wait, those included whose password is being computed.
    pub fn waiting(&self) -> usize {
        self.places.taken.load(Ordering::Relaxed)
    }

    /// Passwords that were hashed and verified since the start.
    pub fn computed(&self) -> u64 {
        self.places.computed.get()
    }

    /// Mutations that were refused because too many waited.
    pub fn refused(&self) -> u64 {
        self.refused.get()
    }

    /// Computes nothing more than what is being computed.
    pub fn close(&self) {
        self.executor.close();
    }

    /// The same, and ends the threads. Blocks.
    pub fn stop(&self) {
        self.executor.stop();
    }
}
