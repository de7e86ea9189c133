//! An action that runs, as its guest sees it: numbers of tasks, which it waits for, and of streams.
//!
//! What takes time is done by the [`ActionHost`](super::ActionHost): tasks are its futures, spawned there,
//! whose ends come back in one queue. How the guest is run and suspended, whoever runs it knows.
mod http;
mod pipe;
mod storage;
mod streams;
mod tasks;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::Deserialize;
use weir_value::ErrorCode;
use weir_value::limits::ACTION_TOTAL_TIME_MS_MAX;

use super::{ActionCall, Body, HostFuture};
use crate::{CallError, DbError, FunctionKind};
use streams::Streams;
use tasks::{End, Tasks};

pub use tasks::{Completion, Ended, Ends, Outcome, WaitTime};

/// The tasks and the streams of an action that runs.
pub struct RunningAction {
    call: Arc<ActionCall>,
    tasks: Tasks,
    streams: Streams,
}

impl RunningAction {
    /// That of this call, with nothing under way.
    pub fn new(call: Arc<ActionCall>) -> RunningAction {
        let mut streams = Streams::default();
        let given = [call.take_request_body(), call.take_connection()];
        for (number, stream) in (1..).zip(given.into_iter().flatten()) {
            // Of a fresh action the numbers are those that its request names.
            let added = streams.add(stream);
            debug_assert!(added.is_ok_and(|added| added == number), "those of the request are the first");
        }
        RunningAction { call, tasks: Tasks::default(), streams }
    }

    /// The call.
    pub fn call(&self) -> &Arc<ActionCall> {
        &self.call
    }

    /// Begins to run another function; the task's outcome is its result.
    ///
    /// # Errors
    /// `TooManyTasks`.
    pub fn run(&mut self, kind: FunctionKind, path: String, args: Bytes) -> Result<u32, DbError> {
        self.start(|action| {
            let called = action.call.call(kind, &path, args);
            Ok(Box::pin(async move { End::Outcome(called.await.map(Vec::from)) }))
        })
    }

    /// Begins to wait for so long, and for nothing where that is no time; the task's outcome is empty.
    ///
    /// # Errors
    /// `TooManyTasks`.
    pub fn sleep(&mut self, milliseconds: f64) -> Result<u32, DbError> {
        self.start(|action| {
            let sleep = action.call.host().sleep(time_of(milliseconds));
            Ok(Box::pin(async move {
                sleep.await;
                End::Outcome(Ok(Vec::new()))
            }))
        })
    }

    /// Gives a task up.
    pub fn cancel(&mut self, task: u32) {
        self.tasks.cancel(task);
    }

    /// Takes the ends of the tasks, to wait for one; [`RunningAction::end_wait`] takes them back.
    ///
    /// # Errors
    /// `NothingToWaitFor`: no task is under way.
    pub fn begin_wait(&mut self) -> Result<Ends, DbError> {
        self.tasks.take_ends()
    }

    /// The end that has come, as the guest is told of it; `None`: it is that of a task that was given up.
    pub fn end_wait(&mut self, ends: Ends, ended: Ended) -> Option<Completion> {
        self.tasks.put_back(ends);
        let Ended { task, end } = ended;
        let outcome = match end {
            End::Outcome(outcome) => outcome,
            End::Settle(settle) => settle(self),
        };
        self.tasks.finish(task).then_some(Completion { task, outcome })
    }

    /// So much time from now on, for a guest that waits for a task as well; `None`: it waits for ever.
    pub fn time(&self, milliseconds: Option<f64>) -> WaitTime {
        match milliseconds.map(time_of) {
            None => WaitTime::Endless,
            Some(Duration::ZERO) => WaitTime::Over,
            Some(time) => WaitTime::Until(self.call.host().sleep(time)),
        }
    }

    /// Takes the ends of the tasks back, and leaves the one that has come for the next wait; false: it is that of a
    /// task that was given up.
    pub fn end_poll(&mut self, mut ends: Ends, ended: Option<Ended>) -> bool {
        let ended = ended.filter(|ended| self.tasks.is_running(ended.task));
        let is_there = ended.is_some();
        if let Some(ended) = ended {
            ends.leave(ended);
        }
        self.tasks.put_back(ends);
        is_there
    }

    /// Begins to read the next piece of a stream, which is the task's outcome; an empty one is the end.
    ///
    /// # Errors
    /// `NoSuchStream`, `StreamBusy`, `TooManyTasks`.
    pub fn read_stream(&mut self, stream: u32) -> Result<u32, DbError> {
        self.start(|action| {
            let reading = action.streams.begin_read(stream)?;
            Ok(Box::pin(streams::read(stream, reading)))
        })
    }

    /// A stream that the guest writes.
    ///
    /// # Errors
    /// `TooManyStreams`.
    pub fn create_stream(&mut self) -> Result<u32, DbError> {
        self.streams.create()
    }

    /// Begins to write a piece; the task ends when it was taken.
    ///
    /// # Errors
    /// `NoSuchStream`, `StreamBusy`, `TooManyTasks`.
    pub fn write_stream(&mut self, stream: u32, piece: Vec<u8>) -> Result<u32, DbError> {
        self.start(|action| {
            let sender = action.streams.begin_write(stream)?;
            Ok(Box::pin(streams::write(sender, piece)))
        })
    }

    /// Closes a stream; with a reason, its reader sees that it broke off.
    pub fn close_stream(&mut self, stream: u32, broken: Option<String>) {
        self.streams.close(stream, broken);
    }

    /// The action has failed: whoever reads what it wrote sees that it is not all.
    pub fn break_off(&mut self) {
        self.streams.break_off();
    }

    /// Starts a task; gives its number.
    fn start(
        &mut self,
        work: impl FnOnce(&mut RunningAction) -> Result<HostFuture<End>, DbError>,
    ) -> Result<u32, DbError> {
        self.tasks.check_room()?;
        let work = work(self)?;
        let host = self.call.host().clone();
        Ok(self.tasks.start(&host, work))
    }

    /// The body that a guest gives: bytes, or a stream that it writes.
    fn body_of(&mut self, stream: Option<u32>, body: Option<Vec<u8>>) -> Result<Body, DbError> {
        match (stream, body) {
            (Some(stream), _) => self.streams.pass_on(stream).map(Body::Stream),
            (None, Some(bytes)) => Ok(Body::Whole(Bytes::from(bytes))),
            (None, None) => Ok(Body::Empty),
        }
    }
}

/// What is no time is none; nothing waits for longer than an action may take.
fn time_of(milliseconds: f64) -> Duration {
    let milliseconds = milliseconds.clamp(0.0, ACTION_TOTAL_TIME_MS_MAX as f64);
    Duration::try_from_secs_f64(milliseconds / 1e3).unwrap_or_default()
}

/// Reads JSON of the form that an interface says.
fn read_json<'a, T: Deserialize<'a>>(interface: &str, json: &'a [u8], code: ErrorCode) -> Result<T, DbError> {
    serde_json::from_slice(json)
        .map_err(|error| DbError::new(code, format!("It is not as weir:guest/{interface} says: {error}")))
}

/// The error of a task that could not be done.
fn refused(error: DbError) -> End {
    End::Outcome(Err(CallError::from(error)))
}
