//! Who calls a function.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::json::{self, JsonError};
use crate::value::Value;

/// The claims of a caller's token, which the host has verified.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(transparent)]
pub struct Identity {
    claims: BTreeMap<String, Value>,
}

impl Identity {
    pub(crate) fn from_json(claims: &[u8]) -> Result<Self, JsonError> {
        json::from_slice(claims)
    }

    /// The issuer and the subject as one text: the caller's name among all issuers.
    pub fn token_identifier(&self) -> &str {
        self.text("tokenIdentifier")
    }

    /// The caller's name at its issuer.
    pub fn subject(&self) -> &str {
        self.text("subject")
    }

    /// Who vouches for the caller.
    pub fn issuer(&self) -> &str {
        self.text("issuer")
    }

    /// A claim by its name, such as `email`.
    pub fn claim(&self, name: &str) -> Option<&Value> {
        self.claims.get(name)
    }

    fn text(&self, name: &str) -> &str {
        self.claim(name).and_then(Value::as_str).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_are_found_by_their_names() {
        let json = br#"{"tokenIdentifier":"https://a|1","subject":"1","issuer":"https://a","age":7}"#;
        let ada = Identity::from_json(json).unwrap();
        assert_eq!((ada.token_identifier(), ada.subject(), ada.issuer()), ("https://a|1", "1", "https://a"));
        assert_eq!(ada.claim("age").and_then(Value::as_f64), Some(7.0));
        assert_eq!(ada.claim("email"), None);
        assert!(Identity::from_json(b"[]").is_err());
    }
}
