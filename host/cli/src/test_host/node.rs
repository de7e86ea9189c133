//! The Node of tests, which is looked for when the first action is called that is written for it.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use tempfile::TempDir;
use weir_db::{ActionCall, FunctionError, HostFuture, NodeBundle, NodeRunner};
use weir_node::{NodeBinary, NodeOptions, NodePool};
use weir_store::RealEnv;
use weir_value::{ErrorCode, FunctionPath};

/// A Node, if there is one, and where its processes have their files.
#[derive(Debug)]
pub struct TestNode {
    program: PathBuf,
    pool: OnceLock<Result<(NodePool, TempDir), String>>,
}

impl TestNode {
    /// That of a path, or of a name.
    pub fn new(program: PathBuf) -> TestNode {
        TestNode { program, pool: OnceLock::new() }
    }

    /// Whether an action works in it, and waits for nothing of the test's.
    pub fn is_busy(&self) -> bool {
        self.pool.get().and_then(|pool| pool.as_ref().ok()).is_some_and(|(pool, _)| pool.figures().busy > 0)
    }

    fn start(&self) -> Result<(NodePool, TempDir), String> {
        let binary = NodeBinary::find(&self.program).map_err(|error| format!("--node: {error}"))?;
        let folder = tempfile::tempdir().map_err(|error| format!("no folder for Node: {error}"))?;
        let options = NodeOptions::new(binary, folder.path().join("node"));
        Ok((NodePool::new(options, &RealEnv::new()), folder))
    }
}

impl NodeRunner for TestNode {
    fn run(
        &self,
        bundle: Arc<NodeBundle>,
        path: &FunctionPath,
        args: Bytes,
        action: Arc<ActionCall>,
    ) -> HostFuture<Result<Bytes, FunctionError>> {
        match self.pool.get_or_init(|| self.start()) {
            Ok((pool, _)) => pool.run(bundle, path, args, action),
            Err(message) => {
                let message = format!("it runs in Node.js: {message}");
                Box::pin(async { Err(FunctionError::Limit { code: ErrorCode::NotImplemented, message }) })
            }
        }
    }
}
