//! What goes on beside each other in a test: one piece after the other on the test's own thread, in one
//! order, on a clock that goes on when nothing else is to be done.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use weir_db::{GivesUp, HostFuture};
use weir_store::{Env, SimEnv};

/// The work of one test database.
pub(crate) struct EventLoop {
    env: Arc<SimEnv>,
    state: Mutex<State>,
    /// Something was woken, perhaps from another thread.
    woken: Condvar,
}

#[derive(Default)]
struct State {
    /// The last number that was given, to work or to a timer.
    last: u64,
    /// `None` while it is polled.
    work: HashMap<u64, Option<HostFuture<()>>>,
    /// Those that are to be polled, in the order in which they were woken.
    woken: VecDeque<u64>,
    /// By their time on the monotonic clock, and the order in which they were set.
    timers: BTreeMap<(Duration, u64), Option<Waker>>,
}

impl State {
    fn number(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    fn wake(&mut self, work: u64) {
        if self.work.contains_key(&work) && !self.woken.contains(&work) {
            self.woken.push_back(work);
        }
    }

    /// Takes what is to be polled next.
    fn take_next(&mut self) -> Option<(u64, HostFuture<()>)> {
        while let Some(number) = self.woken.pop_front() {
            if let Some(work) = self.work.get_mut(&number).and_then(Option::take) {
                return Some((number, work));
            }
        }
        None
    }

    /// Whether it was woken while it was polled; if not, it is put back, or given back if it was given up.
    fn put_back(&mut self, number: u64, work: HostFuture<()>) -> Result<(), HostFuture<()>> {
        let is_woken = self.woken.contains(&number);
        match self.work.get_mut(&number) {
            Some(_) if is_woken => {
                self.woken.retain(|other| *other != number);
                Err(work)
            }
            Some(place) => {
                *place = Some(work);
                Ok(())
            }
            None => Err(work),
        }
    }
}

impl EventLoop {
    pub(crate) fn new(env: Arc<SimEnv>) -> Arc<EventLoop> {
        Arc::new(EventLoop { env, state: Mutex::default(), woken: Condvar::new() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A function that panics does so between two looks at the state.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets work go on until it ends, or what this gives is dropped.
    pub(crate) fn spawn(self: &Arc<Self>, work: HostFuture<()>) -> Spawned {
        Spawned { event_loop: Arc::downgrade(self), number: self.add(work) }
    }

    /// Lets work go on until it ends.
    pub(crate) fn spawn_to_its_end(&self, work: HostFuture<()>) {
        self.add(work);
    }

    fn add(&self, work: HostFuture<()>) -> u64 {
        let mut state = self.state();
        let number = state.number();
        state.work.insert(number, Some(work));
        state.woken.push_back(number);
        number
    }

    /// Polls what was woken first; false: nothing was.
    pub(crate) fn run_one(self: &Arc<Self>) -> bool {
        let Some((number, mut work)) = self.state().take_next() else { return false };
        let waker = Waker::from(Arc::new(Wakes { event_loop: Arc::downgrade(self), number }));
        loop {
            if work.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
                self.state().work.remove(&number);
                return true;
            }
            let put_back = self.state().put_back(number, work);
            match put_back {
                // A guest that gives way because it computes for long goes on at once: whose turn it is must
                // not hang on how fast the machine is.
                Err(woken) if self.state().work.contains_key(&number) => work = woken,
                // It was given up while it ran.
                Err(given_up) => {
                    drop(given_up);
                    return true;
                }
                Ok(()) => return true,
            }
        }
    }

    /// Waits until something is to be polled that another thread wakes, for as long at most.
    pub(crate) fn wait_for_wake(&self, time_max: Duration) {
        let nothing_is = |state: &mut State| state.woken.is_empty();
        drop(self.woken.wait_timeout_while(self.state(), time_max, nothing_is));
    }

    /// Comes to its end when the clock has gone on for so long.
    pub(crate) fn sleep(self: &Arc<Self>, time: Duration) -> Timer {
        let mut state = self.state();
        let key = (self.env.monotonic().saturating_add(time), state.number());
        state.timers.insert(key, None);
        Timer { event_loop: self.clone(), key }
    }

    /// How long it is until the next timer.
    pub(crate) fn next_timer(&self) -> Option<Duration> {
        let first = self.state().timers.first_key_value().map(|((until, _), _)| *until);
        first.map(|until| until.saturating_sub(self.env.monotonic()))
    }

    /// Lets the clock go on to the next timer, which is over then.
    pub(crate) fn fire_timer(&self) {
        let Some(((until, _), waker)) = self.state().timers.pop_first() else { return };
        if let Some(rest) = until.checked_sub(self.env.monotonic()) {
            self.env.advance(rest);
        }
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Gives up everything that goes on.
    pub(crate) fn clear(&self) {
        // What is dropped may give up other work.
        let work = std::mem::take(&mut self.state().work);
        drop(work);
    }
}

/// Work that was begun; dropping this gives it up.
pub(crate) struct Spawned {
    event_loop: Weak<EventLoop>,
    number: u64,
}

impl GivesUp for Spawned {}

impl Drop for Spawned {
    fn drop(&mut self) {
        let Some(event_loop) = self.event_loop.upgrade() else { return };
        let work = event_loop.state().work.remove(&self.number);
        drop(work);
    }
}

struct Wakes {
    event_loop: Weak<EventLoop>,
    number: u64,
}

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        if let Some(event_loop) = self.event_loop.upgrade() {
            event_loop.state().wake(self.number);
            event_loop.woken.notify_one();
        }
    }
}

/// See [`EventLoop::sleep`].
pub(crate) struct Timer {
    event_loop: Arc<EventLoop>,
    key: (Duration, u64),
}

impl Future for Timer {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        // It is taken away when its time has come.
        match self.event_loop.state().timers.get_mut(&self.key) {
            Some(waker) => {
                *waker = Some(context.waker().clone());
                Poll::Pending
            }
            None => Poll::Ready(()),
        }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.event_loop.state().timers.remove(&self.key);
    }
}

/// A place for a value that one piece of work waits for.
pub(crate) struct Slot<T>(Arc<Mutex<(Option<T>, Option<Waker>)>>);

impl<T> Clone for Slot<T> {
    fn clone(&self) -> Self {
        Slot(self.0.clone())
    }
}

impl<T> Slot<T> {
    pub(crate) fn new() -> Slot<T> {
        Slot(Arc::new(Mutex::new((None, None))))
    }

    fn lock(&self) -> MutexGuard<'_, (Option<T>, Option<Waker>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts the value in, and wakes whoever waits for it.
    pub(crate) fn fill(&self, value: T) {
        let mut place = self.lock();
        place.0 = Some(value);
        let waker = place.1.take();
        drop(place);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Whether the value is there.
    pub(crate) fn is_full(&self) -> bool {
        self.lock().0.is_some()
    }

    /// Takes the value, if it is there.
    pub(crate) fn take(&self) -> Option<T> {
        self.lock().0.take()
    }
}

impl<T> Future for Slot<T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let mut place = self.lock();
        match place.0.take() {
            Some(value) => Poll::Ready(value),
            None => {
                place.1 = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use weir_value::Timestamp;

    use super::*;

    #[test]
    fn timers_end_in_the_order_of_their_times_and_what_is_given_up_does_not_end() {
        let env = Arc::new(SimEnv::new(1, Timestamp::from_nanos(0)));
        let events = EventLoop::new(env.clone());
        let ended = Arc::new(Mutex::new(Vec::new()));
        let after = |ms: u64| -> HostFuture<()> {
            let (timer, ended, env) = (events.sleep(Duration::from_millis(ms)), ended.clone(), env.clone());
            Box::pin(async move {
                timer.await;
                ended.lock().unwrap().push((ms, env.monotonic().as_millis()));
            })
        };
        let kept: Vec<_> = [30, 10, 20, 10].map(|ms| events.spawn(after(ms))).into();
        drop(events.spawn(after(15)));
        loop {
            if events.run_one() {
                continue;
            }
            if events.next_timer().is_none() {
                break;
            }
            events.fire_timer();
        }
        assert_eq!(*ended.lock().unwrap(), [(10, 10), (10, 10), (20, 20), (30, 30)]);
        drop(kept);
    }

    #[test]
    fn work_that_gives_way_goes_on_before_other_work() {
        let events = EventLoop::new(Arc::new(SimEnv::new(1, Timestamp::from_nanos(0))));
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut kept = Vec::new();
        for name in ["a", "b"] {
            let order = order.clone();
            kept.push(events.spawn(Box::pin(async move {
                for _ in 0..3 {
                    order.lock().unwrap().push(name);
                    let mut has_given_way = false;
                    std::future::poll_fn(|context| {
                        context.waker().wake_by_ref();
                        match std::mem::replace(&mut has_given_way, true) {
                            true => Poll::Ready(()),
                            false => Poll::Pending,
                        }
                    })
                    .await;
                }
            })));
        }
        while events.run_one() {}
        assert_eq!(*order.lock().unwrap(), ["a", "a", "a", "b", "b", "b"]);
    }
}
