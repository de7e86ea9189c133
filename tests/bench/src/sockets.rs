//! Many sockets: one query that all watch, a query each, all coming back at once, and none that does anything.
//!
//! Clients and host share the machine, so what is measured is both: a client does as little as it can.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use futures_util::future::try_join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::{JoinHandle, LocalSet, spawn_local};
use weir_test_support::{HostProcess, frame, http, project};

use crate::fan_out::{self, connect, drop_frames, read_until};
use crate::load::{contains, open_socket};
use crate::table::{Line, quantile};

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
const IDLE: usize = 5_000;
const IDLE_TIME: Duration = Duration::from_secs(30);
/// A write that is not told of within this time never is.
const PUSH_MAX: Duration = Duration::from_secs(20);
/// Ticks of the processor's time in a second, as the kernel tells them to programs.
const TICKS: f64 = 100.0;
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
        let watchers = WATCHERS.min((files_max()? / 20 * 19).saturating_sub(FILES_BESIDE)) / part;
        watchers_of_one(&host, watchers, show).await?;
        watchers_of_their_own(&host, OWN / part, show).await?;
        host = return_at_once(host, data.path(), RETURNING / part, show).await?;
        idle(&host, IDLE / part, show).await
    };
    local.block_on(&runtime, measure())
}

/// The times at which watchers saw what they wait for.
struct Round {
    marker: RefCell<String>,
    seen: RefCell<Vec<Instant>>,
    awaited: Cell<usize>,
    complete: Notify,
}

impl Round {
    fn new() -> Rc<Round> {
        Rc::new(Round {
            marker: RefCell::new("no such number".to_owned()),
            seen: RefCell::default(),
            awaited: Cell::new(0),
            complete: Notify::new(),
        })
    }

    /// Begins: so many are to see this number.
    fn begin(&self, number: u32, awaited: usize) {
        *self.marker.borrow_mut() = number.to_string();
        self.seen.borrow_mut().clear();
        self.awaited.set(awaited);
    }

    /// Waits until all have seen it; after how long each did, in microseconds.
    async fn end(&self, begun: Instant) -> Result<Vec<u64>> {
        while self.seen.borrow().len() < self.awaited.get() {
            let notice = tokio::time::timeout(PUSH_MAX, self.complete.notified());
            notice.await.with_context(|| {
                format!("{} of {} were told", self.seen.borrow().len(), self.awaited.get())
            })?;
        }
        Ok(self.seen.borrow().iter().map(|seen| (*seen - begun).as_micros() as u64).collect())
    }

    /// Somebody has read this.
    fn read(&self, bytes: &[u8]) {
        if contains(bytes, self.marker.borrow().as_bytes()) {
            self.seen.borrow_mut().push(Instant::now());
            if self.seen.borrow().len() == self.awaited.get() {
                self.complete.notify_one();
            }
        }
    }
}

/// Sockets that stay until they are dropped.
struct Sockets(Vec<JoinHandle<()>>);

impl Drop for Sockets {
    fn drop(&mut self) {
        self.0.iter().for_each(JoinHandle::abort);
    }
}

/// Opens sockets that watch the notes of a writer each.
async fn watch(
    address: SocketAddr,
    sessions: std::ops::Range<usize>,
    round: &Rc<Round>,
    writer: impl Fn(usize) -> String,
) -> Result<Sockets> {
    let mut sockets = Sockets(Vec::new());
    for number in sessions {
        let stream = subscribe(address, number, &writer(number)).await?;
        let round = Rc::clone(round);
        // One that is closed is missed in the next round.
        sockets.0.push(spawn_local(async move { listen(stream, &round).await.unwrap_or_default() }));
    }
    Ok(sockets)
}

async fn subscribe(address: SocketAddr, number: usize, writer: &str) -> Result<TcpStream> {
    fan_out::subscribe(address, number, "attack:newest", &format!(r#"{{"writer":"{writer}"}}"#)).await
}

async fn listen(mut stream: TcpStream, round: &Round) -> Result<()> {
    let mut buffer = Vec::with_capacity(512);
    loop {
        ensure!(stream.read_buf(&mut buffer).await? > 0, "the host closed a socket");
        round.read(&buffer);
        drop_frames(&mut stream, &mut buffer).await?;
    }
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
    let (mut first, mut half, mut last) = (Vec::new(), Vec::new(), Vec::new());
    for number in FIRST_NUMBER..FIRST_NUMBER + ROUNDS {
        round.begin(number, count);
        let sent = writer.note("everybody's", number).await?;
        let mut times = round.end(sent).await?;
        first.push(quantile(&mut times, 0.0));
        half.push(quantile(&mut times, 0.5));
        last.push(quantile(&mut times, 1.0));
    }
    let runs = (http::metric(host.address(), "weir_live_runs_total")? - runs_before) / f64::from(ROUNDS);
    drop(sockets);
    let [first, half, last] = [first, half, last].map(|mut times| quantile(&mut times, 0.5) as f64 / 1000.0);
    let per_second = count as f64 / (last / 1000.0);
    show(
        Line::figure(format!("request to the last of {count} sockets, one query"), format!("{last:.1} ms"))
            .note(format!("first {first:.1} ms, half of them {half:.1} ms")),
    );
    let figure = format!("{per_second:.0} a second");
    show(Line::goal("  messages", figure, ">= 200000", per_second >= 200_000.0));
    show(Line::goal("  runs for a write", format!("{runs:.2}"), "<= 1.0", runs <= 1.0));
    let figure = format!("{each_kib:.1} KiB");
    show(Line::goal("  resident memory for each", figure, "<= 20 KiB", each_kib <= 20.0));
    Ok(())
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
        round.begin(FIRST_NUMBER + 100_000 + write, 1);
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
    let (before, begun) = (processor_seconds(host.pid())?, Instant::now());
    tokio::time::sleep(IDLE_TIME).await;
    let percent = 100.0 * (processor_seconds(host.pid())? - before) / begun.elapsed().as_secs_f64();
    drop(sockets);
    let note = format!("{each_kib:.1} KiB each ({:.0} MiB)", each_kib * count as f64 / KIB);
    let name = format!("{count} idle sockets, of one processor");
    show(Line::goal(name, format!("{percent:.2} %"), "<= 5 %", percent <= 5.0).note(note));
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

/// What a process has computed, in seconds.
fn processor_seconds(pid: u32) -> Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name before it may hold spaces.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |field: usize| fields.get(field).and_then(|text| text.parse::<f64>().ok());
    let (user, system) = (ticks(11), ticks(12));
    Ok((user.context("its user time")? + system.context("its system time")?) / TICKS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_process_has_computed_grows() {
        let before = processor_seconds(std::process::id()).unwrap();
        let begun = Instant::now();
        while processor_seconds(std::process::id()).unwrap() <= before {
            assert!(begun.elapsed() < Duration::from_secs(10), "it stands still at {before}");
        }
    }
}
