//! Certificates by ACME (RFC 8555), such as Let's Encrypt's: asked for, kept in the data folder, renewed.
//!
//! A start asks nobody where a certificate is kept that is not due. Where there is none, the host serves all the same, and
//! handshakes fail until there is one. Nothing that fails here ends anything: the certificate before goes on, and it is
//! tried again, more and more seldom. Each attempt is written down before it is made, until its certificate is kept: a host
//! that is started again and again asks no more often than one that runs.

mod challenges;
mod client;
mod failure;
mod kept;
mod order;
mod schedule;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use instant_acme::{ChallengeType, LetsEncrypt};
use parking_lot::{Mutex, RwLock};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use weir_store::Env;
use weir_value::limits;

use self::challenges::Challenges;
use self::client::DirectoryClient;
use self::failure::Failure;
use self::kept::{ATTEMPTS, Kept, KeptAttempts, KeptCertificate};
use self::order::Asked;
use super::TlsError;
use super::certificate::{Certificate, date};
use crate::metrics::Metrics;

/// The directory of Let's Encrypt.
pub const LETS_ENCRYPT: &str = LetsEncrypt::Production.url();

const AUTHORITIES: &str = "--acme-ca";

/// What certificates to ask for, and of whom.
#[derive(Debug, Clone)]
pub struct AcmeOptions {
    /// The names that the certificate is for.
    pub names: Vec<String>,
    /// Whom the authority may write to.
    pub email: Option<String>,
    /// The URL of the authority's directory.
    pub directory: String,
    /// Certificates (PEM) of those to trust for the directory, those alone; `None`: those that this machine trusts.
    pub authorities: Option<PathBuf>,
    /// Where account and certificate are kept.
    pub folder: PathBuf,
}

/// The certificate that is shown, and what renews it.
pub struct Acme {
    options: AcmeOptions,
    authorities: Option<RootCertStore>,
    kept: Kept,
    env: Arc<dyn Env>,
    shown: RwLock<Option<Shown>>,
    /// The certificate in force, while the disk has not taken it.
    unwritten: Mutex<Option<KeptCertificate>>,
    /// What was tried before this start.
    before: Option<KeptAttempts>,
    challenges: Challenges,
    /// Whether there is a port for plain HTTP.
    has_http: bool,
}

#[derive(Clone)]
struct Shown {
    certificate: Certificate,
    /// Whether it is what would be asked for now.
    is_as_asked: bool,
}

impl Acme {
    /// Takes what was kept.
    ///
    /// # Errors
    /// The authorities to trust are none, or what was kept may not be read, or others can read it.
    pub fn open(mut options: AcmeOptions, has_http: bool, env: Arc<dyn Env>) -> Result<Acme, TlsError> {
        options.names.sort();
        options.names.dedup();
        let authorities = options.authorities.as_deref().map(read_authorities).transpose()?;
        let kept = Kept::at(&options.folder);
        let shown = kept.certificate()?.and_then(|kept| parse_kept(&options, &kept));
        let of_these = |attempts: &KeptAttempts| {
            attempts.names == options.names && attempts.directory == options.directory
        };
        let before = kept.attempts()?.filter(of_these);
        let (shown, unwritten, challenges) = (RwLock::new(shown), Mutex::default(), Challenges::default());
        Ok(Acme { options, authorities, kept, env, shown, unwritten, before, challenges, has_http })
    }

    /// What authorities are shown that ask whether a name is this host's.
    pub fn challenges(&self) -> &Challenges {
        &self.challenges
    }

    /// Renews the certificate whenever it is due, for ever.
    pub async fn keep(&self, metrics: &Metrics) {
        let mut failures = self.before.as_ref().map_or(0, |before| before.failures);
        let mut ways = self.ways();
        self.say_what_is_there();
        self.end_pause().await;
        loop {
            metrics.certificate_expires_at.set(self.expires_at().map_or(0, |at| at.as_secs()));
            self.until_due().await;
            let pause = match self.attempt(failures + 1, &ways).await {
                Ok(()) => {
                    failures = 0;
                    metrics.certificates_obtained.add(1);
                    // Whatever an authority gives: it is not asked without a pause.
                    Duration::from_millis(limits::ACME_PAUSE_MS_MIN)
                }
                Err((failure, told)) => {
                    failures += 1;
                    metrics.certificates_failed.add(1);
                    let pause = schedule::pause(failures, self.random(), told);
                    self.say_failure(&failure, pause);
                    // What was written before the attempt knows nothing of the dice, nor of what the authority has said.
                    if let Err(error) = self.write_down(failures, pause).await {
                        tracing::debug!(%error, "the pause cannot be written down");
                    }
                    if matches!(failure, Failure::Unproven { .. }) {
                        // The port of the one way may not be reached from outside, while that of the other is.
                        ways.reverse();
                    }
                    pause
                }
            };
            metrics.certificate_expires_at.set(self.expires_at().map_or(0, |at| at.as_secs()));
            tokio::time::sleep(pause).await;
        }
    }

    /// The ways in which this host proves that a name is its own.
    fn ways(&self) -> Vec<ChallengeType> {
        let http = self.has_http.then_some(ChallengeType::Http01);
        std::iter::once(ChallengeType::TlsAlpn01).chain(http).collect()
    }

    /// Waits for what is left of the pause that was to follow an attempt before this start.
    async fn end_pause(&self) {
        let Some(KeptAttempts { failures, not_before, .. }) = self.before else { return };
        let pause = schedule::rest_of_pause(Duration::from_secs(not_before), self.env.now().since_epoch());
        if pause.is_zero() {
            return;
        }
        let (names, directory, file) =
            (self.names(), &self.options.directory, self.options.folder.join(ATTEMPTS));
        let (seconds, file) = (pause.as_secs(), file.display());
        tracing::warn!(
            "{directory} was asked {failures} times in a row for a certificate for {names} that was not kept; it is asked \
             again in {seconds} s, or at a start without {file}"
        );
        tokio::time::sleep(pause).await;
    }

    /// Gets a new certificate, after it was written down that this is tried, as so many in a row.
    async fn attempt(&self, number: u32, ways: &[ChallengeType]) -> Result<(), (Failure, Option<Duration>)> {
        let pause = schedule::pause(number, 0, None);
        self.write_down(number, pause).await.map_err(|error| (Failure::Note(error), None))?;
        self.renew(ways).await
    }

    async fn write_down(&self, failures: u32, pause: Duration) -> io::Result<()> {
        let attempts = KeptAttempts {
            directory: self.options.directory.clone(),
            names: self.options.names.clone(),
            failures,
            not_before: (self.env.now().since_epoch() + pause).as_secs(),
        };
        let kept = self.kept.clone();
        tokio::task::spawn_blocking(move || kept.keep_attempts(&attempts)).await.map_err(io::Error::other)?
    }

    /// Keeps the certificate in force; then nothing is left of the attempts that it took.
    async fn keep_certificate(&self, certificate: KeptCertificate) -> io::Result<()> {
        let (kept, written) = (self.kept.clone(), certificate.clone());
        // Until it is there, whatever becomes of the task.
        *self.unwritten.lock() = Some(certificate);
        let write = move || kept.keep_certificate(&written).and_then(|()| kept.forget_attempts());
        tokio::task::spawn_blocking(write).await.map_err(io::Error::other)??;
        *self.unwritten.lock() = None;
        Ok(())
    }

    /// Whether the certificate in force is on the disk, which is tried once more if it is not.
    async fn is_written(&self) -> bool {
        let Some(unwritten) = self.unwritten.lock().clone() else { return true };
        let written = self.keep_certificate(unwritten).await;
        match &written {
            Ok(()) => tracing::info!("the certificate for {} is kept now", self.names()),
            Err(error) => tracing::debug!(%error, "the certificate cannot be kept"),
        }
        written.is_ok()
    }

    async fn until_due(&self) {
        loop {
            let look_ms = match self.is_written().await {
                true => limits::ACME_LOOK_MS,
                false => limits::ACME_WRITE_AGAIN_MS,
            };
            let Some(shown) = self.shown.read().clone().filter(|shown| shown.is_as_asked) else { return };
            let left = schedule::due_at(shown.certificate.valid).saturating_sub(self.env.now().since_epoch());
            if left.is_zero() {
                return;
            }
            tokio::time::sleep(left.min(Duration::from_millis(look_ms))).await;
        }
    }

    /// Gets a new certificate, and shows it from then on. A failure comes with how long the authority says to wait.
    async fn renew(&self, ways: &[ChallengeType]) -> Result<(), (Failure, Option<Duration>)> {
        let roots = self.authorities.clone().unwrap_or_else(weir_auth::machine_roots);
        let client =
            DirectoryClient::trusting(roots).map_err(|error| (TlsError::from(error).into(), None))?;
        let time = Duration::from_millis(limits::ACME_ORDER_MS_MAX);
        let obtained = tokio::time::timeout(time, self.obtain(&client, ways)).await;
        obtained.unwrap_or(Err(Failure::TimedOut)).map_err(|failure| {
            if failure.is_of_unknown_account()
                && let Err(error) = self.kept.forget_account()
            {
                tracing::error!(%error, "the account that the authority does not know cannot be removed");
            }
            (failure, client.retry_after())
        })
    }

    async fn obtain(&self, client: &DirectoryClient, ways: &[ChallengeType]) -> Result<(), Failure> {
        let Acme { options, kept, challenges, .. } = self;
        let obtained = Box::pin(Asked { options, kept, challenges, client, ways }.obtain()).await?;
        let certificate = Certificate::from_pem(obtained.chain.as_bytes(), obtained.key.as_bytes());
        let certificate = certificate.map_err(|flaw| Failure::Unusable(flaw.to_string()))?;
        certificate.valid.check(self.env.now().since_epoch()).map_err(Failure::Unusable)?;
        let until = date(certificate.valid.until);
        *self.shown.write() = Some(Shown { certificate, is_as_asked: true });
        tracing::info!("a new certificate for {} is in force, until {until}", self.names());
        if let Err(error) = self.keep_certificate(obtained).await {
            tracing::error!(
                "the new certificate cannot be kept, which is tried again; until then a restart asks for another one: {error}"
            );
        }
        Ok(())
    }

    fn expires_at(&self) -> Option<Duration> {
        self.shown.read().as_ref().map(|shown| shown.certificate.valid.until)
    }

    fn names(&self) -> String {
        self.options.names.join(", ")
    }

    fn random(&self) -> u32 {
        let mut bytes = [0; 4];
        self.env.fill_random(&mut bytes);
        u32::from_le_bytes(bytes)
    }

    fn say_what_is_there(&self) {
        let (names, directory) = (self.names(), &self.options.directory);
        match self.shown.read().as_ref() {
            None => tracing::warn!(
                "there is no certificate for {names} yet: {directory} is asked for one; until it is there, TLS handshakes \
                 fail"
            ),
            Some(Shown { is_as_asked: false, .. }) => tracing::info!(
                "the certificate that was kept is for other names, or of another authority: {directory} is asked for one \
                 for {names}; until it is there, the old one goes on"
            ),
            Some(shown) => {
                let until = date(shown.certificate.valid.until);
                tracing::info!("the certificate for {names} that was kept is good until {until}");
            }
        }
    }

    fn say_failure(&self, failure: &Failure, pause: Duration) {
        let (names, directory, advice) = (self.names(), &self.options.directory, failure.advice());
        let meanwhile = match self.expires_at() {
            Some(until) => format!("the one before goes on, until {}", date(until)),
            None => "until there is one, TLS handshakes fail".to_owned(),
        };
        let seconds = pause.as_secs();
        tracing::error!(
            "no certificate for {names} from {directory}: {failure}. What to do: {advice}. It is tried again in \
             {seconds} s; {meanwhile}"
        );
    }
}

/// What was kept, if it is of any use. Whether it is still good is seen by when it is due.
fn parse_kept(options: &AcmeOptions, kept: &KeptCertificate) -> Option<Shown> {
    match Certificate::from_pem(kept.chain.as_bytes(), kept.key.as_bytes()) {
        Ok(certificate) => {
            let is_as_asked = kept.names == options.names && kept.directory == options.directory;
            Some(Shown { certificate, is_as_asked })
        }
        Err(flaw) => {
            let folder = options.folder.display();
            tracing::warn!("the certificate that was kept in {folder} is no good, and is made anew: {flaw}");
            None
        }
    }
}

fn read_authorities(file: &Path) -> Result<RootCertStore, TlsError> {
    let text = std::fs::read(file);
    let text = text.map_err(|source| TlsError::Read { flag: AUTHORITIES, path: file.into(), source })?;
    let unusable = |reason: String| TlsError::Unusable { flag: AUTHORITIES, path: file.to_owned(), reason };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&text) {
        let certificate = certificate.map_err(|error| unusable(format!("it is not PEM: {error}")))?;
        roots.add(certificate).map_err(|error| unusable(format!("it cannot be trusted: {error}")))?;
    }
    match roots.is_empty() {
        true => Err(unusable("there is no certificate in it; it must be PEM".into())),
        false => Ok(roots),
    }
}

impl ResolvesServerCert for Acme {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.shown.read().as_ref().map(|shown| Arc::clone(&shown.certificate.key))
    }
}

/// Without the key.
impl std::fmt::Debug for Acme {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Acme({})", self.names())
    }
}

#[cfg(test)]
mod tests;
