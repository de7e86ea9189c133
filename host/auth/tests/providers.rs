//! Configurations of providers: what is read, and what is said about what is not.
mod common;

use common::Key;
use serde_json::{Value as Json, json};
use weir_auth::Providers;

fn read(config: &Json) -> Result<Providers, String> {
    Providers::from_json(config.to_string().as_bytes()).map_err(|error| error.to_string())
}

#[test]
fn what_was_read_is_written_as_it_was() {
    let set = common::jwks(&[&Key::ec("a")]);
    let config = json!({ "providers": [
        { "domain": "https://a.example", "applicationID": "app" },
        { "domain": "a.example/path/", "applicationID": "app" },
        { "domain": "a.example", "applicationID": "other app" },
        { "domain": "http://localhost:3000", "applicationID": "app" },
        { "type": "customJwt", "issuer": "me", "jwks": "https://b.example/keys?tenant=1",
          "algorithm": "RS256" },
        { "type": "customJwt", "issuer": "me", "jwks": set, "algorithm": "ES256", "applicationID": "app" },
        { "type": "customJwt", "issuer": "you", "jwks": set.to_string(), "algorithm": "ES256" },
    ] });
    let providers = read(&config).unwrap();
    assert_eq!(providers.len(), 7);
    assert_eq!(providers.to_json(), config);
    assert_eq!(read(&providers.to_json()).unwrap(), providers);
    assert_ne!(providers, Providers::default());
    assert_eq!(read(&json!({ "providers": [] })).unwrap(), Providers::default());
    assert!(Providers::default().is_empty());
}

/// Each of these, after a good one, is refused by number and name, with these words.
fn assert_refused(rows: Vec<(Json, &str)>) {
    let good = json!({ "domain": "https://good.example", "applicationID": "app" });
    for (provider, problem) in rows {
        let error = read(&json!({ "providers": [good, provider] })).unwrap_err();
        assert!(error.contains(problem), "{provider}: {error}");
        assert!(error.starts_with("auth provider 2"), "{error}");
        let name = provider.get("domain").or_else(|| provider.get("issuer")).and_then(Json::as_str);
        assert!(
            name.is_none_or(|name| name.len() > 200
                || name.contains('@')
                || error.contains(&format!("{name:?}"))),
            "{error}"
        );
        assert!(!error.contains("c2VjcmV0") && !error.contains(":secret"), "{error}");
    }
}

#[test]
fn says_what_is_wrong_with_a_provider_of_openid_connect() {
    let oidc = |domain: &str| json!({ "domain": domain, "applicationID": "app" });
    assert_refused(vec![
        (json!(7), "has to be an object"),
        (json!({ "type": "oidc", "domain": "a.example" }), "`type` may be \"customJwt\""),
        (json!({ "type": null }), "`type` may be"),
        (json!({ "domain": "a.example" }), "`applicationID` is missing"),
        (json!({ "domain": "a.example", "applicationID": "" }), "`applicationID` is empty"),
        (json!({ "domain": "a.example", "applicationID": null }), "`applicationID` has to be text"),
        (json!({ "applicationID": "app" }), "`domain` is missing"),
        (json!({ "domain": 1, "applicationID": "app" }), "`domain` has to be text"),
        (json!({ "domain": "a.example", "applicationId": "app" }), "there is no key \"applicationId\""),
        (json!({ "domain": "a.example", "applicationID": "app", "jwks": "x" }), "there is no key \"jwks\""),
        (oidc("http://a.example"), "use https"),
        (oidc("http://10.0.0.1"), "use https"),
        (oidc("ftp://a.example"), "neither https"),
        (oidc("https://"), "is not a URL"),
        (oidc("https://me:secret@a.example"), "leave it out"),
        (oidc("https://a.example?x"), "before `?`"),
        (oidc("https://a.example#x"), "before `?`"),
        (oidc(" a.example"), "blanks"),
        (oidc("a.example\n"), "blanks"),
        (oidc(&format!("https://{}", "a".repeat(3000))), "longer than"),
    ]);
}

#[test]
fn says_what_is_wrong_with_a_provider_of_custom_tokens() {
    let ec = Key::ec("a");
    let private = {
        let mut set = common::jwks(&[&ec]);
        set["keys"][0]["d"] = "c2VjcmV0".into();
        set
    };
    let symmetric = json!({ "keys": [{ "kty": "oct", "k": "c2VjcmV0" }] });
    let custom =
        |jwks: Json| json!({ "type": "customJwt", "issuer": "me", "jwks": jwks, "algorithm": "ES256" });
    assert_refused(vec![
        (
            json!({ "type": "customJwt", "jwks": "https://a.example", "algorithm": "RS256" }),
            "`issuer` is missing",
        ),
        (json!({ "type": "customJwt", "issuer": "me", "algorithm": "RS256" }), "`jwks` has to be"),
        (
            json!({ "type": "customJwt", "issuer": "me", "jwks": "https://a.example" }),
            "`algorithm` has to be",
        ),
        (
            json!({ "type": "customJwt", "issuer": "me", "jwks": "https://a.example", "algorithm": "HS256" }),
            "has to be \"RS256\", \"ES256\" or \"EdDSA\"",
        ),
        (
            json!({ "type": "customJwt", "issuer": "me", "jwks": "https://a.example", "algorithm": "none" }),
            "has to be",
        ),
        (
            json!({ "type": "customJwt", "issuer": "me", "jwks": "https://a.example", "algorithm": "rs256" }),
            "has to be",
        ),
        (
            json!({ "type": "customJwt", "issuer": "me", "jwks": "https://a.example", "domain": "x" }),
            "there is no key \"domain\"",
        ),
        (custom(json!("http://a.example/keys")), "use https"),
        (custom(json!("keys.json")), "is not a URL"),
        (custom(json!("file:///keys.json")), "neither https"),
        (custom(json!("data:;base64,***")), "not base64"),
        (custom(json!("data:,nothing")), "not a key set (not JSON)"),
        (custom(json!("{}")), "no array `keys`"),
        (custom(ec.jwk()), "around it"),
        (custom(json!({ "keys": [] })), "it is empty"),
        (custom(json!([])), "`jwks` has to be"),
        (custom(common::jwks(&[&Key::ed("a")])), "no key in `jwks` is one for ES256"),
        (custom(private), "holds a private"),
        (custom(symmetric), "holds a private or a secret key"),
    ]);
}

#[test]
fn a_provider_that_would_never_be_asked_is_an_error() {
    let first = json!({ "domain": "https://a.example", "applicationID": "app" });
    for twin in [
        first.clone(),
        json!({ "domain": "a.example/", "applicationID": "app" }),
        json!({ "type": "customJwt", "issuer": "https://a.example", "applicationID": "app",
                "jwks": "https://a.example/keys", "algorithm": "RS256" }),
    ] {
        let error = read(&json!({ "providers": [first, twin] })).unwrap_err();
        assert!(error.contains("provider 1 has the same issuer"), "{error}");
    }
}

#[test]
fn says_what_is_wrong_with_the_whole() {
    for (config, problem) in [
        ("", "not JSON"),
        ("[]", "not a JSON object"),
        (r#"{"providers":[],"providers":[]}"#, "a name twice"),
        ("{}", "has to be an array"),
        (r#"{"providers":{}}"#, "has to be an array"),
        (r#"{"provider":[]}"#, "there is no key \"provider\""),
    ] {
        let error = Providers::from_json(config.as_bytes()).unwrap_err().to_string();
        assert!(
            error.contains(problem) && error.contains("Write {\"providers\": [...]}"),
            "{config}: {error}"
        );
    }
    let many: Vec<_> =
        (0..33).map(|n| json!({ "domain": format!("a{n}.example"), "applicationID": "app" })).collect();
    assert!(read(&json!({ "providers": many })).unwrap_err().contains("32"));
}
