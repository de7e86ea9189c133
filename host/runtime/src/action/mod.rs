//! An action that runs: its tasks, its streams, and how its guest waits for them.
//!
//! The guest runs on a stack of its own ([`run`]) and is suspended while it waits: it holds no thread then. What takes
//! time is done by a [`weir_db::ActionHost`]; tasks are its futures, spawned there, whose ends come back through a
//! channel.
mod run;
pub(crate) mod streams;
mod tasks;

use std::sync::Arc;

use weir_db::ActionCall;

pub(crate) use run::{ActionClock, on_clock};
use streams::Streams;
pub(crate) use tasks::End;
use tasks::Tasks;

/// The state of an action that runs.
pub(crate) struct RunningAction {
    pub(crate) call: Arc<ActionCall>,
    pub(crate) clock: Arc<ActionClock>,
    pub(crate) tasks: Tasks,
    pub(crate) streams: Streams,
}

impl RunningAction {
    pub(crate) fn new(call: Arc<ActionCall>, clock: Arc<ActionClock>) -> RunningAction {
        let mut streams = Streams::default();
        if let Some(body) = call.take_request_body() {
            // Of a fresh action the number is the one that its request names.
            let added = streams.add(body);
            debug_assert!(matches!(added, Ok(1)), "the request's body is the first stream");
        }
        RunningAction { call, clock, tasks: Tasks::default(), streams }
    }
}
