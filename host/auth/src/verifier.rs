//! Whether a token is good, and whom it names.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use serde_json::Value as Json;
use url::Url;
use weir_value::Identity;

use crate::claims;
use crate::crypto;
use crate::error::AuthError;
use crate::fetch::KeyFetcher;
use crate::key_sets::{KeySets, KeysError};
use crate::keys::{KeySet, Selection};
use crate::own_host::OwnKeys;
use crate::providers::{Issuer, KeySource, Provider, Providers, TrustedProvider};
use crate::token::Token;

/// Checks tokens against a deployment's providers, and keeps their keys over deployments.
pub struct Verifier {
    sets: KeySets,
    own: Arc<dyn OwnKeys>,
}

/// A good token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Whom it names.
    pub identity: Identity,
    /// From when on (since the epoch) the same token is refused: its `exp`, and the leeway.
    pub expires_at: Duration,
    /// Who vouched for it.
    pub provider: TrustedProvider,
}

impl Verifier {
    /// `own` are the keys of the host itself. `monotonic` is the time since some fixed moment, and never goes back: keys age by it, whatever is done
    /// to the clock.
    pub fn new(
        fetcher: Arc<dyn KeyFetcher>,
        own: Arc<dyn OwnKeys>,
        monotonic: impl Fn() -> Duration + Send + Sync + 'static,
    ) -> Verifier {
        crypto::install();
        Verifier { sets: KeySets::new(fetcher, Box::new(monotonic)), own }
    }

    /// Checks a token at `now` (since the epoch). The first provider counts whose issuer and application the
    /// token has. Waits for the provider's keys if they are not there: for half a minute at most.
    ///
    /// # Errors
    /// Why the token was refused. See [`AuthError::is_transient`] for those that are not its fault.
    pub async fn verify(
        &self,
        providers: &Providers,
        token: &str,
        now: Duration,
    ) -> Result<Verified, AuthError> {
        if providers.is_empty() {
            return Err(AuthError::NoProviders);
        }
        let token = Token::parse(token)?;
        let provider = provider_of(providers, &token)?;
        if !provider.algorithms.contains(&token.algorithm) {
            return Err(AuthError::wrong_algorithm(provider.issuer.name(), &provider.algorithms));
        }
        let subject = match token.claims.get("sub") {
            Some(Json::String(subject)) if !subject.is_empty() => subject.clone(),
            None => return Err(AuthError::MissingClaim("sub")),
            Some(_) => return Err(AuthError::MalformedClaim("sub")),
        };
        let expires_at = token.check_times(now)?;
        match &provider.keys {
            KeySource::Fixed { keys, .. } => {
                check_signature(keys, provider, &token).map_err(|refusal| refusal.error)?
            }
            KeySource::Own => self.check_own(provider, &token)?,
            KeySource::Jwks(url) | KeySource::Discovery(url) => {
                self.check_remotely(provider, url, &token).await?
            }
        }
        let identity = match provider.issuer {
            Issuer::Domain(_) => claims::oidc_identity(&token.issuer, &subject, token.claims)?,
            Issuer::Exactly(_) => claims::custom_identity(&token.issuer, &subject, token.claims)?,
        };
        Ok(Verified { identity, expires_at, provider: TrustedProvider(Arc::clone(provider)) })
    }

    /// Fetches the keys of these providers that are not there, so that the first token need not wait. Gives
    /// the providers (by issuer) whose keys cannot be had, and why: for whoever deploys them to see.
    pub async fn prepare(&self, providers: &Providers) -> Vec<(String, AuthError)> {
        // All at once: one that is slow does not hold the others up.
        let fetches = providers.iter().map(|provider| Box::pin(self.fetch_keys(provider)));
        let mut failed: Vec<_> = all(fetches.collect()).await.into_iter().flatten().collect();
        failed.sort_by(|(one, _), (other, _)| one.cmp(other));
        failed
    }

    /// The provider and why, if its keys cannot be had.
    async fn fetch_keys(&self, provider: &Provider) -> Option<(String, AuthError)> {
        let (KeySource::Jwks(url) | KeySource::Discovery(url)) = &provider.keys else { return None };
        let error = self.sets.current(provider, url).await.err()?;
        Some((provider.issuer.name().to_owned(), no_keys(error, provider)))
    }

    /// There are no newer keys than those that are at hand, so no token waits for others.
    fn check_own(&self, provider: &Provider, token: &Token<'_>) -> Result<(), AuthError> {
        let keys = self.own.own_keys().ok_or_else(|| AuthError::KeysUnavailable {
            provider: provider.issuer.name().to_owned(),
            why: "the host cannot read its own; its log says why".to_owned(),
        })?;
        check_signature(keys.public(), provider, token).map_err(|refusal| refusal.error)
    }

    async fn check_remotely(
        &self,
        provider: &Provider,
        url: &Url,
        token: &Token<'_>,
    ) -> Result<(), AuthError> {
        let mut current = self.sets.current(provider, url).await.map_err(|error| no_keys(error, provider))?;
        let mut checked = check_signature(&current.loaded.keys, provider, token);
        if let Err(refusal) = &checked
            && refusal.may_be_outdated
            && !current.is_newest
        {
            current.loaded =
                self.sets.newer(provider, url).await.map_err(|error| no_keys(error, provider))?;
            checked = check_signature(&current.loaded.keys, provider, token);
        }
        checked.map_err(|refusal| refusal.error)?;
        match &current.loaded.issuer {
            Some(issuer) if *issuer != token.issuer => {
                Err(AuthError::WrongIssuer { provider: provider.issuer.name().to_owned() })
            }
            _ => Ok(()),
        }
    }
}

/// The outputs of all, as they come.
async fn all<F: Future + Unpin>(mut futures: Vec<F>) -> Vec<F::Output> {
    let mut outputs = Vec::with_capacity(futures.len());
    poll_fn(move |cx| {
        futures.retain_mut(|future| match Pin::new(future).poll(cx) {
            Poll::Ready(output) => {
                outputs.push(output);
                false
            }
            Poll::Pending => true,
        });
        if futures.is_empty() { Poll::Ready(std::mem::take(&mut outputs)) } else { Poll::Pending }
    })
    .await
}

struct Refusal {
    error: AuthError,
    /// Whether other keys may tell otherwise: the provider may have replaced those that are here.
    may_be_outdated: bool,
}

fn check_signature(keys: &KeySet, provider: &Provider, token: &Token<'_>) -> Result<(), Refusal> {
    let name = provider.issuer.name();
    let (error, may_be_outdated) = match keys.select(token.key_id.as_deref(), token.algorithm) {
        Selection::Keys(keys) if keys.verify(token.message, &token.signature) => return Ok(()),
        // A key of this name is here. Without a name there is no telling which key it was.
        Selection::Keys(_) => (AuthError::BadSignature { provider: name.into() }, token.key_id.is_none()),
        Selection::Unknown => (AuthError::UnknownKey { provider: name.into() }, true),
        Selection::OtherAlgorithm => (AuthError::wrong_algorithm(name, &provider.algorithms), false),
        Selection::Ambiguous => (AuthError::AmbiguousKey { provider: name.into() }, false),
    };
    Err(Refusal { error, may_be_outdated })
}

fn provider_of<'a>(providers: &'a Providers, token: &Token<'_>) -> Result<&'a Arc<Provider>, AuthError> {
    let mut other_application = None;
    for provider in providers.iter().filter(|provider| provider.issuer.is(&token.issuer)) {
        match &provider.audience {
            Some(application) if !token.is_for(application)? => {
                other_application = other_application.or(Some(provider));
            }
            _ => return Ok(provider),
        }
    }
    Err(other_application.map_or(AuthError::UnknownIssuer, |provider| AuthError::WrongAudience {
        provider: provider.issuer.name().to_owned(),
    }))
}

fn no_keys(error: KeysError, provider: &Provider) -> AuthError {
    let provider = provider.issuer.name().to_owned();
    match error {
        KeysError::Unavailable(why) => AuthError::KeysUnavailable { provider, why },
        KeysError::Busy => AuthError::Busy { provider },
    }
}
