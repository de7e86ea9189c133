//! Transactions of the host itself, behind the gate, and commits that put something else in force.
use std::sync::Arc;

use bytes::Bytes;
use weir_store::{SequenceError, Snapshot, Write};
use weir_value::{FunctionPath, Timestamp};

use crate::committer::Gate;
use crate::deployed::Deployed;
use crate::transaction::Draft;
use crate::{Call, Database, FunctionKind, Principal, Transaction};

impl Database {
    /// A transaction of the host. Whoever commits it holds the gate from before the snapshot was taken.
    pub(crate) fn begin_system(&self, snapshot: Arc<Snapshot>) -> Transaction {
        let call = Call {
            path: FunctionPath::parse("_system:deploy").expect("a function path"),
            args: Bytes::from_static(b"{}"),
            principal: Principal::System,
            request_id: String::new(),
        };
        self.begin(&call, FunctionKind::Mutation, snapshot)
    }

    /// Commits what the host has written and puts `deployed` in force from that timestamp on. With nothing to write it is
    /// in force at once, and the timestamp is that of the newest commit.
    pub(crate) fn commit_system(
        &self,
        gate: &mut Gate<'_>,
        draft: Draft,
        deployed: Deployed,
    ) -> Result<Timestamp, SequenceError> {
        if draft.changes.is_empty() {
            self.deployments.replace(|_| deployed);
            return Ok(self.store().sequenced());
        }
        let deployed = Arc::new(deployed);
        let mut pushed = None;
        let sequenced =
            gate.sequence(draft.changes, &draft.counts, None::<fn(Timestamp) -> Write>, &mut |ts| {
                self.deployments.push(ts, deployed.clone());
                pushed = Some(ts);
            });
        let sequenced = sequenced.map(|sequenced| sequenced.ts);
        if let (Err(_), Some(ts)) = (&sequenced, pushed) {
            self.deployments.pop(ts);
        }
        sequenced
    }
}
