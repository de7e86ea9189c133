//! The streams of an action: bodies that somebody else writes and it reads, and the other way round.
use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;
use weir_value::ErrorCode;
use weir_value::limits::{ACTION_STREAMS_MAX, STREAM_PIECE_BYTES_MAX};

use super::super::{BodyError, BodyStream};
use super::pipe::{Receiver, Sender, pipe};
use super::tasks::{End, Outcome};
use crate::{CallError, DbError};

/// A piece of a body, or why there is no more of it.
type Piece = Result<Bytes, BodyError>;

/// The streams of one action.
#[derive(Default)]
pub(super) struct Streams {
    last: u32,
    open: HashMap<u32, Open>,
}

enum Open {
    /// The guest reads it.
    Reading(Reading),
    /// The guest writes it; the receiver is there until it is passed on.
    Writing { sender: Sender<Piece>, receiver: Option<Receiver<Piece>> },
    /// A task reads or writes it just now.
    Busy,
}

/// A stream that is read, with the rest of a piece that was too large to be given at once.
pub(super) struct Reading {
    body: BodyStream,
    rest: Bytes,
}

impl Streams {
    /// Takes in a body that the guest may read.
    ///
    /// # Errors
    /// `TooManyStreams`; the body is dropped.
    pub(super) fn add(&mut self, body: BodyStream) -> Result<u32, DbError> {
        self.insert(Open::Reading(Reading { body, rest: Bytes::new() }))
    }

    /// A stream that the guest writes.
    ///
    /// # Errors
    /// `TooManyStreams`.
    pub(super) fn create(&mut self) -> Result<u32, DbError> {
        let (sender, receiver) = pipe();
        self.insert(Open::Writing { sender, receiver: Some(receiver) })
    }

    fn insert(&mut self, stream: Open) -> Result<u32, DbError> {
        if self.open.len() >= ACTION_STREAMS_MAX {
            let message = format!("The action holds {ACTION_STREAMS_MAX} streams open; close some.");
            return Err(DbError::new(ErrorCode::TooManyStreams, message));
        }
        self.last += 1;
        self.open.insert(self.last, stream);
        Ok(self.last)
    }

    /// What the guest writes to a stream, for whoever reads it.
    ///
    /// # Errors
    /// `NoSuchStream`: it was passed on already, or is not one that the guest writes.
    pub(super) fn pass_on(&mut self, stream: u32) -> Result<BodyStream, DbError> {
        match self.open.get_mut(&stream) {
            Some(Open::Writing { receiver, .. }) => match receiver.take() {
                Some(receiver) => Ok(Box::pin(Passed(receiver))),
                None => Err(no_such_stream(stream, "was passed on before")),
            },
            _ => Err(no_such_stream(stream, "is not one that the action writes")),
        }
    }

    /// Takes a stream to read its next piece from.
    ///
    /// # Errors
    /// `NoSuchStream`, `StreamBusy`.
    pub(super) fn begin_read(&mut self, stream: u32) -> Result<Reading, DbError> {
        match self.open.get_mut(&stream) {
            Some(open @ Open::Reading(_)) => match std::mem::replace(open, Open::Busy) {
                Open::Reading(reading) => Ok(reading),
                Open::Writing { .. } | Open::Busy => unreachable!("it is one that is read"),
            },
            Some(Open::Busy) => Err(busy(stream)),
            _ => Err(no_such_stream(stream, "is at its end, or not one that the action reads")),
        }
    }

    /// Takes a stream to write a piece to.
    ///
    /// # Errors
    /// `NoSuchStream`, `StreamBusy`.
    pub(super) fn begin_write(&mut self, stream: u32) -> Result<Sender<Piece>, DbError> {
        match self.open.get(&stream) {
            Some(Open::Writing { sender, .. }) if sender.is_empty() || sender.is_closed() => {
                Ok(sender.clone())
            }
            Some(Open::Writing { .. } | Open::Busy) => Err(busy(stream)),
            _ => Err(no_such_stream(stream, "was closed, or is not one that the action writes")),
        }
    }

    /// Closes a stream.
    pub(super) fn close(&mut self, stream: u32, broken: Option<String>) {
        let closed = self.open.remove(&stream);
        if let (Some(Open::Writing { sender, .. }), Some(reason)) = (closed, broken) {
            // It follows a piece that is on its way; a reader that is gone needs no reason.
            sender.send(Err(BodyError(reason)));
        }
    }

    /// The action has failed: whoever reads what it wrote sees that it is not all.
    pub(super) fn break_off(&mut self) {
        for stream in self.open.keys().copied().collect::<Vec<_>>() {
            self.close(stream, Some("the action that wrote it has failed".to_owned()));
        }
    }

    fn put_back(&mut self, stream: u32, reading: Option<Reading>) {
        match reading {
            // It may have been closed meanwhile.
            Some(reading) => {
                if let Some(open) = self.open.get_mut(&stream) {
                    *open = Open::Reading(reading);
                }
            }
            None => {
                self.open.remove(&stream);
            }
        }
    }
}

/// Reads the next piece; an empty one is the end.
pub(super) async fn read(stream: u32, mut reading: Reading) -> End {
    while reading.rest.is_empty() {
        match next(&mut reading.body).await {
            Some(Ok(piece)) => reading.rest = piece,
            Some(Err(error)) => {
                let error = CallError::new(ErrorCode::BodyBroken, format!("The body broke off: {error}"));
                return settle(stream, None, Err(error));
            }
            None => return settle(stream, None, Ok(Vec::new())),
        }
    }
    let piece = reading.rest.split_to(reading.rest.len().min(STREAM_PIECE_BYTES_MAX));
    settle(stream, Some(reading), Ok(piece.to_vec()))
}

fn settle(stream: u32, reading: Option<Reading>, outcome: Outcome) -> End {
    End::Settle(Box::new(move |action| {
        action.streams.put_back(stream, reading);
        outcome
    }))
}

/// Writes a piece, and waits until it was taken.
pub(super) async fn write(sender: Sender<Piece>, piece: Vec<u8>) -> End {
    let is_taken = sender.send(Ok(Bytes::from(piece))) && sender.taken().await;
    let closed = "Nobody reads the stream any more.";
    End::Outcome(match is_taken {
        true => Ok(Vec::new()),
        false => Err(CallError::new(ErrorCode::StreamClosed, closed)),
    })
}

async fn next(body: &mut BodyStream) -> Option<Piece> {
    poll_fn(|context| body.as_mut().poll_next(context)).await
}

/// What the guest writes, as somebody else reads it.
struct Passed(Receiver<Piece>);

impl Stream for Passed {
    type Item = Piece;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Piece>> {
        self.0.poll_next(context)
    }
}

fn busy(stream: u32) -> DbError {
    let message = format!("A piece of the stream {stream} is on its way; wait for it before the next.");
    DbError::new(ErrorCode::StreamBusy, message)
}

fn no_such_stream(stream: u32, why: &str) -> DbError {
    DbError::new(ErrorCode::NoSuchStream, format!("The stream {stream} {why}."))
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::Waker;

    use super::*;

    /// What a future gives that waits for nothing.
    fn now<T>(future: impl Future<Output = T>) -> T {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(value) => value,
            Poll::Pending => panic!("it waits"),
        }
    }

    #[test]
    fn a_piece_is_taken_before_the_next_and_a_broken_stream_says_why() {
        let mut streams = Streams::default();
        let stream = streams.create().unwrap();
        let mut body = streams.pass_on(stream).unwrap();
        assert_eq!(streams.pass_on(stream).err().unwrap().code, ErrorCode::NoSuchStream);
        // A writer begins when it is polled.
        let mut writing = Box::pin(write(streams.begin_write(stream).unwrap(), b"one".to_vec()));
        let context = &mut Context::from_waker(Waker::noop());
        assert!(writing.as_mut().poll(context).is_pending(), "nobody has taken it");
        assert_eq!(streams.begin_write(stream).err().unwrap().code, ErrorCode::StreamBusy);
        assert_eq!(now(next(&mut body)), Some(Ok(Bytes::from_static(b"one"))));
        assert!(matches!(now(writing), End::Outcome(Ok(_))));
        streams.close(stream, Some("the function failed".into()));
        assert_eq!(now(next(&mut body)), Some(Err(BodyError("the function failed".into()))));
        assert_eq!(now(next(&mut body)), None);
    }

    #[test]
    fn a_large_piece_is_given_in_parts() {
        let mut streams = Streams::default();
        let (sender, receiver) = pipe();
        sender.send(Ok(Bytes::from(vec![7; STREAM_PIECE_BYTES_MAX + 1])));
        drop(sender);
        let stream = streams.add(Box::pin(Passed(receiver))).unwrap();
        let reading = streams.begin_read(stream).unwrap();
        assert_eq!(streams.begin_read(stream).err().unwrap().code, ErrorCode::StreamBusy);
        let End::Settle(_) = now(read(stream, reading)) else { panic!("the stream is put back") };
    }

    #[test]
    fn a_writer_is_told_that_nobody_reads() {
        let mut streams = Streams::default();
        let stream = streams.create().unwrap();
        drop(streams.pass_on(stream).unwrap());
        let End::Outcome(Err(error)) = now(write(streams.begin_write(stream).unwrap(), vec![1])) else {
            panic!("nobody reads it")
        };
        assert_eq!(error.code, ErrorCode::StreamClosed);
    }

    #[test]
    fn one_who_waits_is_woken_by_what_comes_and_by_the_end() {
        struct Woken(std::sync::atomic::AtomicBool);
        impl std::task::Wake for Woken {
            fn wake(self: std::sync::Arc<Self>) {
                self.0.store(true, std::sync::atomic::Ordering::Relaxed);
            }
        }
        let woken = std::sync::Arc::new(Woken(false.into()));
        let waker = Waker::from(woken.clone());
        let is_woken = || woken.0.swap(false, std::sync::atomic::Ordering::Relaxed);
        let (sender, mut receiver) = pipe();
        let context = &mut Context::from_waker(&waker);
        assert!(receiver.poll_next(context).is_pending() && !is_woken());
        assert!(sender.send(1) && is_woken());
        assert_eq!(receiver.poll_next(context), Poll::Ready(Some(1)));
        assert!(receiver.poll_next(context).is_pending());
        drop(sender);
        assert!(is_woken());
        assert_eq!(receiver.poll_next(context), Poll::Ready(None));
    }
}
