//! Ed25519 and X25519, whose keys are 32 bytes each, in the envelopes of RFC 8410.
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use rsa::pkcs8::PrivateKeyInfoRef;
use x25519_dalek::{PublicKey, StaticSecret};

use crate::CryptoError;
use crate::entropy::Entropy;

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    Ed25519,
    X25519,
}

const KEY_BYTES: usize = 32;

impl Use {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Use::Ed25519 => "Ed25519",
            Use::X25519 => "X25519",
        }
    }

    /// The last byte of the object identifier 1.3.101.x.
    fn oid(self) -> u8 {
        match self {
            Use::Ed25519 => 112,
            Use::X25519 => 110,
        }
    }

    fn private_prefix(self) -> [u8; 16] {
        [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, self.oid(), 4, 0x22, 4, 0x20]
    }

    fn public_prefix(self) -> [u8; 12] {
        [0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, self.oid(), 3, 0x21, 0]
    }

    /// The private key of these 32 bytes.
    pub(crate) fn to_pkcs8(self, secret: &[u8; KEY_BYTES]) -> Vec<u8> {
        [&self.private_prefix()[..], secret].concat()
    }

    /// The 32 bytes of a private key. A public key in it is not looked at: it follows from them.
    pub(crate) fn read_pkcs8(self, der: &[u8]) -> Result<[u8; KEY_BYTES], CryptoError> {
        let refuse = || CryptoError::key(format!("This is no private key of {} in PKCS #8.", self.name()));
        let info = PrivateKeyInfoRef::try_from(der).map_err(|_| refuse())?;
        let oid = info.algorithm.oid.as_bytes();
        if oid != [0x2b, 0x65, self.oid()] || info.algorithm.parameters.is_some() {
            return Err(refuse());
        }
        let secret = info.private_key.as_bytes().strip_prefix(&[4, 0x20]).ok_or_else(refuse)?;
        secret.try_into().map_err(|_| refuse())
    }

    /// The public key of these 32 bytes.
    pub(crate) fn to_spki(self, public: &[u8; KEY_BYTES]) -> Vec<u8> {
        [&self.public_prefix()[..], public].concat()
    }

    pub(crate) fn read_spki(self, der: &[u8]) -> Result<[u8; KEY_BYTES], CryptoError> {
        let public = der.strip_prefix(&self.public_prefix());
        public.and_then(|public| public.try_into().ok()).ok_or_else(|| {
            CryptoError::key(format!("This is no public key of {} in SubjectPublicKeyInfo.", self.name()))
        })
    }

    /// The 32 bytes of a key that is only they.
    pub(crate) fn read_raw(self, bytes: &[u8]) -> Result<[u8; KEY_BYTES], CryptoError> {
        bytes
            .try_into()
            .map_err(|_| CryptoError::key(format!("A key of {} has {KEY_BYTES} bytes.", self.name())))
    }

    pub(crate) fn public_of(self, secret: &[u8; KEY_BYTES]) -> [u8; KEY_BYTES] {
        match self {
            Use::Ed25519 => SigningKey::from_bytes(secret).verifying_key().to_bytes(),
            Use::X25519 => PublicKey::from(&StaticSecret::from(*secret)).to_bytes(),
        }
    }

    pub(crate) fn generate(self, entropy: Entropy<'_>) -> [u8; KEY_BYTES] {
        let mut secret = [0; KEY_BYTES];
        entropy(&mut secret);
        secret
    }
}

pub(crate) fn sign(pkcs8: &[u8], data: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let key = SigningKey::from_bytes(&Use::Ed25519.read_pkcs8(pkcs8)?);
    Ok(key.sign(data).to_bytes().to_vec())
}

/// Strictly: keys of small order, with which everything would be signed, verify nothing.
pub(crate) fn verify(spki: &[u8], tag: &[u8], data: &[u8]) -> Result<bool, CryptoError> {
    let public = Use::Ed25519.read_spki(spki)?;
    // Bytes that are no point are a key as far as its form goes, and nothing was signed with it.
    let (Ok(key), Ok(signature)) = (VerifyingKey::from_bytes(&public), Signature::from_slice(tag)) else {
        return Ok(false);
    };
    Ok(key.verify_strict(data, &signature).is_ok())
}

/// The secret that both sides have.
pub(crate) fn agree(pkcs8: &[u8], spki: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let secret = StaticSecret::from(Use::X25519.read_pkcs8(pkcs8)?);
    let shared = secret.diffie_hellman(&PublicKey::from(Use::X25519.read_spki(spki)?));
    match shared.was_contributory() {
        true => Ok(shared.to_bytes().to_vec()),
        false => Err(CryptoError::failed("The other side's public key gives no secret.")),
    }
}
