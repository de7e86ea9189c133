//! From a provider's configuration to its keys: the key set itself, or the document that says where it is
//! (OpenID Connect Discovery).

use serde_json::Value as Json;
use url::Url;
use weir_value::strict_json;

use crate::fetch::KeyFetcher;
use crate::keys::KeySet;
use crate::providers::{KeySource, Provider};
use crate::urls;

/// What a provider published.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) keys: KeySet,
    /// What it calls itself, if it said so.
    pub(crate) issuer: Option<String>,
}

/// Fetches what is at the provider's URL, and what that leads to.
///
/// # Errors
/// In plain words: which document, and what is wrong with it.
pub(crate) async fn load(fetcher: &dyn KeyFetcher, provider: &Provider, url: &Url) -> Result<Loaded, String> {
    let KeySource::Discovery(_) = provider.keys else {
        return Ok(Loaded { keys: key_set(fetcher, url).await?, issuer: None });
    };
    let document = fetch(fetcher, url).await?;
    let (issuer, jwks) =
        read(&document, provider, url).map_err(|why| format!("{}: {why}", urls::shown(url)))?;
    Ok(Loaded { keys: key_set(fetcher, &jwks).await?, issuer: Some(issuer) })
}

async fn key_set(fetcher: &dyn KeyFetcher, url: &Url) -> Result<KeySet, String> {
    let text = fetch(fetcher, url).await?;
    KeySet::parse(&text).map_err(|why| format!("{}: {why}", urls::shown(url)))
}

async fn fetch(fetcher: &dyn KeyFetcher, url: &Url) -> Result<Vec<u8>, String> {
    fetcher.fetch(url).await.map_err(|error| format!("{}: {error}", urls::shown(url)))
}

/// The issuer and the key set's URL in a discovery document.
fn read(document: &[u8], provider: &Provider, url: &Url) -> Result<(String, Url), String> {
    let document =
        strict_json::object(document).map_err(|why| format!("not a discovery document ({why})"))?;
    let text = |name: &str| match document.get(name) {
        Some(Json::String(text)) => Ok(text.as_str()),
        _ => Err(format!("not a discovery document (no text `{name}`)")),
    };
    let issuer = text("issuer")?;
    if !provider.issuer.is(issuer) {
        return Err("its `issuer` is not the provider's `domain`".into());
    }
    let jwks = urls::parse(text("jwks_uri")?).map_err(|why| format!("its `jwks_uri` {why}"))?;
    let leads_inwards = urls::is_loopback(&jwks) && !urls::is_loopback(url);
    if leads_inwards || (url.scheme() == "https" && jwks.scheme() != "https") {
        return Err("its `jwks_uri` leads to this machine, or away from https".into());
    }
    Ok((issuer.to_owned(), jwks))
}
