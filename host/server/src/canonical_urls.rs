//! Where clients reach a server, and what functions read of it.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use hyper::Uri;
use weir_db::BUILT_IN_VARIABLES;

/// Where clients reach a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CanonicalUrls {
    /// The API: what the official clients are given.
    pub cloud: String,
    /// The app's own pages.
    pub site: String,
}

impl CanonicalUrls {
    /// Those of a server that is reached where it listens, with TLS or without.
    pub fn at(address: SocketAddr, is_secure: bool) -> CanonicalUrls {
        let scheme = if is_secure { "https" } else { "http" };
        let url = format!("{scheme}://{address}");
        CanonicalUrls { cloud: url.clone(), site: url }
    }

    /// The port of the API's URL, if that is a secure one.
    pub fn https_port(&self) -> Option<u16> {
        let url: Uri = self.cloud.parse().ok()?;
        (url.scheme_str() == Some("https")).then(|| url.port_u16().unwrap_or(443))
    }

    /// The variables that functions read them by.
    pub fn variables(&self) -> BTreeMap<String, String> {
        let urls = [self.cloud.clone(), self.site.clone()];
        BUILT_IN_VARIABLES.into_iter().map(str::to_owned).zip(urls).collect()
    }
}
