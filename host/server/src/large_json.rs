//! Reading and writing large JSON: not on the threads of the network, which everybody's connections share, and not much at
//! a time, because it takes several times its length in memory meanwhile.

use std::sync::{Arc, LazyLock};

use tokio::sync::Semaphore;
use weir_value::limits::{INLINE_JSON_BYTES_MAX, JSON_AT_ONCE_BYTES_MAX};

/// So many threads at most do it at once; one processor less than there are, so that others find one.
static THREADS_MAX: LazyLock<usize> =
    LazyLock::new(|| std::thread::available_parallelism().map_or(1, |cores| cores.get() - 1).clamp(1, 2));

/// Room to read and write large JSON.
pub struct LargeJson {
    /// Bytes of it that may be worked on.
    room: Arc<Semaphore>,
}

impl Default for LargeJson {
    fn default() -> LargeJson {
        LargeJson { room: Arc::new(Semaphore::new(JSON_AT_ONCE_BYTES_MAX)) }
    }
}

impl LargeJson {
    /// Whether so much of it is large.
    pub fn is_large(bytes: usize) -> bool {
        bytes > INLINE_JSON_BYTES_MAX
    }

    /// Does what takes as long as so many bytes of JSON: at once where that is little, and else when it is its turn.
    /// `None`: it has panicked.
    pub async fn work<T: Send + 'static>(
        &self,
        bytes: usize,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        if !LargeJson::is_large(bytes) {
            return Some(work());
        }
        let share = bytes.clamp(JSON_AT_ONCE_BYTES_MAX / *THREADS_MAX, JSON_AT_ONCE_BYTES_MAX);
        let turn = Arc::clone(&self.room).acquire_many_owned(u32::try_from(share).ok()?).await.ok()?;
        let worked = tokio::task::spawn_blocking(move || {
            let result = work();
            drop(turn);
            result
        });
        worked.await.inspect_err(|error| tracing::error!(%error, "reading or writing JSON panicked")).ok()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::future::join_all;

    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn no_more_is_worked_on_at_once_than_may_be() {
        for (bytes, at_once_max) in [(INLINE_JSON_BYTES_MAX + 1, *THREADS_MAX), (JSON_AT_ONCE_BYTES_MAX, 1)] {
            let json = LargeJson::default();
            let (at_once, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
            let work = || {
                let (at_once, most) = (Arc::clone(&at_once), Arc::clone(&most));
                move || {
                    most.fetch_max(at_once.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    std::hint::black_box((0..100_000_u64).sum::<u64>());
                    at_once.fetch_sub(1, Ordering::SeqCst);
                }
            };
            let all = join_all((0..32).map(|_| json.work(bytes, work()))).await;
            assert!(all.iter().all(Option::is_some));
            assert!(most.load(Ordering::SeqCst) <= at_once_max, "{bytes}");
        }
    }

    #[tokio::test]
    async fn what_is_small_is_done_here_and_what_panics_is_told() {
        let json = LargeJson::default();
        let here = std::thread::current().id();
        assert_eq!(json.work(10, || std::thread::current().id()).await, Some(here));
        assert_eq!(json.work(1 << 20, || panic!("of the test")).await, None::<()>);
        assert_eq!(json.work(1 << 20, || 7).await, Some(7), "its room is free again");
    }
}
