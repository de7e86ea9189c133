//! Whose a job is, as far as time is shared: an address, and a connection from there.

use std::net::IpAddr;

use crate::address::network_of;

/// One connection of one client. Time is shared between addresses first, and then between the connections of one: a
/// thousand connections are not a thousand clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Flow {
    pub(super) address: Address,
    pub(super) connection: u64,
}

/// A client's address; of IPv6 the network, whose other half a client chooses as it likes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Address(pub(super) u128);

impl Flow {
    /// What the host does by itself.
    pub const HOST: Flow = Flow { address: Address(0), connection: 0 };

    /// The connection of this number, from this address.
    pub fn of(address: IpAddr, connection: u64) -> Flow {
        let bits = match network_of(address) {
            IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
            IpAddr::V6(network) => network.to_bits(),
        };
        Flow { address: Address(bits), connection }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_client_and_so_is_a_network_of_ipv6() {
        let address = |text: &str| Flow::of(text.parse().unwrap(), 1).address;
        assert_eq!(address("192.0.2.1"), address("::ffff:192.0.2.1"));
        assert_ne!(address("192.0.2.1"), address("192.0.2.2"));
        assert_eq!(address("2001:db8::1"), address("2001:db8::2:1"));
        assert_ne!(address("2001:db8::1"), address("2001:db8:0:1::1"));
        assert_ne!(address("127.0.0.1"), Flow::HOST.address);
    }
}
