//! Many sockets that all have something to be told, and few of the network's tasks that see to it.
//!
//! To wake each socket's own task takes as long as what it does then; and tasks on all processors contend with who
//! reads what is written, which may be on this machine as well. On two processors, with their reader, 1,000 sockets were served
//! by one task in 7.3 and 8.5 ms, by two in 8.7 and 10.0; 10,000 by one in 120 and 158 ms, by two in 82 and 98.

use tokio::runtime::Handle;

/// So many are told together, and then a task lets others have a turn, after about a millisecond. With 32 the CPU of 1,000
/// pushes was 7 % above this.
const AT_ONCE: usize = 128;

/// For so many sockets there are tasks on all processors, for fewer on half of them.
const MANY: usize = 4096;

/// The network's threads, for what is to be done for each of many sockets.
#[derive(Clone)]
pub struct FanOut {
    network: Handle,
    processors: usize,
}

impl FanOut {
    /// Of the current runtime, on a machine with so many processors.
    pub fn new(processors: usize) -> FanOut {
        FanOut { network: Handle::current(), processors }
    }

    /// Does this for all of them, soon, with some at once.
    pub fn all<T: Send + Sync + 'static>(&self, mut of: Vec<T>, tell: fn(&[T])) {
        let tasks = if of.len() >= MANY { self.processors } else { self.processors / 2 };
        let tasks = tasks.clamp(1, of.len().div_ceil(AT_ONCE).max(1));
        let share = of.len().div_ceil(tasks);
        while !of.is_empty() {
            let some = of.split_off(of.len().saturating_sub(share));
            self.network.spawn(async move {
                for some in some.chunks(AT_ONCE) {
                    tell(some);
                    tokio::task::yield_now().await;
                }
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn each_is_told_once() {
        for (processors, count) in [(1, 0), (1, 1), (2, 129), (8, 1000), (64, 5)] {
            let told = Arc::new(AtomicUsize::new(0));
            FanOut::new(processors).all(vec![Arc::clone(&told); count], |some| {
                some.iter().for_each(|told| {
                    told.fetch_add(1, Ordering::SeqCst);
                });
            });
            while told.load(Ordering::SeqCst) < count {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
            assert_eq!(told.load(Ordering::SeqCst), count);
        }
    }
}
