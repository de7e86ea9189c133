//! Who waits for which timestamp.
//!
//! A gate stands at one timestamp that only grows: how far the log is durable.
//! Callers leave a timestamp and who they are; when the gate reaches it, exactly those
//! are to be told. So a commit group wakes the sockets it answers, and no others.
//!
//! Knows nothing of what the timestamps stand for.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::future::poll_fn;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Poll, Waker};

use parking_lot::Mutex;
use weir_value::Timestamp;

/// A timestamp that only grows, and those who wait for it: as a `W`, which the gate only keeps.
pub struct Gate<W> {
    reached: AtomicU64,
    waiters: Mutex<BinaryHeap<Reverse<Waiting<W>>>>,
}

struct Waiting<W> {
    ts: u64,
    who: W,
}

impl<W: From<Waker>> Gate<W> {
    /// A gate that stands at `ts`.
    pub fn new(ts: Timestamp) -> Gate<W> {
        Gate { reached: AtomicU64::new(ts.as_nanos()), waiters: Mutex::new(BinaryHeap::new()) }
    }

    /// Where the gate stands.
    pub fn reached(&self) -> Timestamp {
        Timestamp::from_nanos(self.reached.load(Ordering::Acquire))
    }

    /// Has `who` told once, as soon as the gate has reached `ts`. False: it has already, and nobody is told.
    #[must_use = "if it has nobody is told"]
    pub fn wake_at(&self, ts: Timestamp, who: W) -> bool {
        if self.reached() >= ts {
            return false;
        }
        let mut waiters = self.waiters.lock();
        // Asked again under the lock: `advance` takes it after it has moved.
        let is_ahead = self.reached() < ts;
        if is_ahead {
            waiters.push(Reverse(Waiting { ts: ts.as_nanos(), who }));
        }
        is_ahead
    }

    /// Waits until the gate has reached `ts`.
    pub async fn wait(&self, ts: Timestamp) {
        poll_fn(|cx| match self.wake_at(ts, cx.waker().clone().into()) {
            true => Poll::Pending,
            false => Poll::Ready(()),
        })
        .await;
    }

    /// Moves the gate to `ts` and gives whom to tell: those who waited for it or for less.
    /// A `ts` below where it stands changes nothing.
    #[must_use = "nobody else tells them"]
    pub fn advance(&self, ts: Timestamp) -> Vec<W> {
        self.reached.fetch_max(ts.as_nanos(), Ordering::AcqRel);
        let (mut waiters, mut reached) = (self.waiters.lock(), Vec::new());
        while waiters.peek().is_some_and(|Reverse(first)| first.ts <= ts.as_nanos()) {
            reached.extend(waiters.pop().map(|Reverse(waiting)| waiting.who));
        }
        reached
    }
}

impl<W> PartialEq for Waiting<W> {
    fn eq(&self, other: &Waiting<W>) -> bool {
        self.ts == other.ts
    }
}
impl<W> Eq for Waiting<W> {}
impl<W> PartialOrd for Waiting<W> {
    fn partial_cmp(&self, other: &Waiting<W>) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<W> Ord for Waiting<W> {
    fn cmp(&self, other: &Waiting<W>) -> std::cmp::Ordering {
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

    fn wake(reached: Vec<Waker>) {
        reached.into_iter().for_each(Waker::wake);
    }

    fn gate_at(nanos: u64) -> Gate<Waker> {
        Gate::new(at(nanos))
    }

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
        let gate = gate_at(10);
        let bells = [(20, Arc::new(Bell::default())), (30, Arc::default()), (5, Arc::default())];
        let wait = |(ts, bell): &(u64, Arc<Bell>)| gate.wake_at(at(*ts), Arc::clone(bell).into());
        assert_eq!(bells.iter().map(wait).collect::<Vec<_>>(), [true, true, false]);
        let rung = || bells.iter().map(|(_, bell)| bell.0.load(Ordering::SeqCst)).collect::<Vec<_>>();
        assert_eq!(rung(), [0, 0, 0]);
        wake(gate.advance(at(25)));
        assert_eq!(rung(), [1, 0, 0]);
        wake(gate.advance(at(30)));
        wake(gate.advance(at(40)));
        assert_eq!(rung(), [1, 1, 0]);
    }

    #[test]
    fn what_is_reached_already_does_not_wait_and_nothing_goes_back() {
        let gate = gate_at(10);
        assert!(gate.wait(at(10)).now_or_never().is_some());
        assert!(gate.wait(at(11)).now_or_never().is_none());
        wake(gate.advance(at(5)));
        assert_eq!(gate.reached(), at(10));
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a thread of the test itself")]
    fn no_wake_up_is_lost_between_threads() {
        let gate = Arc::new(gate_at(0));
        let mover = Arc::clone(&gate);
        let thread = std::thread::spawn(move || (1..=10_000).for_each(|n| wake(mover.advance(at(n)))));
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
