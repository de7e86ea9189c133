//! A queue from one task to another, without an async runtime.
use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use parking_lot::Mutex;

struct Shared<T> {
    waiting: VecDeque<T>,
    has_sender: bool,
    has_receiver: bool,
    /// Whoever waits for something to take.
    receiver: Option<Waker>,
    /// Whoever waits until everything was taken.
    sender: Option<Waker>,
}

/// A queue without a bound: its users bound it.
pub(super) fn pipe<T>() -> (Sender<T>, Receiver<T>) {
    let shared = Shared {
        waiting: VecDeque::new(),
        has_sender: true,
        has_receiver: true,
        receiver: None,
        sender: None,
    };
    let shared = Arc::new(Mutex::new(shared));
    (Sender(Arc::new(SenderEnd(shared.clone()))), Receiver(shared))
}

/// Where it is filled; the queue ends with the last copy.
pub(super) struct Sender<T>(Arc<SenderEnd<T>>);

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Sender(self.0.clone())
    }
}

struct SenderEnd<T>(Arc<Mutex<Shared<T>>>);

impl<T> Sender<T> {
    /// Adds an item; false: nobody takes it any more.
    pub(super) fn send(&self, item: T) -> bool {
        let mut shared = self.0.0.lock();
        if shared.has_receiver {
            shared.waiting.push_back(item);
        }
        let (waker, is_there) = (shared.receiver.take(), shared.has_receiver);
        drop(shared);
        wake(waker);
        is_there
    }

    /// Whether nothing waits to be taken.
    pub(super) fn is_empty(&self) -> bool {
        self.0.0.lock().waiting.is_empty()
    }

    /// Whether nobody takes anything any more.
    pub(super) fn is_closed(&self) -> bool {
        !self.0.0.lock().has_receiver
    }

    /// Waits until everything was taken; false: nobody takes it any more.
    pub(super) async fn taken(&self) -> bool {
        poll_fn(|context| {
            let mut shared = self.0.0.lock();
            if !shared.has_receiver {
                return Poll::Ready(false);
            }
            if shared.waiting.is_empty() {
                return Poll::Ready(true);
            }
            shared.sender = Some(context.waker().clone());
            Poll::Pending
        })
        .await
    }
}

impl<T> Drop for SenderEnd<T> {
    fn drop(&mut self) {
        let mut shared = self.0.lock();
        shared.has_sender = false;
        let waker = shared.receiver.take();
        drop(shared);
        wake(waker);
    }
}

/// Where it is emptied.
pub(super) struct Receiver<T>(Arc<Mutex<Shared<T>>>);

impl<T> Receiver<T> {
    /// Takes the next item; `None`: there will be no other.
    pub(super) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<T>> {
        let mut shared = self.0.lock();
        match shared.waiting.pop_front() {
            Some(item) => {
                let waker = if shared.waiting.is_empty() { shared.sender.take() } else { None };
                drop(shared);
                wake(waker);
                Poll::Ready(Some(item))
            }
            None if !shared.has_sender => Poll::Ready(None),
            None => {
                shared.receiver = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let mut shared = self.0.lock();
        shared.has_receiver = false;
        let (waiting, waker) = (std::mem::take(&mut shared.waiting), shared.sender.take());
        drop(shared);
        drop(waiting);
        wake(waker);
    }
}

/// Not under the lock: who is woken may look at the queue at once.
fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}
