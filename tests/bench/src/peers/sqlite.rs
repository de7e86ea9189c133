//! SQLite in this process: a write-ahead log, synchronised at each commit; one connection writes.

use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rusqlite::{CachedStatement, Connection};

use super::load::{Outcome, Times};
use super::{ALPHAS, CLIENTS, IN_FLIGHT, line};
use crate::Options;
use crate::accounts::{Draw, Random};
use crate::bank::BALANCE;
use crate::processor::Window;
use crate::table::Line;

/// How commits come about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Commits {
    /// Each transfer is a transaction of its own.
    Each,
    /// All transfers that wait are one transaction, and are answered when it is on the disk.
    Groups,
}

/// A request: who asked, since when, and between which accounts.
struct Transfer {
    sent: Instant,
    from: usize,
    to: usize,
}

/// All loads, with and without group commit.
pub fn measure(options: &Options, show: &mut impl FnMut(Line)) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut connection = open(&folder.path().join("bank.sqlite"), options.accounts)?;
    let version = rusqlite::version();
    for (commits, what) in [(Commits::Each, "a commit each"), (Commits::Groups, "group commit")] {
        show(Line::figure(format!("SQLite {version} in process, WAL, FULL, {what}"), ""));
        for in_flight in IN_FLIGHT {
            for alpha in ALPHAS {
                let draw = Draw::zipf(options.accounts, alpha);
                let duration = Duration::from_secs(options.seconds);
                show(line(in_flight, alpha, || load(&mut connection, &draw, in_flight, duration, commits))?);
            }
        }
    }
    let sum: f64 = connection.query_row("SELECT sum(balance) FROM accounts", [], |row| row.get(0))?;
    ensure!(sum == BALANCE * options.accounts as f64, "the sum of all balances is {sum}");
    Ok(())
}

fn open(path: &Path, accounts: usize) -> Result<Connection> {
    let mut connection = Connection::open(path)?;
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    ensure!(mode == "wal", "the journal is {mode}");
    connection.execute_batch(
        "PRAGMA synchronous = FULL;
         CREATE TABLE accounts (id INTEGER PRIMARY KEY, balance REAL NOT NULL);",
    )?;
    let transaction = connection.transaction()?;
    let mut insert = transaction.prepare("INSERT INTO accounts VALUES (?1, ?2)")?;
    for id in 0..accounts {
        insert.execute((id as i64, BALANCE))?;
    }
    drop(insert);
    transaction.commit()?;
    Ok(connection)
}

/// A thread asks for as many as all clients have in flight; this one transfers.
fn load(
    connection: &mut Connection,
    draw: &Draw,
    in_flight: usize,
    duration: Duration,
    commits: Commits,
) -> Result<Outcome> {
    let (requests, waiting) = channel();
    let (answers, answered) = channel();
    let window = Window::begin(std::process::id())?;
    let times = std::thread::scope(|scope| {
        let clients = scope.spawn(move || ask(&requests, &answered, draw, CLIENTS * in_flight, duration));
        serve(connection, &waiting, &answers, commits)?;
        drop(answers);
        clients.join().map_err(|_| anyhow::anyhow!("the clients panicked"))
    })?;
    Ok(times.outcome(window.end()?))
}

/// The clients: as many in flight as there may be, until time is up.
fn ask(
    requests: &Sender<Transfer>,
    answered: &Receiver<Transfer>,
    draw: &Draw,
    in_flight: usize,
    duration: Duration,
) -> Times {
    let (mut random, mut times, end) = (Random::new(1), Times::default(), Instant::now() + duration);
    let mut send = || {
        let (from, to) = draw.pair(&mut random);
        requests.send(Transfer { sent: Instant::now(), from, to })
    };
    let mut missing = 0;
    for _ in 0..in_flight {
        missing += usize::from(send().is_ok());
    }
    while missing > 0 {
        let Ok(answer) = answered.recv() else { break };
        times.us.push(answer.sent.elapsed().as_micros() as u64);
        times.tries += 1;
        if Instant::now() >= end || send().is_err() {
            missing -= 1;
        }
    }
    times
}

/// The server: ends when the clients have gone.
fn serve(
    connection: &mut Connection,
    waiting: &Receiver<Transfer>,
    answers: &Sender<Transfer>,
    commits: Commits,
) -> Result<()> {
    while let Ok(first) = waiting.recv() {
        let mut group = vec![first];
        if commits == Commits::Groups {
            group.extend(waiting.try_iter());
        }
        let transaction = connection.transaction()?;
        let mut select = transaction.prepare_cached("SELECT balance FROM accounts WHERE id = ?1")?;
        let mut update = transaction.prepare_cached("UPDATE accounts SET balance = ?2 WHERE id = ?1")?;
        for asked in &group {
            transfer(&mut select, &mut update, asked).context("a transfer")?;
        }
        drop((select, update));
        transaction.commit()?;
        // Whoever asked may have gone.
        group.into_iter().for_each(|asked| drop(answers.send(asked)));
    }
    Ok(())
}

fn transfer(
    select: &mut CachedStatement<'_>,
    update: &mut CachedStatement<'_>,
    asked: &Transfer,
) -> Result<()> {
    let [from, to] = [asked.from, asked.to].map(|id| id as i64);
    let source: f64 = select.query_row([from], |row| row.get(0))?;
    let target: f64 = select.query_row([to], |row| row.get(0))?;
    ensure!(source >= 1.0, "an account is empty");
    update.execute((from, source - 1.0))?;
    update.execute((to, target + 1.0))?;
    Ok(())
}
