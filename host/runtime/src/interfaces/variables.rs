//! `weir:guest/variables`: the deployment's variables, by name.
use weir_db::{DbError, Transaction};

use crate::bindings::weir::guest::variables::Host;
use crate::call_state::{CallState, DescribedWith};
use crate::failure::CallEnd;

impl Host for CallState {
    fn get(&mut self, name: String) -> wasmtime::Result<Option<String>> {
        self.read(|tx| tx.variable(&name), |with| with.get(&name))
    }

    fn names(&mut self) -> wasmtime::Result<Vec<String>> {
        self.read(Transaction::variable_names, DescribedWith::names)
    }
}

impl CallState {
    /// Asks the transaction, or, while a module describes itself, what it is described with.
    fn read<R: Default>(
        &mut self,
        in_call: impl FnOnce(&mut Transaction) -> Result<R, DbError>,
        in_describe: impl FnOnce(&mut DescribedWith) -> R,
    ) -> wasmtime::Result<R> {
        self.on_host_time(|state| match (&mut state.transaction, &mut state.described_with) {
            (Some(transaction), _) => Ok(in_call(transaction).map_err(CallEnd::Transaction)?),
            (None, Some(with)) => Ok(in_describe(with)),
            (None, None) => Ok(R::default()),
        })
    }
}
