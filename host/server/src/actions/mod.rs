//! Runs actions: each is a future that the executor's threads poll, and that holds none of them while it waits.
//!
//! One that has begun goes on when whoever asked for it has left, to its end or the server's: half of what it does to the
//! world is worse than all of it.

mod host;

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::{Semaphore, oneshot};
use weir_db::{ActionOutcome, Call, CallError, Database, HttpExchange};
use weir_outbound::Client;
use weir_value::{ErrorCode, limits};

use crate::disclosure::Disclosure;
use crate::executor::Flow;
use crate::inbox::DurableGate;
use crate::machine::Machine;
use crate::refusals::Limit;
use crate::storage::Storage;
use host::Host;

/// What the actions of an app need.
pub struct Actions {
    machine: Arc<Machine>,
    db: Arc<Database>,
    durable: Arc<DurableGate>,
    /// Sends their requests.
    client: Arc<Client>,
    /// Stores their files.
    storage: Arc<Storage>,
    /// What their callers are told.
    disclosure: Disclosure,
    /// Room for actions.
    room: Arc<Semaphore>,
}

impl Actions {
    /// Those of an app, whose requests this client sends.
    pub fn new(
        machine: Arc<Machine>,
        db: Arc<Database>,
        durable: Arc<DurableGate>,
        client: Arc<Client>,
        storage: Arc<Storage>,
        disclosure: Disclosure,
    ) -> Arc<Actions> {
        let room = Arc::new(Semaphore::new(limits::ACTIONS_AT_ONCE_MAX));
        Arc::new(Actions { machine, db, durable, client, storage, disclosure, room })
    }

    /// How many run.
    pub fn running(&self) -> usize {
        limits::ACTIONS_AT_ONCE_MAX - self.room.available_permits()
    }

    /// Runs an action of this client, and gives what its caller is told of how it ended.
    pub async fn run(self: &Arc<Self>, call: Call, flow: Flow) -> ActionOutcome {
        let asked = call.clone();
        let outcome = self.run_below(call, flow, 0).await;
        self.disclosure.of_action(&asked, outcome)
    }

    /// The same, of an action that so many others stand around. On a thread of the network.
    async fn run_below(self: &Arc<Self>, call: Call, flow: Flow, depth: usize) -> ActionOutcome {
        let host = Arc::new(Host::new(Arc::clone(self), &call, (flow, depth), Handle::current()));
        let request_id = call.request_id.clone();
        self.to_its_end(request_id, flow, Arc::clone(&self.db).action(call, host)).await
    }

    /// Runs an HTTP action, and gives how it ended; its response has been given before.
    pub async fn run_http(self: &Arc<Self>, call: Call, flow: Flow, exchange: HttpExchange) -> ActionOutcome {
        let host = Arc::new(Host::new(Arc::clone(self), &call, (flow, 0), Handle::current()));
        let request_id = call.request_id.clone();
        self.to_its_end(request_id, flow, Arc::clone(&self.db).http_action(call, exchange, host)).await
    }

    async fn to_its_end(
        &self,
        request_id: String,
        flow: Flow,
        action: impl Future<Output = ActionOutcome> + Send + 'static,
    ) -> ActionOutcome {
        let Ok(room) = Arc::clone(&self.room).try_acquire_owned() else {
            self.machine.refusals.count(Limit::Actions);
            let message = format!(
                "More than {} actions run at once: try again in a moment.",
                limits::ACTIONS_AT_ONCE_MAX
            );
            return refused(&request_id, ErrorCode::TooManyActions, &message);
        };
        let (sender, receiver) = oneshot::channel();
        let running = self.machine.executor.run_future(flow, action);
        self.machine.tasks.spawn_until_stop(async move {
            let outcome = running.await;
            drop(room);
            if let Some(outcome) = outcome {
                let _ = sender.send(outcome);
            }
        });
        let lost = "The action was given up, because the server stops or failed; what it did before is done.";
        receiver.await.unwrap_or_else(|_| refused(&request_id, ErrorCode::ShuttingDown, lost))
    }
}

fn refused(request_id: &str, code: ErrorCode, message: &str) -> ActionOutcome {
    let message = format!("[Request ID: {request_id}] Server Error\n{code}: {message}");
    ActionOutcome { result: Err(CallError::new(code, message).public()), log_lines: Vec::new() }
}
