//! `weir:guest/crypto`: passwords, secrets and digests.
use crate::bindings::weir::guest::crypto::Host;
use crate::bindings::weir::guest::types::Error;
use crate::call_state::CallState;

/// What a host function gives back: an error of the call's own end, an error for the guest, or the result.
type Answer<R> = wasmtime::Result<Result<R, Error>>;

impl Host for CallState {
    fn hash_password(&mut self, password: String) -> Answer<String> {
        self.ask(|tx| tx.hash_password(&password))
    }

    fn verify_password(&mut self, password: String, hash: String) -> Answer<bool> {
        self.ask(|tx| tx.verify_password(&password, &hash))
    }

    fn random_bytes(&mut self, length: u32) -> Answer<Vec<u8>> {
        self.ask_anywhere(|tx| tx.random_bytes(length as usize))
    }

    fn digest(&mut self, algorithm: String, data: Vec<u8>) -> Answer<Vec<u8>> {
        // In the guest's own time, as if it had computed it itself.
        self.count_host_call()?;
        Ok(weir_db::digest(&algorithm, &data).map_err(Error::from))
    }
}
