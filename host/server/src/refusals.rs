//! What was refused, counted by the limit that it was over: which of them an operator has to raise, or somebody attacks.

use crate::metrics::Counter;

/// A limit that refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Connections.
    Connections,
    /// Connections of one address.
    AddressConnections,
    /// Sockets.
    Sockets,
    /// Sockets of one address.
    AddressSockets,
    /// Calls of functions a second of one address, over HTTP; on sockets they wait.
    AddressCalls,
    /// Bytes a second of one address.
    AddressBytes,
    /// TLS handshakes under way.
    Handshakes,
    /// Names that are none of the server's.
    HostName,
    /// Origins whose pages may use the server.
    Origin,
    /// Calls over HTTP under way.
    HttpCalls,
    /// Actions that run.
    Actions,
    /// Files on their way in.
    Uploads,
    /// Files and connections to elsewhere that requests open.
    OpenFiles,
}

impl Limit {
    /// All of them, in their order.
    pub const ALL: [Limit; 13] = [
        Limit::Connections,
        Limit::AddressConnections,
        Limit::Sockets,
        Limit::AddressSockets,
        Limit::AddressCalls,
        Limit::AddressBytes,
        Limit::Handshakes,
        Limit::HostName,
        Limit::Origin,
        Limit::HttpCalls,
        Limit::Actions,
        Limit::Uploads,
        Limit::OpenFiles,
    ];

    /// Its name, among the figures.
    pub fn name(self) -> &'static str {
        match self {
            Limit::Connections => "connections",
            Limit::AddressConnections => "address_connections",
            Limit::Sockets => "sockets",
            Limit::AddressSockets => "address_sockets",
            Limit::AddressCalls => "address_calls",
            Limit::AddressBytes => "address_bytes",
            Limit::Handshakes => "handshakes",
            Limit::HostName => "host_name",
            Limit::Origin => "origin",
            Limit::HttpCalls => "http_calls",
            Limit::Actions => "actions",
            Limit::Uploads => "uploads",
            Limit::OpenFiles => "open_files",
        }
    }
}

/// How often each has refused.
#[derive(Debug, Default)]
pub struct Refusals([Counter; Limit::ALL.len()]);

impl Refusals {
    /// It has once more.
    pub fn count(&self, limit: Limit) {
        self.0[limit as usize].add(1);
    }

    /// How often.
    pub fn of(&self, limit: Limit) -> u64 {
        self.0[limit as usize].get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_limit_has_a_place_and_a_name_of_its_own() {
        let refusals = Refusals::default();
        for (place, limit) in Limit::ALL.into_iter().enumerate() {
            assert_eq!(limit as usize, place);
            (0..=place).for_each(|_| refusals.count(limit));
        }
        let mut names: Vec<_> = Limit::ALL.map(Limit::name).into();
        for (place, limit) in Limit::ALL.into_iter().enumerate() {
            assert_eq!(refusals.of(limit), place as u64 + 1);
        }
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Limit::ALL.len());
    }
}
