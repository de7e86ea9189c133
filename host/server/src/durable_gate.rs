//! Who waits for which timestamp.
//!
//! A gate stands at one timestamp that only grows: how far the log is durable.
//! Callers leave a timestamp and a waker; when the gate reaches it, exactly those
//! are woken. So a commit group wakes the sockets it answers, and no others.
//!
//! Knows nothing of what the timestamps stand for.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::future::poll_fn;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Poll, Waker};

use parking_lot::Mutex;
use weir_value::Timestamp;

/// A timestamp that only grows, and those who wait for it.
pub struct DurableGate {
    reached: AtomicU64,
    waiters: Mutex<BinaryHeap<Reverse<Waiter>>>,
}

struct Waiter {
    ts: u64,
    waker: Waker,
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

    /// Wakes `waker` once, as soon as the gate has reached `ts`; at once when it
    /// has already.
    pub fn wake_at(&self, ts: Timestamp, waker: Waker) {
        if self.reached() < ts {
            let mut waiters = self.waiters.lock();
            // Asked again under the lock: `advance` takes it after it has moved.
            if self.reached() < ts {
                waiters.push(Reverse(Waiter { ts: ts.as_nanos(), waker }));
                return;
            }
        }
        waker.wake();
    }

    /// Waits until the gate has reached `ts`.
    pub async fn wait(&self, ts: Timestamp) {
        poll_fn(|cx| {
            if self.reached() >= ts {
                return Poll::Ready(());
            }
            self.wake_at(ts, cx.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// Moves the gate to `ts` and wakes those who waited for it or for less.
    /// A `ts` below where it stands changes nothing.
    pub fn advance(&self, ts: Timestamp) {
        self.reached.fetch_max(ts.as_nanos(), Ordering::AcqRel);
        let mut waiters = self.waiters.lock();
        while waiters.peek().is_some_and(|Reverse(first)| first.ts <= ts.as_nanos()) {
            if let Some(Reverse(waiter)) = waiters.pop() {
                waiter.waker.wake();
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
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;
    use std::task::Wake;

    use futures_util::FutureExt;

    use super::*;

    fn at(nanos: u64) -> Timestamp {
        Timestamp::from_nanos(nanos)
    }

    #[derive(Default)]
    struct Bell(AtomicUsize);

    impl Wake for Bell {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn wakes_those_reached_and_no_others() {
        let gate = DurableGate::new(at(10));
        let bells = [(20, Arc::new(Bell::default())), (30, Arc::default()), (5, Arc::default())];
        bells.iter().for_each(|(ts, bell)| gate.wake_at(at(*ts), Arc::clone(bell).into()));
        let rung = || bells.iter().map(|(_, bell)| bell.0.load(Ordering::SeqCst)).collect::<Vec<_>>();
        assert_eq!(rung(), [0, 0, 1]);
        gate.advance(at(25));
        assert_eq!(rung(), [1, 0, 1]);
        gate.advance(at(30));
        gate.advance(at(40));
        assert_eq!(rung(), [1, 1, 1]);
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
