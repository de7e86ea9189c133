//! Why a deployment was refused: always with the module's name.
use thiserror::Error;
use weir_subprocess::Failure;
use weir_value::FunctionPath;
use weir_value::limits::{CRONS_MAX, DEPLOY_BYTES_MAX, DEPLOY_FUNCTIONS_MAX, DEPLOY_MODULES_MAX};

use crate::ManifestError;

/// Why components were refused. Nothing of the load stays; the deployment before goes on.
#[derive(Debug, Error)]
pub enum LoadError {
    /// The set as a whole is larger than a deployment may be.
    #[error(
        "the deployment has {modules} modules and {bytes} bytes; at most {DEPLOY_MODULES_MAX} modules and \
         {DEPLOY_BYTES_MAX} bytes are allowed"
    )]
    TooMuch {
        /// How many modules.
        modules: usize,
        /// The size of all components.
        bytes: usize,
    },
    /// The modules together have too many functions.
    #[error("the deployment has {functions} functions; at most {DEPLOY_FUNCTIONS_MAX} are allowed")]
    TooManyFunctions {
        /// How many.
        functions: usize,
    },
    /// Two modules have a route of the same method and path.
    #[error("the modules `{first}` and `{second}` both answer {route}; leave it to one of them")]
    RouteConflict {
        /// Method and path.
        route: String,
        /// The module that was given first.
        first: String,
        /// The other.
        second: String,
    },
    /// Two modules have a cron job of the same name.
    #[error("the modules `{first}` and `{second}` both have a cron job `{name}`; give each its own name")]
    CronConflict {
        /// The name.
        name: String,
        /// The module that was given first.
        first: String,
        /// The other.
        second: String,
    },
    /// The routes of two parts are one, because of where they are mounted.
    #[error(
        "two HTTP actions answer {route}, one of them of the component `{component}`; mount it with another httpPrefix"
    )]
    MountedRoute {
        /// The method and the path.
        route: String,
        /// The later one's component.
        component: String,
    },
    /// The modules together have too many cron jobs.
    #[error("the deployment has {crons} cron jobs; at most {CRONS_MAX} are allowed")]
    TooManyCrons {
        /// How many.
        crons: usize,
    },
    /// Two modules declare a table, and not alike.
    #[error(
        "modules `{first}` and `{second}` declare table `{table}` differently: declare it in one of them, or alike in \
         both"
    )]
    TableConflict {
        /// The table.
        table: String,
        /// The module that declares it first.
        first: String,
        /// The other one.
        second: String,
    },
    /// Two modules have one name.
    #[error("two modules are named `{module}`; give each its own name")]
    DuplicateModule {
        /// The name.
        module: String,
    },
    /// The file is larger than a component may be.
    #[error("module `{module}` has {bytes} bytes; at most {bytes_max} are allowed")]
    TooLarge {
        /// The module's name.
        module: String,
        /// Its size.
        bytes: usize,
        /// The limit.
        bytes_max: usize,
    },
    /// The file does not begin as WebAssembly does.
    #[error("module `{module}` is not a WebAssembly component: {found}")]
    NotWasm {
        /// The module's name.
        module: String,
        /// What it looks like.
        found: &'static str,
    },
    /// A core module, that was not turned into a component.
    #[error(
        "module `{module}` is a core WebAssembly module, not a component; build it with `host build`, or turn it \
         into one with `wasm-tools component new`"
    )]
    CoreModule {
        /// The module's name.
        module: String,
    },
    /// A component, but a damaged one, or one that uses what this host does not offer.
    #[error(
        "module `{module}` cannot be compiled, its file is truncated, damaged or uses an unknown feature: {reason}"
    )]
    Invalid {
        /// The module's name.
        module: String,
        /// What the compiler said.
        reason: String,
    },
    /// It was not compiled, whatever is in it.
    #[error("module `{module}` was not compiled: {failure}")]
    Compile {
        /// The module's name.
        module: String,
        /// What it takes too much of, or what failed.
        failure: Failure,
    },
    /// What it says of its actions for Node cannot be read.
    #[error("module `{module}` is damaged: {reason}")]
    Node {
        /// The module's name.
        module: String,
        /// What is wrong.
        reason: String,
    },
    /// There is no place for what is in its memory at the start.
    #[error("module `{module}` cannot be loaded, the system gives no memory for it: {error}")]
    Memory {
        /// The module's name.
        module: String,
        /// What the system said.
        error: std::io::Error,
    },
    /// An import that the host does not offer.
    #[error(
        "module `{module}` imports `{import}`, which this host does not offer; a function can import `weir:guest` and \
         the parts of WASI that need no files and no network"
    )]
    UnknownImport {
        /// The module's name.
        module: String,
        /// The import, as it stands in the component.
        import: String,
    },
    /// Built for another version of the world.
    #[error(
        "module `{module}` was built for `{found}`, this host speaks `{expected}`; rebuild it with a matching SDK"
    )]
    WrongVersion {
        /// The module's name.
        module: String,
        /// The interface that it imports.
        found: String,
        /// The package of this host.
        expected: &'static str,
    },
    /// It does not export `describe` and `call`, or as something else.
    #[error("module `{module}` is not a guest of `weir:guest`: {reason}")]
    NotAGuest {
        /// The module's name.
        module: String,
        /// What is missing or different.
        reason: String,
    },
    /// `describe` gave no manifest.
    #[error("module `{module}` could not describe its functions: {reason}")]
    Describe {
        /// The module's name.
        module: String,
        /// How it failed.
        reason: String,
    },
    /// What `describe` gave is not a manifest.
    #[error("module `{module}` has a wrong manifest: {error}")]
    Manifest {
        /// The module's name.
        module: String,
        /// What is wrong with it.
        #[source]
        error: ManifestError,
    },
    /// Two modules export one path.
    #[error("modules `{first}` and `{second}` both export the function `{path}`; rename one of them")]
    DuplicateFunction {
        /// The function's path.
        path: FunctionPath,
        /// The module that came first.
        first: String,
        /// The other one.
        second: String,
    },
}

impl LoadError {
    /// The module at fault, the second one where it takes two; none where it is the set as a whole.
    pub fn module(&self) -> Option<&str> {
        match self {
            LoadError::TooMuch { .. }
            | LoadError::TooManyFunctions { .. }
            | LoadError::TooManyCrons { .. }
            | LoadError::MountedRoute { .. } => None,
            LoadError::DuplicateModule { module }
            | LoadError::TooLarge { module, .. }
            | LoadError::NotWasm { module, .. }
            | LoadError::CoreModule { module }
            | LoadError::Invalid { module, .. }
            | LoadError::Compile { module, .. }
            | LoadError::UnknownImport { module, .. }
            | LoadError::WrongVersion { module, .. }
            | LoadError::NotAGuest { module, .. }
            | LoadError::Memory { module, .. }
            | LoadError::Node { module, .. }
            | LoadError::Describe { module, .. }
            | LoadError::Manifest { module, .. } => Some(module),
            LoadError::DuplicateFunction { second, .. }
            | LoadError::RouteConflict { second, .. }
            | LoadError::CronConflict { second, .. }
            | LoadError::TableConflict { second, .. } => Some(second),
        }
    }
}
