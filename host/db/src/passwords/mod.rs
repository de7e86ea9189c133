//! Passwords that mutations hash and verify.
//!
//! Each takes tens of milliseconds and many mebibytes: far too much for the time in which a call holds a snapshot, a
//! thread for functions, or the committer's gate. So a run that needs one *ends* there, with the work to be done
//! ([`PasswordWork`]); whoever runs the mutation has it done, where and when there is room for it, and runs the mutation
//! again with what came out ([`PasswordResults`]). In the run that ends, every password is known.
//!
//! **Invariant:** no error, no `Debug` text and no log line shows a password or a hash.
mod hash;
#[cfg(test)]
mod tests;

use std::fmt;

use weir_value::ErrorCode;
use weir_value::limits::{CALL_PASSWORDS_MAX, PASSWORD_BYTES_MAX};

use crate::DbError;

use hash::PasswordHash;

/// A password that is to be hashed, or held against a hash: what a mutation waits for.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordWork {
    password: Box<str>,
    task: Task,
}

#[derive(Clone, PartialEq, Eq)]
enum Task {
    /// To hash it; the number tells two hashes of one password apart.
    Hash {
        number: usize,
        salt: [u8; hash::SALT_BYTES],
    },
    Verify(Box<PasswordHash>),
}

/// What came of it.
#[derive(Clone)]
enum Found {
    Hash(String),
    Verified(bool),
    NoMemory,
}

/// A piece of work that was done.
#[derive(Clone)]
pub struct PasswordResult {
    work: PasswordWork,
    found: Found,
}

/// What came of all that a mutation has waited for until now.
#[derive(Clone, Default)]
pub struct PasswordResults(Vec<PasswordResult>);

impl PasswordWork {
    /// Does it, on the calling thread: for tens of milliseconds, with 19 MiB of memory for a new hash, and up to 64 MiB
    /// for another's.
    pub fn run(self) -> PasswordResult {
        let found = match &self.task {
            Task::Hash { salt, .. } => {
                PasswordHash::make(&self.password, salt).map(|hash| Found::Hash(hash.to_string()))
            }
            Task::Verify(hash) => hash.verify(&self.password).map(Found::Verified),
        };
        PasswordResult { found: found.unwrap_or(Found::NoMemory), work: self }
    }

    /// Whether it is the same, but for the salt of a hash that is still to be made.
    fn is_like(&self, other: &PasswordWork) -> bool {
        let same_task = match (&self.task, &other.task) {
            (Task::Hash { number, .. }, Task::Hash { number: other, .. }) => number == other,
            (Task::Verify(hash), Task::Verify(other)) => hash == other,
            _ => false,
        };
        same_task && self.password == other.password
    }
}

impl PasswordResults {
    /// Adds what came of a piece of work.
    pub fn add(&mut self, result: PasswordResult) {
        self.0.push(result);
    }
}

impl fmt::Debug for PasswordWork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordWork").finish_non_exhaustive()
    }
}

impl fmt::Debug for PasswordResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordResult").finish_non_exhaustive()
    }
}

impl fmt::Debug for PasswordResults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordResults").field("count", &self.0.len()).finish()
    }
}

/// What one run asks of passwords.
#[derive(Default)]
pub(crate) struct AskedPasswords {
    known: PasswordResults,
    /// The passwords that this run has hashed, each as often as it has.
    hashed: Vec<Box<str>>,
    /// What the run ended for.
    waiting: Option<PasswordWork>,
}

/// Why a run gets no answer.
pub(crate) enum NoAnswer {
    /// It is not known yet: the run ends, and waits for it.
    Later,
    /// The call has asked too often: it ends.
    TooMany(DbError),
    /// It is not to be had.
    Refused(DbError),
}

impl AskedPasswords {
    /// For a run to which this is known.
    pub(crate) fn with(known: PasswordResults) -> AskedPasswords {
        AskedPasswords { known, ..AskedPasswords::default() }
    }

    /// What the run waits for, if it ended for that, and what is known to the next one.
    pub(crate) fn end(self) -> (Option<PasswordWork>, PasswordResults) {
        (self.waiting, self.known)
    }

    /// Whether the run has ended because it waits.
    pub(crate) fn is_waiting(&self) -> bool {
        self.waiting.is_some()
    }

    /// The hash of a password; `salt` draws one for it if it was not made yet.
    pub(crate) fn hash(
        &mut self,
        password: &str,
        salt: impl FnOnce() -> [u8; hash::SALT_BYTES],
    ) -> Result<String, NoAnswer> {
        check(password)?;
        let number = self.hashed.iter().filter(|hashed| ***hashed == *password).count();
        self.hashed.push(password.into());
        let task = Task::Hash { number, salt: [0; hash::SALT_BYTES] };
        let mut work = PasswordWork { password: password.into(), task };
        match self.find(&work)? {
            Some(Found::Hash(hash)) => Ok(hash),
            _ => {
                work.task = Task::Hash { number, salt: salt() };
                self.wait(work)
            }
        }
    }

    /// Whether this is the password of a hash.
    pub(crate) fn verify(&mut self, password: &str, hash: &str) -> Result<bool, NoAnswer> {
        check(password)?;
        let hash = PasswordHash::parse(hash).map_err(|reason| {
            let message = format!("This is not a hash that can be verified: {reason}.");
            NoAnswer::Refused(DbError::new(ErrorCode::InvalidPasswordHash, message))
        })?;
        let work = PasswordWork { password: password.into(), task: Task::Verify(Box::new(hash)) };
        match self.find(&work)? {
            Some(Found::Verified(is_right)) => Ok(is_right),
            _ => self.wait(work),
        }
    }

    fn find(&self, work: &PasswordWork) -> Result<Option<Found>, NoAnswer> {
        let done = self.known.0.iter().find(|done| done.work.is_like(work));
        match done.map(|done| done.found.clone()) {
            Some(Found::NoMemory) => {
                let message = "There is no memory to hash a password just now: call again in a moment.";
                Err(NoAnswer::Refused(DbError::new(ErrorCode::Overloaded, message)))
            }
            found => Ok(found),
        }
    }

    fn wait<T>(&mut self, work: PasswordWork) -> Result<T, NoAnswer> {
        if self.known.0.len() >= CALL_PASSWORDS_MAX {
            let message = format!(
                "Too many passwords in a single function execution (limit: {CALL_PASSWORDS_MAX} that are hashed or \
                 verified). Do it in several mutations."
            );
            return Err(NoAnswer::TooMany(DbError::new(ErrorCode::TooManyPasswords, message)));
        }
        self.waiting = Some(work);
        Err(NoAnswer::Later)
    }
}

fn check(password: &str) -> Result<(), NoAnswer> {
    if (1..=PASSWORD_BYTES_MAX).contains(&password.len()) {
        return Ok(());
    }
    let bytes = password.len();
    let message = format!("A password has 1 to {PASSWORD_BYTES_MAX} bytes; this one has {bytes}.");
    Err(NoAnswer::Refused(DbError::new(ErrorCode::InvalidPassword, message)))
}
