//! Everything that happened in a run, as text, line by line; made only when somebody wants to read it.
//!
//! Not here: what is worth a line.

use std::fmt::Write as _;

use weir_store::Timestamp;

/// The text of a run.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    text: Option<String>,
}

impl Trace {
    pub(crate) fn new(is_wanted: bool) -> Trace {
        Trace { text: is_wanted.then(String::new) }
    }

    /// Adds a line.
    pub(crate) fn note(&mut self, event: u64, now: Timestamp, line: impl FnOnce() -> String) {
        if let Some(text) = &mut self.text {
            let _ = writeln!(text, "{event:5} {:20} {}", now.as_nanos(), line());
        }
    }

    pub(crate) fn into_text(self) -> String {
        self.text.unwrap_or_default()
    }
}
