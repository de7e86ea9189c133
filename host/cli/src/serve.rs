//! `host serve`: a server, from `ready` to the signal that ends it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use rustix::fs::Mode;
use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::sync::oneshot;
use weir_node::{NodeBinary, NodeOptions};
use weir_outbound::Rules;
use weir_runtime::Compiler;
use weir_server::deploy::Summary;
use weir_server::{
    Disclosure, FrontOptions, LogLimits, ReachOptions, Server, ServerOptions, StopSignals, WebFolder,
};
use weir_store::StoreOptions;
use weir_value::limits;

use crate::arguments::{Hosting, Listening, Node, Serve};
use crate::output::print_line;
use crate::snapshots::Snapshots;
use crate::subprocess;
use crate::systemd::{self, State};

const MIB: u64 = 1024 * 1024;

/// Serves until SIGTERM or SIGINT.
pub async fn serve(arguments: Serve, log_limits: Option<Arc<LogLimits>>) -> anyhow::Result<()> {
    let Serve { data, hosting, front, web } = arguments;
    // What it writes is nobody else's to read: documents, files, keys.
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
    let mut signals = StopSignals::install().context("cannot wait for signals")?;
    let web = web.map(WebFolder::Present);
    let front = front.into_options(&data.data);
    let starting = start(data.data, (hosting, front), (web, None), log_limits);
    let Some(server) = start_unless_stopped(&mut signals, starting).await? else { return Ok(()) };
    tell_deployment(&server.deployer().summary());
    if let Some(address) = server.redirect_addr()? {
        tracing::info!("requests to http://{address} are sent on to https");
    }
    announce(&server)?;
    systemd::tell(State::Ready);
    until_stopped(server, signals, std::future::pending()).await;
    Ok(())
}

/// Waits for the start, or for a signal: it may have to compile what is deployed. Whatever it is about then ends with the
/// process, as it would if that was killed, which harms no data.
pub async fn start_unless_stopped(
    signals: &mut StopSignals,
    start: impl Future<Output = anyhow::Result<Server>>,
) -> anyhow::Result<Option<Server>> {
    tokio::select! {
        server = start => server.map(Some),
        name = signals.next() => {
            tracing::info!("{name}: stopped before it was ready");
            Ok(None)
        }
    }
}

/// What is missing was said, with its reason, when it was found.
fn tell_deployment(deployed: &Summary) {
    if deployed.modules.is_empty() {
        tracing::info!("nothing is deployed yet: `host deploy PROJECT` does it");
    }
    if !deployed.missing.is_empty() {
        let missing: Vec<_> = deployed.missing.iter().map(|module| module.name.as_str()).collect();
        let functions = deployed.functions.len();
        let missing = missing.join(", ");
        tracing::error!(
            "serving {functions} functions without those of: {missing}; `host deploy PROJECT` mends it"
        );
    }
}

/// Starts a server as the flags say; compiled code is kept in its data folder, or in the one that is given.
pub async fn start(
    data_dir: PathBuf,
    (hosting, front): (Hosting, FrontOptions),
    (web, compiled_dir): (Option<WebFolder>, Option<PathBuf>),
    log_limits: Option<Arc<LogLimits>>,
) -> anyhow::Result<Server> {
    allow_many_files();
    let Hosting { storage, listening, deploying, scheduling, node, telling } = hosting;
    let Listening {
        listen,
        allow_remote,
        public_url,
        site_url,
        site_listen,
        host_name,
        allow_origin,
        allow_outbound,
    } = listening;
    // `host dev`, for which code is kept apart from the data, serves pages that a tool has on another port.
    let is_development = compiled_dir.is_some();
    let reach =
        ReachOptions { host_names: host_name, origins: allow_origin, loopback_origins: is_development };
    let outbound = Rules::parse(&allow_outbound).context("--allow-outbound")?;
    let node = find_node(node, &data_dir).await?;
    let memory_bytes = storage.memory * MIB;
    let store =
        StoreOptions { base: storage.base, memory_bytes: memory_bytes / 2, ..StoreOptions::default() };
    let client_memory_bytes = usize::try_from(memory_bytes)? / limits::MEMORY_PART_OF_CLIENTS;
    let compiling = Arc::new(subprocess::of_deployments(&deploying));
    let snapshots = match &compiled_dir {
        Some(_) => Snapshots::on_developers_machine(),
        None => Snapshots::of_server(data_dir.join("compiled").join("snapshots")),
    };
    let snapshots = Arc::new(Snapshots { subprocess: Some(Arc::clone(&compiling)), ..snapshots });
    let options = ServerOptions {
        data_dir,
        store,
        client_memory_bytes,
        listen,
        allow_remote,
        files: storage.files.clone(),
        file_limits: storage.file_limits(),
        web,
        public_url,
        site_url,
        site_listen,
        reach,
        front,
        scheduled_calls: scheduling.scheduled_calls.map(usize::from),
        outbound,
        node,
        disclosure: match telling.show_errors.unwrap_or(is_development) {
            true => Disclosure::Everything,
            false => Disclosure::Production,
        },
        log_limits,
        open_metrics: telling.open_metrics || is_development,
        snapshots,
        compiler: Compiler::Subprocess(compiling),
        compiled_dir,
    };
    Ok(Box::pin(Server::start(options)).await?)
}

/// The Node that the flags name, if they do and it is one.
async fn find_node(arguments: Node, data_dir: &Path) -> anyhow::Result<Option<NodeOptions>> {
    let Node { node, node_processes, node_memory } = arguments;
    let Some(path) = node else { return Ok(None) };
    let found = tokio::task::spawn_blocking(move || NodeBinary::find(&path)).await?;
    let binary = found.context("--node")?;
    tracing::info!(version = binary.version(), "actions that are written for Node run in it");
    let mut options = NodeOptions::new(binary, data_dir.join("node"));
    options.memory_bytes_max = node_memory * MIB;
    if let Some(processes) = node_processes {
        options.processes_max = processes.into();
    }
    Ok(Some(options))
}

/// Every socket is an open file, and the usual limit of 1,024 is for programs
/// that use `select`. Takes what the system allows without asking anybody.
fn allow_many_files() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::warn!(%error, "the limit of open files stays; it bounds how many sockets there can be");
    }
}

/// Says that connections are accepted: the one line of standard output.
pub fn announce(server: &Server) -> anyhow::Result<()> {
    print_line(&format!("ready {}", server.local_url()))
}

/// Serves until the first signal; the second one ends the process at once. What
/// goes on `beside` ends with the server.
pub async fn until_stopped(server: Server, mut signals: StopSignals, beside: impl Future<Output = ()>) {
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = server.serve(async { drop(stopped.await) });
    let listening_for_signals = async {
        let name = signals.next().await;
        tracing::info!("{name}: stopping; once more ends at once");
        systemd::tell(State::Stopping);
        drop(stop);
        signals.next().await;
        std::process::exit(1);
    };
    let beside = async {
        beside.await;
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = serving => {}
        () = listening_for_signals => {}
        () = beside => {}
    }
}
