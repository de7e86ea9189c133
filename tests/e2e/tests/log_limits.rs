//! Anybody can call functions that log, or that fail: the host's log does not grow as they like, and hides nobody's failures.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::json;
use weir_test_support::host::host_binary;
use weir_test_support::{HostProcess, http, project};

/// Lines a second; one function has a quarter, ten seconds' worth at once.
const RATE: usize = 20;

fn call(host: &HostProcess, path: &str, args: serde_json::Value) -> Result<serde_json::Value> {
    http::call(host.address(), "query", path, &args)
}

fn metric(host: &HostProcess, name: &str) -> Result<u64> {
    let figures = http::get(host.address(), "/metrics")?.body;
    let line = figures.lines().find_map(|line| line.strip_prefix(&format!("{name} ")).map(str::to_owned));
    Ok(line.unwrap_or_default().parse()?)
}

/// Waits until the log says this.
fn hear(host: &HostProcess, text: &str) -> Result<()> {
    let until = Instant::now() + Duration::from_secs(30);
    while !host.errors().contains(text) {
        ensure!(Instant::now() < until, "the log never says `{text}`");
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// A host in production, with this many lines a second.
fn serve(data: &Path, lines: usize) -> Result<HostProcess> {
    let mut command = Command::new(host_binary());
    command.arg("serve").arg("--data").arg(data).args(["--listen", "127.0.0.1:0", "--open-metrics"]);
    command.args(["--log-lines-per-second", &lines.to_string()]);
    HostProcess::start(command)
}

#[test]
fn functions_fill_the_log_no_faster_than_they_may_and_hide_no_others_failures() -> Result<()> {
    let data = tempfile::tempdir()?;
    HostProcess::dev(&project::guest("hostile"), data.path())?.stop()?;
    a_flood_is_left_out_counted_and_told(data.path())?;
    without_a_limit_everything_is_written(data.path())
}

fn a_flood_is_left_out_counted_and_told(data: &Path) -> Result<()> {
    let mut host = serve(data, RATE)?;
    let key = fs::read_to_string(data.join("admin-key"))?;
    let key = format!("Authorization: Convex {}\r\nContent-Type: application/json\r\n", key.trim());
    let flood = json!({"path": "hostile:floodLog", "args": {"lines": 200, "bytes": 10}}).to_string();
    for _ in 0..20 {
        let answer = http::request(host.address(), "POST", "/api/query", &key, flood.as_bytes())?.json();
        let lines = answer["logLines"].as_array().map_or(0, Vec::len);
        ensure!(lines == 200, "the holder of a key reads all of them: {answer}");
    }
    // Each of these writes more than a line; a function that fails without end takes no more than its part.
    for _ in 0..300 {
        call(&host, "hostile:panic", json!({"message": "without end"}))?;
    }
    call(&host, "hostile:fail", json!({"message": "nobody hides this"}))?;
    hear(&host, "nobody hides this")?;
    hear(&host, "lines of `hostile:floodLog` were left out in the last ")?;
    hear(&host, "lines of `hostile:panic` were left out in the last ")?;
    let log = host.errors();
    let flood = log.matches(" xxxxxxxxxx").count();
    // A machine that is busy gives it time for more.
    ensure!((60..2_000).contains(&flood), "{flood} lines of 4,000");
    ensure!(
        log.matches("without end").count() < 600,
        "{} lines of panics",
        log.matches("without end").count()
    );
    let left_out = metric(&host, "weir_function_lines_left_out_total")?;
    let written = metric(&host, "weir_function_lines_total")?;
    ensure!(left_out >= (4_000 - flood) as u64 && written >= flood as u64, "{written} and {left_out}");
    // What is left out just before the end is said at the end.
    for _ in 0..20 {
        call(&host, "hostile:floodLog", json!({"lines": 200, "bytes": 10}))?;
    }
    let before = host.errors().len();
    ensure!(host.stop()?, "it ends in order");
    std::thread::sleep(Duration::from_millis(100));
    let end = host.errors()[before..].to_owned();
    ensure!(end.contains("lines of `hostile:floodLog` were left out") && end.contains("stopped"), "{end}");
    Ok(())
}

fn without_a_limit_everything_is_written(data: &Path) -> Result<()> {
    let mut host = serve(data, 0)?;
    for _ in 0..20 {
        call(&host, "hostile:floodLog", json!({"lines": 200, "bytes": 10}))?;
    }
    ensure!(host.stop()?, "it ends in order");
    std::thread::sleep(Duration::from_millis(100));
    ensure!(host.errors().matches(" xxxxxxxxxx").count() == 4_000, "all of them");
    Ok(())
}
