//! How many files the process may have open, and for whom: connections, what requests open besides, and the host itself.
//!
//! A connection is one open file, for as long as it is open, and so is a socket. A request may open one more for a while: a
//! file that is sent or written, a connection to where a function sends a request. Those come out of what connections have not
//! taken, and a part of it that connections cannot take, so that idle ones leave room for those who ask. A part of that part is for
//! connections of functions that none uses. The rest is for the store and the log, or a commit would fail for want of an open
//! file; for Node's processes; for whatever is open for a moment.

use std::sync::Arc;

use rustix::process::{Resource, getrlimit};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use weir_value::limits;

/// What may be open.
pub struct Descriptors {
    shares: Shares,
    /// For connections and requests together.
    all: Arc<Semaphore>,
    /// What connections may have of that.
    connections: Arc<Semaphore>,
}

/// An open file of a request. Given back when it is dropped.
pub struct Descriptor(#[expect(dead_code, reason = "held, and given back")] OwnedSemaphorePermit);

/// That of a connection.
pub struct ConnectionDescriptor(
    #[expect(dead_code, reason = "held, and given back")] (OwnedSemaphorePermit, OwnedSemaphorePermit),
);

/// There is none left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Too many files are open on this server: try again in a moment.")]
pub struct TooManyOpen;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shares {
    all: usize,
    connections: usize,
    /// Connections of functions that none uses.
    outbound_idle: usize,
}

impl Shares {
    /// Of so many files, of which the host needs some for what is no request; `None`: as many as it likes.
    fn of(files_max: Option<u64>, beside: usize) -> Shares {
        let files = files_max.map_or(usize::MAX, |files| usize::try_from(files).unwrap_or(usize::MAX));
        let part = |of: usize, min, max| (files / of).clamp(min, max);
        let reserve =
            part(limits::RESERVED_PART_OF_FILES, limits::RESERVED_FILES_MIN, limits::RESERVED_FILES_MAX);
        let of_requests =
            part(limits::REQUESTS_PART_OF_FILES, limits::REQUEST_FILES_MIN, limits::REQUEST_FILES_MAX);
        // More than connections and what they may ask for is nobody's.
        let all =
            files.saturating_sub(reserve.saturating_add(beside)).clamp(2, 2 * limits::HTTP_CONNECTIONS_MAX);
        let connections = all.saturating_sub(of_requests).clamp(1, limits::HTTP_CONNECTIONS_MAX);
        let outbound_idle = of_requests / limits::OUTBOUND_IDLE_PART_OF_REQUESTS;
        let outbound_idle = outbound_idle.min(limits::OUTBOUND_IDLE_MAX);
        let all = all.saturating_sub(outbound_idle).max(connections + 1);
        Shares { all, connections, outbound_idle }
    }
}

impl Descriptors {
    /// Of this process, as many as the system lets it have; so many are for what is no request.
    pub fn of_process(beside: usize) -> Descriptors {
        Descriptors::of(Shares::of(getrlimit(Resource::Nofile).current, beside))
    }

    fn of(shares: Shares) -> Descriptors {
        let semaphore = |permits| Arc::new(Semaphore::new(permits));
        Descriptors { shares, all: semaphore(shares.all), connections: semaphore(shares.connections) }
    }

    /// One for a connection, if one may be opened.
    pub fn for_connection(&self) -> Option<ConnectionDescriptor> {
        let connection = Arc::clone(&self.connections).try_acquire_owned().ok()?;
        Some(ConnectionDescriptor((connection, Arc::clone(&self.all).try_acquire_owned().ok()?)))
    }

    /// One for what a request opens.
    ///
    /// # Errors
    /// There is none left.
    pub fn for_request(&self) -> Result<Descriptor, TooManyOpen> {
        Arc::clone(&self.all).try_acquire_owned().map(Descriptor).map_err(|_| TooManyOpen)
    }

    /// Connections that may be open.
    pub fn connections_max(&self) -> usize {
        self.shares.connections
    }

    /// Connections of functions that may be kept while none uses them.
    pub fn outbound_idle_max(&self) -> usize {
        self.shares.outbound_idle
    }

    /// Connections that are open.
    pub fn connections(&self) -> usize {
        self.shares.connections - self.connections.available_permits()
    }

    /// What requests have open.
    pub fn of_requests(&self) -> usize {
        (self.shares.all - self.all.available_permits()).saturating_sub(self.connections())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_have_nearly_all_and_leave_some_to_requests_and_the_store() {
        for (files, connections, of_requests) in [
            (Some(64), 1, 1),
            (Some(256), 128, 16),
            (Some(1024), 896, 16),
            (Some(20_000), 19_063, 264),
            (Some(65_536), 62_464, 976),
            (Some(262_144), limits::HTTP_CONNECTIONS_MAX, limits::HTTP_CONNECTIONS_MAX - 48),
            (Some(u64::MAX), limits::HTTP_CONNECTIONS_MAX, limits::HTTP_CONNECTIONS_MAX - 48),
            (None, limits::HTTP_CONNECTIONS_MAX, limits::HTTP_CONNECTIONS_MAX - 48),
        ] {
            let Shares { all, connections: found, .. } = Shares::of(files, 0);
            assert_eq!((found, all - found), (connections, of_requests), "{files:?}");
        }
        let with_node = Shares::of(Some(1024), 100);
        assert_eq!(with_node, Shares { all: 812, connections: 796, outbound_idle: 16 });
    }

    #[test]
    fn idle_connections_leave_room_for_requests_and_requests_may_take_what_is_free() {
        let descriptors = Descriptors::of(Shares { all: 10, connections: 8, outbound_idle: 1 });
        let idle: Vec<_> = std::iter::from_fn(|| descriptors.for_connection()).collect();
        assert_eq!((idle.len(), descriptors.connections(), descriptors.of_requests()), (8, 8, 0));
        let first = descriptors.for_request().expect("kept for requests");
        let _second = descriptors.for_request().expect("kept for requests");
        assert_eq!(descriptors.for_request().err(), Some(TooManyOpen));
        drop(idle);
        let others: Vec<_> = std::iter::from_fn(|| descriptors.for_request().ok()).collect();
        assert_eq!((others.len(), descriptors.of_requests()), (8, 10));
        assert!(descriptors.for_connection().is_none(), "nothing is left");
        assert_eq!(descriptors.connections(), 0, "what was refused holds nothing");
        drop(first);
        assert!(descriptors.for_connection().is_some());
    }
}
