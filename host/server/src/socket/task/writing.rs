//! Writing what the session says, and ending.

use std::time::Duration;

use futures_util::StreamExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use weir_sync::session::Frame;

use super::Socket;
use crate::machine::Machine;
use crate::socket::frames::FULL_BYTES;

/// How long a closed socket waits for the other side to close, too.
const CLOSE_TIME_MAX: Duration = Duration::from_secs(1);

/// How long a client that was told of its error has to hang up by itself.
const HANG_UP_TIME_MAX: Duration = Duration::from_secs(2);

impl Socket {
    /// Writes the frames that are due; false after the last one.
    pub(super) async fn write_out(&mut self) -> std::io::Result<bool> {
        let mut is_open = true;
        loop {
            match self.session.next_frame(self.app.machine.clock()) {
                Some(Frame::Text(text)) if text.len() >= FULL_BYTES => {
                    let written = self.writer.write_text(&mut self.wire, &text).await?;
                    drop(text);
                    self.written(written);
                }
                Some(Frame::Text(text)) => self.writer.text(text),
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

    /// Has the frames that are due ready to be written, if that can be done at once. False: some are left.
    pub(super) fn queue_frames(&mut self) -> bool {
        while let Some(bytes) = self.session.next_frame_bytes() {
            if self.session.is_closed() || bytes >= FULL_BYTES || self.writer.is_full() {
                return false;
            }
            match self.session.next_frame(self.app.machine.clock()) {
                Some(Frame::Text(text)) => self.writer.text(text),
                Some(Frame::Ping) => self.writer.ping(),
                Some(Frame::Close(_)) | None => return false,
            }
        }
        !self.session.is_closed()
    }

    /// Writes them, if that can be done at once. False: some are left, or it is broken, which its task finds as well.
    pub(super) fn write_now(&mut self) -> bool {
        let Ok(Some(written)) = self.writer.write_now(&mut self.wire) else { return false };
        self.written(written);
        true
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

    /// A client that was told of its error hangs up by itself, and is given the time: the official one for Rust takes
    /// both, the message and a closing frame, for a reason to connect again, comes twice, and sends its mutations on
    /// both connections, each with a session of its own, so that they run twice. False if it has yet to be sent away.
    pub(super) async fn is_hung_up(&mut self) -> bool {
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
    pub(super) async fn await_close(&mut self) {
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
