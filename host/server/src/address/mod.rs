//! Whose a request is, by its address, and how much of the server one address may take.
//!
//! An office behind one address is many people, so the limits are wide; they are there for the one who opens, sends or
//! calls without end. What is over a limit is refused where the protocol can say so (429), and else waits: a socket is not
//! read from until what its messages have asked for is paid for.
//!
//! Not here: what all addresses together may take.

mod proxies;

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::{Instant, Sleep};
use weir_store::Env;
use weir_value::limits;

use crate::bucket::{Bucket, Rate};

pub use self::proxies::TrustedProxies;

/// A minute's keys are an allowance that gives so many a second, of which each takes a minute's worth.
const WRONG_KEY_COST: u64 = 60;

/// How much one address may take; 0 is no limit. An IPv6 address counts with its whole /64, which is one network.
#[derive(Debug, Clone, Default)]
pub struct AddressLimitOptions {
    /// Connections that are open, sockets included.
    pub connections: usize,
    /// Sockets that are open.
    pub sockets: usize,
    /// Calls of functions a second; a query that a socket begins to watch is one.
    pub calls_per_second: u64,
    /// Bytes received a second.
    pub bytes_per_second: u64,
    /// Admin keys a minute that are none.
    pub wrong_keys_per_minute: u64,
    /// Whether that goes for this machine's own programs too.
    pub includes_loopback: bool,
}

/// Who sends a request, as far as its address tells: an extension of every request.
#[derive(Clone)]
pub struct Client {
    /// Where it is.
    pub address: IpAddr,
    /// Whether it speaks TLS, with this server or with a proxy that is trusted.
    pub is_secure: bool,
    /// What it takes; `None`: it is not limited.
    pub usage: Option<Arc<AddressUsage>>,
}

/// What the addresses take that have done something lately.
pub struct AddressLimits {
    shared: Arc<Shared>,
    table: Mutex<HashMap<IpAddr, Arc<AddressUsage>>>,
}

struct Shared {
    options: AddressLimitOptions,
    calls: Option<Rate>,
    bytes: Option<Rate>,
    wrong_keys: Option<Rate>,
    env: Arc<dyn Env>,
}

/// What one address takes.
pub struct AddressUsage {
    shared: Arc<Shared>,
    connections: AtomicUsize,
    sockets: AtomicUsize,
    calls: Bucket,
    bytes: Bucket,
    wrong_keys: Bucket,
}

impl AddressLimits {
    /// Nobody has done anything yet.
    pub fn new(options: AddressLimitOptions, env: Arc<dyn Env>) -> AddressLimits {
        let rate = |per_second, burst_seconds| (per_second > 0).then_some(Rate { per_second, burst_seconds });
        let calls = rate(options.calls_per_second, limits::ADDRESS_CALLS_BURST_SECONDS);
        let bytes = rate(options.bytes_per_second, limits::ADDRESS_BYTES_BURST_SECONDS);
        // What comes back in a second is more than a part of a key only if it counts as many.
        let wrong_keys = rate(options.wrong_keys_per_minute, WRONG_KEY_COST);
        let shared = Arc::new(Shared { options, calls, bytes, wrong_keys, env });
        AddressLimits { shared, table: Mutex::default() }
    }

    /// Whether received bytes are counted at all.
    pub fn meters_bytes(&self) -> bool {
        self.shared.bytes.is_some()
    }

    /// What this address takes; `None`: it may take what it likes.
    pub fn of(&self, address: IpAddr) -> Option<Arc<AddressUsage>> {
        let AddressLimitOptions { connections, sockets, includes_loopback, .. } = self.shared.options;
        let has_rate = self.shared.calls.is_some() || self.meters_bytes() || self.shared.wrong_keys.is_some();
        let limits_any = connections > 0 || sockets > 0 || has_rate;
        if !limits_any || (address.is_loopback() && !includes_loopback) {
            return None;
        }
        let mut table = self.table.lock();
        let network = network_of(address);
        if let Some(usage) = table.get(&network) {
            return Some(Arc::clone(usage));
        }
        if table.len() >= limits::ADDRESSES_MAX {
            self.make_room(&mut table);
        }
        let usage = Arc::new(AddressUsage {
            shared: Arc::clone(&self.shared),
            connections: AtomicUsize::new(0),
            sockets: AtomicUsize::new(0),
            calls: Bucket::default(),
            bytes: Bucket::default(),
            wrong_keys: Bucket::default(),
        });
        table.insert(network, Arc::clone(&usage));
        Some(usage)
    }

    /// Forgets the addresses that take nothing, and owe nothing.
    pub fn sweep(&self) {
        self.table.lock().retain(|_, usage| Arc::strong_count(usage) > 1 || usage.owes());
    }

    /// When as many addresses are known as can be, those that take nothing are forgotten with what they owe: what is left
    /// is bounded by the connections that are open.
    fn make_room(&self, table: &mut HashMap<IpAddr, Arc<AddressUsage>>) {
        table.retain(|_, usage| Arc::strong_count(usage) > 1 || usage.owes());
        if table.len() >= limits::ADDRESSES_MAX {
            table.retain(|_, usage| Arc::strong_count(usage) > 1);
        }
    }
}

impl AddressUsage {
    /// A place for one more connection; `None`: there are too many. Given back when it is dropped.
    pub fn open_connection(self: &Arc<Self>) -> Option<AddressPlace> {
        AddressPlace::take(self, |usage| &usage.connections, self.shared.options.connections)
    }

    /// A place for one more socket.
    pub fn open_socket(self: &Arc<Self>) -> Option<AddressPlace> {
        AddressPlace::take(self, |usage| &usage.sockets, self.shared.options.sockets)
    }

    /// Takes one call from the allowance.
    ///
    /// # Errors
    /// There is none; how long until there is.
    pub fn call(&self) -> Result<(), Duration> {
        let Some(rate) = self.shared.calls else { return Ok(()) };
        self.calls.try_take(rate, self.now(), 1)
    }

    /// Counts calls that are made in any case: what is made of a message.
    pub fn count_calls(&self, count: usize) {
        if let Some(rate) = self.shared.calls.filter(|_| count > 0) {
            self.calls.take(rate, self.now(), count as u64);
        }
    }

    /// Whether so much was received that no more requests are taken in, although each connection waits its turn: how long
    /// that takes.
    pub fn bytes_overdrawn(&self) -> Option<Duration> {
        let wait = self.bytes.wait(self.shared.bytes?, self.now())?;
        (wait > Duration::from_millis(limits::ADDRESS_BYTES_WAIT_MS_MAX)).then_some(wait)
    }

    /// Whether so many wrong keys have come that no more are looked at: for how long.
    pub fn keys_wait(&self) -> Option<Duration> {
        self.wrong_keys.wait(self.shared.wrong_keys?, self.now())
    }

    /// Counts a wrong key.
    pub fn count_wrong_key(&self) {
        if let Some(rate) = self.shared.wrong_keys {
            self.wrong_keys.take(rate, self.now(), WRONG_KEY_COST);
        }
    }

    fn calls_wait(&self) -> Option<Duration> {
        self.calls.wait(self.shared.calls?, self.now())
    }

    fn bytes_wait(&self) -> Option<Duration> {
        self.bytes.wait(self.shared.bytes?, self.now())
    }

    fn count_bytes(&self, count: usize) {
        if let Some(rate) = self.shared.bytes {
            self.bytes.take(rate, self.now(), count as u64);
        }
    }

    fn owes(&self) -> bool {
        let now = self.now();
        [&self.calls, &self.bytes, &self.wrong_keys].into_iter().any(|bucket| !bucket.is_full(now))
    }

    fn now(&self) -> Duration {
        self.shared.env.monotonic()
    }
}

/// One of the places that an address has.
pub struct AddressPlace {
    usage: Arc<AddressUsage>,
    counter: fn(&AddressUsage) -> &AtomicUsize,
}

impl AddressPlace {
    fn take(
        usage: &Arc<AddressUsage>,
        counter: fn(&AddressUsage) -> &AtomicUsize,
        max: usize,
    ) -> Option<AddressPlace> {
        let before = counter(usage).fetch_add(1, Ordering::AcqRel);
        let place = AddressPlace { usage: Arc::clone(usage), counter };
        (max == 0 || before < max).then_some(place)
    }
}

impl Drop for AddressPlace {
    fn drop(&mut self) {
        (self.counter)(&self.usage).fetch_sub(1, Ordering::AcqRel);
    }
}

/// Who is charged with what a connection receives: with a proxy, whoever has sent the last request.
#[derive(Clone, Default)]
pub struct Payer(Arc<Mutex<Option<Arc<AddressUsage>>>>);

impl Payer {
    /// From now on this one.
    pub fn set(&self, usage: Option<Arc<AddressUsage>>) {
        *self.0.lock() = usage;
    }
}

/// Counts what a connection receives, and says when it may be read from.
pub struct Meter {
    payer: Payer,
    pause: Pause,
}

impl Meter {
    /// At the expense of `payer`.
    pub fn new(payer: Payer) -> Meter {
        Meter { payer, pause: Pause::default() }
    }

    /// Counts what was received.
    pub fn count(&self, bytes: usize) {
        if let Some(usage) = &*self.payer.0.lock() {
            usage.count_bytes(bytes);
        }
    }

    /// Ready when the connection may be read from.
    pub fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let payer = &self.payer;
        self.pause.poll(cx, || payer.0.lock().as_ref().and_then(|usage| usage.bytes_wait()))
    }
}

/// Makes a socket wait until what its messages have asked for is paid for.
pub struct CallPause {
    usage: Option<Arc<AddressUsage>>,
    pause: Pause,
}

impl CallPause {
    /// For a socket of this address.
    pub fn new(usage: Option<Arc<AddressUsage>>) -> CallPause {
        CallPause { usage, pause: Pause::default() }
    }

    /// Counts what a message has asked for.
    pub fn count(&self, calls: usize) {
        if let Some(usage) = &self.usage {
            usage.count_calls(calls);
        }
    }

    /// Ready when the socket may be read from.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(usage) = &self.usage else { return Poll::Ready(()) };
        self.pause.poll(cx, || usage.calls_wait())
    }
}

/// Sleeps for as long as there is something to wait for.
#[derive(Default)]
struct Pause(Option<Pin<Box<Sleep>>>);

impl Pause {
    fn poll(&mut self, cx: &mut Context<'_>, wait: impl Fn() -> Option<Duration>) -> Poll<()> {
        while let Some(wait) = wait() {
            match &mut self.0 {
                Some(sleep) => sleep.as_mut().reset(Instant::now() + wait),
                None => self.0 = Some(Box::pin(tokio::time::sleep(wait))),
            }
            if let Some(sleep) = &mut self.0 {
                ready!(sleep.as_mut().poll(cx));
            }
        }
        self.0 = None;
        Poll::Ready(())
    }
}

/// What counts as one client: an address, or a network of IPv6, whose other half a client chooses as it likes.
pub fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (!0 << 64))),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use weir_store::SimEnv;
    use weir_value::Timestamp;

    use super::*;

    fn limits(options: AddressLimitOptions) -> (Arc<SimEnv>, AddressLimits) {
        let env = Arc::new(SimEnv::new(1, Timestamp::from_nanos(1)));
        (Arc::clone(&env), AddressLimits::new(options, env))
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn places_are_an_addresss_own_and_come_back() {
        let (_, limits) = limits(AddressLimitOptions { connections: 2, ..AddressLimitOptions::default() });
        let one = limits.of(ip("203.0.113.7")).unwrap();
        let (first, _second) = (one.open_connection().unwrap(), one.open_connection().unwrap());
        assert!(one.open_connection().is_none() && one.open_connection().is_none());
        assert!(limits.of(ip("::ffff:203.0.113.7")).unwrap().open_connection().is_none(), "the same address");
        assert!(limits.of(ip("203.0.113.8")).unwrap().open_connection().is_some());
        assert!(one.open_socket().is_some(), "sockets have no limit");
        drop(first);
        assert!(one.open_connection().is_some());
    }

    #[test]
    fn a_network_of_ipv6_is_one_address() {
        let (_, limits) = limits(AddressLimitOptions { sockets: 1, ..AddressLimitOptions::default() });
        let _place = limits.of(ip("2001:db8::1")).unwrap().open_socket().unwrap();
        assert!(limits.of(ip("2001:db8::ffff:1")).unwrap().open_socket().is_none());
        assert!(limits.of(ip("2001:db8:0:1::1")).unwrap().open_socket().is_some());
    }

    #[test]
    fn this_machine_is_not_limited_unless_that_is_asked_for() {
        for (includes_loopback, address, limited) in [
            (false, "127.0.0.1", false),
            (false, "::1", false),
            (true, "127.0.0.1", true),
            (false, "10.0.0.1", true),
        ] {
            let options =
                AddressLimitOptions { connections: 1, includes_loopback, ..AddressLimitOptions::default() };
            assert_eq!(limits(options).1.of(ip(address)).is_some(), limited, "{address}");
        }
        assert!(limits(AddressLimitOptions::default()).1.of(ip("10.0.0.1")).is_none(), "nothing is limited");
    }

    #[test]
    fn whoever_takes_nothing_and_owes_nothing_is_forgotten() {
        let (env, limits) =
            limits(AddressLimitOptions { calls_per_second: 1, ..AddressLimitOptions::default() });
        for n in 0..limits::ADDRESSES_MAX {
            let [.., b, c, d] = (n as u32).to_be_bytes();
            limits.of(IpAddr::from([20, b, c, d])).unwrap().count_calls(1);
        }
        let held = limits.of(ip("20.0.0.1")).unwrap();
        limits.sweep();
        assert_eq!(limits.table.lock().len(), limits::ADDRESSES_MAX, "all owe something");
        limits.of(ip("203.0.113.7")).unwrap();
        assert_eq!(limits.table.lock().len(), 2, "the one that is held, and the new one");
        env.advance(Duration::from_secs(100));
        drop(held);
        limits.sweep();
        assert_eq!(limits.table.lock().len(), 0);
    }

    #[test]
    fn wrong_keys_of_an_address_have_a_bound_and_no_others_are_touched() {
        let (env, limits) =
            limits(AddressLimitOptions { wrong_keys_per_minute: 20, ..AddressLimitOptions::default() });
        let one = limits.of(ip("203.0.113.7")).unwrap();
        let send = |usage: &AddressUsage| {
            let is_seen = usage.keys_wait().is_none();
            is_seen.then(|| usage.count_wrong_key()).is_some()
        };
        // One more than the twenty: the last one is paid for afterwards.
        assert_eq!((0..1000).filter(|_| send(&one)).count(), 21);
        assert_eq!(one.keys_wait(), Some(Duration::from_secs(3)));
        assert!(limits.of(ip("203.0.113.8")).unwrap().keys_wait().is_none());
        assert!(limits.of(ip("127.0.0.1")).is_none());
        drop(one);
        limits.sweep();
        let again = limits.of(ip("203.0.113.7")).unwrap();
        assert!(again.keys_wait().is_some(), "it is remembered without a connection");
        let later = (0..600).filter(|_| {
            env.advance(Duration::from_millis(100));
            send(&again)
        });
        assert_eq!(later.count(), 20, "twenty a minute");
    }

    #[tokio::test(start_paused = true)]
    async fn a_socket_waits_until_its_calls_are_paid_for() {
        let (env, limits) =
            limits(AddressLimitOptions { calls_per_second: 10, ..AddressLimitOptions::default() });
        let mut pause = CallPause::new(limits.of(ip("203.0.113.7")));
        pause.count(10 * limits::ADDRESS_CALLS_BURST_SECONDS as usize + 20);
        assert!(pause.usage.as_ref().unwrap().calls_wait().is_some());
        let before = Instant::now();
        let paid = async {
            tokio::time::sleep(Duration::from_millis(1999)).await;
            env.advance(Duration::from_secs(2));
        };
        tokio::join!(std::future::poll_fn(|cx| pause.poll(cx)), paid);
        assert!(before.elapsed() >= Duration::from_millis(1999));
    }
}
