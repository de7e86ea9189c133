//! A linked component and its two exports, found once, so that a call looks up nothing by name.
use std::sync::Arc;
use std::time::{Duration, Instant};

use wasmtime::Store;
use wasmtime::component::{Component, ComponentExportIndex, Instance, InstancePre, Linker};

use crate::bindings::weir::guest::types::Failure;
use crate::call_state::CallState;
use crate::memory::{self, Image};

/// What a function gave: one JSON value, or its own error.
pub(crate) type Answer = Result<Vec<u8>, Failure>;

/// A component with all its imports resolved, ready to be instantiated.
pub(crate) struct Guest {
    linked: InstancePre<CallState>,
    /// What is in its memory at the start, if that was taken out of the component.
    image: Option<Arc<Image>>,
    describe: ComponentExportIndex,
    call: ComponentExportIndex,
}

impl Guest {
    /// Resolves the imports and finds the exports.
    ///
    /// # Errors
    /// An import or an export is missing, or an import is of another type than the host's. The exports' types are held
    /// against the world when they are called: `describe`, at the latest, when the module is loaded.
    pub(crate) fn link(
        linker: &Linker<CallState>,
        component: &Component,
        image: Option<Arc<Image>>,
    ) -> wasmtime::Result<Guest> {
        let export = |name: &str| {
            component
                .get_export_index(None, name)
                .ok_or_else(|| wasmtime::format_err!("it does not export `{name}`"))
        };
        let (describe, call) = (export("describe")?, export("call")?);
        Ok(Guest { linked: linker.instantiate_pre(component)?, image, describe, call })
    }

    /// A fresh instance.
    pub(crate) fn instantiate(&self, store: &mut Store<CallState>) -> wasmtime::Result<Instance> {
        memory::with_image(self.image.as_ref(), || self.linked.instantiate(store))
    }

    /// Asks for the manifest. `Err` inside: an export is of another type than the world's.
    pub(crate) fn describe(&self, store: &mut Store<CallState>) -> wasmtime::Result<Result<Vec<u8>, String>> {
        let instance = self.instantiate(store)?;
        if let Err(error) = instance.get_typed_func::<(&str, &[u8]), (Answer,)>(&mut *store, &self.call) {
            return Ok(Err(format!("its export `call` is of another type: {error:#}")));
        }
        match instance.get_typed_func::<(), (Vec<u8>,)>(&mut *store, &self.describe) {
            Ok(describe) => Ok(Ok(describe.call(store, ())?.0)),
            Err(error) => Ok(Err(format!("its export `describe` is of another type: {error:#}"))),
        }
    }

    /// Calls a function of the module.
    pub(crate) fn call(
        &self,
        store: &mut Store<CallState>,
        path: &str,
        args: &[u8],
    ) -> wasmtime::Result<Answer> {
        let instance = self.instantiate(store)?;
        let call = instance.get_typed_func::<(&str, &[u8]), (Answer,)>(&mut *store, &self.call)?;
        Ok(call.call(store, (path, args))?.0)
    }

    /// Calls a function again and again in one instance, and says how long each call took. For measurements alone.
    pub(crate) fn call_reused(
        &self,
        store: &mut Store<CallState>,
        path: &str,
        args: &[u8],
        calls: usize,
    ) -> wasmtime::Result<(Answer, Vec<Duration>)> {
        let instance = self.instantiate(store)?;
        let mut times = Vec::with_capacity(calls);
        loop {
            #[expect(
                clippy::disallowed_methods,
                reason = "what benchmarks ask for; no call in service is timed"
            )]
            let began = Instant::now();
            let call = instance.get_typed_func::<(&str, &[u8]), (Answer,)>(&mut *store, &self.call)?;
            let answer = call.call(&mut *store, (path, args))?.0;
            times.push(began.elapsed());
            if times.len() >= calls || answer.is_err() {
                return Ok((answer, times));
            }
        }
    }
}
