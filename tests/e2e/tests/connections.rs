//! Connections that ask for nothing: they leave the host what it needs to go on.

use std::io::{Read, Write};
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
    start_with(data, &[])
}

fn start_with(data: &Path, more: &[&str]) -> Result<HostProcess> {
    let mut command = Command::new("sh");
    let script = format!("ulimit -n {FILES_MAX} && exec \"$0\" serve --listen 127.0.0.1:0 --data \"$@\"");
    command.args(["-c", &script]).arg(host_binary()).arg(data).args(more);
    HostProcess::start(command)
}

/// How many files a host has open.
fn open_files(host: &HostProcess) -> Result<usize> {
    Ok(std::fs::read_dir(format!("/proc/{}/fd", host.pid()))?.count())
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

/// A socket is one open file, so nearly all that a host may have open can be sockets; who asks for a file is served beside them.
#[test]
fn idle_sockets_take_a_file_each_and_leave_room_for_requests() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let web = folder.path().join("web");
    std::fs::create_dir(&web)?;
    std::fs::write(web.join("large.bin"), vec![7_u8; 1 << 20])?;
    let mut host =
        start_with(&folder.path().join("data"), &["--web", &web.display().to_string(), "--open-metrics"])?;
    let before = open_files(&host)?;
    let connect =
        |n: usize| SyncClient::connect(host.address(), &format!("00000000-0000-4000-8000-{n:012}"), 0);
    let sockets: Vec<_> = (0..80).map(connect).collect::<Result<_>>()?;
    let taken = open_files(&host)? - before;
    ensure!((80..=84).contains(&taken), "80 sockets take {taken} files");
    // All that is left is idle.
    let mut idle = Vec::new();
    for _ in 0..CONNECTIONS {
        idle.push(TcpStream::connect(host.address()).context("the system takes connections")?);
    }
    std::thread::sleep(Duration::from_millis(500));
    let open = open_files(&host)?;
    ensure!(open < FILES_MAX as usize - 32, "{open} files are open, and the store has some");
    // One of those that are in asks for a file, and takes it slowly; so do others.
    let mut slow = Vec::new();
    for stream in idle.iter_mut().take(10) {
        stream.write_all(b"GET /large.bin HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
        slow.push(status_of(stream)?);
    }
    ensure!(slow.iter().all(|status| *status == 200), "{slow:?}");
    drop(idle);
    drop(sockets);
    std::thread::sleep(Duration::from_millis(500));
    let figures = http::get(host.address(), "/metrics")?.body;
    let figure = |name: &str| {
        figures.lines().find_map(|line| line.strip_prefix(&format!("{name} ")).map(str::to_owned))
    };
    ensure!(figure("weir_connections").as_deref() == Some("1"), "places come back: {figures}");
    ensure!(figure("weir_request_files").as_deref() == Some("0"), "places come back: {figures}");
    let refused = figure("weir_refused_total{limit=\"connections\"}");
    ensure!(refused.is_some_and(|refused| refused != "0"), "{figures}");
    ensure!(host.stop()?, "it ends in order");
    Ok(())
}

fn status_of(stream: &mut TcpStream) -> Result<u16> {
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut head = [0; 12];
    stream.read_exact(&mut head)?;
    Ok(String::from_utf8_lossy(&head[9..]).parse()?)
}
