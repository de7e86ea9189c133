//! Who hears of commits once they are durable.

use std::sync::{Arc, Weak};
use std::time::Duration;

use weir_store::{CommitGroup, GroupObserver};

use crate::fan_out::FanOut;
use crate::inbox::{DurableGate, Waiter};
use crate::live_hub::LiveHub;
use crate::scheduler::Alarm;
use crate::timings::Times;

/// Hears of every durable group of one app's store, on the log's thread: moves the gate, sets the scheduler's alarm, and
/// leaves the group for the live queries. Keeps nothing alive that stands on the store.
pub struct GroupListener {
    /// How far the log is durable,
    pub durable: Arc<DurableGate>,
    /// and what tells those who wait for it: not the log's thread, which has the next group to write.
    pub fan_out: FanOut,
    /// When scheduled functions are due.
    pub alarm: Arc<Alarm>,
    /// The live queries.
    pub live: Weak<LiveHub>,
    /// How long syncs and commits take.
    pub times: (Times, Times),
}

impl GroupObserver for GroupListener {
    fn group_durable(&self, group: &CommitGroup) {
        let reached = self.durable.advance(group.last_ts());
        match reached.as_slice() {
            one @ [_] => Waiter::tell(one),
            _ => self.fan_out.all(reached, Waiter::tell),
        }
        self.alarm.group_durable(group);
        if let Some(live) = self.live.upgrade() {
            live.group_durable(group);
        }
    }

    fn group_written(&self, took: Duration, waited: Duration) {
        let (syncs, commits) = &self.times;
        syncs.note(took);
        commits.note(waited);
    }
}
