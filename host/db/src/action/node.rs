//! Actions that run in Node.js, outside of the host's process.
use std::fmt::Debug;
use std::sync::Arc;

use bytes::Bytes;
use weir_value::FunctionPath;

use super::{ActionCall, HostFuture};
use crate::FunctionError;

/// The script of a module's actions that run in Node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeBundle {
    /// Names its content: hexadecimal digits.
    pub digest: String,
    /// A module of JavaScript, whose export `modules` has the functions.
    pub script: Bytes,
    /// Where its lines come from: JSON.
    pub source_map: Bytes,
}

/// Runs actions in Node. Its futures are polled on any thread; dropping one ends the action.
pub trait NodeRunner: Debug + Send + Sync + 'static {
    /// Runs an action of a bundle. `args` is one canonical JSON object that the function's validator has accepted; the
    /// result is JSON that nobody has looked at.
    fn run(
        &self,
        bundle: Arc<NodeBundle>,
        path: &FunctionPath,
        args: Bytes,
        action: Arc<ActionCall>,
    ) -> HostFuture<Result<Bytes, FunctionError>>;
}
