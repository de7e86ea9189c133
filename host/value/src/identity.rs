//! Who a user is: the claims that a provider vouched for, in the form that functions see.
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use serde_json::{Map, Value as Json};

use crate::limits::{IDENTITY_BYTES_MAX, VALUE_NESTING_MAX};

/// A user's claims: one JSON object, with at least `tokenIdentifier`, `issuer` and `subject`, as Convex's
/// `UserIdentity`. Cheap to clone; equal when all claims are.
///
/// Functions read claims as values: a claim that is none, because of a name that begins with `$` or too many levels, is
/// left out.
#[derive(Clone)]
pub struct Identity(Arc<Claims>);

struct Claims {
    json: Arc<[u8]>,
    token_identifier: String,
}

/// Why some claims are not an identity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// Not a JSON object.
    #[error("an identity is one JSON object of claims")]
    NotAnObject,
    /// A claim that has to be there is missing, or not text.
    #[error("an identity needs `tokenIdentifier`, or `issuer` and `subject`, as text")]
    Unnamed,
    /// More than an identity may hold.
    #[error("an identity holds at most {IDENTITY_BYTES_MAX} bytes of claims")]
    TooLarge,
}

impl Identity {
    /// Reads claims. What is missing of `tokenIdentifier` (`issuer|subject`), `issuer` and `subject` is made of the
    /// others.
    ///
    /// # Errors
    /// Not an object; nobody is named by it; or it is too large.
    pub fn from_json(json: &[u8]) -> Result<Identity, IdentityError> {
        match serde_json::from_slice(json) {
            Ok(Json::Object(claims)) => Identity::from_claims(claims),
            _ => Err(IdentityError::NotAnObject),
        }
    }

    /// As [`Identity::from_json`], of claims that are parsed already.
    ///
    /// # Errors
    /// As for [`Identity::from_json`].
    pub fn from_claims(mut claims: Map<String, Json>) -> Result<Identity, IdentityError> {
        claims.retain(|name, claim| !name.starts_with('$') && is_value(claim, VALUE_NESTING_MAX - 1));
        let token_identifier = complete(&mut claims)?;
        let json = serde_json::to_vec(&claims).map_err(|_| IdentityError::NotAnObject)?;
        if json.len() > IDENTITY_BYTES_MAX {
            return Err(IdentityError::TooLarge);
        }
        Ok(Identity(Arc::new(Claims { json: json.into(), token_identifier })))
    }

    /// The claims as JSON, sorted by name.
    pub fn json(&self) -> &[u8] {
        &self.0.json
    }

    /// What names the user for good, whatever else is claimed: `issuer|subject`.
    pub fn token_identifier(&self) -> &str {
        &self.0.token_identifier
    }
}

/// Whether functions can read it as a value of so many levels.
fn is_value(claim: &Json, levels: usize) -> bool {
    match claim {
        Json::Array(items) => levels > 0 && items.iter().all(|item| is_value(item, levels - 1)),
        Json::Object(fields) => {
            let is_field =
                |(name, value): (&String, _)| !name.starts_with('$') && is_value(value, levels - 1);
            levels > 0 && fields.iter().all(is_field)
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => true,
    }
}

/// Adds the names that follow from those that are there; gives the `tokenIdentifier`.
fn complete(claims: &mut Map<String, Json>) -> Result<String, IdentityError> {
    let text = |name: &str| claims.get(name).and_then(Json::as_str).map(str::to_owned);
    let (given, issuer, subject) = (text("tokenIdentifier"), text("issuer"), text("subject"));
    let (identifier, issuer, subject) = match (given, issuer, subject) {
        (Some(identifier), Some(issuer), Some(subject)) => (identifier, issuer, subject),
        (None, Some(issuer), Some(subject)) => (format!("{issuer}|{subject}"), issuer, subject),
        (Some(identifier), issuer, subject) => {
            let (before, after) = identifier.split_once('|').unwrap_or(("", &identifier));
            let (before, after) = (before.to_owned(), after.to_owned());
            (identifier, issuer.unwrap_or(before), subject.unwrap_or(after))
        }
        _ => return Err(IdentityError::Unnamed),
    };
    claims.insert("tokenIdentifier".into(), identifier.clone().into());
    claims.insert("issuer".into(), issuer.into());
    claims.insert("subject".into(), subject.into());
    Ok(identifier)
}

impl PartialEq for Identity {
    fn eq(&self, other: &Identity) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.json == other.0.json
    }
}

impl Eq for Identity {}

impl Hash for Identity {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.json.hash(state);
    }
}

/// Who, and none of the other claims: identities end up in logs.
impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({})", self.token_identifier())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<String, IdentityError> {
        Identity::from_json(json.as_bytes())
            .map(|identity| String::from_utf8(identity.json().to_vec()).unwrap())
    }

    #[test]
    fn completes_the_names() {
        let whole = r#"{"issuer":"https://a","subject":"ada","tokenIdentifier":"https://a|ada"}"#;
        for given in [
            whole,
            r#"{"issuer":"https://a","subject":"ada"}"#,
            r#"{"tokenIdentifier":"https://a|ada"}"#,
            r#"{"tokenIdentifier":"https://a|ada","subject":"ada"}"#,
        ] {
            assert_eq!(read(given).unwrap(), whole, "{given}");
        }
        let own = r#"{"issuer":"","subject":"me","tokenIdentifier":"me"}"#;
        assert_eq!(read(r#"{"tokenIdentifier":"me"}"#).unwrap(), own);
    }

    #[test]
    fn refuses_what_names_nobody() {
        for json in ["{}", r#"{"issuer":"a"}"#, r#"{"subject":"a"}"#, r#"{"issuer":"a","subject":7}"#] {
            assert_eq!(read(json), Err(IdentityError::Unnamed), "{json}");
        }
        for json in ["", "[]", "null", "{", "\"a\""] {
            assert_eq!(read(json), Err(IdentityError::NotAnObject), "{json}");
        }
        let long = format!(r#"{{"tokenIdentifier":"a","x":"{}"}}"#, "x".repeat(IDENTITY_BYTES_MAX));
        assert_eq!(read(&long), Err(IdentityError::TooLarge));
    }

    #[test]
    fn leaves_out_what_is_no_value() {
        let nested = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
        let kept = format!(r#""deep":{},"_x":{{"é":[{{}}]}}"#, nested(VALUE_NESTING_MAX - 1));
        let gone = format!(
            r#""$a":1,"b":{{"c":[{{"$d":1}}]}},"e":{{"$integer":"AAAAAAAAAAA="}},"f":{}"#,
            nested(VALUE_NESTING_MAX)
        );
        let given = format!(r#"{{"tokenIdentifier":"me",{kept},{gone}}}"#);
        assert_eq!(read(&given).unwrap(), read(&format!(r#"{{"tokenIdentifier":"me",{kept}}}"#)).unwrap());
        assert!(read(&given).unwrap().contains("deep"));
    }

    #[test]
    fn is_equal_by_all_claims_and_shows_none_but_the_name() {
        let one = Identity::from_json(br#"{"subject":"a","issuer":"i","email":"e"}"#).unwrap();
        let same = Identity::from_json(br#"{"email":"e","issuer":"i","subject":"a"}"#).unwrap();
        let other = Identity::from_json(br#"{"subject":"a","issuer":"i"}"#).unwrap();
        assert_eq!(one, same);
        assert_ne!(one, other);
        assert_eq!(format!("{one:?}"), "Identity(i|a)");
    }
}
