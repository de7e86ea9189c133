//! The tasks of an action: work in the host whose end the guest waits for.
use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use weir_db::{ActionHost, CallError, DbError, GivesUp, HostFuture};
use weir_value::ErrorCode;
use weir_value::limits::ACTION_TASKS_MAX;

/// How a task ended: what it gives to the guest, or its error.
pub(crate) type Outcome = Result<Vec<u8>, CallError>;

/// The ends of tasks, in the order in which they came.
pub(crate) type Ends = UnboundedReceiver<(u32, End)>;

/// The end of a task, as the host's future gives it.
pub(crate) enum End {
    /// It is this.
    Outcome(Outcome),
    /// The state of the action is to be changed first, to give it: a stream is put away for instance.
    Settle(Box<dyn FnOnce(&mut super::RunningAction) -> Outcome + Send>),
}

/// The tasks of one action.
pub(crate) struct Tasks {
    last: u32,
    running: HashMap<u32, Box<dyn GivesUp>>,
    sender: UnboundedSender<(u32, End)>,
    /// `None` while the guest waits.
    ends: Option<Ends>,
}

impl Default for Tasks {
    fn default() -> Self {
        let (sender, ends) = mpsc::unbounded_channel();
        Tasks { last: 0, running: HashMap::new(), sender, ends: Some(ends) }
    }
}

impl Tasks {
    /// Whether another one may be started.
    ///
    /// # Errors
    /// `TooManyTasks`.
    pub(crate) fn check_room(&self) -> Result<(), DbError> {
        if self.running.len() < ACTION_TASKS_MAX {
            return Ok(());
        }
        let message = format!(
            "The action does {ACTION_TASKS_MAX} things at once; wait for some before it begins others."
        );
        Err(DbError::new(ErrorCode::TooManyTasks, message))
    }

    /// Starts a task; gives its number.
    pub(crate) fn start(&mut self, host: &Arc<dyn ActionHost>, work: HostFuture<End>) -> u32 {
        self.last += 1;
        let (task, sender) = (self.last, self.sender.clone());
        let running = host.spawn(Box::pin(async move {
            // Nobody waits for the end of an action that is over.
            let _ = sender.send((task, work.await));
        }));
        self.running.insert(task, running);
        task
    }

    /// Takes the ends, to wait for one.
    ///
    /// # Errors
    /// `NothingToWaitFor`.
    pub(crate) fn take_ends(&mut self) -> Result<Ends, DbError> {
        match self.running.is_empty() {
            false => Ok(self.ends.take().expect("a guest waits once at a time")),
            true => Err(DbError::new(
                ErrorCode::NothingToWaitFor,
                "The action waits, and there is nothing under way that it could wait for.",
            )),
        }
    }

    /// Puts the ends back.
    pub(crate) fn put_back(&mut self, ends: Ends) {
        self.ends = Some(ends);
    }

    /// Takes a task off the list that has ended; false if it was given up.
    pub(crate) fn finish(&mut self, task: u32) -> bool {
        self.running.remove(&task).is_some()
    }

    /// Gives a task up.
    pub(crate) fn cancel(&mut self, task: u32) {
        self.running.remove(&task);
    }
}
