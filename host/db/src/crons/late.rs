//! What cron jobs have missed while no host ran.
use super::LateRuns;
use crate::{Database, VariablesError, keyspace};

/// Says in the log what was skipped.
pub(crate) fn warn_of(late: &LateRuns) {
    tracing::warn!(target: "weir::db", "{}", late.told());
}

impl Database {
    /// Skips what cron jobs have missed: each is due at the first of its times that is still to come. To be called at a
    /// start, before anything runs; gives how many jobs were late.
    ///
    /// # Errors
    /// The store cannot be read or takes no writes.
    pub fn skip_late_crons(&self) -> Result<usize, VariablesError> {
        let mut skipped = Vec::new();
        self.write_job(|tx| {
            let now_ms = tx.context().now_ms;
            let namespaces = tx.deployed().components.clone();
            let mut jobs = Vec::new();
            for namespace in namespaces.namespaces() {
                jobs.extend(tx.committed_crons(namespace)?.into_values());
            }
            for (id, mut job) in jobs {
                let Some(due_ms) = job.due_ms() else { continue };
                let Some(late) = job.skip_late(now_ms) else { continue };
                tx.delete_key(keyspace::due_job_key(due_ms, &id));
                tx.write_waiting_cron(&id, &job)?;
                skipped.push(late);
            }
            Ok(!skipped.is_empty())
        })?;
        skipped.iter().for_each(warn_of);
        Ok(skipped.len())
    }
}
