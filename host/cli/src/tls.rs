//! TLS as a client: whom to trust, and what is said of a server that is not trusted.

use std::io;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, anyhow, bail};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{CertificateError, ClientConfig, Error as TlsError, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::url::ServerUrl;

/// What connects, and whom it trusts: the authorities in `authorities`, a file of certificates, alone; without one
/// those that this machine trusts, or, on one that has none, those that Mozilla does.
///
/// # Errors
/// The file cannot be read, or holds no certificate.
pub fn connector(authorities: Option<&Path>) -> anyhow::Result<TlsConnector> {
    let roots = match authorities {
        Some(file) => read_authorities(file)?,
        None => weir_auth::machine_roots(),
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .context("TLS cannot be set up")?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

fn read_authorities(file: &Path) -> anyhow::Result<RootCertStore> {
    let named = || format!("--ca-certificate {}", file.display());
    let mut roots = RootCertStore::empty();
    for certificate in
        CertificateDer::pem_file_iter(file).map_err(|error| anyhow!(error)).with_context(named)?
    {
        let certificate = certificate.map_err(|error| anyhow!(error)).with_context(named)?;
        roots.add(certificate).map_err(|error| anyhow!(error)).with_context(named)?;
    }
    match roots.is_empty() {
        true => bail!("{}: there is no certificate in it; it must be PEM", named()),
        false => Ok(roots),
    }
}

/// Makes a connection a secure one.
///
/// # Errors
/// The server's certificate is not trusted, or is not its own: with what to do.
pub async fn secure(
    connector: &TlsConnector,
    url: &ServerUrl,
    stream: TcpStream,
) -> anyhow::Result<TlsStream<TcpStream>> {
    let name = ServerName::try_from(url.host.clone());
    let name = name.map_err(|_| anyhow!("`{}` is neither a name nor an address", url.host))?;
    let connected = connector.connect(name, stream).await;
    connected.map_err(|error| anyhow!("{} is not trusted: {}", url.origin(), explain(&error, &url.host)))
}

fn explain(error: &io::Error, host: &str) -> String {
    use CertificateError::{
        Expired, ExpiredContext, NotValidForName, NotValidForNameContext, NotValidYet, NotValidYetContext,
        UnknownIssuer,
    };
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<TlsError>());
    let Some(TlsError::InvalidCertificate(reason)) = tls else {
        return format!("{error}; does it speak TLS at this port?");
    };
    match reason {
        UnknownIssuer => {
            "its certificate is signed by nobody whom this machine trusts; if it is signed by an authority \
                          of your own, name that one's certificate with --ca-certificate"
                .to_owned()
        }
        NotValidForName | NotValidForNameContext { .. } => {
            format!("its certificate is for another name than `{host}`; use the name that it is for in --url")
        }
        Expired | ExpiredContext { .. } => "its certificate has expired; renew it on the server".to_owned(),
        NotValidYet | NotValidYetContext { .. } => {
            "its certificate is not valid yet; is this machine's clock right?".to_owned()
        }
        other => format!("its certificate is no good: {other:?}"),
    }
}
