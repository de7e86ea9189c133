//! An action that runs: its tasks and streams, and the clock of its guest.
//!
//! The guest runs on a stack of its own ([`run`]) and is suspended while it waits: it holds no thread then.
//! What takes time is done by a [`weir_db::ActionHost`]; what there is of tasks and streams,
//! [`weir_db::RunningAction`] knows.
mod run;

use std::sync::Arc;

use weir_db::ActionCall;

pub(crate) use run::{ActionClock, on_clock};

/// The state of an action that runs.
pub(crate) struct RunningAction {
    pub(crate) call: Arc<ActionCall>,
    pub(crate) clock: Arc<ActionClock>,
    /// Its tasks and streams.
    pub(crate) guest: weir_db::RunningAction,
}

impl RunningAction {
    pub(crate) fn new(call: Arc<ActionCall>, clock: Arc<ActionClock>) -> RunningAction {
        RunningAction { guest: weir_db::RunningAction::new(call.clone()), call, clock }
    }
}
