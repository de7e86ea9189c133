//! `weir:guest/context`: what a call may know of the world.
use crate::bindings::weir::guest::context::Host;
use crate::call_state::{CallState, Scope};

impl Host for CallState {
    fn now(&mut self) -> wasmtime::Result<f64> {
        self.count_host_call()?;
        Ok(self.context().now_ms)
    }

    fn random_seed(&mut self) -> wasmtime::Result<Vec<u8>> {
        self.count_host_call()?;
        Ok(self.context().seed.to_vec())
    }

    fn request_id(&mut self) -> wasmtime::Result<String> {
        self.count_host_call()?;
        Ok(self.context().request_id.clone())
    }

    fn component(&mut self) -> wasmtime::Result<String> {
        self.count_host_call()?;
        Ok(match &mut self.scope {
            Scope::Transaction(scope) => {
                scope.transaction.as_ref().map(|tx| tx.path().component().to_string())
            }
            Scope::Action(action) => Some(action.call.path().component().to_string()),
            // It describes itself wherever it is mounted.
            Scope::Describe(_) => None,
        }
        .unwrap_or_default())
    }

    fn identity(&mut self) -> wasmtime::Result<Option<Vec<u8>>> {
        self.count_host_call()?;
        let identity = match &mut self.scope {
            Scope::Transaction(scope) => scope.transaction.as_mut().and_then(|tx| tx.identity()),
            Scope::Action(action) => action.call.identity(),
            Scope::Describe(_) => None,
        };
        Ok(identity.map(|identity| identity.json().to_vec()))
    }
}
