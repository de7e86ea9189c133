//! How an action's guest is polled: in slices, so that none holds a thread for long, and against a clock of its own.
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use crate::failure::CallEnd;
use crate::ticker::Ticker;

/// How long the guest of an action has computed.
pub(crate) struct ActionClock {
    ticker: Arc<Ticker>,
    /// The tick at which it was polled last.
    polled_at: AtomicU64,
    /// The ticks that it has computed before that.
    computed: AtomicU64,
    /// The ticks that it may compute.
    ticks_max: u64,
}

impl ActionClock {
    /// One for a guest that may compute for so many ticks.
    pub(crate) fn new(ticker: Arc<Ticker>, ticks_max: u64) -> Arc<ActionClock> {
        let (polled_at, computed) = (AtomicU64::new(0), AtomicU64::new(0));
        Arc::new(ActionClock { ticker, polled_at, computed, ticks_max })
    }

    /// The guest computes for longer than a tick: it lets others have the thread.
    ///
    /// # Errors
    /// It has computed for as long as an action may.
    pub(crate) fn slice_over(&self) -> wasmtime::Result<()> {
        let ticks = self.computed.load(Ordering::Relaxed) + self.ticks_in_slice();
        match ticks <= self.ticks_max {
            true => Ok(()),
            false => Err(CallEnd::ActionTime.into()),
        }
    }

    fn ticks_in_slice(&self) -> u64 {
        self.ticker.ticks().saturating_sub(self.polled_at.load(Ordering::Relaxed))
    }
}

/// Polls the guest of an action with the ticker going, and counts how long it computes.
pub(crate) fn on_clock<F: Future>(clock: Arc<ActionClock>, guest: F) -> OnClock<F> {
    OnClock { clock, guest: Box::pin(guest) }
}

/// See [`on_clock`].
pub(crate) struct OnClock<F> {
    clock: Arc<ActionClock>,
    guest: Pin<Box<F>>,
}

impl<F: Future> Future for OnClock<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let clock = self.clock.clone();
        let _running = clock.ticker.enter();
        clock.polled_at.store(clock.ticker.ticks(), Ordering::Relaxed);
        let poll = self.guest.as_mut().poll(context);
        clock.computed.fetch_add(clock.ticks_in_slice(), Ordering::Relaxed);
        poll
    }
}
