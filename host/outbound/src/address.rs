//! Which addresses are the internet's.
//!
//! After IANA's registries of special-purpose addresses (RFC 6890 and its updates): what is not globally reachable, or
//! leads to such an address by translation, is not.
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::OnceLock;

use ipnet::{Ipv4Net, Ipv6Net};
use serde_json::{Value as Json, json};

/// IPv4: this network, private use, carrier-grade NAT, loopback, link-local, protocol assignments, documentation, the
/// deprecated relay, benchmarking, multicast, reserved.
const CLOSED_V4: [&str; 15] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
];

/// IPv6: all that is not global unicast, and of that: protocol assignments (Teredo among them) and documentation.
const CLOSED_V6: [&str; 3] = ["2001::/23", "2001:db8::/32", "3fff::/20"];
const GLOBAL_UNICAST: &str = "2000::/3";

struct Ranges {
    closed_v4: Vec<Ipv4Net>,
    closed_v6: Vec<Ipv6Net>,
    global_v6: Ipv6Net,
}

fn ranges() -> &'static Ranges {
    static RANGES: OnceLock<Ranges> = OnceLock::new();
    RANGES.get_or_init(|| Ranges {
        closed_v4: CLOSED_V4.iter().map(|range| range.parse().expect("a range")).collect(),
        closed_v6: CLOSED_V6.iter().map(|range| range.parse().expect("a range")).collect(),
        global_v6: GLOBAL_UNICAST.parse().expect("a range"),
    })
}

/// The ranges, for programs that look at addresses themselves. What an IPv6 address embeds counts there too.
pub(crate) fn to_json() -> Json {
    json!({ "closedV4": CLOSED_V4, "closedV6": CLOSED_V6, "globalV6": GLOBAL_UNICAST })
}

/// Whether an address is the internet's.
pub(crate) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => match embedded(address) {
            Some(embedded) => is_public_v4(embedded),
            None => is_public_v6(address),
        },
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    !ranges().closed_v4.iter().any(|range| range.contains(&address))
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let ranges = ranges();
    ranges.global_v6.contains(&address) && !ranges.closed_v6.iter().any(|range| range.contains(&address))
}

/// The IPv4 address that an IPv6 address leads to: mapped (`::ffff:a.b.c.d`), translated (`64:ff9b::a.b.c.d`), or 6to4.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let of = |high: u16, low: u16| Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low));
    match (a, b, c, d, e, f) {
        (0, 0, 0, 0, 0, 0xffff) | (0x64, 0xff9b, 0, 0, 0, 0) => Some(of(g, h)),
        (0x2002, ..) => Some(of(b, c)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_internet_is_public() {
        let closed = [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "127.255.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "192.0.0.170",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:a9fe:a9fe",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "2002:c0a8:101::1",
            "2001:0:4136:e378::",
            "2001:db8::1",
            "3fff::1",
            "100::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ];
        for address in closed {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
        let open = [
            "1.1.1.1",
            "8.8.8.8",
            "172.15.0.1",
            "172.32.0.1",
            "192.169.0.1",
            "100.63.0.1",
            "100.128.0.1",
            "2606:4700::1111",
            "2a00:1450:4001::1",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
            "2002:808:808::1",
        ];
        for address in open {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }
}
