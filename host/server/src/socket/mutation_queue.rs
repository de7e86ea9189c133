//! The mutations of one socket: one after another, in the order they came, while
//! their commits are still on the way to the disk.
//!
//! The queue, not the single mutation, is what the executor's threads take: one
//! of them runs several mutations in a row and then lets other queues have a turn.
//! While a mutation waits for a password, its queue waits with it, without a thread. One that is slow begins a turn, and
//! ends it: it runs where slow functions do. So does one that is executed serially, as long as those before are not. After one that has written more than the flush takes away in the meantime the
//! queue pauses, and nobody else. When the queue has waited for too long, all that is in it is refused, in its
//! order; nothing of it is committed.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::runtime::Handle;
use weir_db::{
    Call, CallError, MutationOutcome, MutationStep, PasswordResults, PasswordWork, SessionRequest, Teardown,
};
use weir_store::Joining;
use weir_sync::session::DueMutation;
use weir_value::{Timestamp, limits};

use crate::app::App;
use crate::executor::{Flow, JobKind, JobLost, Refusal, Turn, Work};
use crate::inbox::Inbox;
use crate::passwords::Place;
use crate::request_id::{internal_error, new_request_id, not_run_error};

/// The mutation queue of one socket.
pub struct MutationQueue {
    app: Arc<App>,
    inbox: Arc<Inbox>,
    /// Whose it is.
    flow: Flow,
    runtime: Handle,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// One that has waited for a password, and goes on before all others.
    resumed: Option<Started>,
    due: VecDeque<DueMutation>,
    /// A thread runs the queue, the queue waits for one or pauses, or its first mutation waits for a password.
    is_scheduled: bool,
    /// The turn that was scheduled last is one of mutations that are executed serially.
    is_serial: bool,
    is_closed: bool,
}

/// A mutation that has begun.
struct Started {
    call: Call,
    request: SessionRequest,
    /// What it has waited for.
    passwords: PasswordResults,
}

impl MutationQueue {
    /// An empty queue whose outcomes go to `inbox`. Called in the runtime.
    pub fn new(app: Arc<App>, inbox: Arc<Inbox>, flow: Flow) -> Arc<MutationQueue> {
        let (runtime, state) = (Handle::current(), Mutex::default());
        Arc::new(MutationQueue { app, inbox, flow, runtime, state })
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
        state.resumed = None;
        state.due.clear();
    }

    fn schedule(self: &Arc<Self>) {
        let queue = Arc::clone(self);
        let joining = self.app.db.store().joining();
        self.app.machine.executor.spawn(self.next_work(), move |turn| match turn {
            Turn::Run(teardown) => queue.take_turn(joining, teardown),
            Turn::Refused(why) => queue.refuse(why),
        });
    }

    /// What the next turn is.
    fn next_work(&self) -> Work {
        let work = Work::of(JobKind::Mutation, self.flow);
        let state = &mut *self.state.lock();
        let next = state.resumed.as_ref().map(|started| &started.call.path);
        let Some(path) = next.or_else(|| state.due.front().map(|due| &due.path)) else { return work };
        state.is_serial = self.app.db.is_serial(path);
        self.app.machine.executor.calling(path, work).serially(state.is_serial)
    }

    /// Refuses all that waits, in its order.
    fn refuse(&self, why: Refusal) {
        let lost = match why {
            Refusal::TooLate => JobLost::TooLate,
            Refusal::Stopping => JobLost::Stopped,
        };
        while let Some(started) = self.next() {
            self.leave(started.request, untold(not_run_error(lost, &started.call.request_id)));
        }
    }

    /// Runs some mutations. The outcomes are handed over after each one: the
    /// answer of the first must not wait for the last.
    fn take_turn(self: &Arc<Self>, joining: Joining, teardown: &mut Teardown) {
        // From here on the mutation itself is about to commit.
        drop(joining);
        for run in 0..limits::MUTATION_QUEUE_RUN_MAX {
            if run > 0 && self.is_next_of_another_lane() {
                break;
            }
            let Some(mut started) = self.next() else { return };
            match self.step(&mut started, teardown) {
                MutationStep::Ended(outcome) => {
                    let outcome = self.app.disclosure.of_mutation(&started.call, outcome);
                    let pause = outcome.pause;
                    self.leave(started.request, outcome);
                    if !pause.is_zero() {
                        return self.pause(pause);
                    }
                }
                MutationStep::Waits(work) => match self.app.machine.passwords.take_place() {
                    Ok(place) => return self.wait(started, place, work),
                    Err(error) => {
                        let error = error.into_call_error(&started.call.request_id);
                        self.leave(started.request, untold(error));
                    }
                },
            }
        }
        self.schedule();
    }

    /// Lets the queue stand still for a while, without a thread.
    fn pause(self: &Arc<Self>, time: Duration) {
        let queue = Arc::clone(self);
        // The thread is the executor's.
        let _context = self.runtime.enter();
        self.app.machine.tasks.spawn(async move {
            tokio::time::sleep(time).await;
            queue.schedule();
        });
    }

    fn is_next_of_another_lane(&self) -> bool {
        let state = self.state.lock();
        let App { machine, db, .. } = &*self.app;
        state.due.front().is_some_and(|due| {
            machine.executor.is_slow(&due.path) || db.is_serial(&due.path) != state.is_serial
        })
    }

    /// Nothing runs after one whose answer has no room: the client asks again for all that it was not answered.
    fn leave(&self, request: SessionRequest, outcome: MutationOutcome) {
        if !self.inbox.leave_outcome(request.request, outcome, &self.app.durable) {
            self.close();
        }
    }

    /// The next mutation; without one the queue is not scheduled any more.
    fn next(&self) -> Option<Started> {
        let mut state = self.state.lock();
        let is_closed = state.is_closed;
        let next = match state.resumed.take() {
            Some(resumed) => Some(resumed),
            None => state.due.pop_front().map(begin),
        };
        let next = next.filter(|_| !is_closed);
        state.is_scheduled = next.is_some();
        next
    }

    fn step(&self, started: &mut Started, teardown: &mut Teardown) -> MutationStep {
        let Started { call, request, passwords } = started;
        let db = &self.app.db;
        let step = AssertUnwindSafe(|| db.step_mutation(call, Some(*request), passwords, teardown));
        let step = || catch_unwind(step).unwrap_or_else(|_| MutationStep::Ended(lost(&call.request_id)));
        self.app.machine.executor.learn(&call.path, step)
    }

    /// Lets the queue stand still until a password is computed. The thread is free meanwhile.
    fn wait(self: &Arc<Self>, mut started: Started, place: Place, work: PasswordWork) {
        let queue = Arc::clone(self);
        self.app.machine.passwords.compute(place, work, move |result| {
            match result {
                Some(result) => {
                    started.passwords.add(result);
                    queue.state.lock().resumed = Some(started);
                }
                None => {
                    let error = internal_error(&started.call.request_id);
                    queue.leave(started.request, untold(error));
                }
            }
            queue.schedule();
        });
    }
}

fn begin(due: DueMutation) -> Started {
    let call =
        Call { path: due.path, args: due.args, principal: due.principal, request_id: new_request_id() };
    Started { call, request: due.request, passwords: PasswordResults::default() }
}

/// A panic of the host itself. The client is told, and the queue goes on.
fn lost(request_id: &str) -> MutationOutcome {
    tracing::error!(request_id, "a mutation panicked in the host");
    untold(internal_error(request_id))
}

/// The outcome of a mutation that tells nothing of the data, so that it waits for no commit.
fn untold(error: CallError) -> MutationOutcome {
    MutationOutcome {
        result: Err(error),
        ts: Timestamp::ZERO,
        log_lines: Vec::new(),
        replayed: false,
        pause: Duration::ZERO,
    }
}
