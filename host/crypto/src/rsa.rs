//! RSA: signatures, encryption, and its keys.
//!
//! What is done with a private key is blinded: its time tells nothing of the key (the Marvin attack).
use rsa::pkcs1::der::{Decode, Encode};
use rsa::pkcs1::{RsaPrivateKey, RsaPrivateKeyRef, RsaPublicKeyRef, UintRef};
use rsa::pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePrivateKey, EncodePublicKey, PrivateKeyInfoRef};
use rsa::traits::PublicKeyParts;
use rsa::{Oaep, Pkcs1v15Sign, PrivateKey, Pss, PublicKey};
use weir_value::limits::{RSA_GENERATED_BITS_MAX, RSA_GENERATED_BITS_MIN};

use crate::entropy::{Entropy, Source};
use crate::hash::with_hash;
use crate::jwk::{self, Jwk, Part};
use crate::keys::{Format, Key, KeyKind, RsaDetails};
use crate::primes::{self, GoOn};
use crate::{CryptoError, Hash};

/// The public exponents that new keys may have.
const PUBLIC_EXPONENTS: [u64; 2] = [3, 65_537];

pub(crate) fn sign_pkcs1(
    hash: Hash,
    pkcs8: &[u8],
    data: &[u8],
    entropy: Entropy<'_>,
) -> Result<Vec<u8>, CryptoError> {
    let key = private(pkcs8)?;
    let digest = hash.digest(data);
    with_hash!(hash, D => key.sign_with_rng(&mut Source(entropy), Pkcs1v15Sign::new::<D>(), &digest))
        .map_err(|_| too_small())
}

pub(crate) fn verify_pkcs1(hash: Hash, spki: &[u8], tag: &[u8], data: &[u8]) -> Result<bool, CryptoError> {
    let key = public(spki)?;
    let digest = hash.digest(data);
    Ok(with_hash!(hash, D => key.verify(Pkcs1v15Sign::new::<D>(), &digest, tag)).is_ok())
}

pub(crate) fn sign_pss(
    hash: Hash,
    salt_bytes: u32,
    pkcs8: &[u8],
    data: &[u8],
    entropy: Entropy<'_>,
) -> Result<Vec<u8>, CryptoError> {
    let key = private(pkcs8)?;
    let salt_bytes = salt_of(&key, hash, salt_bytes).ok_or_else(too_small)?;
    let digest = hash.digest(data);
    with_hash!(hash, D => key.sign_with_rng(&mut Source(entropy), Pss::<D>::new_with_salt(salt_bytes), &digest))
        .map_err(|_| too_small())
}

pub(crate) fn verify_pss(
    hash: Hash,
    salt_bytes: u32,
    spki: &[u8],
    tag: &[u8],
    data: &[u8],
) -> Result<bool, CryptoError> {
    let key = public(spki)?;
    let Some(salt_bytes) = salt_of(&key, hash, salt_bytes) else { return Ok(false) };
    let digest = hash.digest(data);
    Ok(with_hash!(hash, D => key.verify(Pss::<D>::new_with_salt(salt_bytes), &digest, tag)).is_ok())
}

pub(crate) fn encrypt_oaep(
    hash: Hash,
    spki: &[u8],
    label: &[u8],
    data: &[u8],
    entropy: Entropy<'_>,
) -> Result<Vec<u8>, CryptoError> {
    let key = public(spki)?;
    with_hash!(hash, D => key.encrypt(&mut Source(entropy), Oaep::<D>::new_with_label(label), data))
        .map_err(|_| CryptoError::failed("The data is too long for this key: RSA encrypts short keys only."))
}

pub(crate) fn decrypt_oaep(
    hash: Hash,
    pkcs8: &[u8],
    label: &[u8],
    data: &[u8],
    entropy: Entropy<'_>,
) -> Result<Vec<u8>, CryptoError> {
    let key = private(pkcs8)?;
    with_hash!(hash, D => key.decrypt_blinded(&mut Source(entropy), Oaep::<D>::new_with_label(label), data))
        .map_err(|_| CryptoError::failed("It was not encrypted for this key and label, or was changed."))
}

/// Makes a key.
pub(crate) fn generate(
    modulus_length: Option<u32>,
    public_exponent: Option<u64>,
    entropy: Entropy<'_>,
    go_on: GoOn<'_>,
) -> Result<Key, CryptoError> {
    let (Some(bits), Some(exponent)) = (modulus_length, public_exponent) else {
        return Err(CryptoError::unsupported("A key of RSA needs a `modulusLength` and a `publicExponent`."));
    };
    if !(RSA_GENERATED_BITS_MIN..=RSA_GENERATED_BITS_MAX).contains(&bits) || !bits.is_multiple_of(16) {
        return Err(CryptoError::unsupported(format!(
            "Keys of RSA are made with {RSA_GENERATED_BITS_MIN} to {RSA_GENERATED_BITS_MAX} bits, in steps of 16."
        )));
    }
    if !PUBLIC_EXPONENTS.contains(&exponent) {
        return Err(CryptoError::unsupported(
            "Keys of RSA are made with the public exponent 65537, or 3.".to_owned(),
        ));
    }
    let key = primes::key(bits, exponent, entropy, go_on)?;
    Ok(kept_private(&key))
}

/// Checks a key.
pub(crate) fn import(format: Format, data: &[u8]) -> Result<Key, CryptoError> {
    match format {
        Format::Pkcs8 => Ok(kept_private(&private(data)?)),
        Format::Spki => Ok(kept_public(&public(data)?)),
        Format::Raw => Err(CryptoError::unsupported("A key of RSA has no form `raw`.")),
        Format::Jwk => import_jwk(&Jwk::from_json(data)?.of_type("RSA")?),
    }
}

fn import_jwk(jwk: &Jwk) -> Result<Key, CryptoError> {
    let (n, e) = (jwk.n.bytes("n")?, jwk.e.bytes("e")?);
    if jwk.d.is_none() {
        let key = RsaPublicKeyRef { modulus: uint(&n)?, public_exponent: uint(&e)? };
        return Ok(kept_public(&PublicKey::try_from(key).map_err(|_| no_public())?));
    }
    if jwk.oth.is_some() {
        return Err(CryptoError::unsupported("Keys of RSA with more than two primes are not taken."));
    }
    let [d, p, q] = [jwk.d.bytes("d")?, jwk.p.bytes("p")?, jwk.q.bytes("q")?];
    let [dp, dq, qi] = [jwk.dp.bytes("dp")?, jwk.dq.bytes("dq")?, jwk.qi.bytes("qi")?];
    let written = RsaPrivateKey {
        modulus: uint(&n)?,
        public_exponent: uint(&e)?,
        private_exponent: uint(&d)?,
        prime1: uint(&p)?,
        prime2: uint(&q)?,
        exponent1: uint(&dp)?,
        exponent2: uint(&dq)?,
        coefficient: uint(&qi)?,
        other_prime_infos: None,
    };
    let key = kept_private(&PrivateKey::try_from(written.clone()).map_err(|_| no_private())?);
    // What follows from the rest is computed anew; it must not have said anything else.
    let kept = PrivateKeyInfoRef::try_from(&key.bytes[..]).map_err(|_| no_private())?;
    let is_as_written = written.to_der().is_ok_and(|written| written == kept.private_key.as_bytes());
    if is_as_written { Ok(key) } else { Err(no_private()) }
}

/// The form of a key that was imported.
pub(crate) fn export(kind: KeyKind, key: &[u8], format: Format) -> Result<Vec<u8>, CryptoError> {
    match (format, kind) {
        (Format::Raw, _) => Err(CryptoError::unsupported("A key of RSA has no form `raw`.")),
        (Format::Pkcs8, KeyKind::Public) => Err(CryptoError::key("A public key has no form PKCS #8.")),
        (Format::Pkcs8, KeyKind::Private) => Ok(kept_private(&private(key)?).bytes),
        (Format::Spki, KeyKind::Private) => Ok(kept_public(private(key)?.as_public_key()).bytes),
        (Format::Spki, KeyKind::Public) => Ok(kept_public(&public(key)?).bytes),
        (Format::Jwk, KeyKind::Public) => {
            let key = public(key)?;
            let (n, e) = (key.n_bytes(), key.e_bytes());
            let parts = [("kty", Part::Text("RSA")), ("n", Part::Bytes(&n)), ("e", Part::Bytes(&e))];
            Ok(jwk::write(&parts))
        }
        (Format::Jwk, KeyKind::Private) => {
            private(key)?;
            let info = PrivateKeyInfoRef::try_from(key).map_err(|_| no_private())?;
            let key = RsaPrivateKeyRef::from_der(info.private_key.as_bytes()).map_err(|_| no_private())?;
            Ok(jwk::write(&[
                ("kty", Part::Text("RSA")),
                ("n", Part::Bytes(key.modulus.as_bytes())),
                ("e", Part::Bytes(key.public_exponent.as_bytes())),
                ("d", Part::Bytes(key.private_exponent.as_bytes())),
                ("p", Part::Bytes(key.prime1.as_bytes())),
                ("q", Part::Bytes(key.prime2.as_bytes())),
                ("dp", Part::Bytes(key.exponent1.as_bytes())),
                ("dq", Part::Bytes(key.exponent2.as_bytes())),
                ("qi", Part::Bytes(key.coefficient.as_bytes())),
            ]))
        }
    }
}

/// How long a salt is, if there is room for it beside the digest.
fn salt_of(key: &impl PublicKeyParts, hash: Hash, salt_bytes: u32) -> Option<usize> {
    let salt_bytes = salt_bytes as usize;
    let room = key.size().checked_sub(hash.output_bytes() + 2)?;
    (salt_bytes <= room).then_some(salt_bytes)
}

fn private(pkcs8: &[u8]) -> Result<PrivateKey, CryptoError> {
    PrivateKey::from_pkcs8_der(pkcs8).map_err(|_| no_private())
}

fn public(spki: &[u8]) -> Result<PublicKey, CryptoError> {
    PublicKey::from_public_key_der(spki).map_err(|_| no_public())
}

fn uint(bytes: &[u8]) -> Result<UintRef<'_>, CryptoError> {
    UintRef::new(bytes).map_err(|_| no_public())
}

fn kept_private(key: &PrivateKey) -> Key {
    let bytes = key.to_pkcs8_der().expect("a key has a DER").as_bytes().to_vec();
    Key { kind: KeyKind::Private, bytes, rsa: Some(details(key)) }
}

fn kept_public(key: &PublicKey) -> Key {
    let bytes = key.to_public_key_der().expect("a key has a DER").as_bytes().to_vec();
    Key { kind: KeyKind::Public, bytes, rsa: Some(details(key)) }
}

fn details(key: &impl PublicKeyParts) -> RsaDetails {
    RsaDetails { modulus_length: key.n().bit_width(), public_exponent: key.e_bytes().to_vec() }
}

const KEYS_TAKEN: &str = "1,024 to 8,192 bits, two primes and a public exponent below 2^33";

fn no_private() -> CryptoError {
    CryptoError::key(format!("This is no private key of RSA that is taken: {KEYS_TAKEN}."))
}

fn no_public() -> CryptoError {
    CryptoError::key(format!("This is no public key of RSA that is taken: {KEYS_TAKEN}."))
}

fn too_small() -> CryptoError {
    CryptoError::failed("The key is too small for this digest and salt.")
}
