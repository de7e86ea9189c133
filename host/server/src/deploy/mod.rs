//! Which functions run: taking a deployment in, keeping it, putting it in
//! force, and finding it again at the next start.
//!
//! The components are files named by their content's hash; one record of the
//! database names those that are deployed, so that a deployment takes place as
//! one commit. The order is: files, record, in force, and last the files that
//! nobody needs any more are removed; each step is durable before the next one
//! begins. So the record names no file that is not there, whenever the process
//! ends. A deployment that fails at any step leaves the one before in force.
//!
//! A deployment has its turn to its end: what is recorded last is what was put
//! in force last. Nothing more is compiled for one that nobody waits for any
//! more; one that was compiled by then goes on, whether or not somebody waits.
//!
//! Not here: how components become functions, which is the loader's matter.

mod check;
mod error;
mod mounts;
mod providers;
mod restore;
mod snapshots;
mod summary;
mod variables;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use serde_json::Value as Json;
use tokio::sync::{OwnedMutexGuard, oneshot};
use weir_auth::{OwnHost, Providers};
use weir_db::{
    Database, Deployment, DeploymentVersion, MissingFunctions, PreparedDeployment, Schemas, VariableChanges,
    VariableReads, Variables,
};
use weir_outbound::Rules;
use weir_subprocess::Cancellation;
use weir_value::{ComponentPath, ComponentTree, FunctionPath, Mounts, Timestamp};

use self::summary::Record;
use crate::component_files::{ComponentFiles, ComponentHash};
use crate::tasks::Tasks;

pub use weir_db::{IndexWork, Progress};

pub use self::error::{DeployError, LoadFailure};
pub use self::mounts::load;
pub use self::providers::ModuleProviders;
pub use self::snapshots::{NoSnapshots, Snapshot, SnapshotMaker};
pub use self::summary::{FunctionSummary, MissingModule, ModuleSummary, MountSummary, Summary};

/// The name of the database's record of the deployment.
const RECORD_NAME: &str = "deployment";

/// How often whoever waits for a deployment looks whether the disk has room for
/// its record.
const DISK_CHECK_EVERY: Duration = Duration::from_millis(500);

/// One module to deploy.
#[derive(Debug, Clone)]
pub struct Module {
    /// Its name in the project.
    pub name: String,
    /// A component of Weir's world.
    pub component: Bytes,
}

/// A module of the app, or of something that is mounted, there.
#[derive(Debug, Clone)]
pub struct Placed {
    /// Where; empty for the app.
    pub mount: ComponentPath,
    /// What.
    pub module: Module,
}

/// What is to be deployed.
#[derive(Debug, Clone)]
pub struct NewDeployment {
    /// All modules.
    pub modules: Vec<Module>,
    /// Who may vouch for users, besides whom modules name: `{"providers": [...]}`, as Convex's `auth.config.ts` has it.
    pub auth: Option<Json>,
    /// The hosts, addresses and ranges that actions may connect to besides the internet, and what the operator opens.
    pub outbound: Vec<String>,
    /// What the app mounts, and of which of the modules that is made.
    pub components: ComponentTree,
}

impl From<Vec<Module>> for NewDeployment {
    /// Modules alone.
    fn from(modules: Vec<Module>) -> Self {
        NewDeployment { modules, auth: None, outbound: Vec::new(), components: ComponentTree::default() }
    }
}

/// Makes functions of components.
pub trait Loader: Send + Sync + 'static {
    /// Compiles and checks the modules of the app and of all that it mounts, beside which others are missing, in a
    /// deployment with these variables. Blocks. It ends soon when it is cancelled, as far as it can; what it gives
    /// then is good all the same.
    ///
    /// # Errors
    /// What is wrong with which module, for the developer.
    fn load(
        &self,
        modules: &[Placed],
        mounts: &Mounts,
        missing: MissingFunctions,
        variables: &Variables,
        cancellation: &Cancellation,
    ) -> Result<Loaded, LoadFailure>;

    /// Ends the calls of guests that run, and those that come: the server stops.
    fn interrupt(&self) {}
}

/// Modules, loaded.
pub struct Loaded {
    /// The functions of all modules, with their schemas.
    pub deployment: Arc<dyn Deployment>,
    /// Each module, in their order.
    pub modules: Vec<LoadedModule>,
    /// The variables that they read while they were loaded.
    pub variable_reads: VariableReads,
}

/// What a module says of itself.
#[derive(Debug, Clone)]
pub struct LoadedModule {
    /// Where it is mounted; empty for the app.
    pub mount: ComponentPath,
    /// Its name.
    pub name: String,
    /// The paths of its functions.
    pub functions: Vec<FunctionPath>,
    /// Who may vouch for users, if it says so; or why it cannot say.
    pub providers: Result<Option<ModuleProviders>, String>,
}

/// A deployment that came into force.
#[derive(Debug, Clone)]
pub struct InForce {
    /// From which timestamp on.
    pub at: Timestamp,
    /// Who may vouch for users.
    pub providers: Providers,
    /// Where actions may connect to besides the internet.
    pub outbound: Rules,
}

/// What is compiled, and whether anything is to be any more.
#[derive(Default)]
struct Compiling {
    is_over: bool,
    current: Cancellation,
}

/// Cancels when it is dropped, as when nobody waits any more.
struct CancelsWhenDropped(Cancellation);

impl Drop for CancelsWhenDropped {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// Takes deployments in, one at a time.
pub struct Deployer {
    db: Arc<Database>,
    loader: Arc<dyn Loader>,
    snapshots: Arc<dyn SnapshotMaker>,
    files: Option<ComponentFiles>,
    tasks: Tasks,
    host: OwnHost,
    on_change: Box<dyn Fn(InForce) + Send + Sync>,
    /// Held by a deployment from its beginning to its end.
    turn: Arc<tokio::sync::Mutex<()>>,
    /// Held from the first file that is written to the last that is removed.
    placing: Mutex<()>,
    is_stopping: AtomicBool,
    /// What is compiled for the deployment that has its turn.
    compiling: Mutex<Compiling>,
    /// The record is written and not durable yet.
    is_recording: AtomicBool,
    summary: Mutex<Summary>,
    /// The variables that the modules in force were made with.
    variable_reads: Mutex<VariableReads>,
    /// How far the deployment is that is being prepared.
    progress: Mutex<Option<Progress>>,
}

impl Deployer {
    /// The deployer of a host that is called `host`. It calls `on_change` whenever a deployment has come into force;
    /// what it does goes on in `tasks`. Without `files` nothing outlives the process.
    pub fn new(
        db: Arc<Database>,
        loader: Arc<dyn Loader>,
        snapshots: Arc<dyn SnapshotMaker>,
        files: Option<ComponentFiles>,
        tasks: Tasks,
        host: OwnHost,
        on_change: Box<dyn Fn(InForce) + Send + Sync>,
    ) -> Deployer {
        Deployer {
            db,
            loader,
            snapshots,
            files,
            tasks,
            host,
            on_change,
            turn: Arc::default(),
            placing: Mutex::default(),
            is_stopping: AtomicBool::new(false),
            compiling: Mutex::default(),
            is_recording: AtomicBool::new(false),
            summary: Mutex::default(),
            variable_reads: Mutex::default(),
            progress: Mutex::default(),
        }
    }

    /// How far the deployment is that is being prepared; `None` while there is none.
    pub fn progress(&self) -> Option<Progress> {
        self.progress.lock().clone()
    }

    /// What is deployed now.
    pub fn summary(&self) -> Summary {
        self.summary.lock().clone()
    }

    /// How many deployed modules cannot be run.
    pub fn missing_modules(&self) -> usize {
        self.summary.lock().missing.len()
    }

    /// Puts the recorded deployment in force, if there is one, as far as its
    /// components are there and load; of the others the log and the summary tell.
    /// Blocks; for the start, before any deployment.
    ///
    /// # Errors
    /// When the record cannot be read.
    pub fn restore(&self) -> Result<(), DeployError> {
        let Some(files) = &self.files else { return Ok(()) };
        let Some(record) = self.read_record()? else {
            files.keep_only(&[]);
            return Ok(());
        };
        let variables = self.sequenced_variables()?;
        let sources = restore::Sources { files, loader: &*self.loader, snapshots: &*self.snapshots };
        let (loaded, missing) = restore::restore(&record, sources, &variables)?;
        if let Some(lack) = loaded.deployment.lacks() {
            tracing::error!("some deployed functions cannot run, all others can: {lack}");
        }
        let version = self.db.set_deployment(Arc::clone(&loaded.deployment));
        let at = self.db.store().durable();
        let mut reads = loaded.variable_reads.clone();
        if !missing.is_empty() {
            // What those would read is not known: another value may be what mends one.
            reads.add_all();
        }
        *self.variable_reads.lock() = reads;
        let host = providers::host_beside(&*loaded.deployment, &self.host);
        let providers = providers::restore(&record, &loaded.modules, &host).unwrap_or_else(|error| {
            providers::report_lost(&error.masked(&variables, &loaded.variable_reads));
            Providers::default()
        });
        let rules = Rules::parse(&record.outbound).unwrap_or_else(|error| {
            tracing::error!(%error, "what was opened to actions is closed until you deploy again");
            Rules::default()
        });
        self.announce((version, at), &*loaded.deployment, record.summaries(), missing, (providers, rules));
        self.remove_unused_files();
        Ok(())
    }

    /// Loads, keeps and puts in force new modules, instead of all there were.
    /// When it returns, the deployment is durable and serves. When nobody waits
    /// for it any more, it ends if it is still being compiled, and goes on if
    /// not; until it has ended there is no other.
    ///
    /// # Errors
    /// The old deployment stays in force; see [`DeployError::WaitsForRoom`] for
    /// the one exception.
    pub async fn deploy(
        self: &Arc<Self>,
        deployment: impl Into<NewDeployment>,
    ) -> Result<Summary, DeployError> {
        let deployment = deployment.into();
        check::check(&deployment.modules)?;
        if self.is_stopping.load(Ordering::Acquire) {
            return Err(DeployError::Lost);
        }
        let turn = Arc::clone(&self.turn).try_lock_owned().map_err(|_| DeployError::Busy)?;
        let none = VariableChanges::default();
        self.in_turn(turn, move |deployer, cancellation| deployer.carry_out(deployment, none, cancellation))
            .await
    }

    /// Lets work go on in its turn to its end, on a thread that may block. What it compiles is cancelled when nobody waits
    /// any more.
    async fn in_turn<R: Send + 'static>(
        self: &Arc<Self>,
        turn: OwnedMutexGuard<()>,
        work: impl FnOnce(&Deployer, &Cancellation) -> Result<R, DeployError> + Send + 'static,
    ) -> Result<R, DeployError> {
        let (sender, receiver) = oneshot::channel();
        let this = Arc::clone(self);
        let cancellation = self.begin_compiling();
        let _waiting = CancelsWhenDropped(cancellation.clone());
        self.tasks.spawn(async move {
            let work = tokio::task::spawn_blocking(move || {
                let result = work(&this, &cancellation);
                drop(turn);
                result
            });
            let result = work.await.unwrap_or(Err(DeployError::Panicked));
            if let Err(error) = &result
                && error.is_of_host()
            {
                tracing::error!(%error, "a deployment failed");
            }
            if let Err(result) = sender.send(result) {
                report_unheard(result.err());
            }
        });
        self.hear(receiver).await
    }

    /// What the deployment compiles that has its turn now.
    fn begin_compiling(&self) -> Cancellation {
        let mut compiling = self.compiling.lock();
        compiling.current = Cancellation::default();
        if compiling.is_over {
            compiling.current.cancel();
        }
        compiling.current.clone()
    }

    /// From now on nothing is compiled: a deployment that is being compiled, or comes later, is lost. One that was compiled
    /// goes on.
    pub fn stop_compiling(&self) {
        let mut compiling = self.compiling.lock();
        compiling.is_over = true;
        compiling.current.cancel();
    }

    /// Why nothing was loaded: it is the deployer's own matter if the server stops.
    fn not_loaded(&self, failure: LoadFailure, cancellation: &Cancellation) -> DeployError {
        match cancellation.is_cancelled() && self.compiling.lock().is_over {
            true => DeployError::Lost,
            false => failure.into(),
        }
    }

    /// Waits for the end of a deployment, or until it is plain that it cannot
    /// end before somebody frees space on the disk.
    async fn hear<R>(&self, mut result: oneshot::Receiver<Result<R, DeployError>>) -> Result<R, DeployError> {
        loop {
            match tokio::time::timeout(DISK_CHECK_EVERY, &mut result).await {
                Ok(result) => return result.unwrap_or(Err(DeployError::Lost)),
                Err(_) if self.waits_for_room() => return Err(DeployError::WaitsForRoom),
                Err(_) => {}
            }
        }
    }

    fn waits_for_room(&self) -> bool {
        self.is_recording.load(Ordering::Acquire) && self.db.store().stats().disk_full
    }

    /// A whole deployment, in its turn, which sets variables too. Blocks.
    fn carry_out(
        &self,
        deployment: NewDeployment,
        changes: VariableChanges,
        cancellation: &Cancellation,
    ) -> Result<Summary, DeployError> {
        let NewDeployment { modules, auth, outbound, components } = deployment;
        let rules = Rules::parse(&outbound)?;
        let variables = self.sequenced_variables()?.with(&changes);
        let (modules, mounts) = mounts::place(modules, &components)?;
        mounts::check_variables(&mounts, &variables)?;
        let makers = snapshots::Makers { maker: &*self.snapshots, loader: &*self.loader, cancellation };
        let made = makers.make_and_load(modules, &mounts, MissingFunctions::default(), &variables);
        let (modules, loaded) = made.map_err(|failure| self.not_loaded(failure, cancellation))?;
        // What was deployed already goes on without what the host has lost since.
        let is_new = changes.names().next().is_none();
        if let Some(lack) = loaded.deployment.lacks().filter(|_| is_new) {
            return Err(LoadFailure(lack).into());
        }
        let masked = |error: DeployError| error.masked(&variables, &loaded.variable_reads);
        let components = components.of_mounts(&mounts);
        let record = Record { outbound, components, ..Record::of(&modules, &loaded, auth).map_err(masked)? };
        let host = providers::host_beside(&*loaded.deployment, &self.host);
        let providers = record.providers(&host).map_err(masked)?;
        let mut prepared = self.prepare(loaded.deployment.schemas())?;
        prepared.set_variables(changes);
        let _placing = self.placing.lock();
        let (version, recorded_at) = match self.place(&modules, &record, &prepared, &loaded.deployment) {
            Ok(placed) => placed,
            Err(error) => {
                // Nothing is recorded, so nothing but what is in force is needed.
                self.abandon(prepared);
                self.remove_unused_files();
                return Err(error);
            }
        };
        *self.variable_reads.lock() = loaded.variable_reads;
        self.wait_durable(recorded_at)?;
        self.db.forget_deployments_before(recorded_at);
        let summary = self.announce(
            (version, recorded_at),
            &*loaded.deployment,
            record.summaries(),
            Vec::new(),
            (providers, rules),
        );
        self.remove_unused_files();
        Ok(summary)
    }

    /// Makes the tables and indexes of a schema, and checks the documents that there are.
    fn prepare(&self, schemas: Schemas) -> Result<PreparedDeployment, DeployError> {
        if self.is_stopping.load(Ordering::Acquire) {
            return Err(DeployError::Lost);
        }
        let mut prepared = self.db.prepare(schemas)?;
        let finished = self.finish_preparing(&mut prepared);
        *self.progress.lock() = None;
        match finished {
            Ok(()) => Ok(prepared),
            Err(error) => {
                self.abandon(prepared);
                Err(error)
            }
        }
    }

    fn finish_preparing(&self, prepared: &mut PreparedDeployment) -> Result<(), DeployError> {
        loop {
            *self.progress.lock() = Some(prepared.progress().clone());
            if self.is_stopping.load(Ordering::Acquire) {
                return Err(DeployError::Lost);
            }
            if !prepared.step(&self.db)? {
                return Ok(());
            }
        }
    }

    fn abandon(&self, prepared: PreparedDeployment) {
        if let Err(error) = self.db.abandon(prepared) {
            tracing::debug!(%error, "what a deployment has built is dropped later");
        }
    }

    /// Writes the files, then the commit that puts the deployment in force.
    fn place(
        &self,
        modules: &[Placed],
        record: &Record,
        prepared: &PreparedDeployment,
        deployment: &Arc<dyn Deployment>,
    ) -> Result<(DeploymentVersion, Timestamp), DeployError> {
        if self.is_stopping.load(Ordering::Acquire) {
            return Err(DeployError::Lost);
        }
        self.keep_files(modules, record)?;
        let unwritable = |error: serde_json::Error| DeployError::Record(error.to_string());
        let text = serde_json::to_vec(record).map_err(unwritable)?;
        let event = serde_json::to_vec(&record.event()).map_err(unwritable)?;
        Ok(self.db.put_in_force(prepared, Arc::clone(deployment), text.into(), &event)?)
    }

    fn keep_files(&self, modules: &[Placed], record: &Record) -> Result<(), DeployError> {
        let Some(files) = &self.files else { return Ok(()) };
        let hashes = record.modules.iter().map(|recorded| recorded.module.sha256);
        let components: Vec<(ComponentHash, &Bytes)> =
            hashes.zip(modules.iter().map(|placed| &placed.module.component)).collect();
        files.write(&components).map_err(DeployError::of_files)
    }

    /// A record that the store could not make durable before it was closed is
    /// lost, or is found at the next start: its files stay.
    fn wait_durable(&self, ts: Timestamp) -> Result<(), DeployError> {
        self.is_recording.store(true, Ordering::Release);
        let waited = self.db.store().wait_durable(ts);
        self.is_recording.store(false, Ordering::Release);
        waited.map_err(|_| DeployError::Lost)
    }

    /// Says what is in force.
    fn announce(
        &self,
        (version, at): (DeploymentVersion, Timestamp),
        deployment: &dyn Deployment,
        modules: Vec<ModuleSummary>,
        missing: Vec<MissingModule>,
        (providers, outbound): (Providers, Rules),
    ) -> Summary {
        let described = deployment.list().iter().map(|info| summary::describe(info)).collect();
        let issuers = providers.issuers().map(str::to_owned).collect();
        let components = deployment.mounts().iter().map(summary::describe_mount).collect();
        let unmounted = self.db.unmounted_components().iter().map(ToString::to_string).collect();
        let (version, functions) = (version.0, described);
        let summary = Summary { version, modules, functions, components, unmounted, missing, issuers };
        *self.summary.lock() = summary.clone();
        (self.on_change)(InForce { at, providers, outbound });
        summary
    }

    /// Removes the components that are not of the deployment in force. Whoever
    /// calls sees to it that no other deployment has files by now.
    fn remove_unused_files(&self) {
        let Some(files) = &self.files else { return };
        let used: Vec<ComponentHash> =
            self.summary.lock().modules.iter().map(|module| module.sha256).collect();
        files.keep_only(&used);
    }

    /// From now on no deployment is put in force that has not begun to be: it is
    /// lost. One that has begun ends, at the latest when the store is closed.
    pub fn give_up(&self) {
        self.stop_compiling();
        self.is_stopping.store(true, Ordering::Release);
    }

    /// After `give_up`: waits until nothing is written any more. Blocks.
    pub fn wait_given_up(&self) {
        drop(self.placing.lock());
    }

    fn read_record(&self) -> Result<Option<Record>, DeployError> {
        let text =
            self.db.read_system(RECORD_NAME).map_err(|error| DeployError::Record(error.to_string()))?;
        text.map(|text| serde_json::from_slice(&text))
            .transpose()
            .map_err(|error| DeployError::Record(error.to_string()))
    }
}

/// Tells the log how a deployment ended for which nobody waited.
fn report_unheard(error: Option<DeployError>) {
    match error {
        None => tracing::info!("deployed, although whoever deployed did not wait for it"),
        Some(error) if !error.is_of_host() => {
            tracing::warn!(%error, "not deployed; whoever deployed did not wait for it");
        }
        // It was said already.
        Some(_) => {}
    }
}
