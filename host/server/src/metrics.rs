//! What the server counts itself. The database, the store and the live queries
//! count for themselves.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::timings::{RunTimes, Times};

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Makes it larger.
    pub fn add(&self, amount: u64) {
        self.0.fetch_add(amount, Ordering::Relaxed);
    }

    /// How large it is.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A number that goes up and down.
#[derive(Debug, Default)]
pub struct Level(AtomicU64);

impl Level {
    /// Says how large it is now.
    pub fn set(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }

    /// How large it is.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The server's counters, since it was started.
#[derive(Debug, Default)]
pub struct Metrics {
    /// Connections that were accepted.
    pub connections: Counter,
    /// When the certificate that clients are shown expires, in seconds since the Unix epoch; 0: there is none.
    pub certificate_expires_at: Level,
    /// Certificates that an authority has given by ACME.
    pub certificates_obtained: Counter,
    /// Attempts to get one that have failed.
    pub certificates_failed: Counter,
    /// HTTP requests.
    pub http_requests: Counter,
    /// HTTP requests that were answered with `{code, message}`.
    pub http_errors: Counter,
    /// Files that were stored.
    pub files_stored: Counter,
    /// Their bytes.
    pub file_bytes_stored: Counter,
    /// Sockets that were opened.
    pub sockets_opened: Counter,
    /// Sockets that have ended.
    pub sockets_closed: Counter,
    /// Sockets that were closed because there was no room for what they sent, or for what they were to be sent.
    pub sockets_shed: Counter,
    /// Text messages from sockets.
    pub socket_messages_received: Counter,
    /// Bytes written to sockets, frame headers included.
    pub socket_bytes_sent: Counter,
    /// How long functions take.
    pub runs: RunTimes,
    /// How long a group of commits takes to be written and synced.
    pub syncs: Times,
    /// How long a commit waits until it is durable, the first one of each group.
    pub commits: Times,
    /// From a commit's being durable to its news having been given to the system, for each socket.
    pub pushes: Times,
}
