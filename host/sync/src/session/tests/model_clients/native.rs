//! How the crate `convex` 0.10 signs in, and PyPI `convex` 0.8, which has it inside: a token on each connection, a fresh one
//! if there is a callback to ask; after an error a new connection, for ever.
use std::time::Duration;

use super::Chance;
use super::client::Base;

#[derive(Debug)]
pub(super) struct NativeAuth {
    has_callback: bool,
    signed_in: bool,
    /// A token without a callback is refused for ever: the user has to come.
    is_refused: bool,
    user_is_there: bool,
}

impl NativeAuth {
    pub(super) fn with_callback() -> NativeAuth {
        NativeAuth { has_callback: true, signed_in: false, is_refused: false, user_is_there: false }
    }

    pub(super) fn with_token() -> NativeAuth {
        NativeAuth { has_callback: false, ..NativeAuth::with_callback() }
    }

    pub(super) fn set(&mut self, base: &mut Base, now: Duration, chance: &mut Chance) {
        if let Some(token) = base.provider.fetch(true, now, chance) {
            self.signed_in = true;
            self.is_refused = false;
            base.authenticate(Some(token));
        }
    }

    pub(super) fn clear(&mut self, base: &mut Base) {
        self.signed_in = false;
        base.authenticate(None);
    }

    pub(super) fn before_connection(&mut self, base: &mut Base, now: Duration, chance: &mut Chance) {
        let user_comes = self.user_is_there || chance.one_in(4);
        let asks_again = self.has_callback || self.is_refused && user_comes;
        if self.signed_in && asks_again {
            base.auth = base.provider.fetch(true, now, chance);
            self.is_refused = false;
            self.signed_in = base.auth.is_some();
        }
    }

    pub(super) fn on_auth_error(&mut self, base: &mut Base) {
        self.is_refused = true;
        base.close();
    }

    pub(super) fn be_well(&mut self) {
        self.user_is_there = true;
    }

    pub(super) fn wants_user(&self) -> bool {
        self.signed_in
    }
}
