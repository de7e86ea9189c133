//! What an authority is shown that asks whether a name is this host's: while it is asked for, and no longer.
//!
//! Two ways, as the authority offers them: a certificate on the port of TLS itself (tls-alpn-01, RFC 8737), which a client
//! gets that speaks the protocol `acme-tls/1` and no other; and a text on the port of plain HTTP (http-01, RFC 8555).

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::RwLock;
use rcgen::{CertificateParams, CustomExtension, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use crate::tls::{TlsError, provider, server_config};

/// The protocol of who wants to see the certificate.
const ACME_TLS: &[u8] = b"acme-tls/1";

/// Where the texts are.
const HTTP_PATH: &str = "/.well-known/acme-challenge/";

/// What is to be shown now.
#[derive(Default)]
pub struct Challenges {
    shown: RwLock<Shown>,
}

#[derive(Default)]
struct Shown {
    /// By name.
    certificates: HashMap<String, Arc<ServerConfig>>,
    /// By token.
    texts: HashMap<String, String>,
}

/// Ends what is shown when it is dropped: an order has ended, well or not.
pub struct UntilDropped<'a>(&'a Challenges);

impl Drop for UntilDropped<'_> {
    fn drop(&mut self) {
        *self.0.shown.write() = Shown::default();
    }
}

impl Challenges {
    /// What is shown from now on is shown until the result is dropped.
    pub fn begin(&self) -> UntilDropped<'_> {
        UntilDropped(self)
    }

    /// Shows that `name` is this host's on the port of TLS.
    ///
    /// # Errors
    /// The library makes no such certificate.
    pub fn show_certificate(&self, name: &str, digest: &[u8]) -> Result<(), ChallengeError> {
        let config = config_for(name, digest)?;
        self.shown.write().certificates.insert(name.to_owned(), config);
        Ok(())
    }

    /// Shows `text` on the port of HTTP under `token`.
    pub fn show_text(&self, token: &str, text: &str) {
        self.shown.write().texts.insert(token.to_owned(), text.to_owned());
    }

    /// How TLS goes on with a client that has come for a certificate of a challenge, and for nothing else.
    pub fn config(&self, hello: &ClientHello<'_>) -> Option<Arc<ServerConfig>> {
        let mut protocols = hello.alpn()?;
        if protocols.next() != Some(ACME_TLS) || protocols.next().is_some() {
            return None;
        }
        let name = hello.server_name()?.to_ascii_lowercase();
        self.shown.read().certificates.get(&name).cloned()
    }

    /// The text that is shown at this path, if one is.
    pub fn text(&self, path: &str) -> Option<String> {
        self.shown.read().texts.get(path.strip_prefix(HTTP_PATH)?).cloned()
    }
}

/// Why a challenge cannot be answered.
#[derive(Debug, thiserror::Error)]
pub enum ChallengeError {
    /// The certificate cannot be made.
    #[error("the certificate for a challenge cannot be made: {0}")]
    Make(#[from] rcgen::Error),
    /// TLS does not take it.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// TLS with a certificate that is signed by itself and carries the digest that the authority looks for.
fn config_for(name: &str, digest: &[u8]) -> Result<Arc<ServerConfig>, ChallengeError> {
    let mut params = CertificateParams::new(vec![name.to_owned()])?;
    params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest)];
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?.der().clone();
    let private = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let signing = provider().key_provider.load_private_key(private).map_err(TlsError::from)?;
    // Without the check whether key and certificate fit: it stumbles over the extension, which is critical, as it must be.
    let certified = CertifiedKey::new(vec![certificate], signing);
    Ok(server_config(Arc::new(ShowOne(Arc::new(certified))), ACME_TLS)?)
}

#[derive(Debug)]
struct ShowOne(Arc<CertifiedKey>);

impl ResolvesServerCert for ShowOne {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_shown_while_an_order_is_under_way() {
        let challenges = Challenges::default();
        let order = challenges.begin();
        challenges.show_text("token", "token.thumbprint");
        let path = "/.well-known/acme-challenge/token";
        assert_eq!(challenges.text(path).as_deref(), Some("token.thumbprint"));
        for other in ["/.well-known/acme-challenge/", "/.well-known/acme-challenge/other", "/token", "/"] {
            assert_eq!(challenges.text(other), None, "{other}");
        }
        drop(order);
        assert_eq!(challenges.text(path), None);
    }

    #[test]
    fn a_certificate_for_a_challenge_carries_its_digest_and_its_protocol() {
        let digest = [7; 32];
        let config = config_for("a.test", &digest).unwrap();
        assert_eq!(config.alpn_protocols, [ACME_TLS]);
        let challenges = Challenges::default();
        challenges.show_certificate("a.test", &digest).unwrap();
        assert!(challenges.shown.read().certificates.contains_key("a.test"));
        assert!(config_for("not a name\u{7f}\u{100}", &digest).is_err());
    }
}
