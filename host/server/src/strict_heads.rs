//! What HTTP's own parser lets pass and a server behind a proxy must not: a line of a request's head that ends with a line
//! feed alone. Two servers that disagree about where lines end disagree about where requests do.
//!
//! A stream that stands below the parser and follows the framing of requests: heads, and bodies as they say their length.
//! A line feed in a head that follows no carriage return is given on as NUL, which no head may have, so that the parser
//! answers it as it answers everything malformed (400, and the end of the connection).
//!
//! Decides nothing else: what is wrong with lengths and encodings, the parser says.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use weir_value::limits::HTTP_HEAD_BYTES_MAX;

/// A line's buffer that is larger than this is given back at the end of a head, in bytes.
const KEPT_BYTES_MAX: usize = 512;

/// A connection whose heads have strict lines.
#[derive(Debug)]
pub struct StrictHeads<S> {
    stream: S,
    framing: Framing,
}

/// Where in the requests of a connection its reader is.
#[derive(Debug, Default)]
struct Framing {
    state: State,
    /// What has come of a line.
    line: Vec<u8>,
    head: Head,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    /// In a head, or before one.
    #[default]
    Head,
    /// So many bytes of a body are left.
    Body(u64),
    /// In the line before a chunk.
    ChunkSize,
    /// So many bytes of a chunk are left, and of the line end after it.
    Chunk(u64),
    /// After the last chunk.
    Trailers,
    /// No more HTTP comes: a request for another protocol, whose answer, if it is a refusal, ends the connection.
    Open,
    /// The parser has refused what came, or is about to.
    Broken,
}

/// What a head has said of what follows it.
#[derive(Debug, Default)]
struct Head {
    has_begun: bool,
    length: u64,
    is_chunked: bool,
    asks_upgrade: bool,
}

impl<S> StrictHeads<S> {
    /// For a connection that nothing has come over yet.
    pub fn new(stream: S) -> StrictHeads<S> {
        StrictHeads { stream, framing: Framing::default() }
    }

    /// The connection itself, when it speaks HTTP no more.
    pub fn into_inner(self) -> S {
        self.stream
    }
}

impl Framing {
    /// Follows what has come, and spoils what must not pass.
    fn follow(&mut self, mut bytes: &mut [u8]) {
        while !bytes.is_empty() {
            let passed = match self.state {
                State::Open | State::Broken => return,
                State::Body(left) => self.skip(left, bytes.len(), State::Body, State::Head),
                State::Chunk(left) => self.skip(left, bytes.len(), State::Chunk, State::ChunkSize),
                State::Head | State::ChunkSize | State::Trailers => self.read_line(bytes),
            };
            bytes = &mut bytes[passed..];
        }
    }

    fn skip(&mut self, left: u64, come: usize, rest: fn(u64) -> State, next: State) -> usize {
        let passed = left.min(come as u64);
        self.state = if passed == left { next } else { rest(left - passed) };
        passed as usize
    }

    /// Takes bytes to the end of the line, or as many as there are.
    fn read_line(&mut self, bytes: &mut [u8]) -> usize {
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let passed = end.map_or(bytes.len(), |at| at + 1);
        self.line.extend_from_slice(&bytes[..passed]);
        if self.line.len() > HTTP_HEAD_BYTES_MAX {
            self.state = State::Broken;
        } else if end.is_some() {
            match self.line.strip_suffix(b"\r\n").map(<[u8]>::to_vec) {
                Some(line) => {
                    self.line.clear();
                    self.take_line(&line);
                }
                // The line goes on, for us and for the parser. Sizes of chunks it reads strictly by itself.
                None if self.state == State::ChunkSize => self.state = State::Broken,
                None => bytes[passed - 1] = 0,
            }
        }
        passed
    }

    fn take_line(&mut self, line: &[u8]) {
        match self.state {
            State::ChunkSize => self.state = chunk(line),
            State::Trailers if line.is_empty() => self.state = State::Head,
            State::Head if line.is_empty() && self.head.has_begun => {
                self.state = std::mem::take(&mut self.head).next();
                if self.line.capacity() > KEPT_BYTES_MAX {
                    self.line = Vec::new();
                }
            }
            State::Head if self.head.has_begun => self.take_field(line),
            State::Head => self.head.has_begun = !line.is_empty(),
            _ => {}
        }
    }

    fn take_field(&mut self, line: &[u8]) {
        if self.head.take_field(line).is_none() {
            self.state = State::Broken;
        }
    }
}

impl Head {
    /// Notes what a field says of the body; `None` for what the parser refuses.
    fn take_field(&mut self, line: &[u8]) -> Option<()> {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        if name.eq_ignore_ascii_case(b"content-length") {
            let digits = std::str::from_utf8(value).ok()?;
            self.length = digits.parse().ok().filter(|_| !digits.starts_with('+'))?;
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            let last = value.rsplit(|byte| *byte == b',').next()?;
            self.is_chunked = last.trim_ascii().eq_ignore_ascii_case(b"chunked");
        } else if name.eq_ignore_ascii_case(b"upgrade") {
            self.asks_upgrade = true;
        }
        Some(())
    }

    /// What follows it.
    fn next(&self) -> State {
        match (self.asks_upgrade, self.is_chunked, self.length) {
            (true, _, _) => State::Open,
            (false, true, _) => State::ChunkSize,
            (false, false, 0) => State::Head,
            (false, false, length) => State::Body(length),
        }
    }
}

/// What follows the line before a chunk.
fn chunk(line: &[u8]) -> State {
    let digits = line.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii_end();
    let digits = std::str::from_utf8(digits).ok().filter(|digits| !digits.starts_with('+'));
    match digits.and_then(|digits| u64::from_str_radix(digits, 16).ok()) {
        Some(0) => State::Trailers,
        Some(size) => size.checked_add(2).map_or(State::Broken, State::Chunk),
        None => State::Broken,
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for StrictHeads<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let StrictHeads { stream, framing } = self.get_mut();
        if framing.state == State::Broken {
            return Poll::Ready(Err(io::ErrorKind::InvalidData.into()));
        }
        let before = buffer.filled().len();
        ready!(Pin::new(stream).poll_read(context, buffer))?;
        framing.follow(&mut buffer.filled_mut()[before..]);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for StrictHeads<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(context, pieces)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the parser is given of these bytes, and where they lead, however they are cut.
    fn follow(bytes: &str) -> (String, State) {
        let run = |piece: usize| {
            let (mut framing, mut bytes) = (Framing::default(), bytes.as_bytes().to_vec());
            bytes.chunks_mut(piece).for_each(|piece| framing.follow(piece));
            (String::from_utf8(bytes).unwrap(), framing.state)
        };
        let whole = run(bytes.len());
        for piece in 1..bytes.len().min(9) {
            assert_eq!(run(piece), whole, "in pieces of {piece}: {bytes:?}");
        }
        whole
    }

    #[test]
    fn only_heads_have_lines_to_be_strict_with() {
        let head = "POST / HTTP/1.1\r\nHost: a\r\n";
        for (rest, state) in [
            ("\r\n", State::Head),
            ("\r\n\r\n\r\nGET / HTTP/1.1\r\n\r\n", State::Head),
            ("Content-Length: 4\r\n\r\n\n\n\n\nGET / HTTP/1.1\r\n\r\n", State::Head),
            ("content-length:\t9 \r\n\r\n\n\n\n", State::Body(6)),
            ("Transfer-Encoding: gzip, Chunked\r\n\r\n3;x=y\r\n\n\n\n\r\n0\r\n\r\n", State::Head),
            ("Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\nA \r\n\n\n\n", State::Chunk(9)),
            ("Transfer-Encoding: chunked\r\n\r\n0\r\nA: b\r\n\r\nGET /", State::Head),
            ("Upgrade: websocket\r\n\r\n\n\n", State::Open),
        ] {
            let bytes = format!("{head}{rest}");
            assert_eq!(follow(&bytes), (bytes.clone(), state), "{bytes:?}");
        }
    }

    #[test]
    fn a_line_feed_alone_ends_no_line() {
        let head = "POST / HTTP/1.1\r\nHost: a\r\n";
        for (bytes, expected) in [
            ("GET / HTTP/1.1\nHost: a\r\n\r\n", "GET / HTTP/1.1\0Host: a\r\n\r\n"),
            ("\nGET / HTTP/1.1\r\n\r\n", "\0GET / HTTP/1.1\r\n\r\n"),
            ("GET / HTTP/1.1\r\nHost: a\r\n\nX: y", "GET / HTTP/1.1\r\nHost: a\r\n\0X: y"),
            ("GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\0X: y\r\n\r\n"),
        ] {
            assert_eq!(follow(bytes).0, expected);
        }
        // Behind a body too, and in trailers; what the parser reads strictly itself is left to it.
        let bytes = format!("{head}Content-Length: 2\r\n\r\n\n\nGET / HTTP/1.1\nA: b\r\n\r\n");
        assert_eq!(follow(&bytes).0.matches('\0').count(), 1);
        let bytes = format!("{head}Transfer-Encoding: chunked\r\n\r\n0\r\nA: b\nC: d\r\n\r\n");
        assert_eq!(follow(&bytes).0.matches('\0').count(), 1);
        let bytes = format!("{head}Transfer-Encoding: chunked\r\n\r\n0\nA: b\r\n\r\n");
        assert_eq!(follow(&bytes), (bytes.clone(), State::Broken));
    }

    #[test]
    fn what_the_parser_refuses_is_followed_no_further() {
        let head = "POST / HTTP/1.1\r\n";
        for rest in ["Content-Length: +4\r\n", "Content-Length: 4, 4\r\n", "no colon\r\n"] {
            assert_eq!(follow(&format!("{head}{rest}")).1, State::Broken, "{rest}");
        }
        for size in ["x", "-1", "+1", "", "10000000000000000"] {
            let bytes = format!("{head}Transfer-Encoding: chunked\r\n\r\n{size}\r\n");
            assert_eq!(follow(&bytes).1, State::Broken, "{size}");
        }
    }
}
