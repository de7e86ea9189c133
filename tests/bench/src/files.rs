//! A large file, up and down: how fast, and how much memory the host takes for it.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value as Json, json};
use weir_test_support::{HostProcess, http, project};

use crate::table::Line;

const MIB: usize = 1 << 20;
/// How much memory the host may take beside what it had.
const MEMORY_MIB_MAX: u64 = 64;

/// Uploads a file of so many MiB and downloads it again.
///
/// # Errors
/// When the guest does not build, the host does not start, or the file comes back as another.
pub fn measure(mib: usize, show: &mut impl FnMut(Line)) -> Result<()> {
    let data = tempfile::tempdir()?;
    let host = HostProcess::dev(&project::guest("bench"), data.path())?;
    // The first upload makes what every later one uses.
    transfer(host.address(), 1)?;
    let before_kib = host.resident_kib()?;
    let done = AtomicBool::new(false);
    let (times, peak_kib) = std::thread::scope(|scope| -> Result<((Duration, Duration), u64)> {
        let watch = scope.spawn(|| peak_resident_kib(&host, &done));
        let times = transfer(host.address(), mib);
        done.store(true, Ordering::SeqCst);
        let peak = watch.join().map_err(|_| anyhow::anyhow!("the watch panicked"))??;
        Ok((times?, peak))
    })?;
    let disk = write_bare(data.path(), mib)?;
    let rate = |time: Duration| mib as f64 / time.as_secs_f64();
    let bare = format!("written and synced without a host: {:.0} MiB/s", rate(disk));
    show(Line::figure(format!("upload of {mib} MiB"), format!("{:.0} MiB/s", rate(times.0))).note(bare));
    show(Line::figure(format!("download of {mib} MiB"), format!("{:.0} MiB/s", rate(times.1))));
    let more = peak_kib.saturating_sub(before_kib) / 1024;
    let goal = format!("<= {MEMORY_MIB_MAX} MiB");
    let line =
        Line::goal("memory of the host meanwhile", format!("{more} MiB"), goal, more <= MEMORY_MIB_MAX);
    show(line.note(format!("more than the {} MiB before", before_kib / 1024)));
    Ok(())
}

/// The times of the upload and of the download.
fn transfer(address: SocketAddr, mib: usize) -> Result<(Duration, Duration)> {
    let url = call(address, "mutation", "files:uploadUrl", &json!({}))?;
    let began = Instant::now();
    let id = upload(address, &url, mib)?;
    let up = began.elapsed();
    let url = call(address, "query", "files:fileUrl", &json!({ "id": id }))?;
    let began = Instant::now();
    download(address, &url, mib)?;
    Ok((up, began.elapsed()))
}

fn call(address: SocketAddr, kind: &str, path: &str, args: &Json) -> Result<String> {
    let value = http::value(address, kind, path, args)?;
    Ok(value.as_str().with_context(|| format!("{path} gave {value}"))?.to_owned())
}

fn path_of(url: &str) -> Result<&str> {
    Ok(&url[url.find("/api/").context("a URL of a file")?..])
}

/// A mebibyte that no other of the file equals.
fn block(number: usize) -> Vec<u8> {
    let mut block: Vec<u8> = (0..MIB).map(|at| (at % 251) as u8).collect();
    block[..8].copy_from_slice(&number.to_be_bytes());
    block
}

fn upload(address: SocketAddr, url: &str, mib: usize) -> Result<String> {
    let mut stream = TcpStream::connect(address)?;
    let length = mib * MIB;
    let path = path_of(url)?;
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
    )?;
    let mut next = block(0);
    for number in 0..mib {
        next[..8].copy_from_slice(&number.to_be_bytes());
        stream.write_all(&next)?;
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body).unwrap_or_default();
    let stored: Json = serde_json::from_str(body).with_context(|| answer.clone())?;
    Ok(stored["storageId"].as_str().context("a storage id")?.to_owned())
}

fn download(address: SocketAddr, url: &str, mib: usize) -> Result<()> {
    let mut stream = TcpStream::connect(address)?;
    write!(stream, "GET {} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n", path_of(url)?)?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    ensure!(head.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&head));
    let (mut expected, mut got) = (block(0), vec![0; MIB]);
    for number in 0..mib {
        stream.read_exact(&mut got)?;
        expected[..8].copy_from_slice(&number.to_be_bytes());
        ensure!(got == expected, "block {number} came back as another");
    }
    ensure!(stream.read(&mut got)? == 0, "more comes than the file has");
    Ok(())
}

fn peak_resident_kib(host: &HostProcess, done: &AtomicBool) -> Result<u64> {
    let mut peak = 0;
    while !done.load(Ordering::SeqCst) {
        peak = peak.max(host.resident_kib()?);
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(peak)
}

/// What the disk takes for the same, without a host.
fn write_bare(folder: &std::path::Path, mib: usize) -> Result<Duration> {
    let began = Instant::now();
    let mut file = File::create(folder.join("bare"))?;
    let mut next = block(0);
    for number in 0..mib {
        next[..8].copy_from_slice(&number.to_be_bytes());
        file.write_all(&next)?;
    }
    file.sync_all()?;
    Ok(began.elapsed())
}
