//! Many sockets: one query that all watch, a query each, all coming back at once, and none that does anything.
//!
//! Clients and host share the machine, so what is measured is both: a client does as little as it can.

use std::net::SocketAddr;
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use futures_util::future::try_join_all;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::LocalSet;
use weir_test_support::{HostProcess, frame, http, project};

use crate::bare_writer::BareWriter;
use crate::fan_out::{self, connect, read_until};
use crate::load::open_socket;
use crate::processor::{Others, Quietest, Spent, Window};
use crate::table::{Line, quantile};
use crate::watchers::{Round, Watchers};

const KIB: f64 = 1024.0;
/// Sockets that watch one query, where the two processes may open a few more files: the host keeps some for itself.
const WATCHERS: usize = 10_000;
/// Files that are no sockets: the host keeps a part of all for its store and for requests, and some at least.
const FILES_BESIDE: usize = 256;
/// Writes that all of them are told of.
const ROUNDS: u32 = 20;
/// Sockets that watch a query of their own.
const OWN: usize = 1_000;
/// Writes that concern one of those each, and how often there is one.
const WRITES: u32 = 500;
const WRITE_EVERY: Duration = Duration::from_millis(10);
/// Clients that come back at once.
const RETURNING: usize = 2_000;
/// Sockets that do nothing, and for how long.
const IDLE: usize = 10_000;
const IDLE_TIME: Duration = Duration::from_secs(30);
/// What the host may compute for them, of one processor.
const IDLE_PERCENT_MAX: f64 = 3.0;
/// Numbers of notes that stand nowhere else in a message.
const FIRST_NUMBER: u32 = 7_700_000;

/// Measures all of it, with one `part` of as many sockets.
///
/// # Errors
/// When the guest does not build, the host does not start, or a socket fails.
pub fn measure(part: usize, show: &mut impl FnMut(Line)) -> Result<()> {
    let data = tempfile::tempdir()?;
    HostProcess::dev(&project::guest("attack"), data.path())?.stop()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let local = LocalSet::new();
    let mut measure = async || {
        let mut host = HostProcess::serve(data.path())?;
        let sockets_max = (files_max()? / 20 * 19).saturating_sub(FILES_BESIDE);
        watchers_of_one(&host, WATCHERS.min(sockets_max) / part, show).await?;
        watchers_of_their_own(&host, OWN / part, show).await?;
        host = return_at_once(host, data.path(), RETURNING / part, show).await?;
        idle(&host, IDLE.min(sockets_max) / part, show).await
    };
    local.block_on(&runtime, measure())
}

/// Opens sockets that watch the notes of a writer each.
async fn watch(
    address: SocketAddr,
    sessions: std::ops::Range<usize>,
    round: &Rc<Round>,
    writer: impl Fn(usize) -> String,
) -> Result<Watchers> {
    let mut watchers = Watchers::default();
    for number in sessions {
        let stream = subscribe(address, number, &writer(number)).await?;
        watchers.add(stream, round);
    }
    Ok(watchers)
}

async fn subscribe(address: SocketAddr, number: usize, writer: &str) -> Result<TcpStream> {
    fan_out::subscribe(address, number, "attack:newest", &format!(r#"{{"writer":"{writer}"}}"#)).await
}

/// A socket that writes notes.
struct Writer {
    stream: TcpStream,
    buffer: Vec<u8>,
    requests: u32,
}

impl Writer {
    async fn open(address: SocketAddr, session: usize) -> Result<Writer> {
        let mut stream = open_socket(address).await?;
        let mut out = Vec::new();
        frame::write_text(&mut out, connect(session, false).as_bytes());
        stream.write_all(&out).await?;
        Ok(Writer { stream, buffer: Vec::new(), requests: 0 })
    }

    /// Writes a note; when it was sent.
    async fn note(&mut self, writer: &str, number: u32) -> Result<Instant> {
        let text = format!(
            r#"{{"type":"Mutation","requestId":{},"udfPath":"attack:note","args":[{{"writer":"{writer}","number":{number}}}]}}"#,
            self.requests
        );
        self.requests += 1;
        let mut out = Vec::new();
        frame::write_text(&mut out, text.as_bytes());
        let sent = Instant::now();
        self.stream.write_all(&out).await?;
        read_until(&mut self.stream, &mut self.buffer, b"\"MutationResponse\"").await?;
        Ok(sent)
    }
}

async fn watchers_of_one(host: &HostProcess, count: usize, show: &mut impl FnMut(Line)) -> Result<()> {
    let round = Round::new();
    let before_kib = host.resident_kib()?;
    let sockets = watch(host.address(), 0..count, &round, |_| "everybody's".to_owned()).await?;
    let each_kib = host.resident_kib()?.saturating_sub(before_kib) as f64 / count as f64;
    let mut writer = Writer::open(host.address(), 6_000_000).await?;
    let runs_before = http::metric(host.address(), "weir_live_runs_total")?;
    let mut numbers = FIRST_NUMBER..;
    let pushes = rounds(host.pid(), async |_| {
        let number = numbers.next().context("numbers have no end")?;
        round.begin(number.to_string(), count);
        let sent = writer.note("everybody's", number).await?;
        round.end(sent).await
    })
    .await?;
    let writes = f64::from(numbers.start - FIRST_NUMBER);
    let runs = (http::metric(host.address(), "weir_live_runs_total")? - runs_before) / writes;
    drop(sockets);
    let (marker, frame) = round.last();
    let mut bare = BareWriter::start(count).await?;
    let bare = rounds(bare.pid(), async |_| bare.write(&marker, &frame).await).await?;
    push_lines(count, &pushes, &bare, frame.len(), show);
    show(Line::goal("  runs for a write", format!("{runs:.2}"), "<= 1.0", runs <= 1.0));
    let figure = format!("{each_kib:.1} KiB");
    show(Line::goal("  resident memory for each", figure, "<= 20 KiB", each_kib <= 20.0));
    Ok(())
}

/// Medians of rounds in which all are told of one thing.
struct Pushes {
    first_ms: f64,
    half_ms: f64,
    last_ms: f64,
    /// What who tells them computed for one round.
    cpu_ms: f64,
    others: Others,
}

/// Rounds, each of which gives after how many microseconds each was told by this process; again when others disturb
/// them.
async fn rounds(pid: u32, mut tell: impl AsyncFnMut(()) -> Result<Vec<u64>>) -> Result<Pushes> {
    let mut quietest = Quietest::new();
    while quietest.is_wanted() {
        let window = Window::begin(pid)?;
        let mut times = [Vec::new(), Vec::new(), Vec::new()];
        for _ in 0..ROUNDS {
            let mut round = tell(()).await?;
            for (times, share) in times.iter_mut().zip([0.0, 0.5, 1.0]) {
                times.push(quantile(&mut round, share));
            }
        }
        let spent = window.end()?;
        quietest.take((times, spent), spent.others_share());
    }
    let ((times, spent), others): (([Vec<u64>; 3], Spent), Others) = quietest.outcome()?;
    let [first_ms, half_ms, last_ms] = times.map(|mut times| quantile(&mut times, 0.5) as f64 / 1000.0);
    let cpu_ms = spent.process_us_each(u64::from(ROUNDS)) / 1000.0;
    Ok(Pushes { first_ms, half_ms, last_ms, cpu_ms, others })
}

fn push_lines(count: usize, host: &Pushes, bare: &Pushes, bytes: usize, show: &mut impl FnMut(Line)) {
    let name = format!("request to the last of {count} sockets, one query");
    let note = |pushes: &Pushes| {
        let Pushes { first_ms, half_ms, cpu_ms, others, .. } = pushes;
        format!("first {first_ms:.1} ms, half {half_ms:.1} ms; {cpu_ms:.0} ms of CPU; {others}")
    };
    show(Line::figure(name, format!("{:.1} ms", host.last_ms)).note(note(host)));
    let name = format!("  as many bare writes of its {bytes} bytes");
    show(Line::figure(name, format!("{:.1} ms", bare.last_ms)).note(note(bare)));
    let [messages, writes] = [host, bare].map(|pushes| count as f64 / (pushes.last_ms / 1000.0));
    let line =
        Line::goal("  messages", format!("{messages:.0} a second"), ">= 200000", messages >= 200_000.0);
    show(line.note(format!("bare writes {writes:.0} a second: what this machine can do")));
    let cpu = host.cpu_ms / bare.cpu_ms.max(f64::MIN_POSITIVE);
    let note = format!("time: {:.2} times", host.last_ms / bare.last_ms);
    show(Line::figure("  CPU of the host over the writer's", format!("{cpu:.2} times")).note(note));
}

async fn watchers_of_their_own(host: &HostProcess, count: usize, show: &mut impl FnMut(Line)) -> Result<()> {
    let round = Round::new();
    let name = |number: usize| format!("writer {number}");
    let sockets = watch(host.address(), 0..count, &round, name).await?;
    let mut writer = Writer::open(host.address(), 6_000_001).await?;
    let runs_before = http::metric(host.address(), "weir_live_runs_total")?;
    let mut times = Vec::new();
    let begun = Instant::now();
    for write in 0..WRITES {
        tokio::time::sleep_until((begun + WRITE_EVERY * write).into()).await;
        round.begin((FIRST_NUMBER + 100_000 + write).to_string(), 1);
        let sent = writer.note(&name(write as usize * 7 % count), FIRST_NUMBER + 100_000 + write).await?;
        times.extend(round.end(sent).await?);
    }
    let per_second = f64::from(WRITES) / begun.elapsed().as_secs_f64();
    let runs = (http::metric(host.address(), "weir_live_runs_total")? - runs_before) / f64::from(WRITES);
    drop(sockets);
    let median_ms = quantile(&mut times, 0.5) as f64 / 1000.0;
    let note = format!("{per_second:.0} writes a second; request to push {median_ms:.2} ms");
    let name = format!("{count} sockets, a query each: runs for a write");
    show(Line::goal(name, format!("{runs:.2}"), "<= 1.0", runs <= 1.0).note(note));
    Ok(())
}

/// The host is killed, and starts again where it was; all clients come as soon as it is ready.
async fn return_at_once(
    mut host: HostProcess,
    data: &Path,
    count: usize,
    show: &mut impl FnMut(Line),
) -> Result<HostProcess> {
    let address = host.address();
    host.kill();
    let host = HostProcess::serve_at(data, &address.to_string())?;
    let begun = Instant::now();
    let served = (0..count).map(async |number| {
        let stream = subscribe(address, number, "everybody's").await?;
        anyhow::Ok((begun.elapsed().as_micros() as u64, stream))
    });
    let served = try_join_all(served).await?;
    let mut times: Vec<u64> = served.iter().map(|(time, _)| *time).collect();
    let [half, last] = [0.5, 1.0].map(|share| quantile(&mut times, share) as f64 / 1000.0);
    let name = format!("{count} clients back at once after SIGKILL");
    show(
        Line::goal(name, format!("{last:.0} ms"), "<= 2000 ms", last <= 2000.0)
            .note(format!("from ready to the last result; half of them {half:.0} ms")),
    );
    Ok(host)
}

async fn idle(host: &HostProcess, count: usize, show: &mut impl FnMut(Line)) -> Result<()> {
    let before_kib = host.resident_kib()?;
    let sockets = watch(host.address(), 0..count, &Round::new(), |_| "nobody".to_owned()).await?;
    let each_kib = host.resident_kib()?.saturating_sub(before_kib) as f64 / count as f64;
    let mut quietest = Quietest::new();
    while quietest.is_wanted() {
        let window = Window::begin(host.pid())?;
        tokio::time::sleep(IDLE_TIME).await;
        let spent = window.end()?;
        quietest.take(100.0 * spent.process.as_secs_f64() / spent.wall.as_secs_f64(), spent.others_share());
    }
    let (percent, others) = quietest.outcome()?;
    drop(sockets);
    let note = format!("{each_kib:.1} KiB each ({:.0} MiB); {others}", each_kib * count as f64 / KIB);
    let name = format!("{count} idle sockets, of one processor");
    let goal = format!("<= {IDLE_PERCENT_MAX:.0} %");
    show(Line::goal(name, format!("{percent:.2} %"), goal, percent <= IDLE_PERCENT_MAX).note(note));
    Ok(())
}

/// How many files a process may open.
fn files_max() -> Result<usize> {
    let limits = std::fs::read_to_string("/proc/self/limits")?;
    let files = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let soft =
        files.and_then(|numbers| numbers.split_whitespace().next()).context("a limit of open files")?;
    Ok(soft.parse().unwrap_or(usize::MAX))
}
