//! What functions have the log say, and what strangers cause in it, within limits; everything else is written.
//!
//! An event is limited by its target alone, so what the host says of itself is not, wherever it says it. How much may be
//! written is `weir_server::LogLimits`' matter.

use std::fmt::{self, Write};
use std::sync::Arc;

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use weir_server::{LogLimits, Severity};
use weir_store::RealEnv;
use weir_value::limits;

use crate::arguments::Command;

/// The targets of limited events, and the field that says what one is of.
const LIMITED: [(&str, &str); 2] = [("weir::function", "path"), ("weir::stranger", "about")];

/// The limits of a command that runs functions for others; `None`: it writes all there is.
pub fn of(command: &Command) -> Option<Arc<LogLimits>> {
    let lines = match command {
        Command::Serve(serve) => {
            serve.hosting.telling.log_lines_per_second.unwrap_or(limits::LOG_LINES_PER_SECOND)
        }
        Command::Dev(dev) => dev.hosting.telling.log_lines_per_second.unwrap_or(0),
        _ => 0,
    };
    (lines > 0).then(|| Arc::new(LogLimits::new(lines, Arc::new(RealEnv::new()))))
}

/// Lets events through while there is room for them. It is asked after the filter, so what is not to be written takes none.
pub struct Limited(Arc<LogLimits>);

impl Limited {
    /// Within these limits.
    pub fn new(limits: Arc<LogLimits>) -> Limited {
        Limited(limits)
    }
}

impl<S: Subscriber> Layer<S> for Limited {
    fn event_enabled(&self, event: &Event<'_>, _: Context<'_, S>) -> bool {
        let metadata = event.metadata();
        let Some((target, field)) = LIMITED.iter().find(|(target, _)| *target == metadata.target()) else {
            return true;
        };
        let mut of = Subject { field, text: String::new() };
        event.record(&mut of);
        let subject = if of.text.is_empty() { *target } else { &of.text };
        let severity = match *metadata.level() {
            Level::ERROR => Severity::Error,
            Level::WARN => Severity::Failure,
            _ => Severity::Said,
        };
        self.0.admits(subject, severity, || size_of(event))
    }
}

/// The text of one field.
struct Subject<'a> {
    field: &'a str,
    text: String,
}

impl Visit for Subject<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == self.field {
            value.clone_into(&mut self.text);
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == self.field {
            self.text = format!("{value:?}");
        }
    }
}

/// How long the texts of an event are together, in bytes.
fn size_of(event: &Event<'_>) -> usize {
    let mut size = Size(0);
    event.record(&mut size);
    size.0
}

struct Size(usize);

impl Visit for Size {
    fn record_debug(&mut self, _: &Field, value: &dyn fmt::Debug) {
        // Counting does not fail.
        let _ = write!(self, "{value:?}");
    }
}

impl Write for Size {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 += text.len();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Mutex;

    use tracing_subscriber::layer::SubscriberExt;
    use weir_store::{Env, SimEnv};
    use weir_value::Timestamp;

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What is written of what `log` says, under this filter.
    fn written(filter: &str, log: impl FnOnce(&LogLimits)) -> String {
        let env: Arc<dyn Env> = Arc::new(SimEnv::new(1, Timestamp::from_nanos(1)));
        let limits = Arc::new(LogLimits::new(4, env));
        let out = Written::default();
        let writer = out.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_writer(move || writer.clone())
            .with_ansi(false)
            .finish()
            .with(Some(Limited::new(Arc::clone(&limits))));
        tracing::subscriber::with_default(subscriber, || log(&limits));
        String::from_utf8(out.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn a_functions_lines_are_limited_and_the_hosts_own_are_not() {
        let text = written("info", |limits| {
            for line in 0..1000 {
                let path = "chat:send";
                tracing::info!(target: "weir::function", %path, "[LOG] {line}");
                tracing::error!("the host says {line}");
            }
            tracing::warn!(target: "weir::function", path = "chat:send", "it failed");
            tracing::info!(target: "weir::function", path = "chat:list", "[LOG] another");
            limits.tell();
        });
        assert_eq!(text.matches("the host says").count(), 1000);
        let lines = text.matches("[LOG] ").count();
        assert!((20..=40).contains(&lines), "{lines}");
        assert!(text.contains("[LOG] another") && text.contains("it failed"), "{text}");
        let told = format!("{} lines of `chat:send` were left out in the last 0 s", 1001 - lines);
        assert!(text.contains(&told), "{told}: {text}");
    }

    #[test]
    fn what_the_filter_drops_takes_no_room() {
        let text = written("warn", |limits| {
            for _ in 0..1000 {
                tracing::info!(target: "weir::function", path = "chat:send", "unseen");
            }
            tracing::error!(target: "weir::function", path = "chat:send", "seen");
            limits.tell();
        });
        assert!(text.contains("seen") && !text.contains("left out"), "{text}");
    }

    #[test]
    fn long_texts_take_the_room_of_many_lines() {
        let long = "x".repeat(4 * limits::LOG_BYTES_PER_LINE);
        let text = written("info", |_| {
            for _ in 0..100 {
                tracing::info!(target: "weir::stranger", about = "admin keys", "{long}");
            }
        });
        assert!(text.len() <= 40 * limits::LOG_BYTES_PER_LINE, "{}", text.len());
    }

    #[test]
    fn a_filter_for_functions_shows_what_was_left_out_of_theirs() {
        let text = written("off,weir::function=info", |limits| {
            (0..100).for_each(|_| tracing::info!(target: "weir::function", path = "chat:send", "said"));
            limits.tell();
        });
        assert!(text.contains("left out"), "{text}");
    }
}
