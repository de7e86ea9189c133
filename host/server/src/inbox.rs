//! What other threads leave for a socket's task, and how they wake it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake};

use futures_util::task::AtomicWaker;
use parking_lot::Mutex;
use weir_db::{ActionOutcome, MutationOutcome};
use weir_sync::protocol::RequestId;
use weir_sync::session::{IdentityRefusal, VerifiedIdentity};
use weir_value::Timestamp;

use crate::durable_gate::DurableGate;
use crate::identity::Grounds;

/// One socket's inbox.
pub struct Inbox {
    task: AtomicWaker,
    signalled: AtomicBool,
    live_changed: AtomicBool,
    shutdown: AtomicBool,
    verdict: Mutex<Option<Verdict>>,
    finished: Mutex<Finished>,
    actions: Mutex<Vec<(RequestId, ActionOutcome)>>,
}

/// Whose a token is, or why it is nobody's.
pub type Verdict = Result<SocketIdentity, IdentityRefusal>;

/// Whose a socket is.
pub struct SocketIdentity {
    /// As the session takes it.
    pub verified: VerifiedIdentity,
    /// What that rests on.
    pub grounds: Grounds,
}

#[derive(Default)]
struct Finished {
    outcomes: Vec<(RequestId, MutationOutcome)>,
    /// The timestamp at which the gate wakes the task; behind the gate when it has.
    armed_for: Option<Timestamp>,
}

impl Inbox {
    /// An empty one.
    pub fn new() -> Arc<Inbox> {
        Arc::new(Inbox {
            task: AtomicWaker::new(),
            signalled: AtomicBool::new(false),
            live_changed: AtomicBool::new(false),
            shutdown: AtomicBool::new(false),
            verdict: Mutex::new(None),
            finished: Mutex::new(Finished::default()),
            actions: Mutex::default(),
        })
    }

    /// Ready when there is, or may be, something; once for each time.
    pub fn poll_signal(&self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.take_signal() {
            self.task.register(cx.waker());
            // A signal between the two found no waker.
            if !self.take_signal() {
                return Poll::Pending;
            }
        }
        Poll::Ready(())
    }

    fn take_signal(&self) -> bool {
        self.signalled.load(Ordering::Acquire) && self.signalled.swap(false, Ordering::AcqRel)
    }

    fn signal(&self) {
        self.signalled.store(true, Ordering::Release);
        self.task.wake();
    }

    /// Live queries of this socket have something new.
    pub fn wake_live(&self) {
        self.live_changed.store(true, Ordering::Release);
        self.signal();
    }

    /// Whether `wake_live` was called since this was last asked.
    pub fn take_live_changed(&self) -> bool {
        self.live_changed.load(Ordering::Acquire) && self.live_changed.swap(false, Ordering::AcqRel)
    }

    /// The server stops.
    pub fn shut_down(&self) {
        self.shutdown.store(true, Ordering::Release);
        self.signal();
    }

    /// Admin keys were revoked, or the providers of users are others: the task looks at what its identity rests on.
    pub fn grounds_changed(&self) {
        self.signal();
    }

    /// Whether the server stops.
    pub fn is_shut_down(&self) -> bool {
        self.shutdown.load(Ordering::Acquire)
    }

    /// Leaves what came of the token that the session has had verified.
    pub fn leave_verdict(&self, verdict: Verdict) {
        *self.verdict.lock() = Some(verdict);
        self.signal();
    }

    /// Takes what came of it, if it is there.
    pub fn take_verdict(&self) -> Option<Verdict> {
        self.verdict.lock().take()
    }

    /// Leaves the outcomes of mutations, in order. The task is woken when the
    /// first of them is durable, not before: until then there is nothing to say.
    /// What waits for no commit wakes it at once.
    pub fn leave_outcomes(
        self: &Arc<Self>,
        outcomes: &mut Vec<(RequestId, MutationOutcome)>,
        gate: &DurableGate,
    ) {
        let Some(first) = outcomes.first().map(|(_, outcome)| outcome.ts) else { return };
        let mut finished = self.finished.lock();
        finished.outcomes.append(outcomes);
        self.arm(&mut finished, first, gate);
    }

    /// Leaves the outcome of an action.
    pub fn leave_action(&self, request: RequestId, outcome: ActionOutcome) {
        self.actions.lock().push((request, outcome));
        self.signal();
    }

    /// Takes the outcomes of actions that were left.
    pub fn take_actions(&self) -> Vec<(RequestId, ActionOutcome)> {
        std::mem::take(&mut self.actions.lock())
    }

    /// Takes the outcomes that were left.
    pub fn take_outcomes(&self) -> Vec<(RequestId, MutationOutcome)> {
        std::mem::take(&mut self.finished.lock().outcomes)
    }

    /// Wakes the task when `ts` is durable.
    pub fn wake_at(self: &Arc<Self>, ts: Timestamp, gate: &DurableGate) {
        self.arm(&mut self.finished.lock(), ts, gate);
    }

    /// One registration at the gate is enough if it fires early enough: the
    /// task then asks for the next one. Called under the lock, so that outcomes
    /// left before the gate fired are there when the task looks.
    fn arm(self: &Arc<Self>, finished: &mut Finished, ts: Timestamp, gate: &DurableGate) {
        let reached = gate.reached();
        if ts <= reached {
            return self.signal();
        }
        let is_armed = finished.armed_for.is_some_and(|armed| armed > reached && armed <= ts);
        if !is_armed {
            finished.armed_for = Some(ts);
            gate.wake_at(ts, Arc::clone(self).into());
        }
    }
}

/// What a gate wakes it with.
impl Wake for Inbox {
    fn wake(self: Arc<Self>) {
        self.signal();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use futures_util::task::noop_waker_ref;

    fn outcome(ts: u64) -> MutationOutcome {
        MutationOutcome {
            result: Ok(Bytes::from_static(b"null")),
            ts: Timestamp::from_nanos(ts),
            log_lines: Vec::new(),
            replayed: false,
        }
    }

    fn is_woken(inbox: &Inbox) -> bool {
        inbox.poll_signal(&mut Context::from_waker(noop_waker_ref())).is_ready()
    }

    #[test]
    fn wakes_when_the_first_outcome_is_durable() {
        let gate = DurableGate::new(Timestamp::from_nanos(1));
        let inbox = Inbox::new();
        inbox.leave_outcomes(&mut vec![(0, outcome(2)), (1, outcome(3))], &gate);
        inbox.leave_outcomes(&mut vec![(2, outcome(4))], &gate);
        assert!(!is_woken(&inbox));
        gate.advance(Timestamp::from_nanos(2));
        assert!(is_woken(&inbox));
        let taken: Vec<RequestId> = inbox.take_outcomes().into_iter().map(|(id, _)| id).collect();
        assert_eq!(taken, [0, 1, 2]);
        // The task then waits for the next one; later outcomes need no other wake-up.
        inbox.wake_at(Timestamp::from_nanos(3), &gate);
        inbox.leave_outcomes(&mut vec![(3, outcome(5))], &gate);
        gate.advance(Timestamp::from_nanos(5));
        assert!(is_woken(&inbox));
        assert!(!is_woken(&inbox));
    }

    #[test]
    fn wakes_at_once_for_what_is_durable_already() {
        let gate = DurableGate::new(Timestamp::from_nanos(9));
        let inbox = Inbox::new();
        inbox.leave_outcomes(&mut vec![(0, outcome(9))], &gate);
        assert!(is_woken(&inbox));
        inbox.leave_outcomes(&mut vec![(1, outcome(4))], &gate);
        assert!(is_woken(&inbox));
    }

    #[test]
    fn what_waits_for_no_commit_wakes_at_once_and_disturbs_nobody() {
        let gate = DurableGate::new(Timestamp::from_nanos(1));
        let inbox = Inbox::new();
        inbox.leave_outcomes(&mut vec![(0, outcome(5))], &gate);
        assert!(!is_woken(&inbox));
        inbox.leave_outcomes(&mut vec![(1, outcome(0))], &gate);
        assert!(is_woken(&inbox));
        assert_eq!(inbox.finished.lock().armed_for, Some(Timestamp::from_nanos(5)));
        gate.advance(Timestamp::from_nanos(5));
        assert!(is_woken(&inbox));
    }

    #[test]
    fn tells_live_changes_once() {
        let inbox = Inbox::new();
        assert!(!inbox.take_live_changed());
        inbox.wake_live();
        inbox.wake_live();
        assert!(is_woken(&inbox));
        assert!(inbox.take_live_changed());
        assert!(!inbox.take_live_changed());
    }
}
