//! Key sets that have to be fetched: kept, shared, rotated, forged against, and gone. Time is tokio's,
//! paused.
mod common;

use std::sync::Arc;
use std::time::Duration;

use common::{Key, NOW, OIDC, Scripted, claims, now, oidc_provider, publish};
use parking_lot::Mutex;
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use weir_auth::{AuthError, Verifier};

/// Documents in one fetch of keys: discovery, and the key set.
const DOCUMENTS: usize = 2;
/// Seconds between two fetches that unknown keys bring about.
const INTERVAL: u64 = 5;

fn world() -> (Arc<Scripted>, Arc<Verifier>) {
    let fetcher = Arc::new(Scripted::default());
    let verifier = Arc::new(common::verifier(&fetcher));
    (fetcher, verifier)
}

async fn verify(verifier: &Verifier, token: &str) -> Result<(), AuthError> {
    verifier.verify(&oidc_provider(), token, now()).await.map(drop)
}

#[tokio::test(start_paused = true)]
async fn all_who_wait_share_one_fetch() {
    let (fetcher, verifier) = world();
    let key = Key::ec("a");
    publish(&fetcher, &[&key]);
    fetcher.delay(Duration::from_secs(1));
    let mut tasks = JoinSet::new();
    for _ in 0..500 {
        let (verifier, token) = (Arc::clone(&verifier), key.token(&claims(OIDC)));
        tasks.spawn(async move { verify(&verifier, &token).await });
    }
    while let Some(answer) = tasks.join_next().await {
        answer.unwrap().unwrap();
    }
    assert_eq!(fetcher.fetches(), DOCUMENTS);
    // They are kept, and asked for again when they are old.
    sleep(Duration::from_secs(9 * 60)).await;
    verify(&verifier, &key.token(&claims(OIDC))).await.unwrap();
    assert_eq!(fetcher.fetches(), DOCUMENTS);
    sleep(Duration::from_secs(60)).await;
    verify(&verifier, &key.token(&claims(OIDC))).await.unwrap();
    assert_eq!(fetcher.fetches(), 2 * DOCUMENTS);
}

#[tokio::test(start_paused = true)]
async fn a_key_taken_back_does_no_more_when_the_set_is_old() {
    let (fetcher, verifier) = world();
    let (old, new) = (Key::ec("a"), Key::ec("b"));
    publish(&fetcher, &[&old]);
    verify(&verifier, &old.token(&claims(OIDC))).await.unwrap();
    publish(&fetcher, &[&new]);
    verify(&verifier, &old.token(&claims(OIDC))).await.unwrap();
    sleep(Duration::from_secs(600)).await;
    let refused = verify(&verifier, &old.token(&claims(OIDC))).await.unwrap_err();
    assert_eq!(refused, AuthError::UnknownKey { provider: OIDC.into() });
    assert_eq!(fetcher.fetches(), 2 * DOCUMENTS);
}

/// Forged tokens with ever new ids do not make the host fetch more often than once an interval, and a good
/// token is answered at once all the while.
#[tokio::test(start_paused = true)]
async fn forged_ids_cost_few_fetches() {
    let (fetcher, verifier) = world();
    let key = Key::ec("a");
    publish(&fetcher, &[&key]);
    verify(&verifier, &key.token(&claims(OIDC))).await.unwrap();
    let began = Instant::now();
    let mut tasks = JoinSet::new();
    for n in 0..600_u64 {
        let verifier = Arc::clone(&verifier);
        let token = Key::ec(&format!("forged{n}")).token(&claims(OIDC));
        tasks.spawn(async move {
            sleep(Duration::from_millis(100 * n)).await;
            let arrived = Instant::now();
            let refused = verify(&verifier, &token).await.unwrap_err();
            assert!(matches!(refused, AuthError::UnknownKey { .. }), "{refused}");
            arrived.elapsed()
        });
    }
    for _ in 0..60 {
        sleep(Duration::from_secs(1)).await;
        let before = Instant::now();
        verify(&verifier, &key.token(&claims(OIDC))).await.unwrap();
        assert_eq!(before.elapsed(), Duration::ZERO);
    }
    while let Some(waited) = tasks.join_next().await {
        assert!(waited.unwrap() <= Duration::from_secs(INTERVAL));
    }
    let fetches = fetcher.fetches() / DOCUMENTS;
    let most = usize::try_from(began.elapsed().as_secs() / INTERVAL).unwrap() + 2;
    assert!(fetches <= most, "{fetches} fetches, at most {most}");
    assert!(fetches >= 10, "{fetches} fetches: the forged tokens brought none about");
}

/// Keys are replaced every 7 s, with forged tokens in between, and no good token is refused.
#[tokio::test(start_paused = true)]
async fn rotation_under_load_refuses_no_good_token() {
    const SECONDS: u64 = 300;
    let (fetcher, verifier) = world();
    fetcher.delay(Duration::from_millis(200));
    let signing = Arc::new(Mutex::new(Arc::new(Key::ec("0"))));
    publish(&fetcher, &[&signing.lock()]);
    let began = Instant::now();
    let end = began + Duration::from_secs(SECONDS);
    let mut tasks = JoinSet::new();
    for client in 0..40_u64 {
        let (verifier, signing) = (Arc::clone(&verifier), Arc::clone(&signing));
        tasks.spawn(async move {
            let mut good = 0_usize;
            while Instant::now() < end {
                let key = Arc::clone(&signing.lock());
                let answer = verify(&verifier, &key.token(&claims(OIDC))).await;
                assert!(answer.is_ok(), "key {} after {:?}: {answer:?}", key.id, began.elapsed());
                good += 1;
                sleep(Duration::from_millis(700 + 13 * client)).await;
            }
            good
        });
    }
    for forger in 0..5_u64 {
        let verifier = Arc::clone(&verifier);
        tasks.spawn(async move {
            let mut number = 0;
            while Instant::now() < end {
                number += 1;
                let token = Key::ec(&format!("forged{forger}.{number}")).token(&claims(OIDC));
                assert!(verify(&verifier, &token).await.is_err());
                sleep(Duration::from_millis(300)).await;
            }
            0
        });
    }
    let mut rotations = 0;
    while Instant::now() < end {
        sleep(Duration::from_secs(7)).await;
        rotations += 1;
        let (old, new) = (Arc::clone(&signing.lock()), Arc::new(Key::ec(&format!("{rotations}"))));
        publish(&fetcher, &[&old, &new]);
        *signing.lock() = new;
    }
    let mut good = 0;
    while let Some(count) = tasks.join_next().await {
        good += count.unwrap();
    }
    assert!(rotations > 40 && good > 5000, "{rotations} rotations, {good} good tokens");
    let fetches = fetcher.fetches() / DOCUMENTS;
    let most = usize::try_from(began.elapsed().as_secs() / INTERVAL).unwrap() + 2;
    assert!(
        (rotations..=most).contains(&fetches),
        "{fetches} fetches, {rotations} rotations, at most {most}"
    );
}

/// A provider whose tokens name no key replaces its only one.
#[tokio::test(start_paused = true)]
async fn rotation_without_ids() {
    let (fetcher, verifier) = world();
    let header = json!({ "alg": "ES256" });
    let (old, new) = (Key::ec("a"), Key::ec("b"));
    publish(&fetcher, &[&old]);
    verify(&verifier, &old.token_with(&header, &claims(OIDC))).await.unwrap();
    publish(&fetcher, &[&new]);
    verify(&verifier, &new.token_with(&header, &claims(OIDC))).await.unwrap();
    let refused = verify(&verifier, &old.token_with(&header, &claims(OIDC))).await.unwrap_err();
    assert_eq!(refused, AuthError::BadSignature { provider: OIDC.into() });
    assert_eq!(fetcher.fetches(), 3 * DOCUMENTS);
}

#[tokio::test(start_paused = true)]
async fn keys_outlive_a_provider_that_is_gone_for_a_day() {
    let (fetcher, verifier) = world();
    let key = Key::ec("a");
    publish(&fetcher, &[&key]);
    verify(&verifier, &key.token(&claims(OIDC))).await.unwrap();
    fetcher.cut();
    let before = fetcher.fetches();
    for _ in 0..23 {
        sleep(Duration::from_secs(3600)).await;
        for _ in 0..10 {
            verify(&verifier, &key.token(&claims(OIDC))).await.unwrap();
        }
    }
    assert_eq!(fetcher.fetches() - before, 23, "one try an hour, of the first document");
    // Whether a key is unknown cannot be told then: the token may be good.
    let refused = verify(&verifier, &Key::ec("b").token(&claims(OIDC))).await.unwrap_err();
    assert!(refused.is_transient() && refused.to_string().contains("connection refused"), "{refused}");
    sleep(Duration::from_secs(3600)).await;
    let refused = verify(&verifier, &key.token(&claims(OIDC))).await.unwrap_err();
    assert!(refused.is_transient(), "{refused}");
    publish(&fetcher, &[&key]);
    sleep(Duration::from_secs(INTERVAL)).await;
    verify(&verifier, &key.token(&claims(OIDC))).await.unwrap();
}

/// A provider that never had an answer: refused at once for a while, and not asked by each token.
#[tokio::test(start_paused = true)]
async fn a_provider_that_was_never_there() {
    let (fetcher, verifier) = world();
    let key = Key::ec("a");
    for _ in 0..100 {
        let refused = verify(&verifier, &key.token(&claims(OIDC))).await.unwrap_err();
        assert!(refused.is_transient() && refused.to_string().contains("404"), "{refused}");
    }
    assert_eq!(fetcher.fetches(), 1);
    let failed = verifier.prepare(&oidc_provider()).await;
    assert_eq!(failed.len(), 1);
    publish(&fetcher, &[&key]);
    sleep(Duration::from_secs(INTERVAL)).await;
    assert!(verifier.prepare(&oidc_provider()).await.is_empty());
    let before = fetcher.fetches();
    verify(&verifier, &key.token(&claims(OIDC))).await.unwrap();
    assert_eq!(fetcher.fetches(), before);
}

#[tokio::test(start_paused = true)]
async fn keys_are_prepared_all_at_once() {
    let (fetcher, verifier) = world();
    let custom = |number: usize| {
        json!({ "type": "customJwt", "issuer": format!("issuer {number}"), "algorithm": "ES256",
                "jwks": format!("https://custom.example/{number}") })
    };
    let providers = common::providers(&json!((0..10).map(custom).collect::<Vec<_>>()));
    fetcher.delay(Duration::from_secs(5));
    let began = Instant::now();
    let failed = verifier.prepare(&providers).await;
    let names: Vec<_> = failed.iter().map(|(name, _)| name.clone()).collect();
    assert_eq!(names, (0..10).map(|number| format!("issuer {number}")).collect::<Vec<_>>());
    assert_eq!(began.elapsed(), Duration::from_secs(5));
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_never_answers_holds_nobody_for_long() {
    let (fetcher, verifier) = world();
    let key = Key::ec("a");
    publish(&fetcher, &[&key]);
    fetcher.delay(Duration::from_secs(3600));
    let began = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..100 {
        let (verifier, token) = (Arc::clone(&verifier), key.token(&claims(OIDC)));
        tasks.spawn(async move { verify(&verifier, &token).await });
    }
    while let Some(refused) = tasks.join_next().await {
        let refused = refused.unwrap().unwrap_err();
        assert!(refused.is_transient() && refused.to_string().contains("within 10 s"), "{refused}");
    }
    assert!(began.elapsed() <= Duration::from_secs(11), "{:?}", began.elapsed());
    assert_eq!(fetcher.fetches(), 1);
}

/// Whoever fetches goes away in the middle, and the next one takes over.
#[tokio::test(start_paused = true)]
async fn a_fetch_that_is_given_up_stops_nobody() {
    let (fetcher, verifier) = world();
    let key = Key::ec("a");
    publish(&fetcher, &[&key]);
    fetcher.delay(Duration::from_secs(2));
    let token = key.token(&claims(OIDC));
    let mut first = JoinSet::new();
    let (held, sent) = (Arc::clone(&verifier), token.clone());
    first.spawn(async move { verify(&held, &sent).await });
    sleep(Duration::from_secs(1)).await;
    let mut second = JoinSet::new();
    let held = Arc::clone(&verifier);
    second.spawn(async move { verify(&held, &token).await });
    sleep(Duration::from_millis(500)).await;
    first.abort_all();
    second.join_next().await.unwrap().unwrap().unwrap();
    assert_eq!(fetcher.fetches(), 1 + DOCUMENTS);
}

#[tokio::test(start_paused = true)]
async fn so_many_wait_and_no_more() {
    let (fetcher, verifier) = world();
    let key = Key::ec("a");
    publish(&fetcher, &[&key]);
    verify(&verifier, &key.token(&claims(OIDC))).await.unwrap();
    let forged = Key::ec("forged").token(&claims(OIDC));
    let mut tasks = JoinSet::new();
    for _ in 0..2000 {
        let (verifier, token) = (Arc::clone(&verifier), forged.clone());
        tasks.spawn(async move { verify(&verifier, &token).await.unwrap_err() });
    }
    let mut busy = 0;
    while let Some(refused) = tasks.join_next().await {
        match refused.unwrap() {
            refused @ AuthError::Busy { .. } => {
                assert!(refused.is_transient());
                busy += 1;
            }
            AuthError::UnknownKey { .. } => {}
            other => panic!("{other}"),
        }
    }
    assert_eq!(busy, 2000 - 1024);
    verify(&verifier, &key.token(&claims(OIDC))).await.unwrap();
}

/// What a provider publishes, and what is said of it.
#[tokio::test(start_paused = true)]
async fn documents_that_are_no_good() {
    let key = Key::ec("a");
    let discovery = format!("{OIDC}/.well-known/openid-configuration");
    let keys_url = format!("{OIDC}/keys");
    let set = common::jwks(&[&key]).to_string();
    let document = |issuer: &str, jwks: &str| json!({ "issuer": issuer, "jwks_uri": jwks }).to_string();
    let good = document(OIDC, &keys_url);
    let rows = [
        ("<html>".to_owned(), set.clone(), "not a discovery document (not JSON)"),
        ("{}".into(), set.clone(), "no text `issuer`"),
        (json!({ "issuer": OIDC }).to_string(), set.clone(), "no text `jwks_uri`"),
        (document("https://evil.example", &keys_url), set.clone(), "`issuer` is not the provider's `domain`"),
        (document(OIDC, "http://oidc.example/keys"), set.clone(), "plain http"),
        (document(OIDC, "http://localhost/keys"), set.clone(), "leads to this machine"),
        (document(OIDC, "https://localhost/keys"), set.clone(), "leads to this machine"),
        (document(OIDC, "file:///keys"), set.clone(), "neither https"),
        (document(OIDC, "https://oidc.example/elsewhere"), set.clone(), "404"),
        (good.clone(), "<html>".into(), "not a key set (not JSON)"),
        (good.clone(), "{}".into(), "no array `keys`"),
        (
            good.clone(),
            json!({ "keys": [{ "kty": "oct", "k": "AAAA", "kid": "a" }] }).to_string(),
            "no key of the set",
        ),
        (good.clone(), format!("{set}{}", " ".repeat(300_000)), "bytes"),
    ];
    for (document, keys, problem) in rows {
        let (fetcher, verifier) = world();
        fetcher.answer(&discovery, document.clone());
        fetcher.answer(&keys_url, keys);
        let refused = verify(&verifier, &key.token(&claims(OIDC))).await.unwrap_err();
        assert!(refused.to_string().contains(problem), "{document}: {refused}");
        assert!(refused.is_transient());
    }
}

/// A key of the right id that is for something else, in a set that has been fetched.
#[tokio::test(start_paused = true)]
async fn keys_for_something_else() {
    let key = Key::ec("a");
    let token = key.token(&claims(OIDC));
    let other = Key::ed("z");
    for (change, expected) in [
        (json!({}), None),
        (json!({ "use": "enc" }), Some(AuthError::UnknownKey { provider: OIDC.into() })),
        (json!({ "alg": "ES384" }), Some(AuthError::UnknownKey { provider: OIDC.into() })),
        (json!({ "key_ops": ["sign"] }), Some(AuthError::UnknownKey { provider: OIDC.into() })),
        (json!({ "crv": "P-384" }), Some(AuthError::UnknownKey { provider: OIDC.into() })),
        (json!({ "kty": "RSA" }), Some(AuthError::UnknownKey { provider: OIDC.into() })),
        (json!({ "kid": 7 }), Some(AuthError::UnknownKey { provider: OIDC.into() })),
    ] {
        let (fetcher, verifier) = world();
        publish(&fetcher, &[&key]);
        let mut jwk = key.jwk();
        jwk.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        fetcher.answer(&format!("{OIDC}/keys"), json!({ "keys": [other.jwk(), jwk] }).to_string());
        assert_eq!(verify(&verifier, &token).await.err(), expected, "{change}");
    }
}

/// `iss` and domain, with and without a slash: what counts is what the provider publishes.
#[tokio::test(start_paused = true)]
async fn slashes() {
    let key = Key::ec("a");
    for domain in ["oidc.example", "https://oidc.example", "https://oidc.example/"] {
        for published in ["https://oidc.example", "https://oidc.example/"] {
            let (fetcher, verifier) = world();
            publish(&fetcher, &[&key]);
            let document = json!({ "issuer": published, "jwks_uri": format!("{OIDC}/keys") });
            fetcher.answer(&format!("{OIDC}/.well-known/openid-configuration"), document.to_string());
            let providers = common::providers(&json!([{ "domain": domain, "applicationID": "app" }]));
            for issuer in ["https://oidc.example", "https://oidc.example/"] {
                let answer = verifier.verify(&providers, &key.token(&claims(issuer)), now()).await;
                assert_eq!(answer.is_ok(), issuer == published, "{domain} {published} {issuer}: {answer:?}");
                if let Ok(good) = answer {
                    assert_eq!(good.identity.token_identifier(), format!("{issuer}|ada"));
                }
            }
        }
    }
}

/// Deployments come and go, and their providers' keys with them.
#[tokio::test(start_paused = true)]
async fn only_so_many_sets_are_kept() {
    let (fetcher, verifier) = world();
    let key = Key::ec("a");
    let provider = |n: usize| {
        let url = format!("https://p{n}.example/keys");
        fetcher.answer(&url, common::jwks(&[&key]).to_string());
        let issuer = format!("p{n}");
        let provider = json!({ "type": "customJwt", "issuer": issuer, "jwks": url, "algorithm": "ES256" });
        (common::providers(&json!([provider])), key.token(&claims(&issuer)))
    };
    for n in 0..100 {
        let (providers, token) = provider(n);
        verifier.verify(&providers, &token, now()).await.unwrap();
        sleep(Duration::from_millis(1)).await;
    }
    let before = fetcher.fetches();
    let (providers, token) = provider(99);
    verifier.verify(&providers, &token, now()).await.unwrap();
    assert_eq!(fetcher.fetches(), before, "one of the newest was dropped");
    let (providers, token) = provider(0);
    verifier.verify(&providers, &token, now()).await.unwrap();
    assert_eq!(fetcher.fetches(), before + 1, "the oldest was kept");
    assert_eq!(now().as_secs(), NOW);
}
