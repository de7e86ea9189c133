//! What the tests of tokens share: keys that sign, tokens of any shape, and providers that tests answer for.
#![allow(dead_code, reason = "each test file uses a part")]

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use parking_lot::Mutex;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject;
use serde_json::{Value as Json, json};
use weir_auth::{FetchError, Fetched, KeyFetcher, OwnHost, OwnKeys, Providers, SigningKeys, Url, Verifier};

/// The moment at which tests stand, in seconds since the epoch.
pub const NOW: u64 = 1_800_000_000;
pub const OIDC: &str = "https://oidc.example";
pub const CUSTOM: &str = "https://custom.example";
pub const APP: &str = "app";

pub fn now() -> Duration {
    Duration::from_secs(NOW)
}

/// A private key with its id.
pub struct Key {
    pub id: String,
    pair: Pair,
}

enum Pair {
    Rsa(RsaKeyPair),
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
}

impl Key {
    /// A new key for ES256.
    pub fn ec(id: &str) -> Key {
        let random = SystemRandom::new();
        let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let pair =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, made.as_ref(), &random).unwrap();
        Key { id: id.into(), pair: Pair::Ec(pair) }
    }

    /// A new key for EdDSA.
    pub fn ed(id: &str) -> Key {
        let made = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        Key { id: id.into(), pair: Pair::Ed(Ed25519KeyPair::from_pkcs8(made.as_ref()).unwrap()) }
    }

    /// A key for RS256 from the fixtures.
    pub fn rsa(id: &str, pem: &str) -> Key {
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes()).unwrap();
        Key { id: id.into(), pair: Pair::Rsa(RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).unwrap()) }
    }

    pub fn algorithm(&self) -> &'static str {
        match self.pair {
            Pair::Rsa(_) => "RS256",
            Pair::Ec(_) => "ES256",
            Pair::Ed(_) => "EdDSA",
        }
    }

    /// The public half, as a JWK.
    pub fn jwk(&self) -> Json {
        let common = json!({ "kid": self.id, "alg": self.algorithm(), "use": "sig" });
        let mut jwk = match &self.pair {
            Pair::Rsa(pair) => {
                let public = ring::rsa::PublicKeyComponents::<Vec<u8>>::from(pair.public());
                json!({ "kty": "RSA", "n": base64(&public.n), "e": base64(&public.e) })
            }
            Pair::Ec(pair) => {
                let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
                json!({ "kty": "EC", "crv": "P-256", "x": base64(x), "y": base64(y) })
            }
            Pair::Ed(pair) => {
                json!({ "kty": "OKP", "crv": "Ed25519", "x": base64(pair.public_key().as_ref()) })
            }
        };
        jwk.as_object_mut().unwrap().extend(common.as_object().unwrap().clone());
        jwk
    }

    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).unwrap();
                signature
            }
            Pair::Ec(pair) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            Pair::Ed(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }

    /// A token with this key's header.
    pub fn token(&self, claims: &Json) -> String {
        self.token_with(&self.header(), claims)
    }

    pub fn header(&self) -> Json {
        json!({ "typ": "JWT", "alg": self.algorithm(), "kid": self.id })
    }

    /// A token with any header.
    pub fn token_with(&self, header: &Json, claims: &Json) -> String {
        self.token_of(&header.to_string(), &claims.to_string())
    }

    /// A token of any two texts.
    pub fn token_of(&self, header: &str, claims: &str) -> String {
        let message = format!("{}.{}", base64(header.as_bytes()), base64(claims.as_bytes()));
        format!("{message}.{}", base64(&self.sign(message.as_bytes())))
    }
}

pub fn base64(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub fn jwks(keys: &[&Key]) -> Json {
    json!({ "keys": keys.iter().map(|key| key.jwk()).collect::<Vec<_>>() })
}

/// Claims that are good at [`now`].
pub fn claims(issuer: &str) -> Json {
    json!({ "iss": issuer, "sub": "ada", "aud": APP, "iat": NOW - 60, "exp": NOW + 3600 })
}

/// Claims with some of them replaced; null takes one away.
pub fn claims_with(issuer: &str, changes: &Json) -> Json {
    let mut claims = claims(issuer);
    for (name, change) in changes.as_object().unwrap() {
        match change {
            Json::Null => drop(claims.as_object_mut().unwrap().remove(name)),
            change => claims[name] = change.clone(),
        }
    }
    claims
}

/// The host that verifies.
pub fn own_host() -> OwnHost {
    OwnHost::new("http://10.0.0.1:3210", "https://site.example")
}

pub fn providers(list: &Json) -> Providers {
    Providers::from_json(json!({ "providers": list }).to_string().as_bytes(), &own_host()).unwrap()
}

pub fn oidc_provider() -> Providers {
    providers(&json!([{ "domain": OIDC, "applicationID": APP }]))
}

/// The discovery document and the key set of [`OIDC`].
pub fn publish(fetcher: &Scripted, keys: &[&Key]) {
    let document = json!({ "issuer": OIDC, "jwks_uri": format!("{OIDC}/keys") });
    fetcher.answer(&format!("{OIDC}/.well-known/openid-configuration"), document.to_string());
    fetcher.answer(&format!("{OIDC}/keys"), jwks(keys).to_string());
}

/// A network in which tests answer.
#[derive(Default)]
pub struct Scripted {
    answers: Mutex<HashMap<String, Result<Vec<u8>, FetchError>>>,
    latency: Mutex<Duration>,
    fetches: AtomicUsize,
}

impl Scripted {
    pub fn answer(&self, url: &str, body: impl Into<Vec<u8>>) {
        self.answers.lock().insert(url.into(), Ok(body.into()));
    }

    /// From now on nobody answers.
    pub fn cut(&self) {
        for answer in self.answers.lock().values_mut() {
            *answer = Err(FetchError::Unreachable("connection refused".into()));
        }
    }

    /// How long each answer takes from now on.
    pub fn delay(&self, latency: Duration) {
        *self.latency.lock() = latency;
    }

    /// How many documents were asked for.
    pub fn fetches(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }
}

impl KeyFetcher for Scripted {
    fn fetch<'a>(&'a self, url: &'a Url) -> Fetched<'a> {
        Box::pin(async move {
            self.fetches.fetch_add(1, Ordering::SeqCst);
            let latency = *self.latency.lock();
            // What the server has when it is asked, not when its answer arrives.
            let answer = self.answers.lock().get(url.as_str()).cloned();
            tokio::time::sleep(latency).await;
            answer.unwrap_or(Err(FetchError::Status(404)))
        })
    }
}

/// The host's own keys, if it has some.
pub struct Own(pub Option<Arc<SigningKeys>>);

impl OwnKeys for Own {
    fn own_keys(&self) -> Option<Arc<SigningKeys>> {
        self.0.clone()
    }
}

/// A verifier whose keys age by tokio's clock, which tests may pause.
pub fn verifier(fetcher: &Arc<Scripted>) -> Verifier {
    verifier_of(fetcher, Own(None))
}

/// As [`verifier`], of a host with these keys.
pub fn verifier_of(fetcher: &Arc<Scripted>, own: Own) -> Verifier {
    let start = tokio::time::Instant::now();
    let fetcher = Arc::clone(fetcher) as Arc<dyn KeyFetcher>;
    Verifier::new(fetcher, Arc::new(own), move || start.elapsed())
}
