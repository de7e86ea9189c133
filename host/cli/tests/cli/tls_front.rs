//! A TLS proxy on loopback in front of a server, with certificates of its own making: what an operator has.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

/// What is wrong, or right, with the proxy's certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certificate {
    /// For `localhost` and `127.0.0.1`, of an authority of its own.
    OfOwnAuthority,
    /// The same, signed by itself.
    SelfSigned,
    /// For another name.
    OfAnotherName,
    /// It was good once.
    Expired,
}

/// The proxy, while this lives.
pub struct TlsFront {
    pub port: u16,
    /// The certificate to trust, PEM.
    pub authority: PathBuf,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl TlsFront {
    /// In front of the server at `address`, with its files in `folder`.
    pub fn start(address: &str, folder: &Path, certificate: Certificate) -> TlsFront {
        let (authority_pem, config) = identity(certificate);
        let authority = folder.join("authority.pem");
        std::fs::write(&authority, authority_pem).unwrap();
        let backend: SocketAddr = address.parse().unwrap();
        let (stop, stopped) = oneshot::channel();
        let (tell_port, port) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                tell_port.send(listener.local_addr().unwrap().port()).unwrap();
                tokio::select! {
                    () = forward(listener, TlsAcceptor::from(Arc::new(config)), backend) => {}
                    _ = stopped => {}
                }
            });
        });
        let port = port.recv().unwrap();
        TlsFront { port, authority, stop: Some(stop), thread: Some(thread) }
    }
}

impl Drop for TlsFront {
    fn drop(&mut self) {
        drop(self.stop.take());
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

async fn forward(listener: TcpListener, acceptor: TlsAcceptor, backend: SocketAddr) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            // Whoever does not trust the certificate goes away.
            let Ok(mut secure) = acceptor.accept(stream).await else { return };
            let mut plain = TcpStream::connect(backend).await.unwrap();
            let _ = tokio::io::copy_bidirectional(&mut secure, &mut plain).await;
        });
    }
}

fn pem(certificate: &rcgen::Certificate) -> String {
    pem_of("CERTIFICATE", certificate.der())
}

fn pem_of(kind: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n", lines.join("\n"))
}

/// A certificate with its key, and what to trust for it.
pub struct Made {
    /// The certificate to trust, PEM.
    pub authority_pem: String,
    /// The server's own, DER.
    pub certificate: Vec<u8>,
    /// Its key, PKCS#8.
    pub key: Vec<u8>,
}

impl Made {
    /// Writes certificate and key, PEM, in a folder: `cert.pem`, `key.pem`, and the authority as `authority.pem`.
    pub fn write(&self, folder: &Path) {
        for (name, text) in [
            ("cert.pem", pem_of("CERTIFICATE", &self.certificate)),
            ("key.pem", pem_of("PRIVATE KEY", &self.key)),
            ("authority.pem", self.authority_pem.clone()),
        ] {
            std::fs::write(folder.join(name), text).unwrap();
        }
    }
}

/// The certificate to trust, and what the proxy shows.
fn identity(certificate: Certificate) -> (String, ServerConfig) {
    let Made { authority_pem, certificate, key } = make(certificate);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![CertificateDer::from(certificate)], PrivateKeyDer::try_from(key).unwrap())
        .unwrap();
    (authority_pem, config)
}

/// A new one of this kind.
pub fn make(certificate: Certificate) -> Made {
    let names = match certificate {
        Certificate::OfAnotherName => vec!["another.example".to_owned()],
        _ => ["localhost", "127.0.0.1", "api.test"].map(str::to_owned).into(),
    };
    let mut params = CertificateParams::new(names).unwrap();
    if certificate == Certificate::Expired {
        (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1));
    }
    let key = KeyPair::generate().unwrap();
    let (authority_pem, shown) = match certificate {
        Certificate::SelfSigned => {
            let own = params.self_signed(&key).unwrap();
            (pem(&own), own)
        }
        _ => {
            let mut authority_params = CertificateParams::new(Vec::new()).unwrap();
            authority_params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            let authority_key = KeyPair::generate().unwrap();
            let authority = authority_params.self_signed(&authority_key).unwrap();
            let issuer = Issuer::new(authority_params, authority_key);
            (pem(&authority), params.signed_by(&key, &issuer).unwrap())
        }
    };
    Made { authority_pem, certificate: shown.der().to_vec(), key: key.serialize_der() }
}
