//! Who may vouch for users: the providers of a deployment, in the form of Convex's `auth.config.ts`.

use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};
use url::Url;
use weir_value::limits::{AUTH_PROVIDERS_BYTES_MAX, AUTH_PROVIDERS_MAX};
use weir_value::strict_json;

use crate::algorithm::Algorithm;
use crate::keys::{self, KeySet};
use crate::own_host::OwnHost;
use crate::urls;

/// What the host's own keys are for.
const SIGNING_ALGORITHM: Algorithm = Algorithm::Es256;
/// How long an issuer and an application's id may be.
const NAME_BYTES_MAX: usize = 2048;

/// The providers of a deployment, checked. Cheap to clone; equal when they trust the same.
#[derive(Clone, Default)]
pub struct Providers(Arc<[Arc<Provider>]>);

/// A list of providers as it was written, and where.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// How the place is named in errors: `host.toml`.
    pub name: &'a str,
    /// `{"providers": [...]}`.
    pub config: &'a Json,
}

/// The provider that vouched for somebody.
#[derive(Clone)]
pub struct TrustedProvider(pub(crate) Arc<Provider>);

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
#[derive(PartialEq)]
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
    Fixed {
        /// The keys.
        keys: KeySet,
        /// The key set that they were read from.
        set: Map<String, Json>,
    },
    /// From this key set.
    Jwks(Url),
    /// From the key set that this document names (OIDC discovery).
    Discovery(Url),
    /// The host's own.
    Own,
}

/// What is wrong with a configuration of providers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{at}{problem}")]
pub struct ProvidersError {
    at: Place,
    problem: String,
}

/// What is meant: a source, if it has a name, and in it a provider, by its number from 1 and its name.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    source: String,
    provider: Option<(usize, Option<String>)>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.source.is_empty() {
            write!(f, "{}: ", self.source)?;
        }
        match &self.provider {
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
    /// Reads `{"providers": [...]}`, each `{"domain", "applicationID"}`, `{"type": "customJwt", "issuer", "jwks",
    /// "algorithm", "applicationID"?}` or `{"type": "host", "applicationID"?}`. `jwks` is the URL of a key set, a
    /// `data:` URL that holds one, or the key set itself as text or an object. A provider that is `host`, by its
    /// type, its domain or the URL of its keys, is verified with the host's own keys.
    ///
    /// # Errors
    /// Which provider it is, what is wrong, and what to write instead.
    pub fn from_json(text: &[u8], host: &OwnHost) -> Result<Providers, ProvidersError> {
        let config = strict_json::object(text);
        let config = config.map_err(|why| of_all("", format!("{why}. Write {{\"providers\": [...]}}")))?;
        Providers::combine(&[Source { name: "", config: &Json::Object(config) }], host)
    }

    /// The providers of all these lists, in their order: one that several lists have is there once.
    ///
    /// # Errors
    /// As for [`Providers::from_json`]; two different providers have one issuer and application.
    pub fn combine(sources: &[Source<'_>], host: &OwnHost) -> Result<Providers, ProvidersError> {
        let mut combined: Vec<Placed<'_>> = Vec::new();
        for source in sources {
            for (at, config) in list(source)?.iter().enumerate() {
                let place =
                    || Place { source: source.name.to_owned(), provider: Some((at + 1, name_of(config))) };
                let fail = |problem| ProvidersError { at: place(), problem };
                let provider = read(config, host).map_err(fail)?;
                let placed = Placed { source: source.name, number: at + 1, provider };
                match combined.iter().find(|other| other.provider.is_twin_of(&placed.provider)) {
                    None => combined.push(placed),
                    Some(other) if other.is_repeated_by(&placed) => {}
                    Some(other) => return Err(fail(other.explain_twin(source.name))),
                }
            }
        }
        let bytes: usize = combined.iter().map(|placed| placed.provider.config.to_string().len()).sum();
        if bytes > AUTH_PROVIDERS_BYTES_MAX {
            return Err(of_all(
                "",
                format!(
                    "they may have {AUTH_PROVIDERS_BYTES_MAX} bytes together, and have {bytes}: name a key set by \
                     its URL"
                ),
            ));
        }
        if combined.len() > AUTH_PROVIDERS_MAX {
            let count = combined.len();
            return Err(of_all(
                "",
                format!("there may be {AUTH_PROVIDERS_MAX} of them, and these are {count}"),
            ));
        }
        Ok(Providers(combined.into_iter().map(|placed| Arc::new(placed.provider)).collect()))
    }

    /// What [`Providers::from_json`] reads: each provider as it was written.
    pub fn to_json(&self) -> Json {
        json!({ "providers": self.0.iter().map(|provider| &provider.config).collect::<Vec<_>>() })
    }

    /// What the tokens of each have as `iss`.
    pub fn issuers(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|provider| provider.issuer.name())
    }

    /// Whether one of them is the host itself, so that its keys are needed.
    pub fn trust_host(&self) -> bool {
        self.0.iter().any(|provider| matches!(provider.keys, KeySource::Own))
    }

    /// Whether this provider is still one of them, as it was.
    pub fn still_have(&self, provider: &TrustedProvider) -> bool {
        self.0.iter().any(|other| Arc::ptr_eq(other, &provider.0) || **other == *provider.0)
    }

    /// Whether there is no provider, so that no token is good.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Provider>> {
        self.0.iter()
    }
}

impl Provider {
    fn is_twin_of(&self, other: &Provider) -> bool {
        self.issuer.name() == other.issuer.name() && self.audience == other.audience
    }
}

/// A provider, and where it was written.
struct Placed<'a> {
    source: &'a str,
    /// From 1.
    number: usize,
    provider: Provider,
}

impl Placed<'_> {
    /// Whether another list says the same again. Within a list that is a mistake.
    fn is_repeated_by(&self, other: &Placed<'_>) -> bool {
        self.source != other.source && self.provider == other.provider
    }

    fn explain_twin(&self, source: &str) -> String {
        let Placed { source: own, number, .. } = self;
        let place = if *own == source { String::new() } else { format!(" of {own}") };
        format!(
            "provider {number}{place} has the same issuer and `applicationID`, so that this one would never be \
             asked. Remove one of the two"
        )
    }
}

impl PartialEq for TrustedProvider {
    fn eq(&self, other: &TrustedProvider) -> bool {
        self.0 == other.0
    }
}

impl Eq for TrustedProvider {}

/// By name: a key set is long.
impl fmt::Debug for TrustedProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TrustedProvider({:?})", self.0.issuer.name())
    }
}

/// Whether they trust the same tokens, and read them alike, however that was written.
impl PartialEq for Provider {
    fn eq(&self, other: &Provider) -> bool {
        let Provider { issuer, audience, algorithms, keys, config: _ } = self;
        (issuer, audience, algorithms, keys)
            == (&other.issuer, &other.audience, &other.algorithms, &other.keys)
    }
}

impl PartialEq for KeySource {
    fn eq(&self, other: &KeySource) -> bool {
        match (self, other) {
            (KeySource::Fixed { set, .. }, KeySource::Fixed { set: other, .. }) => set == other,
            (KeySource::Jwks(url), KeySource::Jwks(other)) => url == other,
            (KeySource::Discovery(url), KeySource::Discovery(other)) => url == other,
            (KeySource::Own, KeySource::Own) => true,
            _ => false,
        }
    }
}

impl PartialEq for Providers {
    fn eq(&self, other: &Providers) -> bool {
        self.0 == other.0
    }
}

impl Eq for Providers {}

/// By name: a key set is long.
impl fmt::Debug for Providers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|provider| provider.issuer.name())).finish()
    }
}

fn of_all(source: &str, problem: impl Into<String>) -> ProvidersError {
    ProvidersError { at: Place { source: source.to_owned(), provider: None }, problem: problem.into() }
}

/// The list of a source.
fn list<'a>(source: &Source<'a>) -> Result<&'a [Json], ProvidersError> {
    let fail = |problem: String| of_all(source.name, format!("{problem}Write {{\"providers\": [...]}}"));
    let object = source.config.as_object().ok_or_else(|| fail(String::new()))?;
    if let Some(unknown) = object.keys().find(|key| *key != "providers") {
        return Err(fail(format!("there is no key {unknown:?}. ")));
    }
    let list = object.get("providers").and_then(Json::as_array);
    list.map(Vec::as_slice).ok_or_else(|| fail("`providers` has to be an array. ".to_owned()))
}

fn name_of(config: &Json) -> Option<String> {
    let name = config.get("domain").or_else(|| config.get("issuer"))?.as_str()?;
    // A password that somebody wrote into a URL goes into no log.
    let name = if name.contains("://") { name.rsplit('@').next()? } else { name };
    Some(name.chars().take(200).collect())
}

fn read(config: &Json, host: &OwnHost) -> Result<Provider, String> {
    let object = config.as_object().ok_or("has to be an object")?;
    match object.get("type") {
        None => read_oidc(object, host),
        Some(Json::String(kind)) if kind == "customJwt" => read_custom(object, host),
        Some(Json::String(kind)) if kind == "host" => read_own(object, host),
        Some(_) => {
            Err("`type` may be \"customJwt\", or \"host\" for tokens that this host's functions sign; leave \
                        it out for an OpenID Connect provider"
                .into())
        }
    }
}

fn read_own(object: &Map<String, Json>, host: &OwnHost) -> Result<Provider, String> {
    only(
        object,
        &["type", "applicationID"],
        "the host as a provider has `applicationID`, if its tokens have an `aud`, and nothing else",
    )?;
    Ok(Provider {
        issuer: Issuer::Exactly(host.issuer().to_owned()),
        audience: text(object, "applicationID")?.map(str::to_owned),
        algorithms: vec![SIGNING_ALGORITHM],
        keys: KeySource::Own,
        config: Json::Object(object.clone()),
    })
}

fn read_oidc(object: &Map<String, Json>, host: &OwnHost) -> Result<Provider, String> {
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
    if host.is_at(&with_scheme) {
        return Ok(Provider {
            issuer: Issuer::Domain(host.issuer().trim_end_matches('/').to_owned()),
            audience: Some(audience.to_owned()),
            algorithms: vec![SIGNING_ALGORITHM],
            keys: KeySource::Own,
            config: Json::Object(object.clone()),
        });
    }
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

fn read_custom(object: &Map<String, Json>, host: &OwnHost) -> Result<Provider, String> {
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
    let keys = read_key_source(object.get("jwks"), host)?;
    match &keys {
        KeySource::Fixed { keys, .. } if !keys.serves(&[algorithm]) => {
            return Err(format!("no key in `jwks` is one for {algorithm}. Add it, or correct `algorithm`"));
        }
        KeySource::Own => check_own(issuer, algorithm, host)?,
        _ => {}
    }
    Ok(Provider {
        issuer: Issuer::Exactly(issuer.to_owned()),
        audience: text(object, "applicationID")?.map(str::to_owned),
        algorithms: vec![algorithm],
        keys,
        config: Json::Object(object.clone()),
    })
}

/// A provider with the host's keys has to say of its tokens what is so: no token would be good otherwise.
fn check_own(issuer: &str, algorithm: Algorithm, host: &OwnHost) -> Result<(), String> {
    if issuer != host.issuer() {
        return Err(format!(
            "`jwks` are the keys of this host, whose tokens have the `iss` {:?}: write that as `issuer` (in \
             TypeScript process.env.CONVEX_CLOUD_URL)",
            host.issuer()
        ));
    }
    if algorithm != SIGNING_ALGORITHM {
        return Err(format!(
            "`jwks` are the keys of this host, which are for {SIGNING_ALGORITHM}: correct `algorithm`"
        ));
    }
    Ok(())
}

fn read_key_source(jwks: Option<&Json>, host: &OwnHost) -> Result<KeySource, String> {
    let missing = "`jwks` has to be the URL of its key set, or the key set itself";
    match jwks {
        Some(Json::Object(set)) => fixed(Json::Object(set.clone()).to_string().as_bytes()),
        Some(Json::String(text)) if text.trim_start().starts_with('{') => fixed(text.as_bytes()),
        Some(Json::String(text)) => match urls::data(text) {
            Some(content) => fixed(&content.map_err(|why| format!("`jwks` {why}"))?),
            None if host.publishes_keys_at(text) => Ok(KeySource::Own),
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
    let set = strict_json::object(set).map_err(|why| format!("`jwks`: {why}"))?;
    Ok(KeySource::Fixed { keys, set })
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
