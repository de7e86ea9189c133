//! Tokens that the host signs, there and back.
mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use common::{NOW, Own, Scripted, now};
use serde_json::{Value as Json, json};
use weir_auth::{AuthError, SignError, SignRequest, SigningKeys};

const ISSUER: &str = "https://box.example";

fn request(claims: &Json, seconds: u64) -> SignRequest {
    let options = json!({ "expiresInSeconds": seconds }).to_string();
    SignRequest::from_json(claims.to_string().as_bytes(), options.as_bytes()).unwrap()
}

fn part(token: &str, number: usize) -> Json {
    let part = token.split('.').nth(number).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[tokio::test]
async fn what_is_signed_is_verified_also_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let keys = SigningKeys::read_or_create(dir.path()).unwrap();
    let token = keys.sign(
        &request(&json!({ "sub": "ada", "aud": "app", "role": { "admin": true } }), 60),
        ISSUER,
        now(),
    );
    let token = token.unwrap();
    assert_eq!(part(&token, 0), json!({ "typ": "JWT", "alg": "ES256", "kid": keys.key_id() }));
    let expected = json!({
        "iss": ISSUER, "sub": "ada", "aud": "app", "iat": NOW, "exp": NOW + 60, "role": { "admin": true },
    });
    assert_eq!(part(&token, 1), expected);

    let again = SigningKeys::read_or_create(dir.path()).unwrap();
    assert_eq!(again.key_id(), keys.key_id());
    assert_eq!(again.jwks(), keys.jwks());
    let providers = common::providers(&json!([
        { "type": "customJwt", "issuer": ISSUER, "applicationID": "app", "algorithm": "ES256",
          "jwks": again.jwks() },
    ]));
    let verifier = common::verifier(&Arc::new(Scripted::default()));
    let good = verifier.verify(&providers, &token, now() + Duration::from_secs(69)).await.unwrap();
    assert_eq!(good.identity.token_identifier(), "https://box.example|ada");
    let late = verifier.verify(&providers, &token, now() + Duration::from_secs(70)).await.unwrap_err();
    assert_eq!(late, AuthError::Expired);

    let elsewhere = tempfile::tempdir().unwrap();
    let stranger = SigningKeys::read_or_create(elsewhere.path()).unwrap();
    assert_ne!(stranger.key_id(), keys.key_id());
    let forged = stranger.sign(&request(&json!({ "sub": "ada", "aud": "app" }), 60), ISSUER, now()).unwrap();
    let refused = verifier.verify(&providers, &forged, now()).await.unwrap_err();
    assert_eq!(refused, AuthError::UnknownKey { provider: ISSUER.into() });
}

/// What the host signs it verifies with the keys that it has: nobody is asked, and no token waits.
#[tokio::test(start_paused = true)]
async fn the_host_trusts_itself_without_a_network() {
    const CLOUD: &str = "http://10.0.0.1:3210";
    let dir = tempfile::tempdir().unwrap();
    let keys = Arc::new(SigningKeys::read_or_create(dir.path()).unwrap());
    let sign = |claims: &Json, issuer: &str| keys.sign(&request(claims, 60), issuer, now()).unwrap();
    let network = Arc::new(Scripted::default());
    let verifier = common::verifier_of(&network, Own(Some(Arc::clone(&keys))));
    for provider in [
        json!({ "type": "host" }),
        json!({ "type": "host", "applicationID": "app" }),
        json!({ "domain": CLOUD, "applicationID": "app" }),
        json!({ "domain": "https://site.example", "applicationID": "app" }),
        json!({ "type": "customJwt", "issuer": CLOUD, "applicationID": "app", "algorithm": "ES256",
                "jwks": format!("{CLOUD}/.well-known/jwks.json") }),
    ] {
        let providers = common::providers(&json!([provider]));
        assert_eq!(verifier.prepare(&providers).await, vec![]);
        let token = sign(&json!({ "sub": "ada", "aud": "app" }), CLOUD);
        let good = verifier.verify(&providers, &token, now()).await.unwrap();
        assert_eq!(good.identity.token_identifier(), "http://10.0.0.1:3210|ada", "{provider}");
        assert!(providers.still_have(&good.provider));
        assert!(!common::oidc_provider().still_have(&good.provider));

        let elsewhere = tempfile::tempdir().unwrap();
        let stranger = SigningKeys::read_or_create(elsewhere.path()).unwrap();
        let forged =
            stranger.sign(&request(&json!({ "sub": "ada", "aud": "app" }), 60), CLOUD, now()).unwrap();
        let began = tokio::time::Instant::now();
        let refused = verifier.verify(&providers, &forged, now()).await.unwrap_err();
        assert_eq!(refused, AuthError::UnknownKey { provider: CLOUD.into() }, "{provider}");
        assert_eq!(began.elapsed(), Duration::ZERO);
        let elsewhere = sign(&json!({ "sub": "ada", "aud": "app" }), "https://other.example");
        let refused = verifier.verify(&providers, &elsewhere, now()).await.unwrap_err();
        assert_eq!(refused, AuthError::UnknownIssuer, "{provider}");
    }
    let audience = common::providers(&json!([{ "type": "host", "applicationID": "app" }]));
    let refused =
        verifier.verify(&audience, &sign(&json!({ "sub": "ada" }), CLOUD), now()).await.unwrap_err();
    assert_eq!(refused, AuthError::WrongAudience { provider: CLOUD.into() });
    assert_eq!(network.fetches(), 0);

    let keyless = common::verifier_of(&network, Own(None));
    let refused =
        keyless.verify(&audience, &sign(&json!({ "sub": "ada", "aud": "app" }), CLOUD), now()).await;
    let refused = refused.unwrap_err();
    assert!(refused.is_transient() && refused.to_string().contains("its log says why"), "{refused}");
}

#[test]
fn the_public_keys_are_public_and_named_by_their_thumbprint() {
    let dir = tempfile::tempdir().unwrap();
    let keys = SigningKeys::read_or_create(dir.path()).unwrap();
    let key = &keys.jwks()["keys"][0];
    let names: Vec<_> = key.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, ["alg", "crv", "kid", "kty", "use", "x", "y"]);
    let text = format!(r#"{{"crv":"P-256","kty":"EC","x":{},"y":{}}}"#, key["x"], key["y"]);
    let thumbprint = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    assert_eq!(key["kid"], URL_SAFE_NO_PAD.encode(thumbprint));
    assert_eq!(format!("{keys:?}"), format!("SigningKeys({})", keys.key_id()));
}

/// An operator puts a new key before the old one.
#[test]
fn the_first_key_signs_and_all_are_published() {
    let dir = tempfile::tempdir().unwrap();
    let old = SigningKeys::read_or_create(dir.path()).unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let new = SigningKeys::read_or_create(elsewhere.path()).unwrap();
    let file = dir.path().join("signing-keys");
    let text = fs::read_to_string(elsewhere.path().join("signing-keys")).unwrap()
        + &fs::read_to_string(&file).unwrap();
    fs::write(&file, text).unwrap();
    let both = SigningKeys::read_or_create(dir.path()).unwrap();
    assert_eq!(both.key_id(), new.key_id());
    assert_eq!(both.jwks()["keys"], json!([new.jwks()["keys"][0], old.jwks()["keys"][0]]));
}

#[test]
fn a_key_of_another_kind_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("signing-keys");
    fs::write(&file, include_str!("fixtures/rsa.pem")).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let refused = SigningKeys::read_or_create(dir.path()).unwrap_err().to_string();
    assert!(refused.contains("does not hold keys on P-256"), "{refused}");
}

#[test]
fn a_token_that_nobody_would_take_is_not_signed() {
    let dir = tempfile::tempdir().unwrap();
    let keys = SigningKeys::read_or_create(dir.path()).unwrap();
    let request = request(&json!({ "x": "x".repeat(20_000) }), 60);
    assert_eq!(keys.sign(&request, ISSUER, now()), Err(SignError::TooLarge));
}
