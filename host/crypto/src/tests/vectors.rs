//! Published vectors.
use super::*;

/// RFC 6979, A.2.5 and A.2.6: what is signed is the same each time, so the signatures are those of the RFC.
#[test]
fn ecdsa_of_rfc_6979() {
    let p256 = json!({"kty": "EC", "crv": "P-256",
        "x": "YP7UuiVanTHJYet0xjVtaMBJuJI7Yfps5mliLmDyn7Y", "y": "eQP-EAi4vJmkGunpVii8ZPLxsgwtfp9Rd6PClNRGIpk",
        "d": "ya-p2EW6dRZrXCFXZ7HWk05Qw9s26JsSe4piKxIPZyE"});
    let key_type = key_type(json!({"name": "EC", "namedCurve": "P-256"}));
    let key = import_key(&key_type, Format::Jwk, p256.to_string().as_bytes()).unwrap();
    let cases = [
        (
            "SHA-1",
            "sample",
            "61340c88c3aaebeb4f6d667f672ca9759a6ccaa9fa8811313039ee4a35471d32\
                             6d7f147dac089441bb2e2fe8f7a3fa264b9c475098fdcf6e00d7c996e1b8b7eb",
        ),
        (
            "SHA-256",
            "sample",
            "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716\
                               f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
        ),
        (
            "SHA-384",
            "sample",
            "0eafea039b20e9b42309fb1d89e213057cbf973dc0cfc8f129edddc800ef7719\
                               4861f0491e6998b9455193e34e7b0d284ddd7149a74b95b9261f13abde940954",
        ),
        (
            "SHA-512",
            "sample",
            "8496a60b5e9b47c825488827e0495b0e3fa109ec4568fd3f8d1097678eb97f00\
                               2362ab1adbe2b8adf9cb9edab740ea6049c028114f2460f96554f61fae3302fe",
        ),
        (
            "SHA-256",
            "test",
            "f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367\
                             019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083",
        ),
    ];
    for (hash, message, expected) in cases {
        let algorithm = signature(json!({"name": "ECDSA", "namedCurve": "P-256", "hash": hash}));
        let found =
            sign(&algorithm, &key.bytes, message.as_bytes(), &mut |_| panic!("no randomness")).unwrap();
        assert_eq!(hex(&found), expected, "{hash} {message}");
    }
}

/// RFC 4231, test cases 1, 2 and 6.
#[test]
fn hmac_of_rfc_4231() {
    let cases: [(&[u8], &[u8], &str); 3] = [
        (&[0x0b; 20], b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
        (
            b"Jefe",
            b"what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        ),
        (
            &[0xaa; 131],
            b"Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
        ),
    ];
    let algorithm = signature(json!({"name": "HMAC", "hash": "SHA-256"}));
    for (key, data, expected) in cases {
        let tag = sign(&algorithm, key, data, &mut |_| panic!("no randomness")).unwrap();
        assert_eq!(hex(&tag), expected);
        assert_eq!(verify(&algorithm, key, &tag, data), Ok(true));
        assert_eq!(verify(&algorithm, key, &tag[1..], data), Ok(false));
    }
}

/// RFC 8032, 7.1, tests 1 and 3.
#[test]
fn ed25519_of_rfc_8032() {
    let cases = [
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b\
             d25bf5f0595bbe24655141438e7a100b",
        ),
        (
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659\
             4a7c15e9716ed28dc027beceea1ec40a",
        ),
    ];
    for (secret, message, expected) in cases {
        let key = unhex(&format!("302e020100300506032b657004220420{secret}"));
        let found = sign(&Signature::Ed25519, &key, &unhex(message), &mut |_| panic!("no randomness"));
        assert_eq!(hex(&found.unwrap()), expected);
    }
}

/// McGrew and Viega, test cases 4 and 14.
#[test]
fn aes_gcm_as_published() {
    let cases = [
        (
            "feffe9928665731c6d6a8f9467308308",
            "cafebabefacedbaddecaf888",
            "feedfacedeadbeeffeedfacedeadbeefabaddad2",
            "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525\
             b16aedf5aa0de657ba637b39",
            "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa05\
             1ba30b396a0aac973d58e0915bc94fbc3221a5db94fae95ae7121a47",
        ),
        (
            &"00".repeat(32),
            &"00".repeat(12),
            "",
            &"00".repeat(16),
            "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919",
        ),
    ];
    for (key, iv, additional, data, expected) in cases {
        let (key, iv, additional, data) = (unhex(key), unhex(iv), unhex(additional), unhex(data));
        let given = Given { iv: &iv, additional: &additional };
        let whole = cipher(json!({"name": "AES-GCM", "tagLength": 128}));
        let found = encrypt(&whole, &key, given, &data, &mut |_| panic!("no randomness")).unwrap();
        assert_eq!(hex(&found), expected);
        // A shorter tag is the beginning of the whole one.
        for bits in [32, 64, 96, 120] {
            let short = cipher(json!({"name": "AES-GCM", "tagLength": bits}));
            let end = data.len() + bits / 8;
            let mut cut = found[..end].to_vec();
            let open = |cut: &[u8]| decrypt(&short, &key, given, cut, &mut |_| panic!("no randomness"));
            assert_eq!(open(&cut), Ok(data.clone()), "{bits}");
            cut[end - 1] ^= 1;
            assert_eq!(code_of(open(&cut)), "CryptoFailed", "{bits}");
        }
    }
}

/// RFC 3394, 4.1 and 4.6.
#[test]
fn aes_kw_of_rfc_3394() {
    let key = unhex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
    let data = unhex("00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f");
    let given = Given { iv: &[], additional: &[] };
    let cases = [
        (16, 16, "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5"),
        (32, 32, "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21"),
    ];
    for (key_bytes, bytes, expected) in cases {
        let (key, data) = (&key[..key_bytes], &data[..bytes]);
        let wrapped = encrypt(&Cipher::AesKw, key, given, data, &mut |_| panic!("no randomness")).unwrap();
        assert_eq!(hex(&wrapped), expected);
        let open =
            |bytes: &[u8]| decrypt(&Cipher::AesKw, key, given, bytes, &mut |_| panic!("no randomness"));
        assert_eq!(open(&wrapped).unwrap(), data);
        for at in 0..wrapped.len() {
            let mut changed = wrapped.clone();
            changed[at] ^= 1;
            assert_eq!(code_of(open(&changed)), "CryptoFailed");
            assert_eq!(code_of(open(&wrapped[..at])), "CryptoFailed");
        }
    }
    for bytes in [0, 8, 15, 17] {
        let wrapped = encrypt(&Cipher::AesKw, &key, given, &data[..bytes], &mut |_| panic!("no randomness"));
        assert_eq!(code_of(wrapped), "CryptoFailed", "{bytes}");
    }
}

/// RFC 5869, A.1, and RFC 7914, 11.
#[test]
fn derivations_as_published() {
    let hkdf = Derivation::Hkdf { hash: Hash::Sha256 };
    let (salt, info) = (unhex("000102030405060708090a0b0c"), unhex("f0f1f2f3f4f5f6f7f8f9"));
    assert_eq!(
        hex(&derive_bits(&hkdf, &[0x0b; 22], &salt, &info, 42).unwrap()),
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
    );
    let pbkdf2 = Derivation::Pbkdf2 { hash: Hash::Sha256, iterations: 80_000 };
    assert_eq!(
        hex(&derive_bits(&pbkdf2, b"Password", b"NaCl", b"", 64).unwrap()),
        "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56\
         a1d425a1225833549adb841b51c9b3176a272bdebba1d078478f62b397f33c8d"
    );
}

/// RFC 7748, 6.1.
#[test]
fn x25519_of_rfc_7748() {
    let own =
        "302e020100300506032b656e0422042077076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a";
    let other = "302a300506032b656e032100de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f";
    assert_eq!(
        hex(&agree(&KeyType::X25519, &unhex(own), &unhex(other)).unwrap()),
        "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"
    );
}

/// RFC 7914, section 12.
#[test]
fn scrypt() {
    let scrypt = |password: &[u8], salt: &[u8], cost, block_size, parallelization| {
        let derivation = Derivation::Scrypt { cost, block_size, parallelization };
        hex(&derive_bits(&derivation, password, salt, b"", 64).unwrap())
    };
    assert_eq!(
        scrypt(b"", b"", 16, 1, 1),
        "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442fcd0069ded0948f8326a753a0fc81f17\
         e8d3e0fb2e0d3628cf35e20c38d18906"
    );
    assert_eq!(
        scrypt(b"pleaseletmein", b"SodiumChloride", 16_384, 8, 1),
        "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2d5432955613f0fcf62d49705242a9af9\
         e61e85dc0d651e40dfcf017b45575887"
    );
}
