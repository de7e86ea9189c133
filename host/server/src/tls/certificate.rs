//! A certificate with its key, as a client is shown it.

use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use super::provider;

/// A certificate with its key, good when it was read.
#[derive(Clone)]
pub struct Certificate {
    /// What TLS shows and signs with.
    pub key: Arc<CertifiedKey>,
    /// Between which moments it is good, since the Unix epoch.
    pub valid: Validity,
}

/// From when until when a certificate is good, since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// The first moment.
    pub from: Duration,
    /// The last.
    pub until: Duration,
}

/// What is wrong with a certificate, or with its key.
#[derive(Debug)]
pub enum Flaw {
    /// The certificate: why.
    Certificate(String),
    /// The key: why.
    Key(String),
    /// They have nothing to do with each other.
    Mismatch,
}

impl std::fmt::Display for Flaw {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Flaw::Certificate(reason) | Flaw::Key(reason) => f.write_str(reason),
            Flaw::Mismatch => f.write_str("the key is not that of the first certificate"),
        }
    }
}

impl Certificate {
    /// Reads a certificate, those that signed it after it, and its key, all PEM. Whether it is good now is another
    /// question: see [`Validity::check`].
    ///
    /// # Errors
    /// They are none, or have nothing to do with each other.
    pub fn from_pem(certificate: &[u8], key: &[u8]) -> Result<Certificate, Flaw> {
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(certificate)
            .collect::<Result<_, _>>()
            .map_err(|error| Flaw::Certificate(format!("it is not PEM: {error}")))?;
        let Some(own) = chain.first() else {
            return Err(Flaw::Certificate("there is no certificate in it; it must be PEM".into()));
        };
        let valid = Validity::of(own).map_err(Flaw::Certificate)?;
        let private = PrivateKeyDer::from_pem_slice(key).map_err(|error| {
            Flaw::Key(format!("there is no private key in it that can be read; it must be PEM: {error}"))
        })?;
        let certified = CertifiedKey::from_der(chain, private, &provider()).map_err(|error| match error {
            rustls::Error::InconsistentKeys(rustls::InconsistentKeys::KeyMismatch) => Flaw::Mismatch,
            error => Flaw::Key(format!("it is of no use: {error}")),
        })?;
        Ok(Certificate { key: Arc::new(certified), valid })
    }
}

impl Validity {
    fn of(certificate: &CertificateDer<'_>) -> Result<Validity, String> {
        let parsed = x509_parser::parse_x509_certificate(certificate);
        let (_, parsed) = parsed.map_err(|error| format!("its first certificate cannot be read: {error}"))?;
        let validity = parsed.validity();
        let since_epoch = |seconds: i64| Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
        Ok(Validity {
            from: since_epoch(validity.not_before.timestamp()),
            until: since_epoch(validity.not_after.timestamp()),
        })
    }

    /// Checks that a certificate is good at this moment.
    ///
    /// # Errors
    /// It is not: why.
    pub fn check(&self, now: Duration) -> Result<(), String> {
        if self.until.as_secs() < now.as_secs() {
            return Err(format!("its certificate has expired ({}): renew it", date(self.until)));
        }
        if self.from.as_secs() > now.as_secs() {
            return Err(format!(
                "its certificate is not valid yet (from {} on): is this machine's clock right?",
                date(self.from)
            ));
        }
        Ok(())
    }
}

/// A moment since the Unix epoch as a date, in the words of certificates.
pub fn date(since_epoch: Duration) -> String {
    let seconds = i64::try_from(since_epoch.as_secs()).unwrap_or(i64::MAX);
    match x509_parser::time::ASN1Time::from_timestamp(seconds) {
        Ok(time) => time.to_string(),
        Err(_) => format!("{seconds} s after 1970"),
    }
}
