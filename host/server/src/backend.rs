//! Everything that a request or a socket may need, made once at the start.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use weir_auth::{KeyFetcher, OwnKeys};
use weir_db::{BUILT_IN_VARIABLES, Database, TokenSigner};
use weir_store::Env;
use weir_value::limits;

use crate::admin_key::AdminKey;
use crate::component_files::ComponentFiles;
use crate::deploy::{Deployer, InForce, Loader, SnapshotMaker};
use crate::durable_gate::DurableGate;
use crate::executor::Executor;
use crate::http::StaticFiles;
use crate::identity::{HostSigner, Identities, KeyRing};
use crate::kept_snapshots::KeptSnapshots;
use crate::live_hub::{GroupListener, LiveHub};
use crate::metrics::Metrics;
use crate::passwords::PasswordThreads;
use crate::scheduler::Scheduler;
use crate::server::StartError;
use crate::system_functions::AdminFunctions;
use crate::tasks::Tasks;

/// What a backend is made of.
pub struct Parts {
    /// Time and threads.
    pub env: Arc<dyn Env>,
    /// The database, on its store.
    pub db: Arc<Database>,
    /// Makes functions of components.
    pub loader: Arc<dyn Loader>,
    /// Makes components fit the deployment's variables.
    pub snapshots: Arc<dyn SnapshotMaker>,
    /// Where components are kept; `None` keeps none.
    pub files: Option<ComponentFiles>,
    /// Who may deploy.
    pub admin_key: AdminKey,
    /// Fetches the keys of identity providers.
    pub key_fetcher: Arc<dyn KeyFetcher>,
    /// Signs tokens for functions.
    pub signer: Arc<HostSigner>,
    /// The files at `/`.
    pub web: Option<StaticFiles>,
    /// Where clients reach the server.
    pub urls: CanonicalUrls,
    /// Threads that run functions.
    pub threads: usize,
    /// Scheduled functions that are called at once.
    pub scheduled_calls: usize,
}

/// Where clients reach a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CanonicalUrls {
    /// The API: what the official clients are given.
    pub cloud: String,
    /// The app's own pages.
    pub site: String,
}

impl CanonicalUrls {
    /// Those of a server that is reached where it listens.
    pub fn at(address: SocketAddr) -> CanonicalUrls {
        let url = format!("http://{address}");
        CanonicalUrls { cloud: url.clone(), site: url }
    }

    /// The variables that functions read them by.
    pub fn variables(&self) -> BTreeMap<String, String> {
        let urls = [self.cloud.clone(), self.site.clone()];
        BUILT_IN_VARIABLES.into_iter().map(str::to_owned).zip(urls).collect()
    }
}

/// The server without its network.
pub struct Backend {
    env: Arc<dyn Env>,
    /// The database.
    pub db: Arc<Database>,
    /// The threads that functions run on.
    pub executor: Arc<Executor>,
    /// The threads that passwords are computed on.
    pub passwords: PasswordThreads,
    /// How far the log is durable, and who waits for it.
    pub durable: Arc<DurableGate>,
    /// Calls scheduled functions.
    pub scheduler: Arc<Scheduler>,
    /// The live queries.
    pub live: Arc<LiveHub>,
    /// Takes deployments in.
    pub deployer: Arc<Deployer>,
    /// Who somebody is.
    pub identities: Arc<Identities>,
    /// Signs tokens for functions.
    pub signer: Arc<HostSigner>,
    /// Where clients reach the server.
    pub urls: CanonicalUrls,
    /// The files at `/`.
    pub web: Option<StaticFiles>,
    /// Snapshots that clients may come back to.
    pub kept_snapshots: KeptSnapshots,
    /// The tasks of connections, sockets and deployments.
    pub tasks: Tasks,
    /// What the server counts.
    pub metrics: Metrics,
    /// Room for calls over HTTP.
    pub http_calls: Semaphore,
    /// Room for sockets.
    pub sockets: Arc<Semaphore>,
}

impl Backend {
    /// Connects the parts and starts their threads.
    pub fn start(parts: Parts) -> Arc<Backend> {
        let Parts { env, db, loader, snapshots, files, admin_key, key_fetcher, signer, web, urls, .. } =
            parts;
        let (threads, scheduled_calls) = (parts.threads, parts.scheduled_calls);
        db.set_signer(Arc::clone(&signer) as Arc<dyn TokenSigner>);
        db.set_system_functions(Arc::new(AdminFunctions::new(&urls)));
        db.set_built_in_variables(urls.variables());
        let executor = Arc::new(Executor::start(&*env, "call", threads));
        let passwords = PasswordThreads::start(&*env, PasswordThreads::default_threads());
        let durable = Arc::new(DurableGate::new(db.store().durable()));
        let live = LiveHub::start(&*env, Arc::clone(&db), Arc::clone(&executor));
        let scheduler = Arc::new(Scheduler::new(scheduled_calls));
        db.store().observe(Arc::new(GroupListener {
            durable: Arc::clone(&durable),
            scheduler: Arc::clone(&scheduler),
            hub: Arc::downgrade(&live),
            store: Arc::downgrade(db.store()),
        }));
        let keys = KeyRing::new(Arc::clone(&env), Arc::clone(&db), &admin_key);
        let instance_name = admin_key.instance_name().to_owned();
        let own_keys = Arc::clone(&signer) as Arc<dyn OwnKeys>;
        let identities = Identities::new(instance_name, keys, Arc::clone(&env), key_fetcher, own_keys);
        let identities = Arc::new(identities);
        let tasks = Tasks::default();
        let on_change = on_change(&live, &identities, &tasks);
        let host = signer.as_provider();
        let deployer =
            Deployer::new(Arc::clone(&db), loader, snapshots, files, tasks.clone(), host, on_change);
        Arc::new(Backend {
            env,
            db,
            executor,
            passwords,
            durable,
            scheduler,
            live,
            deployer: Arc::new(deployer),
            identities,
            signer,
            urls,
            web,
            kept_snapshots: KeptSnapshots::default(),
            tasks,
            metrics: Metrics::default(),
            http_calls: Semaphore::new(limits::HTTP_CALLS_IN_FLIGHT_MAX),
            sockets: Arc::new(Semaphore::new(limits::SOCKETS_MAX)),
        })
    }

    /// Takes up what the data folder says: the admin keys, and what is deployed. Blocks.
    ///
    /// # Errors
    /// The store, or the record of the deployment, cannot be read.
    pub fn restore(&self) -> Result<(), StartError> {
        self.identities.keys().refresh().map_err(StartError::Keys)?;
        Ok(self.deployer.restore()?)
    }

    /// The monotonic clock.
    pub fn clock(&self) -> Duration {
        self.env.monotonic()
    }

    /// The time since the Unix epoch.
    pub fn unix_time(&self) -> Duration {
        self.env.now().since_epoch()
    }

    /// Ends the threads, then closes the store: calls that have begun end, what
    /// they committed is synced, what is left is flushed. A deployment that has not
    /// begun to be put in force is lost. Blocks.
    pub fn stop(&self) {
        self.passwords.stop();
        self.executor.stop();
        if let Err(error) = self.db.note_running_time() {
            tracing::debug!(%error, "the last of the running time is not noted: request records are kept for longer");
        }
        self.live.stop();
        self.kept_snapshots.clear();
        self.deployer.give_up();
        // One that waits for room on the disk for its record would wait for ever.
        self.db.store().close();
        self.deployer.wait_given_up();
    }
}

/// What follows when a deployment has come into force. First whose tokens are good, then what live queries give: no user
/// of a provider that is gone gets a result of the new functions.
fn on_change(
    live: &Arc<LiveHub>,
    identities: &Arc<Identities>,
    tasks: &Tasks,
) -> Box<dyn Fn(InForce) + Send + Sync> {
    let (hub, identities, tasks) = (Arc::downgrade(live), Arc::clone(identities), tasks.clone());
    Box::new(move |InForce { at, providers }| {
        let Some(hub) = hub.upgrade() else { return };
        if identities.set_providers(providers) {
            hub.grounds_changed();
            let identities = Arc::clone(&identities);
            tasks.spawn_until_stop(async move { identities.prepare_keys().await });
        }
        hub.redeploy(at);
    })
}
