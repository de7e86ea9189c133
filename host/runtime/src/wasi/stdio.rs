//! Standard output and error, as log lines; standard input, which is at its end.
use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use wasmtime::component::Resource;
use wasmtime_wasi::p2::bindings::cli::{stderr, stdin, stdout};
use wasmtime_wasi::p2::pipe::ClosedInputStream;
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, OutputStream, Pollable, StreamResult};
use weir_db::LogLevel;
use weir_value::limits::{LOG_LINE_BYTES_MAX, LOG_LINES_MAX};

use super::WasiState;

/// What a stream takes in one go.
const WRITE_BYTES_MAX: usize = 64 << 10;

/// What a call printed and nobody has taken yet. Shared with the streams that the guest holds.
#[derive(Default, Clone)]
pub(super) struct Output {
    pending: Arc<Mutex<Pending>>,
}

/// Whole lines in the order in which they ended, and the line that each stream is in.
#[derive(Default)]
struct Pending {
    lines: VecDeque<(LogLevel, String)>,
    out: Vec<u8>,
    err: Vec<u8>,
}

impl Output {
    /// The lines so far; at the end also those without a line break.
    pub(super) fn take(&self, at_the_end: bool) -> Vec<(LogLevel, String)> {
        let mut pending = self.pending.lock();
        if at_the_end {
            pending.end_line(LogLevel::Log);
            pending.end_line(LogLevel::Error);
        }
        pending.lines.drain(..).collect()
    }
}

impl Pending {
    fn print(&mut self, level: LogLevel, bytes: &[u8]) {
        for piece in bytes.split_inclusive(|&byte| byte == b'\n') {
            let (text, ends) = match piece.split_last() {
                Some((b'\n', text)) => (text, true),
                _ => (piece, false),
            };
            // One byte more than a line may have, so that whoever takes it says that it was cut.
            let line = self.line(level);
            let room = (LOG_LINE_BYTES_MAX + 1).saturating_sub(line.len());
            line.extend_from_slice(&text[..text.len().min(room)]);
            if ends {
                self.push_line(level);
            }
        }
    }

    fn end_line(&mut self, level: LogLevel) {
        if !self.line(level).is_empty() {
            self.push_line(level);
        }
    }

    /// As many lines as a call may log, and one more, so that whoever takes them says that some were dropped.
    fn push_line(&mut self, level: LogLevel) {
        let line = std::mem::take(self.line(level));
        if self.lines.len() <= LOG_LINES_MAX {
            self.lines.push_back((level, String::from_utf8_lossy(&line).into_owned()));
        }
    }

    fn line(&mut self, level: LogLevel) -> &mut Vec<u8> {
        if level == LogLevel::Error { &mut self.err } else { &mut self.out }
    }
}

/// A stream that the guest holds.
struct LineStream {
    level: LogLevel,
    output: Output,
}

impl OutputStream for LineStream {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.output.pending.lock().print(self.level, &bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WRITE_BYTES_MAX)
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for LineStream {
    async fn ready(&mut self) {}
}

impl WasiState {
    fn open_stream(&mut self, level: LogLevel) -> wasmtime::Result<Resource<DynOutputStream>> {
        let stream: DynOutputStream = Box::new(LineStream { level, output: self.output.clone() });
        Ok(self.table.push(stream)?)
    }
}

impl stdin::Host for WasiState {
    fn get_stdin(&mut self) -> wasmtime::Result<Resource<DynInputStream>> {
        let stream: DynInputStream = Box::new(ClosedInputStream);
        Ok(self.table.push(stream)?)
    }
}

impl stdout::Host for WasiState {
    fn get_stdout(&mut self) -> wasmtime::Result<Resource<DynOutputStream>> {
        self.open_stream(LogLevel::Log)
    }
}

impl stderr::Host for WasiState {
    fn get_stderr(&mut self) -> wasmtime::Result<Resource<DynOutputStream>> {
        self.open_stream(LogLevel::Error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(pieces: &[(LogLevel, &str)], at_the_end: bool) -> Vec<(LogLevel, String)> {
        let output = Output::default();
        for (level, piece) in pieces {
            output.pending.lock().print(*level, piece.as_bytes());
        }
        output.take(at_the_end)
    }

    #[test]
    fn lines_are_put_together_per_stream() {
        use LogLevel::{Error, Log};
        let pieces = [(Log, "one\ntw"), (Error, "oh\n"), (Log, "o\nrest"), (Error, "end")];
        let whole = vec![(Log, "one".into()), (Error, "oh".into()), (Log, "two".into())];
        assert_eq!(printed(&pieces, false), whole);
        let rest = vec![(Log, "rest".into()), (Error, "end".into())];
        assert_eq!(printed(&pieces, true), [whole, rest].concat());
    }

    #[test]
    fn a_flood_keeps_a_bounded_amount() {
        let many = "x\n".repeat(LOG_LINES_MAX * 3);
        assert_eq!(printed(&[(LogLevel::Log, &many)], true).len(), LOG_LINES_MAX + 1);
        let long = "x".repeat(LOG_LINE_BYTES_MAX * 3);
        let lines = printed(&[(LogLevel::Log, &long), (LogLevel::Log, &long)], true);
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0].1.len(), LOG_LINE_BYTES_MAX + 1);
    }
}
