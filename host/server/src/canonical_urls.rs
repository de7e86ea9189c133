//! Where clients reach a server, and what functions read of it.

use std::collections::BTreeMap;
use std::net::SocketAddr;

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
    /// Those of a server that is reached where it listens.
    pub fn at(address: SocketAddr) -> CanonicalUrls {
        let url = format!("http://{address}");
        CanonicalUrls { cloud: url.clone(), site: url }
    }

    /// The variables that functions read them by.
    pub fn variables(&self) -> BTreeMap<String, String> {
        let urls = [self.cloud.clone(), self.site.clone()];
        BUILT_IN_VARIABLES.into_iter().map(str::to_owned).zip(urls).collect()
    }
}
