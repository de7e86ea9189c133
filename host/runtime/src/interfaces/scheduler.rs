//! `weir:guest/scheduler`: functions that are called later.
use crate::bindings::weir::guest::scheduler::Host;
use crate::bindings::weir::guest::types::Error;
use crate::call_state::CallState;

impl Host for CallState {
    fn run_at(&mut self, path: String, args: Vec<u8>, at: f64) -> wasmtime::Result<Result<String, Error>> {
        self.ask(|tx| tx.schedule(&path, &args, at))
    }

    fn cancel(&mut self, id: String) -> wasmtime::Result<Result<(), Error>> {
        self.ask(|tx| tx.cancel_scheduled(&id))
    }
}
