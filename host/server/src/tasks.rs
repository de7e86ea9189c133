//! The one place where tasks of the server start: they are counted, so that
//! stopping can wait for them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::AbortHandle;
use tokio::sync::Notify;

/// Waits for so long. Not at all, if it is nothing: the clock of tasks has milliseconds.
pub async fn pause(time: Duration) {
    if !time.is_zero() {
        tokio::time::sleep(time).await;
    }
}

/// The tasks of one server; a clone is the same tasks.
#[derive(Clone, Default)]
pub struct Tasks {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    running: AtomicUsize,
    ended: Notify,
    is_stopping: AtomicBool,
    stopping: Notify,
}

impl Tasks {
    /// Starts a task.
    #[expect(clippy::disallowed_methods, reason = "this is the place where tasks start")]
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.shared.running.fetch_add(1, Ordering::AcqRel);
        let running = Running(Arc::clone(&self.shared));
        tokio::spawn(async move {
            // Dropped when the task ends in any way, also by a panic.
            let _running = running;
            task.await;
        });
    }

    /// As [`Tasks::spawn_until_stop`], with a handle that ends it before.
    pub fn spawn_abortable(&self, task: impl Future<Output = ()> + Send + 'static) -> AbortHandle {
        let (task, handle) = futures_util::future::abortable(task);
        self.spawn_until_stop(async move {
            let _ = task.await;
        });
        handle
    }

    /// Starts a task that nothing depends on: stopping does not wait for it, it ends then.
    pub fn spawn_until_stop(&self, task: impl Future<Output = ()> + Send + 'static) {
        let shared = Arc::clone(&self.shared);
        self.spawn(async move {
            let stopping = shared.stopping.notified();
            // After `notified`, so that no stop falls between the two.
            if shared.is_stopping.load(Ordering::Acquire) {
                return;
            }
            tokio::select! {
                () = task => {}
                () = stopping => {}
            }
        });
    }

    /// Ends the tasks that nothing depends on.
    pub fn stop(&self) {
        self.shared.is_stopping.store(true, Ordering::Release);
        self.shared.stopping.notify_waiters();
    }

    /// Waits until no task is running.
    pub async fn all_ended(&self) {
        loop {
            let ended = self.shared.ended.notified();
            if self.running() == 0 {
                return;
            }
            ended.await;
        }
    }

    /// How many are running.
    pub fn running(&self) -> usize {
        self.shared.running.load(Ordering::Acquire)
    }
}

struct Running(Arc<Shared>);

impl Drop for Running {
    fn drop(&mut self) {
        if self.0.running.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.ended.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_stop_ends_what_nothing_depends_on() {
        let tasks = Tasks::default();
        tasks.spawn_until_stop(std::future::pending());
        tokio::task::yield_now().await;
        assert_eq!(tasks.running(), 1);
        tasks.stop();
        tasks.spawn_until_stop(std::future::pending());
        tasks.all_ended().await;
    }

    #[tokio::test]
    async fn waits_for_all_also_for_those_that_panic() {
        let tasks = Tasks::default();
        tasks.all_ended().await;
        let gate = Arc::new(Notify::new());
        for number in 0..10 {
            let gate = Arc::clone(&gate);
            tasks.spawn(async move {
                gate.notified().await;
                assert!(number != 3, "one of them panics");
            });
        }
        assert_eq!(tasks.running(), 10);
        tokio::task::yield_now().await;
        gate.notify_waiters();
        tasks.all_ended().await;
        assert_eq!(tasks.running(), 0);
    }
}
