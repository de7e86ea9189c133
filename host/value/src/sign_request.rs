//! What a function wants signed as a token: the claims that it may set, and for how long the token is good.
use std::time::Duration;

use serde_json::{Map, Number, Value as Json};

use crate::json::{as_integer, optional_from_tree};
use crate::limits::{SIGNED_TOKEN_SECONDS_MAX, TOKEN_BYTES_MAX};
use crate::{Value, strict_json};

/// Claims that the host sets, and those that it leaves out.
const RESERVED: [&str; 4] = ["iss", "iat", "exp", "nbf"];
/// How claims may not begin, in any case of letters.
const RESERVED_PREFIXES: [&str; 2] = ["convex", "cvx"];

/// What a function wants signed.
#[derive(Debug, Clone, PartialEq)]
pub struct SignRequest {
    claims: Map<String, Json>,
    expires_in_seconds: u64,
}

/// Why it is not signed. The words are for whoever wrote the function.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignRequestError {
    /// The claims are not a JSON object.
    #[error("`claims` has to be an object ({0})")]
    Claims(String),
    /// A claim that functions may not set.
    #[error(
        "the claim {0:?} may not be set: `iss`, `iat`, `exp` and `nbf` are the host's, and so is what begins \
         with `convex` or `cvx`"
    )]
    Reserved(String),
    /// A claim whose value JSON does not have.
    #[error("the claim {claim:?} holds {what}, which JSON does not have; {instead}")]
    Value {
        /// The claim that it is, or is in.
        claim: String,
        /// What it is.
        what: &'static str,
        /// What to do.
        instead: &'static str,
    },
    /// Not one object with `expiresInSeconds`.
    #[error("the options have to be `{{ claims?, expiresInSeconds }}` ({0})")]
    Options(String),
    /// Not a whole number, or too long.
    #[error("`expiresInSeconds` has to be a whole number from 1 to {SIGNED_TOKEN_SECONDS_MAX}")]
    ExpiresIn,
    /// The token would be longer than tokens may be.
    #[error(
        "the token would be longer than {TOKEN_BYTES_MAX} bytes: sign fewer claims, such as an id to look up"
    )]
    TooLarge,
}

impl SignRequest {
    /// Checks what a function wants signed: `claims` is a JSON object, `options` one with `expiresInSeconds`,
    /// from 1 s to an hour.
    ///
    /// What stands in the claims in Convex's value encoding becomes plain JSON: a 64-bit integer a number, and so
    /// does a float that is whole. What JSON lacks is refused.
    ///
    /// # Errors
    /// What is wrong with either.
    pub fn from_json(claims: &[u8], options: &[u8]) -> Result<SignRequest, SignRequestError> {
        let options = strict_json::object(options).map_err(SignRequestError::Options)?;
        if let Some(unknown) = options.keys().find(|name| *name != "expiresInSeconds") {
            return Err(SignRequestError::Options(format!("there is no {unknown:?}")));
        }
        let seconds =
            options.get("expiresInSeconds").and_then(Json::as_f64).ok_or(SignRequestError::ExpiresIn)?;
        let claims = strict_json::object(claims).map_err(SignRequestError::Claims)?;
        SignRequest::new(claims, seconds)
    }

    /// As [`SignRequest::from_json`], of what is parsed already.
    ///
    /// # Errors
    /// As for [`SignRequest::from_json`].
    pub fn new(
        mut claims: Map<String, Json>,
        expires_in_seconds: f64,
    ) -> Result<SignRequest, SignRequestError> {
        if let Some(name) = claims.keys().find(|name| is_reserved(name)) {
            return Err(SignRequestError::Reserved(shortened(name)));
        }
        let is_in_range = (1.0..=SIGNED_TOKEN_SECONDS_MAX as f64).contains(&expires_in_seconds);
        if !is_in_range || expires_in_seconds.fract() != 0.0 {
            return Err(SignRequestError::ExpiresIn);
        }
        for (name, value) in &mut claims {
            make_plain(value).map_err(|(what, instead)| SignRequestError::Value {
                claim: shortened(name),
                what,
                instead,
            })?;
        }
        Ok(SignRequest { claims, expires_in_seconds: expires_in_seconds as u64 })
    }

    /// All claims of the token: those that were asked for, and `iss`, `iat` and `exp`, of a token that `issuer` signs at
    /// `now` since the Unix epoch.
    pub fn claims(&self, issuer: &str, now: Duration) -> Map<String, Json> {
        let mut claims = self.claims.clone();
        claims.insert("iss".into(), issuer.into());
        claims.insert("iat".into(), now.as_secs().into());
        claims.insert("exp".into(), now.as_secs().saturating_add(self.expires_in_seconds).into());
        claims
    }
}

fn shortened(name: &str) -> String {
    name.chars().take(100).collect()
}

fn is_reserved(name: &str) -> bool {
    let begins = |prefix: &&str| {
        name.as_bytes().get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()))
    };
    RESERVED.contains(&name) || RESERVED_PREFIXES.iter().any(begins)
}

/// Replaces what the value encoding has objects for; gives what JSON lacks, and what to do instead. The depth is bounded
/// by the parser.
fn make_plain(json: &mut Json) -> Result<(), (&'static str, &'static str)> {
    match json {
        Json::Array(items) => items.iter_mut().try_for_each(make_plain),
        Json::Object(fields) if is_encoding(fields) => match optional_from_tree(json) {
            Ok(Some(Value::Int64(number))) => {
                *json = number.into();
                Ok(())
            }
            Ok(Some(Value::Float64(0.0))) => {
                *json = 0.into();
                Ok(())
            }
            Ok(Some(Value::Bytes(_))) => Err(("bytes", "write them as text")),
            Ok(None) => Err(("undefined", "leave it out")),
            // Not an encoding, but somebody's object.
            Err(_) => Ok(()),
            Ok(Some(_)) => Err(("NaN or an infinity", "leave it out, or write it as text")),
        },
        Json::Object(fields) => fields.values_mut().try_for_each(make_plain),
        Json::Number(number) => {
            // A language writes 7 as 7.0 whose numbers are floats, and not every reader takes that for an integer.
            let whole = number.as_f64().filter(|_| number.is_f64()).and_then(as_integer);
            if let Some(whole) = whole {
                *number = Number::from(whole);
            }
            Ok(())
        }
        Json::Null | Json::Bool(_) | Json::String(_) => Ok(()),
    }
}

fn is_encoding(fields: &Map<String, Json>) -> bool {
    const NAMES: [&str; 4] = ["$integer", "$float", "$bytes", "$undefined"];
    fields.len() == 1 && NAMES.iter().any(|name| fields.contains_key(*name))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn says_what_may_not_be_signed() {
        let good = br#"{"expiresInSeconds":60}"#;
        for claims in ["{}", r#"{"sub":"a","aud":["b"],"x":{"exp":1}}"#, r#"{"conve":1,"cv":2,"Iss":3}"#] {
            assert!(SignRequest::from_json(claims.as_bytes(), good).is_ok(), "{claims}");
        }
        for claims in [
            r#"{"iss":"a"}"#,
            r#"{"iat":1}"#,
            r#"{"exp":1}"#,
            r#"{"nbf":1}"#,
            r#"{"convex":1}"#,
            r#"{"ConvexRole":1}"#,
            r#"{"cvx_a":1}"#,
            r#"{"CVX":1}"#,
        ] {
            let refused = SignRequest::from_json(claims.as_bytes(), good);
            assert!(matches!(refused, Err(SignRequestError::Reserved(_))), "{claims}");
        }
        for claims in ["[]", "null", "{", r#"{"a":1,"a":2}"#] {
            let refused = SignRequest::from_json(claims.as_bytes(), good);
            assert!(matches!(refused, Err(SignRequestError::Claims(_))), "{claims}");
        }
        for options in [r#"{"expiresInSeconds":1}"#, r#"{"expiresInSeconds":3600.0}"#] {
            assert!(SignRequest::from_json(b"{}", options.as_bytes()).is_ok(), "{options}");
        }
        for seconds in ["0", "0.5", "1.5", "3601", "-1", "1e300", "\"60\"", "null"] {
            let options = format!(r#"{{"expiresInSeconds":{seconds}}}"#);
            assert_eq!(
                SignRequest::from_json(b"{}", options.as_bytes()),
                Err(SignRequestError::ExpiresIn),
                "{seconds}"
            );
        }
        assert_eq!(SignRequest::from_json(b"{}", b"{}"), Err(SignRequestError::ExpiresIn));
        for options in ["[]", r#"{"expiresInSeconds":60,"issuer":"x"}"#] {
            let refused = SignRequest::from_json(b"{}", options.as_bytes());
            assert!(matches!(refused, Err(SignRequestError::Options(_))), "{options}");
        }
    }

    #[test]
    fn claims_are_plain_json_whatever_wrote_them() {
        let signed = |claims: Json| {
            let request =
                SignRequest::from_json(claims.to_string().as_bytes(), br#"{"expiresInSeconds":60}"#);
            request.map(|request| Json::Object(request.claims("i", Duration::from_millis(5_900))))
        };
        let given = json!({
            "big": {"$integer": "BQAAAAAAAAA="},
            "list": [7.0, -7.5, 1e300, {"deep": {"$integer": "//////////8="}}],
            "zero": {"$float": "AAAAAAAAAIA="},
            "own": {"$integer": "five"}, "two": {"$integer": "BQAAAAAAAAA=", "$bytes": ""}, "$ref": "x",
        });
        let expected = json!({
            "big": 5, "list": [7, -7.5, 1e300, {"deep": -1}], "zero": 0,
            "own": {"$integer": "five"}, "two": {"$integer": "BQAAAAAAAAA=", "$bytes": ""}, "$ref": "x",
            "iss": "i", "iat": 5, "exp": 65,
        });
        assert_eq!(signed(given).unwrap().to_string(), expected.to_string());
        for (value, what) in [
            (json!({"$float": "AAAAAAAA+H8="}), "NaN"),
            (json!([{"$bytes": "AAH/"}]), "bytes"),
            (json!({"a": {"$undefined": null}}), "undefined"),
        ] {
            let refused = signed(json!({ "x": value })).unwrap_err().to_string();
            assert!(refused.contains(what) && refused.contains("\"x\""), "{refused}");
        }
    }
}
