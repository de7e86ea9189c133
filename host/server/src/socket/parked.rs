//! A socket that waits for something to happen, where others than its own task can get at it.
//!
//! While the task waits, it leaves what it serves here. Whoever has news for many sockets borrows one after another and
//! serves each, on one thread: to wake a task for each socket takes as long as what the task does then. A task that is woken
//! meanwhile waits until what it serves is back.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Context, Waker};

use parking_lot::Mutex;

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
}

/// What is served on another thread than its task's.
pub trait Served {
    /// Does what is to be done, as far as that is possible at once. False: its task has to go on.
    fn deliver(&mut self) -> bool;
    /// Wakes its task.
    fn wake(&self);
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
        match std::mem::replace(&mut *state, State::Served) {
            State::Waiting(served) => return Some(served),
            State::Lent(_) => *state = State::Lent(Some(cx.waker().clone())),
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
            State::Served | State::Lent(_) => None,
        }
    }

    /// What was lent comes back; gives whom to wake.
    fn give_back(&self, served: Box<T>) -> Option<Waker> {
        match std::mem::replace(&mut *self.0.lock(), State::Waiting(served)) {
            State::Lent(waker) => waker,
            State::Served | State::Waiting(_) => None,
        }
    }
}

impl<T: Served + Send> Deliver for Parked<T> {
    fn deliver(&self) -> bool {
        let Some(mut served) = self.lend() else { return false };
        // Others wait behind it for the same thread: a panic is its own task's.
        let delivered = catch_unwind(AssertUnwindSafe(|| served.deliver())).unwrap_or(false);
        if !delivered {
            // Before it is back: the task finds it then, whichever of the two is first.
            served.wake();
        }
        if let Some(waker) = self.give_back(served) {
            waker.wake();
        }
        true
    }
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
        task: Arc<Wakes>,
    }

    impl Served for Counted {
        fn deliver(&mut self) -> bool {
            assert_ne!(self.left, PANICS, "a planted panic");
            self.delivered += 1;
            self.left = self.left.saturating_sub(1);
            self.left == 0
        }

        fn wake(&self) {
            Arc::clone(&self.task).wake();
        }
    }

    fn counted(left: usize) -> (Arc<Wakes>, Box<Counted>) {
        let task = Arc::new(Wakes::default());
        (Arc::clone(&task), Box::new(Counted { delivered: 0, left, task }))
    }

    #[test]
    fn what_is_here_is_served_and_its_task_woken_if_something_is_left() {
        for (left, woken) in [(1, 0), (2, 1)] {
            let (task, served) = counted(left);
            let place = Parked::new();
            assert!(!place.deliver(), "its task has it");
            place.park(served);
            assert!(place.deliver());
            assert_eq!(task.0.load(Ordering::SeqCst), woken);
            let waker = task.into();
            assert_eq!(place.take(&Context::from_waker(&waker)).expect("it is here").delivered, 1);
        }
    }

    #[test]
    fn a_panic_is_left_to_its_own_task() {
        let (task, served) = counted(PANICS);
        let place = Parked::new();
        place.park(served);
        assert!(place.deliver());
        assert_eq!(task.0.load(Ordering::SeqCst), 1);
        assert!(place.lend().is_some());
    }

    #[test]
    fn a_task_that_comes_meanwhile_is_woken_when_it_is_back() {
        let (task, served) = counted(1);
        let waker = Arc::clone(&task).into();
        let cx = Context::from_waker(&waker);
        let place = Parked::new();
        place.park(served);
        let lent = place.lend().expect("it is here");
        assert!(place.lend().is_none() && place.take(&cx).is_none());
        place.give_back(lent).expect("somebody has asked").wake();
        assert_eq!(task.0.load(Ordering::SeqCst), 1);
        assert!(place.take(&cx).is_some() && place.lend().is_none());
    }
}
