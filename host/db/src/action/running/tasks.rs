//! The tasks of an action: work in the host whose end the guest waits for.
use std::collections::HashMap;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use weir_value::ErrorCode;
use weir_value::limits::ACTION_TASKS_MAX;

use super::super::{ActionHost, GivesUp, HostFuture};
use super::pipe::{Receiver, Sender, pipe};
use crate::{CallError, DbError};

/// How a task ended: what it gives to the guest, or its error.
pub type Outcome = Result<Vec<u8>, CallError>;

/// The end of a task, as the guest is told of it.
pub struct Completion {
    /// The task's number.
    pub task: u32,
    /// What came of it.
    pub outcome: Outcome,
}

/// The ends of tasks, in the order in which they came.
pub struct Ends {
    coming: Receiver<Ended>,
    /// One that has come, of which the guest knows no more than that.
    found: Option<Ended>,
}

impl Ends {
    /// The next one. The tasks of an action hold the other end, so that there is always one to come.
    pub async fn next(&mut self) -> Option<Ended> {
        poll_fn(|context| self.poll_next(context)).await
    }

    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Ended>> {
        match self.found.take() {
            Some(ended) => Poll::Ready(Some(ended)),
            None => self.coming.poll_next(context),
        }
    }

    /// Leaves this end for the next wait.
    pub(super) fn leave(&mut self, ended: Ended) {
        self.found = Some(ended);
    }
}

/// For how long a guest waits that waits for a task as well.
pub enum WaitTime {
    /// For ever.
    Endless,
    /// Until this is over.
    Until(HostFuture<()>),
    /// Not at all.
    Over,
}

impl WaitTime {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        match self {
            WaitTime::Endless => Poll::Pending,
            WaitTime::Until(timer) => timer.as_mut().poll(context),
            WaitTime::Over => Poll::Ready(()),
        }
    }

    /// Waits until it is over; at once, if it never is.
    pub async fn pass(self) {
        if let WaitTime::Until(timer) = self {
            timer.await;
        }
    }

    /// The next of these ends; `None`: the time was over before.
    pub async fn first(&mut self, ends: &mut Ends) -> Option<Ended> {
        poll_fn(|context| match ends.poll_next(context) {
            Poll::Ready(ended) => Poll::Ready(ended),
            Poll::Pending => self.poll(context).map(|()| None),
        })
        .await
    }
}

/// A task that has come to its end; what of it the guest is told,
/// [`RunningAction::end_wait`](super::RunningAction::end_wait) says.
pub struct Ended {
    pub(super) task: u32,
    pub(super) end: End,
}

/// The end of a task, as the host's future gives it.
pub(super) enum End {
    /// It is this.
    Outcome(Outcome),
    /// The state of the action is to be changed first, to give it: a stream is put away for instance.
    Settle(Box<dyn FnOnce(&mut super::RunningAction) -> Outcome + Send>),
}

/// The tasks of one action.
pub(super) struct Tasks {
    last: u32,
    running: HashMap<u32, Box<dyn GivesUp>>,
    sender: Sender<Ended>,
    /// `None` while the guest waits.
    ends: Option<Ends>,
}

impl Default for Tasks {
    fn default() -> Self {
        let (sender, ends) = pipe();
        Tasks { last: 0, running: HashMap::new(), sender, ends: Some(Ends { coming: ends, found: None }) }
    }
}

impl Tasks {
    /// Whether another one may be started.
    ///
    /// # Errors
    /// `TooManyTasks`.
    pub(super) fn check_room(&self) -> Result<(), DbError> {
        if self.running.len() < ACTION_TASKS_MAX {
            return Ok(());
        }
        let message = format!(
            "The action does {ACTION_TASKS_MAX} things at once; wait for some before it begins others."
        );
        Err(DbError::new(ErrorCode::TooManyTasks, message))
    }

    /// Starts a task; gives its number.
    pub(super) fn start(&mut self, host: &Arc<dyn ActionHost>, work: HostFuture<End>) -> u32 {
        self.last += 1;
        let (task, sender) = (self.last, self.sender.clone());
        let running = host.spawn(Box::pin(async move {
            // Nobody waits for the end of an action that is over.
            sender.send(Ended { task, end: work.await });
        }));
        self.running.insert(task, running);
        task
    }

    /// Takes the ends, to wait for one.
    ///
    /// # Errors
    /// `NothingToWaitFor`.
    pub(super) fn take_ends(&mut self) -> Result<Ends, DbError> {
        match self.running.is_empty() {
            false => Ok(self.ends.take().expect("a guest waits once at a time")),
            true => Err(DbError::new(
                ErrorCode::NothingToWaitFor,
                "The action waits, and there is nothing under way that it could wait for.",
            )),
        }
    }

    /// Puts the ends back.
    pub(super) fn put_back(&mut self, ends: Ends) {
        self.ends = Some(ends);
    }

    /// Whether a task is under way, or has an end that the guest was not told of.
    pub(super) fn is_running(&self, task: u32) -> bool {
        self.running.contains_key(&task)
    }

    /// Takes a task off the list that has ended; false if it was given up.
    pub(super) fn finish(&mut self, task: u32) -> bool {
        self.running.remove(&task).is_some()
    }

    /// Gives a task up.
    pub(super) fn cancel(&mut self, task: u32) {
        self.running.remove(&task);
    }
}
