//! Components that take minutes to compile, and more memory than a host should give: they are compiled in a process of its
//! own, which ends with its time, with its memory, with whoever waits for it, and with the host; and nobody else notices.

mod component;

use std::fs;
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use weir_test_support::host::host_binary;
use weir_test_support::{HostProcess, heavy, http, wait};

use component::component;

/// As large as a component may be, nearly: minutes of work.
const HUGE: usize = 30 << 20;
/// Far less than such a component takes, and far more than whatever is waited for here, on a busy machine.
const SOON: Duration = Duration::from_secs(10);

fn start(data: &Path, arguments: &[&str]) -> Result<HostProcess> {
    let mut command = Command::new(host_binary());
    command.arg("serve").arg("--data").arg(data).args(["--listen", "127.0.0.1:0"]).args(arguments);
    HostProcess::start(command)
}

/// A request that deploys an ordinary module, and a core module beside it that is so large.
fn request(data: &Path, path: &str, heavy_bytes: usize) -> Result<(String, String)> {
    let mut component = component(path)?;
    if heavy_bytes > 0 {
        component = heavy::with_module(&component, &heavy::module(heavy_bytes));
    }
    let key = fs::read_to_string(data.join("admin-key"))?;
    let headers = format!("Authorization: Convex {}\r\nContent-Type: application/json\r\n", key.trim());
    let component = STANDARD.encode(component);
    Ok((headers, json!({ "modules": [{ "name": "t", "component": component }] }).to_string()))
}

fn deploy(address: SocketAddr, (headers, body): &(String, String)) -> Result<http::Answer> {
    let time = Duration::from_secs(120);
    http::request_within(time, address, "POST", "/api/weir/deploy", headers, body.as_bytes())
}

/// Sends a deployment; whoever drops what this gives has left.
fn send(address: SocketAddr, (headers, body): &(String, String)) -> Result<TcpStream> {
    let mut stream = TcpStream::connect(address)?;
    let length = body.len();
    write!(
        stream,
        "POST /api/weir/deploy HTTP/1.1\r\nHost: {address}\r\nContent-Length: {length}\r\n{headers}\r\n"
    )?;
    stream.write_all(body.as_bytes())?;
    Ok(stream)
}

/// The processes that a process has started, and that have not ended.
fn children(pid: u32) -> Result<Vec<u32>> {
    let mut all = Vec::new();
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        // A thread may end meanwhile.
        let told = fs::read_to_string(task?.path().join("children")).unwrap_or_default();
        all.extend(
            told.split_whitespace().filter_map(|pid| pid.parse::<u32>().ok()).filter(|pid| is_running(*pid)),
        );
    }
    Ok(all)
}

fn is_running(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

/// Waits for the process that compiles, which there is one of.
fn wait_for_child(host: u32) -> Result<u32> {
    let mut found = Vec::new();
    wait::until("something is being compiled", SOON * 3, || {
        found = children(host)?;
        Ok(!found.is_empty())
    })?;
    ensure!(found.len() == 1, "they are compiled beside each other: {found:?}");
    Ok(found[0])
}

fn wait_until_gone(pid: u32) -> Result<()> {
    wait::until("the process that compiles has ended", SOON, || Ok(!is_running(pid)))
}

fn call(host: &HostProcess, path: &str) -> Result<()> {
    http::value(host.address(), "mutation", path, &json!({ "n": 1 })).map(drop)
}

#[test]
fn a_component_that_takes_minutes_is_an_error_and_disturbs_nobody() -> Result<()> {
    let data = tempfile::tempdir()?;
    let mut host = start(data.path(), &["--deploy-time", "4"])?;
    let answer = deploy(host.address(), &request(data.path(), "a:add", 0)?)?;
    ensure!(answer.status == 200, "{answer:?}");
    let huge = request(data.path(), "b:add", HUGE)?;
    let (address, pid) = (host.address(), host.pid());
    let is_over = AtomicBool::new(false);
    let (answer, slowest) = std::thread::scope(|scope| -> Result<_> {
        // Asked at fixed instants, whatever becomes of the answers before.
        let ordinary = scope.spawn(|| -> Result<Duration> {
            let mut slowest = Duration::ZERO;
            while !is_over.load(Ordering::Relaxed) {
                let asked = Instant::now();
                http::value(address, "mutation", "a:add", &json!({ "n": 1 }))?;
                slowest = slowest.max(asked.elapsed());
                std::thread::sleep(Duration::from_millis(10));
            }
            Ok(slowest)
        });
        let deployment = scope.spawn(|| deploy(address, &huge));
        let checked = (|| {
            let child = wait_for_child(pid)?;
            // It gives way to whoever serves clients, and dies before the database does when memory runs out.
            // It says so itself, a moment after it has begun.
            wait::until("the compiler gives way", Duration::from_secs(2), || {
                let stat = fs::read_to_string(format!("/proc/{child}/stat"))?;
                let niceness = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(16));
                Ok(niceness == Some("10"))
            })?;
            ensure!(fs::read_to_string(format!("/proc/{child}/oom_score_adj"))?.trim() == "1000");
            ensure!(fs::read(format!("/proc/{child}/environ"))?.starts_with(b"RAYON_NUM_THREADS="));
            // Another one is told at once.
            let asked = Instant::now();
            let other = deploy(address, &request(data.path(), "c:add", 0)?)?;
            ensure!(other.status == 409 && other.body.contains("DeploymentInProgress"), "{other:?}");
            ensure!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
            Ok(())
        })();
        let answer = deployment.join().expect("no panic");
        is_over.store(true, Ordering::Relaxed);
        let slowest = ordinary.join().expect("no panic");
        checked?;
        Ok((answer?, slowest?))
    })?;
    ensure!(answer.status == 400 && answer.body.contains("InvalidDeployment"), "{answer:?}");
    ensure!(
        answer.body.contains("longer than the 4 s") && answer.body.contains("--deploy-time"),
        "{answer:?}"
    );
    println!("the slowest mutation meanwhile took {slowest:?}");
    ensure!(slowest < Duration::from_secs(2), "a mutation took {slowest:?}");
    ensure!(children(pid)?.is_empty(), "the process that compiled is still there");
    // What was deployed before goes on, and what comes next is taken.
    call(&host, "a:add")?;
    let answer = deploy(host.address(), &request(data.path(), "c:add", 0)?)?;
    ensure!(answer.status == 200, "{answer:?}");
    call(&host, "c:add")?;
    ensure!(host.stop()?, "{}", host.errors());
    Ok(())
}

#[test]
fn a_component_that_needs_too_much_memory_is_an_error() -> Result<()> {
    let data = tempfile::tempdir()?;
    let mut host = start(data.path(), &["--deploy-memory", "64"])?;
    let answer = deploy(host.address(), &request(data.path(), "a:add", 4 << 20)?)?;
    ensure!(answer.status == 400 && answer.body.contains("more than 64 MiB"), "{answer:?}");
    ensure!(answer.body.contains("--deploy-memory"), "{answer:?}");
    // An ordinary one has room.
    let answer = deploy(host.address(), &request(data.path(), "a:add", 0)?)?;
    ensure!(answer.status == 200, "{answer:?}");
    ensure!(host.stop()?, "{}", host.errors());
    Ok(())
}

#[test]
fn a_deployment_that_is_compiled_ends_with_its_client() -> Result<()> {
    let data = tempfile::tempdir()?;
    let mut host = start(data.path(), &[])?;
    let client = send(host.address(), &request(data.path(), "a:add", HUGE)?)?;
    let child = wait_for_child(host.pid())?;
    drop(client);
    wait_until_gone(child)?;
    // Whoever comes next does not wait for anything.
    let ordinary = request(data.path(), "b:add", 0)?;
    wait::until("the next one is taken", SOON, || Ok(deploy(host.address(), &ordinary)?.status == 200))?;
    call(&host, "b:add")?;
    ensure!(host.stop()?, "{}", host.errors());
    let log = host.errors();
    ensure!(log.contains("nobody waits for it any more"), "{log}");
    Ok(())
}

#[test]
fn a_host_that_is_stopped_or_killed_takes_its_compiler_along() -> Result<()> {
    let data = tempfile::tempdir()?;
    for is_killed in [true, false] {
        let mut host = start(data.path(), &[])?;
        let client = send(host.address(), &request(data.path(), "a:add", HUGE)?)?;
        let child = wait_for_child(host.pid())?;
        let began = Instant::now();
        if is_killed {
            host.kill();
        } else {
            ensure!(host.stop()?, "{}", host.errors());
        }
        wait_until_gone(child)?;
        ensure!(began.elapsed() < SOON, "{:?}", began.elapsed());
        drop(client);
        // Nothing is left of it.
        let left = fs::read_dir(data.path().join("compiled"))?.count();
        ensure!(left == 0, "{left} files are left");
    }
    // What a host that is killed has not finished writing is swept away at the next start.
    let unfinished = data.path().join("compiled").join("0123.0.tmp");
    fs::write(&unfinished, "half of it")?;
    let mut host = start(data.path(), &[])?;
    ensure!(!unfinished.exists());
    let answer = deploy(host.address(), &request(data.path(), "a:add", 0)?)?;
    ensure!(answer.status == 200, "{answer:?}");
    ensure!(host.stop()?, "{}", host.errors());
    Ok(())
}

#[test]
fn a_start_that_compiles_can_be_stopped() -> Result<()> {
    let data = tempfile::tempdir()?;
    let mut host = start(data.path(), &[])?;
    let answer = deploy(host.address(), &request(data.path(), "a:add", 128 << 10)?)?;
    ensure!(answer.status == 200, "{answer:?}");
    ensure!(host.stop()?, "{}", host.errors());
    fs::remove_dir_all(data.path().join("compiled"))?;
    let mut command = Command::new(host_binary());
    command.arg("serve").arg("--data").arg(data.path()).args(["--listen", "127.0.0.1:0"]);
    let mut host = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let child = wait_for_child(host.id());
    let began = Instant::now();
    Command::new("kill").args(["-TERM", &host.id().to_string()]).status()?;
    let status = host.wait()?;
    ensure!(
        status.success() && began.elapsed() < Duration::from_secs(2),
        "{status} after {:?}",
        began.elapsed()
    );
    wait_until_gone(child?)?;
    // It compiles what is deployed, once, and serves it.
    let mut host = start(data.path(), &[])?;
    call(&host, "a:add")?;
    let compiled = fs::read_dir(data.path().join("compiled"))?.count();
    ensure!(compiled == 1, "{compiled} files");
    ensure!(host.stop()?, "{}", host.errors());
    let log = host.errors();
    let times = log.matches("compiled").count();
    ensure!(times == 1, "compiled {times} times: {log}");
    Ok(())
}

/// A file that is replaced, as by an upgrade, is not what compiles: what it makes would not fit.
#[test]
fn a_host_whose_file_was_replaced_still_compiles() -> Result<()> {
    let data = tempfile::tempdir()?;
    let binary = data.path().join("host");
    fs::copy(host_binary(), &binary)?;
    let folder = data.path().join("data");
    let mut command = Command::new(&binary);
    command.arg("serve").arg("--data").arg(&folder).args(["--listen", "127.0.0.1:0"]);
    let mut host = HostProcess::start(command)?;
    fs::remove_file(&binary)?;
    fs::write(&binary, "another")?;
    let answer = deploy(host.address(), &request(&folder, "a:add", 0)?)?;
    ensure!(answer.status == 200, "{answer:?}");
    ensure!(host.stop()?, "{}", host.errors());
    Ok(())
}
