//! The load of the funds transfer: sockets on one thread, each with a fixed number of requests in flight.
//!
//! The client is cheap on purpose (a zero mask, no JSON parser): it shares two cores with the host it measures.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use weir_test_support::frame;

use crate::accounts::{Draw, Random};
use crate::table::quantile;

/// One measured load.
pub struct Load {
    /// Sockets.
    pub clients: usize,
    /// Requests in flight on each.
    pub in_flight: usize,
    /// Which accounts.
    pub draw: Draw,
    /// The accounts' ids.
    pub ids: Arc<[String]>,
    /// How long it lasts.
    pub duration: Duration,
}

/// What it gave.
pub struct Outcome {
    /// Answered transfers.
    pub answered: u64,
    /// Answers that were errors.
    pub failed: u64,
    /// Answered transfers a second.
    pub per_second: f64,
    /// Median time from sending a request to its answer, in microseconds.
    pub median_us: u64,
    /// The 99th percentile of the same.
    pub p99_us: u64,
}

/// Runs a load against the host at `address`.
///
/// # Errors
/// When a socket fails.
pub fn run(address: SocketAddr, load: &Load) -> Result<Outcome> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async {
        let started = Instant::now();
        let end = started + load.duration;
        let mut clients = Vec::new();
        for number in 0..load.clients {
            let client = Client::open(address, number, load).await?;
            clients.push(tokio::task::spawn_local(client.run(load.in_flight, end)));
        }
        let mut times = Vec::new();
        let mut failed = 0;
        for client in clients {
            let done = client.await??;
            times.extend(done.times_us);
            failed += done.failed;
        }
        let seconds = started.elapsed().as_secs_f64();
        Ok(Outcome {
            answered: times.len() as u64,
            failed,
            per_second: times.len() as f64 / seconds,
            median_us: quantile(&mut times, 0.5),
            p99_us: quantile(&mut times, 0.99),
        })
    })
}

struct Client {
    stream: TcpStream,
    random: Random,
    draw: Draw,
    ids: Arc<[String]>,
    next_request: u32,
    sent: VecDeque<Instant>,
    out: Vec<u8>,
    done: Done,
}

#[derive(Default)]
struct Done {
    times_us: Vec<u64>,
    failed: u64,
}

impl Client {
    async fn open(address: SocketAddr, number: usize, load: &Load) -> Result<Client> {
        let mut stream = open_socket(address).await?;
        let connect = format!(
            r#"{{"type":"Connect","sessionId":"00000000-0000-4000-8000-{:012x}","connectionCount":0,"lastCloseReason":"InitialConnect"}}"#,
            std::process::id() as u64 * 1_000_000 + session_number() * 1_000 + number as u64
        );
        let mut out = Vec::new();
        frame::write_text(&mut out, connect.as_bytes());
        stream.write_all(&out).await?;
        out.clear();
        Ok(Client {
            stream,
            random: Random::new(number as u64 + 1),
            draw: load.draw.clone(),
            ids: Arc::clone(&load.ids),
            next_request: 0,
            sent: VecDeque::new(),
            out,
            done: Done::default(),
        })
    }

    async fn run(mut self, in_flight: usize, end: Instant) -> Result<Done> {
        (0..in_flight).for_each(|_| self.add_request());
        let mut buffer = Vec::with_capacity(1 << 16);
        while !self.sent.is_empty() {
            self.stream.write_all(&self.out).await?;
            self.out.clear();
            ensure!(self.stream.read_buf(&mut buffer).await? > 0, "the host closed a socket");
            let answers = self.take_answers(&mut buffer)?;
            if Instant::now() < end {
                (0..answers).for_each(|_| self.add_request());
            }
        }
        Ok(self.done)
    }

    fn add_request(&mut self) {
        use std::io::Write as _;
        let (from, to) = self.draw.pair(&mut self.random);
        let mut text = Vec::with_capacity(192);
        write!(
            text,
            r#"{{"type":"Mutation","requestId":{},"udfPath":"bank:transfer","args":[{{"amount":1,"from":"{}","to":"{}"}}]}}"#,
            self.next_request, self.ids[from], self.ids[to]
        )
        .expect("writing to memory");
        frame::write_text(&mut self.out, &text);
        self.next_request += 1;
        self.sent.push_back(Instant::now());
    }

    /// Takes whole frames out of the buffer; gives how many of them were answers. Answers come in request order.
    fn take_answers(&mut self, buffer: &mut Vec<u8>) -> Result<usize> {
        let now = Instant::now();
        let (mut at, mut answers) = (0, 0);
        while let Some(found) = frame::read(&buffer[at..]) {
            ensure!(found.opcode != 8, "closed: {}", String::from_utf8_lossy(found.payload));
            if found.opcode == 9 {
                frame::write_pong(&mut self.out, found.payload);
            }
            let head = &found.payload[..found.payload.len().min(100)];
            if contains(head, b"\"MutationResponse\"") {
                let sent = self.sent.pop_front().context("an answer to nothing")?;
                self.done.times_us.push((now - sent).as_micros() as u64);
                self.done.failed += u64::from(!contains(found.payload, b"\"success\":true"));
                answers += 1;
            }
            at += found.length;
        }
        buffer.drain(..at);
        Ok(answers)
    }
}

/// A socket of the sync protocol, upgraded, with nothing said on it.
///
/// # Errors
/// When the host does not upgrade.
pub async fn open_socket(address: SocketAddr) -> Result<TcpStream> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    stream.write_all(frame::upgrade_request(&address.to_string(), "/api/1.48.0/sync").as_bytes()).await?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    ensure!(head.starts_with(b"HTTP/1.1 101"), "no upgrade: {}", String::from_utf8_lossy(&head));
    Ok(stream)
}

/// Whether `needle` stands in `text`.
pub fn contains(text: &[u8], needle: &[u8]) -> bool {
    text.windows(needle.len()).any(|window| window == needle)
}

fn session_number() -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
