//! A connection's bytes, as they pass: a write that gets nowhere ends it, and what comes for a socket is counted while it
//! is not yet a message.
//!
//! Knows nothing of what is said over it.

mod message_meter;
mod slow_writes;

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use weir_sync::budget::Account;

pub use self::message_meter::{MessageMeter, Refusal};
use self::slow_writes::SlowWrites;
use crate::stream::Stream;

/// A connection.
pub struct Wire {
    stream: Stream,
    writes: SlowWrites,
    /// Counts the messages of a socket.
    meter: Option<MessageMeter>,
}

impl Wire {
    /// Of a connection that was accepted.
    pub fn new(stream: Stream) -> Wire {
        Wire { stream, writes: SlowWrites::default(), meter: None }
    }

    /// From now on it is a socket's, of whose messages these bytes have come already.
    ///
    /// # Errors
    /// There is no room for them.
    pub fn begin_messages(&mut self, account: Arc<Account>, read: &[u8]) -> Result<(), Refusal> {
        self.meter.insert(MessageMeter::new(account)).take(read)
    }

    /// What it counts of a socket's messages.
    pub fn meter(&self) -> Option<&MessageMeter> {
        self.meter.as_ref()
    }

    /// The same.
    pub fn meter_mut(&mut self) -> Option<&mut MessageMeter> {
        self.meter.as_mut()
    }

    /// Writes what the system takes at once.
    ///
    /// # Errors
    /// The connection is broken.
    pub fn write_now(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = self.stream.write_now(bytes)?;
        self.writes.count(taken);
        Ok(taken)
    }

    /// Whether there may be something to read, now or when the task is woken.
    pub fn poll_read_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.stream.poll_read_ready(cx)
    }

    /// The connection itself, past what is counted.
    pub fn stream_mut(&mut self) -> &mut Stream {
        &mut self.stream
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        if let Some(meter) = &mut self.meter {
            meter
                .take(&buffer.filled()[before..])
                .map_err(|refusal| io::Error::other(refusal.to_string()))?;
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.writes.look(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, pieces);
        self.writes.look(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
