//! `weir:guest/auth`: what functions vouch for with the host's own key.
use crate::bindings::weir::guest::auth::Host;
use crate::bindings::weir::guest::types::Error;
use crate::call_state::CallState;

impl Host for CallState {
    fn sign_jwt(&mut self, claims: Vec<u8>, options: Vec<u8>) -> wasmtime::Result<Result<String, Error>> {
        self.ask_anywhere(|tx| tx.sign_jwt(&claims, &options))
    }
}
