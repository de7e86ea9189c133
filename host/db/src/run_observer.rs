//! How long functions take, for whoever measures it.

use std::time::Duration;

use weir_value::FunctionPath;

use crate::Database;

/// Is told of every run of a function that a client, a schedule or another function outside of a transaction asked for.
pub trait RunObserver: Send + Sync {
    /// A run has ended, well or not. Called on the thread that ran it, before its outcome is told: return soon.
    fn run_ended(&self, path: &FunctionPath, took: Duration);
}

impl Database {
    /// Has runs measured; the first observer stays.
    pub fn set_run_observer(&self, observer: Box<dyn RunObserver>) {
        let _ = self.run_observer.set(observer);
    }

    /// Runs what calls a function, and tells how long it took.
    pub(crate) fn measured<R>(&self, path: &FunctionPath, run: impl FnOnce() -> R) -> R {
        let Some(observer) = self.run_observer.get() else { return run() };
        let began = self.shared.env.monotonic();
        let result = run();
        observer.run_ended(path, self.shared.env.monotonic().saturating_sub(began));
        result
    }

    /// The same, of an action.
    pub(crate) async fn measured_action<R>(&self, path: &FunctionPath, run: impl Future<Output = R>) -> R {
        let began = self.shared.env.monotonic();
        let result = run.await;
        self.run_observer.get().inspect(|observer| {
            observer.run_ended(path, self.shared.env.monotonic().saturating_sub(began));
        });
        result
    }
}
