//! TLS in front of the ports, with certificates from files or by ACME.
//!
//! A handshake has a time to come in, and handshakes under way have a bound of their own: whoever opens connections and
//! says nothing takes no places of those who speak. What comes in plain text gets an answer that says so.

mod acme;
mod certificate;
mod error;
mod files;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::server::{Acceptor, ResolvesServerCert};
use tokio::io::AsyncWriteExt;
use tokio::sync::Semaphore;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;
use weir_store::Env;
use weir_value::limits;

use self::acme::Acme;
use self::files::CertificateFiles;
use crate::metrics::Metrics;
use crate::stream::MeteredTcp;

pub use self::acme::{AcmeOptions, LETS_ENCRYPT};
pub use self::error::TlsError;

/// What every record of TLS that begins a handshake begins with.
const HANDSHAKE_RECORD: u8 = 22;

/// The protocol that is spoken inside.
const HTTP_1_1: &[u8] = b"http/1.1";

/// How much of what is written waits encrypted until the other side takes it.
const WRITE_BUFFER_BYTES: usize = 32 * 1024;

/// Where certificates come from.
#[derive(Debug, Clone)]
pub enum TlsOptions {
    /// From files, PEM, which are read again when they change.
    Files {
        /// The certificate, and those between it and the authority's.
        certificate: PathBuf,
        /// Its private key.
        key: PathBuf,
    },
    /// From an authority, by ACME.
    Acme(AcmeOptions),
}

impl TlsOptions {
    /// The names that the certificate is asked for, if it is.
    pub fn names(&self) -> &[String] {
        match self {
            TlsOptions::Files { .. } => &[],
            TlsOptions::Acme(options) => &options.names,
        }
    }
}

/// What a connection has turned out to be.
pub enum Secured {
    /// It is secure.
    Stream(Box<TlsStream<MeteredTcp>>),
    /// It speaks without TLS.
    PlainText(MeteredTcp),
    /// Too many handshakes are under way.
    Refused,
    /// There is nothing to serve: it is gone, or trusts nobody.
    Nothing,
}

/// TLS, ready for connections.
pub struct Tls {
    config: Arc<ServerConfig>,
    certificates: Certificates,
    handshakes: Semaphore,
}

/// What keeps the certificate good that is shown.
enum Certificates {
    Files(Arc<CertificateFiles>),
    Acme(Arc<Acme>),
}

impl Tls {
    /// Reads the certificates. `has_http` says whether there is a port for plain HTTP, where an authority may look.
    ///
    /// # Errors
    /// See [`TlsError`].
    pub fn open(options: &TlsOptions, has_http: bool, env: Arc<dyn Env>) -> Result<Tls, TlsError> {
        let certificates = match options {
            TlsOptions::Files { certificate, key } => {
                Certificates::Files(Arc::new(CertificateFiles::open(certificate, key, env)?))
            }
            TlsOptions::Acme(options) => {
                Certificates::Acme(Arc::new(Acme::open(options.clone(), has_http, env)?))
            }
        };
        let resolver: Arc<dyn ResolvesServerCert> = match &certificates {
            Certificates::Files(files) => Arc::clone(files) as _,
            Certificates::Acme(acme) => Arc::clone(acme) as _,
        };
        let config = server_config(resolver, HTTP_1_1)?;
        Ok(Tls { config, certificates, handshakes: Semaphore::new(limits::TLS_HANDSHAKES_MAX) })
    }

    /// Keeps the certificates good, for ever.
    pub async fn keep(&self, metrics: &Metrics) {
        match &self.certificates {
            Certificates::Files(files) => files.keep(metrics).await,
            Certificates::Acme(acme) => acme.keep(metrics).await,
        }
    }

    /// What an authority is to find at this path of the port for plain HTTP, if it is looking for something there.
    pub fn challenge_text(&self, path: &str) -> Option<String> {
        match &self.certificates {
            Certificates::Files(_) => None,
            Certificates::Acme(acme) => acme.challenges().text(path),
        }
    }

    /// Makes a connection a secure one.
    pub async fn secure(&self, tcp: MeteredTcp) -> Secured {
        let Ok(_turn) = self.handshakes.try_acquire() else {
            tracing::debug!("too many handshakes are under way: a connection is cut");
            return Secured::Refused;
        };
        let time = Duration::from_millis(limits::TLS_HANDSHAKE_MS_MAX);
        let secured = tokio::time::timeout(time, self.shake_hands(tcp)).await;
        secured.unwrap_or(Ok(Secured::Nothing)).unwrap_or_else(|error| {
            tracing::debug!(%error, "a handshake has failed");
            Secured::Nothing
        })
    }

    async fn shake_hands(&self, tcp: MeteredTcp) -> std::io::Result<Secured> {
        match tcp.peek().await? {
            Some(HANDSHAKE_RECORD) => {}
            Some(_) => return Ok(Secured::PlainText(tcp)),
            None => return Ok(Secured::Nothing),
        }
        let start = LazyConfigAcceptor::new(Acceptor::default(), tcp).await?;
        if let Certificates::Acme(acme) = &self.certificates
            && let Some(config) = acme.challenges().config(&start.client_hello())
        {
            // An authority that looks whether a name is this host's: the handshake is all that it wants.
            start.into_stream(config).await?.shutdown().await?;
            return Ok(Secured::Nothing);
        }
        let mut stream = start.into_stream(Arc::clone(&self.config)).await?;
        stream.get_mut().1.set_buffer_limit(Some(WRITE_BUFFER_BYTES));
        Ok(Secured::Stream(Box::new(stream)))
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// TLS 1.2 and 1.3, with tickets that the server need not remember: clients that come back all at once cost less.
fn server_config(
    certificates: Arc<dyn ResolvesServerCert>,
    protocol: &[u8],
) -> Result<Arc<ServerConfig>, TlsError> {
    let config = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()?;
    let mut config = config.with_no_client_auth().with_cert_resolver(certificates);
    config.alpn_protocols = vec![protocol.to_vec()];
    config.ticketer = rustls::crypto::ring::Ticketer::new()?;
    Ok(Arc::new(config))
}
