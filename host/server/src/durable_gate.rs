//! Who waits for which timestamp.
//!
//! A gate stands at one timestamp that only grows. Callers leave a timestamp
//! and a `Notify`; when the gate reaches it, exactly those are woken. So a
//! commit group wakes the sockets it answers, and no others.
//!
//! The server has two: how far the log is durable, and how far the live queries
//! have seen it. Knows nothing of what the timestamps stand for.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use tokio::sync::Notify;
use weir_value::Timestamp;

/// A timestamp that only grows, and those who wait for it.
pub struct DurableGate {
    reached: AtomicU64,
    waiters: Mutex<BinaryHeap<Reverse<Waiter>>>,
}

struct Waiter {
    ts: u64,
    notify: Arc<Notify>,
}

impl DurableGate {
    /// A gate that stands at `ts`.
    pub fn new(ts: Timestamp) -> DurableGate {
        DurableGate { reached: AtomicU64::new(ts.as_nanos()), waiters: Mutex::new(BinaryHeap::new()) }
    }

    /// Where the gate stands.
    pub fn reached(&self) -> Timestamp {
        Timestamp::from_nanos(self.reached.load(Ordering::Acquire))
    }

    /// Wakes `notify` once, as soon as the gate has reached `ts`; at once when it
    /// has already.
    pub fn wake_at(&self, ts: Timestamp, notify: &Arc<Notify>) {
        if self.reached() >= ts {
            notify.notify_one();
            return;
        }
        let mut waiters = self.waiters.lock();
        // Asked again under the lock: `advance` takes it after it has moved.
        if self.reached() >= ts {
            drop(waiters);
            notify.notify_one();
            return;
        }
        waiters.push(Reverse(Waiter { ts: ts.as_nanos(), notify: Arc::clone(notify) }));
    }

    /// Waits until the gate has reached `ts`.
    pub async fn wait(&self, ts: Timestamp) {
        if self.reached() >= ts {
            return;
        }
        let notify = Arc::new(Notify::new());
        self.wake_at(ts, &notify);
        notify.notified().await;
    }

    /// Moves the gate to `ts` and wakes those who waited for it or for less.
    /// A `ts` below where it stands changes nothing.
    pub fn advance(&self, ts: Timestamp) {
        self.reached.fetch_max(ts.as_nanos(), Ordering::AcqRel);
        let mut waiters = self.waiters.lock();
        while waiters.peek().is_some_and(|Reverse(first)| first.ts <= ts.as_nanos()) {
            if let Some(Reverse(waiter)) = waiters.pop() {
                waiter.notify.notify_one();
            }
        }
    }
}

impl PartialEq for Waiter {
    fn eq(&self, other: &Waiter) -> bool {
        self.ts == other.ts
    }
}
impl Eq for Waiter {}
impl PartialOrd for Waiter {
    fn partial_cmp(&self, other: &Waiter) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Waiter {
    fn cmp(&self, other: &Waiter) -> std::cmp::Ordering {
        self.ts.cmp(&other.ts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    fn at(nanos: u64) -> Timestamp {
        Timestamp::from_nanos(nanos)
    }

    #[test]
    fn wakes_those_reached_and_no_others() {
        let gate = DurableGate::new(at(10));
        let [early, late] = [Arc::new(Notify::new()), Arc::new(Notify::new())];
        gate.wake_at(at(20), &early);
        gate.wake_at(at(30), &late);
        gate.advance(at(25));
        assert!(early.notified().now_or_never().is_some());
        assert!(late.notified().now_or_never().is_none());
        gate.advance(at(30));
        assert!(late.notified().now_or_never().is_some());
    }

    #[test]
    fn what_is_reached_already_does_not_wait_and_nothing_goes_back() {
        let gate = DurableGate::new(at(10));
        assert!(gate.wait(at(10)).now_or_never().is_some());
        assert!(gate.wait(at(11)).now_or_never().is_none());
        gate.advance(at(5));
        assert_eq!(gate.reached(), at(10));
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a thread of the test itself")]
    fn no_wake_up_is_lost_between_threads() {
        let gate = Arc::new(DurableGate::new(at(0)));
        let mover = Arc::clone(&gate);
        let thread = std::thread::spawn(move || (1..=10_000).for_each(|n| mover.advance(at(n))));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            for n in (1..=10_000).step_by(7) {
                gate.wait(at(n)).await;
                assert!(gate.reached() >= at(n));
            }
        });
        thread.join().unwrap();
    }
}
