//! The one source of time, randomness, sleeping and threads.
//!
//! Everything nondeterministic that a room needs comes through [`Env`], so that a test or a simulation can
//! replace it. Not here: files (see the store's disks) and sockets.

use std::sync::LazyLock;
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;
use weir_value::Timestamp;
use weir_value::limits::THREAD_STACK_BYTES;

/// Clock, randomness, sleeping and threads.
pub trait Env: Send + Sync + 'static {
    /// The wall clock, in nanoseconds since the epoch. It may jump, also backwards.
    fn now(&self) -> Timestamp;

    /// Time since some fixed moment; never goes back.
    fn monotonic(&self) -> Duration;

    /// Fills `bytes` with random bits fit for identifiers and keys.
    fn fill_random(&self, bytes: &mut [u8]);

    /// Blocks the calling thread.
    fn sleep(&self, duration: Duration);

    /// How many threads may compute at the same time, at least one.
    fn processors(&self) -> usize;

    /// Starts a thread. `name` shows in debuggers and panics.
    ///
    /// # Panics
    /// When the operating system refuses a thread, as `std::thread::spawn` does.
    fn spawn(&self, name: &str, body: Box<dyn FnOnce() + Send>) -> JoinHandle<()>;
}

/// The real thing: system clock, operating system randomness, real sleeping.
#[derive(Debug)]
pub struct RealEnv {
    start: Instant,
}

impl RealEnv {
    /// Its monotonic clock starts at zero now.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that asks the system")]
    pub fn new() -> RealEnv {
        RealEnv { start: Instant::now() }
    }
}

impl Default for RealEnv {
    fn default() -> RealEnv {
        RealEnv::new()
    }
}

impl Env for RealEnv {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that asks the system")]
    fn now(&self) -> Timestamp {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_nanos(u64::try_from(since_epoch.as_nanos()).unwrap_or(u64::MAX))
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one place that asks the system")]
    fn fill_random(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the operating system has no randomness to give");
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one place that asks the system")]
    fn sleep(&self, duration: Duration) {
        std::thread::sleep(duration);
    }

    fn processors(&self) -> usize {
        static PROCESSORS: LazyLock<usize> =
            LazyLock::new(|| std::thread::available_parallelism().map_or(2, usize::from));
        *PROCESSORS
    }

    fn spawn(&self, name: &str, body: Box<dyn FnOnce() + Send>) -> JoinHandle<()> {
        spawn_named(name, body)
    }
}

/// How many processors a simulation has, on whatever machine it runs: as few as there can be others on.
const SIMULATED_PROCESSORS: usize = 2;

/// A simulated environment: the clock stands still until it is set, randomness comes from a seed, sleeping
/// moves the clock and returns at once.
///
/// Threads are real ones; a simulation that wants one order of events only steps the store by hand (see
/// [`crate::memory::open_stepped`]).
#[derive(Debug)]
pub struct SimEnv {
    state: Mutex<SimState>,
}

#[derive(Debug)]
struct SimState {
    now_ns: u64,
    monotonic: Duration,
    random: u64,
}

impl SimEnv {
    /// The clock stands at `now`, the monotonic clock at zero; equal seeds give equal random bytes.
    pub fn new(seed: u64, now: Timestamp) -> SimEnv {
        SimEnv {
            state: Mutex::new(SimState { now_ns: now.as_nanos(), monotonic: Duration::ZERO, random: seed }),
        }
    }

    /// Sets the wall clock, forwards or back; the monotonic clock stays.
    pub fn set_now(&self, now: Timestamp) {
        self.state.lock().now_ns = now.as_nanos();
    }

    /// Moves both clocks forward.
    pub fn advance(&self, duration: Duration) {
        let mut state = self.state.lock();
        let step_ns = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        state.now_ns = state.now_ns.saturating_add(step_ns);
        state.monotonic = state.monotonic.saturating_add(duration);
    }
}

impl Env for SimEnv {
    fn now(&self) -> Timestamp {
        Timestamp::from_nanos(self.state.lock().now_ns)
    }

    fn monotonic(&self) -> Duration {
        self.state.lock().monotonic
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        let mut state = self.state.lock();
        for chunk in bytes.chunks_mut(8) {
            let word = split_mix(&mut state.random).to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
    }

    fn sleep(&self, duration: Duration) {
        self.advance(duration);
    }

    fn processors(&self) -> usize {
        SIMULATED_PROCESSORS
    }

    fn spawn(&self, name: &str, body: Box<dyn FnOnce() + Send>) -> JoinHandle<()> {
        spawn_named(name, body)
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014): one word of state, passes the usual statistical tests.
fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut word = *state;
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that asks the system")]
fn spawn_named(name: &str, body: Box<dyn FnOnce() + Send>) -> JoinHandle<()> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .stack_size(THREAD_STACK_BYTES)
        .spawn(body)
        .expect("the operating system refuses another thread")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_seeds_give_equal_randomness() {
        let draw = |seed: u64| {
            let mut bytes = [0; 37];
            SimEnv::new(seed, Timestamp::from_nanos(1)).fill_random(&mut bytes);
            bytes
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
    }

    #[test]
    fn the_simulated_clock_moves_only_when_told() {
        let env = SimEnv::new(1, Timestamp::from_nanos(100));
        assert_eq!(env.now(), Timestamp::from_nanos(100));
        env.sleep(Duration::from_nanos(5));
        assert_eq!((env.now(), env.monotonic()), (Timestamp::from_nanos(105), Duration::from_nanos(5)));
        env.set_now(Timestamp::from_nanos(3));
        assert_eq!((env.now(), env.monotonic()), (Timestamp::from_nanos(3), Duration::from_nanos(5)));
    }

    #[test]
    fn the_real_clock_runs() {
        let env = RealEnv::new();
        let (now, monotonic) = (env.now(), env.monotonic());
        assert!(now > Timestamp::from_nanos(1_600_000_000_000_000_000));
        assert!(env.monotonic() >= monotonic);
        let (mut a, mut b) = ([0; 16], [0; 16]);
        env.fill_random(&mut a);
        env.fill_random(&mut b);
        assert_ne!(a, b);
    }
}
