//! `weir:guest/variables`: the deployment's variables, by name.
use weir_db::{DbError, Transaction};

use crate::bindings::weir::guest::variables::Host;
use crate::call_state::{CallState, DescribedWith, Scope};
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
    /// Asks the transaction, in an action one of that moment, or, while a module describes itself, what it is described with.
    fn read<R: Default>(
        &mut self,
        in_call: impl FnOnce(&mut Transaction) -> Result<R, DbError>,
        in_describe: impl FnOnce(&mut DescribedWith) -> R,
    ) -> wasmtime::Result<R> {
        self.on_host_time(|state| match &mut state.scope {
            Scope::Transaction(scope) => match &mut scope.transaction {
                Some(transaction) => Ok(in_call(transaction).map_err(CallEnd::Transaction)?),
                None => Ok(R::default()),
            },
            Scope::Action(action) => Ok(action.call.look(in_call).map_err(CallEnd::Transaction)?),
            Scope::Describe(with) => Ok(in_describe(with)),
        })
    }
}
