//! Taking in what a client sends.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{FutureExt, StreamExt};
use tokio_tungstenite::tungstenite::{Error as SocketError, Message, Utf8Bytes};
use weir_sync::budget::{Charge, Held};
use weir_sync::protocol::{CloseFrame, parse_client_message};

use super::Socket;
use crate::inbox::Parsed;
use crate::large_json::LargeJson;
use crate::wire::Refusal;

/// Messages that are taken in before the session is served.
const ROUND_MESSAGES_MAX: usize = 64;

impl Socket {
    /// What follows a token, or a message that is parsed elsewhere, waits for it.
    pub(super) fn reads(&self) -> bool {
        !self.session.is_verifying() && !self.is_parsing
    }

    /// Takes in the messages that have arrived.
    pub(super) fn receive(&mut self) -> bool {
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
}

/// How a client that breaks the WebSocket protocol itself is sent away (RFC
/// 6455, 7.4.1).
fn breach(code: u16, reason: &str) -> CloseFrame {
    CloseFrame { code: Some(code), reason: reason.to_owned() }
}
