//! A table of tokens, good and bad, each with its answer.
mod common;

use std::fmt::Write as _;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use common::{APP, CUSTOM, Key, NOW, OIDC, Scripted, base64, claims, claims_with, now};
use ring::hmac;
use serde_json::{Value as Json, json};
use weir_auth::{AuthError, Providers};

const RSA: &str = include_str!("fixtures/rsa.pem");
const OTHER_RSA: &str = include_str!("fixtures/rsa-other.pem");
/// Issuers of custom tokens beside [`CUSTOM`], which has keys for ES256.
const CUSTOM_RSA: &str = "https://rsa.example";
const CUSTOM_ED: &str = "urn:ed";
const ANY_AUDIENCE: &str = "https://any.example";

/// The keys of the providers in the table.
struct World {
    rsa: Key,
    ec: Key,
    second_ec: Key,
    ed: Key,
    /// Not the provider's, whatever its id says.
    stranger: Key,
    fetcher: Arc<Scripted>,
    providers: Providers,
}

fn world() -> World {
    let (rsa, ec, second_ec, ed) = (Key::rsa("rsa", RSA), Key::ec("ec"), Key::ec("ec2"), Key::ed("ed"));
    let set = common::jwks(&[&rsa, &ec, &second_ec, &ed]);
    let data = format!("data:application/json;base64,{}", STANDARD.encode(set.to_string()));
    let providers = common::providers(&json!([
        { "domain": OIDC, "applicationID": APP },
        { "domain": OIDC, "applicationID": "second-app" },
        { "type": "customJwt", "issuer": CUSTOM, "applicationID": APP, "algorithm": "ES256", "jwks": data },
        { "type": "customJwt", "issuer": CUSTOM_RSA, "applicationID": APP, "algorithm": "RS256",
          "jwks": set },
        { "type": "customJwt", "issuer": CUSTOM_ED, "applicationID": APP, "algorithm": "EdDSA",
          "jwks": set.to_string() },
        { "type": "customJwt", "issuer": ANY_AUDIENCE, "algorithm": "ES256", "jwks": common::jwks(&[&ec]) },
    ]));
    let fetcher = Arc::new(Scripted::default());
    common::publish(&fetcher, &[&rsa, &ec, &ed]);
    World { stranger: Key::ec("ec"), rsa, ec, second_ec, ed, fetcher, providers }
}

/// A row: what it is, the token, and `good` or the refusal's name.
type Row = (&'static str, String, &'static str);

/// Whatever stands in the answer must not be a part of the token.
fn assert_tells_nothing(error: &AuthError, token: &str, what: &str) {
    let shown = format!("{error} {error:?}");
    for part in token.split('.').filter(|part| part.len() > 8) {
        assert!(!shown.contains(part), "{what}: {shown}");
    }
    assert!(error.to_string().len() > 30, "{what}: {error}");
}

async fn check(rows: Vec<Row>, world: &World) {
    let verifier = common::verifier(&world.fetcher);
    let mut wrong = String::new();
    for (what, token, expected) in rows {
        let answer = match verifier.verify(&world.providers, &token, now()).await {
            Ok(_) => "good".to_owned(),
            Err(error) => {
                assert_tells_nothing(&error, &token, what);
                let name: String =
                    format!("{error:?}").chars().take_while(char::is_ascii_alphanumeric).collect();
                name
            }
        };
        if answer != expected {
            writeln!(wrong, "{what}: {answer} instead of {expected}").unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Good ones, and those of somebody else.
#[tokio::test(start_paused = true)]
async fn keys_and_algorithms() {
    let world = world();
    let World { rsa, ec, second_ec, ed, stranger, .. } = &world;
    let other_rsa = Key::rsa("rsa", OTHER_RSA);
    let unsigned = |header: Json| format!("{}.{}.", encoded(&header), encoded(&claims(CUSTOM)));
    let good = ec.token(&claims(CUSTOM));
    let zeros = format!("{}.{}", good.rsplit_once('.').unwrap().0, base64(&[0; 64]));
    let with = |header: Json| ec.token_with(&header, &claims(CUSTOM));
    let rows = vec![
        ("OIDC, RS256", rsa.token(&claims(OIDC)), "good"),
        ("OIDC, ES256", ec.token(&claims(OIDC)), "good"),
        ("OIDC, EdDSA", ed.token(&claims(OIDC)), "good"),
        ("custom, ES256", good, "good"),
        ("custom, the second key", second_ec.token(&claims(CUSTOM)), "good"),
        ("custom, RS256", rsa.token(&claims(CUSTOM_RSA)), "good"),
        ("custom, EdDSA", ed.token(&claims(CUSTOM_ED)), "good"),
        ("a stranger's key with a good id", stranger.token(&claims(CUSTOM)), "BadSignature"),
        ("another RSA key with a good id", other_rsa.token(&claims(CUSTOM_RSA)), "BadSignature"),
        ("the other key's id", second_ec.token_with(&ec.header(), &claims(CUSTOM)), "BadSignature"),
        ("a signature of zeros", zeros, "BadSignature"),
        ("OIDC, a key that its set has not", second_ec.token(&claims(OIDC)), "UnknownKey"),
        ("an unknown id", with(json!({ "alg": "ES256", "kid": "nobody" })), "UnknownKey"),
        ("an empty id", with(json!({ "alg": "ES256", "kid": "" })), "UnknownKey"),
        ("no id, two keys", with(json!({ "alg": "ES256" })), "AmbiguousKey"),
        ("no id, one key", ec.token_with(&json!({ "alg": "ES256" }), &claims(ANY_AUDIENCE)), "good"),
        (
            "no id, one key, a stranger",
            stranger.token_with(&json!({ "alg": "ES256" }), &claims(ANY_AUDIENCE)),
            "BadSignature",
        ),
        ("an id that is no text", with(json!({ "alg": "ES256", "kid": 7 })), "Malformed"),
        ("RS256 at a provider for ES256", rsa.token(&claims(CUSTOM)), "WrongAlgorithm"),
        ("EdDSA at a provider for ES256", ed.token(&claims(CUSTOM)), "WrongAlgorithm"),
        (
            "RS256 with the id of an EC key",
            rsa.token_with(&json!({ "alg": "RS256", "kid": "ec" }), &claims(OIDC)),
            "WrongAlgorithm",
        ),
        ("ES256 in words, RSA in truth", rsa.token_with(&ec.header(), &claims(CUSTOM)), "BadSignature"),
        ("none", unsigned(json!({ "alg": "none" })), "Unsigned"),
        ("nOnE", unsigned(json!({ "alg": "nOnE", "kid": "ec" })), "Unsigned"),
        ("none, with a signature", with(json!({ "alg": "none", "kid": "ec" })), "Unsigned"),
        ("ES256, no signature", unsigned(ec.header()), "Unsigned"),
        ("no algorithm", with(json!({ "kid": "ec" })), "Malformed"),
        ("algorithm null", with(json!({ "alg": null, "kid": "ec" })), "Malformed"),
        ("es256 in small letters", with(json!({ "alg": "es256", "kid": "ec" })), "UnsupportedAlgorithm"),
        ("ES384", with(json!({ "alg": "ES384", "kid": "ec" })), "UnsupportedAlgorithm"),
        (
            "PS256",
            rsa.token_with(&json!({ "alg": "PS256", "kid": "rsa" }), &claims(CUSTOM_RSA)),
            "UnsupportedAlgorithm",
        ),
    ];
    check(rows, &world).await;
}

fn encoded(json: &Json) -> String {
    base64(json.to_string().as_bytes())
}

/// A public key taken for a secret, in every form it comes in, and keys that tokens bring along.
#[tokio::test(start_paused = true)]
async fn confusion() {
    let world = world();
    let World { rsa, ec, stranger, .. } = &world;
    let jwk = rsa.jwk();
    let n = URL_SAFE_NO_PAD.decode(jwk["n"].as_str().unwrap()).unwrap();
    let secrets =
        [n.clone(), jwk.to_string().into_bytes(), jwk["n"].as_str().unwrap().as_bytes().to_vec(), vec![]];
    let mut rows = Vec::new();
    for secret in secrets {
        for algorithm in ["HS256", "HS384", "HS512"] {
            for key_id in ["rsa", "nobody"] {
                let header = json!({ "alg": algorithm, "kid": key_id });
                let message = format!("{}.{}", encoded(&header), encoded(&claims(CUSTOM_RSA)));
                let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &secret), message.as_bytes());
                let token = format!("{message}.{}", base64(tag.as_ref()));
                rows.push(("HMAC with the public key", token, "UnsupportedAlgorithm"));
            }
        }
        // The algorithm as it should be, and an HMAC where the signature stands.
        let message = format!("{}.{}", encoded(&rsa.header()), encoded(&claims(CUSTOM_RSA)));
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &secret), message.as_bytes());
        rows.push(("HMAC for RS256", format!("{message}.{}", base64(tag.as_ref())), "BadSignature"));
    }
    let own = stranger.jwk();
    for (what, header) in [
        ("its key in the header", json!({ "alg": "ES256", "kid": "ec", "jwk": own })),
        (
            "its key set in the header",
            json!({ "alg": "ES256", "kid": "ec", "jku": "https://evil.example/keys" }),
        ),
        (
            "its certificate",
            json!({ "alg": "ES256", "kid": "ec", "x5c": ["AAAA"], "x5u": "https://evil.example" }),
        ),
    ] {
        rows.push((what, stranger.token_with(&header, &claims(CUSTOM)), "BadSignature"));
        rows.push(("ignored where it is good", ec.token_with(&header, &claims(CUSTOM)), "good"));
    }
    let header = json!({ "alg": "ES256", "jwk": own });
    rows.push((
        "its key in the header, no id",
        stranger.token_with(&header, &claims(ANY_AUDIENCE)),
        "BadSignature",
    ));
    check(rows, &world).await;
    assert_eq!(world.fetcher.fetches(), 0, "a header made the host fetch something");
}

/// What the claims say.
#[tokio::test(start_paused = true)]
async fn issuers_audiences_and_times() {
    let world = world();
    let ec = &world.ec;
    let custom = |changes: Json| ec.token(&claims_with(CUSTOM, &changes));
    let oidc = |changes: Json| ec.token(&claims_with(OIDC, &changes));
    let rows = vec![
        ("an unknown issuer", ec.token(&claims("https://evil.example")), "UnknownIssuer"),
        (
            "an issuer that only begins so",
            ec.token(&claims("https://custom.example.evil.example")),
            "UnknownIssuer",
        ),
        ("custom: a slash more", ec.token(&claims("https://custom.example/")), "UnknownIssuer"),
        ("other letters", ec.token(&claims("https://Custom.example")), "UnknownIssuer"),
        ("no issuer", custom(json!({ "iss": null })), "MissingClaim"),
        ("an issuer that is no text", custom(json!({ "iss": [CUSTOM] })), "MalformedClaim"),
        ("OIDC: not the published slash", ec.token(&claims("https://oidc.example/")), "WrongIssuer"),
        ("another application", custom(json!({ "aud": "other" })), "WrongAudience"),
        ("no application", custom(json!({ "aud": null })), "WrongAudience"),
        (
            "no application, where none is asked for",
            ec.token(&claims_with(ANY_AUDIENCE, &json!({ "aud": null }))),
            "good",
        ),
        ("several, ours among them", custom(json!({ "aud": ["other", APP] })), "good"),
        ("several, ours not among them", custom(json!({ "aud": ["other", "app2", "ap"] })), "WrongAudience"),
        ("an empty list", custom(json!({ "aud": [] })), "WrongAudience"),
        ("a list with a number", custom(json!({ "aud": [APP, 1] })), "MalformedClaim"),
        ("an application that is no text", custom(json!({ "aud": { "app": true } })), "MalformedClaim"),
        ("OIDC: the second provider's application", oidc(json!({ "aud": "second-app" })), "good"),
        ("OIDC: the issuer for the application", oidc(json!({ "aud": OIDC })), "WrongAudience"),
        ("no subject", custom(json!({ "sub": null })), "MissingClaim"),
        ("an empty subject", custom(json!({ "sub": "" })), "MalformedClaim"),
        ("a subject that is a number", custom(json!({ "sub": 7 })), "MalformedClaim"),
        ("expired long ago", custom(json!({ "exp": NOW - 3600 })), "Expired"),
        ("expired, the leeway over", custom(json!({ "exp": NOW - 10 })), "Expired"),
        ("expired, within the leeway", custom(json!({ "exp": NOW - 9 })), "good"),
        ("expires at this second", custom(json!({ "exp": NOW })), "good"),
        ("a fraction within the leeway", custom(json!({ "exp": NOW as f64 - 9.5 })), "good"),
        ("expires never", custom(json!({ "exp": 1e300 })), "good"),
        ("no expiry", custom(json!({ "exp": null })), "MissingClaim"),
        ("an expiry that is text", custom(json!({ "exp": (NOW + 60).to_string() })), "MalformedClaim"),
        ("an expiry that is a flag", custom(json!({ "exp": true })), "MalformedClaim"),
        ("an expiry before 1970", custom(json!({ "exp": -1 })), "MalformedClaim"),
        ("not yet, the leeway over", custom(json!({ "nbf": NOW + 11 })), "NotYetValid"),
        ("not yet, within the leeway", custom(json!({ "nbf": NOW + 10 })), "good"),
        ("not before, as text", custom(json!({ "nbf": "soon" })), "MalformedClaim"),
        ("issued in the future", custom(json!({ "iat": NOW + 11 })), "NotYetValid"),
        ("issued by a clock ahead", custom(json!({ "iat": NOW + 10 })), "good"),
        ("no time of issue", custom(json!({ "iat": null })), "good"),
        (
            "as many claims as an identity holds",
            custom(json!({ "x": { "y": "z".repeat(11_000), "w": "é".repeat(300) } })),
            "good",
        ),
        ("names of many levels", custom(json!({ "x": nested(120) })), "Identity"),
    ];
    check(rows, &world).await;
}

/// An object in which each level has a few claims, so that their dotted names are long.
fn nested(levels: usize) -> Json {
    (0..levels).fold(json!(1), |inner, _| json!({ "level": inner, "b": 1 }))
}

/// What is no token at all, or not all of one.
#[tokio::test(start_paused = true)]
async fn shapes() {
    let world = world();
    let ec = &world.ec;
    let token = ec.token(&claims(CUSTOM));
    let parts: Vec<&str> = token.split('.').collect();
    let (header, body, signature) = (parts[0], parts[1], parts[2]);
    let short = URL_SAFE_NO_PAD.decode(signature).unwrap()[..60].to_vec();
    let other_claims = encoded(&claims_with(CUSTOM, &json!({ "sub": "root" })));
    let mut changed = token.clone().into_bytes();
    let at = changed.len() - 10;
    changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
    let rows = vec![
        ("nothing", String::new(), "Malformed"),
        ("dots", "..".into(), "Malformed"),
        ("a word", "token".into(), "Malformed"),
        ("two parts", format!("{header}.{body}"), "Malformed"),
        ("four parts", format!("{token}.x"), "Malformed"),
        ("five parts", format!("{header}.x.x.x.x"), "Encrypted"),
        ("no header", format!(".{body}.{signature}"), "Malformed"),
        ("no claims", format!("{header}..{signature}"), "Malformed"),
        ("the first half", token[..token.len() / 2].into(), "Malformed"),
        ("without the last letter", token[..token.len() - 1].into(), "Malformed"),
        ("a shorter signature", format!("{header}.{body}.{}", base64(&short)), "BadSignature"),
        ("one letter changed", String::from_utf8(changed).unwrap(), "BadSignature"),
        ("claims of another token", format!("{header}.{other_claims}.{signature}"), "BadSignature"),
        ("a blank before", format!(" {token}"), "Malformed"),
        ("a line end after", format!("{token}\n"), "Malformed"),
        ("a line end within", format!("{header}.\n{body}.{signature}"), "Malformed"),
        ("in quotes", format!("\"{token}\""), "Malformed"),
        ("with Bearer", format!("Bearer {token}"), "Malformed"),
        ("not ASCII", format!("{header}.{body}é.{signature}"), "Malformed"),
        ("huge", ec.token(&claims_with(CUSTOM, &json!({ "x": "x".repeat(20_000) }))), "TooLarge"),
        ("huge and nothing else", ".".repeat(1 << 20), "TooLarge"),
    ];
    check(rows, &world).await;
}

/// Signed by the right key, and written in another way.
#[tokio::test(start_paused = true)]
async fn encodings() {
    let world = world();
    let ec = &world.ec;
    let (header, text) = (ec.header().to_string(), claims(CUSTOM).to_string());
    let signed = |header: &str, claims: &str| {
        let message = format!("{header}.{claims}");
        format!("{message}.{}", base64(&ec.sign(message.as_bytes())))
    };
    let plain = base64(header.as_bytes());
    // Blanks until the length asks for padding.
    let uneven = format!("{text}{}", " ".repeat(3 - text.len() % 3 + 1));
    let odd = format!("{{\"x\":\"{}\",{}", "\u{fb}\u{ff}?>~".repeat(3), &text[1..]);
    let whole = &text[..text.len() - 1];
    let rows = vec![
        ("blanks in the claims", signed(&plain, &base64(uneven.as_bytes())), "good"),
        ("padded base64url", signed(&plain, &URL_SAFE.encode(&uneven)), "Malformed"),
        ("other letters of base64url", signed(&plain, &base64(odd.as_bytes())), "good"),
        ("the same in standard base64", signed(&plain, &STANDARD_NO_PAD.encode(&odd)), "Malformed"),
        ("padded signature", format!("{}==", ec.token(&claims(CUSTOM))), "Malformed"),
        ("header not JSON", ec.token_of("alg=ES256", &text), "Malformed"),
        ("header a list", ec.token_of("[]", &text), "Malformed"),
        ("a header twice", ec.token_of(r#"{"alg":"none","kid":"ec","alg":"ES256"}"#, &text), "Malformed"),
        ("claims not JSON", ec.token_of(&header, "iss=x"), "Malformed"),
        ("claims a text", ec.token_of(&header, "\"x\""), "Malformed"),
        ("claims cut off", ec.token_of(&header, whole), "Malformed"),
        ("claims and something after", ec.token_of(&header, &format!("{text}{{}}")), "Malformed"),
        ("claims not UTF-8", signed(&plain, &base64(b"{\"\xff\":1}")), "Malformed"),
        ("a claim twice", ec.token_of(&header, &format!("{whole},\"sub\":\"root\"}}")), "Malformed"),
        (
            "a nested claim twice",
            ec.token_of(&header, &format!("{whole},\"a\":{{\"b\":1,\"b\":2}}}}")),
            "Malformed",
        ),
    ];
    assert!(URL_SAFE.encode(&uneven).contains('=') && STANDARD_NO_PAD.encode(&odd).contains(['+', '/']));
    check(rows, &world).await;
}

/// What a header may ask for, signed by the right key.
#[tokio::test(start_paused = true)]
async fn headers() {
    let world = world();
    let rows = [
        ("nothing", json!({}), "good"),
        ("unknown, not critical", json!({ "x": 1 }), "good"),
        ("crit: exp", json!({ "crit": ["exp"], "exp": 1 }), "CriticalHeader"),
        ("crit: b64", json!({ "crit": ["b64"], "b64": true }), "CriticalHeader"),
        ("crit: nothing", json!({ "crit": [] }), "CriticalHeader"),
        ("crit: null", json!({ "crit": null }), "CriticalHeader"),
        ("b64 false", json!({ "b64": false }), "CriticalHeader"),
        ("b64 true", json!({ "b64": true }), "good"),
        ("an access token", json!({ "typ": "at+jwt" }), "good"),
        ("an access token, in full", json!({ "typ": "application/at+jwt" }), "good"),
        ("small letters", json!({ "typ": "jwt" }), "good"),
        ("a logout token", json!({ "typ": "logout+jwt" }), "OtherPurpose"),
        ("a proof of possession", json!({ "typ": "DPoP+JWT" }), "OtherPurpose"),
        ("a name that only ends so", json!({ "typ": "chat+jwt" }), "OtherPurpose"),
    ];
    let rows = rows.map(|(what, more, expected)| {
        let mut header = json!({ "alg": "ES256", "kid": "ec" });
        header.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        (what, world.ec.token_with(&header, &claims(CUSTOM)), expected)
    });
    check(rows.into(), &world).await;
}

#[tokio::test(start_paused = true)]
async fn the_identity_is_convex_s_and_lasts_as_long_as_the_token() {
    let world = world();
    let verifier = common::verifier(&world.fetcher);
    let more =
        json!({ "given_name": "Ada", "email_verified": true, "org": { "id": 7 }, "jti": "x", "nbf": NOW });
    let good =
        verifier.verify(&world.providers, &world.ec.token(&claims_with(OIDC, &more)), now()).await.unwrap();
    let expected = json!({
        "tokenIdentifier": format!("{OIDC}|ada"), "issuer": OIDC, "subject": "ada",
        "givenName": "Ada", "emailVerified": true, "org": { "id": 7 },
    });
    assert_eq!(serde_json::from_slice::<Json>(good.identity.json()).unwrap(), expected);
    assert_eq!(good.expires_at.as_secs(), NOW + 3600 + 10);
    let at_last = good.expires_at - std::time::Duration::from_nanos(1);
    let token = world.ec.token(&claims_with(OIDC, &more));
    assert_eq!(verifier.verify(&world.providers, &token, at_last).await.unwrap(), good);
    let late = verifier.verify(&world.providers, &token, good.expires_at).await;
    assert_eq!(late.unwrap_err(), AuthError::Expired);

    let good =
        verifier.verify(&world.providers, &world.ec.token(&claims_with(CUSTOM, &more)), now()).await.unwrap();
    let expected = json!({
        "tokenIdentifier": format!("{CUSTOM}|ada"), "issuer": CUSTOM, "subject": "ada",
        "given_name": "Ada", "email_verified": true, "org.id": 7,
    });
    assert_eq!(serde_json::from_slice::<Json>(good.identity.json()).unwrap(), expected);
}

#[tokio::test(start_paused = true)]
async fn without_providers_no_token_is_good() {
    let world = world();
    let verifier = common::verifier(&world.fetcher);
    let token = world.ec.token(&claims(CUSTOM));
    let refused = verifier.verify(&Providers::default(), &token, now()).await.unwrap_err();
    assert_eq!(refused, AuthError::NoProviders);
    assert!(!refused.is_transient());
}
