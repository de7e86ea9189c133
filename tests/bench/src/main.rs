//! `make bench`: every goal that was set for speed and size, measured in one run on this machine.
//!
//! The load comes from this process and the host is a process of its own, as a user has it; both share the machine.
//! Figures move with the machine, so goals that can be are ratios of two figures of the same run.
//!
//! One part alone, and small: `weir-bench --only bases --quick`.

mod accounts;
mod bank;
mod bare_writer;
mod bases;
mod call_cost;
mod chat;
mod components;
mod dev;
mod engine;
mod fan_out;
mod files;
mod in_process;
mod indexes;
mod languages;
mod load;
#[cfg(feature = "peers")]
mod peers;
mod platform;
mod processor;
mod sockets;
mod table;
mod transfer;
mod watchers;

use std::time::Duration;

use anyhow::Result;
use clap::Parser;
use weir_value::limits::THREAD_STACK_BYTES;

use crate::table::{Line, print_head};

/// As the host has it, so that what is measured inside of this process is measured as it is there.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// What `--only` takes.
const PARTS: [&str; 13] = [
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
    PEERS,
];
/// The part that is measured only when it is asked for: it takes long, and gigabytes of the disk.
const LARGE: &str = "large";
/// Another that is measured only when it is asked for: other databases, whose clients are compiled for it alone.
const PEERS: &str = "peers";
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
    /// What this program is started with as a bare writer; nothing that a user would give it.
    #[arg(long, hide = true)]
    bare_writer: Option<usize>,
    #[command(flatten)]
    task: bases::TaskOptions,
}

impl Options {
    fn wants(&self, part: &str) -> bool {
        (self.only.is_empty() && ![LARGE, PEERS].contains(&part)) || self.only.iter().any(|only| only == part)
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
    if let Some(sockets) = options.bare_writer {
        return bare_writer::run(sockets);
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
        chat::measure(options.rounds, &mut show)?;
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
    if options.wants(PEERS) {
        measure_peers(&options, &mut show)?;
    }
    if options.wants("bases") {
        bases::measure(&options, &mut show)?;
    }
    let missed = lines.iter().filter(|line| !line.met()).count();
    println!("{missed} of {} goals missed", lines.iter().filter(|line| line.has_goal()).count());
    Ok(())
}

#[cfg(feature = "peers")]
use peers::measure as measure_peers;

#[cfg(not(feature = "peers"))]
fn measure_peers(_options: &Options, _show: &mut impl FnMut(Line)) -> Result<()> {
    anyhow::bail!("this program was built without other databases: run `make bench-peers`")
}
