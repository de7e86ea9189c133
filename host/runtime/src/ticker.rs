//! The clock that ends long calls: a thread that advances the engine's epoch every [`TICK`] while a call runs.
//!
//! Not a clock for anybody else: it counts coarse ticks, and stands still while nothing runs, so that an idle host
//! wakes for nothing.
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle, Thread};
use std::time::Duration;

use wasmtime::Engine;
use weir_value::limits::GUEST_EPOCH_TICK_MS;

/// How long a tick is: how exactly a call's time is kept.
pub(crate) const TICK: Duration = Duration::from_millis(GUEST_EPOCH_TICK_MS);

/// After so many ticks without a call the thread goes to sleep. More than a few, so that calls that come one after
/// the other do not pay for waking it each time.
const IDLE_TICKS: u32 = 100;

/// At least this long, in ticks: the tick that is under way when a call begins is not counted.
pub(crate) fn ticks_in(time: Duration) -> u64 {
    let ticks = time.as_nanos().div_ceil(TICK.as_nanos());
    u64::try_from(ticks).unwrap_or(u64::MAX / 2) + 1
}

/// How long the calling thread has computed. The system is asked, so not for every call.
pub(crate) fn thread_cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

/// What the thread and the calls share.
struct TickerState {
    /// Calls that run.
    running: AtomicUsize,
    /// Ticks since the start.
    ticks: AtomicU64,
    /// The thread sleeps, or is about to.
    parked: AtomicBool,
    /// The thread must end.
    stopped: AtomicBool,
    /// Calls must end.
    interrupted: AtomicBool,
}

/// Owns the thread; dropping it ends the thread.
pub(crate) struct Ticker {
    state: Arc<TickerState>,
    thread: Option<JoinHandle<()>>,
    waker: Thread,
}

impl Ticker {
    /// Starts the thread, asleep.
    pub(crate) fn start(engine: &Engine) -> std::io::Result<Ticker> {
        let state = Arc::new(TickerState {
            running: AtomicUsize::new(0),
            ticks: AtomicU64::new(0),
            parked: AtomicBool::new(false),
            stopped: AtomicBool::new(false),
            interrupted: AtomicBool::new(false),
        });
        let thread = {
            let (state, engine) = (state.clone(), engine.clone());
            #[expect(
                clippy::disallowed_methods,
                reason = "guests are ended by real time, in simulations too"
            )]
            let thread =
                thread::Builder::new().name("weir-epochs".into()).spawn(move || tick(&state, &engine))?;
            thread
        };
        let waker = thread.thread().clone();
        Ok(Ticker { state, thread: Some(thread), waker })
    }

    /// Ticks go on until what this returns is dropped.
    pub(crate) fn enter(&self) -> Running<'_> {
        self.state.running.fetch_add(1, Ordering::SeqCst);
        // The thread sets `parked` before it looks at `running` for the last time: one of the two sees the other.
        if self.state.parked.load(Ordering::SeqCst) {
            self.waker.unpark();
        }
        Running { state: &self.state }
    }

    /// Calls are to end, those that run and those that come.
    pub(crate) fn interrupt(&self) {
        self.state.interrupted.store(true, Ordering::Relaxed);
    }

    /// Whether calls are to end.
    pub(crate) fn is_interrupted(&self) -> bool {
        self.state.interrupted.load(Ordering::Relaxed)
    }

    /// Ticks since the start.
    pub(crate) fn ticks(&self) -> u64 {
        self.state.ticks.load(Ordering::Relaxed)
    }

    /// Whether the thread sleeps until the next call.
    #[cfg(test)]
    pub(crate) fn is_parked(&self) -> bool {
        self.state.parked.load(Ordering::SeqCst)
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.state.stopped.store(true, Ordering::SeqCst);
        self.waker.unpark();
        if let Some(thread) = self.thread.take() {
            // It has nothing to report; if it panicked there is nothing left to end.
            let _ = thread.join();
        }
    }
}

/// A call that runs.
pub(crate) struct Running<'a> {
    state: &'a TickerState,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.state.running.fetch_sub(1, Ordering::SeqCst);
    }
}

fn tick(state: &TickerState, engine: &Engine) {
    let mut idle_ticks = IDLE_TICKS;
    while !state.stopped.load(Ordering::SeqCst) {
        if idle_ticks >= IDLE_TICKS {
            park_while_idle(state);
            idle_ticks = 0;
            continue;
        }
        #[expect(clippy::disallowed_methods, reason = "guests are ended by real time, in simulations too")]
        thread::sleep(TICK);
        engine.increment_epoch();
        state.ticks.fetch_add(1, Ordering::Relaxed);
        let idle = state.running.load(Ordering::SeqCst) == 0;
        idle_ticks = if idle { idle_ticks + 1 } else { 0 };
    }
}

fn park_while_idle(state: &TickerState) {
    state.parked.store(true, Ordering::SeqCst);
    while state.running.load(Ordering::SeqCst) == 0 && !state.stopped.load(Ordering::SeqCst) {
        thread::park();
    }
    state.parked.store(false, Ordering::SeqCst);
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[expect(clippy::disallowed_methods, reason = "a test that waits for a real thread")]
    fn wait_until(condition: impl Fn() -> bool) {
        let began = Instant::now();
        while !condition() {
            assert!(began.elapsed() < Duration::from_secs(20), "it does not happen");
            thread::yield_now();
        }
    }

    #[test]
    fn it_ticks_while_a_call_runs_and_sleeps_when_none_does() {
        let ticker = Ticker::start(&Engine::default()).unwrap();
        for _ in 0..2 {
            wait_until(|| ticker.is_parked());
            let before = ticker.ticks();
            let running = ticker.enter();
            wait_until(|| ticker.ticks() > before + 2);
            drop(running);
        }
    }

    #[test]
    fn a_time_is_at_least_its_ticks() {
        let cases = [(0, 1), (1, 2), (10, 2), (11, 3), (1_000, 101)];
        for (ms, ticks) in cases {
            assert_eq!(ticks_in(Duration::from_millis(ms)), ticks, "{ms} ms");
        }
        assert!(ticks_in(Duration::MAX) > 1 << 60);
    }
}
