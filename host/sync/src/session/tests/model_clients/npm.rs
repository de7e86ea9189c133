//! How npm `convex` 1.48 signs in: a cached token, a fresh one at once after it is confirmed, another before that one
//! expires; after an error a fresh one, and after two more errors in a row none.
use std::time::Duration;

use serde_json::Value as Json;

use super::Chance;
use super::client::{Base, Token};

/// So long before its end a token is replaced.
const LEEWAY: Duration = Duration::from_secs(2);
const CONFIRMATION_ATTEMPTS_MAX: u32 = 2;
/// More attempts than this without a confirmation are a circle.
const CIRCLE: u32 = 8;

#[derive(Debug, Default, PartialEq)]
enum State {
    #[default]
    NoAuth,
    CachedTokenSent,
    FreshTokenSent {
        token: Token,
    },
    RefetchScheduled {
        at: Duration,
    },
    NotRefetching,
}

#[derive(Debug, Default)]
pub(super) struct NpmAuth {
    state: State,
    attempts: u32,
    refetch_at_once: bool,
    /// A token is to be fetched for the next connection, after an error.
    reauthenticates: bool,
    errors_in_a_row: u32,
    signed_in: bool,
}

impl NpmAuth {
    pub(super) fn set_config(&mut self, base: &mut Base, now: Duration, chance: &mut Chance) {
        self.signed_in = true;
        self.reset();
        match base.provider.fetch(false, now, chance) {
            Some(token) => {
                self.state = State::CachedTokenSent;
                base.authenticate(Some(token));
            }
            None => self.refetch(base, now, chance),
        }
    }

    pub(super) fn clear(&mut self, base: &mut Base) {
        self.signed_in = false;
        self.reset();
        base.authenticate(None);
    }

    fn reset(&mut self) {
        self.state = State::NoAuth;
        self.attempts = 0;
        self.refetch_at_once = false;
        self.reauthenticates = false;
        self.errors_in_a_row = 0;
    }

    fn give_up(&mut self, base: &mut Base) {
        if base.auth.is_some() {
            base.authenticate(None);
        }
        self.signed_in = false;
        self.reset();
    }

    pub(super) fn on_transition(&mut self, base: &Base, before: u64, after: u64) {
        if after < base.identity_version || after <= before {
            return;
        }
        self.errors_in_a_row = 0;
        match &self.state {
            State::CachedTokenSent => self.refetch_at_once = true,
            State::FreshTokenSent { token } => {
                let lifetime = token.expires_at - token.issued_at;
                self.state =
                    State::RefetchScheduled { at: token.issued_at + lifetime.saturating_sub(LEEWAY) };
                self.attempts = 0;
            }
            _ => {}
        }
    }

    pub(super) fn on_auth_error(&mut self, base: &mut Base, message: &Json, _: Duration) {
        let is_waiting = matches!(self.state, State::CachedTokenSent | State::FreshTokenSent { .. });
        if message["authUpdateAttempted"] == false && is_waiting {
            return;
        }
        if message["baseVersion"].as_u64().expect("a number") + 1 < base.identity_version {
            return;
        }
        self.errors_in_a_row += 1;
        assert!(self.errors_in_a_row < CIRCLE, "a circle of errors");
        let is_fresh = matches!(self.state, State::FreshTokenSent { .. });
        if self.state == State::NoAuth || (is_fresh && self.attempts >= CONFIRMATION_ATTEMPTS_MAX) {
            base.auth = None;
            base.close();
            self.signed_in = false;
            return self.reset();
        }
        self.attempts += u32::from(is_fresh);
        // The socket stops, until there is another token.
        base.close();
        self.reauthenticates = true;
    }

    /// Time has passed: what was to be fetched is.
    pub(super) fn pass(&mut self, base: &mut Base, now: Duration, chance: &mut Chance) {
        if std::mem::take(&mut self.reauthenticates) {
            return match base.provider.fetch(true, now, chance) {
                Some(token) if base.auth.as_ref() != Some(&token) => {
                    base.auth = Some(token.clone());
                    self.state = State::FreshTokenSent { token };
                }
                _ => {
                    base.auth = None;
                    self.signed_in = false;
                    self.reset();
                }
            };
        }
        let is_due = matches!(self.state, State::RefetchScheduled { at } if at <= now);
        if std::mem::take(&mut self.refetch_at_once) || is_due {
            self.refetch(base, now, chance);
        }
    }

    fn refetch(&mut self, base: &mut Base, now: Duration, chance: &mut Chance) {
        match base.provider.fetch(true, now, chance) {
            Some(token) if base.auth.as_ref() != Some(&token) => {
                self.state = State::FreshTokenSent { token: token.clone() };
                base.authenticate(Some(token));
            }
            Some(_) => self.state = State::NotRefetching,
            None => self.give_up(base),
        }
    }

    pub(super) fn be_well(&mut self) {
        self.attempts = 0;
    }

    pub(super) fn wants_user(&self) -> bool {
        self.signed_in
    }
}
