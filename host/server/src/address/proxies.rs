//! Whose address a request has that came through a proxy.
//!
//! What a header says of that is believed of the operator's own proxies alone: everybody else could write anything into it.
//! Each proxy adds the address that it was asked from at the end, so the list is read from there, and the first address
//! that is no trusted proxy's is the client's; what stands before it, the client may have made up.

use std::net::{IpAddr, SocketAddr};

use hyper::header::{FORWARDED, HeaderMap, HeaderName};
use ipnet::IpNet;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The proxies that are believed.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies {
    ranges: Vec<IpNet>,
}

/// What a proxy says of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forwarded {
    /// The client's address.
    pub address: IpAddr,
    /// Whether the client speaks TLS with the proxy.
    pub is_secure: bool,
}

impl TrustedProxies {
    /// Those in these ranges.
    pub fn new(ranges: Vec<IpNet>) -> TrustedProxies {
        TrustedProxies { ranges }
    }

    /// Whether whoever has this address is one of them.
    pub fn contain(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.ranges.iter().any(|range| range.contains(&address))
    }

    /// Who has sent a request that one of them, `proxy`, has passed on. When the two headers there are for that say
    /// different things, one of them is the client's own, and neither is believed: it counts as the proxy's.
    pub fn client(&self, proxy: IpAddr, headers: &HeaderMap) -> Forwarded {
        let listed = self.nearest(proxy, &x_forwarded_for(headers));
        let standard = self.nearest(proxy, &forwarded_for(headers));
        let address = match (listed, standard) {
            (Some(listed), Some(standard)) if listed != standard => None,
            (listed, standard) => listed.or(standard),
        };
        Forwarded { address: address.unwrap_or(proxy), is_secure: is_secure(headers) }
    }

    /// The last of these hops that is no proxy of ours; of what cannot be read, the hop after it. `None`: there are none.
    fn nearest(&self, proxy: IpAddr, hops: &[&str]) -> Option<IpAddr> {
        if hops.is_empty() {
            return None;
        }
        let mut nearest = proxy;
        for hop in hops.iter().rev() {
            let Some(address) = parse_hop(hop) else { break };
            nearest = address;
            if !self.contain(address) {
                break;
            }
        }
        Some(nearest)
    }
}

fn x_forwarded_for(headers: &HeaderMap) -> Vec<&str> {
    let lines = headers.get_all(X_FORWARDED_FOR).iter().map(|line| line.to_str().unwrap_or_default());
    lines.flat_map(|line| line.split(',')).map(str::trim).collect()
}

/// The `for` of every element of `Forwarded` (RFC 7239), an empty text where it has none.
fn forwarded_for(headers: &HeaderMap) -> Vec<&str> {
    let lines = headers.get_all(FORWARDED).iter().map(|line| line.to_str().unwrap_or_default());
    lines
        .flat_map(|line| line.split(','))
        .map(|element| pair_of(element, "for").unwrap_or_default())
        .collect()
}

fn pair_of<'a>(element: &'a str, name: &str) -> Option<&'a str> {
    let pairs = element.split(';').filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim_matches('"')).next()
}

/// `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:80`.
fn parse_hop(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse::<IpAddr>().ok();
    address.or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip())).map(|address| address.to_canonical())
}

/// As the nearest proxy says: what it has added stands last.
fn is_secure(headers: &HeaderMap) -> bool {
    let last = |name: &HeaderName| {
        let line = headers.get_all(name).iter().next_back()?.to_str().ok()?;
        line.rsplit(',').next().map(str::trim)
    };
    let proto = last(&X_FORWARDED_PROTO).or_else(|| pair_of(last(&FORWARDED)?, "proto"));
    proto.is_some_and(|proto| proto.eq_ignore_ascii_case("https"))
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    fn client(pairs: &[(&'static str, &str)]) -> (String, bool) {
        let ranges = ["10.0.0.0/8", "2001:db8:1::/48"].map(|range| range.parse().unwrap());
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        }
        let found = TrustedProxies::new(ranges.into()).client("10.0.0.1".parse().unwrap(), &headers);
        (found.address.to_string(), found.is_secure)
    }

    #[test]
    fn the_last_address_that_is_no_proxys_is_the_clients() {
        for (header, expected) in [
            ("203.0.113.7", "203.0.113.7"),
            ("203.0.113.7:4711", "203.0.113.7"),
            ("2001:db8:2::7", "2001:db8:2::7"),
            ("[2001:db8:2::7]:443", "2001:db8:2::7"),
            ("::ffff:203.0.113.7", "203.0.113.7"),
            ("203.0.113.7, 10.0.0.2", "203.0.113.7"),
            ("203.0.113.7, 2001:db8:1::5, 10.0.0.2", "203.0.113.7"),
            // What the client has written itself stands before its own address.
            ("127.0.0.1, 203.0.113.7", "203.0.113.7"),
            ("198.51.100.1,203.0.113.7 , 10.0.0.2", "203.0.113.7"),
            // Nothing but proxies, or nothing that can be read: who is nearest to the client of those that are known.
            ("10.0.0.3, 10.0.0.2", "10.0.0.3"),
            ("unknown, 10.0.0.2", "10.0.0.2"),
            ("nonsense", "10.0.0.1"),
            ("", "10.0.0.1"),
        ] {
            assert_eq!(client(&[("x-forwarded-for", header)]).0, expected, "{header:?}");
        }
        assert_eq!(client(&[]).0, "10.0.0.1");
        let lines = [("x-forwarded-for", "127.0.0.1"), ("x-forwarded-for", "203.0.113.7, 10.0.0.2")];
        assert_eq!(client(&lines).0, "203.0.113.7", "lines are one list");
    }

    #[test]
    fn the_standard_header_says_the_same() {
        for (header, expected) in [
            ("for=203.0.113.7", "203.0.113.7"),
            ("for=127.0.0.1, For=\"[2001:db8:2::7]:80\";proto=https", "2001:db8:2::7"),
            ("for=203.0.113.7;by=10.0.0.9, for=10.0.0.2", "203.0.113.7"),
            ("for=203.0.113.7, by=10.0.0.2", "10.0.0.1"),
            ("for=_hidden", "10.0.0.1"),
        ] {
            assert_eq!(client(&[("forwarded", header)]).0, expected, "{header:?}");
        }
        let both = |listed| client(&[("x-forwarded-for", listed), ("forwarded", "for=203.0.113.7")]).0;
        assert_eq!(both("203.0.113.7"), "203.0.113.7");
        assert_eq!(both("198.51.100.1"), "10.0.0.1", "one of them is made up");
    }

    #[test]
    fn the_nearest_proxy_says_whether_the_client_speaks_tls() {
        for (pairs, expected) in [
            (&[("x-forwarded-proto", "https")][..], true),
            (&[("x-forwarded-proto", "http")], false),
            (&[("x-forwarded-proto", "https, http")], false),
            (&[("x-forwarded-proto", "http"), ("x-forwarded-proto", "HTTPS")], true),
            (&[("forwarded", "for=a;proto=http, for=b;proto=https")], true),
            (&[], false),
        ] {
            assert_eq!(client(pairs).1, expected, "{pairs:?}");
        }
    }
}
