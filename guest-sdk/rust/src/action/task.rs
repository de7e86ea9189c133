//! One piece of work in the host, as a future.

use std::cell::RefCell;
use std::collections::HashMap;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use crate::failure::{Error, Result};
use crate::host::{CallError, Completion, HostError, tasks};

/// How far a task has come that somebody waits for.
enum State {
    Running(Option<Waker>),
    Ended(Result<Vec<u8>, CallError>),
}

thread_local! {
    static TASKS: RefCell<HashMap<u32, State>> = RefCell::new(HashMap::new());
}

/// A task that was started; dropped before its end, it is given up.
#[derive(Debug)]
pub(crate) struct Task {
    number: u32,
    is_over: bool,
}

impl Task {
    /// That with the number which the host gave.
    pub(crate) fn new(started: Result<u32, HostError>) -> Result<Task> {
        let number = started.map_err(Error::from_host)?;
        TASKS.with_borrow_mut(|tasks| tasks.insert(number, State::Running(None)));
        Ok(Task { number, is_over: false })
    }
}

impl Future for Task {
    type Output = Result<Vec<u8>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let ended = TASKS.with_borrow_mut(|tasks| match tasks.remove(&self.number) {
            Some(State::Ended(outcome)) => Some(outcome),
            _ => {
                tasks.insert(self.number, State::Running(Some(context.waker().clone())));
                None
            }
        });
        match ended {
            Some(outcome) => {
                self.is_over = true;
                Poll::Ready(outcome.map_err(Error::from_call))
            }
            None => Poll::Pending,
        }
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        let state = TASKS.with_borrow_mut(|tasks| tasks.remove(&self.number));
        if matches!(state, Some(State::Running(_))) {
            tasks::cancel(self.number);
        }
    }
}

/// Tells who waits for a task that it has come to its end.
pub(super) fn complete(completion: Completion) {
    let Completion { task, outcome } = completion;
    let waker = TASKS.with_borrow_mut(|tasks| match tasks.get_mut(&task)? {
        State::Running(waker) => {
            let waker = waker.take();
            tasks.insert(task, State::Ended(outcome));
            waker
        }
        State::Ended(_) => None,
    });
    if let Some(waker) = waker {
        waker.wake();
    }
}
