//! What each message of the client does.
use std::time::Duration;

use weir_db::SessionRequest;
use weir_value::Timestamp;
use weir_value::limits::SOCKET_ACTIONS_MAX;

use super::{DueAction, DueMutation, Effect, Session};
use crate::budget::{Charge, Held};
use crate::protocol::{
    ClientMessage, CloseFrame, Connect, FunctionCall, ModifyQuerySet, ProtocolError, ServerMessage,
    parse_client_message,
};

impl Session {
    /// A text frame came. `durable` is the newest durable timestamp.
    pub fn receive_text(&mut self, text: &str, now: Duration, durable: Timestamp) {
        let nothing = self.account.hold(Held::Messages, 0);
        self.receive_parsed(parse_client_message(text), nothing, now, durable);
    }

    /// A text frame came, and was parsed already: a long one, on a thread where that disturbs nobody. `held` is what it
    /// is counted with.
    pub fn receive_parsed(
        &mut self,
        parsed: Result<ClientMessage, ProtocolError>,
        mut held: Charge,
        now: Duration,
        durable: Timestamp,
    ) {
        self.liveness.heard(now);
        if self.closed {
            return;
        }
        debug_assert!(!self.is_verifying(), "what follows an Authenticate waits for it");
        if let Err(error) = parsed.and_then(|message| self.receive(message, &mut held, durable)) {
            self.fail(&error);
        }
    }

    /// A binary frame came: ends the session.
    pub fn receive_binary(&mut self, now: Duration) {
        self.liveness.heard(now);
        self.fail(&ProtocolError::BinaryFrame);
    }

    /// A ping or pong of the WebSocket came. Before `Connect` it does not count: who says nothing more is silent.
    pub fn heard(&mut self, now: Duration) {
        if self.session_id.is_some() {
            self.liveness.heard(now);
        }
    }

    fn receive(
        &mut self,
        message: ClientMessage,
        held: &mut Charge,
        durable: Timestamp,
    ) -> Result<(), ProtocolError> {
        let session = match (self.session_id, &message) {
            (None, ClientMessage::Connect(_)) => [0; 16],
            (None, other) => return Err(ProtocolError::NotConnected(other.name())),
            (Some(_), ClientMessage::Connect(_)) => return Err(ProtocolError::AlreadyConnected),
            (Some(session), _) => session,
        };
        match message {
            ClientMessage::Connect(connect) => self.connect(connect, durable),
            ClientMessage::ModifyQuerySet(modify) => self.modify(modify, held)?,
            ClientMessage::Authenticate { base_version, token } => self.authenticate(base_version, token)?,
            ClientMessage::Mutation(call) => self.mutate(session, call, held),
            ClientMessage::Action(call) => self.act(call, held),
            ClientMessage::Event { .. } => {}
        }
        Ok(())
    }

    /// A client that has seen a later timestamp than this host's newest has talked to a host with more data, of
    /// which this one is a copy from before: it must not be shown the past.
    fn connect(&mut self, connect: Connect, durable: Timestamp) {
        self.session_id = Some(connect.session_id);
        self.takes_patches = connect.wants_patches;
        self.observed = connect.max_observed_ts.unwrap_or_default();
        if self.observed > durable {
            self.close(CloseFrame::internal_error());
        }
    }

    fn modify(&mut self, modify: ModifyQuerySet, held: &mut Charge) -> Result<(), ProtocolError> {
        let (base, new, current) = (modify.base_version, modify.new_version, self.received.query_set);
        if base != current {
            return Err(ProtocolError::BaseVersionMismatch {
                message: "ModifyQuerySet",
                sent: base,
                current,
            });
        }
        if new <= base {
            return Err(ProtocolError::InvalidNewVersion { base, new });
        }
        let changes = self.queries.modify(modify.modifications, held)?;
        self.received.query_set = new;
        self.pending.request();
        if !changes.is_empty() {
            self.effects.push_back(Effect::Watch(changes));
        }
        Ok(())
    }

    fn mutate(&mut self, session: [u8; 16], call: FunctionCall, held: &mut Charge) {
        let FunctionCall { request, call } = call;
        let charged = call.and_then(|(path, args)| Ok((path, held.cover(Held::Arguments, args, 0)?)));
        let queued = match &charged {
            Ok((_, args)) => self.mutations.push(request, args.len()),
            Err(failure) => self.mutations.push_failed(request, failure.clone()),
        };
        if queued.is_err() {
            return self.close(CloseFrame::overloaded("TooManyConcurrentMutations"));
        }
        if let Ok((path, args)) = charged {
            let principal = self.principal().clone();
            let request = SessionRequest { session, request };
            self.effects.push_back(Effect::Mutate(DueMutation { request, path, args, principal }));
        }
    }

    fn act(&mut self, call: FunctionCall, held: &mut Charge) {
        if self.actions == SOCKET_ACTIONS_MAX {
            return self.close(CloseFrame::overloaded("TooManyInflightActionsForSingleClient"));
        }
        let FunctionCall { request, call } = call;
        match call.and_then(|(path, args)| Ok((path, held.cover(Held::Arguments, args, 0)?))) {
            Ok((path, args)) => {
                self.actions += 1;
                let principal = self.principal().clone();
                self.effects.push_back(Effect::Act(DueAction { request, path, args, principal }));
            }
            Err(failure) => {
                let result = Err(failure);
                self.say(&ServerMessage::ActionResponse { request, result, log_lines: Vec::new() });
                self.pending.request();
            }
        }
    }
}
