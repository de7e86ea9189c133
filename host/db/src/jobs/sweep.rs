//! Dropping what became of jobs, a week after their end.
use weir_store::Direction;
use weir_value::limits::SCHEDULED_KEPT_MS;

use crate::{Database, VariablesError, keyspace};

/// So many jobs are dropped in one commit.
const STEP_JOBS: usize = 256;

impl Database {
    /// Drops jobs that ended more than [`SCHEDULED_KEPT_MS`] before `now_ms`, a few hundred at most; gives whether there
    /// may be more of them.
    ///
    /// # Errors
    /// The store cannot be read or takes no writes.
    pub fn sweep_jobs(&self, now_ms: f64) -> Result<bool, VariablesError> {
        let mut gate = self.committer.enter();
        let opened = self.committer.open();
        let all = keyspace::ended_jobs();
        let rows = opened.snapshot.scan(&all.start, &all.end, Direction::Ascending, STEP_JOBS)?;
        let mut tx = self.begin_system(opened.snapshot.clone());
        let mut dropped = 0;
        for (key, _) in rows {
            let Some((ended_ms, id)) = keyspace::job_in_key(&key) else { continue };
            if ended_ms + SCHEDULED_KEPT_MS > now_ms {
                break;
            }
            // Their arguments may be larger in all than what a function may write.
            tx.uncounted(|tx| tx.delete_system(&id))?;
            tx.delete_key(key);
            dropped += 1;
        }
        if dropped > 0 {
            let draft = tx.into_draft().0;
            gate.sequence_unstamped(draft.changes, &draft.counts)?;
        }
        Ok(dropped == STEP_JOBS)
    }
}
