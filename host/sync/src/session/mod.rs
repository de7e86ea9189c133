//! The state machine of one socket: messages in, frames and effects out.
//!
//! Touches no socket, reads no clock, runs no function. The loop that drives it is in the crate's documentation.
//!
//! A transition carries neither `clientClockSkew` nor `serverTs`: clients take both or none, and none costs nothing.
mod identity;
mod liveness;
mod pending_transition;
mod receive;
#[cfg(test)]
mod tests;
mod unanswered;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use weir_db::{ActionOutcome, MutationOutcome, Principal, SessionRequest};
use weir_value::limits::TRANSITION_CHUNK_BYTES_MAX;
use weir_value::{FunctionPath, Timestamp};

use crate::budget::{Account, Charge, Held};
use crate::fanout::Transition;
use crate::live::{Advance, ResultChange, WatchChange};
use crate::protocol::{
    AuthToken, ClientInfo, CloseFrame, FailureBody, ProtocolError, RequestId, ServerMessage, StateVersion,
    split_transition,
};
use crate::query_set::QuerySet;

use identity::SessionIdentity;
pub use identity::{IdentityRefusal, VerifiedIdentity};
use liveness::{Due, Liveness};
use pending_transition::PendingTransition;
use unanswered::UnansweredMutations;

/// A mutation that is due. The mutations of one socket run one after another, in the order of their effects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueMutation {
    /// The client's number for it, with its session: the key of its record.
    pub request: SessionRequest,
    /// The function.
    pub path: FunctionPath,
    /// Its arguments: canonical JSON.
    pub args: Bytes,
    /// On whose behalf: who the client was when it asked.
    pub principal: Principal,
}

/// An action that is due. Those of one socket run at the same time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueAction {
    /// The client's number for it.
    pub request: RequestId,
    /// The function.
    pub path: FunctionPath,
    /// Its arguments: canonical JSON.
    pub args: Bytes,
    /// On whose behalf: who the client was when it asked.
    pub principal: Principal,
}

/// Something that the host has to do for a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Hand to [`LiveQueries::watch`](crate::live::LiveQueries::watch), with [`Session::principal`].
    Watch(Vec<WatchChange>),
    /// Find out whose token this is, and tell [`Session::identity_verified`]. Until then nothing that the client says
    /// may be handed in: it is said by whoever the token makes of it.
    Verify(AuthToken),
    /// Run, and tell [`Session::mutation_finished`].
    Mutate(DueMutation),
    /// Run, and tell [`Session::action_finished`].
    Act(DueAction),
}

/// A frame to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// A text frame; many sockets may have the same.
    Text(Arc<String>),
    /// A ping of the WebSocket itself, without payload.
    Ping,
    /// The last frame.
    Close(CloseFrame),
}

/// One socket.
#[derive(Debug)]
pub struct Session {
    client: ClientInfo,
    /// The client's session, once `Connect` has come.
    session_id: Option<[u8; 16]>,
    takes_patches: bool,
    /// What the client has been brought to.
    sent: StateVersion,
    /// The last query set and identity that came; their timestamp means nothing.
    received: StateVersion,
    /// What the client has seen on an earlier connection.
    observed: Timestamp,
    identity: SessionIdentity,
    queries: QuerySet,
    mutations: UnansweredMutations,
    /// Actions that were not answered yet.
    actions: usize,
    pending: PendingTransition,
    /// A step named this socket.
    woken: bool,
    effects: VecDeque<Effect>,
    frames: VecDeque<Frame>,
    /// Bytes of text in `frames`.
    frames_bytes: usize,
    /// Counts what the client has sent, and what waits for it.
    account: Arc<Account>,
    /// What is in `frames`, and what was taken out and is not written yet.
    unwritten: Charge,
    liveness: Liveness,
    closed: bool,
}

impl Session {
    /// A socket that has just been opened. `now` is of a monotonic clock, as every other `now` here. What it holds for
    /// its client counts in `account`.
    pub fn new(client: ClientInfo, now: Duration, account: Arc<Account>) -> Session {
        Session {
            client,
            session_id: None,
            takes_patches: false,
            sent: StateVersion::default(),
            received: StateVersion::default(),
            observed: Timestamp::ZERO,
            identity: SessionIdentity::default(),
            queries: QuerySet::default(),
            mutations: UnansweredMutations::default(),
            actions: 0,
            pending: PendingTransition::default(),
            woken: false,
            effects: VecDeque::new(),
            frames: VecDeque::new(),
            frames_bytes: 0,
            unwritten: account.hold(Held::Answers, 0),
            account,
            liveness: Liveness::new(now),
            closed: false,
        }
    }

    /// A mutation is sequenced, or has failed. Its answer leaves when its timestamp is durable and the answers of
    /// those before it have left. A request that is not in flight is left alone.
    pub fn mutation_finished(&mut self, request: RequestId, outcome: MutationOutcome) {
        self.mutations.finish(request, outcome);
    }

    /// An action has ended: its answer leaves at once, and a transition after it.
    pub fn action_finished(&mut self, request: RequestId, outcome: ActionOutcome) {
        self.actions = self.actions.saturating_sub(1);
        if self.closed {
            return;
        }
        let ActionOutcome { result, log_lines } = outcome;
        let result = result.map_err(|error| FailureBody { message: error.message, data: error.data });
        self.say(&ServerMessage::ActionResponse { request, result, log_lines });
        self.pending.request();
    }

    /// This much is durable: queues the answers that waited for it, and the transition after them if the socket
    /// watches no live query. Cheap when nothing waits.
    pub fn answer_durable(&mut self, durable: Timestamp) {
        if self.closed {
            return;
        }
        let mut newest = None;
        while let Some((answer, ts)) = self.mutations.pop_durable(durable) {
            self.say(&answer);
            newest = newest.max(Some(ts));
        }
        if let Some(newest) = newest {
            self.pending.request_at(newest);
        }
        if self.pending.is_pending() && self.queries.is_without_live() && self.at_least() <= durable {
            self.send_transition(durable, Vec::new());
        }
    }

    /// The timestamp that must be durable before [`Session::answer_durable`] has something to do; `None` if
    /// nothing waits.
    pub fn awaited_durable(&self) -> Option<Timestamp> {
        let transition =
            self.pending.at_least().filter(|_| self.queries.is_without_live()).map(|_| self.at_least());
        let waits = [self.mutations.awaited(), transition];
        waits.into_iter().flatten().min().filter(|_| !self.closed)
    }

    /// A step named this socket.
    pub fn wake(&mut self) {
        self.woken = true;
    }

    /// `Some` if the session wants a transition: the `at_least` of
    /// [`LiveQueries::advance`](crate::live::LiveQueries::advance). Perform the effects first.
    pub fn wanted_timestamp(&self) -> Option<Timestamp> {
        let wants = self.woken || self.pending.is_pending();
        (wants && !self.queries.is_without_live() && !self.closed).then(|| self.at_least())
    }

    /// What [`LiveQueries::advance`](crate::live::LiveQueries::advance) said. Queues a transition if there is one to
    /// send: something changed, or one is pending.
    pub fn transition(&mut self, advance: Option<Advance>) {
        self.woken = false;
        let Some(Advance { ts, changes }) = advance else {
            return;
        };
        if !self.closed && (self.pending.is_pending() || !changes.is_empty()) {
            self.send_transition(ts, changes);
        }
    }

    /// The next effect, in order.
    pub fn next_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// The next frame, in order, to be sent at `now`. Nothing comes after [`Frame::Close`].
    pub fn next_frame(&mut self, now: Duration) -> Option<Frame> {
        let frame = self.frames.pop_front()?;
        if let Frame::Text(text) = &frame {
            self.frames_bytes -= text.len();
            self.liveness.message_sent(now);
        }
        Some(frame)
    }

    /// How many bytes of text the next frame has; `None` if there is none.
    pub fn next_frame_bytes(&self) -> Option<usize> {
        self.frames.front().map(|frame| match frame {
            Frame::Text(text) => text.len(),
            Frame::Ping | Frame::Close(_) => 0,
        })
    }

    /// All frames that were taken so far are written: their memory is given back.
    pub fn frames_written(&mut self) {
        if self.unwritten.bytes() > self.frames_bytes {
            self.unwritten.set(self.frames_bytes);
        }
    }

    /// When to call [`Session::tick`] if nothing else happens.
    pub fn deadline(&self) -> Duration {
        let expires_at = self.identity.expires_at();
        expires_at.map_or(self.liveness.deadline(), |at| at.min(self.liveness.deadline()))
    }

    /// Time has passed: pings, and the end of a client that is silent. Cheap before the deadline.
    pub fn tick(&mut self, now: Duration) {
        if self.closed {
            return;
        }
        if self.identity.expires_at().is_some_and(|at| at <= now) {
            let why = match self.principal().is_admin() {
                true => "AdminKeyExpired: the admin key has expired; use another one.",
                false => "TokenExpired: the token has expired; send a new one.",
            };
            return self.end_identity(why);
        }
        for due in self.liveness.take_due(now) {
            match due {
                Due::MessagePing => self.say(&ServerMessage::Ping),
                Due::SocketPing => self.frames.push_back(Frame::Ping),
                Due::Silence => self.close(CloseFrame::client_silent()),
            }
        }
    }

    /// The host ends the session, after the frames that are queued.
    pub fn close(&mut self, frame: CloseFrame) {
        if !self.closed {
            self.closed = true;
            self.effects.clear();
            self.frames.push_back(Frame::Close(frame));
        }
    }

    /// Whether the session has ended: only frames are left to send.
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// What the client has been brought to.
    pub fn version(&self) -> StateVersion {
        self.sent
    }

    /// The client's session, once it has said it.
    pub fn session_id(&self) -> Option<[u8; 16]> {
        self.session_id
    }

    /// The oldest timestamp that the next transition may bring the client to.
    fn at_least(&self) -> Timestamp {
        self.sent.ts.max(self.observed).max(self.pending.at_least().unwrap_or_default())
    }

    fn send_transition(&mut self, ts: Timestamp, mut changes: Vec<ResultChange>) {
        changes.extend(self.queries.take_refused());
        let end = StateVersion { ts, ..self.received };
        debug_assert!(self.sent.ts <= ts, "a client never goes back");
        let removed = self.queries.take_removed();
        let start = std::mem::replace(&mut self.sent, end);
        let transition = Transition {
            start,
            end,
            removed: &removed,
            changes: &changes,
            takes_patches: self.takes_patches,
        };
        let text = transition.text();
        self.pending.sent(ts);
        // The client comes back with what it has seen, and is brought from there to the newest state when there is room.
        if self.unwritten.grow(text.len()).is_err() {
            return self.close(CloseFrame::out_of_memory());
        }
        if text.len() > TRANSITION_CHUNK_BYTES_MAX && self.client.takes_chunks() {
            let chunks = split_transition(&text, TRANSITION_CHUNK_BYTES_MAX);
            chunks.into_iter().for_each(|chunk| self.queue(Arc::new(chunk)));
        } else {
            self.queue(text);
        }
    }

    fn say(&mut self, message: &ServerMessage) {
        self.queue(Arc::new(message.to_json()));
    }

    fn queue(&mut self, text: Arc<String>) {
        self.frames_bytes += text.len();
        self.unwritten.set(self.unwritten.bytes().max(self.frames_bytes));
        self.frames.push_back(Frame::Text(text));
    }

    /// The client broke the protocol: it is told how, and the session ends.
    fn fail(&mut self, error: &ProtocolError) {
        if !self.closed {
            self.say(&ServerMessage::FatalError { error: error.to_string() });
            self.close(CloseFrame::after_client_error());
        }
    }
}
