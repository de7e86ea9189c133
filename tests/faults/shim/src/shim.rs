//! The one state of the shim, and what all changing calls have in common.
//!
//! One lock is held through each call and its record: the recording has the order in which things happened,
//! and whatever ends the process ends it between two calls. Not here: the single calls.

use std::cell::Cell;
use std::ffi::CStr;
use std::os::raw::c_int;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use weir_fault_model::{Counts, Event, Kill, Moment, Plan};

use crate::raw;
use crate::recorder::Recorder;
use crate::room::Room;
use crate::table::Table;

/// The state, locked.
pub(crate) type Locked = MutexGuard<'static, State>;

pub(crate) struct State {
    pub(crate) plan: Plan,
    pub(crate) table: Table,
    pub(crate) room: Room,
    pub(crate) counts: Counts,
    /// When a slow disk has done what it was asked for.
    disk_free_at_us: u64,
    recorder: Option<Recorder>,
    last_handle: u64,
    last_ticket: u64,
}

thread_local! {
    /// This thread ends the process and holds the lock for good.
    static ENDS: Cell<bool> = const { Cell::new(false) };
}

/// The state, when there is a plan.
pub(crate) fn enter() -> Option<Locked> {
    static STATE: OnceLock<Option<Mutex<State>>> = OnceLock::new();
    if ENDS.try_with(Cell::get).unwrap_or(true) {
        return None;
    }
    let state = STATE.get_or_init(|| {
        let plan = Plan::from_env(|name| std::env::var(name).ok());
        plan.unwrap_or_else(|error| raw::give_up(&error)).map(|plan| Mutex::new(State::begin(plan)))
    });
    Some(state.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Lets no other thread change anything any more: the process ends.
pub(crate) extern "C" fn hold() {
    if let Some(state) = enter() {
        std::mem::forget(state);
        ENDS.with(|ends| ends.set(true));
    }
}

impl State {
    fn begin(plan: Plan) -> State {
        let recorder = (!plan.is_unrecorded).then(|| Recorder::open(&plan.control));
        // SAFETY: the function takes nothing and never unwinds.
        unsafe { libc::atexit(hold) };
        let state = State {
            table: Table::default(),
            room: Room::new(&plan),
            counts: Counts::default(),
            disk_free_at_us: 0,
            recorder,
            last_handle: 0,
            last_ticket: 0,
            plan,
        };
        state.record(Event::Start);
        state
    }

    /// The path below the root.
    pub(crate) fn below(&self, folder: c_int, path: &CStr) -> Option<PathBuf> {
        self.table.below(&self.plan.root, folder, path)
    }

    pub(crate) fn new_handle(&mut self) -> u64 {
        self.last_handle += 1;
        self.last_handle
    }

    pub(crate) fn new_ticket(&mut self) -> u64 {
        self.last_ticket += 1;
        self.last_ticket
    }

    pub(crate) fn record(&self, event: Event) {
        if let Some(recorder) = &self.recorder {
            recorder.append(self.counts, event);
        }
    }

    pub(crate) fn recording(&self) -> Vec<u8> {
        self.recorder.as_ref().map(Recorder::read).unwrap_or_default()
    }

    /// A changing call begins. True when the process is to die in its middle.
    pub(crate) fn begin_call(&mut self) -> bool {
        self.counts.calls += 1;
        if self.is_due(Moment::Before) {
            raw::die(libc::SIGKILL);
        }
        self.is_due(Moment::Middle)
    }

    /// As `begin_call`, for calls that are done whole or not at all.
    pub(crate) fn begin_whole_call(&mut self) {
        if self.begin_call() {
            raw::die(libc::SIGKILL);
        }
    }

    /// It ends: what it did is recorded.
    pub(crate) fn end_call(&mut self, event: Event) {
        self.record(event);
        if self.is_due(Moment::After) {
            raw::die(libc::SIGKILL);
        }
    }

    /// It failed, by the plan or by itself; `errno` stays what it is.
    pub(crate) fn refuse(&mut self, call: &str, path: &Path) {
        let errno = raw::errno();
        self.end_call(Event::Refused { call: call.to_owned(), path: path.to_owned(), errno });
        raw::set_errno(errno);
    }

    /// Asks for room; returns how much of `growth` there is.
    pub(crate) fn grant(&mut self, growth: u64) -> u64 {
        self.counts.growing += 1;
        self.room.grant(self.counts.growing, growth)
    }

    /// Until when a call takes, by the clock of `raw::now_us`: a slow disk does one thing after the other,
    /// however many threads ask.
    pub(crate) fn slow_until_us(&mut self, path: &Path, bytes: usize, is_sync: bool) -> u64 {
        match &self.plan.slow {
            Some(slow) if path.to_string_lossy().contains(&slow.path_part) => {
                let cost_us = slow.mib_us * bytes as u64 / (1 << 20) + if is_sync { slow.sync_us } else { 0 };
                self.disk_free_at_us = self.disk_free_at_us.max(raw::now_us()) + cost_us;
                self.disk_free_at_us
            }
            _ => 0,
        }
    }

    fn is_due(&self, moment: Moment) -> bool {
        self.plan.kill == Some(Kill { call: self.counts.calls, moment })
    }
}
