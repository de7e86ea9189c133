//! SIGKILL at random instants, under load from several clients: what was answered is there, once and whole.
//!
//! Each client behaves as the official ones do: it keeps its session over reconnects and sends what was not
//! answered again, with the same request ids.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use weir_test_support::host::free_port;
use weir_test_support::sync_client::Received;
use weir_test_support::{HostProcess, SyncClient, http, project};

const ROUNDS: u32 = 30;
const CLIENTS: u32 = 4;
const ACCOUNTS: u32 = 12;
const BALANCE: f64 = 1000.0;
const IN_FLIGHT: usize = 8;

/// One transfer as a client asked for it.
#[derive(Clone)]
struct Transfer {
    request: u32,
    from: usize,
    to: usize,
}

/// What a client knows: what was answered, and what it must send again.
#[derive(Default)]
struct Client {
    number: u32,
    connections: u32,
    next_request: u32,
    unanswered: VecDeque<Transfer>,
    answered: Vec<u32>,
}

#[test]
fn every_answered_mutation_survives_sigkill_once_and_whole() -> Result<()> {
    let data = tempfile::tempdir()?;
    let ids = Arc::new(seed(data.path())?);
    let listen = format!("127.0.0.1:{}", free_port()?);
    let address: SocketAddr = listen.parse()?;
    let stop = Arc::new(AtomicBool::new(false));
    let clients = spawn_clients(address, &ids, &stop);

    let mut random = Random(0x5EED);
    for round in 0..ROUNDS {
        let mut host =
            HostProcess::serve_at(data.path(), &listen).with_context(|| format!("round {round}"))?;
        let before = answered(&clients);
        wait_for(|| answered(&clients) > before + 20)
            .with_context(|| format!("no progress in round {round}"))?;
        std::thread::sleep(Duration::from_micros(random.below(120_000)));
        host.kill();
    }

    let mut host = HostProcess::serve_at(data.path(), &listen)?;
    stop.store(true, Ordering::SeqCst);
    wait_for(|| clients.iter().all(|client| client.0.lock().expect("unpoisoned").unanswered.is_empty()))
        .context("after the last start a client still waits for an answer")?;
    let ledger = read_ledger(address)?;
    let clients: Vec<_> = clients.into_iter().map(|(state, thread)| (state, thread.join())).collect();
    for (state, joined) in &clients {
        joined.as_ref().expect("a client panicked").as_ref().expect("a client failed");
        check_ledger(&ledger, &state.lock().expect("unpoisoned"))?;
    }
    check_balances(address, &ids, &ledger)?;
    ensure!(host.stop()?, "the host stopped with an error:\n{}", host.errors());
    Ok(())
}

/// Deploys the bank and opens its accounts; gives their ids.
fn seed(data: &std::path::Path) -> Result<Vec<String>> {
    let mut host = HostProcess::dev(&project::guest("bench"), data)?;
    let ids = http::value(
        host.address(),
        "mutation",
        "bank:seed",
        &json!({"from": 0, "count": ACCOUNTS, "balance": BALANCE}),
    )?;
    ensure!(host.stop()?, "the host stopped with an error:\n{}", host.errors());
    Ok(serde_json::from_value(ids)?)
}

type Running = (Arc<Mutex<Client>>, std::thread::JoinHandle<Result<()>>);

#[expect(clippy::disallowed_methods, reason = "tests own no Env")]
fn spawn_clients(address: SocketAddr, ids: &Arc<Vec<String>>, stop: &Arc<AtomicBool>) -> Vec<Running> {
    let spawn = |number| {
        let state = Arc::new(Mutex::new(Client { number, ..Client::default() }));
        let (shared, ids, stop) = (Arc::clone(&state), Arc::clone(ids), Arc::clone(stop));
        (state, std::thread::spawn(move || run_client(address, &shared, &ids, &stop)))
    };
    (0..CLIENTS).map(spawn).collect()
}

/// Connects, again and again, until told to stop and nothing is left unanswered.
fn run_client(address: SocketAddr, state: &Mutex<Client>, ids: &[String], stop: &AtomicBool) -> Result<()> {
    let mut random = Random(u64::from(state.lock().expect("unpoisoned").number) + 1);
    while !(stop.load(Ordering::SeqCst) && state.lock().expect("unpoisoned").unanswered.is_empty()) {
        let (session, connections) = {
            let mut client = state.lock().expect("unpoisoned");
            client.connections += 1;
            (format!("00000000-0000-4000-8000-00000000000{}", client.number), client.connections - 1)
        };
        if let Ok(mut socket) = SyncClient::connect(address, &session, connections) {
            // The end of a connection is what this test is about; a wrong answer is an error.
            use_connection(&mut socket, state, ids, stop, &mut random)?;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

fn use_connection(
    socket: &mut SyncClient,
    state: &Mutex<Client>,
    ids: &[String],
    stop: &AtomicBool,
    random: &mut Random,
) -> Result<()> {
    let again: Vec<Transfer> = state.lock().expect("unpoisoned").unanswered.iter().cloned().collect();
    let number = state.lock().expect("unpoisoned").number;
    for transfer in &again {
        if send(socket, number, transfer, ids).is_err() {
            return Ok(());
        }
    }
    loop {
        let waiting = state.lock().expect("unpoisoned").unanswered.len();
        if waiting < IN_FLIGHT && !stop.load(Ordering::SeqCst) {
            let transfer = state.lock().expect("unpoisoned").draw(random);
            if send(socket, number, &transfer, ids).is_err() {
                return Ok(());
            }
            continue;
        }
        if waiting == 0 {
            return Ok(());
        }
        match socket.receive() {
            Ok(Received::Message(message)) if message["type"] == "MutationResponse" => {
                state.lock().expect("unpoisoned").take_answer(&message)?;
            }
            Ok(Received::Message(_)) => {}
            Ok(Received::Closed(..)) | Err(_) => return Ok(()),
        }
    }
}

fn send(socket: &mut SyncClient, number: u32, transfer: &Transfer, ids: &[String]) -> Result<()> {
    let args = json!({"from": ids[transfer.from], "to": ids[transfer.to], "amount": 1.0,
        "client": number, "seq": transfer.request});
    socket.mutate(transfer.request, "bank:transferLogged", &args)
}

impl Client {
    fn draw(&mut self, random: &mut Random) -> Transfer {
        let from = random.below(u64::from(ACCOUNTS)) as usize;
        let to = (from + 1 + random.below(u64::from(ACCOUNTS) - 1) as usize) % ACCOUNTS as usize;
        let transfer = Transfer { request: self.next_request, from, to };
        self.next_request += 1;
        self.unanswered.push_back(transfer.clone());
        transfer
    }

    fn take_answer(&mut self, message: &Value) -> Result<()> {
        ensure!(message["success"] == true, "a transfer failed: {message}");
        let first = self.unanswered.pop_front().context("an answer to nothing")?;
        ensure!(
            message["requestId"] == first.request,
            "answers out of order: {message}, expected {}",
            first.request
        );
        self.answered.push(first.request);
        Ok(())
    }
}

fn answered(clients: &[Running]) -> usize {
    clients.iter().map(|(state, _)| state.lock().expect("unpoisoned").answered.len()).sum()
}

/// One row of the ledger: the transfer that a mutation made, written in the same transaction as the balances.
#[derive(serde::Deserialize)]
struct Row {
    client: f64,
    seq: f64,
    from: String,
    to: String,
}

/// The whole ledger, read page by page: it is longer than what one query may read.
fn read_ledger(address: SocketAddr) -> Result<Vec<Row>> {
    let (mut rows, mut after) = (Vec::new(), 0.0);
    loop {
        let mut page =
            http::value(address, "query", "bank:ledger", &json!({"after": after, "limit": 5_000}))?;
        rows.extend(serde_json::from_value::<Vec<Row>>(page["rows"].take())?);
        match page["next"].as_f64() {
            Some(next) => after = next,
            None => return Ok(rows),
        }
    }
}

/// Every answered transfer of this client stands in the ledger once, and none twice.
fn check_ledger(ledger: &[Row], client: &Client) -> Result<()> {
    let mut found = BTreeMap::new();
    for row in ledger.iter().filter(|row| row.client == f64::from(client.number)) {
        *found.entry(row.seq as u32).or_insert(0) += 1;
    }
    for request in &client.answered {
        let times = found.get(request).copied().unwrap_or(0);
        ensure!(times == 1, "client {}: answered request {request} is there {times} times", client.number);
    }
    let twice: Vec<_> = found.iter().filter(|(_, times)| **times > 1).collect();
    ensure!(twice.is_empty(), "client {}: there more than once: {twice:?}", client.number);
    Ok(())
}

/// The sum is what it was, and each balance is what the ledger says it must be: no half of a transfer.
fn check_balances(address: SocketAddr, ids: &[String], ledger: &[Row]) -> Result<()> {
    let mut expected: BTreeMap<&str, f64> = ids.iter().map(|id| (id.as_str(), BALANCE)).collect();
    for row in ledger {
        *expected.get_mut(row.from.as_str()).context("an unknown account")? -= 1.0;
        *expected.get_mut(row.to.as_str()).context("an unknown account")? += 1.0;
    }
    let balances = http::value(address, "query", "bank:balances", &json!({"ids": ids}))?;
    let balances: Vec<f64> = serde_json::from_value(balances)?;
    for (id, balance) in ids.iter().zip(&balances) {
        ensure!(
            *balance == expected[id.as_str()],
            "{id} has {balance}, by the ledger {}",
            expected[id.as_str()]
        );
    }
    let sum: f64 = balances.iter().sum();
    ensure!(sum == BALANCE * f64::from(ACCOUNTS), "the sum is {sum}");
    Ok(())
}

/// Waits, with a bound that only a hanging host reaches.
fn wait_for(mut condition: impl FnMut() -> bool) -> Result<()> {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !condition() {
        ensure!(Instant::now() < deadline, "30 s have passed");
        std::thread::sleep(Duration::from_millis(2));
    }
    Ok(())
}

struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}
