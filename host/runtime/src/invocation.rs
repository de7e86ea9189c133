//! One call in one instance, which is as it was when it was made, and is set back or dropped after the call (see
//! [`weir_db::Teardown`]).
//!
//! Everything that a guest can do wrong ends here, in a [`FunctionError`]; the transaction comes back in every case.
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use wasmtime::{Engine, Store, UpdateDeadline};
use weir_db::{ActionCall, FunctionError, Transaction};
use weir_value::limits::{GUEST_STACK_BYTES_MAX, HOST_STACK_BYTES_MAX};

use crate::action::{ActionClock, RunningAction, on_clock};
use crate::call_state::{CallSetup, CallState, CpuTime, Scope, TimeLeft};
use crate::counters::Counters;
use crate::failure::{explain, overloaded, result_too_large};
use crate::guest::{Answer, Guest};
use crate::instance_pool::Made;
use crate::module::Module;
use crate::ticker::{Ticker, ticks_in};
use crate::{RuntimeError, RuntimeOptions};

/// How an invocation ended.
pub(crate) struct Ended<R, S = Store<CallState>> {
    /// The transaction that went in.
    pub(crate) transaction: Option<Transaction>,
    pub(crate) result: Result<R, FunctionError>,
    /// Ticks of its time that passed in the host.
    pub(crate) host_ticks: u64,
    /// What it ran in, to be dropped.
    pub(crate) store: S,
}

/// The instance of a call that is over. When it is dropped, it is set back for the next call, if that can be done.
pub(crate) struct UsedInstance {
    /// The instance is there if it was made, and its call came to an end.
    of: Option<(Store<CallState>, Option<Made>)>,
    module: Arc<Module>,
    invoker: Arc<Invoker>,
}

impl Drop for UsedInstance {
    fn drop(&mut self) {
        if let Some((store, Some(made))) = self.of.take() {
            let Invoker { options, ticker, .. } = &*self.invoker;
            let idle = || CallState::idle(options, ticker.clone());
            with_stack(|| self.module.guest.pool.put_back(store, made, idle));
        }
    }
}

/// What all calls share: the engine, the clock that ends them, the limits, the counters.
pub(crate) struct Invoker {
    pub(crate) engine: Engine,
    pub(crate) options: RuntimeOptions,
    pub(crate) counters: Counters,
    ticker: Arc<Ticker>,
    guest_ticks_max: u64,
    /// Calls that run or whose instance is not torn down yet, without those that they make.
    running: AtomicU32,
}

/// The place of a call that runs, until it is dropped.
pub(crate) struct Slot(Arc<Invoker>);

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Invoker {
    /// Starts the clock of this engine.
    pub(crate) fn new(engine: Engine, options: RuntimeOptions) -> Result<Invoker, RuntimeError> {
        let ticker = Arc::new(Ticker::start(&engine).map_err(RuntimeError::Ticker)?);
        let guest_ticks_max = ticks_in(options.call_guest_time_max);
        Ok(Invoker {
            engine,
            options,
            counters: Counters::default(),
            ticker,
            guest_ticks_max,
            running: AtomicU32::new(0),
        })
    }

    /// Ends calls that run, within some ticks, and those that come.
    pub(crate) fn interrupt(&self) {
        self.ticker.interrupt();
    }

    /// Takes one of the runtime's places for a call that is not part of another; what it calls in turn takes none.
    ///
    /// # Errors
    /// All are taken.
    pub(crate) fn take_slot(self: &Arc<Self>) -> Result<Slot, FunctionError> {
        let slot = Slot(self.clone());
        match self.running.fetch_add(1, Ordering::Relaxed) < self.options.max_concurrent_calls {
            true => Ok(slot),
            false => Err(overloaded(&self.options)),
        }
    }

    /// The time of a call that is not part of another.
    pub(crate) fn full_time(&self) -> TimeLeft {
        let last_tick = self.ticker.ticks() + ticks_in(self.options.call_total_time_max);
        let cpu = CpuTime::at_most(self.options.call_guest_time_max);
        TimeLeft { guest_ticks: self.guest_ticks_max, last_tick, cpu }
    }

    /// Makes a store, lets `work` make an instance in it and call it, and gives back the store, to be dropped.
    /// `subject` names the call in the log.
    pub(crate) fn invoke<R>(
        &self,
        setup: CallSetup,
        subject: impl Fn() -> String,
        work: impl FnOnce(&mut Store<CallState>) -> wasmtime::Result<R>,
    ) -> Ended<R> {
        let store = self.store(setup);
        self.invoke_in(store, subject, work)
    }

    /// Calls a function of a module, by its path there and with these arguments, in an instance that was set back or in a
    /// new one. `subject` names the call in the log.
    pub(crate) fn invoke_call(
        self: &Arc<Self>,
        module: &Arc<Module>,
        setup: CallSetup,
        subject: impl Fn() -> String,
        (path, args): (&str, &[u8]),
    ) -> Ended<Answer, UsedInstance> {
        let guest_ticks = setup.time.guest_ticks;
        let state = CallState::new(setup, &self.options, self.ticker.clone());
        let (mut store, mut made) = match module.guest.pool.take() {
            Some(pooled) => {
                let (store, made) = pooled.begin(state);
                (store, Some(made))
            }
            None => (self.new_store(state), None),
        };
        self.begin(&mut store, guest_ticks);
        self.counters.began_in_instance(made.is_some());
        let Ended { transaction, result, host_ticks, store } =
            self.invoke_in(store, subject, |store| module.guest.call(store, &mut made, path, args));
        let used = UsedInstance { of: Some((store, made)), module: module.clone(), invoker: self.clone() };
        Ended { transaction, result, host_ticks, store: used }
    }

    fn invoke_in<R>(
        &self,
        mut store: Store<CallState>,
        subject: impl Fn() -> String,
        work: impl FnOnce(&mut Store<CallState>) -> wasmtime::Result<R>,
    ) -> Ended<R> {
        let _running = self.ticker.enter();
        let result = with_stack(|| work(&mut store));
        let state = store.data_mut();
        state.pass_on_output(true);
        let result = result.map_err(|error| self.report(&error, state, &subject()));
        let (transaction, host_ticks) = (state.take_transaction(), state.host_ticks_total());
        Ended { transaction, result, host_ticks, store }
    }

    /// Makes a store and an instance in it, and calls an action; the future suspends where the guest waits.
    pub(crate) async fn invoke_action(
        &self,
        action: Arc<ActionCall>,
        guest: &Guest,
        path: &str,
        args: &[u8],
    ) -> Result<Answer, FunctionError> {
        let subject = action.path().to_string();
        let clock = ActionClock::new(self.ticker.clone(), ticks_in(self.options.action_guest_time_max));
        let scope = Scope::Action(Box::new(RunningAction::new(action, clock.clone())));
        // The ticks of a transaction are not an action's: it has its clock, and its caller a timer.
        let time = TimeLeft { guest_ticks: ENDLESS_TICKS, last_tick: u64::MAX, cpu: CpuTime::default() };
        let mut store = self.store(CallSetup { scope, time });
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|mut store| {
            if let Some(action) = store.data_mut().action() {
                action.clock.slice_over()?;
            }
            Ok(UpdateDeadline::Yield(1))
        });
        let result = on_clock(clock, guest.call_action(&mut store, path, args)).await;
        let state = store.data_mut();
        state.pass_on_output(true);
        if let (Ok(Err(_)) | Err(_), Some(action)) = (&result, state.action()) {
            action.guest.break_off();
        }
        result.map_err(|error| self.report(&error, state, &subject))
    }

    /// The result of a call that is over, as whoever made it gets it; counts the call.
    pub(crate) fn end_call(&self, called: Result<Answer, FunctionError>) -> Result<Bytes, FunctionError> {
        let result = called.and_then(|answer| match answer {
            Ok(json) if json.len() > self.options.result_bytes_max => Err(result_too_large(&self.options)),
            Ok(json) => Ok(Bytes::from(json)),
            Err(failure) => Err(failure.into()),
        });
        self.counters.call_ended(&result);
        result
    }

    fn store(&self, setup: CallSetup) -> Store<CallState> {
        let guest_ticks = setup.time.guest_ticks;
        let mut store = self.new_store(CallState::new(setup, &self.options, self.ticker.clone()));
        self.begin(&mut store, guest_ticks);
        store
    }

    fn new_store(&self, state: CallState) -> Store<CallState> {
        let mut store = Store::new(&self.engine, state);
        store.limiter(|state| &mut state.resources);
        store.epoch_deadline_callback(|mut store| {
            store.data_mut().extend_guest_time().map(UpdateDeadline::Continue)
        });
        store
    }

    /// A call begins in a store.
    fn begin(&self, store: &mut Store<CallState>, guest_ticks: u64) {
        // The first tick is noticed, so that the thread's own time is counted from there on.
        store.set_epoch_deadline(guest_ticks.min(1));
        // What a guest hands over in one go is copied; a result is the largest thing it may hand over.
        store.set_hostcall_fuel(self.options.result_bytes_max.saturating_add(HANDED_OVER_BESIDES_BYTES));
    }

    /// The caller's error; the operator's, with the guest's backtrace, goes to the log.
    pub(crate) fn report(
        &self,
        error: &wasmtime::Error,
        state: &mut CallState,
        subject: &str,
    ) -> FunctionError {
        let explained = explain(error, state, &self.options);
        let is_waiting = state.transaction().is_some_and(|transaction| transaction.is_waiting());
        let request_id = state.context().request_id.clone();
        if is_waiting {
            tracing::debug!(
                path = subject,
                request = request_id,
                "it runs again when a password is computed"
            );
            return explained;
        }
        let request = request_id.as_str();
        match state.scope {
            // Whoever deploys has it described, once.
            Scope::Describe(_) => {
                tracing::warn!(path = subject, request, explained = %explained, "{error:?}")
            }
            Scope::Transaction(_) | Scope::Action(_) => {
                tracing::warn!(target: "weir::function", path = subject, request, explained = %explained, "{error:?}");
            }
        }
        explained
    }
}

/// Runs a guest where there is as much stack as it may use: on this thread's, or on another one that is made for it.
/// wasmtime ends a guest that uses too much; a thread that has less would end the process.
fn with_stack<R>(work: impl FnOnce() -> R) -> R {
    let needed = GUEST_STACK_BYTES_MAX + HOST_STACK_BYTES_MAX;
    stacker::maybe_grow(needed, needed + HOST_STACK_BYTES_MAX, work)
}

/// So many ticks are never over.
pub(crate) const ENDLESS_TICKS: u64 = u64::MAX >> 8;

/// What a guest may hand over in one call of the host besides the longest text or document.
const HANDED_OVER_BESIDES_BYTES: usize = 1 << 20;
