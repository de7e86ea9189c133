//! The identity providers of a `host.toml`, and the form in which they are deployed: that of Convex's `auth.config.ts`.
//!
//! Not here: what a provider must be like beyond its keys in the file; the server checks that when it is deployed.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value as Json};

/// One provider, as it stands in `host.toml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthProvider {
    /// Its fields, but for a key set that is a file.
    fields: Map<String, Json>,
    /// The file of its key set.
    pub(crate) jwks_file: Option<PathBuf>,
}

/// `[[auth.providers]]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProviderTable {
    #[serde(rename = "type")]
    kind: Option<String>,
    domain: Option<String>,
    issuer: Option<String>,
    jwks: Option<String>,
    algorithm: Option<String>,
    application_id: Option<String>,
}

/// Why the providers cannot be deployed.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// The file of a key set cannot be read.
    #[error("cannot read the key set {path}, which an auth provider of host.toml names: {source}", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not a key set.
    #[error("the key set {path} is not a JSON object with `keys`: {reason}", path = path.display())]
    NoKeySet {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

impl ProviderTable {
    /// The provider, of a project in this folder.
    pub(crate) fn read(self, root: &Path) -> Result<AuthProvider, String> {
        let ProviderTable { kind, domain, issuer, jwks, algorithm, application_id } = self;
        let mut fields = Map::new();
        let mut jwks_file = None;
        match kind.as_deref() {
            None => {
                refuse("customJwt", [("issuer", &issuer), ("jwks", &jwks), ("algorithm", &algorithm)])?;
                set(&mut fields, "domain", domain, "domain")?;
                set(&mut fields, "applicationID", application_id, "application_id")?;
            }
            Some("customJwt") => {
                if domain.is_some() {
                    return Err(
                        "`domain` is of a provider without `type`; this one has an `issuer`".to_owned()
                    );
                }
                let jwks = jwks.ok_or_else(|| missing("jwks"))?;
                fields.insert("type".to_owned(), "customJwt".into());
                set(&mut fields, "issuer", issuer, "issuer")?;
                set(&mut fields, "algorithm", algorithm, "algorithm")?;
                application_id.map(|id| fields.insert("applicationID".to_owned(), id.into()));
                match is_file(&jwks) {
                    true => jwks_file = Some(root.join(jwks)),
                    false => drop(fields.insert("jwks".to_owned(), jwks.into())),
                }
            }
            Some("host") => {
                let others =
                    [("domain", &domain), ("issuer", &issuer), ("jwks", &jwks), ("algorithm", &algorithm)];
                if let Some((name, _)) = others.into_iter().find(|(_, value)| value.is_some()) {
                    return Err(format!(
                        "`{name}` is not for a provider with `type = \"host\"`, which is the server itself; it may \
                         have an `application_id`"
                    ));
                }
                fields.insert("type".to_owned(), "host".into());
                if let Some(application_id) = application_id {
                    fields.insert("applicationID".to_owned(), application_id.into());
                }
            }
            Some(other) => {
                return Err(format!(
                    "there is no provider of the type {other:?}; use \"customJwt\", \"host\" for tokens that the \
                     server's own functions sign, or none for OpenID Connect"
                ));
            }
        }
        Ok(AuthProvider { fields, jwks_file })
    }
}

/// Whether a key set is a file beside `host.toml`, and not a URL or the set itself.
fn is_file(jwks: &str) -> bool {
    let is_inline = jwks.trim_start().starts_with('{');
    !is_inline && !jwks.starts_with("data:") && !jwks.contains("://")
}

fn refuse<const N: usize>(kind: &str, fields: [(&str, &Option<String>); N]) -> Result<(), String> {
    match fields.into_iter().find(|(_, value)| value.is_some()) {
        Some((name, _)) => Err(format!("`{name}` is of a provider with `type = \"{kind}\"`")),
        None => Ok(()),
    }
}

fn set(fields: &mut Map<String, Json>, name: &str, value: Option<String>, key: &str) -> Result<(), String> {
    let value = value.ok_or_else(|| missing(key))?;
    fields.insert(name.to_owned(), value.into());
    Ok(())
}

fn missing(key: &str) -> String {
    format!("an auth provider needs `{key}`")
}

/// The providers in the form in which they are deployed; reads the key sets that are files.
///
/// # Errors
/// One of them cannot be read, or is no key set.
pub fn auth_config(providers: &[AuthProvider]) -> Result<Json, AuthError> {
    let providers = providers.iter().map(deployed).collect::<Result<Vec<_>, _>>()?;
    Ok(serde_json::json!({ "providers": providers }))
}

fn deployed(provider: &AuthProvider) -> Result<Json, AuthError> {
    let mut fields = provider.fields.clone();
    if let Some(path) = &provider.jwks_file {
        let text =
            std::fs::read(path).map_err(|source| AuthError::Unreadable { path: path.clone(), source })?;
        let no_key_set = |reason: String| AuthError::NoKeySet { path: path.clone(), reason };
        let set: Json = serde_json::from_slice(&text).map_err(|error| no_key_set(error.to_string()))?;
        if !set["keys"].is_array() {
            return Err(no_key_set("it has no list of that name".to_owned()));
        }
        fields.insert("jwks".to_owned(), set);
    }
    Ok(Json::Object(fields))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(text: &str) -> Result<AuthProvider, String> {
        let table: ProviderTable = toml::from_str(text).map_err(|error| error.to_string())?;
        table.read(Path::new("/p"))
    }

    #[test]
    fn providers_have_the_form_of_convex() {
        for (text, expected) in [
            (
                "domain = \"https://a.example\"\napplication_id = \"convex\"",
                json!({"domain": "https://a.example", "applicationID": "convex"}),
            ),
            (
                "type = \"customJwt\"\nissuer = \"https://i\"\njwks = \"https://i/keys\"\nalgorithm = \"ES256\"",
                json!({"type": "customJwt", "issuer": "https://i", "jwks": "https://i/keys", "algorithm": "ES256"}),
            ),
            (
                "type = \"customJwt\"\nissuer = \"i\"\njwks = \"data:,{}\"\nalgorithm = \"RS256\"\napplication_id = \"x\"",
                json!({"type": "customJwt", "issuer": "i", "jwks": "data:,{}", "algorithm": "RS256", "applicationID": "x"}),
            ),
            ("type = \"host\"", json!({"type": "host"})),
            ("type = \"host\"\napplication_id = \"x\"", json!({"type": "host", "applicationID": "x"})),
        ] {
            let provider = read(text).unwrap();
            assert_eq!(auth_config(&[provider]).unwrap(), json!({ "providers": [expected] }), "{text}");
        }
    }

    #[test]
    fn a_key_set_may_be_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let text = "type = \"customJwt\"\nissuer = \"i\"\njwks = \"keys.json\"\nalgorithm = \"RS256\"";
        let table: ProviderTable = toml::from_str(text).unwrap();
        let provider = [table.read(folder.path()).unwrap()];
        let file = folder.path().join("keys.json");
        let failed = |provider: &[AuthProvider]| auth_config(provider).unwrap_err().to_string();
        assert!(failed(&provider).contains("cannot read the key set"));
        for (content, reason) in [("[", "EOF"), ("{}", "it has no list of that name")] {
            std::fs::write(&file, content).unwrap();
            assert!(failed(&provider).contains(reason), "{}", failed(&provider));
        }
        std::fs::write(&file, r#"{"keys":[]}"#).unwrap();
        assert_eq!(auth_config(&provider).unwrap()["providers"][0]["jwks"], json!({"keys": []}));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, expected) in [
            ("", "needs `domain`"),
            ("domain = \"a\"", "needs `application_id`"),
            (
                "domain = \"a\"\napplication_id = \"b\"\njwks = \"c\"",
                "`jwks` is of a provider with `type = \"customJwt\"`",
            ),
            ("type = \"customJwt\"", "needs `jwks`"),
            ("type = \"customJwt\"\njwks = \"a\"", "needs `issuer`"),
            ("type = \"customJwt\"\njwks = \"a\"\nissuer = \"b\"", "needs `algorithm`"),
            ("type = \"customJwt\"\ndomain = \"a\"", "`domain` is of a provider without `type`"),
            ("type = \"host\"\nissuer = \"a\"", "`issuer` is not for a provider with `type = \"host\"`"),
            ("type = \"host\"\njwks = \"a\"", "`jwks` is not for a provider with `type = \"host\"`"),
            ("type = \"saml\"", "no provider of the type \"saml\""),
            ("applicationID = \"a\"", "unknown field `applicationID`"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
