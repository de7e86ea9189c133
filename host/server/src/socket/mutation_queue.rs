//! The mutations of one socket: one after another, in the order they came, while
//! their commits are still on the way to the disk.
//!
//! The queue, not the single mutation, is what the executor's threads take: one
//! of them runs several mutations in a row and then lets other queues have a turn.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use parking_lot::Mutex;
use weir_db::{Call, CallError, MutationOutcome};
use weir_sync::session::DueMutation;
use weir_value::{ErrorCode, Timestamp, limits};

use super::inbox::Inbox;
use crate::backend::Backend;
use crate::http::new_request_id;

/// The mutation queue of one socket.
pub struct MutationQueue {
    backend: Arc<Backend>,
    inbox: Arc<Inbox>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    due: VecDeque<DueMutation>,
    /// A thread runs the queue, or the queue waits for one.
    is_scheduled: bool,
    is_closed: bool,
}

impl MutationQueue {
    /// An empty queue whose outcomes go to `inbox`.
    pub fn new(backend: Arc<Backend>, inbox: Arc<Inbox>) -> Arc<MutationQueue> {
        Arc::new(MutationQueue { backend, inbox, state: Mutex::new(State::default()) })
    }

    /// Adds mutations at the end, and empties the list.
    pub fn push(self: &Arc<Self>, mutations: &mut Vec<DueMutation>) {
        if mutations.is_empty() {
            return;
        }
        let mut state = self.state.lock();
        state.due.extend(mutations.drain(..));
        let was_scheduled = std::mem::replace(&mut state.is_scheduled, true);
        drop(state);
        if !was_scheduled {
            self.schedule();
        }
    }

    /// The socket is gone: what has not begun does not begin. A client that
    /// comes back sends it again.
    pub fn close(&self) {
        let mut state = self.state.lock();
        state.is_closed = true;
        state.due.clear();
    }

    fn schedule(self: &Arc<Self>) {
        let queue = Arc::clone(self);
        self.backend.executor.spawn(move || queue.take_turn());
    }

    /// Runs some mutations. The outcomes are handed over after each one: the
    /// answer of the first must not wait for the last.
    fn take_turn(self: &Arc<Self>) {
        let mut outcome = Vec::with_capacity(1);
        for _ in 0..limits::MUTATION_QUEUE_RUN_MAX {
            let Some(due) = self.next_due() else { return };
            let request = due.request.request;
            outcome.push((request, self.run(due)));
            self.inbox.leave_outcomes(&mut outcome, &self.backend.durable);
        }
        self.schedule();
    }

    /// The next mutation; without one the queue is not scheduled any more.
    fn next_due(&self) -> Option<DueMutation> {
        let mut state = self.state.lock();
        let due = state.due.pop_front().filter(|_| !state.is_closed);
        state.is_scheduled = due.is_some();
        due
    }

    fn run(&self, due: DueMutation) -> MutationOutcome {
        let call =
            Call { path: due.path, args: due.args, principal: due.principal, request_id: new_request_id() };
        let db = &self.backend.db;
        let run = AssertUnwindSafe(|| db.mutation(&call, Some(due.request)));
        catch_unwind(run).unwrap_or_else(|_| self.lost(&call.request_id))
    }

    /// A panic of the host itself. The client is told, and the queue goes on. It
    /// is told nothing of the data, so the answer waits for no commit.
    fn lost(&self, request_id: &str) -> MutationOutcome {
        tracing::error!(request_id, "a mutation panicked in the host");
        MutationOutcome {
            result: Err(internal_error(request_id)),
            ts: Timestamp::ZERO,
            log_lines: Vec::new(),
            replayed: false,
        }
    }
}

/// What a client reads when the host itself failed.
pub fn internal_error(request_id: &str) -> CallError {
    let message = format!(
        "[Request ID: {request_id}] Server Error\nYour request couldn't be completed. Try again later."
    );
    CallError::new(ErrorCode::InternalServerError, message)
}
