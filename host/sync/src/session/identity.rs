//! Whose a socket is: from `Authenticate` over the verified token to its end.
//!
//! Verifies nothing: a token goes out, and who it belongs to comes back.
use std::time::Duration;

use weir_db::Principal;

use super::{Effect, Session};
use crate::protocol::{AuthToken, CloseFrame, ProtocolError, ServerMessage};

/// Whose a token is, and for how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedIdentity {
    /// Whose.
    pub principal: Principal,
    /// When it ends, by the clock of every `now` here; `None`: never.
    pub expires_at: Option<Duration>,
}

/// Why a token is nobody's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdentityRefusal {
    /// It is no good: why, for the client to read, which comes again with another one.
    Invalid(String),
    /// Nobody can tell just now, for the reason that this word says. The client comes again with the same one.
    Unavailable(&'static str),
}

/// Whose a socket is.
#[derive(Debug)]
pub(super) struct SessionIdentity {
    verified: VerifiedIdentity,
    is_verifying: bool,
}

impl Default for SessionIdentity {
    fn default() -> Self {
        SessionIdentity {
            verified: VerifiedIdentity { principal: Principal::Anonymous, expires_at: None },
            is_verifying: false,
        }
    }
}

impl SessionIdentity {
    pub(super) fn expires_at(&self) -> Option<Duration> {
        self.verified.expires_at
    }
}

impl Session {
    /// On whose behalf the client speaks.
    pub fn principal(&self) -> &Principal {
        &self.identity.verified.principal
    }

    /// Whether a token is being verified: what the client says next is to be left unread until then.
    pub fn is_verifying(&self) -> bool {
        self.identity.is_verifying
    }

    /// Whose the token of the last [`Effect::Verify`] is; or why it is nobody's, which ends the session. Left alone if
    /// none is being verified.
    pub fn identity_verified(&mut self, verdict: Result<VerifiedIdentity, IdentityRefusal>) {
        if !std::mem::take(&mut self.identity.is_verifying) || self.closed {
            return;
        }
        match verdict {
            Ok(verified) => self.become_identity(verified),
            Err(IdentityRefusal::Invalid(error)) => self.refuse_identity(error, true),
            Err(IdentityRefusal::Unavailable(why)) => self.close(CloseFrame::overloaded(why)),
        }
    }

    /// The identity has ended: the token has expired, the key was revoked. The client is told why, and comes again.
    pub fn end_identity(&mut self, why: &str) {
        if !self.closed {
            self.refuse_identity(why.to_owned(), false);
        }
    }

    pub(super) fn authenticate(&mut self, base: u32, token: AuthToken) -> Result<(), ProtocolError> {
        let current = self.received.identity;
        if base != current {
            return Err(ProtocolError::BaseVersionMismatch { message: "Authenticate", sent: base, current });
        }
        if token == AuthToken::None {
            self.become_identity(VerifiedIdentity { principal: Principal::Anonymous, expires_at: None });
        } else {
            self.identity.is_verifying = true;
            self.effects.push_back(Effect::Verify(token));
        }
        Ok(())
    }

    fn become_identity(&mut self, verified: VerifiedIdentity) {
        let is_another = verified.principal != self.identity.verified.principal;
        self.identity.verified = verified;
        self.received.identity += 1;
        self.pending.request();
        if is_another && !self.queries.is_without_live() {
            self.effects.push_back(Effect::Watch(Vec::new()));
        }
    }

    /// Clients take the version for the one before the token that was refused.
    fn refuse_identity(&mut self, error: String, update_attempted: bool) {
        let base_version = Some(self.received.identity);
        self.say(&ServerMessage::AuthError { error, base_version, update_attempted });
        self.close(CloseFrame::after_client_error());
    }
}
