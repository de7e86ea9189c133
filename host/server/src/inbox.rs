//! What other threads leave for a socket's task, and how they wake it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::task::{Context, Poll, Waker};

use futures_util::task::AtomicWaker;
use parking_lot::Mutex;
use tokio::runtime::Handle;
use weir_db::{ActionOutcome, MutationOutcome};
use weir_sync::budget::{Account, Charge};
use weir_sync::prefetch::{prefetch, prefetch_counts};
use weir_sync::protocol::{ClientMessage, ProtocolError, RequestId};
use weir_sync::session::{IdentityRefusal, VerifiedIdentity};
use weir_value::Timestamp;

use crate::budget::{charge_outcome, lost_result};
use crate::durable_gate::Gate;
use crate::identity::Grounds;

/// Where a socket can be served while its task waits, on one of the network's threads, in two halves.
pub trait Deliver: Send + Sync {
    /// Has what it consists of fetched, if it is about to be served.
    fn prefetch(&self);
    /// The same for what that leads to.
    fn prefetch_more(&self);
    /// Does what its task would be woken for, up to writing. False: its task is at work, and has to be told.
    fn prepare(&self) -> bool;
    /// Writes, if there is anything from the first half.
    fn write(&self);
}

/// An inbox, and its socket if others than its task may serve it.
type Reached<'a> = (&'a Arc<Inbox>, Option<Arc<dyn Deliver>>);

/// A socket is asked for again when so many are written to before it.
const WRITES_AHEAD: usize = 2;

/// How far the log is durable, and who waits for it.
pub type DurableGate = Gate<Waiter>;

/// Who waits for something to be durable.
pub enum Waiter {
    /// A socket.
    Socket(Arc<Inbox>),
    /// Another task.
    Task(Waker),
}

impl From<Waker> for Waiter {
    fn from(task: Waker) -> Waiter {
        Waiter::Task(task)
    }
}

impl Waiter {
    /// Tells them, and serves the sockets on the calling thread, if that is one of the network's.
    pub fn tell(waiters: &[Waiter]) {
        let sockets = waiters.iter().filter_map(|waiter| match waiter {
            Waiter::Socket(inbox) => Some(inbox),
            Waiter::Task(_) => None,
        });
        Inbox::serve(sockets);
        for waiter in waiters {
            if let Waiter::Task(task) = waiter {
                task.wake_by_ref();
            }
        }
    }
}

/// One socket's inbox.
pub struct Inbox {
    task: AtomicWaker,
    socket: OnceLock<Weak<dyn Deliver>>,
    signalled: AtomicBool,
    live_changed: AtomicBool,
    shutdown: AtomicBool,
    /// An answer was dropped, because there was no room for it.
    overdrawn: AtomicBool,
    /// Counts the answers that wait.
    account: Arc<Account>,
    parsed: Mutex<Option<Parsed>>,
    verdict: Mutex<Option<Verdict>>,
    finished: Mutex<Finished>,
    actions: Mutex<Vec<(RequestId, ActionOutcome)>>,
}

/// Whose a token is, or why it is nobody's.
pub type Verdict = Result<SocketIdentity, IdentityRefusal>;

/// A message that was parsed on another thread.
pub struct Parsed {
    /// The message, or why it is none; `None`: the host has failed.
    pub message: Option<Result<ClientMessage, ProtocolError>>,
    /// What it is counted with.
    pub held: Charge,
}

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
    /// An empty one, whose answers count in `account`.
    pub fn new(account: Arc<Account>) -> Arc<Inbox> {
        Arc::new(Inbox {
            task: AtomicWaker::new(),
            socket: OnceLock::new(),
            signalled: AtomicBool::new(false),
            live_changed: AtomicBool::new(false),
            shutdown: AtomicBool::new(false),
            overdrawn: AtomicBool::new(false),
            account,
            parsed: Mutex::new(None),
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

    /// Wakes the task.
    pub fn signal(&self) {
        self.signalled.store(true, Ordering::Release);
        self.task.wake();
    }

    /// Live queries of this socket have something new.
    pub fn wake_live(&self) {
        self.live_changed.store(true, Ordering::Release);
        self.signal();
    }

    /// The same for some sockets, which are served on the calling thread, if that is one of the network's.
    pub fn serve_live(inboxes: &[Arc<Inbox>]) {
        inboxes.iter().for_each(|inbox| prefetch(&**inbox));
        inboxes.iter().for_each(|inbox| inbox.live_changed.store(true, Ordering::Release));
        Inbox::serve(inboxes);
    }

    /// Serves those whose tasks wait, if the calling thread is one of the network's, and wakes the tasks of the others.
    fn serve<'a>(inboxes: impl IntoIterator<Item = &'a Arc<Inbox>>) {
        let sockets = Inbox::sockets_of(inboxes, Handle::try_current().is_ok());
        // One step for all of them, and then the next: what the next one needs comes meanwhile.
        let known = || sockets.iter().filter_map(|(_, socket)| socket.as_ref());
        known().for_each(|socket| socket.prefetch());
        known().for_each(|socket| socket.prefetch_more());
        let mut prepared = Vec::with_capacity(sockets.len());
        for (inbox, socket) in sockets {
            match socket.filter(|socket| socket.prepare()) {
                Some(socket) => prepared.push(socket),
                None => inbox.signal(),
            }
        }
        for (at, socket) in prepared.iter().enumerate() {
            // What the system does for one write leaves little of the next ones in the caches.
            prepared.get(at + WRITES_AHEAD).into_iter().for_each(|socket| socket.prefetch());
            socket.write();
        }
    }

    /// Each with its socket, if others than its task may serve it: on the network's threads alone.
    fn sockets_of<'a>(
        inboxes: impl IntoIterator<Item = &'a Arc<Inbox>>,
        is_network: bool,
    ) -> Vec<Reached<'a>> {
        let place_of = |inbox: &'a Arc<Inbox>| inbox.socket.get().filter(|_| is_network);
        let places = inboxes.into_iter().map(|inbox| (inbox, place_of(inbox)));
        let places: Vec<_> = places
            .inspect(|(_, place)| place.iter().for_each(|place| prefetch_counts(place.as_ptr())))
            .collect();
        places.into_iter().map(|(inbox, place)| (inbox, place.and_then(Weak::upgrade))).collect()
    }

    /// Where the socket is while its task waits.
    pub fn parks_at(&self, socket: Weak<dyn Deliver>) {
        let _ = self.socket.set(socket);
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

    /// Whether an answer was dropped: its client has to ask again, over another connection.
    pub fn is_overdrawn(&self) -> bool {
        self.overdrawn.load(Ordering::Acquire)
    }

    /// Leaves a message that was parsed.
    pub fn leave_parsed(&self, parsed: Parsed) {
        *self.parsed.lock() = Some(parsed);
        self.signal();
    }

    /// Takes it, if it is there.
    pub fn take_parsed(&self) -> Option<Parsed> {
        self.parsed.lock().take()
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

    /// Leaves the outcome of a mutation, of several in their order. The task is woken when the
    /// first of them is durable, not before: until then there is nothing to say.
    /// What waits for no commit wakes it at once.
    ///
    /// One for which there is no room is dropped, and with it the socket: its client asks again when it has connected anew,
    /// and is answered from the record of the request. Whether anything is to be run after it.
    pub fn leave_outcome(
        self: &Arc<Self>,
        request: RequestId,
        mut outcome: MutationOutcome,
        gate: &DurableGate,
    ) -> bool {
        if charge_outcome(&self.account, &mut outcome.result, &outcome.log_lines).is_err() {
            self.overdrawn.store(true, Ordering::Release);
            self.signal();
            return false;
        }
        let ts = outcome.ts;
        let mut finished = self.finished.lock();
        finished.outcomes.push((request, outcome));
        self.arm(&mut finished, ts, gate);
        true
    }

    /// Leaves the outcome of an action. If there is no room for its result, that is the outcome: nobody could ask for it
    /// again.
    pub fn leave_action(&self, request: RequestId, mut outcome: ActionOutcome) {
        if let Err(error) = charge_outcome(&self.account, &mut outcome.result, &outcome.log_lines) {
            outcome = ActionOutcome { result: Err(lost_result(error)), log_lines: Vec::new() };
        }
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
            if !gate.wake_at(ts, Waiter::Socket(Arc::clone(self))) {
                self.signal();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;
    use weir_sync::budget::Held;

    use super::*;
    use futures_util::task::noop_waker_ref;

    fn outcome(ts: u64) -> MutationOutcome {
        MutationOutcome {
            result: Ok(Bytes::from_static(b"null")),
            ts: Timestamp::from_nanos(ts),
            log_lines: Vec::new(),
            replayed: false,
            pause: Duration::ZERO,
        }
    }

    fn is_woken(inbox: &Inbox) -> bool {
        inbox.poll_signal(&mut Context::from_waker(noop_waker_ref())).is_ready()
    }

    #[test]
    fn wakes_when_the_first_outcome_is_durable() {
        let gate = DurableGate::new(Timestamp::from_nanos(1));
        let inbox = Inbox::new(Account::unlimited());
        inbox.leave_outcome(0, outcome(2), &gate);
        inbox.leave_outcome(1, outcome(3), &gate);
        inbox.leave_outcome(2, outcome(4), &gate);
        assert!(!is_woken(&inbox));
        Waiter::tell(&gate.advance(Timestamp::from_nanos(2)));
        assert!(is_woken(&inbox));
        let taken: Vec<RequestId> = inbox.take_outcomes().into_iter().map(|(id, _)| id).collect();
        assert_eq!(taken, [0, 1, 2]);
        // The task then waits for the next one; later outcomes need no other wake-up.
        inbox.wake_at(Timestamp::from_nanos(3), &gate);
        inbox.leave_outcome(3, outcome(5), &gate);
        Waiter::tell(&gate.advance(Timestamp::from_nanos(5)));
        assert!(is_woken(&inbox));
        assert!(!is_woken(&inbox));
    }

    #[test]
    fn wakes_at_once_for_what_is_durable_already() {
        let gate = DurableGate::new(Timestamp::from_nanos(9));
        let inbox = Inbox::new(Account::unlimited());
        inbox.leave_outcome(0, outcome(9), &gate);
        assert!(is_woken(&inbox));
        inbox.leave_outcome(1, outcome(4), &gate);
        assert!(is_woken(&inbox));
    }

    #[test]
    fn what_waits_for_no_commit_wakes_at_once_and_disturbs_nobody() {
        let gate = DurableGate::new(Timestamp::from_nanos(1));
        let inbox = Inbox::new(Account::unlimited());
        inbox.leave_outcome(0, outcome(5), &gate);
        assert!(!is_woken(&inbox));
        inbox.leave_outcome(1, outcome(0), &gate);
        assert!(is_woken(&inbox));
        assert_eq!(inbox.finished.lock().armed_for, Some(Timestamp::from_nanos(5)));
        Waiter::tell(&gate.advance(Timestamp::from_nanos(5)));
        assert!(is_woken(&inbox));
    }

    #[test]
    fn tells_live_changes_once() {
        let inbox = Inbox::new(Account::unlimited());
        assert!(!inbox.take_live_changed());
        inbox.wake_live();
        inbox.wake_live();
        assert!(is_woken(&inbox));
        assert!(inbox.take_live_changed());
        assert!(!inbox.take_live_changed());
    }

    #[test]
    fn an_answer_without_room_ends_the_socket_and_an_actions_is_an_error() {
        let gate = DurableGate::new(Timestamp::from_nanos(9));
        let account = Account::process(1 << 20);
        let inbox = Inbox::new(Arc::clone(&account));
        let large = |bytes: usize| Ok(Bytes::from(vec![b' '; bytes]));
        let answer = |bytes| MutationOutcome { result: large(bytes), ..outcome(1) };
        assert!(inbox.leave_outcome(0, answer(700_000), &gate));
        assert_eq!(account.held(Held::Answers), 700_000);
        assert!(!inbox.leave_outcome(1, answer(700_000), &gate) && inbox.is_overdrawn() && is_woken(&inbox));
        inbox.leave_action(2, ActionOutcome { result: large(700_000), log_lines: Vec::new() });
        let (_, ended) = inbox.take_actions().pop().unwrap();
        let error = ended.result.unwrap_err();
        assert!(error.message.starts_with("Overloaded: The function has run"), "{}", error.message);
        assert_eq!(inbox.take_outcomes().len(), 1);
        assert_eq!(account.bytes(), 0);
    }
}
