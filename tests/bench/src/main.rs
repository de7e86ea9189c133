//! `make bench`: every goal that was set for speed and size, measured in one run on this machine.
//!
//! The load comes from this process and the host is a process of its own, as a user has it; both share the machine.
//! Figures move with the machine, so goals that can be are ratios of two figures of the same run.
//!
//! One part alone, and small: `weir-bench --only bases --quick`.

mod accounts;
mod bank;
mod bases;
mod call_cost;
mod components;
mod dev;
mod engine;
mod fan_out;
mod files;
mod in_process;
mod indexes;
mod languages;
mod load;
mod platform;
mod processor;
mod sockets;
mod table;
mod transfer;

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};
use clap::Parser;
use weir_test_support::{HostProcess, http, project};
use weir_value::limits::THREAD_STACK_BYTES;

use crate::table::{Line, print_head};

/// As the host has it, so that what is measured inside of this process is measured as it is there.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const KIB: f64 = 1024.0;

/// What `--only` takes.
const PARTS: [&str; 12] = [
    "call",
    "languages",
    "components",
    "dev",
    "transfer",
    "fanout",
    "sockets",
    "platform",
    "files",
    "indexes",
    "bases",
    LARGE,
];
/// The part that is measured only when it is asked for: it takes long, and gigabytes of the disk.
const LARGE: &str = "large";
/// The part of each size that a quick look takes.
const QUICK_PART: usize = 20;

#[derive(Parser)]
struct Options {
    /// Seconds for each load of the funds transfer.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Runs of each load of the funds transfer: the median is told, and the spread.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// Accounts of the funds transfer.
    #[arg(long, default_value_t = 100_000)]
    accounts: usize,
    /// Rounds of the fan-out, for each number of subscribers.
    #[arg(long, default_value_t = 100)]
    rounds: usize,
    /// Rows of the bulk load into each base.
    #[arg(long, default_value_t = 2_000_000)]
    rows: usize,
    /// Documents of the large table.
    #[arg(long, default_value_t = 10_000_000)]
    documents: usize,
    /// Changes of large documents in each base.
    #[arg(long, default_value_t = 10_000)]
    changes: usize,
    /// Mebibytes of the file that goes up and down.
    #[arg(long, default_value_t = 1024)]
    file_mib: usize,
    /// A quick look: everything a twentieth of its size, or shorter; such figures say little.
    #[arg(long)]
    quick: bool,
    /// Only these parts (default: all).
    #[arg(long, value_parser = PARTS)]
    only: Vec<String>,
    #[command(flatten)]
    task: bases::TaskOptions,
}

impl Options {
    fn wants(&self, part: &str) -> bool {
        (self.only.is_empty() && part != LARGE) || self.only.iter().any(|only| only == part)
    }

    fn for_a_quick_look(self) -> Options {
        Options {
            seconds: 1,
            runs: 1,
            accounts: self.accounts.div_ceil(QUICK_PART),
            rounds: self.rounds.div_ceil(QUICK_PART),
            rows: self.rows.div_ceil(QUICK_PART),
            documents: self.documents.div_ceil(QUICK_PART),
            changes: self.changes.div_ceil(QUICK_PART),
            file_mib: self.file_mib.div_ceil(QUICK_PART),
            ..self
        }
    }
}

/// In a thread with as much stack as the server's have that run functions: in another, each call makes itself a stack.
fn main() -> Result<()> {
    let thread = std::thread::Builder::new().stack_size(THREAD_STACK_BYTES);
    thread.spawn(measure)?.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn measure() -> Result<()> {
    let options = Options::parse();
    if options.task.run()? {
        return Ok(());
    }
    let options = if options.quick { options.for_a_quick_look() } else { options };
    print_head();
    let mut lines = Vec::new();
    let mut show = |line: Line| {
        line.print();
        lines.push(line);
    };
    if options.wants("call") {
        call_cost::measure()?.into_iter().for_each(&mut show);
    }
    if options.wants("languages") {
        languages::measure(options.accounts.min(10_000), Duration::from_secs(options.seconds), &mut show)?;
    }
    if options.wants("components") {
        components::measure(&mut show)?;
    }
    if options.wants("dev") {
        dev::measure(&mut show)?;
    }
    if options.wants("transfer") {
        transfer::measure(&options, &mut show)?;
    }
    if options.wants("fanout") {
        chat(&options, &mut show)?;
    }
    if options.wants("sockets") {
        sockets::measure(if options.quick { QUICK_PART } else { 1 }, &mut show)?;
    }
    if options.wants("platform") {
        platform::measure(options.accounts, options.seconds, &mut show)?;
    }
    if options.wants("files") {
        files::measure(options.file_mib, &mut show)?;
    }
    if options.wants("indexes") {
        indexes::measure(if options.quick { QUICK_PART } else { 1 }, &mut show)?;
    }
    if options.wants(LARGE) {
        indexes::measure_large(options.documents, &mut show)?;
    }
    if options.wants("bases") {
        bases::measure(&options, &mut show)?;
    }
    let missed = lines.iter().filter(|line| !line.met()).count();
    println!("{missed} of {} goals missed", lines.iter().filter(|line| line.has_goal()).count());
    Ok(())
}

/// The chat: start, memory, and from a commit to the last subscriber.
fn chat(options: &Options, show: &mut impl FnMut(Line)) -> Result<()> {
    let data = tempfile::tempdir()?;
    let mut host = HostProcess::dev(&project::chat(), data.path())?;
    ensure!(host.stop()?, "the host failed:\n{}", host.errors());
    show(start_to_ready(data.path())?);

    let host = HostProcess::serve(data.path())?;
    for number in 0..50 {
        let message =
            serde_json::json!({"user": "ada", "body": format!("message {number} of the first fifty")});
        http::value(host.address(), "mutation", "chat:sendMessage", &message)?;
    }
    let idle_kib = host.resident_kib()?;
    show(Line::goal(
        "resident memory, idle",
        format!("{:.1} MiB", idle_kib as f64 / KIB),
        "<= 40 MiB",
        idle_kib <= 40 * 1024,
    ));
    for subscribers in [1, 100, 1000] {
        let mut each_kib = 0.0;
        let outcome = fan_out::run(host.address(), subscribers, options.rounds, || {
            let now = host.resident_kib().unwrap_or(0);
            each_kib = now.saturating_sub(idle_kib) as f64 / subscribers as f64;
        })?;
        show(push_line(subscribers, &outcome));
        if subscribers == 1000 {
            let figure = format!("{each_kib:.1} KiB");
            show(Line::goal(
                "resident memory, each of 1,000 subscribers",
                figure,
                "<= 20 KiB",
                each_kib <= 20.0,
            ));
        }
    }
    Ok(())
}

fn push_line(subscribers: usize, outcome: &fan_out::Outcome) -> Line {
    let last_ms = outcome.last_median_us as f64 / 1000.0;
    let name = format!("request to last push, {subscribers} subscribers");
    let figure = format!("{last_ms:.2} ms");
    let line = match subscribers {
        1000 => Line::goal(name, figure, "<= 5 ms", last_ms <= 5.0),
        _ => Line::figure(name, figure),
    };
    line.note(format!(
        "p99 {:.2} ms; the answer alone {:.2} ms; {} bytes a push",
        outcome.last_p99_us as f64 / 1000.0,
        outcome.answer_median_us as f64 / 1000.0,
        outcome.frame_bytes
    ))
}

fn start_to_ready(data: &Path) -> Result<Line> {
    let mut times_us = Vec::new();
    for _ in 0..9 {
        let mut host = HostProcess::serve(data)?;
        times_us.push(host.start_to_ready().as_micros() as u64);
        ensure!(host.stop()?, "the host failed:\n{}", host.errors());
    }
    let median_ms = table::quantile(&mut times_us, 0.5) as f64 / 1000.0;
    Ok(Line::goal(
        "start to ready, compiled code on disk",
        format!("{median_ms:.1} ms"),
        "<= 100 ms",
        median_ms <= 100.0,
    ))
}
