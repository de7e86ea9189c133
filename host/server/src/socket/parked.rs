//! A socket that waits for something to happen, where others than its own task can get at it.
//!
//! While the task waits, it leaves what it serves here. Whoever has news for many sockets borrows one after another and
//! serves each, on one thread: to wake a task for each socket takes as long as what the task does then. A task that is woken
//! meanwhile waits until what it serves is back.
//!
//! In two halves, so that for many sockets all is decided before anything is written: each half finds its own code in the
//! processor's cache, and who reads what is written, if on this machine, does not fall asleep between two writes.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Context, Waker};

use parking_lot::Mutex;
use weir_sync::prefetch::prefetch;

use crate::inbox::Deliver;

/// A place for something that one task serves.
pub struct Parked<T>(Mutex<State<T>>);

enum State<T> {
    /// Its task serves it.
    Served,
    /// It is here.
    Waiting(Box<T>),
    /// Somebody else has it; whom to wake when it is back, if the task has asked.
    Lent(Option<Waker>),
    /// The same, between the two halves.
    Prepared(Box<T>, Option<Waker>),
}

/// What is served on another thread than its task's.
pub trait Served {
    /// The first half: decides what is to be written. False: its task has to go on.
    fn prepare(&mut self) -> bool;
    /// The second half: writes, as far as that is possible at once. False: its task has to go on.
    fn write(&mut self) -> bool;
    /// Wakes its task.
    fn wake(&self);
    /// Has fetched what it will look at elsewhere.
    fn prefetch(&self);
}

impl<T> Parked<T> {
    /// An empty place.
    pub fn new() -> Parked<T> {
        Parked(Mutex::new(State::Served))
    }

    /// Its task leaves it here.
    pub fn park(&self, served: Box<T>) {
        *self.0.lock() = State::Waiting(served);
    }

    /// Its task takes it back. `None`: the task is woken when it is here again.
    pub fn take(&self, cx: &Context<'_>) -> Option<Box<T>> {
        let mut state = self.0.lock();
        let asked = || Some(cx.waker().clone());
        match std::mem::replace(&mut *state, State::Served) {
            State::Waiting(served) => return Some(served),
            State::Lent(_) => *state = State::Lent(asked()),
            State::Prepared(served, _) => *state = State::Prepared(served, asked()),
            State::Served => debug_assert!(false, "its task has it already"),
        }
        None
    }

    /// Lends it, if it is here.
    fn lend(&self) -> Option<Box<T>> {
        let mut state = self.0.lock();
        if !matches!(*state, State::Waiting(_)) {
            return None;
        }
        match std::mem::replace(&mut *state, State::Lent(None)) {
            State::Waiting(served) => Some(served),
            State::Served | State::Lent(_) | State::Prepared(..) => None,
        }
    }

    /// What was lent waits for the second half.
    fn keep_prepared(&self, served: Box<T>) {
        let mut state = self.0.lock();
        let asked = match &mut *state {
            State::Lent(asked) => asked.take(),
            State::Served | State::Waiting(_) | State::Prepared(..) => None,
        };
        *state = State::Prepared(served, asked);
    }

    /// Lends it once more, if it waits for the second half.
    fn lend_prepared(&self) -> Option<Box<T>> {
        let mut state = self.0.lock();
        match std::mem::replace(&mut *state, State::Served) {
            State::Prepared(served, asked) => {
                *state = State::Lent(asked);
                Some(served)
            }
            other => {
                *state = other;
                None
            }
        }
    }

    /// What was lent comes back, and whoever asked for it is woken.
    fn give_back(&self, served: Box<T>) {
        let asked = match std::mem::replace(&mut *self.0.lock(), State::Waiting(served)) {
            State::Lent(asked) => asked,
            State::Served | State::Waiting(_) | State::Prepared(..) => None,
        };
        if let Some(task) = asked {
            task.wake();
        }
    }
}

impl<T: Served> Parked<T> {
    /// Its task goes on with it. Woken before it is back: the task finds it then, whichever of the two is first.
    fn leave_to_task(&self, served: Box<T>) {
        served.wake();
        self.give_back(served);
    }
}

impl<T: Served + Send> Deliver for Parked<T> {
    fn prefetch(&self) {
        if let State::Waiting(served) | State::Prepared(served, _) = &*self.0.lock() {
            prefetch(&**served);
        }
    }

    fn prefetch_more(&self) {
        if let State::Waiting(served) = &*self.0.lock() {
            served.prefetch();
        }
    }

    fn prepare(&self) -> bool {
        let Some(mut served) = self.lend() else { return false };
        match is_done(|| served.prepare()) {
            true => self.keep_prepared(served),
            false => self.leave_to_task(served),
        }
        true
    }

    fn write(&self) {
        let Some(mut served) = self.lend_prepared() else { return };
        match is_done(|| served.write()) {
            true => self.give_back(served),
            false => self.leave_to_task(served),
        }
    }
}

/// Others wait behind it for the same thread: a panic is its own task's.
fn is_done(half: impl FnOnce() -> bool) -> bool {
    catch_unwind(AssertUnwindSafe(half)).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use super::*;

    const PANICS: usize = usize::MAX;

    #[derive(Default)]
    struct Wakes(AtomicUsize);

    impl Wake for Wakes {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    struct Counted {
        delivered: usize,
        left: usize,
        unwritten: usize,
        task: Arc<Wakes>,
    }

    impl Served for Counted {
        fn prepare(&mut self) -> bool {
            assert_ne!(self.left, PANICS, "a planted panic");
            self.delivered += 1;
            self.left = self.left.saturating_sub(1);
            self.left == 0
        }

        fn write(&mut self) -> bool {
            assert_ne!(self.unwritten, PANICS, "a planted panic");
            self.unwritten = self.unwritten.saturating_sub(1);
            self.unwritten == 0
        }

        fn wake(&self) {
            Arc::clone(&self.task).wake();
        }

        fn prefetch(&self) {}
    }

    fn counted(left: usize, unwritten: usize) -> (Arc<Wakes>, Box<Counted>) {
        let task = Arc::new(Wakes::default());
        (Arc::clone(&task), Box::new(Counted { delivered: 0, left, unwritten, task }))
    }

    #[test]
    fn what_is_here_is_served_and_its_task_woken_if_something_is_left() {
        for (left, unwritten, woken) in [(1, 1, 0), (2, 1, 1), (1, 2, 1)] {
            let (task, served) = counted(left, unwritten);
            let place = Parked::new();
            assert!(!place.prepare(), "its task has it");
            place.park(served);
            assert!(place.prepare());
            place.write();
            assert_eq!(task.0.load(Ordering::SeqCst), woken);
            let waker = task.into();
            let served = place.take(&Context::from_waker(&waker)).expect("it is here");
            assert_eq!(served.delivered, 1);
            assert_eq!(served.unwritten == unwritten, left == 2, "what is not decided is not written");
        }
    }

    #[test]
    fn a_panic_is_left_to_its_own_task() {
        for (left, unwritten) in [(PANICS, 1), (1, PANICS)] {
            let (task, served) = counted(left, unwritten);
            let place = Parked::new();
            place.park(served);
            assert!(place.prepare());
            place.write();
            assert_eq!(task.0.load(Ordering::SeqCst), 1);
            assert!(place.lend().is_some());
        }
    }

    #[test]
    fn a_task_that_comes_meanwhile_is_woken_when_it_is_back() {
        let (task, served) = counted(1, 1);
        let waker = Arc::clone(&task).into();
        let cx = Context::from_waker(&waker);
        let place = Parked::new();
        place.park(served);
        let lent = place.lend().expect("it is here");
        assert!(place.lend().is_none() && place.take(&cx).is_none());
        place.keep_prepared(lent);
        assert!(place.lend().is_none(), "the first half is done");
        place.write();
        assert_eq!(task.0.load(Ordering::SeqCst), 1);
        assert!(place.take(&cx).is_some() && place.lend().is_none());
    }

    #[test]
    fn a_task_that_comes_between_the_halves_waits_for_the_second() {
        let (task, served) = counted(1, 1);
        let waker = Arc::clone(&task).into();
        let cx = Context::from_waker(&waker);
        let place = Parked::new();
        place.park(served);
        assert!(place.prepare() && place.take(&cx).is_none());
        place.write();
        assert_eq!(task.0.load(Ordering::SeqCst), 1);
        assert_eq!(place.take(&cx).expect("it is back").unwritten, 0);
    }
}
