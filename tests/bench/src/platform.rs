//! What the platform costs beside plain calls: functions that are scheduled, and actions that wait.

use std::cell::Cell;
use std::net::SocketAddr;
use std::process::Command;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value as Json, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use weir_test_support::host::host_binary;
use weir_test_support::{HostProcess, frame, http, project};

use crate::accounts::Draw;
use crate::bank::{Bank, Setting};
use crate::load::{self, Load, contains, open_socket};
use crate::table::{Line, quantile};

/// Transfers that one mutation schedules: as many as one may.
const SCHEDULED_A_CALL: usize = 1000;
/// Actions that wait at the same time: as many as one socket may have.
const WAITING: u32 = 1000;

/// Scheduled transfers beside plain ones, and how late what is due is.
///
/// # Errors
/// When the guest does not build or the host does not start.
pub fn measure(accounts: usize, seconds: u64, show: &mut impl FnMut(Line)) -> Result<()> {
    let bank = Bank::open(accounts, &Setting::default())?;
    let plain = plain_transfers(&bank, accounts, seconds)?;
    let scheduled = scheduled_transfers(&bank, 2 * seconds as usize)?;
    bank.check_total()?;
    show(Line::figure("plain transfers, 64 clients x 40", format!("{plain:.0} tx/s")));
    let ratio = scheduled / plain;
    show(
        Line::goal("scheduled transfers over plain ones", format!("{ratio:.2}"), ">= 0.50", ratio >= 0.5)
            .note(format!("{scheduled:.0} tx/s, to the last commit")),
    );
    let idle = delays(&bank)?;
    show(delay_line("a due function begins late by, idle", idle, 20.0));
    let loaded = std::thread::scope(|scope| {
        let load = scope.spawn(|| plain_transfers(&bank, accounts, seconds + 2));
        std::thread::sleep(Duration::from_millis(500));
        let delays = delays(&bank);
        load.join().map_err(|_| anyhow::anyhow!("the load panicked"))??;
        delays
    })?;
    show(delay_line("a due function begins late by, under load", loaded, f64::INFINITY));
    show(query_beside_backlog(&bank)?);
    drop(bank);
    waiting_actions(show)
}

fn plain_transfers(bank: &Bank, accounts: usize, seconds: u64) -> Result<f64> {
    let load = Load {
        clients: 64,
        in_flight: 40,
        draw: Draw::zipf(accounts, 0.0),
        ids: bank.ids(),
        duration: Duration::from_secs(seconds),
    };
    let outcome = load::run(bank.address(), &load)?;
    ensure!(outcome.failed == 0, "{} transfers failed", outcome.failed);
    Ok(outcome.per_second)
}

/// Schedules so many thousand transfers at once, and waits until all are committed; transfers a second.
fn scheduled_transfers(bank: &Bank, thousands: usize) -> Result<f64> {
    let ids = bank.ids();
    let commits = || http::metric(bank.address(), "weir_commits_total");
    let before = commits()?;
    let began = Instant::now();
    for pairs in ids.chunks_exact(2 * SCHEDULED_A_CALL).cycle().take(thousands) {
        http::value(bank.address(), "mutation", "jobs:scheduleTransfers", &json!({ "ids": pairs }))?;
    }
    // Those that schedule are commits too.
    let all = before + (thousands * (SCHEDULED_A_CALL + 1)) as f64;
    while commits()? < all {
        ensure!(began.elapsed() < Duration::from_secs(120), "scheduled transfers do not come to their end");
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok((thousands * SCHEDULED_A_CALL) as f64 / began.elapsed().as_secs_f64())
}

/// Queries of one client, one after another, while scheduled transfers are drained.
fn query_beside_backlog(bank: &Bank) -> Result<Line> {
    const BACKLOG: f64 = 50_000.0;
    let ids = bank.ids();
    let query = || -> Result<u64> {
        let began = Instant::now();
        http::value(bank.address(), "query", "bank:get", &json!({ "id": ids[0] }))?;
        Ok(began.elapsed().as_micros() as u64)
    };
    let mut alone = (0..500).map(|_| query()).collect::<Result<Vec<_>>>()?;
    let before = http::metric(bank.address(), "weir_commits_total")?;
    for pairs in ids.chunks_exact(2 * SCHEDULED_A_CALL).cycle().take(BACKLOG as usize / SCHEDULED_A_CALL) {
        http::value(bank.address(), "mutation", "jobs:scheduleTransfers", &json!({ "ids": pairs }))?;
    }
    let mut beside = Vec::new();
    while http::metric(bank.address(), "weir_commits_total")? < before + BACKLOG {
        for _ in 0..20 {
            beside.push(query()?);
        }
    }
    ensure!(beside.len() >= 100, "the backlog was gone after {} queries", beside.len());
    let (alone, median) = (quantile(&mut alone, 0.5), quantile(&mut beside, 0.5));
    let p99 = quantile(&mut beside, 0.99) as f64 / 1000.0;
    let times = median as f64 / alone as f64;
    let line =
        Line::goal("a query beside a scheduled backlog", format!("{times:.2} times"), "<= 5", times <= 5.0);
    Ok(line.note(format!("{median} us, p99 {p99:.1} ms; alone {alone} us")))
}

/// How late two hundred functions begin that are due one after another, in microseconds.
fn delays(bank: &Bank) -> Result<Vec<u64>> {
    let args = json!({ "count": 200, "every": 10 });
    http::value(bank.address(), "mutation", "jobs:scheduleDelays", &args)?;
    let mut delays: Vec<f64> = Vec::new();
    let began = Instant::now();
    while delays.len() < 200 {
        ensure!(began.elapsed() < Duration::from_secs(60), "due functions are not called");
        std::thread::sleep(Duration::from_millis(500));
        let taken = http::value(bank.address(), "mutation", "jobs:takeDelays", &json!({}))?;
        delays.extend(serde_json::from_value::<Vec<f64>>(taken)?);
    }
    Ok(delays.into_iter().map(|ms| (ms * 1000.0) as u64).collect())
}

fn delay_line(name: &str, mut delays_us: Vec<u64>, goal_ms: f64) -> Line {
    let ms = |share: f64, delays: &mut [u64]| quantile(delays, share) as f64 / 1000.0;
    let (median, p99) = (ms(0.5, &mut delays_us), ms(0.99, &mut delays_us));
    let figure = format!("{median:.1} ms");
    let line = match goal_ms.is_finite() {
        true => Line::goal(name, figure, format!("p99 <= {goal_ms:.0} ms"), p99 <= goal_ms),
        false => Line::figure(name, figure),
    };
    line.note(format!("p99 {p99:.1} ms"))
}

/// A thousand actions that wait for a server which does not answer yet: their memory, and a query beside them.
fn waiting_actions(show: &mut impl FnMut(Line)) -> Result<()> {
    let data = tempfile::tempdir()?;
    let mut command = Command::new(host_binary());
    command.arg("dev").arg(project::guest("bench")).arg("--no-watch").arg("--data").arg(data.path());
    command.args(["--listen", "127.0.0.1:0", "--allow-outbound", "127.0.0.1"]);
    let host = HostProcess::start(command)?;
    http::value(host.address(), "mutation", "bank:seed", &json!({"from": 0, "count": 1, "balance": 1.0}))?;
    let alone_us = query_median_us(host.address())?;
    let before_kib = host.resident_kib()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let local = tokio::task::LocalSet::new();
    let (during_us, each_kib, threads) = local.block_on(&runtime, async {
        let server = SlowServer::start().await?;
        let mut socket = open_socket(host.address()).await?;
        let mut out = Vec::new();
        frame::write_text(&mut out, CONNECT.as_bytes());
        for request in 0..WAITING {
            let args = json!([{ "url": format!("http://{}/", server.address) }]);
            let action =
                json!({"type": "Action", "requestId": request, "udfPath": "jobs:waitFor", "args": args});
            frame::write_text(&mut out, action.to_string().as_bytes());
        }
        socket.write_all(&out).await?;
        server.all_have_asked().await?;
        let kib = host.resident_kib()?.saturating_sub(before_kib);
        let threads = threads_of(host.pid())?;
        let address = host.address();
        let during = tokio::task::spawn_blocking(move || query_median_us(address)).await??;
        server.answer.notify_waiters();
        await_answers(&mut socket).await?;
        anyhow::Ok((during, kib as f64 / f64::from(WAITING), threads))
    })?;
    let figure = format!("{each_kib:.0} KiB");
    show(
        Line::figure("resident memory, each of 1,000 waiting actions", figure)
            .note(format!("{threads} threads in all")),
    );
    let ratio = during_us as f64 / alone_us as f64;
    show(
        Line::goal("a query beside them over one alone", format!("{ratio:.2}"), "<= 1.50", ratio <= 1.5)
            .note(format!("{alone_us} us and {during_us} us")),
    );
    Ok(())
}

const CONNECT: &str = r#"{"type":"Connect","sessionId":"00000000-0000-4000-8000-00000000ac75","connectionCount":0,"lastCloseReason":"InitialConnect"}"#;

/// A server that answers nobody before it is told to.
struct SlowServer {
    address: SocketAddr,
    asked: Rc<Cell<u32>>,
    answer: Rc<Notify>,
}

impl SlowServer {
    async fn start() -> Result<SlowServer> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (asked, answer) = (Rc::new(Cell::new(0)), Rc::new(Notify::new()));
        let (heard, told) = (Rc::clone(&asked), Rc::clone(&answer));
        tokio::task::spawn_local(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (heard, told) = (Rc::clone(&heard), Rc::clone(&told));
                tokio::task::spawn_local(async move {
                    let told = told.notified();
                    let mut request = [0; 1024];
                    if stream.read(&mut request).await.is_ok_and(|read| read > 0) {
                        heard.set(heard.get() + 1);
                        told.await;
                        let _ =
                            stream.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n").await;
                    }
                });
            }
        });
        Ok(SlowServer { address, asked, answer })
    }

    async fn all_have_asked(&self) -> Result<()> {
        let began = Instant::now();
        while self.asked.get() < WAITING {
            ensure!(
                began.elapsed() < Duration::from_secs(60),
                "{} of {WAITING} have asked",
                self.asked.get()
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }
}

async fn await_answers(socket: &mut tokio::net::TcpStream) -> Result<()> {
    let (mut answers, mut buffer) = (0, Vec::new());
    while answers < WAITING {
        ensure!(socket.read_buf(&mut buffer).await? > 0, "the host closed the socket");
        let mut at = 0;
        while let Some(found) = frame::read(&buffer[at..]) {
            if contains(&found.payload[..found.payload.len().min(100)], b"\"ActionResponse\"") {
                ensure!(
                    contains(found.payload, b"\"result\":204"),
                    "{}",
                    String::from_utf8_lossy(found.payload)
                );
                answers += 1;
            }
            at += found.length;
        }
        buffer.drain(..at);
    }
    Ok(())
}

fn query_median_us(address: SocketAddr) -> Result<u64> {
    let mut times = Vec::new();
    for _ in 0..500 {
        let began = Instant::now();
        let total: Json = http::value(address, "query", "bank:total", &json!({}))?;
        ensure!(total.as_f64() == Some(1.0), "the sum is {total}");
        times.push(began.elapsed().as_micros() as u64);
    }
    Ok(quantile(&mut times, 0.5))
}

fn threads_of(pid: u32) -> Result<usize> {
    Ok(std::fs::read_dir(format!("/proc/{pid}/task")).context("the host's threads")?.count())
}
