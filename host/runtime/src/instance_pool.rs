//! Instances that were set back, for the next calls of their component.
//!
//! Each call begins in an instance that is as it was when it was made: a new one, or one whose memory and globals were
//! set back after a call that ended as it should (see [`crate::reset`]). One that trapped, whose memory has grown, or that
//! still holds something of the host's is dropped; so is one after [`CALLS_MAX`] calls.
//!
//! A module may ask for more (`instances = "reused"`): then an instance serves the next call as the last one left it. It
//! is dropped when a call has failed in any way, has taken half of what a call may have, or still holds something.
use parking_lot::Mutex;
use wasmtime::Store;
use wasmtime::component::{Func, TypedFunc};

use crate::call_state::CallState;
use crate::invocation::ENDLESS_TICKS;
use crate::memory::ImageMemory;
use crate::resource_limits::Taken;

/// Instances that are kept for the next calls of a component.
const IDLE_MAX: usize = 64;
/// After so many calls an instance is dropped, so that nothing adds up that nobody thought of.
const CALLS_MAX: u32 = 10_000;

/// An instance in its store.
pub(crate) struct PooledInstance {
    store: Store<CallState>,
    made: Made,
}

impl PooledInstance {
    /// A call with this state begins in it.
    pub(crate) fn begin(self, state: CallState) -> (Store<CallState>, Made) {
        let PooledInstance { mut store, made } = self;
        *store.data_mut() = state;
        store.data_mut().resources.begin_with(made.taken);
        if let Again::SetBack(_, memory) = &made.again {
            memory.begin();
        }
        (store, made)
    }
}

/// What is known of an instance.
pub(crate) struct Made {
    pub(crate) call: Func,
    /// Whether it may be used again, and how.
    pub(crate) again: Again,
    /// What it has of the limits from the beginning.
    pub(crate) taken: Taken,
    pub(crate) calls: u32,
}

/// How an instance whose call is over is made ready for the next one.
pub(crate) enum Again {
    /// It cannot be.
    No,
    /// By what sets its globals back, and its memory.
    SetBack(TypedFunc<(), ()>, ImageMemory),
    /// It is ready as it is: its module asks for that.
    AsItIs,
}

/// The instances of one component that are ready for a call.
#[derive(Default)]
pub(crate) struct InstancePool {
    idle: Mutex<Vec<PooledInstance>>,
}

impl InstancePool {
    /// One that is ready.
    pub(crate) fn take(&self) -> Option<PooledInstance> {
        self.idle.lock().pop()
    }

    /// Makes an instance ready whose call is over, and keeps it; or drops it. `idle` makes the state of no call.
    pub(crate) fn put_back(
        &self,
        mut store: Store<CallState>,
        mut made: Made,
        idle: impl FnOnce() -> CallState,
    ) {
        if made.calls >= CALLS_MAX || store.data().holds_resources() {
            return;
        }
        match &made.again {
            Again::No => return,
            Again::SetBack(reset, memory) => {
                *store.data_mut() = idle();
                // It is a few instructions.
                store.set_epoch_deadline(ENDLESS_TICKS);
                if let Err(error) = reset.call(&mut store, ()) {
                    tracing::warn!(%error, "an instance could not be set back; the next call makes another");
                    return;
                }
                if !memory.set_back() {
                    return;
                }
            }
            Again::AsItIs => {
                let resources = &store.data().resources;
                // What it has grown to is its own from now on. The next call is to have as much again.
                if resources.is_half_taken() {
                    return;
                }
                made.taken = resources.taken();
                *store.data_mut() = idle();
            }
        }
        let mut idle = self.idle.lock();
        if idle.len() < IDLE_MAX {
            idle.push(PooledInstance { store, made });
        }
    }
}
