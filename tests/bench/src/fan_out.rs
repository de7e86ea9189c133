//! From a commit to the last of many subscribers of one query, seen from outside, beside bare writes of the same bytes.
//!
//! The clock starts when the mutation's sender writes its request and stops when the last subscriber has the
//! message in hand: the call, the sync to disk and the client's own reading are all inside the figure. So are they,
//! but for the call and the sync, in that of the bare writes.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use weir_test_support::{HostProcess, frame};

use crate::bare_writer::BareWriter;
use crate::load::{contains, open_socket};
use crate::processor::{Others, Quietest, Spent, Window};
use crate::table::quantile;
use crate::watchers::{Round, Watchers};

/// Host and bare writer take turns so often, so that a slow moment of the machine meets both.
const TURNS: usize = 10;
/// After its turn each has this long for what it does when all have been told.
const AFTERWARDS: Duration = Duration::from_millis(20);

/// Senders' sessions are numbered from here on: one that sent the same request ids before would be answered from the
/// record.
const FIRST_SENDER: usize = 5_000_000;

/// What was measured.
pub struct Outcome {
    /// Of the host: from sending the mutation to the last subscriber's receipt.
    pub host: Figures,
    /// Of the bare writer: from its order to the last receipt.
    pub bare: Figures,
    /// From sending the mutation to its answer: the median, in microseconds.
    pub answer_median_us: u64,
    /// Bytes of one pushed frame.
    pub frame_bytes: usize,
    /// What others did meanwhile.
    pub others: Others,
}

/// Of rounds, in microseconds.
#[derive(Debug, Clone, Copy)]
pub struct Figures {
    /// To the last: the median.
    pub last_median_us: u64,
    /// To the last: the 99th percentile.
    pub last_p99_us: u64,
    /// What the process computed for a round.
    pub cpu_us: f64,
}

/// Opens `subscribers` sockets that watch the chat, then sends `rounds` messages one after another, and has as many
/// written by a bare writer. `between` is called once, when all subscribers stand and none has been sent a message.
///
/// # Errors
/// When a socket fails.
pub fn run(host: &HostProcess, subscribers: usize, rounds: usize, between: impl FnOnce()) -> Result<Outcome> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async {
        let (round, mut watchers) = (Round::new(), Watchers::default());
        for number in 0..subscribers {
            watchers.add(subscribe(host.address(), number, "chat:getMessages", "{}").await?, &round);
        }
        between();
        let mut sender = Sender::open(host.address(), subscribers).await?;
        let mut bare = BareWriter::start(subscribers).await?;
        let mut quietest = Quietest::new();
        while quietest.is_wanted() {
            let (outcome, others_share) = compare(host, &mut sender, &mut bare, &round, rounds).await?;
            quietest.take(outcome, others_share);
        }
        let ((host, bare, answer_median_us), others) = quietest.outcome()?;
        let frame_bytes = round.last().1.len();
        Ok(Outcome { host, bare, answer_median_us, frame_bytes, others })
    })
}

/// Rounds of the host and of the bare writer, in turns; the part of a processor that others took, too.
async fn compare(
    host: &HostProcess,
    sender: &mut Sender,
    bare: &mut BareWriter,
    round: &Round,
    rounds: usize,
) -> Result<((Figures, Figures, u64), f64)> {
    let (mut of_host, mut of_bare, mut answers) = (Turns::default(), Turns::default(), Vec::new());
    let rounds_a_turn = rounds.div_ceil(TURNS);
    for _ in 0..TURNS {
        let window = Window::begin(host.pid())?;
        for _ in 0..rounds_a_turn {
            let (answer, last) = sender.send(round).await?;
            answers.push(answer);
            of_host.last.push(last);
        }
        of_host.end(&window).await?;
        let (marker, frame) = round.last();
        let window = Window::begin(bare.pid())?;
        for _ in 0..rounds_a_turn {
            let mut times = bare.write(&marker, &frame).await?;
            of_bare.last.push(quantile(&mut times, 1.0));
        }
        of_bare.end(&window).await?;
    }
    let ((host, beside_host), (bare, beside_bare)) = (of_host.figures(), of_bare.figures());
    Ok(((host, bare, quantile(&mut answers, 0.5)), beside_host.max(beside_bare)))
}

/// What was measured in the turns of one of the two.
#[derive(Default)]
struct Turns {
    /// For each round.
    last: Vec<u64>,
    /// For each turn.
    spent: Vec<Spent>,
}

impl Turns {
    async fn end(&mut self, window: &Window) -> Result<()> {
        tokio::time::sleep(AFTERWARDS).await;
        self.spent.push(window.end()?);
        Ok(())
    }

    /// The figures, and the part of a processor that others took.
    fn figures(mut self) -> (Figures, f64) {
        let spent: Spent = self.spent.into_iter().sum();
        let figures = Figures {
            last_median_us: quantile(&mut self.last, 0.5),
            last_p99_us: quantile(&mut self.last, 0.99),
            cpu_us: spent.process_us_each(self.last.len() as u64),
        };
        (figures, spent.others_share())
    }
}

/// A socket that sends messages of the chat.
struct Sender {
    stream: TcpStream,
    buffer: Vec<u8>,
    subscribers: usize,
    sent: usize,
}

impl Sender {
    async fn open(address: SocketAddr, subscribers: usize) -> Result<Sender> {
        let mut stream = open_socket(address).await?;
        let mut out = Vec::new();
        // A session of its own: the mutations of another would be answered from its record.
        frame::write_text(&mut out, connect(FIRST_SENDER + subscribers, false).as_bytes());
        stream.write_all(&out).await?;
        Ok(Sender { stream, buffer: Vec::new(), subscribers, sent: 0 })
    }

    /// One message; after how many microseconds it was answered, and the last subscriber had it.
    async fn send(&mut self, round: &Round) -> Result<(u64, u64)> {
        let (number, subscribers) = (self.sent, self.subscribers);
        self.sent += 1;
        let body = format!("round {number:05} of {subscribers}");
        round.begin(body.clone(), subscribers);
        let text = format!(
            r#"{{"type":"Mutation","requestId":{number},"udfPath":"chat:sendMessage","args":[{{"user":"bench","body":"{body}"}}]}}"#
        );
        let mut out = Vec::new();
        frame::write_text(&mut out, text.as_bytes());
        let begun = Instant::now();
        self.stream.write_all(&out).await?;
        read_until(&mut self.stream, &mut self.buffer, b"\"MutationResponse\"").await?;
        let answered = begun.elapsed().as_micros() as u64;
        let mut times = round.end(begun).await?;
        Ok((answered, quantile(&mut times, 1.0)))
    }
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
