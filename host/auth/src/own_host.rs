//! The host itself as a provider: of the tokens that its functions sign (`ctx.auth.signJwt`). Their keys are at
//! hand, so nothing is fetched, and the host trusts itself also without a network, behind a proxy, and over
//! plain http.

use std::sync::Arc;

use url::Url;

use crate::signing::SigningKeys;

/// Where the host publishes its keys, below its address.
pub const KEY_SET_PATH: &str = "/.well-known/jwks.json";
/// Where it says so, for whoever verifies its tokens by OpenID Connect.
pub const DISCOVERY_PATH: &str = "/.well-known/openid-configuration";

/// Gives the host's own keys.
pub trait OwnKeys: Send + Sync + 'static {
    /// The keys; `None` when they cannot be had, and then the implementation tells the log why. May block for as
    /// long as it takes to read a small file.
    fn own_keys(&self) -> Option<Arc<SigningKeys>>;
}

/// What the host is called: by these names a provider is the host itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnHost {
    issuer: String,
    /// Its addresses, each in the form that [`normal`] gives.
    addresses: Vec<String>,
}

impl OwnHost {
    /// A host that signs in the name of `cloud` (`CONVEX_CLOUD_URL`), and is reached at `site`
    /// (`CONVEX_SITE_URL`) too.
    pub fn new(cloud: &str, site: &str) -> OwnHost {
        let addresses = [cloud, site].into_iter().filter_map(normal).collect();
        OwnHost { issuer: cloud.to_owned(), addresses }
    }

    /// The same host, where the app answers itself for what it is asked at `site`: a provider there is the app, unless
    /// both addresses are one.
    #[must_use]
    pub fn without_site(&self) -> OwnHost {
        OwnHost { addresses: self.addresses.iter().take(1).cloned().collect(), ..self.clone() }
    }

    /// Whether both of its addresses are one.
    pub fn has_one_address(&self) -> bool {
        self.addresses.windows(2).all(|two| two[0] == two[1])
    }

    /// What its tokens have as `iss`.
    pub(crate) fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Whether this is one of its addresses.
    pub(crate) fn is_at(&self, url: &str) -> bool {
        normal(url).is_some_and(|url| self.addresses.contains(&url))
    }

    /// Whether this is where it publishes its keys.
    pub(crate) fn publishes_keys_at(&self, url: &str) -> bool {
        let Some(url) = normal(url) else { return false };
        url.strip_suffix(KEY_SET_PATH).is_some_and(|address| self.addresses.iter().any(|own| own == address))
    }
}

/// A URL as it is compared: host in lower case, no default port, no slashes at its end. None has a query.
fn normal(url: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    if url.query().is_some() || url.fragment().is_some() || !url.has_host() {
        return None;
    }
    Some(url.as_str().trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_its_addresses_however_they_are_written() {
        let host = OwnHost::new("https://api.example", "http://10.0.0.1:3210/");
        for url in [
            "https://api.example",
            "https://API.example:443/",
            "https://api.example//",
            "http://10.0.0.1:3210",
        ] {
            assert!(host.is_at(url), "{url}");
        }
        for url in [
            "http://api.example",
            "https://api.example:8443",
            "https://api.example/x",
            "https://api.example?x",
            "https://api.example.evil.example",
            "https://me@api.example",
            "api.example",
            "data:,{}",
            "",
        ] {
            assert!(!host.is_at(url), "{url}");
        }
        assert!(host.publishes_keys_at("https://api.example/.well-known/jwks.json"));
        assert!(host.publishes_keys_at("http://10.0.0.1:3210/.well-known/jwks.json"));
        for url in [
            "https://api.example/",
            "https://api.example/jwks.json",
            "https://api.example/x/.well-known/jwks.json",
            "https://api.example/.well-known/jwks.json?x",
            "https://other.example/.well-known/jwks.json",
        ] {
            assert!(!host.publishes_keys_at(url), "{url}");
        }
        assert_eq!(host.issuer(), "https://api.example");
    }

    /// An address below which it is served by a proxy.
    #[test]
    fn an_address_may_have_a_path() {
        let host = OwnHost::new("https://a.example/weir/", "https://a.example/weir");
        assert!(host.is_at("https://a.example/weir") && !host.is_at("https://a.example"));
        assert!(host.publishes_keys_at("https://a.example/weir/.well-known/jwks.json"));
        assert_eq!(host.issuer(), "https://a.example/weir/");
    }

    #[test]
    fn an_app_that_answers_at_the_site_is_no_host_there() {
        let two = OwnHost::new("http://127.0.0.1:3210", "http://127.0.0.1:3211");
        let beside = two.without_site();
        assert!(two.is_at("http://127.0.0.1:3211/") && !beside.is_at("http://127.0.0.1:3211"));
        assert!(beside.is_at("http://127.0.0.1:3210") && !two.has_one_address());
        let one = OwnHost::new("http://127.0.0.1:3210", "http://127.0.0.1:3210/");
        assert!(one.without_site().is_at("http://127.0.0.1:3210") && one.has_one_address());
    }
}
