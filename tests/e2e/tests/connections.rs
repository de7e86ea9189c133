//! Connections that ask for nothing: they leave the host what it needs to go on.

use std::io::Read;
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use weir_test_support::host::{check, host_binary};
use weir_test_support::{HostProcess, SyncClient, http, project};

/// Open files that the host may have.
const FILES_MAX: u32 = 256;
/// The session of a client that is there before the others.
const SESSION: &str = "10000000-0000-4000-8000-000000000000";
/// Connections that a client opens, more than that.
const CONNECTIONS: usize = 400;

/// The chat, in a host that may have few files open.
fn start(data: &Path) -> Result<HostProcess> {
    HostProcess::dev(&project::chat(), data)?.stop()?;
    let mut command = Command::new("sh");
    let script = format!("ulimit -n {FILES_MAX} && exec \"$0\" serve --data \"$1\" --listen 127.0.0.1:0");
    command.args(["-c", &script]).arg(host_binary()).arg(data);
    HostProcess::start(command)
}

/// A connection, and whether the host holds it: one too many is told so, or cut, when it asks.
fn is_held(stream: &mut TcpStream) -> Result<bool> {
    stream.set_read_timeout(Some(Duration::from_millis(1)))?;
    Ok(stream.read(&mut [0; 64]).is_err())
}

#[test]
fn idle_connections_and_sockets_do_not_take_the_stores_files() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut host = start(folder.path())?;
    let mut early = SyncClient::connect(host.address(), SESSION, 0)?;
    early.subscribe(0, 0, "chat:getMessages", &json!({}))?;
    early.receive_value(0)?;
    // Sockets hold their places as connections do.
    let sockets: Vec<_> = (0..20)
        .map(|n| SyncClient::connect(host.address(), &format!("00000000-0000-4000-8000-{n:012}"), 0))
        .collect::<Result<_>>()?;
    let mut idle = Vec::new();
    for _ in 0..CONNECTIONS {
        idle.push(TcpStream::connect(host.address()).context("the system takes connections")?);
    }
    std::thread::sleep(Duration::from_millis(500));
    let held =
        idle.iter_mut().map(is_held).collect::<Result<Vec<_>>>()?.into_iter().filter(|held| *held).count();
    ensure!(held < FILES_MAX as usize / 2, "{held} connections are held");
    // Commits go on, which open files now and then, for whoever is there already.
    for n in 0..200 {
        early.mutate(n, "chat:sendMessage", &json!({ "user": "a", "body": "b".repeat(20_000) }))?;
        early.receive_type("MutationResponse")?;
    }
    drop(idle);
    drop(sockets);
    std::thread::sleep(Duration::from_millis(500));
    let answer = http::get(host.address(), "/health")?;
    ensure!(answer.status == 200, "{answer:?}");
    ensure!(host.stop()?, "it ends in order");
    check(folder.path())?;
    Ok(())
}
