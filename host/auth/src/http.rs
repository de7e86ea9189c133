//! Fetching over HTTP, where whatever a provider's server does is bounded.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::header::{ACCEPT, LOCATION};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, Url};
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use weir_value::limits::AUTH_KEY_SET_BYTES_MAX;

use crate::fetch::{FetchError, Fetched, KeyFetcher};
use crate::urls;

/// How many times a server may send the host on.
const REDIRECTS_MAX: usize = 3;
/// How long a connection may take to stand, TLS included.
const CONNECT_SECONDS_MAX: u64 = 5;

/// Fetches over HTTP/1.1: from other machines by TLS, from this one also without.
pub struct HttpFetcher {
    /// Made when the first key set is fetched: a start need not read the machine's certificates.
    clients: OnceLock<Result<Clients, HttpFetcherError>>,
}

struct Clients {
    /// For other machines, by way of the proxy that the environment names.
    remote: Client,
    /// For this one.
    local: Client,
}

/// Why fetching could not be set up.
#[derive(Debug, Clone, thiserror::Error)]
#[error("TLS for fetching providers' keys: {0}")]
pub struct HttpFetcherError(String);

impl HttpFetcher {
    /// Trusts [`machine_roots`].
    pub fn new() -> HttpFetcher {
        HttpFetcher { clients: OnceLock::new() }
    }

    /// Trusts these certificates (DER) alone.
    ///
    /// # Errors
    /// When TLS cannot be set up, or one is not a certificate.
    pub fn trusting(certificates: &[Vec<u8>]) -> Result<HttpFetcher, HttpFetcherError> {
        let mut roots = RootCertStore::empty();
        for certificate in certificates {
            let added = roots.add(CertificateDer::from(certificate.as_slice()));
            added.map_err(|error| HttpFetcherError(error.to_string()))?;
        }
        let clients = Clients::trusting(roots)?;
        Ok(HttpFetcher { clients: OnceLock::from(Ok(clients)) })
    }

    fn clients(&self) -> Result<&Clients, FetchError> {
        let clients = self.clients.get_or_init(|| Clients::trusting(machine_roots()));
        clients.as_ref().map_err(|error| FetchError::Unreachable(error.to_string()))
    }

    async fn get(&self, url: &Url) -> Result<Vec<u8>, FetchError> {
        let Clients { remote, local } = self.clients()?;
        let mut at = url.clone();
        for _ in 0..=REDIRECTS_MAX {
            urls::check(&at).map_err(|why| FetchError::Unreachable(why.into()))?;
            let client = if urls::is_loopback(&at) { local } else { remote };
            let request = client.get(at.clone()).header(ACCEPT, "application/json");
            let response = request.send().await.map_err(unreachable)?;
            if !response.status().is_redirection() {
                return body(response).await;
            }
            at = target(&at, &response)?;
        }
        Err(FetchError::Redirect("too often"))
    }
}

impl Default for HttpFetcher {
    fn default() -> Self {
        HttpFetcher::new()
    }
}

impl Clients {
    fn trusting(roots: RootCertStore) -> Result<Clients, HttpFetcherError> {
        let failed = |error: &dyn std::fmt::Display| HttpFetcherError(error.to_string());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| failed(&error))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let builder = || {
            Client::builder()
                .tls_backend_preconfigured(tls.clone())
                .redirect(Policy::none())
                .referer(false)
                .connect_timeout(Duration::from_secs(CONNECT_SECONDS_MAX))
                // Keys are fetched every few minutes: no connection is kept until then.
                .pool_max_idle_per_host(0)
                .user_agent(concat!("weir/", env!("CARGO_PKG_VERSION")))
        };
        let remote = builder().build().map_err(|error| failed(&error))?;
        let local = builder().no_proxy().build().map_err(|error| failed(&error))?;
        Ok(Clients { remote, local })
    }
}

impl KeyFetcher for HttpFetcher {
    fn fetch<'a>(&'a self, url: &'a Url) -> Fetched<'a> {
        Box::pin(self.get(url))
    }
}

/// Where a response sends the host: never from TLS to something without it, and to this machine from itself
/// alone, so that no provider reaches what listens there.
fn target(from: &Url, response: &Response) -> Result<Url, FetchError> {
    let location = response.headers().get(LOCATION).and_then(|location| location.to_str().ok());
    let location = location.ok_or(FetchError::Redirect("without saying where to"))?;
    let to = from.join(location).map_err(|_| FetchError::Redirect("to what is not a URL"))?;
    urls::check(&to).map_err(|_| FetchError::Redirect("to a URL without https"))?;
    if from.scheme() == "https" && to.scheme() != "https" {
        return Err(FetchError::Redirect("from https to http"));
    }
    if urls::is_loopback(&to) && !urls::is_loopback(from) {
        return Err(FetchError::Redirect("to this machine"));
    }
    Ok(to)
}

async fn body(mut response: Response) -> Result<Vec<u8>, FetchError> {
    if response.status() != 200 {
        return Err(FetchError::Status(response.status().as_u16()));
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        if body.len() + chunk.len() > AUTH_KEY_SET_BYTES_MAX {
            return Err(FetchError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The innermost reason: what stands around it repeats the URL.
fn unreachable(error: reqwest::Error) -> FetchError {
    if error.is_timeout() {
        return FetchError::TimedOut(CONNECT_SECONDS_MAX);
    }
    let mut cause: &dyn std::error::Error = &error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    FetchError::Unreachable(cause.to_string())
}

/// The authorities that this machine trusts, or, on one that has none, those that Mozilla does.
pub fn machine_roots() -> RootCertStore {
    roots(rustls_native_certs::load_native_certs().certs)
}

/// What the machine's administrator trusts counts, a company's own authority above all. A small box may have no
/// certificates at all, and has to reach its provider too.
fn roots(of_machine: Vec<CertificateDer<'static>>) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(of_machine);
    if roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    roots
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trusts_the_machine_and_mozilla_where_it_has_nothing() {
        let own = rcgen::generate_simple_self_signed(vec!["a.example".into()]).unwrap().cert;
        assert_eq!(roots(vec![own.der().clone()]).len(), 1);
        assert_eq!(roots(Vec::new()).len(), webpki_roots::TLS_SERVER_ROOTS.len());
        let broken = CertificateDer::from(b"no certificate".to_vec());
        assert_eq!(roots(vec![broken]).len(), webpki_roots::TLS_SERVER_ROOTS.len());
    }
}
