//! Writing frames: all that are due in one piece, past the WebSocket library's
//! own buffer, which never shrinks again.
//!
//! The library still writes answers to pings and closing frames by itself; when it
//! may have one it is flushed before anything is written here, and it is not called
//! while a write is under way, so that frames never mix.

use std::io;
use std::sync::Arc;

use futures_util::{FutureExt, SinkExt};
use tokio::io::AsyncWriteExt;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Control, Data, OpCode};
use weir_sync::protocol::CloseFrame;

use crate::wire::Wire;

/// When this much is waiting it is written before more is added, in bytes.
pub const FULL_BYTES: usize = 64 * 1024;

/// The longest header of a frame, in bytes.
const HEAD_BYTES_MAX: usize = 10;

/// Frames that are due.
///
/// Its memory is given back after each write: where many sockets are written to, the next one takes what is in the processor's
/// cache still, and who is silent holds nothing.
#[derive(Default)]
pub struct FrameWriter {
    bytes: Vec<u8>,
    /// A text message after them. Not copied before it is written: many sockets may have the same, and as long as one has it,
    /// it is not made again.
    text: Option<Arc<String>>,
    /// The library may have something to say.
    has_reply: bool,
    /// All is written, and TLS may hold some of it.
    is_unflushed: bool,
    /// How many bytes of what was due are written, while some are left.
    written: usize,
}

impl FrameWriter {
    /// Adds a text message.
    pub fn text(&mut self, text: Arc<String>) {
        self.copy_text();
        self.text = Some(text);
    }

    /// Writes all that is due, and a text message after it, of which no copy is made. Fails when the other side takes too
    /// little. Gives the number of bytes written.
    pub async fn write_text(&mut self, socket: &mut WebSocketStream<Wire>, text: &str) -> io::Result<usize> {
        self.copy_text();
        self.head(OpCode::Data(Data::Text), text.len());
        let before = self.write(socket).await?;
        write_all(socket.get_mut(), text.as_bytes()).await?;
        Ok(before + text.len())
    }

    /// Adds a ping without payload.
    pub fn ping(&mut self) {
        self.frame(OpCode::Control(Control::Ping), b"");
    }

    /// Adds the closing frame, the last one.
    pub fn close(&mut self, close: &CloseFrame) {
        let mut payload = Vec::new();
        if let Some(code) = close.code {
            payload.extend_from_slice(&code.to_be_bytes());
            payload.extend_from_slice(close.reason.as_bytes());
        }
        self.frame(OpCode::Control(Control::Close), &payload);
    }

    /// A message was read that the library answers by itself, perhaps not at once.
    pub fn note_reply(&mut self) {
        self.has_reply = true;
    }

    /// Whether it is time to write before adding more.
    pub fn is_full(&self) -> bool {
        self.bytes.len() + self.text.as_ref().map_or(0, |text| text.len()) >= FULL_BYTES
    }

    /// Writes of what is due as much as the system takes at once; gives the number of bytes. `None`: something is left, for
    /// [`FrameWriter::write`].
    ///
    /// # Errors
    /// The connection is broken.
    pub fn write_now(&mut self, socket: &mut WebSocketStream<Wire>) -> io::Result<Option<usize>> {
        self.copy_text();
        if self.bytes.is_empty() && !self.is_unflushed {
            return Ok(Some(0));
        }
        // As below; and that is not waited for.
        if self.has_reply {
            let Some(flushed) = socket.flush().now_or_never() else { return Ok(None) };
            flushed.map_err(io::Error::other)?;
            self.has_reply = false;
        }
        let wire = socket.get_mut();
        let taken = wire.write_now(&self.bytes)?;
        self.written += taken;
        if taken < self.bytes.len() {
            self.bytes.drain(..taken);
            return Ok(None);
        }
        self.bytes = Vec::new();
        self.is_unflushed = wire.flush().now_or_never().transpose()?.is_none();
        Ok((!self.is_unflushed).then(|| std::mem::take(&mut self.written)))
    }

    /// Writes all that is due. Fails when the other side takes too little. Gives the number of bytes written.
    pub async fn write(&mut self, socket: &mut WebSocketStream<Wire>) -> io::Result<usize> {
        self.copy_text();
        if self.bytes.is_empty() && !self.is_unflushed {
            return Ok(0);
        }
        // What the library has to say (pongs) has left already, or leaves now.
        if self.has_reply {
            match socket.flush().now_or_never() {
                Some(flushed) => flushed.map_err(io::Error::other)?,
                None => socket.flush().await.map_err(io::Error::other)?,
            }
            self.has_reply = false;
        }
        write_all(socket.get_mut(), &self.bytes).await?;
        let written = std::mem::take(&mut self.written) + self.bytes.len();
        self.bytes = Vec::new();
        self.is_unflushed = false;
        Ok(written)
    }

    fn copy_text(&mut self) {
        if let Some(text) = self.text.take() {
            self.frame(OpCode::Data(Data::Text), text.as_bytes());
        }
    }

    fn frame(&mut self, opcode: OpCode, payload: &[u8]) {
        self.copy_text();
        self.bytes.reserve(HEAD_BYTES_MAX + payload.len());
        self.head(opcode, payload.len());
        self.bytes.extend_from_slice(payload);
    }

    fn head(&mut self, opcode: OpCode, length: usize) {
        let header = FrameHeader { opcode, ..FrameHeader::default() };
        let length = length as u64;
        header.format(length, &mut self.bytes).expect("a vector takes every byte");
    }
}

/// Nearly always the system takes all at once.
async fn write_all(wire: &mut Wire, bytes: &[u8]) -> io::Result<()> {
    let mut written = wire.write_now(bytes)?;
    while written < bytes.len() {
        match wire.write(&bytes[written..]).await? {
            0 => return Err(io::ErrorKind::WriteZero.into()),
            some => written += some,
        }
    }
    // What TLS has taken and not sent yet.
    match wire.flush().now_or_never() {
        Some(flushed) => flushed,
        None => wire.flush().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_those_of_rfc_6455() {
        let mut frames = FrameWriter::default();
        frames.text(Arc::new("Hi".to_owned()));
        frames.ping();
        frames.close(&CloseFrame::after_client_error());
        assert_eq!(frames.bytes, b"\x81\x02Hi\x89\x00\x88\x00");
        let mut frames = FrameWriter::default();
        frames.text(Arc::new("x".repeat(300)));
        frames.copy_text();
        assert_eq!(frames.bytes[..4], [0x81, 126, 1, 44]);
        let mut frames = FrameWriter::default();
        frames.close(&CloseFrame { code: Some(1011), reason: "why".into() });
        assert_eq!(frames.bytes, b"\x88\x05\x03\xf3why");
    }
}
