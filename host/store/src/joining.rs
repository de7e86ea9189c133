//! Commits that are about to come: what the log waits for, a moment, before it begins a group.
//!
//! A sync costs about the same for one commit and for a hundred. So whoever is about to commit says so, and the log
//! lets those join who will do so in a moment. Where nobody is about to, it does not wait.
//!
//! It is a hint: nothing goes wrong when somebody says so and does not commit, or commits and has not said so.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts those who are about to commit.
#[derive(Debug, Default)]
pub(crate) struct Joiners(AtomicUsize);

impl Joiners {
    pub(crate) fn any(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }
}

/// Somebody is about to commit, until this is dropped.
#[must_use]
pub struct Joining {
    joiners: Arc<Joiners>,
    is_over: Cell<bool>,
}

impl Joining {
    pub(crate) fn new(joiners: &Arc<Joiners>) -> Joining {
        joiners.0.fetch_add(1, Ordering::Relaxed);
        Joining { joiners: Arc::clone(joiners), is_over: Cell::new(false) }
    }

    /// The commit comes now: nobody need wait for it any more. Call it right before
    /// [`Store::sequence`](crate::Store::sequence).
    pub fn commits(&self) {
        if !self.is_over.replace(true) {
            self.joiners.0.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Drop for Joining {
    fn drop(&mut self) {
        self.commits();
    }
}

impl std::fmt::Debug for Joining {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Joining")
    }
}
