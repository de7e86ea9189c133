//! `weir:guest/intl`: texts in locales. Pure, so it asks no transaction; the time that it takes is the call's.
use weir_intl::IntlError;

use crate::bindings::weir::guest::intl::Host;
use crate::bindings::weir::guest::types::Error;
use crate::call_state::CallState;

/// What a host function gives back: an error of the call's own end, an error for the guest, or the result.
type Answer<R> = wasmtime::Result<Result<R, Error>>;

impl Host for CallState {
    fn run(&mut self, operation: String, options: String, input: String) -> Answer<String> {
        self.answer(|| weir_intl::run(&operation, &options, &input))
    }

    fn compare(&mut self, options: String, a: String, b: String) -> Answer<i32> {
        self.answer(|| weir_intl::compare(&options, &a, &b).map(|order| order as i32))
    }

    fn sort_key(&mut self, options: String, text: String) -> Answer<Vec<u8>> {
        self.answer(|| weir_intl::sort_key(&options, &text))
    }
}

impl CallState {
    fn answer<R>(&mut self, work: impl FnOnce() -> weir_intl::Result<R>) -> Answer<R> {
        self.on_host_time(|state| {
            state.count_host_call()?;
            Ok(work().map_err(error))
        })
    }
}

fn error(error: IntlError) -> Error {
    Error { code: error.code().as_str().to_owned(), message: error.to_string() }
}
