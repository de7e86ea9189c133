//! A token taken apart: header and claims of a signed JWT in compact form (RFC 7515, RFC 7519). Nothing that
//! is read here is believed before the signature is checked.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value as Json};
use weir_value::limits::{TOKEN_BYTES_MAX, TOKEN_LEEWAY_SECONDS};
use weir_value::strict_json;

use crate::algorithm::Algorithm;
use crate::error::AuthError;

/// The last moment that a token may name, in seconds since the epoch: the end of the year 9999.
const LAST_SECOND: f64 = 253_402_300_799.0;

/// A token, not yet verified.
pub(crate) struct Token<'a> {
    pub(crate) algorithm: Algorithm,
    pub(crate) key_id: Option<String>,
    pub(crate) issuer: String,
    pub(crate) claims: Map<String, Json>,
    /// What is signed: header and claims as they were sent.
    pub(crate) message: &'a [u8],
    pub(crate) signature: Vec<u8>,
}

impl<'a> Token<'a> {
    /// Takes a token apart.
    ///
    /// # Errors
    /// What of it is not as it has to be, whoever signed it.
    pub(crate) fn parse(text: &'a str) -> Result<Token<'a>, AuthError> {
        if text.len() > TOKEN_BYTES_MAX {
            return Err(AuthError::TooLarge);
        }
        let mut parts = text.split('.');
        let (header, claims, signature) = match (parts.next(), parts.next(), parts.next(), parts.count()) {
            (Some(header), Some(claims), Some(signature), 0) => (header, claims, signature),
            (.., 2) => return Err(AuthError::Encrypted),
            _ => return Err(AuthError::Malformed("not three parts with dots between them".into())),
        };
        let header = part(header, "header")?;
        let (algorithm, key_id) = read_header(&header)?;
        let claims_read = part(claims, "claims")?;
        if signature.is_empty() {
            return Err(AuthError::Unsigned);
        }
        let signature = decode(signature, "signature")?;
        let issuer = match claims_read.get("iss") {
            Some(Json::String(issuer)) => issuer.clone(),
            None => return Err(AuthError::MissingClaim("iss")),
            Some(_) => return Err(AuthError::MalformedClaim("iss")),
        };
        let signed_bytes = text.rfind('.').unwrap_or_default();
        Ok(Token {
            algorithm,
            key_id,
            issuer,
            claims: claims_read,
            message: &text.as_bytes()[..signed_bytes],
            signature,
        })
    }

    /// Whether the token is for this application.
    ///
    /// # Errors
    /// `aud` is neither text nor a list of texts.
    pub(crate) fn is_for(&self, application: &str) -> Result<bool, AuthError> {
        match self.claims.get("aud") {
            None => Ok(false),
            Some(Json::String(audience)) => Ok(audience == application),
            Some(Json::Array(audiences)) if audiences.iter().all(Json::is_string) => {
                Ok(audiences.iter().any(|audience| audience == application))
            }
            Some(_) => Err(AuthError::MalformedClaim("aud")),
        }
    }

    /// Until when the token is good (since the epoch, not included), the leeway added.
    ///
    /// # Errors
    /// It is not good at `now`, or does not say until when it is.
    pub(crate) fn check_times(&self, now: Duration) -> Result<Duration, AuthError> {
        let leeway = Duration::from_secs(TOKEN_LEEWAY_SECONDS);
        let expires_at = self.time("exp")?.ok_or(AuthError::MissingClaim("exp"))? + leeway;
        for name in ["nbf", "iat"] {
            if self.time(name)?.is_some_and(|from| from > now.saturating_add(leeway)) {
                return Err(AuthError::NotYetValid);
            }
        }
        if now >= expires_at { Err(AuthError::Expired) } else { Ok(expires_at) }
    }

    /// A claim that is seconds since the epoch, perhaps with a fraction.
    fn time(&self, name: &'static str) -> Result<Option<Duration>, AuthError> {
        let Some(claim) = self.claims.get(name) else { return Ok(None) };
        let seconds = claim.as_f64().filter(|seconds| *seconds >= 0.0);
        let seconds = seconds.ok_or(AuthError::MalformedClaim(name))?;
        Ok(Some(Duration::from_secs_f64(seconds.min(LAST_SECOND))))
    }
}

fn decode(text: &str, what: &str) -> Result<Vec<u8>, AuthError> {
    let decoded = URL_SAFE_NO_PAD.decode(text);
    decoded.map_err(|_| AuthError::Malformed(format!("its {what} is not base64url without padding")))
}

fn part(text: &str, what: &str) -> Result<Map<String, Json>, AuthError> {
    let decoded = decode(text, what)?;
    strict_json::object(&decoded).map_err(|why| AuthError::Malformed(format!("its {what}: {why}")))
}

/// Algorithm and key id. Keys that a header brings along (`jwk`, `jku`, `x5c`, `x5u`) are not even looked at.
fn read_header(header: &Map<String, Json>) -> Result<(Algorithm, Option<String>), AuthError> {
    let key_id = match header.get("kid") {
        None => None,
        Some(Json::String(id)) => Some(id.clone()),
        Some(_) => return Err(AuthError::Malformed("its `kid` is not text".into())),
    };
    // No extension is understood, and without one nothing may change how the claims are written (RFC 7797).
    if header.contains_key("crit") || header.get("b64").is_some_and(|encoded| encoded != &Json::Bool(true)) {
        return Err(AuthError::CriticalHeader);
    }
    let kind = header.get("typ").and_then(Json::as_str).unwrap_or_default().to_ascii_lowercase();
    // Logout tokens, proofs of possession and others have an issuer and a subject too (RFC 8725, 3.11).
    if kind.ends_with("+jwt") && !["at+jwt", "application/at+jwt"].contains(&kind.as_str()) {
        return Err(AuthError::OtherPurpose);
    }
    match header.get("alg") {
        Some(Json::String(name)) if name.eq_ignore_ascii_case("none") => Err(AuthError::Unsigned),
        Some(Json::String(name)) => {
            let algorithm = Algorithm::from_name(name).ok_or(AuthError::UnsupportedAlgorithm)?;
            Ok((algorithm, key_id))
        }
        _ => Err(AuthError::Malformed("its header has no `alg`".into())),
    }
}
