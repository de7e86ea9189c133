//! Turns: one at a time, in the order in which they were asked for.
use std::collections::VecDeque;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use weir_value::limits::COMPILATIONS_WAITING_MAX;

use crate::{Cancellation, Failure};

/// How often those who wait look whether anybody still waits for them.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Who has the turn, and who waits.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    /// The first has the turn.
    line: Mutex<Line>,
    moved: Condvar,
}

#[derive(Debug, Default)]
struct Line {
    tickets: VecDeque<u64>,
    last: u64,
}

/// The turn, until it is dropped.
pub(crate) struct Turn<'a> {
    queue: &'a Queue,
    ticket: u64,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.queue.line.lock().tickets.retain(|ticket| *ticket != self.ticket);
        self.queue.moved.notify_all();
    }
}

impl Queue {
    /// Waits for the turn. Blocks.
    ///
    /// # Errors
    /// Too many wait, it takes longer than `patience`, or nobody waits any more.
    pub(crate) fn wait(&self, cancellation: &Cancellation, patience: Duration) -> Result<Turn<'_>, Failure> {
        #[expect(clippy::disallowed_methods, reason = "a limit of the machine, which no test's clock moves")]
        let deadline = Instant::now() + patience;
        let mut line = self.line.lock();
        if line.tickets.len() > COMPILATIONS_WAITING_MAX {
            return Err(Failure::Busy);
        }
        line.last += 1;
        let ticket = line.last;
        line.tickets.push_back(ticket);
        let turn = Turn { queue: self, ticket };
        while line.tickets.front() != Some(&ticket) {
            #[expect(clippy::disallowed_methods, reason = "as above")]
            let is_late = Instant::now() >= deadline;
            let is_cancelled = cancellation.is_cancelled();
            if is_late || is_cancelled {
                // Dropping the turn takes the lock.
                drop(line);
                drop(turn);
                return Err(if is_cancelled { Failure::Cancelled } else { Failure::Busy });
            }
            self.moved.wait_for(&mut line, LOOK_EVERY);
        }
        drop(line);
        Ok(turn)
    }
}
