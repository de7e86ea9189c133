//! The pool: which child serves a call, and when a child is ended.
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use weir_db::{ActionCall, FunctionError, HostFuture, NodeBundle, NodeRunner};
use weir_store::Env;
use weir_value::{ErrorCode, FunctionPath};

use crate::child::{Child, Setup};
use crate::figures::{Counted, NodeFigures, count};
use crate::folder::Folder;
use crate::place::Place;
use crate::spawner::Spawner;
use crate::{NodeOptions, call, failure};

/// There may be so many times more children than work at the same time: the others wait for actions that they call.
const CHILDREN_FOR_A_PLACE: usize = 4;

/// Children of Node, for the actions that are written for it.
#[derive(Debug)]
pub struct NodePool(Arc<Pool>);

#[derive(Debug)]
struct Pool {
    options: NodeOptions,
    folder: Arc<Folder>,
    spawner: Spawner,
    /// For calls that work.
    places: Arc<Semaphore>,
    /// For children.
    rooms: Arc<Semaphore>,
    idle: Mutex<Idle>,
    counted: Counted,
}

/// Children that wait for a call, the one that has waited longest first.
#[derive(Debug, Default)]
struct Idle {
    last: u64,
    /// Each with the number under which it was put here.
    children: Vec<(u64, Child)>,
}

impl NodePool {
    /// How many processes there may be.
    pub fn processes_max(&self) -> usize {
        self.0.options.processes_max.saturating_mul(CHILDREN_FOR_A_PLACE)
    }

    /// A pool without a child yet; what an earlier one has left in its folder is removed.
    pub fn new(options: NodeOptions, env: &dyn Env) -> NodePool {
        let places = options.processes_max;
        NodePool(Arc::new(Pool {
            folder: Arc::new(Folder::new(options.folder.clone())),
            spawner: Spawner::start(env),
            places: Arc::new(Semaphore::new(places)),
            rooms: Arc::new(Semaphore::new(places.saturating_mul(CHILDREN_FOR_A_PLACE))),
            idle: Mutex::default(),
            counted: Counted::default(),
            options,
        }))
    }

    /// How many children wait for a call.
    pub fn idle_children(&self) -> usize {
        self.0.idle.lock().children.len()
    }

    /// What it does and has done.
    pub fn figures(&self) -> NodeFigures {
        let pool = &self.0;
        let rooms = pool.options.processes_max.saturating_mul(CHILDREN_FOR_A_PLACE);
        let processes = rooms.saturating_sub(pool.rooms.available_permits());
        let busy = pool.options.processes_max.saturating_sub(pool.places.available_permits());
        pool.counted.figures(processes, busy)
    }
}

impl NodeRunner for NodePool {
    fn run(
        &self,
        bundle: Arc<NodeBundle>,
        path: &FunctionPath,
        args: Bytes,
        action: Arc<ActionCall>,
    ) -> HostFuture<Result<Bytes, FunctionError>> {
        let (sender, result) = oneshot::channel();
        let (pool, path, host) = (self.0.clone(), path.clone(), action.host().clone());
        Box::pin(async move {
            // On the network's threads, wherever this is polled; dropping it ends the call, and with it the child.
            let running = host.spawn(Box::pin(async move {
                let result = pool.run(bundle, &path, args, action).await;
                pool.counted.ended(&result);
                drop(sender.send(result));
            }));
            let result = result.await;
            drop(running);
            let message = "the action was given up: the server stops".to_owned();
            result.unwrap_or(Err(FunctionError::System { code: ErrorCode::ShuttingDown, message }))
        })
    }
}

impl Pool {
    async fn run(
        self: &Arc<Self>,
        bundle: Arc<NodeBundle>,
        path: &FunctionPath,
        args: Bytes,
        action: Arc<ActionCall>,
    ) -> Result<Bytes, FunctionError> {
        let waits = self.counted.waits();
        let place = Place::take(&self.places).await;
        drop(waits);
        let looked = action.clone();
        let variables = tokio::task::spawn_blocking(move || looked.variables()).await;
        let variables = variables.map_err(|lost| failure::no_child(lost.to_string()))??;
        let outbound = action.host().outbound_rules();
        let setup = Setup { digest: bundle.digest.clone(), variables, outbound };
        let mut child = match self.take_idle(&setup) {
            Some(child) => child,
            None => self.start(bundle, setup).await?,
        };
        let ended = call::run(&mut child, &self.options, path, args, action, place).await;
        if ended.is_reusable && child.calls < self.options.calls_max {
            self.put_back(child);
        }
        ended.result
    }

    /// A child that can serve a call at once.
    fn take_idle(&self, setup: &Setup) -> Option<Child> {
        let mut idle = self.idle.lock();
        while let Some(at) = idle.children.iter().rposition(|(_, child)| child.setup == *setup) {
            let (_, mut child) = idle.children.remove(at);
            if child.is_idle() {
                return Some(child);
            }
        }
        // Those that were started with what is no more so serve nobody.
        idle.children.retain(|(_, child)| child.setup.digest != setup.digest);
        None
    }

    async fn start(&self, bundle: Arc<NodeBundle>, setup: Setup) -> Result<Child, FunctionError> {
        let room = self.room().ok_or_else(|| {
            failure::too_many(self.options.processes_max.saturating_mul(CHILDREN_FOR_A_PLACE))
        })?;
        let with = (&self.folder, &self.spawner);
        let child = Child::start(&self.options, with, bundle, setup, room).await.map_err(|error| {
            let error = format!("a Node process cannot be started: {error}");
            tracing::error!("{error}");
            failure::no_child(error)
        })?;
        count(&self.counted.started);
        Ok(child)
    }

    /// Room for a child, if need be that of one that waits.
    fn room(&self) -> Option<OwnedSemaphorePermit> {
        loop {
            if let Ok(room) = self.rooms.clone().try_acquire_owned() {
                return Some(room);
            }
            let mut idle = self.idle.lock();
            if idle.children.is_empty() {
                return None;
            }
            drop(idle.children.remove(0));
        }
    }

    fn put_back(self: &Arc<Self>, child: Child) {
        let mut idle = self.idle.lock();
        if idle.children.len() >= self.options.processes_max {
            drop(idle.children.remove(0));
        }
        idle.last += 1;
        let number = idle.last;
        idle.children.push((number, child));
        drop(idle);
        let pool = Arc::downgrade(self);
        let time = self.options.idle_time_max;
        // It ends with the runtime, or does nothing.
        drop(tokio::runtime::Handle::current().spawn(async move {
            tokio::time::sleep(time.max(Duration::from_millis(1))).await;
            if let Some(pool) = pool.upgrade() {
                pool.idle.lock().children.retain(|(other, _)| *other != number);
            }
        }));
    }
}
