//! Tokens: none is taken that no key of its provider has signed, as it stands.
//!
//! An input is a script that makes tokens and changes them.
//!
//! | line | what it does |
//! |---|---|
//! | `header {..}`, `claims {..}` | what the next token says |
//! | `sign KEY` | signs both with a key: `ec`, `ed`, `rsa`, or the `stranger`'s |
//! | `unsigned`, `raw TEXT` | a token without a signature, any token |
//! | `flip AT BIT` and other edits | changes the token |
//! | `present` | shows it to the verifier; the end of the script does, too |
//!
//! The time that a verifier waits for keys passes at once: tokio's clock stands, and goes to the next timer when nothing
//! else is left to do. Each input has a verifier of its own, so that what it waits for is not another's doing.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use serde_json::{Value as Json, json};
use tokio::runtime::Runtime;
use tokio::time::Instant;
use weir_auth::{
    FetchError, Fetched, KeyFetcher, OwnHost, OwnKeys, Providers, SigningKeys, Url, Verified, Verifier,
};

use super::Target;
use crate::edits;
use crate::script::lines;

pub(super) const TARGET: Target = Target {
    name: "tokens",
    run,
    dictionary: &[
        "\nsign ec",
        "\nsign ed",
        "\nsign rsa",
        "\nsign stranger",
        "\nunsigned",
        "\npresent",
        "\nflip ",
        "\ncopy ",
        "\nheader ",
        "\nclaims ",
        "\nraw ",
        "\"alg\":\"",
        "ES256",
        "EdDSA",
        "RS256",
        "HS256",
        "none",
        "\"kid\":\"",
        "\"crit\":[\"exp\"]",
        "\"b64\":false",
        "\"typ\":\"JWT\"",
        "\"jwk\":{}",
        "\"iss\":\"",
        "https://oidc.example",
        "https://custom.example",
        "urn:ed",
        "\"sub\":",
        "\"aud\":[\"app\"]",
        "\"exp\":1800003600",
        "\"nbf\":",
        "\"iat\":",
        "1e400",
        ".",
        "=",
        "{",
        "}",
    ],
    bytes_max: 8 * 1024,
    rounds: 20_000,
    is_in_process: true,
};

const NOW: u64 = 1_800_000_000;
const OIDC: &str = "https://oidc.example";
const CUSTOM: &str = "https://custom.example";
const ED_ISSUER: &str = "urn:ed";
/// How far clocks may be apart, in seconds.
const LEEWAY: f64 = weir_value::limits::TOKEN_LEEWAY_SECONDS as f64;
/// What a token may wait for the keys of its provider, as `Verifier::verify` promises.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// A key that signs.
enum Key {
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
    Rsa(RsaKeyPair),
}

impl Key {
    fn algorithm(&self) -> &'static str {
        match self {
            Key::Ec(_) => "ES256",
            Key::Ed(_) => "EdDSA",
            Key::Rsa(_) => "RS256",
        }
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Key::Ec(pair) => pair.sign(&random, message).expect("a signature").as_ref().to_vec(),
            Key::Ed(pair) => pair.sign(message).as_ref().to_vec(),
            Key::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).expect("a signature");
                signature
            }
        }
    }

    /// The public half, as a JWK of this id.
    fn jwk(&self, id: &str) -> Json {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let mut jwk = match self {
            Key::Rsa(pair) => {
                let public = ring::rsa::PublicKeyComponents::<Vec<u8>>::from(pair.public());
                json!({ "kty": "RSA", "n": encode(&public.n), "e": encode(&public.e) })
            }
            Key::Ec(pair) => {
                let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
                json!({ "kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y) })
            }
            Key::Ed(pair) => {
                json!({ "kty": "OKP", "crv": "Ed25519", "x": encode(pair.public_key().as_ref()) })
            }
        };
        jwk["kid"] = id.into();
        jwk["alg"] = self.algorithm().into();
        jwk
    }
}

/// The keys by name, and what the verifier trusts.
struct World {
    keys: BTreeMap<&'static str, Key>,
    providers: Providers,
    published: Arc<Published>,
    runtime: Runtime,
}

static WORLD: LazyLock<World> = LazyLock::new(World::new);

impl World {
    fn new() -> World {
        let keys = BTreeMap::from([
            ("ec", Key::Ec(new_ec())),
            ("ed", Key::Ed(Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("a seed is a key"))),
            ("rsa", Key::Rsa(rsa())),
            ("stranger", Key::Ec(new_ec())),
        ]);
        let own = ["ec", "ed", "rsa"].map(|name| keys[name].jwk(name));
        let set = json!({ "keys": own });
        let list = json!({ "providers": [
            { "domain": OIDC, "applicationID": "app" },
            { "type": "customJwt", "issuer": CUSTOM, "applicationID": "app", "algorithm": "ES256", "jwks": set },
            { "type": "customJwt", "issuer": ED_ISSUER, "algorithm": "EdDSA", "jwks": set },
        ] });
        let host = OwnHost::new("http://10.0.0.1:3210", "https://site.example");
        let providers = Providers::from_json(list.to_string().as_bytes(), &host).expect("providers");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        let published = Arc::new(Published(set.to_string()));
        World { keys, providers, published, runtime: runtime.expect("a runtime") }
    }

    /// One that has not met a token yet, and whose clock is that of the runtime.
    fn verifier(&self) -> Verifier {
        let _inside = self.runtime.enter();
        let begun = Instant::now();
        Verifier::new(self.published.clone(), Arc::new(NoKeys), move || begun.elapsed())
    }
}

fn new_ec() -> EcdsaKeyPair {
    let random = SystemRandom::new();
    let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).expect("a key");
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, made.as_ref(), &random).expect("a key")
}

/// That of the auth room's tests: a new one takes seconds.
fn rsa() -> RsaKeyPair {
    let pem = include_str!("../../../../host/auth/tests/fixtures/rsa.pem");
    let text: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    RsaKeyPair::from_pkcs8(&STANDARD.decode(text).expect("base64")).expect("a key")
}

/// A network in which there is one provider.
struct Published(String);

impl KeyFetcher for Published {
    fn fetch<'a>(&'a self, url: &'a Url) -> Fetched<'a> {
        let document = match url.as_str().strip_prefix(OIDC) {
            Some("/.well-known/openid-configuration") => {
                Ok(json!({ "issuer": OIDC, "jwks_uri": format!("{OIDC}/keys") }).to_string().into_bytes())
            }
            Some("/keys") => Ok(self.0.clone().into_bytes()),
            _ => Err(FetchError::Status(404)),
        };
        Box::pin(async move { document })
    }
}

/// A host without keys of its own.
struct NoKeys;

impl OwnKeys for NoKeys {
    fn own_keys(&self) -> Option<Arc<SigningKeys>> {
        None
    }
}

/// Tokens in the making.
struct Script {
    verifier: Verifier,
    header: String,
    claims: String,
    token: Vec<u8>,
    /// What was signed, and with which key.
    signed: Vec<(String, &'static str)>,
}

fn run(input: &[u8]) {
    let mut script = Script {
        verifier: WORLD.verifier(),
        header: String::new(),
        claims: String::new(),
        token: Vec::new(),
        signed: Vec::new(),
    };
    for (word, rest) in lines(input, 40) {
        match word.as_str() {
            "header" => script.header = rest,
            "claims" => script.claims = rest,
            "sign" => script.sign(&rest),
            "unsigned" => script.token = format!("{}.", script.message()).into_bytes(),
            "raw" => script.token = rest.into_bytes(),
            "present" => script.present(),
            _ => drop(edits::apply(&mut script.token, &format!("{word} {rest}"))),
        }
    }
    script.present();
}

impl Script {
    fn message(&self) -> String {
        let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
        format!("{}.{}", encode(&self.header), encode(&self.claims))
    }

    fn sign(&mut self, name: &str) {
        let Some((name, key)) = WORLD.keys.get_key_value(name) else { return };
        let message = self.message();
        let signature = URL_SAFE_NO_PAD.encode(key.sign(message.as_bytes()));
        self.token = format!("{message}.{signature}").into_bytes();
        self.signed.push((message, name));
    }

    fn present(&self) {
        let World { providers, runtime, .. } = &*WORLD;
        let token = String::from_utf8_lossy(&self.token);
        let (outcome, waited) = runtime.block_on(async {
            let begun = Instant::now();
            (self.verifier.verify(providers, &token, Duration::from_secs(NOW)).await, begun.elapsed())
        });
        assert!(waited <= WAIT_MAX, "a token waits {waited:?} for keys");
        match outcome {
            Ok(verified) => self.check_accepted(&token, &verified),
            Err(error) => {
                let shown = format!("{error} {error:?}");
                let parts = token.split('.').filter(|part| part.len() > 16);
                parts.for_each(|part| assert!(!shown.contains(part), "an error tells the token: {shown}"));
            }
        }
    }

    /// Signed as it stands, by a key of the provider that it names, and for now.
    fn check_accepted(&self, token: &str, verified: &Verified) {
        let (message, _) = token.rsplit_once('.').expect("a token has parts");
        let claims = message.split_once('.').and_then(|(_, claims)| URL_SAFE_NO_PAD.decode(claims).ok());
        let claims: Json = serde_json::from_slice(&claims.expect("base64url")).expect("claims");
        let issuer = claims["iss"].as_str().expect("an issuer");
        let may_sign = |name: &str| match issuer.trim_end_matches('/') {
            OIDC => name != "stranger",
            _ if issuer == CUSTOM => name == "ec",
            _ if issuer == ED_ISSUER => name == "ed",
            _ => false,
        };
        let is_signed = self.signed.iter().any(|(signed, name)| signed == message && may_sign(name));
        assert!(is_signed, "nobody signed this: {token}");
        assert!(issuer == ED_ISSUER || is_for_app(&claims["aud"]), "for another application: {claims}");
        let time = |name: &str| claims[name].as_f64();
        let now = NOW as f64;
        assert!(time("exp").is_some_and(|exp| exp + LEEWAY > now), "expired: {claims}");
        let has_begun = |name: &str| time(name).is_none_or(|from| from <= now + LEEWAY);
        assert!(has_begun("nbf") && has_begun("iat"), "not yet: {claims}");
        let identity: Json = serde_json::from_slice(verified.identity.json()).expect("an identity is JSON");
        assert_eq!(
            (&identity["subject"], &identity["issuer"]),
            (&claims["sub"], &claims["iss"]),
            "another one"
        );
        assert!(verified.expires_at > Duration::from_secs(NOW));
    }
}

fn is_for_app(audience: &Json) -> bool {
    let is_app = |name: &Json| name == "app";
    is_app(audience) || audience.as_array().is_some_and(|names| names.iter().any(is_app))
}
