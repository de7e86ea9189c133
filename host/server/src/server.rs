//! The server as a whole: what it is made of on a real machine, and its life
//! from the start to the signal to stop.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use weir_auth::HttpFetcher;
use weir_db::{Database, MissingFunctions, Variables};
use weir_runtime::{ModuleAuth, ModuleInfo, ModuleSource, Runtime, RuntimeOptions};
use weir_store::{Env, RealEnv, StoreOptions};
use weir_value::limits;

use crate::admin_key::{AdminKey, AdminKeyError};
use crate::backend::{Backend, CanonicalUrls, Parts};
use crate::component_files::ComponentFiles;
use crate::deploy::{
    DeployError, Deployer, LoadFailure, Loaded, LoadedModule, Loader, Module, ModuleProviders, SnapshotMaker,
};
use crate::executor::Executor;
use crate::folders;
use crate::housekeeping;
use crate::http::StaticFiles;
use crate::identity::HostSigner;
use crate::listener::{self, Listening};
use crate::scheduler::{self, Scheduler};

/// The name in a new admin key, and what `/instance_name` answers.
const INSTANCE_NAME: &str = "weir";

/// What an operator decides about a server.
#[derive(Debug, Clone)]
pub struct ServerOptions {
    /// The folder of everything that outlives the process. Made if it is missing.
    pub data_dir: PathBuf,
    /// How the store in it is kept.
    pub store: StoreOptions,
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Whether `listen` may be an address that other machines can reach.
    pub allow_remote: bool,
    /// A folder of files to serve at `/`.
    pub web: Option<WebFolder>,
    /// Where clients reach the server, if not where it listens: what functions read as `CONVEX_CLOUD_URL`.
    pub public_url: Option<String>,
    /// Where the app's own pages are, if not there too: `CONVEX_SITE_URL`.
    pub site_url: Option<String>,
    /// Makes components fit the deployment's variables.
    pub snapshots: Arc<dyn SnapshotMaker>,
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

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Listening there needs to be asked for.
    #[error("{0} can be reached from other machines: to listen there all the same, add --allow-remote")]
    Remote(SocketAddr),
    /// Somebody else listens there, or it is not ours to listen at.
    #[error("cannot listen at {address}: {}", explain_listen(.source))]
    Listen {
        /// The address that was asked for.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The data folder cannot be made.
    #[error("the data folder {path}: {source}", path = path.display())]
    DataDir {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The web folder cannot be read.
    #[error("the web folder {path}: {source}", path = path.display())]
    Web {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The store in the data folder.
    #[error(transparent)]
    Store(#[from] weir_store::OpenError),
    /// The database in the store.
    #[error(transparent)]
    Database(#[from] weir_db::DbOpenError),
    /// The WebAssembly engine.
    #[error(transparent)]
    Runtime(#[from] weir_runtime::RuntimeError),
    /// The admin key.
    #[error(transparent)]
    AdminKey(#[from] AdminKeyError),
    /// The other admin keys.
    #[error("the admin keys cannot be read: {0}")]
    Keys(weir_store::ReadError),
    /// What was deployed when the server last ran is not known.
    #[error("what is deployed cannot be found out: {0}")]
    Deployment(#[from] DeployError),
    /// The system refused threads.
    #[error("the server's threads: {0}")]
    Threads(#[from] std::io::Error),
}

fn explain_listen(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            "another program listens there; stop it, or choose another port with --listen".into()
        }
        std::io::ErrorKind::PermissionDenied => "not allowed; choose a port above 1023 with --listen".into(),
        _ => error.to_string(),
    }
}

/// A server that is ready: it listens, and has its functions.
pub struct Server {
    backend: Arc<Backend>,
    listener: TcpListener,
    local_addr: SocketAddr,
}

impl Server {
    /// Opens everything and listens. Connections are accepted by `serve`.
    ///
    /// # Errors
    /// See [`StartError`]; each says what to do.
    pub async fn start(options: ServerOptions) -> Result<Server, StartError> {
        if !options.listen.ip().is_loopback() && !options.allow_remote {
            return Err(StartError::Remote(options.listen));
        }
        let listener = TcpListener::bind(options.listen)
            .await
            .map_err(|source| StartError::Listen { address: options.listen, source })?;
        let local_addr = listener.local_addr()?;
        let opened = tokio::task::spawn_blocking(move || open(&options, local_addr)).await;
        let backend = opened.map_err(|lost| std::io::Error::other(lost.to_string()))??;
        Server::on(backend, listener)
    }

    /// A server of parts that were put together elsewhere: for tests, and for
    /// hosts that embed it.
    ///
    /// # Errors
    /// When the system refuses threads, or the record of the deployment cannot be read.
    pub async fn of_parts(parts: Parts, listener: TcpListener) -> Result<Server, StartError> {
        let backend = Backend::start(parts);
        let opened = Arc::clone(&backend);
        let restored = tokio::task::spawn_blocking(move || opened.restore()).await;
        restored.map_err(|lost| std::io::Error::other(lost.to_string()))??;
        Server::on(backend, listener)
    }

    fn on(backend: Arc<Backend>, listener: TcpListener) -> Result<Server, StartError> {
        let local_addr = listener.local_addr()?;
        Ok(Server { backend, listener, local_addr })
    }

    /// Where it listens: with the real port.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// What deploys without the network, as `host dev` does.
    pub fn deployer(&self) -> Arc<Deployer> {
        Arc::clone(&self.backend.deployer)
    }

    /// What the server is made of.
    pub fn backend(&self) -> Arc<Backend> {
        Arc::clone(&self.backend)
    }

    /// Serves until `stop` is ready, then ends well: no new connections, sockets
    /// are told, calls that have begun end, the store is checkpointed.
    pub async fn serve(self, stop: impl Future<Output = ()>) {
        let Server { backend, listener, .. } = self;
        let listening = Listening::new(Arc::clone(&backend));
        tokio::select! {
            () = listener::accept(&listening, listener, stop) => {}
            () = housekeeping::keep(&backend) => {}
            () = scheduler::run(&backend) => {}
        }
        tracing::info!("stopping: no new connections, waiting for calls to end");
        backend.live.shut_down_sockets();
        backend.tasks.stop();
        let patience = Duration::from_millis(limits::SHUTDOWN_MS_MAX);
        if tokio::time::timeout(patience, backend.tasks.all_ended()).await.is_err() {
            tracing::warn!("some connections did not end in time and are cut");
        }
        let stopped = tokio::task::spawn_blocking(move || backend.stop()).await;
        if stopped.is_err() {
            tracing::error!("the store could not be closed in order; the next start recovers it");
        }
        tracing::info!("stopped");
    }
}

/// Where in a data folder the store is.
pub fn store_folder(data_dir: &Path) -> PathBuf {
    data_dir.join("store")
}

/// Opens what is in the data folder. On one that is there already, nothing here
/// needs room on the disk: a full one is no reason not to serve reads. Blocks.
fn open(options: &ServerOptions, local_addr: SocketAddr) -> Result<Arc<Backend>, StartError> {
    let data_dir = &options.data_dir;
    let in_data_dir = |source| StartError::DataDir { path: data_dir.clone(), source };
    folders::make_private_durably(data_dir).map_err(in_data_dir)?;
    let web = options.web.as_ref().map(open_web).transpose()?;
    let env: Arc<dyn Env> = Arc::new(RealEnv::new());
    let store = weir_store::open(&store_folder(data_dir), options.store.clone(), Arc::clone(&env))?;
    let admin_key = AdminKey::read_or_create(data_dir, INSTANCE_NAME)?;
    let files = ComponentFiles::at(&data_dir.join("components"));
    let threads = Executor::default_threads();
    let runtime = Runtime::new(RuntimeOptions {
        compiled_dir: Some(options.compiled_dir.clone().unwrap_or_else(|| data_dir.join("compiled"))),
        max_concurrent_calls: threads as u32 + 1,
        ..RuntimeOptions::default()
    })?;
    let db = Database::open(store, Arc::clone(&env))?;
    let urls = canonical_urls(options, local_addr);
    let loader = Arc::new(ComponentLoader(runtime));
    let snapshots = Arc::clone(&options.snapshots);
    let key_fetcher = Arc::new(HttpFetcher::new());
    let signer = Arc::new(HostSigner::new(data_dir, &urls));
    let parts = Parts {
        env,
        db,
        loader,
        snapshots,
        files: Some(files),
        admin_key,
        key_fetcher,
        signer,
        web,
        urls,
        threads,
        scheduled_calls: Scheduler::default_calls(threads),
    };
    let backend = Backend::start(parts);
    backend.restore()?;
    Ok(backend)
}

/// Where clients reach a server that listens here.
fn canonical_urls(options: &ServerOptions, local_addr: SocketAddr) -> CanonicalUrls {
    let at = CanonicalUrls::at(local_addr);
    let cloud = options.public_url.clone().unwrap_or(at.cloud);
    let site = options.site_url.clone().unwrap_or_else(|| cloud.clone());
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
struct ComponentLoader(Arc<Runtime>);

impl Loader for ComponentLoader {
    fn load(
        &self,
        modules: &[Module],
        missing: MissingFunctions,
        variables: &Variables,
    ) -> Result<Loaded, LoadFailure> {
        let sources: Vec<ModuleSource> = modules
            .iter()
            .map(|m| ModuleSource { name: m.name.clone(), component: m.component.clone() })
            .collect();
        let deployment = self.0.load_beside(&sources, missing, variables);
        let deployment = deployment.map_err(|error| LoadFailure(error.to_string()))?;
        let modules = deployment.modules().iter().map(loaded).collect();
        let schema = deployment.schema().clone();
        let variable_reads = deployment.variable_reads().clone();
        Ok(Loaded { functions: deployment, schema, modules, variable_reads })
    }
}

fn loaded(module: &ModuleInfo) -> LoadedModule {
    let ModuleInfo { name, functions, auth, .. } = module;
    let say = |auth: &ModuleAuth| {
        let file = auth.file.as_ref().map_or_else(String::new, |file| format!(", {file}"));
        let place = format!("module `{name}`{file}");
        match &auth.config {
            Ok(config) => Ok(ModuleProviders { place, config: config.clone() }),
            Err(reason) => Err(format!("{place}: {reason}")),
        }
    };
    let providers = auth.as_ref().map(say).transpose();
    LoadedModule { name: name.clone(), functions: functions.clone(), providers }
}
