//! `weir:guest/web-crypto`: cryptography with keys.
//!
//! The time that it takes is not set apart as the host's: it is the guest's own, as if it had computed it itself.
use serde_json::json;
use weir_crypto::{
    Cipher, CryptoError, Derivation, Entropy, Format, Given, KeyKind, KeyType, Signature, agree, decrypt,
    derive_bits, encrypt, export_key, generate_key, import_key, sign, verify,
};

use super::db::no_transaction;
use crate::bindings::weir::guest::types::Error;
use crate::bindings::weir::guest::web_crypto::{Host, Key, KeyKind as WitKeyKind};
use crate::call_state::{CallState, Scope, TransactionScope};

/// What a host function gives back: an error of the call's own end, an error for the guest, or the result.
type Answer<R> = wasmtime::Result<Result<R, Error>>;

/// [`encrypt`] or [`decrypt`].
type CipherWork = fn(&Cipher, &[u8], Given<'_>, &[u8], Entropy<'_>) -> Result<Vec<u8>, CryptoError>;

impl Host for CallState {
    fn sign(&mut self, algorithm: Vec<u8>, key: Vec<u8>, data: Vec<u8>) -> Answer<Vec<u8>> {
        self.compute(|state| {
            let signature = Signature::from_json(&algorithm)?;
            state.drawing(signature.draws(), |entropy| sign(&signature, &key, &data, entropy))
        })
    }

    fn verify(
        &mut self,
        algorithm: Vec<u8>,
        key: Vec<u8>,
        signature: Vec<u8>,
        data: Vec<u8>,
    ) -> Answer<bool> {
        self.compute(|_| Ok(verify(&Signature::from_json(&algorithm)?, &key, &signature, &data)?))
    }

    fn encrypt(
        &mut self,
        algorithm: Vec<u8>,
        key: Vec<u8>,
        iv: Vec<u8>,
        additional: Vec<u8>,
        data: Vec<u8>,
    ) -> Answer<Vec<u8>> {
        self.apply(encrypt, &algorithm, &key, Given { iv: &iv, additional: &additional }, &data)
    }

    fn decrypt(
        &mut self,
        algorithm: Vec<u8>,
        key: Vec<u8>,
        iv: Vec<u8>,
        additional: Vec<u8>,
        data: Vec<u8>,
    ) -> Answer<Vec<u8>> {
        self.apply(decrypt, &algorithm, &key, Given { iv: &iv, additional: &additional }, &data)
    }

    fn derive_bits(
        &mut self,
        algorithm: Vec<u8>,
        key: Vec<u8>,
        salt: Vec<u8>,
        info: Vec<u8>,
        length: u32,
    ) -> Answer<Vec<u8>> {
        self.compute(|_| {
            let derivation = Derivation::from_json(&algorithm)?;
            Ok(derive_bits(&derivation, &key, &salt, &info, length as usize)?)
        })
    }

    fn agree(&mut self, algorithm: Vec<u8>, private_key: Vec<u8>, public_key: Vec<u8>) -> Answer<Vec<u8>> {
        self.compute(|_| Ok(agree(&KeyType::from_json(&algorithm)?, &private_key, &public_key)?))
    }

    fn import_key(&mut self, algorithm: Vec<u8>, format: String, data: Vec<u8>) -> Answer<Key> {
        self.compute(
            |_| Ok(import_key(&KeyType::from_json(&algorithm)?, Format::of(&format)?, &data)?.into()),
        )
    }

    fn export_key(
        &mut self,
        algorithm: Vec<u8>,
        kind: WitKeyKind,
        key: Vec<u8>,
        format: String,
    ) -> Answer<Vec<u8>> {
        self.compute(|_| {
            let (key_type, format) = (KeyType::from_json(&algorithm)?, Format::of(&format)?);
            let kind = match kind {
                WitKeyKind::Private => KeyKind::Private,
                WitKeyKind::Public => KeyKind::Public,
            };
            Ok(export_key(&key_type, kind, &key, format)?)
        })
    }

    fn generate_key(&mut self, algorithm: Vec<u8>) -> Answer<Key> {
        self.compute(|state| {
            let key_type = KeyType::from_json(&algorithm)?;
            // It may take longer than the call has, which ends when the guest goes on.
            let go_on = || !state.is_time_over();
            Ok(state.drawing(true, |entropy| generate_key(&key_type, entropy, &go_on))?.into())
        })
    }
}

impl CallState {
    /// Counts the call, and computes.
    fn compute<R>(&mut self, work: impl FnOnce(&Self) -> Result<R, Refused>) -> Answer<R> {
        self.count_host_call()?;
        Ok(work(self).map_err(|Refused(error)| error))
    }

    /// Encrypts or decrypts.
    fn apply(
        &mut self,
        cipher_work: CipherWork,
        algorithm: &[u8],
        key: &[u8],
        given: Given<'_>,
        data: &[u8],
    ) -> Answer<Vec<u8>> {
        self.compute(|state| {
            let cipher = Cipher::from_json(algorithm)?;
            state.drawing(cipher.draws(), |entropy| cipher_work(&cipher, key, given, data, entropy))
        })
    }

    /// Computes with random bytes, of which there are none while a module describes itself: what `draws` none then is
    /// computed all the same.
    fn drawing<R>(
        &self,
        draws: bool,
        work: impl FnOnce(Entropy<'_>) -> Result<R, CryptoError>,
    ) -> Result<R, Refused> {
        match &self.scope {
            Scope::Transaction(TransactionScope { transaction: Some(transaction), .. }) => {
                Ok(work(&mut |bytes| transaction.fill_random(bytes))?)
            }
            Scope::Action(action) => Ok(work(&mut |bytes| action.call.fill_random(bytes))?),
            _ if draws => Err(Refused(no_transaction())),
            _ => Ok(work(&mut |_| unreachable!("it draws no random bytes"))?),
        }
    }
}

/// Why there is no result.
struct Refused(Error);

impl From<CryptoError> for Refused {
    fn from(error: CryptoError) -> Self {
        Refused(error.into())
    }
}

impl From<CryptoError> for Error {
    fn from(error: CryptoError) -> Self {
        Error { code: error.code.to_string(), message: error.message }
    }
}

impl From<weir_crypto::Key> for Key {
    fn from(key: weir_crypto::Key) -> Self {
        let kind = match key.kind {
            KeyKind::Private => WitKeyKind::Private,
            KeyKind::Public => WitKeyKind::Public,
        };
        let details = key.rsa.map_or_else(
            || json!({}),
            |rsa| json!({"modulusLength": rsa.modulus_length, "publicExponent": rsa.public_exponent}),
        );
        Key { kind, bytes: key.bytes, details: details.to_string().into_bytes() }
    }
}
