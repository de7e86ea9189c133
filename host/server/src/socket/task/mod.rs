//! The task of one socket: the loop between the wire, the session and the rest
//! of the server.
//!
//! Each round takes in what is there (all messages that have arrived, outcomes,
//! news of live queries), lets the session decide, and writes what is due in one
//! piece. While a write is under way nothing is taken in: a client that does not
//! read slows down itself alone, and finds the newest state when it does.

mod reading;
mod turns;
mod writing;

use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::time::Sleep;
use tokio_tungstenite::WebSocketStream;
use weir_db::Call;
use weir_sync::live::{Advance, SocketId, WatchChange};
use weir_sync::protocol::{AuthToken, ClientInfo, CloseFrame};
use weir_sync::session::{DueAction, DueMutation, Effect, IdentityRefusal, Session, VerifiedIdentity};
use weir_value::FunctionPath;

use super::frames::FrameWriter;
use super::half_message::HalfMessage;
use super::mutation_queue::MutationQueue;
use super::parked::Parked;
use crate::address::{CallPause, Client};
use crate::app::App;
use crate::audit::{Auditor, Outcome};
use crate::budget::ConnectionBudget;
use crate::executor::Flow;
use crate::identity::{Authenticated, Credentials, Grounds};
use crate::inbox::{Inbox, Parsed, SocketIdentity};
use crate::request_id::new_request_id;
use crate::wire::Wire;
use turns::{End, serve};

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

    /// Takes the socket out of everything that knows it.
    fn leave(&mut self) {
        if let Some(mutations) = &self.mutations {
            mutations.close();
        }
        self.app.live.close_socket(self.id);
        self.app.machine.metrics.sockets_closed.add(1);
    }
}

/// As the session takes it: until when by the monotonic clock.
fn verified(app: &App, authenticated: Authenticated) -> SocketIdentity {
    let Authenticated { principal, expires_at, grounds } = authenticated;
    let left = |at: Duration| at.saturating_sub(app.machine.unix_time());
    let expires_at = expires_at.map(|at| app.machine.clock() + left(at));
    SocketIdentity { verified: VerifiedIdentity { principal, expires_at }, grounds }
}
