//! Against published vectors, and against what is no key, no signature, no ciphertext. What Node answers to the same is
//! compared in `tests/conformance/tests/programs.rs`.
mod hostile;
mod vectors;

use serde_json::{Value as Json, json};

use crate::*;

/// Bytes that everybody knows, for what draws some; others each time.
fn known_entropy() -> impl FnMut(&mut [u8]) {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    move |bytes| {
        for byte in bytes {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *byte = (state >> 56) as u8;
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.chars().map(|char| char.to_digit(16).expect("a digit") as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

fn key_type(json: Json) -> KeyType {
    KeyType::from_json(json.to_string().as_bytes()).unwrap()
}

fn signature(json: Json) -> Signature {
    Signature::from_json(json.to_string().as_bytes()).unwrap()
}

fn cipher(json: Json) -> Cipher {
    Cipher::from_json(json.to_string().as_bytes()).unwrap()
}

/// A type of keys of each kind.
fn key_types() -> Vec<KeyType> {
    ["P-256", "P-384", "P-521"]
        .map(|curve| key_type(json!({"name": "EC", "namedCurve": curve})))
        .into_iter()
        .chain([
            key_type(json!({"name": "Ed25519"})),
            key_type(json!({"name": "X25519"})),
            key_type(json!({"name": "RSA", "modulusLength": 1024, "publicExponent": 65537})),
        ])
        .collect()
}

fn code_of<T: std::fmt::Debug>(result: Result<T, CryptoError>) -> String {
    result.expect_err("it is refused").code.to_string()
}

#[test]
fn a_new_key_goes_through_every_format() {
    for key_type in key_types() {
        let key = generate_key(&key_type, &mut known_entropy(), &|| true).unwrap();
        assert_eq!(key.kind, KeyKind::Private);
        for format in [Format::Pkcs8, Format::Jwk, Format::Spki, Format::Raw] {
            let Ok(form) = export_key(&key_type, KeyKind::Private, &key.bytes, format) else {
                assert!(matches!(key_type, KeyType::Rsa { .. }) && format == Format::Raw, "{key_type:?}");
                continue;
            };
            let again = import_key(&key_type, format, &form).unwrap();
            let is_private = matches!(format, Format::Pkcs8 | Format::Jwk);
            assert_eq!(again.kind == KeyKind::Private, is_private, "{key_type:?} {format:?}");
            if is_private {
                assert_eq!(again.bytes, key.bytes, "{key_type:?} {format:?}");
                continue;
            }
            let public = export_key(&key_type, KeyKind::Public, &again.bytes, Format::Jwk).unwrap();
            let of_public: Json = serde_json::from_slice(&public).unwrap();
            let jwk = export_key(&key_type, KeyKind::Private, &key.bytes, Format::Jwk).unwrap();
            let of_private: Json = serde_json::from_slice(&jwk).unwrap();
            assert!(of_public.get("d").is_none());
            for (name, value) in of_public.as_object().unwrap() {
                assert_eq!(&of_private[name], value, "{key_type:?} {format:?} {name}");
            }
        }
    }
}

#[test]
fn what_is_signed_is_verified_and_nothing_else() {
    let cases = [
        (
            json!({"name": "EC", "namedCurve": "P-256"}),
            json!({"name": "ECDSA", "namedCurve": "P-256", "hash": "SHA-1"}),
        ),
        (
            json!({"name": "EC", "namedCurve": "P-384"}),
            json!({"name": "ECDSA", "namedCurve": "P-384", "hash": "SHA-512"}),
        ),
        (
            json!({"name": "EC", "namedCurve": "P-521"}),
            json!({"name": "ECDSA", "namedCurve": "P-521", "hash": "SHA-1"}),
        ),
        (json!({"name": "Ed25519"}), json!({"name": "Ed25519"})),
        (
            json!({"name": "RSA", "modulusLength": 1024, "publicExponent": 3}),
            json!({"name": "RSASSA-PKCS1-v1_5", "hash": "SHA-512"}),
        ),
        (
            json!({"name": "RSA", "modulusLength": 1040, "publicExponent": 65537}),
            json!({"name": "RSA-PSS", "hash": "SHA-256", "saltLength": 32}),
        ),
    ];
    for (of_key, of_signature) in cases {
        let (key_type, algorithm) = (key_type(of_key), signature(of_signature));
        let entropy = &mut known_entropy();
        let key = generate_key(&key_type, entropy, &|| true).unwrap();
        let public = export_key(&key_type, KeyKind::Private, &key.bytes, Format::Spki).unwrap();
        let tag = sign(&algorithm, &key.bytes, b"data", entropy).unwrap();
        assert_eq!(verify(&algorithm, &public, &tag, b"data"), Ok(true), "{algorithm:?}");
        assert_eq!(verify(&algorithm, &public, &tag, b"date"), Ok(false), "{algorithm:?}");
        for at in [0, tag.len() / 2, tag.len() - 1] {
            let mut changed = tag.clone();
            changed[at] ^= 1;
            assert_eq!(verify(&algorithm, &public, &changed, b"data"), Ok(false), "{algorithm:?} at {at}");
        }
        let again = sign(&algorithm, &key.bytes, b"data", entropy).unwrap();
        assert_eq!(again == tag, !matches!(algorithm, Signature::RsaPss { .. }), "{algorithm:?}");
    }
}

#[test]
fn new_keys_of_rsa_have_bounds() {
    let make = |modulus_length: Json, public_exponent: Json| {
        let json = json!({"name": "RSA", "modulusLength": modulus_length, "publicExponent": public_exponent});
        generate_key(&key_type(json), &mut known_entropy(), &|| true)
    };
    for (bits, exponent) in
        [(1008, 65537), (4112, 65537), (2056, 65537), (1025, 65537), (2048, 1), (2048, 4), (2048, 65539)]
    {
        assert_eq!(code_of(make(json!(bits), json!(exponent))), "UnsupportedAlgorithm", "{bits} {exponent}");
    }
    assert_eq!(code_of(make(Json::Null, json!(3))), "UnsupportedAlgorithm");
    let details = make(json!(1024), json!(65537)).unwrap().rsa.unwrap();
    assert_eq!((details.modulus_length, &details.public_exponent[..]), (1024, &[1, 0, 1][..]));
}

/// The search ends with the next number that it looks at.
#[test]
fn the_search_for_a_key_can_be_ended() {
    let rsa = key_type(json!({"name": "RSA", "modulusLength": 4096, "publicExponent": 65537}));
    for left in [0, 1, 20] {
        let asked = std::cell::Cell::new(0);
        let go_on = || asked.replace(asked.get() + 1) < left;
        assert_eq!(code_of(generate_key(&rsa, &mut known_entropy(), &go_on)), "CryptoFailed", "{left}");
        assert_eq!(asked.get(), left + 1);
    }
}

#[test]
fn nothing_shows_a_key() {
    let key = generate_key(&key_types()[0], &mut known_entropy(), &|| true).unwrap();
    let shown = format!("{key:?}");
    assert_eq!(shown, "Key { kind: Private, .. }");
    let jwk = br#"{"kty":"OKP","crv":"Ed25519","x":"secret!","d":5}"#;
    let error = import_key(&key_type(json!({"name": "Ed25519"})), Format::Jwk, jwk).unwrap_err();
    assert!(!error.to_string().contains("secret"), "{error}");
}

#[test]
fn unknown_algorithms_are_refused() {
    for json in [
        r#"{"name":"MD5withRSA"}"#,
        r#"{"name":"HMAC"}"#,
        r#"{"name":"HMAC","hash":"MD5"}"#,
        r#"{"name":"ECDSA","namedCurve":"P-224","hash":"SHA-256"}"#,
        r#"{"name":"HMAC","hash":"SHA-256","more":1}"#,
        r#"{"name":"RSA-PSS","hash":"SHA-256","saltLength":-1}"#,
        "{}",
        "[]",
        "",
    ] {
        assert_eq!(code_of(Signature::from_json(json.as_bytes())), "UnsupportedAlgorithm", "{json}");
    }
    assert_eq!(code_of(Format::of("pem")), "UnsupportedAlgorithm");
}

#[test]
fn derivations_have_bounds() {
    let pbkdf2 = |iterations: u32, length| {
        derive_bits(&Derivation::Pbkdf2 { hash: Hash::Sha256, iterations }, b"p", b"s", b"", length)
    };
    assert_eq!(code_of(pbkdf2(0, 32)), "CryptoFailed");
    assert_eq!(code_of(pbkdf2(u32::MAX, 32)), "UnsupportedAlgorithm");
    // Two blocks of the digest cost twice as much.
    assert_eq!(code_of(pbkdf2(500_001, 33)), "UnsupportedAlgorithm");
    assert_eq!(pbkdf2(1, 33).unwrap().len(), 33);
    assert_eq!(pbkdf2(1, 0).unwrap().len(), 0);
    let scrypt = |cost, block_size, parallelization, length| {
        derive_bits(&Derivation::Scrypt { cost, block_size, parallelization }, b"p", b"s", b"", length)
    };
    for (cost, block_size, parallelization, length) in
        [(0, 8, 1, 32), (1, 8, 1, 32), (3, 8, 1, 32), (16, 0, 1, 32), (16, 8, 0, 32), (16, 8, 1, 0)]
    {
        assert_eq!(code_of(scrypt(cost, block_size, parallelization, length)), "CryptoFailed");
    }
    for (cost, block_size, parallelization) in [(1 << 31, 8, 1), (16, u32::MAX, u32::MAX), (1 << 16, 16, 2)] {
        assert_eq!(code_of(scrypt(cost, block_size, parallelization, 32)), "UnsupportedAlgorithm");
    }
    assert_eq!(code_of(scrypt(16, 8, 1, 1 << 20)), "UnsupportedAlgorithm");
    let hkdf = |length| derive_bits(&Derivation::Hkdf { hash: Hash::Sha1 }, b"k", b"", b"", length);
    assert_eq!(hkdf(255 * 20).unwrap().len(), 5100);
    assert_eq!(code_of(hkdf(255 * 20 + 1)), "CryptoFailed");
    assert_eq!(code_of(hkdf(1 << 30)), "UnsupportedAlgorithm");
}
