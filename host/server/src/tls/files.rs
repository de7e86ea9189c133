//! Certificates in files: read at the start, where what is wrong with them ends it, and again when they change, where it
//! does not: then those that there were go on.
//!
//! Whether they have changed is seen by their contents, every few seconds and at SIGHUP: whatever has renewed them, in
//! whatever way it has put them there, need not tell.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::signal::unix::{Signal, SignalKind, signal};
use weir_store::Env;
use weir_value::limits;

use super::TlsError;
use super::certificate::{Certificate, Flaw};
use crate::metrics::Metrics;

const CERTIFICATE: &str = "--tls-cert";
const KEY: &str = "--tls-key";

/// A certificate that expires so soon should have been renewed.
const EXPIRES_SOON: Duration = Duration::from_secs(14 * 24 * 3600);

/// How often that is said.
const REMIND_EVERY: Duration = Duration::from_secs(24 * 3600);

/// The files, and what was last good in them.
pub struct CertificateFiles {
    certificate: PathBuf,
    key: PathBuf,
    env: Arc<dyn Env>,
    shown: RwLock<Arc<Certificate>>,
    /// What was last looked at, good or not.
    seen: Mutex<Contents>,
}

#[derive(PartialEq, Eq)]
struct Contents {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

impl CertificateFiles {
    /// Reads them.
    ///
    /// # Errors
    /// There is no certificate in them that is good now, or no key that is its own.
    pub fn open(certificate: &Path, key: &Path, env: Arc<dyn Env>) -> Result<CertificateFiles, TlsError> {
        let contents = Contents::read(certificate, key)?;
        let shown = contents.parse(certificate, key, env.now().since_epoch())?;
        let files = CertificateFiles {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
            env,
            shown: RwLock::new(Arc::new(shown)),
            seen: Mutex::new(contents),
        };
        files.remind();
        Ok(files)
    }

    /// Looks whether they have changed, for ever.
    pub async fn keep(&self, metrics: &Metrics) {
        let mut hangup = signal(SignalKind::hangup()).ok();
        let mut reminded_at = self.env.monotonic();
        loop {
            metrics.certificate_expires_at.set(self.expires_at().as_secs());
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(limits::TLS_FILES_LOOK_MS)) => {}
                () = next(hangup.as_mut()) => {}
            }
            // A few kilobytes: not worth a thread that may block.
            self.look();
            let now = self.env.monotonic();
            if now.saturating_sub(reminded_at) >= REMIND_EVERY {
                reminded_at = now;
                self.remind();
            }
        }
    }

    fn look(&self) {
        let contents = match Contents::read(&self.certificate, &self.key) {
            Ok(contents) => contents,
            // Whatever renews them may be at it.
            Err(error) => {
                tracing::debug!(%error, "the certificate cannot be read just now");
                return;
            }
        };
        let mut seen = self.seen.lock();
        if *seen == contents {
            return;
        }
        match contents.parse(&self.certificate, &self.key, self.env.now().since_epoch()) {
            Ok(certificate) => {
                *self.shown.write() = Arc::new(certificate);
                tracing::info!("a new certificate is in force");
                self.remind();
            }
            Err(error) => tracing::error!(%error, "the new certificate is not taken; the one before goes on"),
        }
        *seen = contents;
    }

    fn expires_at(&self) -> Duration {
        self.shown.read().valid.until
    }

    fn remind(&self) {
        let left = self.expires_at().saturating_sub(self.env.now().since_epoch());
        if left < EXPIRES_SOON {
            let (days, file) = (left.as_secs() / (24 * 3600), self.certificate.display());
            tracing::warn!("the certificate in {file} expires in {days} days: renew it");
        }
    }
}

async fn next(signal: Option<&mut Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => std::future::pending().await,
    }
}

impl Contents {
    fn read(certificate: &Path, key: &Path) -> Result<Contents, TlsError> {
        let read = |flag, path: &Path| {
            fs::read(path).map_err(|source| TlsError::Read { flag, path: path.to_owned(), source })
        };
        Ok(Contents { certificate: read(CERTIFICATE, certificate)?, key: read(KEY, key)? })
    }

    fn parse(&self, certificate: &Path, key: &Path, now: Duration) -> Result<Certificate, TlsError> {
        let unusable =
            |flag, path: &Path, reason: String| TlsError::Unusable { flag, path: path.into(), reason };
        let parsed = Certificate::from_pem(&self.certificate, &self.key).map_err(|flaw| match flaw {
            Flaw::Certificate(reason) => unusable(CERTIFICATE, certificate, reason),
            Flaw::Key(reason) => unusable(KEY, key, reason),
            Flaw::Mismatch => TlsError::Mismatch { certificate: certificate.into(), key: key.into() },
        })?;
        parsed.valid.check(now).map_err(|reason| unusable(CERTIFICATE, certificate, reason))?;
        Ok(parsed)
    }
}

impl ResolvesServerCert for CertificateFiles {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.shown.read().key))
    }
}

/// Without the key.
impl std::fmt::Debug for CertificateFiles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CertificateFiles({})", self.certificate.display())
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};
    use weir_store::SimEnv;
    use weir_value::Timestamp;

    use super::*;

    /// 2026-09-21.
    const NOW: Timestamp = Timestamp::from_nanos(1_790_000_000_000_000_000);

    struct Files {
        dir: tempfile::TempDir,
    }

    impl Files {
        fn new() -> Files {
            Files { dir: tempfile::tempdir().unwrap() }
        }

        fn paths(&self) -> (PathBuf, PathBuf) {
            (self.dir.path().join("cert.pem"), self.dir.path().join("key.pem"))
        }

        /// Puts a certificate there that is good for these years; gives its DER.
        fn put(&self, from: i32, until: i32) -> Vec<u8> {
            let key = KeyPair::generate().unwrap();
            let mut params = CertificateParams::new(vec!["a.example".to_owned()]).unwrap();
            (params.not_before, params.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(until, 1, 1));
            let made = params.self_signed(&key).unwrap();
            let (cert_path, key_path) = self.paths();
            fs::write(cert_path, pem("CERTIFICATE", made.der())).unwrap();
            fs::write(key_path, pem("PRIVATE KEY", &key.serialize_der())).unwrap();
            made.der().to_vec()
        }

        fn open(&self) -> Result<CertificateFiles, TlsError> {
            let (certificate, key) = self.paths();
            CertificateFiles::open(&certificate, &key, Arc::new(SimEnv::new(1, NOW)))
        }

        fn refusal(&self) -> String {
            self.open().unwrap_err().to_string()
        }
    }

    fn pem(kind: &str, der: &[u8]) -> String {
        use base64::Engine;
        let text = base64::engine::general_purpose::STANDARD.encode(der);
        format!("-----BEGIN {kind}-----\n{text}\n-----END {kind}-----\n")
    }

    #[test]
    fn what_is_wrong_is_said_at_the_start() {
        let files = Files::new();
        let (certificate, key) = files.paths();
        assert!(files.refusal().contains("--tls-cert"), "{}", files.refusal());
        files.put(2020, 2040);
        assert!(files.open().is_ok());
        fs::remove_file(&key).unwrap();
        assert!(files.refusal().starts_with("--tls-key"), "{}", files.refusal());
        fs::write(&key, "no key").unwrap();
        assert!(files.refusal().contains("no private key"), "{}", files.refusal());
        files.put(2020, 2040);
        let old_key = fs::read(&key).unwrap();
        files.put(2020, 2040);
        fs::write(&key, old_key).unwrap();
        assert!(files.refusal().contains("is not that of the first certificate"), "{}", files.refusal());
        fs::write(&certificate, "").unwrap();
        assert!(files.refusal().contains("no certificate"), "{}", files.refusal());
        files.put(2020, 2021);
        assert!(files.refusal().contains("has expired"), "{}", files.refusal());
        files.put(2030, 2040);
        assert!(files.refusal().contains("not valid yet"), "{}", files.refusal());
    }

    #[test]
    fn new_files_are_taken_and_broken_ones_are_not() {
        let files = Files::new();
        let first = files.put(2020, 2040);
        let opened = files.open().unwrap();
        let shown = || opened.shown.read().key.cert[0].as_ref().to_vec();
        assert_eq!(shown(), first);
        let second = files.put(2020, 2041);
        opened.look();
        assert_eq!(shown(), second);
        let (certificate, key) = files.paths();
        fs::write(&certificate, "broken").unwrap();
        opened.look();
        assert_eq!(shown(), second, "the one before goes on");
        fs::remove_file(&key).unwrap();
        opened.look();
        files.put(2020, 2021);
        opened.look();
        assert_eq!(shown(), second, "what has expired is not taken either");
        let third = files.put(2020, 2042);
        opened.look();
        assert_eq!(shown(), third);
    }
}
