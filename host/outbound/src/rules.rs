//! Where functions may connect to.
use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;

use serde_json::{Value as Json, json};

use crate::address::{self, is_public};
use crate::resolver::refusal;

/// What an operator has opened besides the internet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    hosts: Vec<OpenHost>,
    ranges: Vec<IpNet>,
}

/// A host that is open, whatever its address is.
#[derive(Debug, Clone, PartialEq, Eq)]
struct OpenHost {
    /// In lower case.
    name: String,
    /// `None`: every port.
    port: Option<u16>,
}

/// A text that opens nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a host, a host with a port, an address, or a range of addresses: write `printer.lan`, \
     `printer.lan:631`, `192.168.1.7` or `192.168.1.0/24`"
)]
pub struct RulesError(String);

impl Rules {
    /// Opens the hosts (`printer.lan`, `printer.lan:631`), addresses and ranges (`192.168.1.0/24`) of a list.
    ///
    /// # Errors
    /// One of them is none of these.
    pub fn parse<S: AsRef<str>>(list: &[S]) -> Result<Rules, RulesError> {
        let mut rules = Rules::default();
        for text in list {
            let text = text.as_ref().trim();
            if let Ok(range) = text.parse::<IpNet>() {
                rules.ranges.push(range.trunc());
            } else if let Ok(address) = text.trim_matches(['[', ']']).parse::<IpAddr>() {
                rules.ranges.push(IpNet::from(address));
            } else {
                rules.hosts.push(OpenHost::parse(text).ok_or_else(|| RulesError(text.to_owned()))?);
            }
        }
        Ok(rules)
    }

    /// These and others.
    #[must_use]
    pub fn and(&self, others: &Rules) -> Rules {
        let (hosts, ranges) =
            (self.hosts.iter().chain(&others.hosts), self.ranges.iter().chain(&others.ranges));
        Rules { hosts: hosts.cloned().collect(), ranges: ranges.copied().collect() }
    }

    /// The rules for a program that connects by itself: `{public: {closedV4, closedV6, globalV6}, hosts: [{name, port}],
    /// ranges, refusal}`. `public` says which addresses are the internet's; `refusal` follows upon what was refused.
    pub fn to_json(&self) -> Json {
        let hosts = self.hosts.iter().map(|host| json!({ "name": host.name, "port": host.port }));
        let ranges = self.ranges.iter().map(IpNet::to_string);
        json!({
            "public": address::to_json(),
            "hosts": hosts.collect::<Vec<_>>(),
            "ranges": ranges.collect::<Vec<_>>(),
            "refusal": refusal(""),
        })
    }

    /// Whether a host of this name is open at this port, wherever it is.
    pub(crate) fn opens_host(&self, name: &str, port: u16) -> bool {
        let name = name.trim_end_matches('.');
        let is_it = |host: &OpenHost| {
            host.name.eq_ignore_ascii_case(name) && host.port.is_none_or(|open| open == port)
        };
        self.hosts.iter().any(is_it)
    }

    /// Whether functions may connect to this address.
    pub fn opens_address(&self, address: IpAddr) -> bool {
        is_public(address) || self.ranges.iter().any(|range| range.contains(&address.to_canonical()))
    }
}

impl OpenHost {
    fn parse(text: &str) -> Option<OpenHost> {
        let (name, port) = match text.rsplit_once(':') {
            Some((name, port)) => (name, Some(port.parse().ok()?)),
            None => (text, None),
        };
        let is_of_names = |char: char| char.is_alphanumeric() || matches!(char, '-' | '_' | '.');
        if !name.chars().all(is_of_names) {
            return None;
        }
        // As URLs have it, so that one spelling is like another.
        let host = url::Host::parse(name).ok()?;
        let url::Host::Domain(name) = host else { return None };
        Some(OpenHost { name: name.trim_end_matches('.').to_owned(), port })
    }
}

impl fmt::Display for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hosts = self.hosts.iter().map(|host| match host.port {
            Some(port) => format!("{}:{port}", host.name),
            None => host.name.clone(),
        });
        let all: Vec<String> = hosts.chain(self.ranges.iter().map(IpNet::to_string)).collect();
        f.write_str(&all.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_ranges_are_opened_by_name() {
        let rules =
            Rules::parse(&["printer.LAN", "db.lan:5432", "192.168.1.0/24", "10.0.0.7", "[fd00::1]"]).unwrap();
        assert!(rules.opens_host("PRINTER.lan", 80) && rules.opens_host("printer.lan.", 1));
        assert!(rules.opens_host("db.lan", 5432) && !rules.opens_host("db.lan", 80));
        assert!(!rules.opens_host("a.printer.lan", 80));
        let opens = |address: &str| rules.opens_address(address.parse().unwrap());
        assert!(opens("192.168.1.9") && opens("::ffff:192.168.1.9") && opens("10.0.0.7") && opens("fd00::1"));
        assert!(!opens("192.168.2.1") && !opens("10.0.0.8") && !opens("127.0.0.1") && opens("1.1.1.1"));
        assert_eq!(rules.to_string(), "printer.lan, db.lan:5432, 192.168.1.0/24, 10.0.0.7/32, fd00::1/128");
    }

    #[test]
    fn what_opens_nothing_is_refused() {
        for text in ["", "a b", "host:port", "http://a.lan", "1.2.3.4/33", "*.lan"] {
            assert!(Rules::parse(&[text]).unwrap_err().to_string().contains("is not a host"), "{text}");
        }
    }
}
