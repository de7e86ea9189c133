//! The lines that come in and go out, of which some wait while the test answers requests.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{BufRead, StdinLock, StdoutLock, Write};
use std::rc::Rc;

use anyhow::Context;
use serde_json::Value as Json;

/// Standard input and output.
#[derive(Clone)]
pub struct Lines(Rc<Streams>);

struct Streams {
    input: RefCell<StdinLock<'static>>,
    output: RefCell<StdoutLock<'static>>,
    /// Lines that came while somebody waited for another.
    early: RefCell<VecDeque<String>>,
}

impl Lines {
    /// Those of this process.
    pub fn of_process() -> Lines {
        Lines(Rc::new(Streams {
            input: RefCell::new(std::io::stdin().lock()),
            output: RefCell::new(std::io::stdout().lock()),
            early: RefCell::default(),
        }))
    }

    /// The next line that is not empty; `None` at the end.
    pub fn next(&self) -> anyhow::Result<Option<String>> {
        let early = self.0.early.borrow_mut().pop_front();
        if early.is_some() { Ok(early) } else { self.read() }
    }

    /// Reads until there is a line that `is_it` says is the one; the others wait. `None` at the end.
    pub fn next_that(&self, is_it: impl Fn(&str) -> bool) -> anyhow::Result<Option<String>> {
        while let Some(line) = self.read()? {
            if is_it(&line) {
                return Ok(Some(line));
            }
            self.0.early.borrow_mut().push_back(line);
        }
        Ok(None)
    }

    fn read(&self) -> anyhow::Result<Option<String>> {
        loop {
            let mut line = String::new();
            let read =
                self.0.input.borrow_mut().read_line(&mut line).context("cannot read the test's request")?;
            match read {
                0 => return Ok(None),
                _ if line.trim().is_empty() => {}
                _ => return Ok(Some(line)),
            }
        }
    }

    /// Writes a line.
    pub fn write(&self, answer: &Json) -> anyhow::Result<()> {
        let mut output = self.0.output.borrow_mut();
        writeln!(output, "{answer}").and_then(|()| output.flush()).context("cannot answer the test")
    }
}
