//! When the instance of a call that is over is cleared away: setting its memory back takes as long as a small call,
//! and nobody needs to wait for it who waits for the answer.
//!
//! An instance that is left over still holds its call's place among the concurrent ones, and its memory is out of
//! reach until it was set back: another call cannot see it, nor take a place that is not free.
use std::cell::RefCell;

use wasmtime::Store;

use crate::call_state::CallState;
use crate::invocation::Slot;

/// The instance of a call that is over, and the call's place; dropped in this order.
pub(crate) struct Leftover {
    pub(crate) _store: Store<CallState>,
    pub(crate) _slot: Slot,
}

/// What a thread does with leftovers.
enum Desk {
    /// Clears them away at once.
    AtOnce,
    /// Keeps the last one until the next call or the end of [`answer_first`].
    Later(Option<Leftover>),
}

thread_local! {
    static DESK: RefCell<Desk> = const { RefCell::new(Desk::AtOnce) };
}

/// Runs a job that calls functions and answers who asked for them; the instance of its last call is cleared away
/// after the job, and those of the calls before it when the next one begins. Outside of this, a call clears its
/// instance away before it gives its result.
pub fn answer_first<R>(job: impl FnOnce() -> R) -> R {
    let _clearing = Clearing(DESK.replace(Desk::Later(None)));
    job()
}

/// Puts back what the thread did before, however the job ends.
struct Clearing(Desk);

impl Drop for Clearing {
    fn drop(&mut self) {
        let before = std::mem::replace(&mut self.0, Desk::AtOnce);
        drop(DESK.replace(before));
    }
}

/// Takes over what is left of a call.
pub(crate) fn leave(leftover: Leftover) {
    let gone = DESK.with_borrow_mut(|desk| match desk {
        Desk::AtOnce => Some(leftover),
        Desk::Later(kept) => kept.replace(leftover),
    });
    drop(gone);
}

/// Clears away what is left of the call before, if anything is.
pub(crate) fn clear() {
    let gone = DESK.with_borrow_mut(|desk| match desk {
        Desk::AtOnce => None,
        Desk::Later(kept) => kept.take(),
    });
    drop(gone);
}
