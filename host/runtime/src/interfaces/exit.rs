//! `weir:guest/exit`: the end of a call from within.
use crate::bindings::weir::guest::exit::Host;
use crate::bindings::weir::guest::types::Failure;
use crate::call_state::CallState;
use crate::failure::CallEnd;

impl Host for CallState {
    fn fail(&mut self, failure: Failure) -> wasmtime::Result<()> {
        Err(CallEnd::Failed(failure.into()).into())
    }
}
