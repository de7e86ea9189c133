//! Who may vouch for users: the providers of a deployment, in the form of Convex's `auth.config.ts`.

use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};
use url::Url;
use weir_value::limits::AUTH_PROVIDERS_MAX;

use crate::algorithm::Algorithm;
use crate::keys::{self, KeySet};
use crate::{json as strict, urls};

/// How long an issuer and an application's id may be.
const NAME_BYTES_MAX: usize = 2048;

/// The providers of a deployment, checked. Cheap to clone; equal when written alike.
#[derive(Clone, Default)]
pub struct Providers(Arc<[Provider]>);

/// One provider.
pub(crate) struct Provider {
    /// What `iss` is compared with.
    pub(crate) issuer: Issuer,
    /// What has to be in `aud`.
    pub(crate) audience: Option<String>,
    /// What tokens may be signed with.
    pub(crate) algorithms: Vec<Algorithm>,
    pub(crate) keys: KeySource,
    /// As it was written.
    config: Json,
}

/// How a provider is named in its tokens.
pub(crate) enum Issuer {
    /// An OIDC domain, without slashes at its end: providers do not agree with themselves on whether there is
    /// one.
    Domain(String),
    /// A custom issuer, to the letter.
    Exactly(String),
}

/// Where the keys of a provider come from.
pub(crate) enum KeySource {
    /// From the configuration.
    Fixed(Arc<KeySet>),
    /// From this key set.
    Jwks(Url),
    /// From the key set that this document names (OIDC discovery).
    Discovery(Url),
}

/// What is wrong with a configuration of providers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{at}{problem}")]
pub struct ProvidersError {
    at: Place,
    problem: String,
}

/// The provider that is meant: its number from 1 and its name, if it has one.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place(Option<(usize, Option<String>)>);

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            None => f.write_str("the providers of users: "),
            Some((number, None)) => write!(f, "auth provider {number}: "),
            Some((number, Some(name))) => write!(f, "auth provider {number} ({name:?}): "),
        }
    }
}

impl Issuer {
    /// Whether a token with this `iss` says that it comes from here.
    pub(crate) fn is(&self, issuer: &str) -> bool {
        match self {
            Issuer::Domain(domain) => issuer.trim_end_matches('/') == domain,
            Issuer::Exactly(name) => issuer == name,
        }
    }

    /// The text to compare with, which names the provider in errors.
    pub(crate) fn name(&self) -> &str {
        match self {
            Issuer::Domain(name) | Issuer::Exactly(name) => name,
        }
    }
}

impl Providers {
    /// Reads `{"providers": [...]}`, each `{"domain", "applicationID"}` or `{"type": "customJwt", "issuer",
    /// "jwks", "algorithm", "applicationID"?}`. `jwks` is the URL of a key set, a `data:` URL that holds one,
    /// or the key set itself as text or an object.
    ///
    /// # Errors
    /// Which provider it is, what is wrong, and what to write instead.
    pub fn from_json(text: &[u8]) -> Result<Providers, ProvidersError> {
        let config =
            strict::object(text).map_err(|why| of_all(format!("{why}. Write {{\"providers\": [...]}}")))?;
        Providers::from_config(&Json::Object(config))
    }

    /// As [`Providers::from_json`], of JSON that is parsed already.
    ///
    /// # Errors
    /// As for [`Providers::from_json`].
    pub fn from_config(config: &Json) -> Result<Providers, ProvidersError> {
        let object = config.as_object().ok_or_else(|| of_all("write {\"providers\": [...]}"))?;
        if let Some(unknown) = object.keys().find(|key| *key != "providers") {
            return Err(of_all(format!("there is no key {unknown:?}. Write {{\"providers\": [...]}}")));
        }
        let list = object.get("providers").and_then(Json::as_array);
        let list =
            list.ok_or_else(|| of_all("`providers` has to be an array. Write {\"providers\": [...]}"))?;
        if list.len() > AUTH_PROVIDERS_MAX {
            return Err(of_all(format!(
                "there may be {AUTH_PROVIDERS_MAX} of them, and these are {}",
                list.len()
            )));
        }
        let mut providers: Vec<Provider> = Vec::with_capacity(list.len());
        for (at, config) in list.iter().enumerate() {
            let provider = read(config)
                .map_err(|problem| ProvidersError { at: Place(Some((at + 1, name_of(config)))), problem })?;
            if let Some(twin) = providers.iter().position(|other| other.is_twin_of(&provider)) {
                return Err(ProvidersError {
                    at: Place(Some((at + 1, name_of(config)))),
                    problem: format!(
                        "provider {} has the same issuer and `applicationID`, so that this one would never \
                         be asked. Remove one of the two",
                        twin + 1
                    ),
                });
            }
            providers.push(provider);
        }
        Ok(Providers(providers.into()))
    }

    /// What [`Providers::from_json`] reads: each provider as it was written.
    pub fn to_json(&self) -> Json {
        json!({ "providers": self.0.iter().map(|provider| &provider.config).collect::<Vec<_>>() })
    }

    /// Whether there is no provider, so that no token is good.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Provider> {
        self.0.iter()
    }
}

impl Provider {
    fn is_twin_of(&self, other: &Provider) -> bool {
        self.issuer.name() == other.issuer.name() && self.audience == other.audience
    }
}

impl PartialEq for Providers {
    fn eq(&self, other: &Providers) -> bool {
        self.0.iter().map(|provider| &provider.config).eq(other.0.iter().map(|provider| &provider.config))
    }
}

impl Eq for Providers {}

/// By name: a key set is long.
impl fmt::Debug for Providers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|provider| provider.issuer.name())).finish()
    }
}

fn of_all(problem: impl Into<String>) -> ProvidersError {
    ProvidersError { at: Place(None), problem: problem.into() }
}

fn name_of(config: &Json) -> Option<String> {
    let name = config.get("domain").or_else(|| config.get("issuer"))?.as_str()?;
    // A password that somebody wrote into a URL goes into no log.
    let name = if name.contains("://") { name.rsplit('@').next()? } else { name };
    Some(name.chars().take(200).collect())
}

fn read(config: &Json) -> Result<Provider, String> {
    let object = config.as_object().ok_or("has to be an object")?;
    match object.get("type") {
        None => read_oidc(object),
        Some(Json::String(kind)) if kind == "customJwt" => read_custom(object),
        Some(_) => Err("`type` may be \"customJwt\"; leave it out for an OpenID Connect provider".into()),
    }
}

fn read_oidc(object: &Map<String, Json>) -> Result<Provider, String> {
    only(
        object,
        &["domain", "applicationID"],
        "an OpenID Connect provider has `domain` and `applicationID`",
    )?;
    let domain = text(object, "domain")?.ok_or("`domain` is missing: the URL in the `iss` of its tokens")?;
    let audience = text(object, "applicationID")?.ok_or(
        "`applicationID` is missing: the text in the `aud` of its tokens, without which those for other \
                applications would do",
    )?;
    let with_scheme = if domain.contains("://") { domain.to_owned() } else { format!("https://{domain}") };
    let issuer = with_scheme.trim_end_matches('/').to_owned();
    let url = urls::parse(&issuer).map_err(|why| format!("`domain` {why}"))?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err("`domain` has to end before `?` and `#`".into());
    }
    let discovery = format!("{issuer}/.well-known/openid-configuration");
    let discovery = urls::parse(&discovery).map_err(|why| format!("`domain` {why}"))?;
    Ok(Provider {
        issuer: Issuer::Domain(issuer),
        audience: Some(audience.to_owned()),
        algorithms: Algorithm::ALL.to_vec(),
        keys: KeySource::Discovery(discovery),
        config: Json::Object(object.clone()),
    })
}

fn read_custom(object: &Map<String, Json>) -> Result<Provider, String> {
    only(
        object,
        &["type", "issuer", "jwks", "algorithm", "applicationID"],
        "a provider of custom tokens has `issuer`, `jwks`, `algorithm` and, if its tokens have an `aud`, \
         `applicationID`",
    )?;
    let issuer = text(object, "issuer")?.ok_or("`issuer` is missing: the text in the `iss` of its tokens")?;
    let algorithm = text(object, "algorithm")?
        .and_then(Algorithm::from_name)
        .ok_or("`algorithm` has to be \"RS256\", \"ES256\" or \"EdDSA\": what its tokens have as `alg`")?;
    let keys = read_key_source(object.get("jwks"))?;
    if let KeySource::Fixed(keys) = &keys
        && !keys.serves(&[algorithm])
    {
        return Err(format!("no key in `jwks` is one for {algorithm}. Add it, or correct `algorithm`"));
    }
    Ok(Provider {
        issuer: Issuer::Exactly(issuer.to_owned()),
        audience: text(object, "applicationID")?.map(str::to_owned),
        algorithms: vec![algorithm],
        keys,
        config: Json::Object(object.clone()),
    })
}

fn read_key_source(jwks: Option<&Json>) -> Result<KeySource, String> {
    let missing = "`jwks` has to be the URL of its key set, or the key set itself";
    match jwks {
        Some(Json::Object(set)) => fixed(Json::Object(set.clone()).to_string().as_bytes()),
        Some(Json::String(text)) if text.trim_start().starts_with('{') => fixed(text.as_bytes()),
        Some(Json::String(text)) => match urls::data(text) {
            Some(content) => fixed(&content.map_err(|why| format!("`jwks` {why}"))?),
            None => Ok(KeySource::Jwks(urls::parse(text).map_err(|why| format!("`jwks` {why}. {missing}"))?)),
        },
        _ => Err(missing.into()),
    }
}

fn fixed(set: &[u8]) -> Result<KeySource, String> {
    if keys::holds_secrets(set) {
        return Err(
            "`jwks` holds a private or a secret key. Leave `d` and `k` out, and make a new key: this one \
                    is not secret any more"
                .into(),
        );
    }
    let keys = KeySet::parse(set).map_err(|why| format!("`jwks`: {why}"))?;
    Ok(KeySource::Fixed(Arc::new(keys)))
}

fn only(object: &Map<String, Json>, known: &[&str], what: &str) -> Result<(), String> {
    match object.keys().find(|key| !known.contains(&key.as_str())) {
        Some(key) => Err(format!("there is no key {key:?}: {what}")),
        None => Ok(()),
    }
}

/// A key's text, which may be missing and may not be empty.
fn text<'a>(object: &'a Map<String, Json>, key: &str) -> Result<Option<&'a str>, String> {
    match object.get(key) {
        None => Ok(None),
        Some(Json::String(text)) if text.is_empty() => Err(format!("`{key}` is empty")),
        Some(Json::String(text)) if text.len() > NAME_BYTES_MAX => {
            Err(format!("`{key}` is longer than {NAME_BYTES_MAX} bytes"))
        }
        Some(Json::String(text)) if text.trim() != text || text.contains(char::is_control) => {
            Err(format!("`{key}` has blanks at an end, or control characters"))
        }
        Some(Json::String(text)) => Ok(Some(text)),
        Some(_) => Err(format!("`{key}` has to be text")),
    }
}
