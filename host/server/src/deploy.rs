//! Which functions run: taking a deployment in, keeping it, putting it in
//! place, and finding it again at the next start.
//!
//! The components are files named by their content's hash; one record of the
//! database names those that are deployed, so that a deployment takes place as
//! one commit. A deployment that fails at any step leaves the old one in place.
//! How components become functions is the loader's matter.

use std::io::ErrorKind;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use weir_db::{CommitError, Database, DeploymentVersion, FunctionKind, Functions, Visibility};
use weir_store::SequenceError;
use weir_value::{Timestamp, limits};

use crate::component_files::{ComponentFiles, ComponentHash};
use crate::durable_gate::DurableGate;

/// The name of the database's record of the deployment.
const RECORD_NAME: &str = "deployment";

/// One module to deploy.
#[derive(Debug, Clone)]
pub struct Module {
    /// Its name in the project.
    pub name: String,
    /// A component of Weir's world.
    pub component: Bytes,
}

/// Makes functions of components.
pub trait Loader: Send + Sync + 'static {
    /// Compiles and checks the modules. Blocks.
    ///
    /// # Errors
    /// What is wrong with which module, for the developer.
    fn load(&self, modules: &[Module]) -> Result<Arc<dyn Functions>, LoadFailure>;
}

/// Why modules are no deployment; for the developer who sent them.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct LoadFailure(pub String);

/// Why a deployment did not take place.
#[derive(Debug, thiserror::Error)]
pub enum DeployError {
    /// The request itself makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// A module could not be loaded.
    #[error(transparent)]
    Load(#[from] LoadFailure),
    /// Another deployment is under way.
    #[error("another deployment is under way: try again when it has ended")]
    Busy,
    /// The component files could not be written or read.
    #[error("the component files: {0}")]
    Io(#[from] std::io::Error),
    /// The store takes no writes for now.
    #[error("the record of the deployment was not written: {0}")]
    Refused(SequenceError),
    /// The record could not be written or read.
    #[error("the record of the deployment: {0}")]
    Record(String),
    /// The server stopped meanwhile.
    #[error("the server stopped before the deployment was in place")]
    Lost,
}

impl DeployError {
    /// Whether it was for lack of room on the disk.
    pub fn is_disk_full(&self) -> bool {
        match self {
            DeployError::Io(error) => {
                matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded)
            }
            DeployError::Refused(refusal) => *refusal == SequenceError::DiskFull,
            _ => false,
        }
    }
}

impl From<CommitError> for DeployError {
    fn from(error: CommitError) -> DeployError {
        match error {
            CommitError::Sequence(refusal) => DeployError::Refused(refusal),
            CommitError::Read(error) => DeployError::Record(error.to_string()),
        }
    }
}

/// What is deployed, for people and tools.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Counts the deployments since the server was started.
    pub version: u64,
    /// The modules.
    pub modules: Vec<ModuleSummary>,
    /// All functions, in the order of their paths.
    pub functions: Vec<FunctionSummary>,
}

/// One deployed module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModuleSummary {
    /// Its name.
    pub name: String,
    /// SHA-256 of its component, in hex.
    pub sha256: ComponentHash,
    /// The size of its component.
    #[serde(rename = "sizeBytes")]
    pub size_bytes: u64,
}

/// One deployed function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FunctionSummary {
    /// Its path.
    pub path: String,
    /// `query` or `mutation`.
    pub kind: String,
    /// `public` or `internal`.
    pub visibility: String,
}

#[derive(Serialize, Deserialize)]
struct Record {
    modules: Vec<ModuleSummary>,
}

/// Takes deployments in, one at a time.
pub struct Deployer {
    db: Arc<Database>,
    loader: Arc<dyn Loader>,
    files: Option<ComponentFiles>,
    durable: Arc<DurableGate>,
    on_change: Box<dyn Fn(DeploymentVersion) + Send + Sync>,
    one_at_a_time: tokio::sync::Mutex<()>,
    summary: Mutex<Summary>,
}

impl Deployer {
    /// A deployer that calls `on_change` after each deployment. Without `files`
    /// nothing outlives the process.
    pub fn new(
        db: Arc<Database>,
        loader: Arc<dyn Loader>,
        files: Option<ComponentFiles>,
        durable: Arc<DurableGate>,
        on_change: Box<dyn Fn(DeploymentVersion) + Send + Sync>,
    ) -> Deployer {
        let one_at_a_time = tokio::sync::Mutex::new(());
        let summary = Mutex::new(Summary::default());
        Deployer { db, loader, files, durable, on_change, one_at_a_time, summary }
    }

    /// What is deployed now.
    pub fn summary(&self) -> Summary {
        self.summary.lock().clone()
    }

    /// Puts the recorded deployment in place, if there is one. Blocks; for the
    /// start.
    ///
    /// # Errors
    /// When a component is gone or does not load any more.
    pub fn restore(&self) -> Result<(), DeployError> {
        let Some(files) = &self.files else { return Ok(()) };
        let Some(record) = self.read_record()? else {
            files.keep_only(&[]);
            return Ok(());
        };
        let read = |module: &ModuleSummary| {
            let component = files.read(&module.sha256)?;
            Ok(Module { name: module.name.clone(), component })
        };
        let modules: Vec<Module> = record.modules.iter().map(read).collect::<Result<_, std::io::Error>>()?;
        let functions = self.loader.load(&modules)?;
        self.put_in_place(functions, record.modules);
        Ok(())
    }

    /// Loads, keeps and puts in place new modules, instead of all there were.
    /// When it returns, the deployment is durable and serves.
    ///
    /// # Errors
    /// The old deployment stays in place.
    pub async fn deploy(self: &Arc<Self>, modules: Vec<Module>) -> Result<Summary, DeployError> {
        check(&modules)?;
        let _turn = self.one_at_a_time.try_lock().map_err(|_| DeployError::Busy)?;
        let this = Arc::clone(self);
        let prepared = tokio::task::spawn_blocking(move || this.prepare(&modules));
        let (functions, modules, ts) = prepared.await.map_err(|_| DeployError::Lost)??;
        self.durable.wait(ts).await;
        Ok(self.put_in_place(functions, modules))
    }

    /// All that may fail: compile, keep the files, write the record.
    fn prepare(&self, modules: &[Module]) -> Result<Prepared, DeployError> {
        let functions = self.loader.load(modules)?;
        let summaries: Vec<ModuleSummary> = modules.iter().map(summarize).collect();
        let recorded = self.record(modules, summaries);
        if recorded.is_err() {
            // What was written until then would only fill the disk, which may be what went wrong.
            self.keep_only(&self.summary.lock().modules);
        }
        let (modules, ts) = recorded?;
        Ok((functions, modules, ts))
    }

    fn record(
        &self,
        modules: &[Module],
        summaries: Vec<ModuleSummary>,
    ) -> Result<(Vec<ModuleSummary>, Timestamp), DeployError> {
        if let Some(files) = &self.files {
            for (module, summary) in modules.iter().zip(&summaries) {
                files.write(&summary.sha256, &module.component)?;
            }
        }
        let record = Record { modules: summaries };
        let text = serde_json::to_vec(&record).map_err(|e| DeployError::Record(e.to_string()))?;
        let ts = self.db.write_system(RECORD_NAME, text.into())?;
        Ok((record.modules, ts))
    }

    fn keep_only(&self, modules: &[ModuleSummary]) {
        if let Some(files) = &self.files {
            files.keep_only(&modules.iter().map(|module| module.sha256).collect::<Vec<_>>());
        }
    }

    fn put_in_place(&self, functions: Arc<dyn Functions>, modules: Vec<ModuleSummary>) -> Summary {
        let version = self.db.set_functions(Arc::clone(&functions));
        let described = functions.list().iter().map(|info| describe(info)).collect();
        self.keep_only(&modules);
        let summary = Summary { version: version.0, modules, functions: described };
        *self.summary.lock() = summary.clone();
        (self.on_change)(version);
        summary
    }

    fn read_record(&self) -> Result<Option<Record>, DeployError> {
        let text = self.db.read_system(RECORD_NAME)?;
        text.map(|text| serde_json::from_slice(&text))
            .transpose()
            .map_err(|error| DeployError::Record(error.to_string()))
    }
}

type Prepared = (Arc<dyn Functions>, Vec<ModuleSummary>, Timestamp);

fn check(modules: &[Module]) -> Result<(), DeployError> {
    if modules.len() > limits::DEPLOY_MODULES_MAX {
        let message = format!("more than {} modules", limits::DEPLOY_MODULES_MAX);
        return Err(DeployError::Invalid(message));
    }
    let bytes: usize = modules.iter().map(|module| module.component.len()).sum();
    if bytes > limits::DEPLOY_BYTES_MAX {
        let message =
            format!("the components have {bytes} bytes together, more than {}", limits::DEPLOY_BYTES_MAX);
        return Err(DeployError::Invalid(message));
    }
    for (number, module) in modules.iter().enumerate() {
        let name = &module.name;
        let is_name = !name.is_empty()
            && name.len() <= limits::MODULE_NAME_CHARS_MAX
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        if !is_name {
            let message = format!(
                "`{}` is no module name: it has 1 to {} letters, digits, `-` and `_`",
                name.escape_debug().take(80).collect::<String>(),
                limits::MODULE_NAME_CHARS_MAX
            );
            return Err(DeployError::Invalid(message));
        }
        if modules[..number].iter().any(|earlier| earlier.name == *name) {
            return Err(DeployError::Invalid(format!("module `{name}` is there twice")));
        }
        if module.component.len() > limits::MODULE_BYTES_MAX {
            let message = format!(
                "the component of module `{name}` has {} bytes, more than {}",
                module.component.len(),
                limits::MODULE_BYTES_MAX
            );
            return Err(DeployError::Invalid(message));
        }
    }
    Ok(())
}

fn summarize(module: &Module) -> ModuleSummary {
    ModuleSummary {
        name: module.name.clone(),
        sha256: ComponentHash::of(&module.component),
        size_bytes: module.component.len() as u64,
    }
}

fn describe(info: &weir_db::FunctionInfo) -> FunctionSummary {
    let kind = match info.kind {
        FunctionKind::Query => "query",
        FunctionKind::Mutation => "mutation",
    };
    let visibility = match info.visibility {
        Visibility::Public => "public",
        Visibility::Internal => "internal",
    };
    FunctionSummary { path: info.path.to_string(), kind: kind.to_owned(), visibility: visibility.to_owned() }
}
