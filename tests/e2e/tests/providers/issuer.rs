//! Somebody who signs tokens: with keys of its own, and a small server that publishes them.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::time::SystemTime;

use anyhow::{Context, Result, anyhow};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};
use weir_test_support::project;

/// A private key.
pub enum Key {
    Rs256(RsaKeyPair),
    Es256(EcdsaKeyPair),
}

impl Key {
    /// The key of 2048 bits in the repository.
    pub fn rs256() -> Result<Key> {
        let pem = std::fs::read_to_string(project::repository().join("host/auth/tests/fixtures/rsa.pem"))?;
        let base64: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
        let pair = RsaKeyPair::from_pkcs8(&STANDARD.decode(base64)?).map_err(|error| anyhow!("{error}"))?;
        Ok(Key::Rs256(pair))
    }

    /// A new one.
    pub fn es256() -> Result<Key> {
        let (algorithm, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
        let made = EcdsaKeyPair::generate_pkcs8(algorithm, &random).ok().context("a key")?;
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, made.as_ref(), &random);
        Ok(Key::Es256(pair.map_err(|error| anyhow!("{error}"))?))
    }

    fn algorithm(&self) -> &'static str {
        match self {
            Key::Rs256(_) => "RS256",
            Key::Es256(_) => "ES256",
        }
    }

    /// The set of its public half.
    pub fn set(&self) -> Value {
        let mut key = match self {
            Key::Rs256(pair) => {
                let public = ring::rsa::PublicKeyComponents::<Vec<u8>>::from(pair.public());
                json!({"kty": "RSA", "n": base64(&public.n), "e": base64(&public.e)})
            }
            Key::Es256(pair) => {
                let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
                json!({"kty": "EC", "crv": "P-256", "x": base64(x), "y": base64(y)})
            }
        };
        key["kid"] = "key".into();
        key["alg"] = self.algorithm().into();
        json!({ "keys": [key] })
    }

    /// A token for `ada`, good for a while.
    pub fn token(&self, issuer: &str, application: Option<&str>) -> Result<String> {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs();
        let mut claims = json!({"iss": issuer, "sub": "ada", "iat": now, "exp": now + 600});
        if let Some(application) = application {
            claims["aud"] = application.into();
        }
        let header = json!({"typ": "JWT", "alg": self.algorithm(), "kid": "key"});
        let part = |part: &Value| base64(part.to_string().as_bytes());
        let message = format!("{}.{}", part(&header), part(&claims));
        Ok(format!("{message}.{}", base64(&self.sign(message.as_bytes())?)))
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>> {
        let random = SystemRandom::new();
        match self {
            Key::Rs256(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                let signed = pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature);
                signed.ok().context("a signature")?;
                Ok(signature)
            }
            Key::Es256(pair) => {
                Ok(pair.sign(&random, message).ok().context("a signature")?.as_ref().to_vec())
            }
        }
    }
}

fn base64(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Publishes a key as a provider of OpenID Connect does, for as long as the test runs; gives the domain.
pub fn publish(key: &Key) -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let domain = format!("http://{}", listener.local_addr()?);
    let discovery = json!({"issuer": domain, "jwks_uri": format!("{domain}/keys")}).to_string();
    let set = key.set().to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut lines = BufReader::new(&stream).lines().map_while(Result::ok);
            let path = lines.next().and_then(|line| line.split(' ').nth(1).map(str::to_owned));
            lines.find(String::is_empty);
            let (status, body) = match path.as_deref() {
                Some("/.well-known/openid-configuration") => ("200 OK", discovery.as_str()),
                Some("/keys") => ("200 OK", set.as_str()),
                _ => ("404 Not Found", ""),
            };
            let head = format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}", body.len());
            let _ = (&stream).write_all(format!("{head}\r\n\r\n{body}").as_bytes());
        }
    });
    Ok(domain)
}
