//! Actions in a test, on a host that the test brings.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use weir_db::{ActionHost, ActionOutcome, Call};
use weir_value::FunctionPath;

use crate::{TestDatabase, TestError};

impl TestDatabase {
    /// Runs actions from now on, scheduled ones too, with this doing for them what takes time. They run on the thread that
    /// calls them, to their end.
    pub fn set_action_host(&mut self, host: Arc<dyn ActionHost>) {
        self.action_host = Some(host);
    }

    pub(crate) fn action_host(&self, path: &FunctionPath) -> Result<Arc<dyn ActionHost>, TestError> {
        self.action_host.clone().ok_or_else(|| TestError::Action(path.clone()))
    }

    pub(crate) fn run_action(&self, call: Call) -> Result<ActionOutcome, TestError> {
        let host = self.action_host(&call.path)?;
        // An action sees what is durable; in memory that takes no time.
        self.store
            .wait_durable(self.store.sequenced())
            .map_err(|error| TestError::Store(error.to_string()))?;
        Ok(block_on(self.db.clone().action(call, host)))
    }
}

/// Wakes the thread that waits.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Polls a future to its end on this thread.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(result) => return result,
            Poll::Pending => thread::park(),
        }
    }
}
