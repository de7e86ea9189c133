//! Reading the log as one of its consumers: a backup, a search index, a replica.
//!
//! Not here: the base, which is a consumer too and keeps its own mark.

use std::io;
use std::sync::Arc;

use thiserror::Error;
use weir_value::Timestamp;

use crate::log::consumers::Consumers;
use crate::log::{CommitLog, LogReadError, LogReader};
use crate::view::View;
use crate::{Commit, CommitGroup};

/// A consumer cannot read the log.
#[derive(Debug, Error)]
pub enum ConsumerError {
    /// The log itself.
    #[error("reading the log failed: {0}")]
    Read(#[from] LogReadError),
    /// The file of the marks, or the name.
    #[error("the log's consumers: {0}")]
    Marks(#[from] io::Error),
}

/// One reader of the log, with a mark that survives restarts.
pub struct LogConsumer {
    name: String,
    view: Arc<View>,
    log: Arc<dyn CommitLog>,
    consumers: Arc<Consumers>,
    mark: Timestamp,
    /// Made when it is first needed, and after the log has moved on under it.
    reader: Option<Box<dyn LogReader>>,
}

impl LogConsumer {
    pub(crate) fn open(
        name: &str,
        view: Arc<View>,
        log: Arc<dyn CommitLog>,
        consumers: Arc<Consumers>,
    ) -> Result<LogConsumer, ConsumerError> {
        let mark = consumers.register(name, view.durable())?;
        Ok(LogConsumer { name: name.to_owned(), view, log, consumers, mark, reader: None })
    }

    /// The next durable group behind the last one that was returned; after a restart, behind the mark. `None`
    /// when there is none yet: ask again when [`Store::wait_durable`](crate::Store::wait_durable) has returned
    /// for more.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn next_group(&mut self) -> Result<Option<CommitGroup>, ConsumerError> {
        let durable = self.view.durable();
        let reader = match &mut self.reader {
            Some(reader) => reader,
            none => none.insert(self.log.read_after(self.mark)?),
        };
        let group = reader.next_group(durable)?;
        Ok(group
            .map(|commits| CommitGroup { commits: commits.into_iter().map(Arc::<Commit>::new).collect() }))
    }

    /// The consumer has taken in, durably, what was committed up to `mark`: the log need not keep it for this
    /// one any more.
    ///
    /// # Errors
    /// The mark cannot be written; the old one counts.
    pub fn advance(&mut self, mark: Timestamp) -> Result<(), ConsumerError> {
        self.consumers.advance(&self.name, mark)?;
        self.mark = self.mark.max(mark);
        Ok(())
    }

    /// Everything up to here was taken in.
    pub fn mark(&self) -> Timestamp {
        self.mark
    }
}

impl std::fmt::Debug for LogConsumer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LogConsumer")
            .field("name", &self.name)
            .field("mark", &self.mark)
            .finish_non_exhaustive()
    }
}
