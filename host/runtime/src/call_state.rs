//! What the host keeps for one call while its instance runs: the data of its store.
use std::borrow::Cow;
use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use weir_db::{CallContext, LogLevel, Transaction, VariableReads, Variables};

use crate::action::RunningAction;
use crate::failure::CallEnd;
use crate::resource_limits::ResourceLimits;
use crate::ticker::{Ticker, thread_cpu_time, ticks_in};
use crate::wasi::WasiState;
use crate::{Deployment, RuntimeOptions};

/// What a module is told while it describes itself: nothing that could make two answers differ.
static DESCRIBE_CONTEXT: CallContext = CallContext { now_ms: 0.0, seed: [0; 32], request_id: String::new() };

/// After so many ticks a guest that computes is looked after, at the latest: it may be interrupted.
const INTERRUPTION_TICKS: u64 = 25;

/// How long a call may go on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TimeLeft {
    /// Ticks that its guest may compute.
    pub(crate) guest_ticks: u64,
    /// The tick at which it is over, whoever takes the time.
    pub(crate) last_tick: u64,
    /// How long its guest and those that it calls may compute, and what the thread had computed when that was first looked
    /// at: ticks pass as well while a busy machine lets other threads run.
    pub(crate) cpu: CpuTime,
}

/// Time that a thread computes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct CpuTime {
    pub(crate) max: Duration,
    /// `None`: not looked at yet. It is at the first tick of a call and before one that it makes, so that a short call
    /// does not pay for it.
    began: Option<Duration>,
}

impl CpuTime {
    /// At most so long.
    pub(crate) fn at_most(max: Duration) -> CpuTime {
        CpuTime { max, began: None }
    }

    /// The same, looked at.
    fn looked_at(self) -> CpuTime {
        CpuTime { began: Some(self.began.unwrap_or_else(thread_cpu_time)), ..self }
    }

    /// What is left of it.
    fn left(&self) -> Duration {
        let used = self.began.map_or(Duration::ZERO, |began| thread_cpu_time().saturating_sub(began));
        self.max.saturating_sub(used)
    }
}

/// The variables that a module is given while it describes itself, and which of them it has read.
#[derive(Debug, Clone, Default)]
pub(crate) struct DescribedWith {
    pub(crate) variables: Variables,
    pub(crate) reads: VariableReads,
}

impl DescribedWith {
    pub(crate) fn get(&mut self, name: &str) -> Option<String> {
        self.reads.add(name);
        self.variables.get(name).map(str::to_owned)
    }

    pub(crate) fn names(&mut self) -> Vec<String> {
        self.reads.add_all();
        self.variables.names()
    }
}

/// What a call may reach.
#[expect(
    clippy::large_enum_variant,
    reason = "nearly every call has a transaction; a box of it costs an allocation a call"
)]
pub(crate) enum Scope {
    /// A module describes itself: nothing but variables.
    Describe(DescribedWith),
    /// A query or a mutation.
    Transaction(TransactionScope),
    /// An action.
    Action(Box<RunningAction>),
}

/// The scope of a query or a mutation.
pub(crate) struct TransactionScope {
    /// `None` while it is lent to a function that this one calls, and after the call.
    pub(crate) transaction: Option<Transaction>,
    /// Whose functions the guest may call.
    pub(crate) deployment: Option<Arc<Deployment>>,
}

/// What a call is: what it may reach, and its time.
pub(crate) struct CallSetup {
    pub(crate) scope: Scope,
    pub(crate) time: TimeLeft,
}

impl CallSetup {
    /// Of a query or a mutation.
    pub(crate) fn in_transaction(
        transaction: Transaction,
        deployment: Option<Arc<Deployment>>,
        time: TimeLeft,
    ) -> CallSetup {
        let scope = TransactionScope { transaction: Some(transaction), deployment };
        CallSetup { scope: Scope::Transaction(scope), time }
    }
}

/// The data of a call's store.
pub(crate) struct CallState {
    pub(crate) scope: Scope,
    /// Memory and tables.
    pub(crate) resources: ResourceLimits,
    /// The last line that the guest logged as an error: if it traps after that, this is why.
    pub(crate) last_error_line: Option<String>,
    ticker: Arc<Ticker>,
    /// Ticks that passed inside the host and were not given to the guest on top yet.
    host_ticks: u64,
    /// All ticks that passed inside the host.
    host_ticks_total: u64,
    /// The tick at which the guest's time is over, as far as the epoch can tell.
    guest_last_tick: u64,
    /// The tick at which the call is over, whoever takes the time.
    last_tick: u64,
    cpu: Cell<CpuTime>,
    wasi: Option<Box<WasiState>>,
}

impl CallState {
    /// The state of a call that begins.
    pub(crate) fn new(setup: CallSetup, options: &RuntimeOptions, ticker: Arc<Ticker>) -> Self {
        CallState {
            scope: setup.scope,
            resources: ResourceLimits::new(options.call_memory_bytes_max, options.call_table_elements_max),
            last_error_line: None,
            guest_last_tick: ticker.ticks() + setup.time.guest_ticks,
            last_tick: setup.time.last_tick,
            cpu: Cell::new(setup.time.cpu),
            ticker,
            host_ticks: 0,
            host_ticks_total: 0,
            wasi: None,
        }
    }

    /// The call's transaction, if it has one, and it is here.
    pub(crate) fn transaction(&mut self) -> Option<&mut Transaction> {
        match &mut self.scope {
            Scope::Transaction(scope) => scope.transaction.as_mut(),
            Scope::Describe(_) | Scope::Action(_) => None,
        }
    }

    /// Takes the transaction out.
    pub(crate) fn take_transaction(&mut self) -> Option<Transaction> {
        match &mut self.scope {
            Scope::Transaction(scope) => scope.transaction.take(),
            Scope::Describe(_) | Scope::Action(_) => None,
        }
    }

    /// The action that runs, if one does.
    pub(crate) fn action(&mut self) -> Option<&mut RunningAction> {
        match &mut self.scope {
            Scope::Action(action) => Some(action),
            Scope::Describe(_) | Scope::Transaction(_) => None,
        }
    }

    /// What the call may know of the world.
    pub(crate) fn context(&self) -> Cow<'_, CallContext> {
        match &self.scope {
            Scope::Transaction(TransactionScope { transaction: Some(transaction), .. }) => {
                Cow::Borrowed(transaction.context())
            }
            Scope::Action(action) => Cow::Owned(action.call.context()),
            Scope::Describe(_) | Scope::Transaction(_) => Cow::Borrowed(&DESCRIBE_CONTEXT),
        }
    }

    /// Counts a call of the guest to the host; the operations of the transaction count themselves. A module that
    /// describes itself has its time as its only limit, and so has an action.
    ///
    /// # Errors
    /// It was one too many; the call ends.
    pub(crate) fn count_host_call(&mut self) -> wasmtime::Result<()> {
        match self.transaction() {
            Some(transaction) => Ok(transaction.count_host_call().map_err(CallEnd::Transaction)?),
            None => Ok(()),
        }
    }

    /// Runs the host's part of a call of the guest, and keeps its time apart from the guest's.
    ///
    /// # Errors
    /// Those of the work, and: all of the call's time is over.
    pub(crate) fn on_host_time<R>(
        &mut self,
        work: impl FnOnce(&mut Self) -> wasmtime::Result<R>,
    ) -> wasmtime::Result<R> {
        let before = self.ticker.ticks();
        let result = work(self)?;
        let after = self.ticker.ticks();
        self.credit_host_ticks(after - before);
        self.refuse_if_interrupted()?;
        if after >= self.last_tick {
            return Err(CallEnd::TotalTime.into());
        }
        Ok(result)
    }

    /// A tick has passed, or the guest's own time is up as far as the epoch can tell: how many ticks it still has, because
    /// they passed in the host, or because the thread has not computed for so long.
    ///
    /// # Errors
    /// None: the call ends.
    pub(crate) fn extend_guest_time(&mut self) -> wasmtime::Result<u64> {
        self.refuse_if_interrupted()?;
        if self.ticker.ticks() >= self.last_tick {
            return Err(CallEnd::TotalTime.into());
        }
        let now = self.ticker.ticks();
        let cpu = self.look_at_cpu();
        if now < self.guest_last_tick {
            return Ok((self.guest_last_tick - now).min(INTERRUPTION_TICKS));
        }
        let ticks = match (std::mem::take(&mut self.host_ticks), cpu.left()) {
            (0, Duration::ZERO) => return Err(CallEnd::GuestTime.into()),
            (0, left) => ticks_in(left),
            (ticks, _) => ticks,
        };
        self.guest_last_tick = now + ticks;
        Ok(ticks.min(INTERRUPTION_TICKS))
    }

    fn refuse_if_interrupted(&self) -> wasmtime::Result<()> {
        match self.ticker.is_interrupted() {
            true => Err(CallEnd::Interrupted.into()),
            false => Ok(()),
        }
    }

    /// The time that a call has which this one makes: what is left of its own.
    ///
    /// # Errors
    /// There is none; the call ends.
    pub(crate) fn time_left(&self) -> wasmtime::Result<TimeLeft> {
        let now = self.ticker.ticks();
        if now >= self.last_tick {
            return Err(CallEnd::TotalTime.into());
        }
        let cpu = self.look_at_cpu();
        let guest_ticks = (self.guest_last_tick + self.host_ticks).saturating_sub(now).max(1);
        Ok(TimeLeft { guest_ticks, last_tick: self.last_tick, cpu })
    }

    /// Whether the guest's own time is over, or all of the call's: it ends as soon as the guest goes on.
    pub(crate) fn is_time_over(&self) -> bool {
        let now = self.ticker.ticks();
        let is_late = now >= self.guest_last_tick + self.host_ticks;
        now >= self.last_tick || (is_late && self.look_at_cpu().left().is_zero())
    }

    /// The thread's time, which counts from the first look on.
    fn look_at_cpu(&self) -> CpuTime {
        let cpu = self.cpu.get().looked_at();
        self.cpu.set(cpu);
        cpu
    }

    /// Counts ticks as the host's that passed while the guest waited.
    pub(crate) fn credit_host_ticks(&mut self, ticks: u64) {
        self.host_ticks += ticks;
        self.host_ticks_total += ticks;
    }

    /// All ticks that passed inside the host.
    pub(crate) fn host_ticks_total(&self) -> u64 {
        self.host_ticks_total
    }

    /// Writes a line for the function's developer.
    pub(crate) fn log(&mut self, level: LogLevel, message: &str) {
        if level == LogLevel::Error {
            self.last_error_line = Some(message.to_owned());
        }
        match &mut self.scope {
            Scope::Transaction(scope) => {
                if let Some(transaction) = &mut scope.transaction {
                    transaction.log(level, message);
                }
            }
            Scope::Action(action) => action.call.log(level, message),
            Scope::Describe(_) => tracing::debug!(?level, message, "a module logs while it describes itself"),
        }
    }

    /// The state of no call, for an instance that waits for one.
    pub(crate) fn idle(options: &RuntimeOptions, ticker: Arc<Ticker>) -> Self {
        let time = TimeLeft { guest_ticks: 0, last_tick: 0, cpu: CpuTime::default() };
        let scope = Scope::Transaction(TransactionScope { transaction: None, deployment: None });
        CallState::new(CallSetup { scope, time }, options, ticker)
    }

    /// Whether the guest has something of the host's that it has not given back: a stream, a pollable.
    pub(crate) fn holds_resources(&self) -> bool {
        self.wasi.as_ref().is_some_and(|wasi| wasi.holds_resources())
    }

    /// The WASI of the call, made when it is first asked for.
    pub(crate) fn wasi(&mut self) -> &mut WasiState {
        if self.wasi.is_none() {
            self.wasi = Some(Box::new(WasiState::new(&self.context())));
        }
        self.wasi.as_mut().expect("made above")
    }

    /// Passes on what the guest wrote to standard output and error: whole lines, and at the end the rest too.
    pub(crate) fn pass_on_output(&mut self, at_the_end: bool) {
        let Some(wasi) = &mut self.wasi else { return };
        for (level, line) in wasi.take_output(at_the_end) {
            self.log(level, &line);
        }
    }
}

#[cfg(test)]
mod tests {
    use wasmtime::Engine;

    use super::*;

    fn state(call_total_time_max: Duration) -> CallState {
        let ticker = Arc::new(Ticker::start(&Engine::default()).unwrap());
        let last_tick = ticker.ticks() + ticks_in(call_total_time_max);
        let time = TimeLeft { guest_ticks: 1, last_tick, cpu: CpuTime::default() };
        let setup = CallSetup { scope: Scope::Describe(DescribedWith::default()), time };
        CallState::new(setup, &RuntimeOptions::default(), ticker)
    }

    /// A host function that takes this long.
    fn take_time(state: &mut CallState, ticks: u64) -> wasmtime::Result<()> {
        let ticker = state.ticker.clone();
        let _running = ticker.enter();
        state.on_host_time(|_| {
            let until = ticker.ticks() + ticks;
            while ticker.ticks() < until {
                std::thread::yield_now();
            }
            Ok(())
        })
    }

    fn end_of(result: wasmtime::Result<u64>) -> CallEnd {
        result.unwrap_err().downcast().unwrap()
    }

    #[test]
    fn the_hosts_time_is_given_to_the_guest_once() {
        let mut state = state(Duration::from_secs(60));
        take_time(&mut state, 2).unwrap();
        take_time(&mut state, 1).unwrap();
        state.guest_last_tick = 0;
        assert!(state.extend_guest_time().unwrap() >= 3);
        state.guest_last_tick = 0;
        assert_eq!(end_of(state.extend_guest_time()), CallEnd::GuestTime);
    }

    #[test]
    fn an_interrupted_call_ends_at_its_next_tick_and_at_its_next_call_to_the_host() {
        let mut state = state(Duration::from_secs(60));
        state.guest_last_tick = u64::MAX;
        assert_eq!(state.extend_guest_time().unwrap(), INTERRUPTION_TICKS, "it is looked after now and then");
        state.ticker.interrupt();
        assert_eq!(end_of(state.extend_guest_time()), CallEnd::Interrupted);
        let error = take_time(&mut state, 0).unwrap_err();
        assert_eq!(error.downcast::<CallEnd>().unwrap(), CallEnd::Interrupted);
    }

    #[test]
    fn all_of_a_calls_time_has_an_end_too() {
        let mut state = state(Duration::from_millis(30));
        let error = take_time(&mut state, 10).unwrap_err();
        assert_eq!(error.downcast::<CallEnd>().unwrap(), CallEnd::TotalTime);
        assert_eq!(end_of(state.extend_guest_time()), CallEnd::TotalTime);
    }
}
