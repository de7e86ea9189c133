//! How long jobs wait for a thread.

use std::time::Duration;

use super::JobKind;
use crate::timings::Times;

/// How long jobs wait for a thread, by kind.
#[derive(Debug, Default)]
pub struct QueueWaits([Times; JobKind::ALL.len()]);

impl QueueWaits {
    /// A job's turn has come.
    pub fn note(&self, kind: JobKind, waited: Duration) {
        self.0[kind as usize].note(waited);
    }

    /// Each kind with its times.
    pub fn all(&self) -> impl Iterator<Item = (&'static str, &Times)> {
        JobKind::ALL.into_iter().map(|kind| (kind.name(), &self.0[kind as usize]))
    }
}
