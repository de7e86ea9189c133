//! The threads of an attack.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Result;
use weir_test_support::connect::come_from;

/// Where strangers come from. The ordinary client comes from 127.0.0.1.
const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
/// The least of all priorities.
const NICENESS: i32 = 19;
/// What a stranger whom the host has turned away waits before it comes again.
const PAUSE: Duration = Duration::from_millis(50);

/// Threads that do the same to one host, again and again. Dropping them ends them.
pub struct Strangers {
    over: Over,
    threads: Vec<JoinHandle<()>>,
}

/// Whether the attack is over.
#[derive(Clone, Default)]
pub struct Over(Arc<AtomicBool>);

impl Over {
    /// Whether it is.
    #[must_use]
    pub fn is(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Waits for so long, or until it is over.
    pub fn sleep(&self, time: Duration) {
        let mut left = time;
        while !self.is() && !left.is_zero() {
            let step = left.min(PAUSE);
            std::thread::sleep(step);
            left -= step;
        }
    }
}

impl Strangers {
    /// So many threads, each of which does this until it is over. One that fails, because the host has had enough of it,
    /// begins again.
    pub fn start(
        count: usize,
        address: SocketAddr,
        attack: impl Fn(SocketAddr, usize, &Over) -> Result<()> + Send + Clone + 'static,
    ) -> Strangers {
        let over = Over::default();
        let threads = (0..count).map(|number| {
            let (over, attack) = (over.clone(), attack.clone());
            spawn(move || {
                keep_apart();
                while !over.is() {
                    // The host may refuse what it likes; that others are served is what is looked at.
                    let _ = attack(address, number, &over);
                    over.sleep(PAUSE);
                }
            })
        });
        let threads = threads.collect();
        Strangers { over, threads }
    }
}

impl Drop for Strangers {
    fn drop(&mut self) {
        self.over.0.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            // A stranger that panicked has said so.
            let _ = thread.join();
        }
    }
}

/// Makes this thread a stranger's, who has a machine of his own: it comes from another address than the ordinary client,
/// and what it does itself takes no processor away from the host and the ordinary client.
fn keep_apart() {
    come_from(ADDRESS);
    // On Linux that is the thread's alone. Where it is refused the ordinary client waits for strangers as well.
    let _ = rustix::process::nice(NICENESS);
}

#[expect(clippy::disallowed_methods, reason = "tests own no Env")]
fn spawn(thread: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    std::thread::spawn(thread)
}
