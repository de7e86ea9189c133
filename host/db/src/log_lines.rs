//! The lines that a function logs: kept for the caller, bounded in number and length.
//!
//! Does not print: the call layer passes them on, once it is known which run of a function counted.
use weir_value::limits::{LOG_LINE_BYTES_MAX, LOG_LINES_MAX};

const CUT_MARK: &str = " [cut: the line was longer than 4 KiB]";

const _: () = assert!(LOG_LINE_BYTES_MAX == 4 << 10, "`CUT_MARK` says 4 KiB");

/// How much a log line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LogLevel {
    /// `console.debug`
    Debug,
    /// `console.info`
    Info,
    /// `console.log`
    Log,
    /// `console.warn`
    Warn,
    /// `console.error`
    Error,
}

impl LogLevel {
    /// As it stands in a line: `DEBUG`.
    pub fn as_str(self) -> &'static str {
        match self {
            LogLevel::Debug => "DEBUG",
            LogLevel::Info => "INFO",
            LogLevel::Log => "LOG",
            LogLevel::Warn => "WARN",
            LogLevel::Error => "ERROR",
        }
    }
}

#[derive(Default)]
pub(crate) struct LogLines {
    lines: Vec<(LogLevel, String)>,
    dropped: u64,
}

impl LogLines {
    pub(crate) fn push(&mut self, level: LogLevel, message: &str) {
        if self.lines.len() < LOG_LINES_MAX {
            self.lines.push((level, format_line(level, message)));
        } else {
            self.dropped += 1;
        }
    }

    /// The lines, `[LEVEL] text`; one more that says so if some were dropped.
    pub(crate) fn into_lines(mut self) -> Vec<(LogLevel, String)> {
        if self.dropped > 0 {
            let notice = format!("{} more lines were dropped: a call may log {LOG_LINES_MAX}", self.dropped);
            self.lines.push((LogLevel::Warn, format_line(LogLevel::Warn, &notice)));
        }
        self.lines
    }
}

fn format_line(level: LogLevel, message: &str) -> String {
    let prefix = level.as_str();
    let room_bytes = LOG_LINE_BYTES_MAX - prefix.len() - "[] ".len();
    if message.len() <= room_bytes {
        return format!("[{prefix}] {message}");
    }
    let kept = &message[..message.floor_char_boundary(room_bytes - CUT_MARK.len())];
    format!("[{prefix}] {kept}{CUT_MARK}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_a_level_and_a_bound() {
        let mut lines = LogLines::default();
        lines.push(LogLevel::Log, "'hi'");
        lines.push(LogLevel::Error, "");
        lines.push(LogLevel::Debug, &"é".repeat(4_096));
        lines.push(LogLevel::Debug, &"x".repeat(LOG_LINE_BYTES_MAX - "[DEBUG] ".len()));
        let lines: Vec<String> = lines.into_lines().into_iter().map(|(_, line)| line).collect();
        assert_eq!(lines[..2], ["[LOG] 'hi'", "[ERROR] "]);
        assert!(lines[2].ends_with(CUT_MARK) && lines[2].len() <= LOG_LINE_BYTES_MAX);
        assert!(lines[2].len() > LOG_LINE_BYTES_MAX - 4, "cut no more than needed");
        assert!(lines[3].len() == LOG_LINE_BYTES_MAX && lines[3].ends_with('x'));
    }

    #[test]
    fn what_is_too_much_is_dropped_and_said() {
        let mut lines = LogLines::default();
        (0..LOG_LINES_MAX + 3).for_each(|line| lines.push(LogLevel::Info, &line.to_string()));
        let lines = lines.into_lines();
        assert_eq!(lines.len(), LOG_LINES_MAX + 1);
        assert_eq!(lines[LOG_LINES_MAX - 1].1, format!("[INFO] {}", LOG_LINES_MAX - 1));
        assert_eq!(lines[LOG_LINES_MAX].1, "[WARN] 3 more lines were dropped: a call may log 256");
        let mut exact = LogLines::default();
        (0..LOG_LINES_MAX).for_each(|_| exact.push(LogLevel::Info, ""));
        assert_eq!(exact.into_lines().len(), LOG_LINES_MAX);
    }
}
