//! One call in one instance: made for it, dropped after it.
//!
//! Everything that a guest can do wrong ends here, in a [`FunctionError`]; the transaction comes back in every case.
use std::sync::Arc;

use wasmtime::{Engine, Store, UpdateDeadline};
use weir_db::{FunctionError, Transaction};

use crate::call_state::CallState;
use crate::counters::Counters;
use crate::failure::explain;
use crate::ticker::{Ticker, ticks_in};
use crate::{RuntimeError, RuntimeOptions};

/// What all calls share: the engine, the clock that ends them, the limits, the counters.
pub(crate) struct Invoker {
    pub(crate) engine: Engine,
    pub(crate) options: RuntimeOptions,
    pub(crate) counters: Counters,
    ticker: Arc<Ticker>,
    guest_ticks_max: u64,
}

impl Invoker {
    /// Starts the clock of this engine.
    pub(crate) fn new(engine: Engine, options: RuntimeOptions) -> Result<Invoker, RuntimeError> {
        let ticker = Arc::new(Ticker::start(&engine).map_err(RuntimeError::Ticker)?);
        let guest_ticks_max = ticks_in(options.call_guest_time_max);
        Ok(Invoker { engine, options, counters: Counters::default(), ticker, guest_ticks_max })
    }

    /// Makes a store, lets `work` make an instance in it and call it, and drops both. `subject` names the call in
    /// the log.
    pub(crate) fn invoke<R>(
        &self,
        transaction: Option<Transaction>,
        subject: impl Fn() -> String,
        work: impl FnOnce(&mut Store<CallState>) -> wasmtime::Result<R>,
    ) -> (Option<Transaction>, Result<R, FunctionError>) {
        let _running = self.ticker.enter();
        let mut store = self.store(transaction);
        let result = work(&mut store);
        let state = store.data_mut();
        state.pass_on_output(true);
        let result = result.map_err(|error| self.report(&error, state, &subject()));
        (state.transaction.take(), result)
    }

    fn store(&self, transaction: Option<Transaction>) -> Store<CallState> {
        let state = CallState::new(transaction, &self.options, self.ticker.clone());
        let mut store = Store::new(&self.engine, state);
        store.limiter(|state| &mut state.resources);
        store.set_epoch_deadline(self.guest_ticks_max);
        store.epoch_deadline_callback(|mut store| {
            store.data_mut().extend_guest_time().map(UpdateDeadline::Continue)
        });
        // What a guest hands over in one go is copied; a result is the largest thing it may hand over.
        store.set_hostcall_fuel(self.options.result_bytes_max.saturating_add(HANDED_OVER_BESIDES_BYTES));
        store
    }

    /// The caller's error; the operator's, with the guest's backtrace, goes to the log.
    fn report(&self, error: &wasmtime::Error, state: &CallState, subject: &str) -> FunctionError {
        let explained = explain(error, state, &self.options);
        let request_id = &state.context().request_id;
        tracing::warn!(function = subject, request_id, explained = %explained, "{error:?}");
        explained
    }
}

/// What a guest may hand over in one call of the host besides the longest text or document.
const HANDED_OVER_BESIDES_BYTES: usize = 1 << 20;
