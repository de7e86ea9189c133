//! Authentication: who may vouch for users ([`Providers`]), whether a token is good and whom it names
//! ([`Verifier`]), and the host's own keys ([`SigningKeys`]).
//!
//! A token is a signed JWT. Its provider is one of OpenID Connect, whose keys are found by its domain, or one
//! of custom tokens, whose keys are at a URL or in the configuration itself, or the host, which has its keys at
//! hand: of the last two nothing is ever fetched. Only public keys are known here, and only RS256, ES256 and EdDSA.
//!
//! **Invariant:** nothing of a token is believed before its signature is checked with a key that its provider
//! published; what a token or a provider's server does costs a bounded amount of time, memory and fetches; no
//! error and no log line holds a token.
//!
//! Not here: sessions, sockets, headers, admin keys, and what functions make of an identity.

mod algorithm;
mod claims;
mod crypto;
mod discovery;
mod error;
mod fetch;
mod http;
mod key_sets;
mod keys;
mod own_host;
pub mod private_file;
mod providers;
mod signing;
mod signing_file;
mod token;
mod urls;
mod verifier;

pub use algorithm::Algorithm;
pub use error::AuthError;
pub use fetch::{FetchError, Fetched, KeyFetcher};
pub use http::{HttpFetcher, HttpFetcherError, machine_roots};
pub use own_host::{DISCOVERY_PATH, KEY_SET_PATH, OwnHost, OwnKeys};
pub use providers::{Providers, ProvidersError, Source, TrustedProvider};
pub use signing::{SignError, SigningKeys};
pub use signing_file::SigningKeysError;
pub use url::Url;
pub use verifier::{Verified, Verifier};
pub use weir_value::SignRequest;
