//! What fetches a document of a provider: a trait, so that tests and the host itself may answer for a
//! provider.

use std::future::Future;
use std::pin::Pin;

use url::Url;
use weir_value::limits::AUTH_KEY_SET_BYTES_MAX;

/// What [`KeyFetcher::fetch`] gives.
pub type Fetched<'a> = Pin<Box<dyn Future<Output = Result<Vec<u8>, FetchError>> + Send + 'a>>;

/// Fetches documents of providers. Whoever asks sets a limit to the time in all.
pub trait KeyFetcher: Send + Sync + 'static {
    /// The body of what is at `url`, at most [`AUTH_KEY_SET_BYTES_MAX`] bytes.
    ///
    /// # Errors
    /// When there is no answer, or none that is a document.
    fn fetch<'a>(&'a self, url: &'a Url) -> Fetched<'a>;
}

/// Why a document was not to be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// No connection, or it broke.
    #[error("no connection: {0}")]
    Unreachable(String),
    /// The server took too long in all.
    #[error("no answer within {0} s")]
    TimedOut(u64),
    /// An answer other than 200.
    #[error("the server answered with HTTP status {0} instead of 200")]
    Status(u16),
    /// The server sent the host on, to where it does not go.
    #[error("the server redirects {0}")]
    Redirect(&'static str),
    /// The body is larger than a key set may be.
    #[error("the answer is larger than {AUTH_KEY_SET_BYTES_MAX} bytes")]
    TooLarge,
}
