//! Folders, files and command lines that are not as they should be.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};

use anyhow::{Context, Result, ensure};
use serde_json::json;
use weir_test_support::host::host_binary;
use weir_test_support::{HostProcess, http, project};

use crate::{Report, expect_all};

/// How many cases the tests of this file hold.
pub const CASES: usize = COMMANDS.len() + 5;

/// How long a host may take to say that it does not start.
const START_SECONDS: &str = "60";

/// A name, the arguments (`DATA` stands for a fresh folder), the exit code, what standard error says.
struct Usage(&'static str, &'static [&'static str], i32, &'static [&'static str]);

const COMMANDS: &[Usage] = &[
    Usage("no such command", &["launch"], 2, &["launch", "Usage"]),
    Usage("no such option", &["serve", "--prot", "1"], 2, &["--prot"]),
    Usage("an invalid address", &["serve", "--data", "DATA", "--listen", "nowhere"], 2, &["nowhere"]),
    Usage(
        "every address without being told so",
        &["serve", "--data", "DATA", "--listen", "0.0.0.0:0"],
        1,
        &["0.0.0.0", "--"],
    ),
    Usage(
        "a web folder that is not there",
        &["serve", "--data", "DATA", "--listen", "127.0.0.1:0", "--web", "DATA/no"],
        1,
        &["no"],
    ),
    Usage("a project that is not there", &["build", "DATA/nothing"], 1, &["host.toml"]),
    Usage("a host that is not there", &["run", "a:b", "--url", "http://127.0.0.1:1"], 1, &["127.0.0.1:1"]),
    Usage(
        "arguments that are not valid JSON",
        &["run", "a:b", "{nope", "--url", "http://127.0.0.1:1"],
        2,
        &["JSON"],
    ),
];

#[test]
fn command_lines() -> Result<()> {
    let mut report = Report::default();
    for usage in COMMANDS {
        report.add(usage.0, check(usage));
    }
    report.end()
}

fn check(Usage(_, args, code, wanted): &Usage) -> Result<()> {
    let data = tempfile::tempdir()?;
    let path = data.path().to_str().context("a path of text")?;
    let args: Vec<String> = args.iter().map(|arg| arg.replace("DATA", path)).collect();
    let output = Command::new(host_binary()).args(&args).env_remove("HOST_ADMIN_KEY").output()?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.code() == Some(*code), "{:?}, {errors}", output.status);
    ensure!(output.stdout.is_empty(), "standard output is for results");
    expect_all(&errors, wanted)
}

#[test]
fn a_port_that_is_taken() -> Result<()> {
    let data = tempfile::tempdir()?;
    let taken = TcpListener::bind("127.0.0.1:0")?;
    let listen = taken.local_addr()?.to_string();
    let output = serve(data.path(), &listen)?;
    expect_failure(&output, &[&listen, "in use"])
}

#[test]
fn a_second_process_on_the_same_folder() -> Result<()> {
    let data = tempfile::tempdir()?;
    let _first = HostProcess::serve(data.path())?;
    let output = serve(data.path(), "127.0.0.1:0")?;
    expect_failure(&output, &["another", data.path().to_str().context("text")?])
}

#[test]
fn a_file_where_the_folder_should_be() -> Result<()> {
    let data = tempfile::NamedTempFile::new()?;
    let output = serve(data.path(), "127.0.0.1:0")?;
    expect_failure(&output, &[data.path().to_str().context("text")?])
}

/// A bad byte in the middle of the log is damage: the host names the file and the place, and changes nothing.
#[test]
fn a_log_that_is_damaged_in_the_middle() -> Result<()> {
    let (data, segment) = killed_with_messages()?;
    let mut bytes = fs::read(&segment)?;
    let middle = written(&bytes) / 2;
    bytes[middle] ^= 0x40;
    fs::write(&segment, &bytes)?;
    let output = serve(data.path(), "127.0.0.1:0")?;
    let name = segment.file_name().and_then(|name| name.to_str()).context("text")?;
    expect_failure(&output, &[name, "damaged at byte"])?;
    ensure!(fs::read(&segment)? == bytes, "the damaged log was changed");
    Ok(())
}

/// A log that ends within a record is what a power cut leaves: the record was not answered, the rest is there.
#[test]
fn a_log_that_is_cut_short() -> Result<()> {
    let (data, segment) = killed_with_messages()?;
    let length = written(&fs::read(&segment)?) - 3;
    fs::OpenOptions::new().write(true).open(&segment)?.set_len(length as u64)?;
    let host = HostProcess::serve(data.path())?;
    let messages = http::value(host.address(), "query", "chat:getMessages", &json!({}))?;
    let bodies: Vec<_> =
        messages.as_array().context("a list")?.iter().map(|one| one["body"].clone()).collect();
    let expected: Vec<_> = (0..19).map(|number| json!(format!("message {number}"))).collect();
    ensure!(bodies == expected, "{bodies:?}");
    Ok(())
}

/// How much of a segment was written; behind it there is space that is allocated ahead of commits, zeros.
fn written(segment: &[u8]) -> usize {
    segment.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1)
}

/// A data folder whose host was killed after twenty answered messages, and its newest log segment.
fn killed_with_messages() -> Result<(tempfile::TempDir, std::path::PathBuf)> {
    let data = tempfile::tempdir()?;
    let mut host = HostProcess::dev(&project::chat(), data.path())?;
    for number in 0..20 {
        let message = json!({"user": "ada", "body": format!("message {number}")});
        http::value(host.address(), "mutation", "chat:sendMessage", &message)?;
    }
    host.kill();
    let mut segments: Vec<_> =
        fs::read_dir(data.path().join("store/log"))?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    segments.sort();
    let newest = segments.pop().context("no log segment")?;
    Ok((data, newest))
}

/// Runs a host that should refuse to start; one that starts all the same is ended by a SIGTERM from `timeout`.
fn serve(data: &Path, listen: &str) -> Result<Output> {
    Ok(Command::new("timeout")
        .arg(START_SECONDS)
        .arg(host_binary())
        .arg("serve")
        .arg("--data")
        .arg(data)
        .args(["--listen", listen])
        .output()?)
}

fn expect_failure(output: &Output, wanted: &[&str]) -> Result<()> {
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.code() == Some(1), "{:?}, {errors}", output.status);
    ensure!(!String::from_utf8_lossy(&output.stdout).contains("ready"), "it said it was ready");
    expect_all(&errors, wanted)
}
