//! The log on standard error: for people, one line an event, which nobody but the host can begin; for programs, one JSON
//! object a line.
//!
//! What functions, clients and the system say stands in events, and may have lines of its own. Those are shown below the
//! event's first line, each behind a mark, so that a text that looks like an event is seen to be none.

use std::io::{self, Stderr, Write};
use std::sync::Arc;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use weir_server::LogLimits;

use crate::Usage;
use crate::log_limit::Limited;

/// What a further line of an event begins with.
const FURTHER_LINE: &[u8] = b"    | ";

/// For whom the log is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs: `timestamp`, `level`, `target`, and `fields` with the `message`.
    Json,
}

/// Begins to write the log, with the lines of functions within these limits; standard output is for results.
///
/// # Errors
/// The filter is none.
pub fn start(filter: &str, format: LogFormat, limits: Option<Arc<LogLimits>>) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(filter)
        .map_err(|error| Usage(format!("--log `{filter}` is not a valid log filter: {error}")))?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_span_events(FmtSpan::CLOSE);
    let limited = limits.map(Limited::new);
    match format {
        LogFormat::Text => log
            .with_writer(|| EventWriter(io::stderr()))
            .with_ansi(io::IsTerminal::is_terminal(&io::stderr()))
            .with_target(false)
            .finish()
            .with(limited)
            .init(),
        LogFormat::Json => log.json().with_writer(io::stderr).finish().with(limited).init(),
    }
    Ok(())
}

/// Takes one event a write, as the formatter gives them.
struct EventWriter<W>(W);

impl Write for EventWriter<Stderr> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        self.0.write_all(&marked(event))?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// The event with a mark before each of its further lines. A carriage return, which would let a line be overwritten, is
/// spelled out, and so are others that move a terminal's cursor.
fn marked(event: &[u8]) -> Vec<u8> {
    let (text, end) = match event.strip_suffix(b"\n") {
        Some(text) => (text, &b"\n"[..]),
        None => (event, &b""[..]),
    };
    let mut marked = Vec::with_capacity(event.len() + FURTHER_LINE.len());
    for &byte in text {
        match byte {
            b'\n' => {
                marked.push(b'\n');
                marked.extend_from_slice(FURTHER_LINE);
            }
            b'\r' => marked.extend_from_slice(b"\\r"),
            0x08 | 0x0b | 0x0c => marked.extend_from_slice(format!("\\x{byte:02x}").as_bytes()),
            byte => marked.push(byte),
        }
    }
    marked.extend_from_slice(end);
    marked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_but_the_host_begins_a_line() {
        let cases: [(&str, &str); 5] = [
            ("INFO ready\n", "INFO ready\n"),
            ("INFO a\nINFO deployed: evil\n", "INFO a\n    | INFO deployed: evil\n"),
            ("INFO a\r2026 INFO deployed: evil\n", "INFO a\\r2026 INFO deployed: evil\n"),
            ("INFO a\n\n", "INFO a\n    | \n"),
            ("\u{1b}[32mINFO\u{1b}[0m a\u{8}b\tc é", "\u{1b}[32mINFO\u{1b}[0m a\\x08b\tc é"),
        ];
        for (event, expected) in cases {
            assert_eq!(String::from_utf8(marked(event.as_bytes())).unwrap(), expected, "{event:?}");
        }
    }
}
