//! The ordinary client: it writes over a socket, whose answer needs a sync of the disk, and reads over HTTP.
//!
//! It is a process of its own, as it would be a machine of its own: what strangers allocate in theirs, with the lowest of
//! priorities, holds up whoever makes a thread beside them.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::json;
use weir_test_support::host::program_beside;
use weir_test_support::sync_client::Received;
use weir_test_support::{SyncClient, http};

/// Who writes the notes of the ordinary client.
pub const WRITER: &str = "ordinary";

/// How often it writes, and how often it reads.
const EVERY: Duration = Duration::from_millis(25);

/// A latency below this is as good as none: on a machine that does something else now and then, it is what that takes.
const FLOOR: Duration = Duration::from_millis(5);

/// How long it waits for the last answers.
const PATIENCE: Duration = Duration::from_secs(30);

/// Each measurement has a session of its own.
static SESSIONS: AtomicU64 = AtomicU64::new(0);

/// How long one kind of request took.
#[derive(Debug, Clone)]
pub struct Latencies {
    /// In order.
    sorted: Vec<Duration>,
}

/// What was measured in one stretch of time.
#[derive(Debug, Clone)]
pub struct Measured {
    /// From the instant at which a mutation was due to its answer.
    pub mutations: Latencies,
    /// The same of queries over HTTP, connecting included.
    pub queries: Latencies,
}

impl Measured {
    /// Takes in what was measured later.
    pub fn append(&mut self, later: Measured) {
        self.mutations.append(later.mutations);
        self.queries.append(later.queries);
    }
}

impl Latencies {
    fn new(mut latencies: Vec<Duration>) -> Result<Latencies> {
        ensure!(!latencies.is_empty(), "nothing was answered");
        latencies.sort_unstable();
        Ok(Latencies { sorted: latencies })
    }

    /// Takes in what was measured later.
    fn append(&mut self, mut later: Latencies) {
        self.sorted.append(&mut later.sorted);
        self.sorted.sort_unstable();
    }

    /// How many requests were answered.
    #[must_use]
    pub fn count(&self) -> usize {
        self.sorted.len()
    }

    /// Half of the requests took no longer.
    #[must_use]
    pub fn median(&self) -> Duration {
        self.sorted[self.sorted.len() / 2]
    }

    /// 99 of 100 requests took no longer.
    #[must_use]
    pub fn p99(&self) -> Duration {
        self.sorted[(self.sorted.len() * 99 / 100).min(self.sorted.len() - 1)]
    }

    /// How many times as long as in the quiet the median took.
    #[must_use]
    pub fn times_median(&self, quiet: &Latencies) -> f64 {
        self.median().as_secs_f64() / quiet.median().max(FLOOR).as_secs_f64()
    }

    /// How many times as long as in the quiet the 99th percentile took.
    #[must_use]
    pub fn times_p99(&self, quiet: &Latencies) -> f64 {
        self.p99().as_secs_f64() / quiet.p99().max(FLOOR).as_secs_f64()
    }
}

/// Lets the ordinary client ask for so long, and wait for all answers.
///
/// # Errors
/// When a request fails, or is not answered: nobody has to fail because of what somebody else does.
pub fn measure(address: SocketAddr, time: Duration) -> Result<Measured> {
    let session = SESSIONS.fetch_add(1, Ordering::Relaxed);
    // It is the program that runs, or the one beside the tests.
    let name = env!("CARGO_PKG_NAME");
    let program = program_beside(name).with_context(|| format!("no `{name}` beside this program"))?;
    let mut command = Command::new(program);
    command.arg(ORDINARY).args([address.to_string(), time.as_millis().to_string(), session.to_string()]);
    let output = command.output().context("the ordinary client")?;
    let told = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "the ordinary client: {}", String::from_utf8_lossy(&output.stderr));
    let of = |kind: &str, line: Option<&str>| -> Result<Latencies> {
        let numbers = line.with_context(|| format!("no {kind}"))?.split_whitespace();
        let nanos = numbers.map(|number| Ok(Duration::from_nanos(number.parse()?)));
        Latencies::new(nanos.collect::<Result<_>>()?)
    };
    let mut lines = told.lines();
    Ok(Measured { mutations: of("mutations", lines.next())?, queries: of("queries", lines.next())? })
}

/// What makes the program be the ordinary client: an address, milliseconds, and the number of a session follow.
pub const ORDINARY: &str = "--ordinary";

/// Is the ordinary client for so long, and prints how long it waited: a line for mutations, one for queries, in
/// nanoseconds.
///
/// # Errors
/// As those of [`measure`].
pub fn be_ordinary(address: SocketAddr, time: Duration, session: u64) -> Result<()> {
    let Measured { mutations, queries } = ask(address, time, session)?;
    for latencies in [mutations, queries] {
        let nanos = latencies.sorted.iter().map(|latency| latency.as_nanos().to_string());
        println!("{}", nanos.collect::<Vec<_>>().join(" "));
    }
    Ok(())
}

fn ask(address: SocketAddr, time: Duration, session: u64) -> Result<Measured> {
    thread::scope(|scope| {
        let writer = scope.spawn(|| write(address, time, session));
        let queries = read(address, time);
        let mutations = writer.join().map_err(|_| anyhow::anyhow!("the writer panicked"))?;
        let mutations = mutations.context("a mutation of the ordinary client")?;
        Ok(Measured { mutations, queries: queries.context("a query of the ordinary client")? })
    })
}

/// The instants at which it asks.
fn instants(time: Duration) -> impl Iterator<Item = Instant> {
    let begin = Instant::now();
    (0..(time.as_millis() / EVERY.as_millis()) as u32).map(move |n| begin + EVERY * n)
}

fn write(address: SocketAddr, time: Duration, session: u64) -> Result<Latencies> {
    let session = format!("0badc0de-0000-4000-8000-{session:012}");
    let mut client = SyncClient::connect(address, &session, 0)?;
    client.subscribe(0, 0, "attack:newest", &json!({ "writer": WRITER }))?;
    let mut latencies = Vec::new();
    let mut waiting = VecDeque::new();
    for (number, due) in instants(time).enumerate() {
        while let Some(rest) = due.checked_duration_since(Instant::now()).filter(|rest| !rest.is_zero()) {
            hear(&mut client, rest, &mut waiting, &mut latencies)?;
        }
        client.mutate(number as u32, "attack:note", &json!({ "writer": WRITER, "number": number }))?;
        waiting.push_back(due);
    }
    let deadline = Instant::now() + PATIENCE;
    while !waiting.is_empty() {
        let rest = deadline.saturating_duration_since(Instant::now());
        ensure!(!rest.is_zero(), "{} mutations were not answered within {PATIENCE:?}", waiting.len());
        hear(&mut client, rest, &mut waiting, &mut latencies)?;
    }
    Latencies::new(latencies)
}

/// Takes in what comes within this time, one message at most. Answers come in the order of the requests.
fn hear(
    client: &mut SyncClient,
    wait: Duration,
    waiting: &mut VecDeque<Instant>,
    latencies: &mut Vec<Duration>,
) -> Result<()> {
    match client.receive_within(wait)? {
        Some(Received::Message(message)) if message["type"] == "MutationResponse" => {
            ensure!(message["success"] == true, "{message}");
            let due = waiting.pop_front().context("an answer that nobody asked for")?;
            latencies.push(due.elapsed());
            Ok(())
        }
        Some(Received::Closed(code, reason)) => bail!("closed: {code} {reason}"),
        Some(Received::Message(_)) | None => Ok(()),
    }
}

/// Each query on a connection of its own, so that none waits for another one's.
fn read(address: SocketAddr, time: Duration) -> Result<Latencies> {
    thread::scope(|scope| {
        let (sender, receiver) = mpsc::channel();
        for due in instants(time) {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            let sender = sender.clone();
            scope.spawn(move || {
                let answer = http::value(address, "query", "attack:newest", &json!({ "writer": WRITER }));
                // The receiver is there until all senders are gone.
                let _ = sender.send(answer.map(|_| due.elapsed()));
            });
        }
        drop(sender);
        Latencies::new(receiver.into_iter().collect::<Result<_>>()?)
    })
}
