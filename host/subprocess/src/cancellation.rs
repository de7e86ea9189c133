//! Whether somebody still waits for work.
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rustix::process::{Pid, Signal, kill_process};

/// Whether somebody still waits for a deployment's work, and how long all of it has taken so far. Clones are the same one.
#[derive(Debug, Clone, Default)]
pub struct Cancellation(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    is_cancelled: bool,
    /// Each piece of work has all of the time for itself.
    is_for_each: bool,
    spent: Duration,
    /// The child that works. It is not waited for while it stands here, so its number is its own.
    child: Option<Pid>,
}

impl Cancellation {
    /// One for work that somebody has been allowed before, such as that of a start: the limit of time is one for each piece.
    pub fn for_each_piece() -> Cancellation {
        Cancellation(Arc::new(Mutex::new(State { is_for_each: true, ..State::default() })))
    }

    /// Ends what is done for it, and what is begun later before it begins. What is done stays done.
    pub fn cancel(&self) {
        let mut state = self.0.lock();
        state.is_cancelled = true;
        if let Some(child) = state.child {
            // It may have ended by itself, which is as good.
            let _ = kill_process(child, Signal::KILL);
        }
    }

    /// Whether nobody waits any more.
    pub fn is_cancelled(&self) -> bool {
        self.0.lock().is_cancelled
    }

    /// What is left of the time.
    pub(crate) fn left_of(&self, time_max: Duration) -> Duration {
        let state = self.0.lock();
        if state.is_for_each { time_max } else { time_max.saturating_sub(state.spent) }
    }

    /// A child works for it, until [`Self::ended`]. One that is cancelled by now is killed.
    pub(crate) fn began(&self, child: Pid) {
        let mut state = self.0.lock();
        state.child = Some(child);
        if state.is_cancelled {
            let _ = kill_process(child, Signal::KILL);
        }
    }

    /// The child has ended, or has been killed, and is waited for next.
    pub(crate) fn ended(&self, took: Duration) {
        let mut state = self.0.lock();
        state.child = None;
        state.spent += took;
    }
}
