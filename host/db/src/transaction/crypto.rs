//! The cryptography that functions are given: passwords, random bytes, digests.
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};
use weir_value::ErrorCode;
use weir_value::limits::RANDOM_BYTES_MAX;

use super::Transaction;
use crate::passwords::{AskedPasswords, NoAnswer, PasswordResults, PasswordWork};
use crate::{DbError, FunctionKind};

impl Transaction {
    /// Hashes a password, as a PHC string. Not in this run, unless it is known from an earlier one: if not, the
    /// transaction [waits](Transaction::is_waiting), and the call must end.
    ///
    /// # Errors
    /// `ReadOnly` in a query; `InvalidPassword`; `Overloaded`: there was no memory for it; `TooManyPasswords`, which
    /// poisons; the limit of calls of the host.
    pub fn hash_password(&mut self, password: &str) -> Result<String, DbError> {
        self.count_host_call()?;
        self.may_wait("hashed")?;
        let entropy = &self.shared.entropy;
        let answer = self.passwords.hash(password, || entropy.draw());
        self.or_wait(answer)
    }

    /// Whether this is the password of a hash, which is a PHC string of argon2id. As [`Transaction::hash_password`].
    ///
    /// # Errors
    /// As for [`Transaction::hash_password`], and `InvalidPasswordHash`: not such a hash, or one that asks for too much.
    pub fn verify_password(&mut self, password: &str, hash: &str) -> Result<bool, DbError> {
        self.count_host_call()?;
        self.may_wait("verified")?;
        let answer = self.passwords.verify(password, hash);
        self.or_wait(answer)
    }

    /// Random bytes that nothing else of the call tells anything about, for secrets.
    ///
    /// # Errors
    /// `TooManyRandomBytes`; the limit of calls of the host.
    pub fn random_bytes(&mut self, length: usize) -> Result<Vec<u8>, DbError> {
        self.count_host_call()?;
        if length > RANDOM_BYTES_MAX {
            let message = format!(
                "{length} random bytes were asked for at once; at most {RANDOM_BYTES_MAX} are given."
            );
            return Err(DbError::new(ErrorCode::TooManyRandomBytes, message));
        }
        let mut bytes = vec![0; length];
        self.shared.entropy.fill(&mut bytes);
        Ok(bytes)
    }

    /// Fills a buffer with such bytes, for whoever counts them otherwise.
    pub fn fill_random(&self, bytes: &mut [u8]) {
        self.shared.entropy.fill(bytes);
    }

    /// Whether the call had to end because a password is not computed yet. It runs again, with what came of it.
    pub fn is_waiting(&self) -> bool {
        self.passwords.is_waiting()
    }

    /// Gives a run what the runs before it have waited for.
    pub(crate) fn know_passwords(&mut self, known: PasswordResults) {
        self.passwords = AskedPasswords::with(known);
    }

    /// What a run that has ended waits for, and what is known to the next.
    pub(crate) fn take_passwords(&mut self) -> (Option<PasswordWork>, PasswordResults) {
        std::mem::take(&mut self.passwords).end()
    }

    fn may_wait(&self, what: &str) -> Result<(), DbError> {
        match self.kind {
            FunctionKind::Mutation => Ok(()),
            _ => Err(DbError::new(
                ErrorCode::ReadOnly,
                format!("`{}` is a query, in which no password is {what}; make it a mutation.", self.path),
            )),
        }
    }

    /// A run that waits, or has asked too often, is over: it is poisoned.
    fn or_wait<T>(&mut self, answer: Result<T, NoAnswer>) -> Result<T, DbError> {
        match answer {
            Ok(answer) => Ok(answer),
            Err(NoAnswer::Refused(error)) => Err(error),
            Err(NoAnswer::TooMany(error)) => self.or_poison(Err(error)),
            Err(NoAnswer::Later) => {
                // Nobody reads it: the run is dropped, and the call runs again.
                let message = "The call waits for a password.";
                self.or_poison(Err(DbError::new(ErrorCode::InternalServerError, message)))
            }
        }
    }
}

/// A digest of some bytes: `SHA-256`, `SHA-384` or `SHA-512`; or `SHA-1`, for protocols that have it.
///
/// # Errors
/// `UnknownDigest`.
pub fn digest(algorithm: &str, data: &[u8]) -> Result<Vec<u8>, DbError> {
    match algorithm {
        "SHA-1" => Ok(Sha1::digest(data).to_vec()),
        "SHA-256" => Ok(Sha256::digest(data).to_vec()),
        "SHA-384" => Ok(Sha384::digest(data).to_vec()),
        "SHA-512" => Ok(Sha512::digest(data).to_vec()),
        _ => {
            let name: String = algorithm.chars().take(64).collect();
            let message = format!("There is no digest `{name}`: use SHA-256, SHA-384 or SHA-512.");
            Err(DbError::new(ErrorCode::UnknownDigest, message))
        }
    }
}
