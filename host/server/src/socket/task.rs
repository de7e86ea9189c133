//! The task of one socket: the loop between the wire, the session and the rest
//! of the server.
//!
//! Each round takes in what is there (all messages that have arrived, outcomes,
//! news of live queries), lets the session decide, and writes what is due in one
//! piece. While a write is under way nothing is taken in: a client that does not
//! read slows down itself alone, and finds the newest state when it does.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{FutureExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Error as SocketError, Message};
use weir_sync::live::SocketId;
use weir_sync::protocol::{ClientInfo, CloseFrame};
use weir_sync::session::{DueMutation, Effect, Frame, Session};
use weir_value::limits;

use super::frames::FrameWriter;
use super::mutation_lane::MutationLane;
use super::outbox::Outbox;
use crate::backend::Backend;

/// Messages that are taken in before the session is served.
const ROUND_MESSAGES_MAX: usize = 64;

/// How long a closed socket may take to say good-bye.
const FAREWELL_MAX: Duration = Duration::from_secs(1);

/// Everything that belongs to one socket.
struct Socket {
    backend: Arc<Backend>,
    id: SocketId,
    wire: WebSocketStream<TcpStream>,
    session: Session,
    outbox: Arc<Outbox>,
    lane: Option<Arc<MutationLane>>,
    due: Vec<DueMutation>,
    writer: FrameWriter,
}

/// Why a socket's task ends.
enum End {
    /// The session sent its last frame.
    Closed,
    /// The other side is gone, or does not read.
    Lost,
}

/// Serves one socket until it ends.
pub async fn run(backend: Arc<Backend>, wire: WebSocketStream<TcpStream>, client: ClientInfo) {
    let outbox = Outbox::new();
    let id = backend.live.open_socket(Arc::clone(&outbox));
    backend.metrics.sockets_opened.add(1);
    let session = Session::new(client, backend.clock());
    let writer = FrameWriter::default();
    let mut socket = Socket { backend, id, wire, session, outbox, lane: None, due: Vec::new(), writer };
    let end = socket.serve().await;
    socket.leave();
    if matches!(end, End::Closed) {
        socket.part().await;
    }
}

impl Socket {
    async fn serve(&mut self) -> End {
        loop {
            self.take_in();
            self.settle();
            match self.write_out().await {
                Ok(true) => {}
                Ok(false) => return End::Closed,
                Err(_) => return End::Lost,
            }
            if !self.wait().await {
                return End::Lost;
            }
        }
    }

    /// What other threads have left.
    fn take_in(&mut self) {
        for (request, outcome) in self.outbox.take_outcomes() {
            self.session.mutation_finished(request, outcome);
        }
        if self.outbox.take_live_changed() {
            self.session.wake();
        }
        if self.outbox.is_shut_down() && !self.session.is_closed() {
            self.session.close(CloseFrame::shutting_down());
        }
    }

    /// Lets the session decide, and does what it asks for.
    fn settle(&mut self) {
        let durable = self.backend.durable.reached();
        self.session.answer_durable(durable);
        while let Some(effect) = self.session.next_effect() {
            match effect {
                Effect::Mutate(mutation) => self.due.push(mutation),
                Effect::Watch(changes) => {
                    let since = self.session.version().ts;
                    self.backend.live.watch(self.id, since, &changes);
                }
            }
        }
        if !self.due.is_empty() {
            let new = || MutationLane::new(Arc::clone(&self.backend), Arc::clone(&self.outbox));
            self.lane.get_or_insert_with(new).push(&mut self.due);
        }
        if let Some(at_least) = self.session.wanted_moment() {
            let advance = self.backend.live.advance(self.id, at_least);
            self.session.transition(advance);
        }
        if let Some(ts) = self.session.awaited_durable() {
            self.outbox.wake_at(ts, &self.backend.durable);
        }
    }

    /// Writes the frames that are due; false after the last one.
    async fn write_out(&mut self) -> std::io::Result<bool> {
        let mut is_open = true;
        loop {
            match self.session.next_frame(self.backend.clock()) {
                Some(Frame::Text(text)) => self.writer.text(&text),
                Some(Frame::Ping) => self.writer.ping(),
                Some(Frame::Close(close)) => {
                    self.writer.close(&close);
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

    async fn flush(&mut self) -> std::io::Result<()> {
        let written =
            self.writer.write(&mut self.wire, Duration::from_millis(limits::SOCKET_WRITE_MS_MAX)).await?;
        self.backend.metrics.socket_bytes_sent.add(written as u64);
        Ok(())
    }

    /// Waits until there is something to do; false when the other side is gone.
    async fn wait(&mut self) -> bool {
        let tick_in = self.session.deadline().saturating_sub(self.backend.clock());
        tokio::select! {
            // A client that was heard while a write was under way is not silent.
            biased;
            message = self.wire.next() => return self.receive(message),
            () = self.outbox.notified() => {}
            () = tokio::time::sleep(tick_in) => self.session.tick(self.backend.clock()),
        }
        true
    }

    /// Takes in a message, and all others that have arrived with it.
    fn receive(&mut self, first: Option<Result<Message, SocketError>>) -> bool {
        let now = self.backend.clock();
        if !self.receive_one(first, now) {
            return false;
        }
        for _ in 1..ROUND_MESSAGES_MAX {
            // A session that has ended takes nothing more; its last frames are due.
            if self.session.is_closed() {
                return true;
            }
            let Some(message) = self.wire.next().now_or_never() else { return true };
            if !self.receive_one(message, now) {
                return false;
            }
        }
        true
    }

    fn receive_one(&mut self, message: Option<Result<Message, SocketError>>, now: Duration) -> bool {
        match message {
            Some(Ok(Message::Text(text))) => {
                self.backend.metrics.socket_messages_received.add(1);
                self.session.receive_text(&text, now, self.backend.durable.reached());
            }
            Some(Ok(Message::Binary(_))) => self.session.receive_binary(now),
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
            Some(Ok(Message::Close(_) | Message::Frame(_)) | Err(_)) | None => return false,
        }
        true
    }

    /// Takes the socket out of everything that knows it.
    fn leave(&mut self) {
        if let Some(lane) = &self.lane {
            lane.close();
        }
        self.backend.live.close_socket(self.id);
        self.backend.metrics.sockets_closed.add(1);
    }

    /// Waits for the other side to go, so that our closing frame is not lost: a
    /// connection that is dropped with something unread in it is reset.
    async fn part(&mut self) {
        let until_gone = async {
            while let Some(Ok(message)) = self.wire.next().await {
                if message.is_close() {
                    return;
                }
            }
            let stream = self.wire.get_mut();
            let _ = stream.shutdown().await;
            let mut unread = [0_u8; 1024];
            while stream.read(&mut unread).await.is_ok_and(|read| read > 0) {}
        };
        let _ = tokio::time::timeout(FAREWELL_MAX, until_gone).await;
    }
}

/// How a client that breaks the WebSocket protocol itself is sent away (RFC
/// 6455, 7.4.1).
fn breach(code: u16, reason: &str) -> CloseFrame {
    CloseFrame { code: Some(code), reason: reason.to_owned() }
}
