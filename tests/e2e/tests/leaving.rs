//! Clients that hang up on HTTP actions: the action is told, and goes on.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use weir_test_support::host::host_binary;
use weir_test_support::{HostProcess, http, project, wait};

/// Within which an action is told, far less than what it would wait for otherwise.
const SOON: Duration = Duration::from_secs(10);

/// The project of `tests/guests/actions`, in a host that opens this machine to actions.
fn start(data: &Path) -> Result<HostProcess> {
    let mut command = Command::new(host_binary());
    command.arg("dev").arg("--data").arg(data).args(["--listen", "127.0.0.1:0", "--no-watch"]);
    command.args(["--allow-outbound", "127.0.0.1"]).arg(project::guest("actions"));
    HostProcess::start(command)
}

/// Sends a request, whose connection is open until it is dropped.
fn ask(host: &HostProcess, method: &str, path: &str, body: &str) -> Result<TcpStream> {
    let mut stream = TcpStream::connect(host.address())?;
    stream.set_read_timeout(Some(SOON))?;
    let length = body.len();
    write!(
        stream,
        "{method} /http{path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n{body}"
    )?;
    Ok(stream)
}

/// Reads until what was read ends with this.
fn read_until(stream: &mut TcpStream, end: &str) -> Result<()> {
    let (mut text, mut byte) = (String::new(), [0]);
    while !text.ends_with(end) {
        stream.read_exact(&mut byte).with_context(|| format!("after {text:?}"))?;
        text.push(byte[0].into());
    }
    Ok(())
}

/// A connection that was read to its end, however it ended, and not for as long as one waits.
fn to_the_end(read: std::io::Result<usize>) -> Result<()> {
    match read {
        Err(error) if error.kind() != ErrorKind::ConnectionReset => Err(error.into()),
        _ => Ok(()),
    }
}

fn notes(host: &HostProcess) -> Result<Value> {
    http::value(host.address(), "query", "notes:list", &json!({}))
}

fn wait_for_notes(host: &HostProcess, expected: &[&str]) -> Result<()> {
    let told = wait::until("the notes are there", SOON, || Ok(notes(host)? == json!(expected)));
    told.with_context(|| format!("{:?}, and {expected:?} was expected", notes(host)))
}

#[test]
fn an_action_is_told_that_its_client_has_left_before_the_response() -> Result<()> {
    let data = tempfile::tempdir()?;
    let host = start(data.path())?;
    let client = ask(&host, "POST", "/leaving/before", "a question")?;
    wait_for_notes(&host, &["before: a question false"])?;
    drop(client);
    wait_for_notes(&host, &["before: a question false", "before: true AbortError"])
}

#[test]
fn what_an_action_asks_for_its_client_ends_with_it() -> Result<()> {
    let data = tempfile::tempdir()?;
    let host = start(data.path())?;
    let upstream = TcpListener::bind("127.0.0.1:0")?;
    let client = ask(&host, "GET", &format!("/leaving/upstream?of=http://{}/", upstream.local_addr()?), "")?;
    let (mut connection, _) = upstream.accept()?;
    connection.set_read_timeout(Some(SOON))?;
    drop(client);
    let mut request = Vec::new();
    to_the_end(connection.read_to_end(&mut request))?;
    wait_for_notes(&host, &["upstream: AbortError"])
}

#[test]
fn the_stream_of_a_response_is_cancelled_though_nothing_is_written_to_it() -> Result<()> {
    let data = tempfile::tempdir()?;
    let mut host = start(data.path())?;
    let mut client = ask(&host, "GET", "/leaving/quiet", "")?;
    read_until(&mut client, "one\r\n")?;
    drop(client);
    wait_for_notes(&host, &["quiet: cancelled by AbortError"])?;
    // An action that sleeps on is nobody's to wait for.
    let began = Instant::now();
    ensure!(host.stop()? && began.elapsed() < SOON, "{}", host.errors());
    Ok(())
}

#[test]
fn what_goes_on_beside_a_response_goes_on_without_its_client() -> Result<()> {
    let data = tempfile::tempdir()?;
    let host = start(data.path())?;
    let mut client = ask(&host, "GET", "/leaving/made", "")?;
    read_until(&mut client, "0 \r\n")?;
    running(&host, 1.0)?;
    drop(client);
    wait_for_notes(&host, &["made: true true"])?;
    running(&host, 0.0)
}

#[test]
fn a_client_that_has_the_whole_response_has_not_left() -> Result<()> {
    let data = tempfile::tempdir()?;
    let host = start(data.path())?;
    let mut client = ask(&host, "GET", "/leaving/whole", "")?;
    read_until(&mut client, "all\r\n0\r\n\r\n")?;
    drop(client);
    running(&host, 0.0)?;
    ensure!(notes(&host)? == json!(["whole: false"]), "{}", notes(&host)?);
    Ok(())
}

#[test]
fn a_stream_that_nothing_will_end_is_an_error_though_its_client_waits() -> Result<()> {
    let data = tempfile::tempdir()?;
    let host = start(data.path())?;
    let mut client = ask(&host, "GET", "/leaving/stuck", "")?;
    let mut bytes = Vec::new();
    to_the_end(client.read_to_end(&mut bytes))?;
    ensure!(!bytes.ends_with(b"0\r\n\r\n"), "{}", String::from_utf8_lossy(&bytes));
    running(&host, 0.0)?;
    let failures = http::metric(host.address(), "weir_call_failures_total")?;
    ensure!(failures == 1.0, "{failures}");
    Ok(())
}

/// Waits until so many actions run.
fn running(host: &HostProcess, count: f64) -> Result<()> {
    let address = host.address();
    let name = "weir_actions_running";
    ensure!(http::get(address, "/metrics")?.body.contains(name), "{name} is a metric");
    wait::until("so many actions run", SOON, || Ok(http::metric(address, name)? == count))
}
