//! What is handed over may be anything: it is refused, and never ends the process.
use super::*;

/// Every byte of every form of a key is another one, or missing: it is another key, or none.
#[test]
fn changed_keys_are_other_keys_or_none() {
    for key_type in key_types() {
        let key = generate_key(&key_type, &mut known_entropy(), &|| true).unwrap();
        for format in [Format::Pkcs8, Format::Jwk, Format::Spki, Format::Raw] {
            let Ok(form) = export_key(&key_type, KeyKind::Private, &key.bytes, format) else { continue };
            // Each byte of RSA's would take long.
            let step = if matches!(key_type, KeyType::Rsa { .. }) { 7 } else { 1 };
            for at in (0..form.len()).step_by(step) {
                for flip in [0x01, 0x80] {
                    let mut changed = form.clone();
                    changed[at] ^= flip;
                    use_key(&key_type, format, &changed);
                }
                use_key(&key_type, format, &form[..at]);
            }
            use_key(&key_type, format, &[&form[..], &[0]].concat());
        }
    }
}

/// Imports a key, and if it is one, uses it for all that it may be.
fn use_key(key_type: &KeyType, format: Format, form: &[u8]) {
    let Ok(key) = import_key(key_type, format, form) else { return };
    for format in [Format::Pkcs8, Format::Jwk, Format::Spki, Format::Raw] {
        let _ = export_key(key_type, key.kind, &key.bytes, format);
    }
    let of_type = match key_type {
        KeyType::Ec { named_curve } => Signature::Ecdsa { named_curve: *named_curve, hash: Hash::Sha256 },
        KeyType::Ed25519 | KeyType::X25519 => Signature::Ed25519,
        KeyType::Rsa { .. } => Signature::RsassaPkcs1 { hash: Hash::Sha256 },
    };
    let entropy = &mut known_entropy();
    match key.kind {
        KeyKind::Private => drop(sign(&of_type, &key.bytes, b"data", entropy)),
        KeyKind::Public => assert_ne!(verify(&of_type, &key.bytes, &[1; 64], b"data"), Ok(true)),
    }
}

#[test]
fn keys_of_other_algorithms_are_refused() {
    let keys: Vec<_> = key_types()
        .into_iter()
        .map(|of| (generate_key(&of, &mut known_entropy(), &|| true).unwrap(), of))
        .collect();
    for (key, of) in &keys {
        let spki = export_key(of, KeyKind::Private, &key.bytes, Format::Spki).unwrap();
        let jwk = export_key(of, KeyKind::Private, &key.bytes, Format::Jwk).unwrap();
        for other in keys.iter().map(|(_, other)| other).filter(|other| *other != of) {
            for (format, form) in [(Format::Pkcs8, &key.bytes), (Format::Spki, &spki), (Format::Jwk, &jwk)] {
                assert_eq!(
                    code_of(import_key(other, format, form)),
                    "InvalidKey",
                    "{of:?} {other:?} {format:?}"
                );
            }
        }
        // Neither half is the other.
        assert_eq!(code_of(import_key(of, Format::Spki, &key.bytes)), "InvalidKey");
        assert_eq!(code_of(import_key(of, Format::Pkcs8, &spki)), "InvalidKey");
        assert!(export_key(of, KeyKind::Public, &spki, Format::Pkcs8).is_err());
    }
}

/// Of RSA what follows from the primes must not say otherwise.
#[test]
fn a_jwk_of_rsa_agrees_with_itself() {
    let of = key_types().pop().unwrap();
    let key = generate_key(&of, &mut known_entropy(), &|| true).unwrap();
    let jwk = export_key(&of, KeyKind::Private, &key.bytes, Format::Jwk).unwrap();
    let jwk: Json = serde_json::from_slice(&jwk).unwrap();
    let import = |jwk: &Json| import_key(&of, Format::Jwk, jwk.to_string().as_bytes());
    assert!(import(&jwk).is_ok());
    for name in ["n", "d", "p", "q", "dp", "dq", "qi"] {
        let mut changed = jwk.clone();
        let text = changed[name].as_str().unwrap();
        changed[name] = json!(format!("{}{}", if text.starts_with('A') { 'B' } else { 'A' }, &text[1..]));
        assert_eq!(code_of(import(&changed)), "InvalidKey", "{name}");
        changed.as_object_mut().unwrap().remove(name);
        // What has no `d` is a public key.
        if name != "d" {
            assert_eq!(code_of(import(&changed)), "InvalidKey", "without {name}");
        }
    }
    let mut multi = jwk.clone();
    multi["oth"] = json!([]);
    assert_eq!(code_of(import(&multi)), "UnsupportedAlgorithm");
}

#[test]
fn changed_ciphertexts_are_refused() {
    let cases = [
        (json!({"name": "AES-GCM", "tagLength": 128}), vec![0; 12]),
        (json!({"name": "AES-GCM", "tagLength": 32}), vec![0; 16]),
    ];
    for (algorithm, iv) in cases {
        let algorithm = cipher(algorithm);
        let given = Given { iv: &iv, additional: b"more" };
        let none = &mut |_: &mut [u8]| panic!("no randomness");
        let encrypted = encrypt(&algorithm, &[7; 32], given, b"a text", none).unwrap();
        for at in 0..encrypted.len() {
            let mut changed = encrypted.clone();
            changed[at] ^= 1;
            let none = &mut |_: &mut [u8]| panic!("no randomness");
            assert_eq!(code_of(decrypt(&algorithm, &[7; 32], given, &changed, none)), "CryptoFailed", "{at}");
            let none = &mut |_: &mut [u8]| panic!("no randomness");
            assert_eq!(code_of(decrypt(&algorithm, &[7; 32], given, &encrypted[..at], none)), "CryptoFailed");
        }
    }
}

#[test]
fn lengths_that_a_cipher_has_not() {
    let encrypt_with = |algorithm: Json, key: usize, iv: usize, data: usize| {
        let given = Given { iv: &vec![0; iv], additional: &[] };
        code_of(encrypt(&cipher(algorithm), &vec![0; key], given, &vec![0; data], &mut |_| panic!()))
    };
    let gcm = |bits: u32| json!({"name": "AES-GCM", "tagLength": bits});
    for bytes in [0, 8, 15, 17, 33] {
        assert_eq!(encrypt_with(gcm(128), bytes, 12, 1), "InvalidKey", "{bytes}");
        assert_eq!(encrypt_with(json!({"name": "AES-CBC"}), bytes, 16, 1), "InvalidKey", "{bytes}");
    }
    assert_eq!(encrypt_with(gcm(128), 16, 0, 1), "UnsupportedAlgorithm");
    assert_eq!(encrypt_with(gcm(128), 16, 11, 1), "UnsupportedAlgorithm");
    assert_eq!(encrypt_with(gcm(40), 16, 12, 1), "CryptoFailed");
    assert_eq!(encrypt_with(json!({"name": "AES-CBC"}), 16, 12, 1), "CryptoFailed");
    assert_eq!(encrypt_with(json!({"name": "AES-CTR", "length": 129}), 16, 16, 1), "CryptoFailed");
    assert_eq!(encrypt_with(json!({"name": "AES-CTR", "length": 1}), 16, 16, 33), "CryptoFailed");
}
