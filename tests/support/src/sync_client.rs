//! A blocking client of the sync protocol that does what an official client does, and can be told to misbehave.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use crate::connect::connect;
use crate::frame;

/// One socket. Messages are JSON values; pings of the WebSocket are answered by itself.
pub struct SyncClient {
    stream: TcpStream,
    buffer: Vec<u8>,
    read_to: usize,
}

/// What one read gave.
#[derive(Debug, Clone, PartialEq)]
pub enum Received {
    /// A text message.
    Message(Value),
    /// A close frame: its code (0 for none) and reason; or the end of the stream (code 0).
    Closed(u16, String),
}

impl SyncClient {
    /// Opens the socket; sends nothing yet.
    ///
    /// # Errors
    /// When the server is not there or does not upgrade.
    pub fn open(address: SocketAddr) -> Result<SyncClient> {
        Self::open_path(address, "/api/1.48.0/sync")
    }

    /// Opens the socket at another path.
    ///
    /// # Errors
    /// As for [`SyncClient::open`]; the answer is in the error.
    pub fn open_path(address: SocketAddr, path: &str) -> Result<SyncClient> {
        let mut stream = connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        stream.write_all(frame::upgrade_request(&address.to_string(), path).as_bytes())?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            ensure!(stream.read(&mut byte)? == 1, "closed in the head: {}", String::from_utf8_lossy(&head));
            head.push(byte[0]);
        }
        let text = String::from_utf8_lossy(&head);
        ensure!(text.starts_with("HTTP/1.1 101"), "no upgrade: {text}");
        Ok(SyncClient { stream, buffer: Vec::new(), read_to: 0 })
    }

    /// Opens the socket and says `Connect`.
    ///
    /// # Errors
    /// As for [`SyncClient::open`].
    pub fn connect(address: SocketAddr, session: &str, connection_count: u32) -> Result<SyncClient> {
        let mut client = Self::open(address)?;
        client.send(&json!({"type": "Connect", "sessionId": session, "connectionCount": connection_count,
            "lastCloseReason": "InitialConnect", "clientTs": 0}))?;
        Ok(client)
    }

    /// Sends one message.
    ///
    /// # Errors
    /// When the connection is gone.
    pub fn send(&mut self, message: &Value) -> Result<()> {
        self.send_text(&message.to_string())
    }

    /// Sends one text message as it is.
    ///
    /// # Errors
    /// When the connection is gone.
    pub fn send_text(&mut self, text: &str) -> Result<()> {
        let mut bytes = Vec::with_capacity(text.len() + 14);
        frame::write_text(&mut bytes, text.as_bytes());
        self.send_bytes(&bytes)
    }

    /// Sends bytes that need not be a frame.
    ///
    /// # Errors
    /// When the connection is gone.
    pub fn send_bytes(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.stream.write_all(bytes)?)
    }

    /// Adds one query, as the first modification of the connection.
    ///
    /// # Errors
    /// When the connection is gone.
    pub fn subscribe(&mut self, base: u32, query: u32, path: &str, args: &Value) -> Result<()> {
        self.send(
            &json!({"type": "ModifyQuerySet", "baseVersion": base, "newVersion": base + 1, "modifications": [
            {"type": "Add", "queryId": query, "udfPath": path, "args": [args]}]}),
        )
    }

    /// Sends one mutation.
    ///
    /// # Errors
    /// When the connection is gone.
    pub fn mutate(&mut self, request: u32, path: &str, args: &Value) -> Result<()> {
        self.send(&json!({"type": "Mutation", "requestId": request, "udfPath": path, "args": [args]}))
    }

    /// The next message other than `Ping`, or how the connection ended. Waits 10 s at most.
    ///
    /// # Errors
    /// When nothing comes in that time.
    pub fn receive(&mut self) -> Result<Received> {
        self.receive_within(Duration::from_secs(10))?.context("nothing came within 10 s")
    }

    /// As [`SyncClient::receive`], but `None` when nothing comes for `wait`, which must not be 0.
    ///
    /// # Errors
    /// When the connection fails other than by a reset, or a message is not JSON.
    pub fn receive_within(&mut self, wait: Duration) -> Result<Option<Received>> {
        loop {
            if let Some(received) = self.take()? {
                return Ok(Some(received));
            }
            self.stream.set_read_timeout(Some(wait))?;
            let mut chunk = [0; 65536];
            match self.stream.read(&mut chunk) {
                Ok(0) => return Ok(Some(Received::Closed(0, "end of stream".into()))),
                Ok(length) => self.buffer.extend_from_slice(&chunk[..length]),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => {
                    return Ok(Some(Received::Closed(0, "reset".into())));
                }
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    return Ok(None);
                }
                Err(error) => bail!("nothing came: {error}"),
            }
        }
    }

    /// The next message of one type; others are passed over.
    ///
    /// # Errors
    /// When the connection ends first, or nothing comes.
    pub fn receive_type(&mut self, kind: &str) -> Result<Value> {
        loop {
            match self.receive()? {
                Received::Message(message) if message["type"] == kind => return Ok(message),
                Received::Message(_) => {}
                Received::Closed(code, reason) => bail!("closed ({code} {reason}) while waiting for {kind}"),
            }
        }
    }

    /// The value of `query` in the next transition that has one.
    ///
    /// # Errors
    /// As for [`SyncClient::receive_type`].
    pub fn receive_value(&mut self, query: u32) -> Result<Value> {
        loop {
            let mut transition = self.receive_type("Transition")?;
            let modifications = transition["modifications"].as_array_mut().context("no modifications")?;
            if let Some(found) = modifications.iter_mut().find(|one| one["queryId"] == query) {
                ensure!(found["type"] == "QueryUpdated", "not a value: {found}");
                return Ok(found["value"].take());
            }
        }
    }

    fn take(&mut self) -> Result<Option<Received>> {
        loop {
            let Some(found) = frame::read(&self.buffer[self.read_to..]) else {
                self.buffer.drain(..self.read_to);
                self.read_to = 0;
                return Ok(None);
            };
            let (opcode, payload) = (found.opcode, found.payload.to_vec());
            self.read_to += found.length;
            match opcode {
                0x1 => {
                    let message: Value =
                        serde_json::from_slice(&payload).context("a message that is not valid JSON")?;
                    if message["type"] != "Ping" {
                        return Ok(Some(Received::Message(message)));
                    }
                }
                0x8 => return Ok(Some(closed(&payload))),
                0x9 => {
                    let mut pong = Vec::new();
                    frame::write_pong(&mut pong, &payload);
                    self.stream.write_all(&pong)?;
                }
                _ => {}
            }
        }
    }
}

fn closed(payload: &[u8]) -> Received {
    let code = payload.first_chunk().map_or(0, |bytes| u16::from_be_bytes(*bytes));
    Received::Closed(code, String::from_utf8_lossy(payload.get(2..).unwrap_or_default()).into_owned())
}
