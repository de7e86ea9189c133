//! The address of a server, and the admin key that goes with it.

use std::net::IpAddr;
use std::path::Path;

use hyper::Uri;
use weir_server::admin_key::AdminKey;

use crate::Usage;
use crate::arguments::{DATA_DIR, ServerAddress};

/// A server that can be called.
#[derive(Debug, Clone)]
pub struct ServerUrl {
    /// Name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// What stands before every path; without a slash at its end.
    pub prefix: String,
}

impl ServerUrl {
    /// Reads `http://host[:port][/prefix]`.
    pub fn parse(text: &str) -> Result<ServerUrl, Usage> {
        let wrong = |why: &str| Usage(format!("--url `{text}`: {why}"));
        let uri: Uri = text.parse().map_err(|_| wrong("it is not a valid URL"))?;
        match uri.scheme_str() {
            Some("http") => {}
            Some("https") => {
                return Err(wrong(
                    "this tool speaks http only; run it on the server's machine, or through a tunnel",
                ));
            }
            _ => return Err(wrong("it must begin with http://")),
        }
        let host = uri.host().ok_or_else(|| wrong("it names no host"))?;
        if uri.query().is_some() {
            return Err(wrong("it must have no `?`"));
        }
        Ok(ServerUrl {
            host: host.to_owned(),
            port: uri.port_u16().unwrap_or(80),
            prefix: uri.path().trim_end_matches('/').to_owned(),
        })
    }

    /// As it stands in a `Host` header.
    pub fn authority(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// Whether the server is on this machine.
    pub fn is_local(&self) -> bool {
        let address: Result<IpAddr, _> = self.host.trim_matches(['[', ']']).parse();
        self.host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    }
}

/// The admin key for a server: the flag's, the environment's, or that of a data
/// folder. The key of the default folder is not sent to another machine.
pub fn find_key(arguments: &ServerAddress, url: &ServerUrl) -> anyhow::Result<Option<String>> {
    if let Some(key) = &arguments.admin_key {
        return Ok(Some(key.clone()));
    }
    if let Some(data) = &arguments.data {
        return Ok(Some(AdminKey::read(data)?.as_str().to_owned()));
    }
    if !url.is_local() {
        return Ok(None);
    }
    Ok(AdminKey::read(Path::new(DATA_DIR)).ok().map(|key| key.as_str().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read() {
        for (text, expected) in [
            ("http://127.0.0.1:3210", Some(("127.0.0.1", 3210, "", true))),
            ("http://localhost:1/", Some(("localhost", 1, "", true))),
            ("http://[::1]:3210", Some(("[::1]", 3210, "", true))),
            ("http://box.example/weir/", Some(("box.example", 80, "/weir", false))),
            ("http://10.0.0.1:3210", Some(("10.0.0.1", 3210, "", false))),
            ("https://box.example", None),
            ("box:3210", None),
            ("ws://box", None),
            ("http://box?x=1", None),
            ("", None),
        ] {
            let url = ServerUrl::parse(text).ok();
            let got = url.as_ref().map(|u| (u.host.as_str(), u.port, u.prefix.as_str(), u.is_local()));
            assert_eq!(got, expected, "{text}");
        }
    }
}
