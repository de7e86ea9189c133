//! Polls an action's future to its end, and waits for the host when nothing else is to be done.

use std::cell::RefCell;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use super::task;
use crate::failure::{Error, Result};
use crate::host::tasks;

/// Work that goes on beside an action's own.
type Beside = Pin<Box<dyn Future<Output = ()>>>;

thread_local! {
    /// Such work that was begun and not polled yet.
    static BEGUN: RefCell<Vec<Beside>> = const { RefCell::new(Vec::new()) };
}

/// Whether a future is to be polled.
struct Woken(AtomicBool);

impl Woken {
    fn new() -> Arc<Woken> {
        Arc::new(Woken(AtomicBool::new(true)))
    }

    fn take(&self) -> bool {
        self.0.swap(false, Ordering::Relaxed)
    }
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Gives up what was begun, when the action is over.
struct GivesUp;

impl Drop for GivesUp {
    fn drop(&mut self) {
        let begun = BEGUN.take();
        drop(begun);
    }
}

/// Lets work go on beside the action, and gives it up when the action ends.
pub(super) fn begin_beside(work: impl Future<Output = ()> + 'static) {
    BEGUN.with_borrow_mut(|begun| begun.push(Box::pin(work)));
}

/// Runs an action to its end.
///
/// # Errors
/// Its own; and if it waits for something that nothing brings about.
pub(crate) fn block_on<T>(action: impl Future<Output = Result<T>>) -> Result<T> {
    let _gives_up = GivesUp;
    let mut action = pin!(action);
    let woken = Woken::new();
    let waker = Waker::from(woken.clone());
    let mut beside: Vec<(Beside, Arc<Woken>)> = Vec::new();
    loop {
        let mut is_idle = true;
        if woken.take() {
            is_idle = false;
            if let Poll::Ready(result) = action.as_mut().poll(&mut Context::from_waker(&waker)) {
                return result;
            }
        }
        beside.extend(BEGUN.take().into_iter().map(|work| (work, Woken::new())));
        beside.retain_mut(|(work, woken)| {
            if !woken.take() {
                return true;
            }
            is_idle = false;
            let waker = Waker::from(woken.clone());
            work.as_mut().poll(&mut Context::from_waker(&waker)).is_pending()
        });
        if is_idle {
            let completion = tasks::wait().map_err(explain)?;
            task::complete(completion);
        }
    }
}

fn explain(error: crate::host::HostError) -> Error {
    match error.code.as_str() {
        "NothingToWaitFor" => Error::new("the action waits for a future that nothing will wake"),
        _ => Error::from_host(error),
    }
}
