//! A place where a thread of the server waits for as long as the test likes.

use std::sync::{Condvar, Mutex};

use crate::support::until;

#[derive(Default)]
pub struct Hold {
    state: Mutex<State>,
    opened: Condvar,
}

#[derive(Default)]
struct State {
    is_closed: bool,
    waiting: usize,
}

/// Keeps a hold closed.
pub struct Closed<'a>(&'a Hold);

impl Drop for Closed<'_> {
    fn drop(&mut self) {
        self.0.state.lock().unwrap().is_closed = false;
        self.0.opened.notify_all();
    }
}

impl Hold {
    /// From now on whoever passes waits, until what is given is dropped: also by a test that fails.
    #[must_use = "it is open again when this is dropped"]
    pub fn close(&self) -> Closed<'_> {
        self.state.lock().unwrap().is_closed = true;
        Closed(self)
    }

    /// Goes by, when it may. Blocks.
    pub fn pass(&self) {
        let mut state = self.state.lock().unwrap();
        state.waiting += 1;
        while state.is_closed {
            state = self.opened.wait(state).unwrap();
        }
        state.waiting -= 1;
    }

    /// Waits until somebody waits for it to open.
    pub async fn somebody_waits(&self) {
        until(|| {
            let state = self.state.lock().unwrap();
            state.is_closed && state.waiting > 0
        })
        .await;
    }
}
