//! Configurations of providers: what is read, and what is said about what is not.
mod common;

use common::{Key, own_host};
use serde_json::{Value as Json, json};
use weir_auth::{Providers, Source};

fn read(config: &Json) -> Result<Providers, String> {
    Providers::from_json(config.to_string().as_bytes(), &own_host()).map_err(|error| error.to_string())
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
        { "type": "host" },
        { "type": "host", "applicationID": "app" },
    ] });
    let providers = read(&config).unwrap();
    assert_eq!(providers.len(), 9);
    assert!(providers.trust_host());
    assert_eq!(providers.issuers().last(), Some("http://10.0.0.1:3210"));
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

/// By whatever name it is called, and although its address is plain http: nothing is fetched from it.
#[test]
fn the_host_itself_is_a_provider() {
    let key_set = "http://10.0.0.1:3210/.well-known/jwks.json";
    let by_keys = |jwks: &str| json!({ "type": "customJwt", "issuer": "http://10.0.0.1:3210", "jwks": jwks, "algorithm": "ES256" });
    for provider in [
        json!({ "type": "host" }),
        json!({ "type": "host", "applicationID": "app" }),
        json!({ "domain": "http://10.0.0.1:3210", "applicationID": "app" }),
        json!({ "domain": "site.example/", "applicationID": "app" }),
        by_keys(key_set),
        by_keys("https://site.example/.well-known/jwks.json"),
    ] {
        let providers = read(&json!({ "providers": [provider] })).unwrap();
        assert!(providers.trust_host(), "{provider}");
        assert_eq!(providers.issuers().collect::<Vec<_>>(), ["http://10.0.0.1:3210"], "{provider}");
    }
    let other = read(&json!({ "providers": [{ "domain": "a.example", "applicationID": "app" }] })).unwrap();
    assert!(!other.trust_host());
    let with = |name: &str, value: &str| {
        let mut provider = by_keys(key_set);
        provider[name] = value.into();
        provider
    };
    assert_refused(vec![
        (with("issuer", "https://site.example"), "have the `iss` \"http://10.0.0.1:3210\": write that"),
        (with("algorithm", "RS256"), "which are for ES256"),
        (json!({ "type": "host", "issuer": "x" }), "there is no key \"issuer\""),
        (json!({ "type": "host", "applicationID": "" }), "`applicationID` is empty"),
        (by_keys("http://10.0.0.2:3210/.well-known/jwks.json"), "use https"),
        (json!({ "domain": "http://10.0.0.1", "applicationID": "app" }), "use https"),
    ]);
    let twins = json!([{ "type": "host", "applicationID": "app" }, { "domain": "site.example", "applicationID": "app" }]);
    assert!(read(&json!({ "providers": twins })).unwrap_err().contains("provider 1 has the same issuer"));
}

#[test]
fn lists_are_combined() {
    let provider = |domain: &str| json!({ "domain": domain, "applicationID": "app" });
    let custom = |jwks: &str| json!({ "type": "customJwt", "issuer": "me", "jwks": format!("https://{jwks}"), "algorithm": "ES256" });
    let combine = |first: &[Json], second: &[Json]| {
        let (first, second) = (json!({ "providers": first }), json!({ "providers": second }));
        let sources =
            [Source { name: "host.toml", config: &first }, Source { name: "module `app`", config: &second }];
        Providers::combine(&sources, &own_host()).map_err(|error| error.to_string())
    };
    let both =
        combine(&[provider("a.example"), custom("b.example")], &[custom("b.example"), provider("c.example")]);
    let expected =
        json!({ "providers": [provider("a.example"), custom("b.example"), provider("c.example")] });
    assert_eq!(both.unwrap().to_json(), expected);
    assert_eq!(combine(&[], &[]).unwrap(), Providers::default());

    // However it is written.
    let set = common::jwks(&[&Key::ec("a")]);
    let fixed =
        |jwks: Json| json!({ "type": "customJwt", "issuer": "me", "jwks": jwks, "algorithm": "ES256" });
    let texts = [set.to_string(), format!("data:,{set}"), format!(" {set:#} ")];
    for text in texts {
        let same = combine(&[fixed(set.clone())], &[fixed(json!(text))]).unwrap();
        assert_eq!(same.len(), 1);
        assert_eq!(combine(&[], &[fixed(json!(text))]).unwrap(), same);
    }
    let other = fixed(common::jwks(&[&Key::ec("a")]));
    assert!(combine(&[fixed(set)], &[other]).unwrap_err().contains("has the same issuer"));

    let different =
        combine(&[provider("a.example"), custom("b.example")], &[custom("c.example")]).unwrap_err();
    assert_eq!(
        different,
        "module `app`: auth provider 1 (\"me\"): provider 2 of host.toml has the same issuer and `applicationID`, so \
         that this one would never be asked. Remove one of the two"
    );
    let wrong = combine(&[provider("a.example")], &[json!({})]).unwrap_err();
    assert!(wrong.starts_with("module `app`: auth provider 1: `domain` is missing"), "{wrong}");
    let within = combine(&[provider("a.example"), provider("a.example")], &[]).unwrap_err();
    assert!(
        within.starts_with("host.toml: auth provider 2 (\"a.example\"): provider 1 has the same"),
        "{within}"
    );
    let many = |letter: &str| (0..20).map(|n| provider(&format!("{letter}{n}.example"))).collect::<Vec<_>>();
    assert!(combine(&many("a"), &many("b")).unwrap_err().contains("may be 32 of them, and these are 40"));
    let no_list = json!([]);
    let error =
        Providers::combine(&[Source { name: "host.toml", config: &no_list }], &own_host()).unwrap_err();
    assert_eq!(error.to_string(), "host.toml: the providers of users: Write {\"providers\": [...]}");
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
        let error = Providers::from_json(config.as_bytes(), &own_host()).unwrap_err().to_string();
        assert!(
            error.contains(problem) && error.contains("Write {\"providers\": [...]}"),
            "{config}: {error}"
        );
    }
    let many: Vec<_> =
        (0..33).map(|n| json!({ "domain": format!("a{n}.example"), "applicationID": "app" })).collect();
    assert!(read(&json!({ "providers": many })).unwrap_err().contains("32"));
    let large = |number: usize| {
        let mut set = common::jwks(&[&Key::ec("a")]);
        set["note"] = "x".repeat(200 * 1024).into();
        json!({ "type": "customJwt", "issuer": format!("issuer {number}"), "jwks": set, "algorithm": "ES256" })
    };
    let fits = json!({ "providers": (0..5).map(large).collect::<Vec<_>>() });
    assert_eq!(read(&fits).unwrap().len(), 5);
    let too_large = json!({ "providers": (0..6).map(large).collect::<Vec<_>>() });
    assert!(read(&too_large).unwrap_err().contains("1048576 bytes together"));
}
