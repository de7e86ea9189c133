//! What belongs to the machine that a server runs on, whatever app it serves: time, threads, the engine, and how much may
//! be under way at once.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use weir_node::NodePool;
use weir_store::Env;
use weir_value::limits;

use crate::budget::Budget;
use crate::deploy::{Loader, SnapshotMaker};
use crate::descriptors::{Descriptor, Descriptors, TooManyOpen};
use crate::executor::Executor;
use crate::large_json::LargeJson;
use crate::log_limits::LogLimits;
use crate::metrics::Metrics;
use crate::passwords::PasswordThreads;
use crate::refusals::{Limit, Refusals};
use crate::tasks::Tasks;

/// What a machine is made of.
pub struct MachineParts {
    /// Time and threads.
    pub env: Arc<dyn Env>,
    /// Makes functions of components.
    pub loader: Arc<dyn Loader>,
    /// Makes components fit a deployment's variables.
    pub snapshots: Arc<dyn SnapshotMaker>,
    /// Runs what is written for Node, if anything does.
    pub node: Option<Arc<NodePool>>,
    /// Threads that run functions.
    pub threads: usize,
    /// Threads that take the places of those whose functions turn out to be slow.
    pub spare_threads: usize,
    /// What may be held in memory for clients, in bytes.
    pub client_memory_bytes: usize,
    /// What bounds the lines of functions in the host's log, if anything does.
    pub log_limits: Option<Arc<LogLimits>>,
}

/// A machine. Knows no app.
pub struct Machine {
    /// Time and threads.
    pub env: Arc<dyn Env>,
    /// The threads that functions run on.
    pub executor: Arc<Executor>,
    /// The threads that passwords are computed on.
    pub passwords: PasswordThreads,
    /// Makes functions of components.
    pub loader: Arc<dyn Loader>,
    /// Makes components fit a deployment's variables.
    pub snapshots: Arc<dyn SnapshotMaker>,
    /// Runs what is written for Node, if anything does.
    pub node: Option<Arc<NodePool>>,
    /// The tasks of connections, sockets and deployments.
    pub tasks: Tasks,
    /// What the server counts.
    pub metrics: Metrics,
    /// What was refused, by the limit that it was over.
    pub refusals: Refusals,
    /// Room for calls over HTTP.
    pub http_calls: Arc<Semaphore>,
    /// Files that may be open, connections among them.
    pub descriptors: Descriptors,
    /// Room for sockets.
    pub sockets: Arc<Semaphore>,
    /// Room for what is held for clients.
    pub budget: Budget,
    /// What bounds the lines of functions in the host's log, if anything does.
    pub log_limits: Option<Arc<LogLimits>>,
    /// Where large JSON is read and written.
    pub large_json: LargeJson,
}

impl Machine {
    /// Starts its threads.
    pub fn start(parts: MachineParts) -> Arc<Machine> {
        let MachineParts {
            env,
            loader,
            snapshots,
            node,
            threads,
            spare_threads,
            client_memory_bytes,
            log_limits,
        } = parts;
        let of_node = node.as_ref().map_or(0, |node| node.processes_max());
        let of_node = of_node.saturating_mul(limits::NODE_PROCESS_FILES);
        Arc::new(Machine {
            executor: Arc::new(Executor::start(&env, "call", threads, spare_threads)),
            passwords: PasswordThreads::start(&env, PasswordThreads::default_threads()),
            env,
            loader,
            snapshots,
            node,
            tasks: Tasks::default(),
            metrics: Metrics::default(),
            refusals: Refusals::default(),
            http_calls: Arc::new(Semaphore::new(limits::HTTP_CALLS_IN_FLIGHT_MAX)),
            descriptors: Descriptors::of_process(of_node),
            sockets: Arc::new(Semaphore::new(limits::SOCKETS_MAX)),
            budget: Budget::new(client_memory_bytes),
            log_limits,
            large_json: LargeJson::default(),
        })
    }

    /// A place for a file, or a connection to somewhere, that a request opens.
    ///
    /// # Errors
    /// Too much is open.
    pub fn open_for_request(&self) -> Result<Descriptor, TooManyOpen> {
        self.descriptors.for_request().inspect_err(|_| self.refusals.count(Limit::OpenFiles))
    }

    /// The monotonic clock.
    pub fn clock(&self) -> Duration {
        self.env.monotonic()
    }

    /// The time since the Unix epoch.
    pub fn unix_time(&self) -> Duration {
        self.env.now().since_epoch()
    }

    /// Says in the log what was left out of it.
    pub fn tell_left_out(&self) {
        if let Some(limits) = &self.log_limits {
            limits.tell();
        }
    }

    /// Refuses calls that have not begun, and those that come later.
    pub fn refuse_calls(&self) {
        self.passwords.close();
        self.executor.close();
    }

    /// Ends the threads that run functions: calls that have begun end, and others are refused. Blocks.
    pub fn stop(&self) {
        self.passwords.stop();
        self.executor.stop();
    }
}
