//! What the threads call now: a function that is slow is known while it runs, not when it has ended.

use std::cell::Cell;
use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::estimates::FunctionKey;
use super::lanes::nanos;

thread_local! {
    /// Which of the executor's threads this is.
    static THREAD: Cell<Option<usize>> = const { Cell::new(None) };
}

/// The function that each thread calls.
pub struct Calls(Vec<ThreadCall>);

#[derive(Default)]
struct ThreadCall {
    /// 0: none.
    function: AtomicU64,
    /// When the call began, by the monotonic clock, in nanoseconds.
    since: AtomicU64,
    /// What the thread had computed when its job began, in nanoseconds.
    computed_before: AtomicU64,
    clock: OnceLock<Option<PathBuf>>,
}

impl Calls {
    pub fn new(threads: usize) -> Calls {
        Calls((0..threads).map(|_| ThreadCall::default()).collect())
    }

    /// The calling thread is this one.
    pub fn join(&self, thread: usize) {
        THREAD.set(Some(thread));
        // The system tells others what a thread has computed by a file of its own.
        let task = fs::read_link("/proc/thread-self").ok();
        let clock = task.map(|task| PathBuf::from("/proc").join(task).join("schedstat"));
        let _ = self.0[thread].clock.set(clock.filter(|clock| clock.exists()));
    }

    /// The calling thread begins a job, having computed for so long.
    pub fn begin_job(&self, computed: Duration) {
        if let Some(call) = self.of_thread() {
            call.computed_before.store(nanos(computed), Ordering::Relaxed);
        }
    }

    /// The calling thread calls a function from now on.
    pub fn begin(&self, function: FunctionKey, now: Duration) {
        if let Some(call) = self.of_thread() {
            call.since.store(nanos(now), Ordering::Relaxed);
            call.function.store(function.0, Ordering::Release);
        }
    }

    /// It has returned.
    pub fn end(&self) {
        if let Some(call) = self.of_thread() {
            call.function.store(0, Ordering::Release);
        }
    }

    /// The function that a thread has been calling for so long or longer, and for how long it has computed meanwhile.
    pub fn long(&self, thread: usize, now: Duration, min: Duration) -> Option<(FunctionKey, Duration)> {
        let call = &self.0[thread];
        let function = call.function.load(Ordering::Acquire);
        let took = nanos(now).saturating_sub(call.since.load(Ordering::Relaxed));
        if function == 0 || took < nanos(min) {
            return None;
        }
        let took = took.min(call.computed().unwrap_or(took));
        // Another call may have begun since.
        let is_same = call.function.load(Ordering::Acquire) == function;
        (is_same && took >= nanos(min)).then(|| (FunctionKey(function), Duration::from_nanos(took)))
    }

    fn of_thread(&self) -> Option<&ThreadCall> {
        self.0.get(THREAD.get()?)
    }
}

impl ThreadCall {
    /// What the thread has computed since its job began, where the system tells it.
    fn computed(&self) -> Option<u64> {
        let text = fs::read_to_string(self.clock.get()?.as_ref()?).ok()?;
        let computed: u64 = text.split(' ').next()?.parse().ok()?;
        Some(computed.saturating_sub(self.computed_before.load(Ordering::Relaxed)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn what_computes_is_long_and_what_waits_is_not() {
        let calls = Calls::new(2);
        calls.join(1);
        let zero = Duration::ZERO;
        calls.begin_job(super::super::thread_cpu_time());
        calls.begin(FunctionKey(7), zero);
        // By the clock on the wall it took a second; the thread has hardly computed.
        assert_eq!(calls.long(1, 1000 * MS, 20 * MS), None);
        while super::super::thread_cpu_time() < 60 * MS {
            std::hint::spin_loop();
        }
        let (function, took) = calls.long(1, 1000 * MS, 20 * MS).expect("it has computed");
        assert!(function == FunctionKey(7) && took >= 20 * MS && took < 1000 * MS);
        assert_eq!((calls.long(0, 1000 * MS, 20 * MS), calls.long(1, 10 * MS, 20 * MS)), (None, None));
        calls.end();
        assert_eq!(calls.long(1, 1000 * MS, 20 * MS), None);
    }
}
