//! The attacks, each as it was once seen to take a host down, or everybody else's time.

mod memory;
mod time;

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Result, bail};
use weir_test_support::SyncClient;
use weir_test_support::sync_client::Received;

use crate::strangers::{Over, Strangers};

/// One attack.
pub struct Attack {
    /// What it is called.
    pub name: &'static str,
    /// What has to be there before, and is not measured.
    pub prepare: fn(SocketAddr) -> Result<()>,
    /// How long it goes on before it is measured.
    pub beginning: Duration,
    /// Begins it.
    pub start: fn(SocketAddr) -> Strangers,
}

/// All of them.
pub const ALL: &[Attack] = &[
    memory::SUBSCRIPTIONS_WITH_LARGE_ARGUMENTS,
    memory::ARGUMENTS_OF_MANY_VALUES,
    memory::LISTS_OF_MILLIONS,
    memory::QUERIES_WITH_LARGE_RESULTS,
    memory::BATCHES_WITH_LARGE_RESULTS,
    memory::UNREAD_TRANSITIONS,
    memory::UNREAD_MUTATION_RESULTS,
    memory::HALF_MESSAGES,
    memory::LARGE_CONNECTS,
    memory::HALF_BODIES,
    time::ABANDONED_CALLS,
    time::MANY_CHEAP_LIVE_QUERIES,
    time::MANY_SLOW_LIVE_QUERIES,
    time::SLOW_CALLS,
    time::SLOW_CONFLICTS,
    time::DELETED_ROWS,
];

const NOTHING: fn(SocketAddr) -> Result<()> = |_| Ok(());
/// Until all strangers are there.
const SOON: Duration = Duration::from_secs(1);

/// A session of a stranger's own, as a client of npm makes one.
fn session(attack: u8, thread: usize, turn: usize) -> String {
    format!("bad{attack:05x}-{:04x}-4000-8000-{:012x}", thread & 0xffff, turn)
}

/// Reads whatever comes, until it is over, or for so long.
fn listen(client: &mut SyncClient, time: Duration, over: &Over) -> Result<()> {
    let begun = std::time::Instant::now();
    while !over.is() && begun.elapsed() < time {
        if let Some(Received::Closed(code, reason)) = client.receive_within(Duration::from_millis(50))? {
            bail!("closed: {code} {reason}");
        }
    }
    Ok(())
}
