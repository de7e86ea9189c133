//! The binary `host`: reads the command line and hands over to one command.
//!
//! Wiring, and nothing else: what a command does stands in its own file, what it
//! does it with in the rooms below. Results go to standard output, everything
//! else to standard error. Exit codes: 0 done, 1 failed, 2 wrong usage.

mod arguments;
mod audit;
mod build;
mod check;
mod client;
mod component;
mod convert;
mod deploy;
mod dev;
mod env;
mod init;
mod key;
mod key_source;
mod log;
mod log_limit;
mod output;
mod progress;
mod run;
mod serve;
mod snapshots;
mod subprocess;
mod systemd;
mod test_host;
mod tls;
mod url;
mod watch;

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use clap::Parser;
use weir_server::LogLimits;

use arguments::{Arguments, Command};

/// A call makes and frees some hundred small pieces, many of them on another thread than the one that made them.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Pages that nobody needs any more go back to the system within two seconds, not ten: what passes through with a burst of
/// large messages does not add up in a process whose memory has a bound.
// SAFETY: jemalloc looks for a text under this name, ended by a zero; nothing else has it.
#[allow(unsafe_code)]
#[unsafe(export_name = "_rjem_malloc_conf")]
static ALLOCATOR_SETTINGS: &[u8; 40] = b"dirty_decay_ms:2000,muzzy_decay_ms:2000\0";

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // It logs nothing: standard error is for why it failed.
    if let Command::Work(work) = &arguments.command {
        return subprocess::work(work);
    }
    let limits = log_limit::of(&arguments.command);
    if let Err(error) = log::start(&arguments.log, arguments.log_format, limits.clone()) {
        return fail(&error);
    }
    match perform(arguments.command, limits) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

fn perform(command: Command, log_limits: Option<Arc<LogLimits>>) -> anyhow::Result<()> {
    match command {
        Command::Serve(arguments) => in_tokio(serve::serve(*arguments, log_limits)),
        Command::Init(arguments) => init::init(&arguments),
        Command::Dev(arguments) => in_tokio(dev::dev(*arguments, log_limits)),
        Command::Build(arguments) => build::build(&arguments),
        Command::Codegen(arguments) => build::codegen(&arguments),
        Command::Deploy(arguments) => in_tokio(deploy::deploy(arguments)),
        Command::Run(arguments) => in_tokio(run::run(arguments)),
        Command::Env(arguments) => in_tokio(env::env(arguments)),
        Command::Test(arguments) => test_host::test(&arguments),
        Command::Key(arguments) => in_tokio(key::key(arguments)),
        Command::Audit(arguments) => in_tokio(audit::audit(arguments)),
        Command::Component(arguments) => in_tokio(component::component(arguments)),
        Command::Check(arguments) => check::check(&arguments),
        Command::Convert(arguments) => convert::convert(&arguments),
        Command::Work(_) => unreachable!("it was done before anything else"),
    }
}

fn in_tokio(command: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("network")
        .max_blocking_threads(16)
        .build()
        .context("cannot start the network threads")?;
    let result = runtime.block_on(Box::pin(command));
    // Standard input or a name lookup may still block a thread; it is no reason
    // to stay.
    runtime.shutdown_background();
    result
}

/// The caller asked for something that makes no sense: exit code 2.
#[derive(Debug)]
pub struct Usage(pub String);

impl std::fmt::Display for Usage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

fn fail(error: &anyhow::Error) -> ExitCode {
    eprintln!("error: {error:#}");
    match error.downcast_ref::<Usage>() {
        Some(_) => ExitCode::from(2),
        None => ExitCode::FAILURE,
    }
}
