//! A watch over the base: when one call into it does not return, the process ends.
//!
//! The libraries under the base have threads and locks of their own, and sled is known to lock itself up. A
//! base that stalls stops the flush; memory fills, commits are refused, and nothing ends by itself. So whoever
//! calls into the base says so, and a thread looks whether the same call is still under way too long after.
//! What was answered is in the log: the next start goes on.
//!
//! Waiting for room on a full disk is not a stall.
//!
//! Not here: what ends the process (see `FatalHandler`).

use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use crate::Env;

/// How often the thread looks.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);

/// What is under way.
#[derive(Default)]
struct State {
    /// What it is, and since when.
    call: Option<(&'static str, Duration)>,
    is_stopped: bool,
}

/// Says which call into the base is under way.
pub(crate) struct Activity {
    env: Arc<dyn Env>,
    state: Mutex<State>,
    stop: Condvar,
}

impl Activity {
    pub(crate) fn new(env: Arc<dyn Env>) -> Activity {
        Activity { env, state: Mutex::default(), stop: Condvar::new() }
    }

    /// Runs `call`, which is under way meanwhile.
    pub(crate) fn watch<T>(&self, what: &'static str, call: impl FnOnce() -> T) -> T {
        self.state.lock().call = Some((what, self.env.monotonic()));
        let _end = End(self);
        call()
    }

    /// The call under way has made progress.
    pub(crate) fn touch(&self) {
        if let Some(call) = &mut self.state.lock().call {
            call.1 = self.env.monotonic();
        }
    }

    /// The call that has been under way for longer than `stall_max`, and for how long.
    fn stalled(&self, stall_max: Duration) -> Option<(&'static str, Duration)> {
        let (what, since) = self.state.lock().call?;
        let time = self.env.monotonic().saturating_sub(since);
        (time > stall_max).then_some((what, time))
    }
}

/// The call has returned, or panicked.
struct End<'a>(&'a Activity);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.state.lock().call = None;
    }
}

/// The thread that looks. It ends when this is dropped.
pub(crate) struct Watchdog {
    activity: Arc<Activity>,
}

impl Watchdog {
    /// Calls `on_stall` once, with what to say, when a call takes longer than `stall_max` and `may_wait` does
    /// not excuse it.
    pub(crate) fn start(
        activity: Arc<Activity>,
        stall_max: Duration,
        may_wait: impl Fn() -> bool + Send + 'static,
        on_stall: impl FnOnce(String) + Send + 'static,
    ) -> Watchdog {
        let watched = Arc::clone(&activity);
        let thread = activity.env.spawn(
            "weir-watchdog",
            Box::new(move || {
                while watched.sleep() {
                    if may_wait() {
                        watched.touch();
                    }
                    if let Some((what, time)) = watched.stalled(stall_max) {
                        return on_stall(format!("{what} the base has taken {time:.0?} and does not return"));
                    }
                }
            }),
        );
        // It ends by itself, soon after it is told to; nobody waits for it.
        drop(thread);
        Watchdog { activity }
    }
}

impl Activity {
    /// Until it is time to look; false when there is nothing to look at any more.
    fn sleep(&self) -> bool {
        let mut state = self.state.lock();
        if !state.is_stopped {
            self.stop.wait_for(&mut state, LOOK_INTERVAL);
        }
        !state.is_stopped
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.activity.state.lock().is_stopped = true;
        self.activity.stop.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::RealEnv;

    #[test]
    fn a_call_that_does_not_return_is_told_of() {
        let activity = Arc::new(Activity::new(Arc::new(RealEnv::new())));
        let (tell, told) = mpsc::channel();
        let _watchdog = Watchdog::start(
            Arc::clone(&activity),
            Duration::from_millis(1),
            || false,
            move |what| {
                tell.send(what).unwrap();
            },
        );
        let what = activity.watch("flushing", || told.recv_timeout(Duration::from_secs(20)).unwrap());
        assert!(what.contains("flushing the base has taken"), "{what}");
    }

    #[test]
    fn calls_that_return_and_waits_that_are_excused_are_not() {
        let env = Arc::new(crate::SimEnv::new(1, weir_value::Timestamp::ZERO));
        let activity = Activity::new(env.clone());
        let minute = Duration::from_secs(60);
        activity.watch("opening", || env.advance(minute));
        assert_eq!(activity.stalled(Duration::from_secs(1)), None);
        activity.watch("flushing", || {
            env.advance(minute);
            activity.touch();
            env.advance(Duration::from_millis(900));
            assert_eq!(activity.stalled(Duration::from_secs(1)), None);
            env.advance(Duration::from_millis(200));
            assert_eq!(
                activity.stalled(Duration::from_secs(1)),
                Some(("flushing", Duration::from_millis(1100)))
            );
        });
    }
}
