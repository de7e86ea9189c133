//! Why a token is no good.

use weir_value::IdentityError;
use weir_value::limits::TOKEN_BYTES_MAX;

use crate::algorithm::Algorithm;

/// Why a token was refused. The words are for whoever sent it and say what to do; they hold nothing of the
/// token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// Longer than a token may be.
    #[error("the token is longer than {TOKEN_BYTES_MAX} bytes: leave claims out that no function reads")]
    TooLarge,
    /// Not a signed JWT in compact form.
    #[error("the token is not a JWT ({0}): send it as the provider gave it, without blanks or quotes")]
    Malformed(String),
    /// Five parts instead of three.
    #[error("the token is encrypted (JWE): have the provider sign it only (JWS)")]
    Encrypted,
    /// `alg` is `none`, or there is no signature.
    #[error("the token is not signed: have the provider sign it with RS256, ES256 or EdDSA")]
    Unsigned,
    /// `alg` is none of those that are known, a symmetric one above all.
    #[error("the token's `alg` is not supported: have the provider sign with RS256, ES256 or EdDSA")]
    UnsupportedAlgorithm,
    /// The provider, or the key that the token names, is for another algorithm.
    #[error(
        "the token's `alg` is not that of the key or of the provider {provider:?}, which is for {expected}"
    )]
    WrongAlgorithm {
        /// Its issuer.
        provider: String,
        /// What the provider's configuration allows.
        expected: String,
    },
    /// The header asks for something to be understood that is not.
    #[error("the token's header has `crit` or `b64`, which is not supported: have the provider leave it out")]
    CriticalHeader,
    /// The header says that it is a token for another purpose.
    #[error("the token's `typ` says that it does not name a user: send an ID token or an access token")]
    OtherPurpose,
    /// A claim is missing that has to be there.
    #[error("the token has no claim `{0}`: have the provider add it")]
    MissingClaim(&'static str),
    /// A claim is of another type.
    #[error("the token's claim `{0}` is not of the right type: have the provider correct it")]
    MalformedClaim(&'static str),
    /// The deployment has no providers.
    #[error("no provider of users is set up: add one to `auth.config.ts` or `host.toml`, and deploy again")]
    NoProviders,
    /// `iss` is that of no provider.
    #[error(
        "no provider has the token's `iss`: compare it with `domain` or `issuer` of the providers in \
         `auth.config.ts` or `host.toml`"
    )]
    UnknownIssuer,
    /// A provider has this `iss`, but the token is for another application.
    #[error(
        "the token's `aud` is not the `applicationID` of the provider {provider:?}: compare the two, in \
         `auth.config.ts` or `host.toml`"
    )]
    WrongAudience {
        /// Its issuer.
        provider: String,
    },
    /// `iss` and what the provider calls itself differ by a slash.
    #[error("the token's `iss` is not the `issuer` that the provider {provider:?} publishes")]
    WrongIssuer {
        /// Its domain.
        provider: String,
    },
    /// `exp` is over.
    #[error("the token has expired: fetch a new one")]
    Expired,
    /// `nbf` or `iat` is to come.
    #[error("the token is not good yet: compare the clocks of the provider and of this host")]
    NotYetValid,
    /// No key has the token's `kid`.
    #[error("the provider {provider:?} has no key with the token's `kid`: fetch a new token")]
    UnknownKey {
        /// Its issuer.
        provider: String,
    },
    /// There is no `kid`, and several keys.
    #[error(
        "the token's header has no `kid`, and the provider {provider:?} several keys: have it add the `kid`"
    )]
    AmbiguousKey {
        /// Its issuer.
        provider: String,
    },
    /// Signed by somebody else, or changed.
    #[error("the token's signature is not that of the provider {provider:?}")]
    BadSignature {
        /// Its issuer.
        provider: String,
    },
    /// The provider did not give its keys.
    #[error("the keys of the provider {provider:?} cannot be had: {why}. Try again")]
    KeysUnavailable {
        /// Its issuer.
        provider: String,
        /// What happened.
        why: String,
    },
    /// Too many tokens wait for the keys of this provider.
    #[error("too many tokens wait for new keys of the provider {provider:?}. Try again")]
    Busy {
        /// Its issuer.
        provider: String,
    },
    /// The claims do not make an identity.
    #[error("the token's claims: {0}")]
    Identity(#[from] IdentityError),
}

impl AuthError {
    /// Whether the same token may be good a little later: the fault is not the token's.
    pub fn is_transient(&self) -> bool {
        matches!(self, AuthError::KeysUnavailable { .. } | AuthError::Busy { .. })
    }

    pub(crate) fn wrong_algorithm(provider: &str, expected: &[Algorithm]) -> AuthError {
        let expected: Vec<_> = expected.iter().map(|algorithm| algorithm.name()).collect();
        AuthError::WrongAlgorithm { provider: provider.to_owned(), expected: expected.join(", ") }
    }
}
