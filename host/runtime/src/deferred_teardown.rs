//! Deferred teardown: when the instance of a call that is over is torn down. Setting its memory back takes as long as
//! a small call, and nobody who waits for the answer needs to wait for it.
//!
//! Until it is torn down, an instance still holds its call's place among the concurrent ones, and its memory is
//! out of reach until it was set back: another call cannot see it, nor take a place that is not free.
use std::cell::RefCell;

use wasmtime::Store;

use crate::call_state::CallState;
use crate::invocation::Slot;

/// The instance of a call that is over, and the call's place; dropped in this order.
pub(crate) struct FinishedInstance {
    pub(crate) _store: Store<CallState>,
    pub(crate) _slot: Slot,
}

/// When a thread tears instances down.
enum Teardown {
    /// At once.
    Immediate,
    /// The last one at the next call or at the end of [`answer_first`].
    Deferred(Option<FinishedInstance>),
}

thread_local! {
    static TEARDOWN: RefCell<Teardown> = const { RefCell::new(Teardown::Immediate) };
}

/// Runs a job that calls functions and answers who asked for them; the instance of its last call is torn down
/// after the job, and those of the calls before it when the next one begins. Outside of this, a call tears its
/// instance down before it gives its result.
pub fn answer_first<R>(job: impl FnOnce() -> R) -> R {
    let _restored = Restored(TEARDOWN.replace(Teardown::Deferred(None)));
    job()
}

/// Puts back what the thread did before, however the job ends, and tears down what is pending.
struct Restored(Teardown);

impl Drop for Restored {
    fn drop(&mut self) {
        let before = std::mem::replace(&mut self.0, Teardown::Immediate);
        drop(TEARDOWN.replace(before));
    }
}

/// Tears an instance down, now or later; one that was pending goes now.
pub(crate) fn tear_down(finished: FinishedInstance) {
    let due = TEARDOWN.with_borrow_mut(|teardown| match teardown {
        Teardown::Immediate => Some(finished),
        Teardown::Deferred(pending) => pending.replace(finished),
    });
    drop(due);
}

/// Tears down the instance of the call before, if it is pending.
pub(crate) fn tear_down_pending() {
    let due = TEARDOWN.with_borrow_mut(|teardown| match teardown {
        Teardown::Immediate => None,
        Teardown::Deferred(pending) => pending.take(),
    });
    drop(due);
}
