//! The bytes of a connection: as they are, or through TLS, and counted as they come.
//!
//! A plain connection is a `TcpStream` and one comparison. What an address has sent is counted where it leaves the
//! system's hands, below TLS: what TLS has taken in already is given out whatever the count says, so nothing waits in it
//! that no readiness of the system's would tell of.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use crate::address::Meter;

/// A connection's bytes.
pub enum Stream {
    /// As they are.
    Plain(MeteredTcp),
    /// Through TLS.
    Tls(Box<TlsStream<MeteredTcp>>),
}

impl Stream {
    /// Whether there may be something to read, now or when the task is woken. What was left unread by an earlier read that
    /// did not say `Pending` is not told of.
    pub fn poll_read_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let tcp = match self {
            Stream::Plain(tcp) => tcp,
            Stream::Tls(tls) => tls.get_mut().0,
        };
        ready!(tcp.poll_room(cx));
        tcp.tcp.poll_read_ready(cx).map(drop)
    }

    /// Writes what is taken at once: nearly always all.
    ///
    /// # Errors
    /// The other side is gone.
    pub fn write_now(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = match self {
            Stream::Plain(tcp) => tcp.tcp.try_write(bytes),
            Stream::Tls(tls) => {
                let mut nobody = Context::from_waker(Waker::noop());
                match Pin::new(tls).poll_write(&mut nobody, bytes) {
                    Poll::Ready(written) => written,
                    Poll::Pending => Ok(0),
                }
            }
        };
        match written {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
            other => other,
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(tcp) => Pin::new(tcp).poll_read(cx, buffer),
            Stream::Tls(tls) => Pin::new(tls).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Stream::Plain(tcp) => Pin::new(tcp).poll_write(cx, bytes),
            Stream::Tls(tls) => Pin::new(tls).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(tcp) => Pin::new(tcp).poll_flush(cx),
            Stream::Tls(tls) => Pin::new(tls).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Stream::Tls(tls) => Pin::new(tls).poll_shutdown(cx),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Stream::Plain(tcp) => Pin::new(tcp).poll_write_vectored(cx, pieces),
            Stream::Tls(tls) => Pin::new(tls).poll_write_vectored(cx, pieces),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Stream::Plain(tcp) => tcp.is_write_vectored(),
            Stream::Tls(tls) => tls.is_write_vectored(),
        }
    }
}

/// A connection of the system's, whose received bytes are counted, and which is not read from while its address has sent
/// more than it may.
pub struct MeteredTcp {
    tcp: TcpStream,
    meter: Option<Box<Meter>>,
}

impl MeteredTcp {
    /// Counted by `meter`, if by anything.
    pub fn new(tcp: TcpStream, meter: Option<Meter>) -> MeteredTcp {
        MeteredTcp { tcp, meter: meter.map(Box::new) }
    }

    /// The first byte that has come, which stays to be read; `None`: there will be none.
    ///
    /// # Errors
    /// The connection is broken.
    pub async fn peek(&self) -> io::Result<Option<u8>> {
        let mut first = [0];
        let length = self.tcp.peek(&mut first).await?;
        Ok((length > 0).then_some(first[0]))
    }

    fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.meter.as_mut().map_or(Poll::Ready(()), |meter| meter.poll_room(cx))
    }
}

impl AsyncRead for MeteredTcp {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(self.poll_room(cx));
        let before = buffer.filled().len();
        let read = ready!(Pin::new(&mut self.tcp).poll_read(cx, buffer));
        if let Some(meter) = &self.meter {
            meter.count(buffer.filled().len() - before);
        }
        Poll::Ready(read)
    }
}

impl AsyncWrite for MeteredTcp {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write_vectored(cx, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }
}
