//! One app: its database, and everything that is made for it once at the start.

use std::path::PathBuf;
use std::sync::Arc;

use weir_auth::{KeyFetcher, OwnKeys};
use weir_db::{Database, FileLimits, TokenSigner};
use weir_files::Files;
use weir_outbound::{Client, Rules};

use crate::actions::Actions;
use crate::admin_key::AdminKey;
use crate::audit::AuditLog;
use crate::canonical_urls::CanonicalUrls;
use crate::component_files::ComponentFiles;
use crate::deploy::{Deployer, InForce};
use crate::disclosure::Disclosure;
use crate::fan_out::FanOut;
use crate::group_listener::GroupListener;
use crate::identity::{HostSigner, Identities, KeyRing};
use crate::inbox::DurableGate;
use crate::kept_snapshots::KeptSnapshots;
use crate::live_hub::LiveHub;
use crate::machine::Machine;
use crate::reach::Reach;
use crate::scheduler::Scheduler;
use crate::start_error::StartError;
use crate::static_files::StaticFiles;
use crate::storage::Storage;
use crate::system_functions::AdminFunctions;

/// What an app is made of.
pub struct AppParts {
    /// The database, on its store.
    pub db: Arc<Database>,
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
    /// Where clients reach the app.
    pub urls: CanonicalUrls,
    /// Which names it answers to, and to whose pages.
    pub reach: Reach,
    /// Scheduled functions that are called at once.
    pub scheduled_calls: usize,
    /// Where actions may connect to.
    pub outbound: Rules,
    /// What callers are told of what goes on inside of functions.
    pub disclosure: Disclosure,
    /// Whether the figures are shown to whoever asks.
    pub open_metrics: bool,
    /// Where stored files lie, and how many there may be.
    pub stored_files: (Files, FileLimits),
    /// The folder for what the holders of admin keys do; `None`: that is written nowhere.
    pub audit: Option<PathBuf>,
}

/// An app on its machine, without its network.
pub struct App {
    /// What it runs on.
    pub machine: Arc<Machine>,
    /// The database.
    pub db: Arc<Database>,
    /// How far the log is durable, and who waits for it.
    pub durable: Arc<DurableGate>,
    /// Calls scheduled functions.
    pub scheduler: Arc<Scheduler>,
    /// Runs actions.
    pub actions: Arc<Actions>,
    /// Stored files.
    pub storage: Arc<Storage>,
    /// The live queries.
    pub live: Arc<LiveHub>,
    /// Takes deployments in.
    pub deployer: Arc<Deployer>,
    /// Who somebody is.
    pub identities: Arc<Identities>,
    /// Signs tokens for functions.
    pub signer: Arc<HostSigner>,
    /// Where clients reach the app.
    pub urls: CanonicalUrls,
    /// Which names it answers to, and to whose pages.
    pub reach: Reach,
    /// The files at `/`.
    pub web: Option<StaticFiles>,
    /// Snapshots that clients may come back to.
    pub kept_snapshots: KeptSnapshots,
    /// What callers are told of what goes on inside of functions.
    pub disclosure: Disclosure,
    /// Whether the figures are shown to whoever asks.
    pub open_metrics: bool,
    /// Where stands what the holders of admin keys do.
    pub audit: Option<Arc<AuditLog>>,
}

impl App {
    /// Connects the parts.
    pub fn start(machine: Arc<Machine>, parts: AppParts) -> Arc<App> {
        let AppParts {
            db,
            files,
            admin_key,
            key_fetcher,
            signer,
            web,
            urls,
            reach,
            scheduled_calls,
            outbound,
            disclosure,
            open_metrics,
            stored_files,
            audit: audit_folder,
        } = parts;
        let audit = audit_folder.map(|folder| Arc::new(AuditLog::start(&folder, &machine.env)));
        db.set_signer(Arc::clone(&signer) as Arc<dyn TokenSigner>);
        db.set_system_functions(Arc::new(AdminFunctions::new(&urls)));
        db.set_built_in_variables(urls.variables());
        let durable = Arc::new(DurableGate::new(db.store().durable()));
        let live = LiveHub::start(
            &machine.env,
            Arc::clone(&db),
            Arc::clone(&machine.executor),
            disclosure,
            machine.budget.shared_results(),
            FanOut::new(machine.env.processors()),
        );
        let client = Arc::new(Client::new(outbound.clone(), machine.descriptors.outbound_idle_max()));
        let storage = Storage::new(Arc::clone(&machine), Arc::clone(&db), Arc::clone(&durable), stored_files);
        let actions = Actions::new(
            Arc::clone(&machine),
            Arc::clone(&db),
            Arc::clone(&durable),
            Arc::clone(&client),
            Arc::clone(&storage),
            disclosure,
        );
        let scheduler = scheduler(&machine, &db, &durable, &actions, scheduled_calls);
        observe(&machine, &db, &durable, &scheduler, &live);
        let identities = identities(&machine, &db, &admin_key, key_fetcher, &signer);
        let deployer = Deployer::new(
            Arc::clone(&db),
            Arc::clone(&machine.loader),
            Arc::clone(&machine.snapshots),
            files,
            machine.tasks.clone(),
            signer.as_provider(),
            on_change(&live, &identities, &machine, (client, outbound)),
        );
        Arc::new(App {
            machine,
            db,
            durable,
            scheduler: Arc::new(scheduler),
            actions,
            storage,
            live,
            deployer: Arc::new(deployer),
            identities,
            signer,
            urls,
            reach,
            web,
            kept_snapshots: KeptSnapshots::default(),
            disclosure,
            open_metrics,
            audit,
        })
    }

    /// Takes up what the data folder says: the admin keys, and what is deployed. Blocks.
    ///
    /// # Errors
    /// The store, or the record of the deployment, cannot be read.
    pub fn restore(&self) -> Result<(), StartError> {
        self.identities.keys().refresh().map_err(StartError::Keys)?;
        if let Err(error) = self.db.fail_interrupted_jobs() {
            // On a full disk: they are marked at the next start.
            tracing::warn!(%error, "scheduled actions that were interrupted cannot be marked as failed");
        }
        if let Err(error) = self.db.skip_late_crons() {
            // On a full disk: they run once, as soon as there is room.
            tracing::warn!(%error, "what cron jobs have missed cannot be skipped");
        }
        Ok(self.deployer.restore()?)
    }

    /// Closes the store, when the machine has stopped: what was committed is synced, what is left is flushed. A
    /// deployment that has not begun to be put in force is lost. Blocks.
    pub fn close(&self) {
        if let Err(error) = self.db.note_running_time() {
            tracing::debug!(%error, "the last of the running time is not noted: request records are kept for longer");
        }
        self.live.stop();
        self.kept_snapshots.clear();
        self.deployer.give_up();
        // One that waits for room on the disk for its record would wait for ever.
        self.db.store().close();
        self.deployer.wait_given_up();
        if let Some(audit) = &self.audit {
            audit.close();
        }
    }
}

fn scheduler(
    machine: &Arc<Machine>,
    db: &Arc<Database>,
    durable: &Arc<DurableGate>,
    actions: &Arc<Actions>,
    calls: usize,
) -> Scheduler {
    Scheduler::new(Arc::clone(machine), Arc::clone(db), Arc::clone(durable), Arc::clone(actions), calls)
}

/// Has everybody told what is durable, and the figures how long runs and commits take.
fn observe(
    machine: &Machine,
    db: &Database,
    durable: &Arc<DurableGate>,
    scheduler: &Scheduler,
    live: &Arc<LiveHub>,
) {
    db.store().observe(Arc::new(GroupListener {
        durable: Arc::clone(durable),
        fan_out: FanOut::new(machine.env.processors()),
        alarm: scheduler.alarm(),
        live: Arc::downgrade(live),
        times: (machine.metrics.syncs.clone(), machine.metrics.commits.clone()),
    }));
    db.set_run_observer(Box::new(machine.metrics.runs.clone()));
}

fn identities(
    machine: &Machine,
    db: &Arc<Database>,
    admin_key: &AdminKey,
    key_fetcher: Arc<dyn KeyFetcher>,
    signer: &Arc<HostSigner>,
) -> Arc<Identities> {
    let env = || Arc::clone(&machine.env);
    let keys = KeyRing::new(env(), Arc::clone(db), admin_key);
    let own_keys = Arc::clone(signer) as Arc<dyn OwnKeys>;
    let instance_name = admin_key.instance_name().to_owned();
    Arc::new(Identities::new(instance_name, keys, env(), key_fetcher, own_keys))
}

/// What follows when a deployment has come into force. First whose tokens are good, then what live queries give: no user
/// of a provider that is gone gets a result of the new functions.
fn on_change(
    live: &Arc<LiveHub>,
    identities: &Arc<Identities>,
    machine: &Machine,
    (client, opened): (Arc<Client>, Rules),
) -> Box<dyn Fn(InForce) + Send + Sync> {
    let (hub, identities, tasks) = (Arc::downgrade(live), Arc::clone(identities), machine.tasks.clone());
    let runs = machine.metrics.runs.clone();
    Box::new(move |InForce { at, providers, outbound }| {
        let Some(hub) = hub.upgrade() else { return };
        client.set_rules(opened.and(&outbound));
        if identities.set_providers(providers) {
            hub.grounds_changed();
            let identities = Arc::clone(&identities);
            tasks.spawn_until_stop(async move { identities.prepare_keys().await });
        }
        runs.deployed(&hub.functions());
        hub.redeploy(at);
    })
}
