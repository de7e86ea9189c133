//! The server as a whole: what it is made of on a real machine, and its life
//! from the start to the signal to stop.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::time::Instant;
use weir_auth::HttpFetcher;
use weir_db::{CommitError, Database, FileLimits, MissingFunctions, NodeRunner, Variables};
use weir_files::{Files, FilesError, FilesPlace};
use weir_node::{NodeOptions, NodePool};
use weir_outbound::Rules;
use weir_runtime::{Compiler, ModuleAuth, ModuleInfo, ModuleSource, PartSource, Runtime, RuntimeOptions};
use weir_store::{Env, RealEnv, SequenceError, StoreOptions};
use weir_subprocess::Cancellation;
use weir_value::{Mounts, limits};

use crate::admin_key::AdminKey;
use crate::app::{App, AppParts};
use crate::canonical_urls::CanonicalUrls;
use crate::component_files::ComponentFiles;
use crate::deploy::{
    Deployer, LoadFailure, Loaded, LoadedModule, Loader, ModuleProviders, Placed, SnapshotMaker,
};
use crate::disclosure::Disclosure;
use crate::executor::Executor;
use crate::folders;
use crate::front::{Front, FrontOptions};
use crate::housekeeping;
use crate::identity::HostSigner;
use crate::listener::{self, Listeners, Listening};
use crate::log_limits::LogLimits;
use crate::machine::{Machine, MachineParts};
use crate::reach::{Reach, ReachOptions};
use crate::scheduler::Scheduler;
use crate::start_error::StartError;
use crate::static_files::StaticFiles;
use crate::tls::{TlsError, TlsOptions};

/// The name in a new admin key, and what `/instance_name` answers.
const INSTANCE_NAME: &str = "weir";

/// The record of the database with the name under which it has claimed the place of its files.
const FILES_OWNER: &str = "filesOwner";

/// What an operator decides about a server.
#[derive(Debug, Clone)]
pub struct ServerOptions {
    /// The folder of everything that outlives the process. Made if it is missing.
    pub data_dir: PathBuf,
    /// How the store in it is kept.
    pub store: StoreOptions,
    /// What may be held in memory for clients, in bytes.
    pub client_memory_bytes: usize,
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Whether `listen` may be an address that other machines can reach.
    pub allow_remote: bool,
    /// Where stored files lie, if not in the data folder.
    pub files: Option<FilesPlace>,
    /// How many there may be, and how large.
    pub file_limits: FileLimits,
    /// A folder of files to serve at `/`.
    pub web: Option<WebFolder>,
    /// Where clients reach the server, if not where it listens: what functions read as `CONVEX_CLOUD_URL`.
    pub public_url: Option<String>,
    /// Where the app's own pages are, if not there too: `CONVEX_SITE_URL`.
    pub site_url: Option<String>,
    /// Where the HTTP actions have a port of their own, if they have one; port 0 takes a free one.
    pub site_listen: Option<SocketAddr>,
    /// How many scheduled mutations are called at once, if not as many as fit the machine.
    pub scheduled_calls: Option<usize>,
    /// Which names it answers to, and to whose pages, besides its own.
    pub reach: ReachOptions,
    /// TLS, proxies, and what one address may take.
    pub front: FrontOptions,
    /// Where actions may connect to besides the internet.
    pub outbound: Rules,
    /// Runs the actions that are written for Node, if the host has one.
    pub node: Option<NodeOptions>,
    /// What callers are told of what goes on inside of functions.
    pub disclosure: Disclosure,
    /// Whether `/metrics` is open to whoever asks; otherwise to holders of admin keys.
    pub open_metrics: bool,
    /// What bounds the lines of functions in the host's log, if anything does: whoever writes that asks it.
    pub log_limits: Option<Arc<LogLimits>>,
    /// Makes components fit the deployment's variables.
    pub snapshots: Arc<dyn SnapshotMaker>,
    /// Who compiles what is deployed.
    pub compiler: Compiler,
    /// Where compiled code is kept between starts, if not in the data folder. Whoever can write there can run code in
    /// the host.
    pub compiled_dir: Option<PathBuf>,
}

/// A folder of files to serve.
#[derive(Debug, Clone)]
pub enum WebFolder {
    /// It must be there at the start.
    Present(PathBuf),
    /// It may come later: what builds it may not have run yet.
    Expected(PathBuf),
}

/// A server that is ready: it listens, and has its functions.
pub struct Server {
    app: Arc<App>,
    listener: TcpListener,
    local_addr: SocketAddr,
    site: Option<TcpListener>,
    redirect: Option<TcpListener>,
    front: Front,
}

impl Server {
    /// Opens everything and listens. Connections are accepted by `serve`.
    ///
    /// # Errors
    /// See [`StartError`]; each says what to do.
    pub async fn start(options: ServerOptions) -> Result<Server, StartError> {
        let listener = bind(options.listen, &options).await?;
        let site = match options.site_listen {
            Some(address) => Some(bind(address, &options).await?),
            None => None,
        };
        let redirect = match options.front.http_redirect {
            Some(_) if options.front.tls.is_none() => return Err(StartError::RedirectWithoutTls),
            Some(address) => Some(bind(address, &options).await?),
            None => None,
        };
        let local_addr = listener.local_addr()?;
        let site_addr = site.as_ref().map(TcpListener::local_addr).transpose()?;
        let opened = tokio::task::spawn_blocking(move || open(&options, local_addr, site_addr)).await;
        let (app, front) = opened.map_err(|lost| std::io::Error::other(lost.to_string()))??;
        Ok(Server { site, redirect, front, ..Server::on(app, listener)? })
    }

    /// A server of parts that were put together elsewhere: for tests, and for
    /// hosts that embed it.
    ///
    /// # Errors
    /// When the system refuses threads, or the record of the deployment cannot be read.
    pub async fn of_parts(
        machine: MachineParts,
        parts: AppParts,
        listener: TcpListener,
    ) -> Result<Server, StartError> {
        let app = App::start(Machine::start(machine), parts);
        let opened = Arc::clone(&app);
        let restored = tokio::task::spawn_blocking(move || opened.restore()).await;
        restored.map_err(|lost| std::io::Error::other(lost.to_string()))??;
        Server::on(app, listener)
    }

    fn on(app: Arc<App>, listener: TcpListener) -> Result<Server, StartError> {
        let local_addr = listener.local_addr()?;
        let front = Front::plain(Arc::clone(&app.machine.env));
        Ok(Server { app, listener, local_addr, site: None, redirect: None, front })
    }

    /// The same server, with TLS, proxies and limits as these options say.
    ///
    /// # Errors
    /// See [`TlsError`].
    pub fn facing(self, options: &FrontOptions) -> Result<Server, TlsError> {
        Ok(Server { front: Front::open(options, &self.app.machine.env)?, ..self })
    }

    /// Where it listens: with the real port.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Where it is reached on this machine: `https://127.0.0.1:3210`.
    pub fn local_url(&self) -> String {
        CanonicalUrls::at(self.local_addr, self.front.tls.is_some()).cloud
    }

    /// Where requests in plain text are sent on to the secure port, if they are.
    ///
    /// # Errors
    /// The system does not say it.
    pub fn redirect_addr(&self) -> std::io::Result<Option<SocketAddr>> {
        self.redirect.as_ref().map(TcpListener::local_addr).transpose()
    }

    /// Where the HTTP actions have a port of their own, if they have one.
    ///
    /// # Errors
    /// The system does not say it.
    pub fn site_addr(&self) -> std::io::Result<Option<SocketAddr>> {
        self.site.as_ref().map(TcpListener::local_addr).transpose()
    }

    /// What deploys without the network, as `host dev` does.
    pub fn deployer(&self) -> Arc<Deployer> {
        Arc::clone(&self.app.deployer)
    }

    /// What it serves, and on which machine.
    pub fn app(&self) -> Arc<App> {
        Arc::clone(&self.app)
    }

    /// Serves until `stop` is ready, then ends well: no new connections, sockets
    /// are told, calls that have begun end, the store is checkpointed.
    pub async fn serve(self, stop: impl Future<Output = ()>) {
        let Server { app, listener, site, redirect, front, local_addr } = self;
        let front = Arc::new(front);
        let https_port = app.urls.https_port().unwrap_or_else(|| local_addr.port());
        let listening = Listening::new(Arc::clone(&app), Arc::clone(&front), https_port);
        let listeners = Listeners { api: listener, site, redirect };
        tokio::select! {
            () = listener::accept(&listening, listeners, stop) => {}
            () = housekeeping::keep(&app) => {}
            () = front.keep(&app.machine.metrics) => {}
            () = app.scheduler.run() => {}
        }
        tracing::info!("stopping: no new connections, waiting for calls to end");
        let began = Instant::now();
        app.live.shut_down_sockets();
        app.deployer.stop_compiling();
        app.machine.tasks.stop();
        app.machine.refuse_calls();
        end_calls(&app).await;
        let stopped = tokio::task::spawn_blocking(move || {
            app.machine.stop();
            app.machine.tell_left_out();
            app.close();
        });
        let until = began + Duration::from_millis(limits::SHUTDOWN_MS_MAX);
        if !matches!(tokio::time::timeout_at(until, stopped).await, Ok(Ok(()))) {
            tracing::error!("the store could not be closed in order; the next start recovers it");
        }
        tracing::info!("stopped");
    }
}

/// Waits until the calls that run have ended. Guests that take too long are interrupted, and connections cut.
async fn end_calls(app: &App) {
    let tasks = &app.machine.tasks;
    let patience = Duration::from_millis(limits::SHUTDOWN_CALLS_MS_MAX);
    if tokio::time::timeout(patience, tasks.all_ended()).await.is_ok() {
        return;
    }
    tracing::warn!("some calls did not end in time and are interrupted");
    app.machine.loader.interrupt();
    let patience = Duration::from_millis(limits::SHUTDOWN_INTERRUPTED_MS_MAX);
    if tokio::time::timeout(patience, tasks.all_ended()).await.is_err() {
        tracing::warn!("some connections did not end in time and are cut");
    }
}

async fn bind(address: SocketAddr, options: &ServerOptions) -> Result<TcpListener, StartError> {
    if !address.ip().is_loopback() && !options.allow_remote {
        return Err(StartError::Remote(address));
    }
    TcpListener::bind(address).await.map_err(|source| StartError::Listen { address, source })
}

/// Where in a data folder the store is.
pub fn store_folder(data_dir: &Path) -> PathBuf {
    data_dir.join("store")
}

/// Where in a data folder stands what the holders of admin keys have done.
pub fn audit_folder(data_dir: &Path) -> PathBuf {
    data_dir.join("audit")
}

/// Where in a data folder is kept what an authority has given by ACME.
pub fn acme_folder(data_dir: &Path) -> PathBuf {
    data_dir.join("acme")
}

/// Opens what is in the data folder. On one that is there already, nothing here
/// needs room on the disk: a full one is no reason not to serve reads. Blocks.
fn open(
    options: &ServerOptions,
    local_addr: SocketAddr,
    site_addr: Option<SocketAddr>,
) -> Result<(Arc<App>, Front), StartError> {
    let data_dir = &options.data_dir;
    let in_data_dir = |source| StartError::DataDir { path: data_dir.clone(), source };
    folders::make_private_durably(data_dir).map_err(in_data_dir)?;
    folders::keep_others_out(data_dir).map_err(in_data_dir)?;
    if let Some(WebFolder::Present(web) | WebFolder::Expected(web)) = &options.web
        && folders::is_inside(data_dir, web)
    {
        return Err(StartError::DataInWeb { data: data_dir.clone(), web: web.clone() });
    }
    let web = options.web.as_ref().map(open_web).transpose()?;
    let env: Arc<dyn Env> = Arc::new(RealEnv::new());
    let front = Front::open(&options.front, &env)?;
    let store = weir_store::open(&store_folder(data_dir), options.store.clone(), Arc::clone(&env))?;
    let admin_key = AdminKey::read_or_create(data_dir, INSTANCE_NAME)?;
    let files = ComponentFiles::at(&data_dir.join("components"));
    let threads = Executor::default_threads();
    // As many as could turn out to be slow at once.
    let spare_threads = threads;
    let node = options.node.clone().map(|node| Arc::new(NodePool::new(node, &*env)));
    let runtime = Runtime::new(RuntimeOptions {
        compiled_dir: Some(options.compiled_dir.clone().unwrap_or_else(|| data_dir.join("compiled"))),
        compiler: options.compiler.clone(),
        max_concurrent_calls: (threads + spare_threads) as u32 + 1,
        node: node.clone().map(|pool| pool as Arc<dyn NodeRunner>),
        ..RuntimeOptions::default()
    })?;
    let db = Database::open(store, Arc::clone(&env))?;
    let stored_files = (open_files(options, &db)?, options.file_limits.clone());
    let urls = canonical_urls(options, local_addr, site_addr);
    let loader = Arc::new(ComponentLoader(runtime));
    let snapshots = Arc::clone(&options.snapshots);
    let client_memory_bytes = options.client_memory_bytes;
    let machine = MachineParts {
        env,
        loader,
        snapshots,
        node,
        threads,
        spare_threads,
        client_memory_bytes,
        log_limits: options.log_limits.clone(),
    };
    let machine = Machine::start(machine);
    let key_fetcher = Arc::new(HttpFetcher::new());
    let signer = Arc::new(HostSigner::new(data_dir, &urls));
    let scheduled_calls = options.scheduled_calls.unwrap_or_else(|| Scheduler::default_calls(threads));
    let files = Some(files);
    let outbound = options.outbound.clone();
    let parts = AppParts {
        db,
        files,
        admin_key,
        key_fetcher,
        signer,
        web,
        reach: Reach::new(&reach_options(options), &urls),
        urls,
        scheduled_calls,
        outbound,
        disclosure: options.disclosure,
        open_metrics: options.open_metrics,
        stored_files,
        audit: Some(audit_folder(data_dir)),
    };
    let app = App::start(machine, parts);
    app.restore()?;
    Ok((app, front))
}

/// Opens the place of stored files, which is this host's own from then on.
fn open_files(options: &ServerOptions, db: &Database) -> Result<Files, StartError> {
    let place = options.files.clone();
    let place = place.unwrap_or_else(|| FilesPlace::Folder(options.data_dir.join("files")));
    let in_place = |source| StartError::Files { place: place.clone(), source };
    let files = Files::open(&place).map_err(in_place)?;
    match files_owner(db) {
        Ok(owner) => match Handle::current().block_on(files.claim(&owner)) {
            // It is claimed at the next start.
            Err(FilesError::Full) => {}
            claimed => claimed.map_err(in_place)?,
        },
        Err(error) => tracing::warn!(%error, "the place of the files cannot be claimed for this host"),
    }
    Ok(files)
}

/// What the data folder is called in the place of its files.
fn files_owner(db: &Database) -> Result<String, CommitError> {
    if let Some(owner) = db.read_system(FILES_OWNER)?.and_then(|owner| String::from_utf8(owner.into()).ok()) {
        return Ok(owner);
    }
    let owner = db.new_file_name().simple().to_string();
    let ts = db.write_system(FILES_OWNER, owner.clone().into())?;
    db.store().wait_durable(ts).map_err(|_| SequenceError::Closed)?;
    Ok(owner)
}

/// The names that a certificate is asked for are the server's own too.
fn reach_options(options: &ServerOptions) -> ReachOptions {
    let mut reach = options.reach.clone();
    reach.host_names.extend(options.front.tls.iter().flat_map(TlsOptions::names).cloned());
    reach
}

/// Where clients reach a server that listens here.
fn canonical_urls(
    options: &ServerOptions,
    local_addr: SocketAddr,
    site_addr: Option<SocketAddr>,
) -> CanonicalUrls {
    let is_secure = options.front.tls.is_some();
    let at = CanonicalUrls::at(local_addr, is_secure);
    let cloud = options.public_url.clone().unwrap_or(at.cloud);
    let site_port = site_addr.map(|address| CanonicalUrls::at(address, is_secure).site);
    let site = options.site_url.clone().or(site_port).unwrap_or_else(|| cloud.clone());
    CanonicalUrls { cloud, site }
}

fn open_web(folder: &WebFolder) -> Result<StaticFiles, StartError> {
    match folder {
        WebFolder::Expected(path) => Ok(StaticFiles::at(path)),
        WebFolder::Present(path) => {
            StaticFiles::open(path).map_err(|source| StartError::Web { path: path.clone(), source })
        }
    }
}

/// Loads components into the WebAssembly runtime.
pub struct ComponentLoader(pub Arc<Runtime>);

impl Loader for ComponentLoader {
    fn interrupt(&self) {
        self.0.interrupt();
    }

    fn load(
        &self,
        modules: &[Placed],
        mounts: &Mounts,
        missing: MissingFunctions,
        variables: &Variables,
        cancellation: &Cancellation,
    ) -> Result<Loaded, LoadFailure> {
        let mut parts: Vec<PartSource> = Vec::new();
        for Placed { mount, module } in modules {
            let source = ModuleSource { name: module.name.clone(), component: module.component.clone() };
            match parts.last_mut().filter(|part| part.component == *mount) {
                Some(part) => part.modules.push(source),
                None => parts.push(PartSource { component: mount.clone(), modules: vec![source] }),
            }
        }
        let deployment =
            self.0.load_unless_cancelled(&parts, mounts.clone(), missing, variables, cancellation);
        let deployment = deployment.map_err(|error| LoadFailure(error.to_string()))?;
        let modules = deployment.modules().iter().map(loaded).collect();
        let variable_reads = deployment.variable_reads().clone();
        Ok(Loaded { deployment, modules, variable_reads })
    }
}

fn loaded(module: &ModuleInfo) -> LoadedModule {
    let ModuleInfo { name, component, functions, auth, .. } = module;
    let say = |auth: &ModuleAuth| {
        let file = auth.file.as_ref().map_or_else(String::new, |file| format!(", {file}"));
        let place = format!("module `{name}`{file}");
        match &auth.config {
            Ok(config) => Ok(ModuleProviders { place, config: config.clone() }),
            Err(reason) => Err(format!("{place}: {reason}")),
        }
    };
    let providers = auth.as_ref().map(say).transpose();
    LoadedModule { mount: component.clone(), name: name.clone(), functions: functions.clone(), providers }
}
