//! Sockets that are told of something in rounds, and note when they are.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::{JoinHandle, spawn_local};
use weir_test_support::frame;

use crate::load::contains;

/// Who is not told within this time never is.
const ROUND_TIME_MAX: Duration = Duration::from_secs(20);

/// What is awaited, and who has seen it when.
pub struct Round {
    marker: RefCell<Vec<u8>>,
    awaited: Cell<usize>,
    seen: RefCell<Vec<Instant>>,
    frame: RefCell<Vec<u8>>,
    failure: RefCell<Option<anyhow::Error>>,
    complete: Notify,
}

impl Round {
    /// Nothing is awaited yet.
    pub fn new() -> Rc<Round> {
        Rc::new(Round {
            marker: RefCell::new(b"no such marker".to_vec()),
            awaited: Cell::new(0),
            seen: RefCell::default(),
            frame: RefCell::default(),
            failure: RefCell::default(),
            complete: Notify::new(),
        })
    }

    /// Begins: so many are to see a frame with this.
    pub fn begin(&self, marker: impl Into<Vec<u8>>, awaited: usize) {
        self.marker.replace(marker.into());
        self.seen.borrow_mut().clear();
        self.awaited.set(awaited);
    }

    /// Waits until all have seen it; after how long each did, in microseconds.
    ///
    /// # Errors
    /// When a socket has closed, or one is not told.
    pub async fn end(&self, begun: Instant) -> Result<Vec<u64>> {
        // A notice may be left from a round that was complete before anybody waited for it.
        while self.missing() > 0 && self.failure.borrow().is_none() {
            let notice = tokio::time::timeout(ROUND_TIME_MAX, self.complete.notified());
            notice
                .await
                .with_context(|| format!("{} of {} are not told", self.missing(), self.awaited.get()))?;
        }
        if let Some(failure) = self.failure.take() {
            return Err(failure.context("a socket that is to be told"));
        }
        Ok(self.seen.borrow().iter().map(|seen| (*seen - begun).as_micros() as u64).collect())
    }

    /// The marker of the last round, and the frame that had it, as it was read by the last who saw it.
    pub fn last(&self) -> (Vec<u8>, Vec<u8>) {
        (self.marker.borrow().clone(), self.frame.borrow().clone())
    }

    fn missing(&self) -> usize {
        self.awaited.get().saturating_sub(self.seen.borrow().len())
    }

    /// Somebody has read this frame.
    fn read(&self, frame: &[u8]) {
        if !contains(frame, &self.marker.borrow()) {
            return;
        }
        self.seen.borrow_mut().push(Instant::now());
        if self.missing() == 0 {
            self.frame.replace(frame.to_vec());
            self.complete.notify_one();
        }
    }

    fn failed(&self, failure: anyhow::Error) {
        self.failure.replace(Some(failure));
        self.complete.notify_one();
    }
}

/// Sockets that read until they are dropped.
#[derive(Default)]
pub struct Watchers(Vec<JoinHandle<()>>);

impl Watchers {
    /// One more, which says what it reads to this round.
    pub fn add(&mut self, stream: TcpStream, round: &Rc<Round>) {
        let round = Rc::clone(round);
        self.0.push(spawn_local(async move {
            if let Err(failure) = listen(stream, &round).await {
                round.failed(failure);
            }
        }));
    }
}

impl Drop for Watchers {
    fn drop(&mut self) {
        self.0.iter().for_each(JoinHandle::abort);
    }
}

async fn listen(mut stream: TcpStream, round: &Round) -> Result<()> {
    let mut buffer = Vec::with_capacity(512);
    loop {
        ensure!(stream.read_buf(&mut buffer).await? > 0, "it was closed");
        while let Some(found) = frame::read(&buffer) {
            let length = found.length;
            match found.opcode {
                8 => anyhow::bail!("it was closed: {}", String::from_utf8_lossy(found.payload)),
                9 => {
                    let mut pong = Vec::new();
                    frame::write_pong(&mut pong, found.payload);
                    stream.write_all(&pong).await?;
                }
                _ => round.read(&buffer[..length]),
            }
            buffer.drain(..length);
        }
    }
}
