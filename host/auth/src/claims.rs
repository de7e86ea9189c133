//! From the claims of a token to the identity that functions see, as Convex makes it.

use serde_json::{Map, Value as Json};
use weir_value::{Identity, IdentityError};

/// OpenID Connect's claims about a user that are text, and what functions call them.
const TEXTS: [(&str, &str); 14] = [
    ("name", "name"),
    ("given_name", "givenName"),
    ("family_name", "familyName"),
    ("nickname", "nickname"),
    ("preferred_username", "preferredUsername"),
    ("profile", "profileUrl"),
    ("picture", "pictureUrl"),
    ("website", "websiteUrl"),
    ("email", "email"),
    ("gender", "gender"),
    ("birthdate", "birthday"),
    ("zoneinfo", "timezone"),
    ("locale", "language"),
    ("phone_number", "phoneNumber"),
];
/// Those that are true or false.
const FLAGS: [(&str, &str); 2] =
    [("email_verified", "emailVerified"), ("phone_number_verified", "phoneNumberVerified")];

/// Claims about the token rather than the user. They change with every token, so that each would be another
/// identity, and every live query that asked for it would run again.
const OF_THE_TOKEN: [&str; 7] = ["iss", "sub", "aud", "exp", "nbf", "iat", "jti"];
/// More of them, in OpenID Connect: how and when the user signed in.
const OF_THE_SIGN_IN: [&str; 7] = ["auth_time", "nonce", "acr", "amr", "azp", "at_hash", "c_hash"];
/// A claim of Clerk's: how long ago the user proved who he is.
const AGE_OF_FACTORS: &str = "fva";

/// Names that are made of `iss` and `sub` alone: no claim of the same name may take their place.
const NAMES: [&str; 3] = ["tokenIdentifier", "issuer", "subject"];

/// The identity in an ID token: standard claims under Convex's names, and all others as they are. A standard
/// claim that has not its type is left out.
///
/// # Errors
/// More claims than an identity may hold.
pub(crate) fn oidc_identity(
    issuer: &str,
    subject: &str,
    mut claims: Map<String, Json>,
) -> Result<Identity, IdentityError> {
    claims
        .retain(|name, _| !OF_THE_TOKEN.contains(&name.as_str()) && !OF_THE_SIGN_IN.contains(&name.as_str()));
    claims.remove(AGE_OF_FACTORS);
    let mut named = Map::new();
    let mut name =
        |name: &str, claim: Option<Json>| claim.and_then(|claim| named.insert(name.to_owned(), claim));
    for (claim, called) in TEXTS {
        name(called, claims.remove(claim).filter(Json::is_string));
    }
    for (claim, called) in FLAGS {
        name(called, claims.remove(claim).and_then(flag));
    }
    name("address", claims.remove("address").and_then(address));
    name("updatedAt", claims.remove("updated_at").and_then(updated_at));
    // A custom claim does not take the place of a standard one.
    let is_taken = |name: &str| {
        let mut called = TEXTS.iter().chain(&FLAGS).map(|(_, called)| *called);
        called.any(|called| called == name) || ["address", "updatedAt"].contains(&name)
    };
    claims.retain(|name, _| !is_taken(name));
    claims.append(&mut named);
    with_names(issuer, subject, claims)
}

/// The identity in a custom token: its own claims, what is nested flattened to `a.b`.
///
/// # Errors
/// More claims than an identity may hold.
pub(crate) fn custom_identity(
    issuer: &str,
    subject: &str,
    mut claims: Map<String, Json>,
) -> Result<Identity, IdentityError> {
    claims.retain(|name, _| !OF_THE_TOKEN.contains(&name.as_str()));
    let mut flat = Map::new();
    flatten("", claims, &mut flat);
    flat.remove(AGE_OF_FACTORS);
    with_names(issuer, subject, flat)
}

fn with_names(issuer: &str, subject: &str, mut claims: Map<String, Json>) -> Result<Identity, IdentityError> {
    for name in NAMES {
        claims.remove(name);
    }
    claims.insert("issuer".into(), issuer.into());
    claims.insert("subject".into(), subject.into());
    Identity::from_claims(claims)
}

/// Claims at the top come before nested ones of the same dotted name: `"a.b"` before the `b` in `a`.
fn flatten(prefix: &str, claims: Map<String, Json>, flat: &mut Map<String, Json>) {
    let (nested, plain): (Vec<_>, Vec<_>) = claims.into_iter().partition(|(_, claim)| claim.is_object());
    for (name, claim) in plain {
        flat.entry(format!("{prefix}{name}")).or_insert(claim);
    }
    for (name, claim) in nested {
        if let Json::Object(claims) = claim {
            flatten(&format!("{prefix}{name}."), claims, flat);
        }
    }
}

/// Some providers (Cognito) send it as text.
fn flag(claim: Json) -> Option<Json> {
    match claim {
        Json::Bool(_) => Some(claim),
        Json::String(text) if text == "true" => Some(Json::Bool(true)),
        Json::String(text) if text == "false" => Some(Json::Bool(false)),
        _ => None,
    }
}

/// Of an address, functions get the text that goes onto a label.
fn address(claim: Json) -> Option<Json> {
    claim.get("formatted").filter(|formatted| formatted.is_string()).cloned()
}

/// A moment as text: seconds since the epoch become RFC 3339, text (Auth0) stays.
fn updated_at(claim: Json) -> Option<Json> {
    match claim {
        Json::String(_) => Some(claim),
        Json::Number(number) => rfc3339(number.as_f64()?).map(Json::String),
        _ => None,
    }
}

/// `2024-01-02T03:04:05+00:00`, whole seconds.
fn rfc3339(seconds: f64) -> Option<String> {
    // From the year 0 to 9999.
    if !(-62_167_219_200.0..253_402_300_800.0).contains(&seconds) {
        return None;
    }
    let seconds = seconds.floor() as i64;
    let (days, of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    Some(format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}+00:00"))
}

/// Year, month and day of a day since the epoch, in the Gregorian calendar: years begin in March here, so
/// that the leap day is the last one of its year.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, next_year) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year_of_era + next_year, month, day)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn oidc(claims: Json) -> Json {
        let Json::Object(claims) = claims else { panic!("not an object") };
        let identity = oidc_identity("https://a", "ada", claims).unwrap();
        let mut json: Json = serde_json::from_slice(identity.json()).unwrap();
        strip_names(&mut json);
        json
    }

    fn custom(claims: Json) -> Json {
        let Json::Object(claims) = claims else { panic!("not an object") };
        let identity = custom_identity("https://a", "ada", claims).unwrap();
        let mut json: Json = serde_json::from_slice(identity.json()).unwrap();
        strip_names(&mut json);
        json
    }

    fn strip_names(json: &mut Json) {
        let object = json.as_object_mut().unwrap();
        assert_eq!(object.remove("tokenIdentifier").unwrap(), "https://a|ada");
        assert_eq!(object.remove("issuer").unwrap(), "https://a");
        assert_eq!(object.remove("subject").unwrap(), "ada");
    }

    #[test]
    fn standard_claims_get_their_names() {
        let claims = json!({
            "name": "Ada L", "given_name": "Ada", "family_name": "L", "nickname": "a",
            "preferred_username": "al",
            "profile": "https://p", "picture": "https://i", "website": "https://w", "email": "a@b",
            "email_verified": true, "gender": "f", "birthdate": "1815-12-10", "zoneinfo": "Europe/London",
            "locale": "en", "phone_number": "+1", "phone_number_verified": "false",
            "address": {"formatted": "1 St", "country": "UK"}, "updated_at": 1_704_164_645,
            "role": "admin", "nested": {"a": {"b": 1}}, "sid": "s",
            "iss": "x", "sub": "y", "aud": "z", "exp": 1, "nbf": 1, "iat": 1, "jti": "j", "fva": [1, 2],
            "auth_time": 1, "nonce": "n", "acr": "0", "amr": ["pwd"], "azp": "z", "at_hash": "h",
            "c_hash": "h",
        });
        let expected = json!({
            "name": "Ada L", "givenName": "Ada", "familyName": "L", "nickname": "a",
            "preferredUsername": "al",
            "profileUrl": "https://p", "pictureUrl": "https://i", "websiteUrl": "https://w", "email": "a@b",
            "emailVerified": true, "gender": "f", "birthday": "1815-12-10", "timezone": "Europe/London",
            "language": "en", "phoneNumber": "+1", "phoneNumberVerified": false,
            "address": "1 St", "updatedAt": "2024-01-02T03:04:05+00:00",
            "role": "admin", "nested": {"a": {"b": 1}}, "sid": "s",
        });
        assert_eq!(oidc(claims), expected);
    }

    #[test]
    fn a_claim_takes_no_other_ones_place() {
        let claims = json!({
            "email": 7, "email_verified": "yes", "emailVerified": true, "givenName": "Eve",
            "address": "plain",
            "updated_at": "2024-01-02T03:04:05.678Z", "tokenIdentifier": "https://a|root", "issuer": "i",
            "subject": "root",
        });
        assert_eq!(oidc(claims), json!({ "updatedAt": "2024-01-02T03:04:05.678Z" }));
        let claims = json!({ "tokenIdentifier": "https://a|root", "issuer": "i", "subject": "root", "x": 1 });
        assert_eq!(custom(claims), json!({ "x": 1 }));
    }

    #[test]
    fn custom_claims_are_flat_and_keep_their_names() {
        let claims = json!({
            "given_name": "Ada", "email_verified": true,
            "properties": {"id": "123", "tags": [{"a": 1}], "none": {}},
            "a": {"b": {"c": null}}, "a.b": {"c": 1}, "x.y": 1, "x": {"y": 2}, "fva": [1],
            "iss": "x", "sub": "y", "aud": "z", "exp": 1, "nbf": 1, "iat": 1, "jti": "j", "azp": "kept",
        });
        let expected = json!({
            "given_name": "Ada", "email_verified": true,
            "properties.id": "123", "properties.tags": [{"a": 1}],
            "a.b.c": null, "x.y": 1, "azp": "kept",
        });
        assert_eq!(custom(claims), expected);
    }

    #[test]
    fn too_many_claims_are_refused() {
        let claims = json!({ "x": "x".repeat(20_000) });
        let Json::Object(claims) = claims else { unreachable!() };
        assert_eq!(custom_identity("a", "b", claims).unwrap_err(), IdentityError::TooLarge);
    }

    #[test]
    fn moments_are_written_as_rfc_3339() {
        for (seconds, text) in [
            (0.0, "1970-01-01T00:00:00+00:00"),
            (951_782_400.0, "2000-02-29T00:00:00+00:00"),
            (951_868_799.9, "2000-02-29T23:59:59+00:00"),
            (-1.0, "1969-12-31T23:59:59+00:00"),
            (4_102_444_800.0, "2100-01-01T00:00:00+00:00"),
            (253_402_300_799.0, "9999-12-31T23:59:59+00:00"),
        ] {
            assert_eq!(rfc3339(seconds).unwrap(), text);
        }
        assert!(rfc3339(f64::MAX).is_none() && rfc3339(f64::NAN).is_none());
    }
}
