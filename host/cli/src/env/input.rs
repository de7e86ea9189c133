//! A value from standard input: of a pipe all there is, of a terminal a line that is not shown.

use std::io::{self, BufRead, IsTerminal, Read};

use anyhow::Context;
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

/// Reads the value of a variable.
pub fn read_value(name: &str) -> anyhow::Result<String> {
    let stdin = io::stdin();
    let mut text = String::new();
    if stdin.is_terminal() {
        eprint!("value of {name} (not shown, ends with the line): ");
        let hidden = Hidden::begin();
        let read = stdin.lock().read_line(&mut text);
        drop(hidden);
        eprintln!();
        read.context("cannot read the value")?;
    } else {
        stdin.lock().read_to_string(&mut text).context("cannot read the value from standard input")?;
    }
    Ok(without_line_end(text))
}

/// Without the end of the last line, which a file and a pipe have and a value does not.
pub fn without_line_end(mut text: String) -> String {
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    text
}

/// The terminal shows nothing of what is typed, until this is dropped.
struct Hidden(Option<rustix::termios::Termios>);

impl Hidden {
    fn begin() -> Hidden {
        let stdin = io::stdin();
        let before = tcgetattr(&stdin).ok();
        if let Some(before) = &before {
            let mut hidden = before.clone();
            hidden.local_modes.remove(LocalModes::ECHO);
            // What cannot be hidden can still be typed.
            let _ = tcsetattr(&stdin, OptionalActions::Flush, &hidden);
        }
        Hidden(before)
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            let _ = tcsetattr(io::stdin(), OptionalActions::Flush, before);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_end_is_no_part_of_a_value() {
        for (text, expected) in
            [("a\n", "a"), ("a\r\n", "a"), ("a\n\n", "a\n"), ("a", "a"), ("a\r", "a\r"), ("", "")]
        {
            assert_eq!(without_line_end(text.to_owned()), expected, "{text:?}");
        }
    }
}
