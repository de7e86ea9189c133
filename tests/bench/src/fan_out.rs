//! From a commit to the last of many subscribers of one query, seen from outside.
//!
//! The clock starts when the mutation's sender writes its request and stops when the last subscriber has the
//! message in hand: the call, the sync to disk and the client's own reading are all inside the figure.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use weir_test_support::frame;

use crate::load::{contains, open_socket};
use crate::table::quantile;

/// A round that takes longer has lost a push.
const ROUND_MAX: Duration = Duration::from_secs(10);

/// Senders' sessions are numbered from here on: one that sent the same request ids before would be answered from the
/// record.
const FIRST_SENDER: usize = 5_000_000;

/// What was measured.
pub struct Outcome {
    /// From sending the mutation to the last subscriber's receipt: the median, in microseconds.
    pub last_median_us: u64,
    /// The 99th percentile of the same.
    pub last_p99_us: u64,
    /// From sending the mutation to its answer: the median, in microseconds.
    pub answer_median_us: u64,
    /// Bytes of one pushed frame, the largest seen.
    pub frame_bytes: usize,
}

/// What all subscribers share.
struct Round {
    marker: RefCell<Vec<u8>>,
    missing: Cell<usize>,
    frame_bytes: Cell<usize>,
    complete: Notify,
    failure: RefCell<Option<anyhow::Error>>,
}

/// Opens `subscribers` sockets that watch the chat, then sends `rounds` messages one after another. `between` is
/// called once, when all subscribers stand and none has been sent a message.
///
/// # Errors
/// When a socket fails.
pub fn run(
    address: SocketAddr,
    subscribers: usize,
    rounds: usize,
    between: impl FnOnce(),
) -> Result<Outcome> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async {
        let round = Rc::new(Round {
            marker: RefCell::new(b"no such marker".to_vec()),
            missing: Cell::new(0),
            frame_bytes: Cell::new(0),
            complete: Notify::new(),
            failure: RefCell::new(None),
        });
        let mut tasks = Vec::new();
        for number in 0..subscribers {
            let stream = subscribe(address, number, "chat:getMessages", "{}").await?;
            tasks.push(tokio::task::spawn_local(watch_until_it_fails(stream, Rc::clone(&round))));
        }
        between();
        let outcome = send_rounds(address, subscribers, rounds, &round).await;
        tasks.iter().for_each(tokio::task::JoinHandle::abort);
        outcome
    })
}

async fn send_rounds(
    address: SocketAddr,
    subscribers: usize,
    rounds: usize,
    round: &Round,
) -> Result<Outcome> {
    let mut sender = open_socket(address).await?;
    let mut out = Vec::new();
    // A session of its own: the mutations of another would be answered from its record.
    frame::write_text(&mut out, connect(FIRST_SENDER + subscribers, false).as_bytes());
    sender.write_all(&out).await?;
    let (mut last, mut answers, mut buffer) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..rounds {
        let body = format!("round {number} of {subscribers}");
        *round.marker.borrow_mut() = body.clone().into_bytes();
        round.missing.set(subscribers);
        out.clear();
        let text = format!(
            r#"{{"type":"Mutation","requestId":{number},"udfPath":"chat:sendMessage","args":[{{"user":"bench","body":"{body}"}}]}}"#
        );
        frame::write_text(&mut out, text.as_bytes());
        let started = Instant::now();
        sender.write_all(&out).await?;
        read_until(&mut sender, &mut buffer, b"\"MutationResponse\"").await?;
        answers.push(started.elapsed().as_micros() as u64);
        // A notice may be left from a round that was complete before its answer was read.
        while round.missing.get() > 0 && round.failure.borrow().is_none() {
            let notice = tokio::time::timeout(ROUND_MAX, round.complete.notified());
            let missing = || format!("{} of {subscribers} miss message {number}", round.missing.get());
            notice.await.with_context(missing)?;
        }
        if let Some(failure) = round.failure.take() {
            return Err(failure.context(format!("a subscriber in round {number}")));
        }
        last.push(started.elapsed().as_micros() as u64);
    }
    Ok(Outcome {
        last_median_us: quantile(&mut last, 0.5),
        last_p99_us: quantile(&mut last, 0.99),
        answer_median_us: quantile(&mut answers, 0.5),
        frame_bytes: round.frame_bytes.get(),
    })
}

/// The first message of a session of this number.
pub fn connect(number: usize, patches: bool) -> String {
    let patches = if patches { r#","queryPatches":"rfc6902""# } else { "" };
    format!(
        r#"{{"type":"Connect","sessionId":"00000000-0000-4000-9000-{:012x}","connectionCount":0,"lastCloseReason":"InitialConnect"{patches}}}"#,
        u64::from(std::process::id()) * 10_000_000 + number as u64
    )
}

/// A socket that watches one query, whose first result it has; the arguments are JSON.
///
/// # Errors
/// When the socket closes.
pub async fn subscribe(address: SocketAddr, number: usize, path: &str, args: &str) -> Result<TcpStream> {
    let mut stream = open_socket(address).await?;
    let mut out = Vec::new();
    frame::write_text(&mut out, connect(number, true).as_bytes());
    let query = format!(
        r#"{{"type":"ModifyQuerySet","baseVersion":0,"newVersion":1,"modifications":[{{"type":"Add","queryId":0,"udfPath":"{path}","args":[{args}]}}]}}"#
    );
    frame::write_text(&mut out, query.as_bytes());
    stream.write_all(&out).await?;
    read_until(&mut stream, &mut Vec::new(), b"\"QueryUpdated\"").await?;
    Ok(stream)
}

/// Reads frames until one holds `needle`; answers pings. What comes after it stays in `buffer`.
///
/// # Errors
/// When the socket closes.
pub async fn read_until(stream: &mut TcpStream, buffer: &mut Vec<u8>, needle: &[u8]) -> Result<()> {
    loop {
        while let Some(found) = frame::read(buffer) {
            let (hit, length) = (contains(found.payload, needle), found.length);
            ensure!(found.opcode != 8, "closed: {}", String::from_utf8_lossy(found.payload));
            if found.opcode == 9 {
                let mut pong = Vec::new();
                frame::write_pong(&mut pong, found.payload);
                stream.write_all(&pong).await?;
            }
            buffer.drain(..length);
            if hit {
                return Ok(());
            }
        }
        ensure!(stream.read_buf(buffer).await? > 0, "the host closed a socket");
    }
}

/// A subscriber that is gone would be waited for without end.
async fn watch_until_it_fails(stream: TcpStream, round: Rc<Round>) {
    if let Err(failure) = watch(stream, Rc::clone(&round)).await {
        round.failure.replace(Some(failure));
        round.complete.notify_one();
    }
}

async fn watch(mut stream: TcpStream, round: Rc<Round>) -> Result<()> {
    let mut buffer = Vec::with_capacity(1024);
    loop {
        ensure!(stream.read_buf(&mut buffer).await? > 0, "the host closed a socket");
        // The next marker is set only when all have seen this one, so one hit is one round.
        if contains(&buffer, &round.marker.borrow()) {
            round.frame_bytes.set(round.frame_bytes.get().max(buffer.len()));
            round.missing.set(round.missing.get() - 1);
            if round.missing.get() == 0 {
                round.complete.notify_one();
            }
        }
        drop_frames(&mut stream, &mut buffer).await?;
    }
}

/// Drops whole frames and answers pings.
///
/// # Errors
/// When the socket closes.
pub async fn drop_frames(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Result<()> {
    while let Some(found) = frame::read(buffer) {
        let length = found.length;
        if found.opcode == 9 {
            let mut pong = Vec::new();
            frame::write_pong(&mut pong, found.payload);
            stream.write_all(&pong).await?;
        }
        buffer.drain(..length);
    }
    Ok(())
}
