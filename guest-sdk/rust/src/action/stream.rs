//! Bodies on their way: what comes from the host piece by piece, and what goes there.

use std::pin::Pin;

use super::task::Task;
use crate::failure::{Error, Result};
use crate::host::streams;

/// A piece that is written at once.
const PIECE_BYTES_MAX: usize = 256 << 10;

/// What writes a body.
pub(crate) type Write = Box<dyn FnOnce(BodyWriter) -> Pin<Box<dyn Future<Output = Result<()>>>>>;

/// A body that comes from the host; nothing of it is read before somebody asks.
#[derive(Debug)]
pub(super) struct Incoming {
    stream: u32,
    is_open: bool,
}

impl Incoming {
    pub(super) fn new(stream: u32) -> Incoming {
        Incoming { stream, is_open: true }
    }

    /// The next piece; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<u8>>> {
        if !self.is_open {
            return Ok(None);
        }
        let piece = Task::new(streams::read(self.stream))?.await;
        if piece.as_ref().map_or(true, Vec::is_empty) {
            self.is_open = false;
        }
        Ok(Some(piece?).filter(|piece| !piece.is_empty()))
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        if self.is_open {
            streams::close(self.stream, None);
        }
    }
}

/// Writes a body piece by piece: [`Body::stream`](super::http::Body::stream) hands one over.
#[derive(Debug)]
pub struct BodyWriter {
    stream: u32,
}

impl BodyWriter {
    /// Writes a piece; it is over when there is room for the next one. Empty pieces are left out.
    ///
    /// # Errors
    /// `StreamClosed`: nobody reads any more.
    pub async fn write(&mut self, piece: impl AsRef<[u8]>) -> Result<()> {
        for part in piece.as_ref().chunks(PIECE_BYTES_MAX) {
            Task::new(streams::write(self.stream, part))?.await?;
        }
        Ok(())
    }
}

/// A body that goes to the host. Dropped before its end, it is broken off.
pub(crate) struct Outgoing {
    stream: u32,
    is_open: bool,
}

impl Outgoing {
    pub(crate) fn new() -> Result<Outgoing> {
        let stream = streams::create().map_err(Error::from_host)?;
        Ok(Outgoing { stream, is_open: true })
    }

    /// The host's number of it.
    pub(crate) fn stream(&self) -> u32 {
        self.stream
    }

    /// Writes all of it, to its end, or until nobody reads any more.
    pub(crate) async fn write(mut self, write: Write) -> Result<()> {
        let written = write(BodyWriter { stream: self.stream }).await;
        match written {
            Ok(()) => self.close(None),
            Err(error) if error.code() == Some("StreamClosed") => self.close(None),
            Err(error) => {
                self.close(Some(error.message()));
                return Err(error);
            }
        }
        Ok(())
    }

    fn close(&mut self, broken: Option<&str>) {
        if std::mem::take(&mut self.is_open) {
            streams::close(self.stream, broken);
        }
    }
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        self.close(Some("what wrote it was given up"));
    }
}
