//! One run: a host on a data folder, clients, and the hand that kills the one under the others.
//!
//! Not here: what the clients do (`session`, `web`).

use std::sync::atomic::Ordering::Relaxed;
use std::thread::{Scope, ScopedJoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use weir_test_support::HostProcess;

use crate::history::History;

use super::figures::Figures;
use super::plan::{first_of_next_table, newest_table};
use super::random::Random;
use super::session::{Manner, Session};
use super::shared::{Phase, Shared};
use super::site::Site;
use super::web::{Web, read_tables};

/// How long anything may take that must come.
const PATIENCE: Duration = Duration::from_secs(30);
/// How many answers the host gives before it is killed again.
const ANSWERS_BETWEEN_KILLS: u64 = 30;
/// How long the host lives at most after those answers.
const LIFE_MS_MAX: u32 = 3_000;
/// How many tables are read with one query in the end.
const TABLES_PER_QUERY: u32 = 4;

/// The clients: most of them write and watch, some only watch, some ask over HTTP.
const SESSIONS: [Manner; 9] = [
    Manner { in_flight: 1, watches: 2, takes_patches: false },
    Manner { in_flight: 2, watches: 1, takes_patches: true },
    Manner { in_flight: 4, watches: 1, takes_patches: false },
    Manner { in_flight: 6, watches: 0, takes_patches: false },
    Manner { in_flight: 3, watches: 2, takes_patches: true },
    Manner { in_flight: 2, watches: 1, takes_patches: false },
    Manner { in_flight: 1, watches: 1, takes_patches: true },
    Manner { in_flight: 0, watches: 3, takes_patches: false },
    Manner { in_flight: 0, watches: 3, takes_patches: true },
];
const WEB_CLIENTS: u64 = 3;

/// How a run goes.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Where all choices come from.
    pub seed: u64,
    /// How long the clients go on, from the host's first start.
    pub duration: Duration,
    /// How many mutations are answered, and how often the host is ended, at least: on a machine that is slow or busy a
    /// run takes longer, so that it says as much.
    pub least: Least,
}

/// What a run does at least, however long it takes.
#[derive(Debug, Clone, Copy)]
pub struct Least {
    /// Mutations that are answered.
    pub answers: u64,
    /// Ends of the host.
    pub ends: u64,
}

/// What a run gave.
#[derive(Debug)]
pub struct Run {
    /// What the clients saw.
    pub history: History,
    /// How much happened.
    pub figures: Figures,
}

/// One run on a site; several may follow one another on the same data.
///
/// # Errors
/// When the host does not start, does not answer, or answers what it may never answer. What it answers wrongly
/// otherwise is in the history.
pub fn episode(site: &mut Site, settings: &Settings) -> Result<Run> {
    let (number, first) = site.next;
    let seed = settings.seed;
    let shared = Shared::new(site.address()?, seed, number, first);
    let mut figures = Figures::default();
    let outcome = std::thread::scope(|scope| {
        let clients = spawn_clients(scope, &shared);
        let outcome = drive(site, settings, &shared, &clients, &mut figures);
        shared.enter(Phase::Over);
        let joined = clients.into_iter().map(|client| client.join().expect("a client panicked"));
        // What a client says is the cause of what the run says.
        joined.collect::<Result<Vec<()>>>().and(outcome)
    });
    outcome.with_context(|| format!("in a run of seed {seed}"))?;
    site.next = (number + 1, first_of_next_table(shared.number()));
    figures.take(&shared);
    Ok(Run { history: shared.recorder.into_history(&shared.known), figures })
}

type Client<'scope> = ScopedJoinHandle<'scope, Result<()>>;

fn spawn_clients<'scope>(scope: &'scope Scope<'scope, '_>, shared: &'scope Shared) -> Vec<Client<'scope>> {
    let sessions = (0..).zip(SESSIONS).map(|(client, manner)| {
        let session = Session::new(shared, client, manner);
        scope.spawn(move || session.run())
    });
    let sessions: Vec<_> = sessions.collect();
    let web = (0..WEB_CLIENTS).map(|client| {
        let web = Web::new(shared, client);
        scope.spawn(move || web.run())
    });
    sessions.into_iter().chain(web).collect()
}

/// Starts and ends hosts until the time is over, lets the clients finish, and reads everything once more.
fn drive(
    site: &Site,
    settings: &Settings,
    shared: &Shared,
    clients: &[Client<'_>],
    figures: &mut Figures,
) -> Result<()> {
    let mut random = Random::of(&[settings.seed, 5]);
    let mut host = site.start()?;
    shared.set_host_up(true);
    let deadline = Instant::now() + settings.duration;
    let answers = || shared.counters.answers.load(Relaxed);
    while Instant::now() < deadline
        || answers() < settings.least.answers
        || figures.kills + figures.stops < settings.least.ends
    {
        let before = answers();
        wait_for("an answer", shared, clients, || answers() >= before + ANSWERS_BETWEEN_KILLS)
            .with_context(|| format!("the host has written:\n{}", host.errors()))?;
        let life = Duration::from_millis(u64::from(random.below(LIFE_MS_MAX)));
        sleep_until(Instant::now() + life, clients);
        host = end_and_start(site, host, shared, &mut random, figures)?;
    }
    shared.enter(Phase::Finishing);
    wait_for("the last answer", shared, clients, || clients.iter().all(ScopedJoinHandle::is_finished))
        .with_context(|| format!("the host has written:\n{}", host.errors()))?;
    read_everything(shared)?;
    figures.take_metrics(&host);
    ensure!(host.stop()?, "the host stopped with an error:\n{}", host.errors());
    Ok(())
}

/// Mostly by SIGKILL, at any moment or right behind an answer; now and then it is asked to stop.
fn end_and_start(
    site: &Site,
    mut host: HostProcess,
    shared: &Shared,
    random: &mut Random,
    figures: &mut Figures,
) -> Result<HostProcess> {
    figures.take_metrics(&host);
    let choice = random.below(8);
    if choice > 4 {
        shared.await_answer(PATIENCE);
    }
    shared.set_host_up(false);
    if choice == 0 {
        figures.stops += 1;
        ensure!(host.stop()?, "the host stopped with an error:\n{}", host.errors());
    } else {
        figures.kills += 1;
        host.kill();
    }
    let host = site.start().with_context(|| format!("start number {}", figures.kills + figures.stops + 1))?;
    shared.set_host_up(true);
    Ok(host)
}

/// Every list, once everything is answered: what was lost shows here at the latest.
fn read_everything(shared: &Shared) -> Result<()> {
    let session = shared.recorder.session();
    let tables = shared.first_table()..newest_table(shared.number()) + 1;
    for (sequence, first) in tables.clone().step_by(TABLES_PER_QUERY as usize).enumerate() {
        let last = tables.end.min(first + TABLES_PER_QUERY);
        read_tables(shared, session, sequence as u32, first..last)?;
    }
    Ok(())
}

/// Waits, with a bound that only a hanging host reaches. A client that has ended before its time ends the wait.
fn wait_for(
    what: &str,
    shared: &Shared,
    clients: &[Client<'_>],
    mut done: impl FnMut() -> bool,
) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while !done() {
        if shared.phase() == Phase::Running && clients.iter().any(ScopedJoinHandle::is_finished) {
            bail!("a client has ended before its time");
        }
        if Instant::now() > deadline {
            bail!("{what} did not come within {PATIENCE:?}");
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    Ok(())
}

fn sleep_until(deadline: Instant, clients: &[Client<'_>]) {
    while Instant::now() < deadline && !clients.iter().any(ScopedJoinHandle::is_finished) {
        std::thread::sleep(Duration::from_millis(2));
    }
}
