//! What the database needs of a deployment: which functions there are and how one is run, schemas, routes and cron jobs.
//!
//! Knows nothing of how functions are written, compiled or isolated.
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use weir_value::{FunctionPath, Mounts, Validator};

use crate::action::{self, ActionCall, HostFuture, Route};
use crate::{Cron, FunctionError, MissingFunction, Schemas, Teardown, Transaction};

/// What a function may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FunctionKind {
    /// Reads; its result can be watched.
    Query,
    /// Reads and writes, in one transaction.
    Mutation,
    /// Has no transaction: calls functions that have one, and the world.
    Action,
    /// The same, as the answer to an HTTP request.
    HttpAction,
}

impl FunctionKind {
    /// The kind that [`FunctionKind::as_str`] calls so; `None` for any other text.
    pub fn parse(text: &str) -> Option<FunctionKind> {
        match text {
            "query" => Some(FunctionKind::Query),
            "mutation" => Some(FunctionKind::Mutation),
            "action" => Some(FunctionKind::Action),
            "httpAction" => Some(FunctionKind::HttpAction),
            _ => None,
        }
    }

    /// Whether it has no transaction.
    pub fn is_action(self) -> bool {
        matches!(self, FunctionKind::Action | FunctionKind::HttpAction)
    }

    /// `query`, `mutation`, `action` or `httpAction`, as in a manifest.
    pub fn as_str(self) -> &'static str {
        match self {
            FunctionKind::Query => "query",
            FunctionKind::Mutation => "mutation",
            FunctionKind::Action => "action",
            FunctionKind::HttpAction => "httpAction",
        }
    }

    /// With its article, for error texts: `a query`.
    pub(crate) fn with_article(self) -> &'static str {
        match self {
            FunctionKind::Query => "a query",
            FunctionKind::Mutation => "a mutation",
            FunctionKind::Action => "an action",
            FunctionKind::HttpAction => "an HTTP action",
        }
    }
}

/// Who may call a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Visibility {
    /// Every client.
    Public,
    /// The admin key and other functions. To everyone else it does not exist.
    Internal,
}

impl Visibility {
    /// The visibility that [`Visibility::as_str`] calls so; `None` for any other text.
    pub fn parse(text: &str) -> Option<Visibility> {
        match text {
            "public" => Some(Visibility::Public),
            "internal" => Some(Visibility::Internal),
            _ => None,
        }
    }

    /// `public` or `internal`, as in a manifest.
    pub fn as_str(self) -> &'static str {
        match self {
            Visibility::Public => "public",
            Visibility::Internal => "internal",
        }
    }
}

/// One function of a deployment, as its manifest describes it.
#[derive(Debug, Clone)]
pub struct FunctionInfo {
    /// Its canonical path, `chat:sendMessage`.
    pub path: FunctionPath,
    /// What it may do.
    pub kind: FunctionKind,
    /// Who may call it.
    pub visibility: Visibility,
    /// What its arguments, one object, must look like.
    pub args: Validator,
    /// What its result must look like.
    pub returns: Validator,
}

/// Functions that can be called. `weir-runtime` implements it for components, [`crate::native`] for Rust closures.
pub trait Functions: Send + Sync + 'static {
    /// The function of this path, public or internal.
    fn find(&self, path: &FunctionPath) -> Option<Arc<FunctionInfo>>;

    /// All functions that can be run, in the order of their paths.
    fn list(&self) -> Vec<Arc<FunctionInfo>>;

    /// Runs an action, by being polled; dropping the future ends it. `args` and the result are as for
    /// [`Functions::run`].
    fn run_action(
        &self,
        info: &FunctionInfo,
        _args: &Bytes,
        _action: Arc<ActionCall>,
    ) -> HostFuture<Result<Bytes, FunctionError>> {
        let error = action::not_of_this_deployment(&info.path);
        Box::pin(async { Err(error) })
    }

    /// Runs a query or a mutation to its end on the calling thread. `args` is one canonical JSON object that the
    /// function's validator has accepted; the result is JSON that nobody has looked at.
    ///
    /// The transaction goes in and comes out: it may have been read and written even when the function
    /// failed, and its read set and log lines are needed then too. It may be called twice for one call of a
    /// client, with a fresh transaction each time.
    ///
    /// What takes time to clear after the call may be left in `teardown`; that of the call before is cleared first.
    fn run(
        &self,
        info: &FunctionInfo,
        args: &Bytes,
        tx: Transaction,
        teardown: &mut Teardown,
    ) -> (Transaction, Result<Bytes, FunctionError>);
}

/// All that is deployed together: the functions of the app and of the components that it mounts, their schemas, routes and
/// cron jobs. A function's path says which component it is of.
pub trait Deployment: Functions {
    /// A function that was deployed and cannot be run; asked for a path that [`Functions::find`] does not know.
    fn missing(&self, _path: &FunctionPath) -> Option<MissingFunction> {
        None
    }

    /// What the app mounts.
    fn mounts(&self) -> &Mounts {
        &NO_MOUNTS
    }

    /// The tables of the app and of what it mounts.
    fn schemas(&self) -> Schemas {
        Schemas::default()
    }

    /// Which HTTP requests which function answers.
    fn routes(&self) -> &[Route] {
        &[]
    }

    /// The cron jobs that are declared, no two of one name in one component.
    fn crons(&self) -> &[Cron] {
        &[]
    }

    /// What this host lacks to run all of them, for whoever deploys them: what is lacking, and how to give it.
    fn lacks(&self) -> Option<String> {
        None
    }
}

static NO_MOUNTS: LazyLock<Mounts> = LazyLock::new(Mounts::default);
