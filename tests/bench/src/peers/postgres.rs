//! A Postgres of its own, in a folder that goes with it: as it is installed, answering after fsync.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use tokio::task::{LocalSet, spawn_local};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, NoTls, Statement};
use weir_test_support::host::free_port;

use super::load::{Outcome, Times};
use super::{ALPHAS, CLIENTS, IN_FLIGHT, line};
use crate::Options;
use crate::accounts::{Draw, Random};
use crate::bank::BALANCE;
use crate::processor::Window;
use crate::table::Line;

/// Who runs it when this program is root's: it refuses to be.
const USER: &str = "postgres";

/// The two ways in which transfers keep out of each other's way.
const MANNERS: [Manner; 2] = [
    Manner { name: "function, SERIALIZABLE", isolation: "serializable", function: "transfer" },
    Manner { name: "function, row locks", isolation: "read committed", function: "transfer_locked" },
];

struct Manner {
    name: &'static str,
    isolation: &'static str,
    function: &'static str,
}

const SCHEMA: &str = "
CREATE TABLE accounts (id integer PRIMARY KEY, balance double precision NOT NULL);
CREATE FUNCTION transfer(source integer, target integer, amount double precision) RETURNS void LANGUAGE plpgsql AS $$
DECLARE held double precision; there double precision;
BEGIN
  SELECT balance INTO STRICT held FROM accounts WHERE id = source;
  SELECT balance INTO STRICT there FROM accounts WHERE id = target;
  IF held < amount THEN RAISE EXCEPTION 'insufficient funds'; END IF;
  -- In the order of their ids: two that meet would else wait for each other until a second has passed.
  IF source < target THEN
    UPDATE accounts SET balance = held - amount WHERE id = source;
    UPDATE accounts SET balance = there + amount WHERE id = target;
  ELSE
    UPDATE accounts SET balance = there + amount WHERE id = target;
    UPDATE accounts SET balance = held - amount WHERE id = source;
  END IF;
END $$;
CREATE FUNCTION transfer_locked(source integer, target integer, amount double precision) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM accounts WHERE id IN (source, target) ORDER BY id FOR UPDATE;
  PERFORM transfer(source, target, amount);
END $$;";

/// How long it may take to be ready.
const START_TIME_MAX: Duration = Duration::from_secs(30);

/// A server that runs.
pub struct Server {
    process: Child,
    port: u16,
    version: String,
    // Dropped last: it writes there until it ends.
    folder: tempfile::TempDir,
}

impl Server {
    /// Makes a cluster and starts it; or says why it cannot be.
    ///
    /// # Errors
    /// When it is here and does not start.
    pub fn start() -> Result<Result<Server, String>> {
        let Ok(output) = Command::new("postgres").arg("--version").output() else {
            return Ok(Err("there is no `postgres` on the PATH".to_owned()));
        };
        // postgres (PostgreSQL) 15.18 (...)
        let said = String::from_utf8_lossy(&output.stdout);
        let version = format!("PostgreSQL {}", said.split_whitespace().nth(2).unwrap_or("?"));
        let is_user_here = Command::new("id").arg(USER).stdout(Stdio::null()).stderr(Stdio::null()).status();
        if is_root()? && !is_user_here.is_ok_and(|status| status.success()) {
            return Ok(Err(format!("it does not run as root, and there is no user `{USER}`")));
        }
        let folder = tempfile::tempdir()?;
        let data = folder.path().join("data");
        fs::create_dir(&data)?;
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755))?;
        fs::set_permissions(&data, Permissions::from_mode(0o700))?;
        if is_root()? {
            succeed(Command::new("chown").arg(USER).arg(&data))?;
        }
        let mut make = as_user("initdb", &[])?;
        succeed(make.args(["--auth", "trust", "--username", USER, "--pgdata"]).arg(&data))?;
        let log = File::create(folder.path().join("log"))?;
        let port = free_port()?;
        // It ends with this program, however that ends.
        let process = as_user("postgres", &["--pdeathsig", "QUIT"])?
            .args(["-c", "listen_addresses=127.0.0.1", "-c", &format!("port={port}")])
            .args(["-c", &format!("unix_socket_directories={}", data.display())])
            .args(["-c", &format!("max_connections={}", 2 * CLIENTS), "-D"])
            .arg(&data)
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .context("starting Postgres")?;
        let mut server = Server { process, port, version, folder };
        server.wait_until_ready()?;
        Ok(Ok(server))
    }

    fn wait_until_ready(&mut self) -> Result<()> {
        let begun = Instant::now();
        let settings = format!("host=127.0.0.1 port={} user={USER} dbname=postgres", self.port);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        while let Err(error) = runtime.block_on(tokio_postgres::connect(&settings, NoTls)) {
            let said = || fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            if let Some(status) = self.process.try_wait()? {
                bail!("Postgres ended with {status}: {}", said());
            }
            ensure!(begun.elapsed() < START_TIME_MAX, "Postgres is not ready: {error}: {}", said());
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    async fn connect(&self, isolation: &str) -> Result<Client> {
        let settings = format!("host=127.0.0.1 port={} user={USER} dbname=postgres", self.port);
        let (client, connection) = tokio_postgres::connect(&settings, NoTls).await?;
        spawn_local(connection);
        let isolation = format!("SET default_transaction_isolation = '{isolation}'");
        client.batch_execute(&isolation).await?;
        Ok(client)
    }

    /// It and its children, one for each connection.
    fn processes(&self) -> Result<Vec<u32>> {
        let pid = self.process.id();
        let tasks = format!("/proc/{pid}/task/{pid}/children");
        let children = fs::read_to_string(tasks).context("its processes")?;
        let children = children.split_whitespace().map(str::parse).collect::<Result<Vec<u32>, _>>()?;
        Ok([vec![pid], children].concat())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // At once; it may be gone already, which is what is wanted.
        let _ = Command::new("kill").args(["-QUIT", &self.process.id().to_string()]).status();
        let _ = self.process.wait();
    }
}

/// All loads, in both manners.
pub fn measure(server: &Server, options: &Options, show: &mut impl FnMut(Line)) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let local = LocalSet::new();
    local.block_on(&runtime, fill(server, options.accounts))?;
    for manner in &MANNERS {
        show(Line::figure(format!("{}, {}", server.version, manner.name), ""));
        for in_flight in IN_FLIGHT {
            for alpha in ALPHAS {
                let draw = Draw::zipf(options.accounts, alpha);
                let duration = Duration::from_secs(options.seconds);
                show(line(in_flight, alpha, || {
                    local.block_on(&runtime, load(server, manner, &draw, in_flight, duration))
                })?);
            }
        }
    }
    local.block_on(&runtime, async {
        let client = server.connect("read committed").await?;
        let sum: f64 = client.query_one("SELECT sum(balance) FROM accounts", &[]).await?.get(0);
        ensure!(sum == BALANCE * options.accounts as f64, "the sum of all balances is {sum}");
        Ok(())
    })
}

async fn fill(server: &Server, accounts: usize) -> Result<()> {
    let client = server.connect("read committed").await?;
    client.batch_execute(SCHEMA).await?;
    let fill = format!(
        "INSERT INTO accounts SELECT id, {BALANCE} FROM generate_series(0, {}) id; ANALYZE accounts;",
        accounts - 1
    );
    client.batch_execute(&fill).await?;
    client.batch_execute("CHECKPOINT").await?;
    Ok(())
}

async fn load(
    server: &Server,
    manner: &Manner,
    draw: &Draw,
    in_flight: usize,
    duration: Duration,
) -> Result<Outcome> {
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        let client = server.connect(manner.isolation).await?;
        let call = format!("SELECT {}($1, $2, 1)", manner.function);
        let statement = client.prepare(&call).await?;
        clients.push((client, statement));
    }
    let window = Window::begin_with(server.processes()?)?;
    let end = Instant::now() + duration;
    let run = |(number, (client, statement)): (usize, (Client, Statement))| {
        let draw = draw.clone();
        spawn_local(async move {
            let times = transfer_until(&client, &statement, &draw, number, in_flight, end).await;
            // The connection stays until the window has ended: its process is counted.
            times.map(|times| (times, client))
        })
    };
    let running: Vec<_> = clients.into_iter().enumerate().map(run).collect();
    let (mut times, mut clients) = (Times::default(), Vec::new());
    for client in running {
        let (more, client) = client.await??;
        times.append(more);
        clients.push(client);
    }
    Ok(times.outcome(window.end()?))
}

async fn transfer_until(
    client: &Client,
    statement: &Statement,
    draw: &Draw,
    number: usize,
    in_flight: usize,
    end: Instant,
) -> Result<Times> {
    let (mut random, mut times) = (Random::new(number as u64 + 1), Times::default());
    let mut running: FuturesUnordered<_> =
        (0..in_flight).map(|_| transfer(client, statement, draw.pair(&mut random))).collect();
    while let Some(done) = running.next().await {
        let (us, tries) = done?;
        times.us.push(us);
        times.tries += tries;
        if Instant::now() < end {
            running.push(transfer(client, statement, draw.pair(&mut random)));
        }
    }
    Ok(times)
}

/// One transfer, again until nobody is in its way; how long it took, and how many tries.
async fn transfer(client: &Client, statement: &Statement, (from, to): (usize, usize)) -> Result<(u64, u64)> {
    let begun = Instant::now();
    let (from, to) = (i32::try_from(from)?, i32::try_from(to)?);
    for tries in 1.. {
        match client.execute(statement, &[&from, &to]).await {
            Ok(_) => return Ok((begun.elapsed().as_micros() as u64, tries)),
            Err(error) if is_conflict(&error) => {}
            Err(error) => return Err(error.into()),
        }
    }
    bail!("there is no end of tries")
}

fn is_conflict(error: &tokio_postgres::Error) -> bool {
    error.code().is_some_and(|code| {
        [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED].contains(code)
    })
}

fn is_root() -> Result<bool> {
    let output = Command::new("id").arg("-u").output()?;
    Ok(output.stdout.trim_ascii() == b"0")
}

/// A program of Postgres's, as somebody whom it runs for, with options of `setpriv`.
fn as_user(program: &str, options: &[&str]) -> Result<Command> {
    let mut command = Command::new("setpriv");
    if is_root()? {
        command.args(["--reuid", USER, "--regid", USER, "--clear-groups"]);
    }
    command.args(options).args(["--", program]);
    Ok(command)
}

/// Runs it to its end; what it says is its error.
fn succeed(command: &mut Command) -> Result<()> {
    let output = command
        .current_dir("/")
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("starting {command:?}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?} ended with {}: {said}", output.status);
    Ok(())
}
