//! Ends a connection whose other side takes too little of what is to be written.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep};
use weir_value::limits::{SOCKET_WRITE_MS_MAX, WRITE_BYTES_MIN};

/// How long there may be waited until so much is taken.
const WAIT_MAX: Duration = Duration::from_millis(SOCKET_WRITE_MS_MAX);

/// Watches writes. The time counts in which something waits to be taken, and begins anew when enough was taken.
#[derive(Default)]
pub struct SlowWrites {
    /// How long was waited since enough was taken,
    waited: Duration,
    /// and how much was taken since.
    taken: usize,
    /// Since when there is waited, if there is.
    since: Option<Instant>,
    /// Rings when it is too long.
    alarm: Option<Pin<Box<Sleep>>>,
}

impl SlowWrites {
    /// Looks at how a write went; fails it if too little has been taken for too long.
    pub fn look(
        &mut self,
        cx: &mut Context<'_>,
        written: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match written {
            Poll::Ready(Ok(bytes)) => {
                self.count(bytes);
                Poll::Ready(Ok(bytes))
            }
            Poll::Pending => match self.is_too_slow(cx) {
                true => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
                false => Poll::Pending,
            },
            failed => failed,
        }
    }

    /// So much was taken.
    pub fn count(&mut self, bytes: usize) {
        self.waited += self.since.take().map_or(Duration::ZERO, |since| since.elapsed());
        self.taken = self.taken.saturating_add(bytes);
        if self.taken >= WRITE_BYTES_MIN {
            (self.waited, self.taken) = (Duration::ZERO, 0);
        }
    }

    fn is_too_slow(&mut self, cx: &mut Context<'_>) -> bool {
        if self.since.is_none() {
            let now = Instant::now();
            self.since = Some(now);
            let at = now + WAIT_MAX.saturating_sub(self.waited);
            match &mut self.alarm {
                Some(alarm) => alarm.as_mut().reset(at),
                None => self.alarm = Some(Box::pin(tokio::time::sleep_until(at))),
            }
        }
        self.alarm.as_mut().is_some_and(|alarm| alarm.as_mut().poll(cx).is_ready())
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    /// Waits for room for so long, and whether it goes on after that.
    async fn waits(writes: &mut SlowWrites, seconds: u64) -> bool {
        let pending = poll_fn(|cx| writes.look(cx, Poll::Pending));
        tokio::time::timeout(Duration::from_secs(seconds), pending).await.is_err()
    }

    async fn takes(writes: &mut SlowWrites, bytes: usize) {
        poll_fn(|cx| writes.look(cx, Poll::Ready(Ok(bytes)))).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_takes_nothing_is_cut() {
        let mut writes = SlowWrites::default();
        takes(&mut writes, 10).await;
        assert!(waits(&mut writes, 59).await);
        assert!(!waits(&mut writes, 2).await);
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_takes_a_little_now_and_then_is_cut() {
        let mut writes = SlowWrites::default();
        for _ in 0..5 {
            assert!(waits(&mut writes, 11).await);
            takes(&mut writes, 100).await;
        }
        assert!(!waits(&mut writes, 11).await);
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_is_slow_goes_on_and_so_does_one_with_nothing_to_take() {
        let mut writes = SlowWrites::default();
        for _ in 0..5 {
            assert!(waits(&mut writes, 50).await);
            takes(&mut writes, WRITE_BYTES_MIN).await;
        }
        tokio::time::sleep(WAIT_MAX * 2).await;
        assert!(waits(&mut writes, 50).await);
    }
}
