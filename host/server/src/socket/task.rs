//! The task of one socket: the loop between the wire, the session and the rest
//! of the server.
//!
//! Each round takes in what is there (all messages that have arrived, outcomes,
//! news of live queries), lets the session decide, and writes what is due in one
//! piece. While a write is under way nothing is taken in: a client that does not
//! read slows down itself alone, and finds the newest state when it does.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::{FutureExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, Sleep};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Error as SocketError, Message, Utf8Bytes};
use weir_db::Call;
use weir_sync::budget::{Charge, Held};
use weir_sync::live::{Advance, SocketId, WatchChange};
use weir_sync::protocol::{AuthToken, ClientInfo, CloseFrame, parse_client_message};
use weir_sync::session::{DueAction, DueMutation, Effect, Frame, IdentityRefusal, Session, VerifiedIdentity};
use weir_value::FunctionPath;

use super::frames::{FULL_BYTES, FrameWriter};
use super::half_message::HalfMessage;
use super::mutation_queue::MutationQueue;
use super::parked::{Parked, Served};
use crate::address::{CallPause, Client};
use crate::app::App;
use crate::audit::{Auditor, Outcome};
use crate::budget::ConnectionBudget;
use crate::executor::Flow;
use crate::identity::{Authenticated, Credentials, Grounds};
use crate::inbox::{Inbox, Parsed, SocketIdentity};
use crate::large_json::LargeJson;
use crate::machine::Machine;
use crate::request_id::new_request_id;
use crate::wire::{Refusal, Wire};

/// Messages that are taken in before the session is served.
const ROUND_MESSAGES_MAX: usize = 64;

/// How long a closed socket waits for the other side to close, too.
const CLOSE_TIME_MAX: Duration = Duration::from_secs(1);

/// How long a client that was told of its error has to hang up by itself.
const HANG_UP_TIME_MAX: Duration = Duration::from_secs(2);

/// Everything that belongs to one socket.
struct Socket {
    app: Arc<App>,
    id: SocketId,
    /// Whose work it makes.
    flow: Flow,
    wire: WebSocketStream<Wire>,
    session: Session,
    inbox: Arc<Inbox>,
    /// What it rests on that it is its principal's.
    grounds: Grounds,
    mutations: Option<Arc<MutationQueue>>,
    /// Whether it has called actions.
    has_acted: bool,
    due: Vec<DueMutation>,
    writer: FrameWriter,
    /// Since when there is news, which is not written yet.
    news_since: Option<Duration>,
    /// The last frame, which waits for the client to hang up by itself.
    last_frame: Option<CloseFrame>,
    /// Rings at the session's deadline, or before it.
    alarm: Pin<Box<Sleep>>,
    /// The monotonic time of `alarm`.
    alarm_at: Duration,
    /// Messages may have been read that were not taken in yet.
    has_unread: bool,
    /// A long message is parsed elsewhere. What follows waits for it.
    is_parsing: bool,
    /// The message of which a part has come.
    half: HalfMessage,
    /// Is on while its address has called more than it may.
    pause: CallPause,
    /// Its client, as far as its address tells.
    peer: Option<Client>,
    /// What its task logs is logged in this.
    span: tracing::Span,
}

/// What a socket waits for.
enum Event {
    Readable,
    Signal,
    Alarm,
}

/// Why a socket's task ends.
enum End {
    /// The session sent its last frame.
    Closed,
    /// The other side is gone, or does not read.
    Lost,
}

/// Serves one socket until it ends.
pub async fn run(
    app: Arc<App>,
    wire: WebSocketStream<Wire>,
    client: ClientInfo,
    (flow, budget, peer): (Flow, ConnectionBudget, Option<Client>),
) {
    let ConnectionBudget { requests, results } = budget;
    let inbox = Inbox::new(Arc::clone(&requests));
    let id = app.live.open_socket(Arc::clone(&inbox), flow, results);
    app.machine.metrics.sockets_opened.add(1);
    let now = app.machine.clock();
    let session = Session::new(client, now, requests);
    let alarm_at = session.deadline();
    let socket = Box::new(Socket {
        alarm: Box::pin(tokio::time::sleep(alarm_at.saturating_sub(now))),
        alarm_at,
        app,
        id,
        flow,
        wire,
        session,
        inbox,
        grounds: Grounds::None,
        mutations: None,
        has_acted: false,
        due: Vec::new(),
        writer: FrameWriter::default(),
        news_since: None,
        last_frame: None,
        // The upgrade may have brought some along.
        has_unread: true,
        is_parsing: false,
        half: HalfMessage::default(),
        pause: CallPause::new(peer.as_ref().and_then(|peer| peer.usage.clone())),
        peer,
        span: tracing::Span::current(),
    });
    let parked = Arc::new(Parked::new());
    let place: Weak<Parked<Socket>> = Arc::downgrade(&parked);
    socket.inbox.parks_at(place);
    let (mut socket, end) = serve(socket, &parked).await;
    socket.leave();
    if matches!(end, End::Closed) && !socket.is_hung_up().await {
        socket.await_close().await;
    }
}

async fn serve(mut socket: Box<Socket>, parked: &Parked<Socket>) -> (Box<Socket>, End) {
    loop {
        socket.take_in();
        socket.settle();
        match socket.write_out().await {
            Ok(true) => {}
            Ok(false) => return (socket, End::Closed),
            Err(_) => return (socket, End::Lost),
        }
        let event;
        (socket, event) = wait(socket, parked).await;
        if !socket.take_event(event) {
            return (socket, End::Lost);
        }
    }
}

/// Waits until there is something to do. Meanwhile others may serve the socket.
async fn wait(socket: Box<Socket>, parked: &Parked<Socket>) -> (Box<Socket>, Event) {
    parked.park(socket);
    poll_fn(|cx| {
        let Some(mut socket) = parked.take(cx) else { return Poll::Pending };
        match socket.poll_event(cx) {
            Poll::Ready(event) => Poll::Ready((socket, event)),
            Poll::Pending => {
                parked.park(socket);
                Poll::Pending
            }
        }
    })
    .await
}

impl Served for Socket {
    /// One round of its task, as far as nothing has to be waited for.
    fn deliver(&mut self) -> bool {
        let span = self.span.clone();
        let _entered = span.enter();
        self.take_in();
        self.settle();
        let is_written = self.write_frames_now();
        is_written && self.deadline() >= self.alarm_at
    }

    fn wake(&self) {
        self.inbox.signal();
    }
}

impl Socket {
    /// What other threads have left.
    fn take_in(&mut self) {
        if self.is_parsing
            && let Some(Parsed { message, held }) = self.inbox.take_parsed()
        {
            self.is_parsing = false;
            let (now, durable) = (self.app.machine.clock(), self.app.durable.reached());
            match message {
                Some(message) => self.session.receive_parsed(message, held, now, durable),
                None => self.session.close(CloseFrame::internal_error()),
            }
        }
        if self.mutations.is_some() {
            for (request, outcome) in self.inbox.take_outcomes() {
                self.session.mutation_finished(request, outcome);
            }
        }
        if self.has_acted {
            for (request, outcome) in self.inbox.take_actions() {
                self.session.action_finished(request, outcome);
            }
        }
        if self.session.is_verifying()
            && let Some(verdict) = self.inbox.take_verdict()
        {
            let verdict = verdict.map(|identity| {
                self.grounds = identity.grounds;
                identity.verified
            });
            self.session.identity_verified(verdict);
        }
        self.heed_withdrawal();
        if self.inbox.take_live_changed() {
            self.session.wake();
        }
        if self.inbox.is_overdrawn() && !self.session.is_closed() {
            self.app.machine.metrics.sockets_shed.add(1);
            self.session.close(CloseFrame::out_of_memory());
        }
        if self.inbox.is_shut_down() && !self.session.is_closed() {
            self.session.close(CloseFrame::shutting_down());
        }
    }

    /// A key, or who vouched for a token, is looked at after whoever took it away has left a signal, and after it was
    /// taken in: one of the two sees it.
    fn heed_withdrawal(&mut self) {
        let identities = &self.app.identities;
        if let Some(why) = identities.withdrawn(self.session.principal(), &mut self.grounds) {
            self.session.end_identity(&why.to_string());
        }
    }

    /// Lets the session decide, and does what it asks for.
    fn settle(&mut self) {
        let durable = self.app.durable.reached();
        self.session.answer_durable(durable);
        while let Some(effect) = self.session.next_effect() {
            match effect {
                Effect::Mutate(mutation) => {
                    self.pause.count(1);
                    self.audit("mutation", [&mutation.path]);
                    self.due.push(mutation);
                }
                Effect::Watch(changes) => {
                    let added = || changes.iter().filter_map(WatchChange::added);
                    self.pause.count(added().count());
                    self.audit("query", added().map(|key| &key.path));
                    let since = self.session.version().ts;
                    self.app.live.watch(self.id, since, self.session.principal(), &changes);
                }
                Effect::Verify(token) => self.verify(token),
                Effect::Act(action) => {
                    self.pause.count(1);
                    self.audit("action", [&action.path]);
                    self.act(action);
                }
            }
        }
        if !self.due.is_empty() {
            let new = || MutationQueue::new(Arc::clone(&self.app), Arc::clone(&self.inbox), self.flow);
            self.mutations.get_or_insert_with(new).push(&mut self.due);
        }
        if let Some(at_least) = self.session.wanted_timestamp() {
            let advance = self.app.live.advance(self.id, at_least);
            // What a client is given first is no news, however old it is.
            let is_news = |advance: &&Advance| advance.changes.iter().any(|change| change.base.is_some());
            let news = advance.as_ref().filter(is_news);
            self.news_since = news.and_then(|news| self.app.live.durable_at(news.ts)).or(self.news_since);
            self.session.transition(advance);
        }
        if let Some(ts) = self.session.awaited_durable() {
            self.inbox.wake_at(ts, &self.app.durable);
        }
    }

    /// Has a token verified, which may take a provider's answer. The socket goes on to be served meanwhile, and is not
    /// read from.
    fn verify(&self, token: AuthToken) {
        let (app, inbox, peer) = (Arc::clone(&self.app), Arc::clone(&self.inbox), self.peer.clone());
        self.app.machine.tasks.spawn(async move {
            let authenticated = app.identities.authenticate(Credentials::from(token), peer.as_ref()).await;
            let verdict =
                authenticated.map(|who| verified(&app, who)).map_err(|error| match error.is_transient() {
                    true => IdentityRefusal::Unavailable(error.code().as_str()),
                    false => IdentityRefusal::Invalid(error.to_string()),
                });
            inbox.leave_verdict(verdict);
        });
    }

    /// Writes down what the holder of an admin key calls. It is not waited for: what a socket's session has taken in
    /// happens.
    fn audit<'a>(&self, action: &str, paths: impl IntoIterator<Item = &'a FunctionPath>) {
        let Some(key) = self.grounds.key().filter(|_| self.session.principal().is_admin()) else { return };
        let log = (self.app.audit.as_ref(), &self.app.machine);
        let auditor = Auditor::new(
            log,
            key.name(),
            self.peer.as_ref().map(|peer| peer.address),
            format!("socket-{}", self.id.0),
        );
        for path in paths {
            auditor.note(action, Outcome::Begun, &serde_json::json!({ "function": path.to_string() }));
        }
    }

    /// Has an action run. It goes on if the socket ends; nobody is told then.
    fn act(&mut self, action: DueAction) {
        self.has_acted = true;
        let DueAction { request, path, args, principal } = action;
        let call = Call { path, args, principal, request_id: new_request_id() };
        let (app, inbox, flow) = (Arc::clone(&self.app), Arc::clone(&self.inbox), self.flow);
        self.app.machine.tasks.spawn_until_stop(async move {
            let outcome = app.actions.run(call, flow).await;
            inbox.leave_action(request, outcome);
        });
    }

    /// Writes the frames that are due; false after the last one.
    async fn write_out(&mut self) -> std::io::Result<bool> {
        let mut is_open = true;
        loop {
            match self.session.next_frame(self.app.machine.clock()) {
                Some(Frame::Text(text)) if text.len() >= FULL_BYTES => {
                    let written = self.writer.write_text(&mut self.wire, &text).await?;
                    drop(text);
                    self.written(written);
                }
                Some(Frame::Text(text)) => self.writer.text(&text),
                Some(Frame::Ping) => self.writer.ping(),
                Some(Frame::Close(close)) => {
                    match close.is_after_client_error() {
                        true => self.last_frame = Some(close),
                        false => self.writer.close(&close),
                    }
                    is_open = false;
                }
                None => break,
            }
            if !is_open {
                break;
            }
            if self.writer.is_full() {
                self.flush().await?;
            }
        }
        self.flush().await?;
        Ok(is_open)
    }

    /// Writes the frames that are due, if that can be done at once. False: some are left.
    fn write_frames_now(&mut self) -> bool {
        while let Some(bytes) = self.session.next_frame_bytes() {
            if self.session.is_closed() || bytes >= FULL_BYTES || self.writer.is_full() {
                return false;
            }
            match self.session.next_frame(self.app.machine.clock()) {
                Some(Frame::Text(text)) => self.writer.text(&text),
                Some(Frame::Ping) => self.writer.ping(),
                Some(Frame::Close(_)) | None => return false,
            }
        }
        // That it is broken its task finds as well.
        let Ok(Some(written)) = self.writer.write_now(&mut self.wire) else { return false };
        self.written(written);
        !self.session.is_closed()
    }

    async fn flush(&mut self) -> std::io::Result<()> {
        let written = self.writer.write(&mut self.wire).await?;
        self.written(written);
        Ok(())
    }

    fn written(&mut self, bytes: usize) {
        self.session.frames_written();
        let Machine { metrics, .. } = &*self.app.machine;
        metrics.socket_bytes_sent.add(bytes as u64);
        if let Some(since) = self.news_since.take_if(|_| bytes > 0) {
            metrics.pushes.note(self.app.machine.clock().saturating_sub(since));
        }
    }

    /// Takes in what has happened; false when the other side is gone.
    fn take_event(&mut self, event: Event) -> bool {
        match event {
            Event::Readable => return self.receive(),
            Event::Signal => {}
            Event::Alarm => {
                let now = self.app.machine.clock();
                if self.session.deadline() <= now {
                    self.session.tick(now);
                }
                if self.half.is_overdue(now, self.reads()) {
                    self.session.close(CloseFrame::message_too_slow());
                }
            }
        }
        true
    }

    /// Asks for reading first: a client that was heard while a write was under
    /// way is not silent.
    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        let reads = self.reads() && self.pause.poll(cx).is_ready();
        if reads && (self.has_unread || self.wire.get_mut().poll_read_ready(cx).is_ready()) {
            return Poll::Ready(Event::Readable);
        }
        if self.inbox.poll_signal(cx).is_ready() {
            return Poll::Ready(Event::Signal);
        }
        self.poll_alarm(cx).map(|()| Event::Alarm)
    }

    /// The deadline moves with every message. The alarm is not moved with it: it
    /// rings too early then, and is set again.
    fn poll_alarm(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let deadline = self.deadline();
        if deadline < self.alarm_at {
            self.set_alarm(deadline);
        }
        while self.alarm.as_mut().poll(cx).is_ready() {
            if deadline <= self.app.machine.clock() {
                return Poll::Ready(());
            }
            self.set_alarm(deadline);
        }
        Poll::Pending
    }

    fn deadline(&self) -> Duration {
        self.half.deadline().map_or(self.session.deadline(), |at| at.min(self.session.deadline()))
    }

    fn set_alarm(&mut self, at: Duration) {
        let rest = at.saturating_sub(self.app.machine.clock());
        self.alarm.as_mut().reset(Instant::now() + rest);
        self.alarm_at = at;
    }

    /// What follows a token, or a message that is parsed elsewhere, waits for it.
    fn reads(&self) -> bool {
        !self.session.is_verifying() && !self.is_parsing
    }

    /// Takes in the messages that have arrived.
    fn receive(&mut self) -> bool {
        let now = self.app.machine.clock();
        let is_there = self.receive_some(now);
        self.half.look(self.wire.get_ref().meter(), now);
        is_there
    }

    fn receive_some(&mut self, now: Duration) -> bool {
        for _ in 0..ROUND_MESSAGES_MAX {
            // A session that has ended takes nothing more; its last frames are due.
            if self.session.is_closed() {
                return true;
            }
            if !self.reads() {
                self.has_unread = true;
                return true;
            }
            let Some(message) = self.wire.next().now_or_never() else {
                self.has_unread = false;
                return true;
            };
            if !self.receive_one(message, now) {
                return false;
            }
        }
        self.has_unread = true;
        true
    }

    fn receive_one(&mut self, message: Option<Result<Message, SocketError>>, now: Duration) -> bool {
        if !matches!(message, Some(Ok(Message::Text(_) | Message::Binary(_)))) {
            self.writer.note_reply();
        }
        match message {
            Some(Ok(Message::Text(text))) => {
                self.app.machine.metrics.socket_messages_received.add(1);
                let held = self.take_charge();
                match LargeJson::is_large(text.len()) {
                    true => self.parse_apart(text, held),
                    false => {
                        let durable = self.app.durable.reached();
                        self.session.receive_parsed(parse_client_message(&text), held, now, durable);
                    }
                }
            }
            Some(Ok(Message::Binary(_))) => {
                drop(self.take_charge());
                self.session.receive_binary(now);
            }
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => self.session.heard(now),
            Some(Err(SocketError::Capacity(error))) => {
                tracing::debug!(%error, "a message was too large");
                self.session.close(breach(1009, "MessageTooLarge"));
            }
            Some(Err(SocketError::Protocol(error))) => {
                tracing::debug!(%error, "a frame was not as it must be");
                self.session.close(breach(1002, "ProtocolError"));
            }
            Some(Err(SocketError::Utf8(_))) => self.session.close(breach(1007, "InvalidUtf8")),
            Some(Ok(Message::Close(_) | Message::Frame(_)) | Err(_)) | None => return self.is_refused(),
        }
        true
    }

    /// What the message is counted with that was read just now.
    fn take_charge(&mut self) -> Charge {
        match self.wire.get_mut().meter_mut() {
            Some(meter) => meter.take_charge(),
            None => self.app.machine.budget.process().hold(Held::Messages, 0),
        }
    }

    /// Has a long message parsed where that holds up nobody.
    fn parse_apart(&mut self, text: Utf8Bytes, held: Charge) {
        self.is_parsing = true;
        let (app, inbox) = (Arc::clone(&self.app), Arc::clone(&self.inbox));
        self.app.machine.tasks.spawn_until_stop(async move {
            let bytes = text.len();
            let parsing = move || parse_client_message(&text);
            let message = app.machine.large_json.work(bytes, parsing).await;
            inbox.leave_parsed(Parsed { message, held });
        });
    }

    /// Whether reading has failed because no more of the client's message is taken: then it is told so.
    fn is_refused(&mut self) -> bool {
        let Some(refusal) = self.wire.get_ref().meter().and_then(|meter| meter.refusal()) else {
            return false;
        };
        tracing::debug!(%refusal, "a message is not taken");
        match refusal {
            Refusal::TooLarge => self.session.close(breach(1009, "MessageTooLarge")),
            Refusal::Overdrawn(_) => {
                self.app.machine.metrics.sockets_shed.add(1);
                self.session.close(CloseFrame::out_of_memory());
            }
        }
        true
    }

    /// Takes the socket out of everything that knows it.
    fn leave(&mut self) {
        if let Some(mutations) = &self.mutations {
            mutations.close();
        }
        self.app.live.close_socket(self.id);
        self.app.machine.metrics.sockets_closed.add(1);
    }

    /// A client that was told of its error hangs up by itself, and is given the time: the official one for Rust takes
    /// both, the message and a closing frame, for a reason to connect again, comes twice, and sends its mutations on
    /// both connections, each with a session of its own, so that they run twice. False if it has yet to be sent away.
    async fn is_hung_up(&mut self) -> bool {
        let Some(close) = self.last_frame.take() else { return false };
        // To its end: the library answers the client's closing frame where the next one is read.
        let until_gone = async { while let Some(Ok(_)) = self.wire.next().await {} };
        if tokio::time::timeout(HANG_UP_TIME_MAX, until_gone).await.is_ok() {
            return true;
        }
        self.writer.note_reply();
        self.writer.close(&close);
        self.flush().await.is_err()
    }

    /// Waits for the other side to go, so that our closing frame is not lost: a
    /// connection that is dropped with something unread in it is reset.
    async fn await_close(&mut self) {
        let until_gone = async {
            while let Some(Ok(message)) = self.wire.next().await {
                if message.is_close() {
                    return;
                }
            }
            let stream = self.wire.get_mut().stream_mut();
            let _ = stream.shutdown().await;
            let mut unread = [0_u8; 1024];
            while stream.read(&mut unread).await.is_ok_and(|read| read > 0) {}
        };
        let _ = tokio::time::timeout(CLOSE_TIME_MAX, until_gone).await;
    }
}

/// As the session takes it: until when by the monotonic clock.
fn verified(app: &App, authenticated: Authenticated) -> SocketIdentity {
    let Authenticated { principal, expires_at, grounds } = authenticated;
    let left = |at: Duration| at.saturating_sub(app.machine.unix_time());
    let expires_at = expires_at.map(|at| app.machine.clock() + left(at));
    SocketIdentity { verified: VerifiedIdentity { principal, expires_at }, grounds }
}

/// How a client that breaks the WebSocket protocol itself is sent away (RFC
/// 6455, 7.4.1).
fn breach(code: u16, reason: &str) -> CloseFrame {
    CloseFrame { code: Some(code), reason: reason.to_owned() }
}
