//! The address of a server.

use std::net::IpAddr;

use hyper::Uri;

use crate::Usage;

/// A server that can be called.
#[derive(Debug, Clone)]
pub struct ServerUrl {
    /// Whether it is spoken to over TLS.
    pub is_secure: bool,
    /// Name or address, an IPv6 one without brackets.
    pub host: String,
    /// Port.
    pub port: u16,
    /// What stands before every path; without a slash at its end.
    pub prefix: String,
}

impl ServerUrl {
    /// Reads `http[s]://host[:port][/prefix]`.
    pub fn parse(text: &str) -> Result<ServerUrl, Usage> {
        let wrong = |why: &str| Usage(format!("--url `{text}`: {why}"));
        let uri: Uri = text.parse().map_err(|_| wrong("it is not a valid URL"))?;
        let is_secure = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(wrong("it must begin with http:// or https://")),
        };
        if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return Err(Usage("--url: it must have no user and no password".to_owned()));
        }
        let host = uri.host().ok_or_else(|| wrong("it names no host"))?;
        if uri.query().is_some() {
            return Err(wrong("it must have no `?`"));
        }
        Ok(ServerUrl {
            is_secure,
            host: host.trim_matches(['[', ']']).to_owned(),
            port: uri.port_u16().unwrap_or(if is_secure { 443 } else { 80 }),
            prefix: uri.path().trim_end_matches('/').to_owned(),
        })
    }

    /// As it stands in a `Host` header.
    pub fn authority(&self) -> String {
        match self.host.contains(':') {
            true => format!("[{}]:{}", self.host, self.port),
            false => format!("{}:{}", self.host, self.port),
        }
    }

    /// Scheme, host and port: in messages.
    pub fn origin(&self) -> String {
        format!("{}://{}", if self.is_secure { "https" } else { "http" }, self.authority())
    }

    /// The address of the sync protocol.
    pub fn sync_address(&self) -> String {
        let scheme = if self.is_secure { "wss" } else { "ws" };
        format!("{scheme}://{}{}/api/sync", self.authority(), self.prefix)
    }

    /// Whether the server is on this machine.
    pub fn is_local(&self) -> bool {
        let address: Result<IpAddr, _> = self.host.parse();
        self.host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    }

    /// Whether nobody else reads what is sent there.
    pub fn is_private(&self) -> bool {
        self.is_secure || self.is_local()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read() {
        for (text, expected) in [
            ("http://127.0.0.1:3210", Some((false, "127.0.0.1", 3210, "", true))),
            ("http://localhost:1/", Some((false, "localhost", 1, "", true))),
            ("http://[::1]:3210", Some((false, "::1", 3210, "", true))),
            ("http://box.example/weir/", Some((false, "box.example", 80, "/weir", false))),
            ("http://10.0.0.1:3210", Some((false, "10.0.0.1", 3210, "", false))),
            ("https://box.example", Some((true, "box.example", 443, "", false))),
            ("https://box.example:8443/weir", Some((true, "box.example", 8443, "/weir", false))),
            ("https://[2001:db8::1]", Some((true, "2001:db8::1", 443, "", false))),
            ("http://localhost.example", Some((false, "localhost.example", 80, "", false))),
            ("http://127.0.0.1@box.example", None),
            ("https://ada:secret@box.example", None),
            ("box:3210", None),
            ("ws://box", None),
            ("http://box?x=1", None),
            ("", None),
        ] {
            let url = ServerUrl::parse(text).ok();
            let got =
                url.as_ref().map(|u| (u.is_secure, u.host.as_str(), u.port, u.prefix.as_str(), u.is_local()));
            assert_eq!(got, expected, "{text}");
        }
    }

    #[test]
    fn they_are_written_as_they_are_sent() {
        for (text, origin, sync) in [
            ("http://[::1]:3210/a", "http://[::1]:3210", "ws://[::1]:3210/a/api/sync"),
            ("https://box.example", "https://box.example:443", "wss://box.example:443/api/sync"),
        ] {
            let url = ServerUrl::parse(text).unwrap();
            assert_eq!((url.origin().as_str(), url.sync_address().as_str()), (origin, sync));
        }
    }
}
