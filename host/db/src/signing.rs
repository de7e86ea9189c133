//! Tokens that functions sign: what the database needs of whoever has the keys.
use std::time::Duration;

use weir_value::{ErrorCode, SignRequest};

use crate::{DbError, FunctionKind, Transaction};

/// Signs tokens in the host's name.
pub trait TokenSigner: Send + Sync + 'static {
    /// A token of what was asked for, at `now` since the Unix epoch.
    ///
    /// # Errors
    /// The token would be too long, or something is wrong with the keys.
    fn sign(&self, request: &SignRequest, now: Duration) -> Result<String, SigningError>;
}

/// Why a token was not signed. The texts are for whoever wrote the function.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SigningError {
    /// What was asked for cannot be signed.
    #[error("{0}")]
    Invalid(String),
    /// The keys cannot be used.
    #[error("{0}")]
    Failed(String),
}

impl Transaction {
    /// Signs a token at the call's time. Each one is another text, so only what is run once may ask.
    ///
    /// # Errors
    /// `ReadOnly` in a query; `InvalidClaims`; `SigningFailed`; and the limit of calls of the host.
    pub fn sign_jwt(&mut self, claims: &[u8], options: &[u8]) -> Result<String, DbError> {
        self.count_host_call()?;
        if self.kind() == FunctionKind::Query {
            let message =
                format!("`{}` is a query, which cannot sign tokens; make it a mutation.", self.path());
            return Err(DbError::new(ErrorCode::ReadOnly, message));
        }
        let Some(signer) = self.signer() else {
            let message = "There is no key to sign tokens with.";
            return Err(DbError::new(ErrorCode::SigningFailed, message));
        };
        let now = Duration::from_secs_f64((self.context().now_ms / 1e3).max(0.0));
        let request = SignRequest::from_json(claims, options);
        let token = request
            .map_err(|error| SigningError::Invalid(error.to_string()))
            .and_then(|request| signer.sign(&request, now));
        token.map_err(|error| {
            let code = match error {
                SigningError::Invalid(_) => ErrorCode::InvalidClaims,
                SigningError::Failed(_) => ErrorCode::SigningFailed,
            };
            DbError::new(code, format!("The token was not signed: {error}."))
        })
    }
}
