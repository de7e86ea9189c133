//! A linked component and its two exports, found once, so that a call looks up nothing by name.
use std::future::poll_fn;
use std::sync::Arc;
use std::time::{Duration, Instant};

use wasmtime::Store;
use wasmtime::component::{Component, ComponentExportIndex, Instance, InstancePre, Linker, TypedFunc};

use crate::bindings::weir::guest::types::Failure;
use crate::call_state::CallState;
use crate::instance_pool::{Again, InstancePool, Made};
use crate::memory::{self, Image, ImageMemory, UsedBy};
use crate::reset::RESET;

/// What a function gave: one JSON value, or its own error.
pub(crate) type Answer = Result<Vec<u8>, Failure>;

/// A component with all its imports resolved, ready to be instantiated.
pub(crate) struct Guest {
    linked: InstancePre<CallState>,
    /// The same with what actions import; if any of its functions is one.
    linked_for_actions: Option<InstancePre<CallState>>,
    /// What is in its memory at the start, if that was taken out of the component.
    image: Option<Arc<Image>>,
    describe: ComponentExportIndex,
    call: ComponentExportIndex,
    /// The function that sets an instance's globals back, if the component was given one.
    reset: Option<ComponentExportIndex>,
    /// Instances for queries and mutations.
    /// Whether its instances are used again as calls left them.
    are_reused: bool,
    pub(crate) pool: InstancePool,
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
        are_reused: bool,
    ) -> wasmtime::Result<Guest> {
        let export = |name: &str| {
            component
                .get_export_index(None, name)
                .ok_or_else(|| wasmtime::format_err!("it does not export `{name}`"))
        };
        let (describe, call) = (export("describe")?, export("call")?);
        let linked = linker.instantiate_pre(component)?;
        let reset = component.get_export_index(None, RESET).filter(|_| image.is_some());
        Ok(Guest {
            linked,
            linked_for_actions: None,
            image,
            describe,
            call,
            reset,
            are_reused,
            pool: InstancePool::default(),
        })
    }

    /// Resolves the imports once more, for actions.
    ///
    /// # Errors
    /// As for [`Guest::link`].
    pub(crate) fn link_for_actions(
        &mut self,
        linker: &Linker<CallState>,
        component: &Component,
    ) -> wasmtime::Result<()> {
        self.linked_for_actions = Some(linker.instantiate_pre(component)?);
        Ok(())
    }

    /// A fresh instance.
    pub(crate) fn instantiate(&self, store: &mut Store<CallState>) -> wasmtime::Result<Instance> {
        self.instantiate_with_memory(store).map(|(instance, _)| instance)
    }

    fn instantiate_with_memory(
        &self,
        store: &mut Store<CallState>,
    ) -> wasmtime::Result<(Instance, Option<ImageMemory>)> {
        let instantiate = || self.linked.instantiate(store);
        let used_by = if self.are_reused { UsedBy::AnyThread } else { UsedBy::ThisThread };
        let (instance, memory) = memory::with_image(self.image.as_ref(), used_by, instantiate);
        Ok((instance?, memory))
    }

    /// A fresh instance, and what of it is needed to call it, and to set it back.
    fn make(&self, store: &mut Store<CallState>) -> wasmtime::Result<Made> {
        let (instance, memory) = self.instantiate_with_memory(store)?;
        let call = *instance.get_typed_func::<(&str, &[u8]), (Answer,)>(&mut *store, &self.call)?.func();
        let again = match (&self.reset, memory) {
            _ if self.are_reused => Again::AsItIs,
            (Some(reset), Some(memory)) => {
                Again::SetBack(instance.get_typed_func(&mut *store, reset)?, memory)
            }
            _ => Again::No,
        };
        Ok(Made { call, again, taken: store.data().resources.taken(), calls: 0 })
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

    /// Calls a function of the module, in the instance that was made in the store, or in a new one, which is left in
    /// `made`: if that is there afterwards and the call has given an answer, the instance can be set back.
    pub(crate) fn call(
        &self,
        store: &mut Store<CallState>,
        made: &mut Option<Made>,
        path: &str,
        args: &[u8],
    ) -> wasmtime::Result<Answer> {
        let mut running = match made.take() {
            Some(made) => made,
            None => self.make(store)?,
        };
        // SAFETY: its type was held against this one when the instance was made. It is not kept with it because that has the
        // lifetimes of one call's arguments.
        #[allow(unsafe_code)]
        let call = unsafe { TypedFunc::<(&str, &[u8]), (Answer,)>::new_unchecked(running.call) };
        let (answer,) = call.call(store, (path, args))?;
        running.calls += 1;
        // One that is used again as it is must not have stopped half-way.
        if answer.is_ok() || !self.are_reused {
            *made = Some(running);
        }
        Ok(answer)
    }

    /// Calls an action of the module.
    pub(crate) async fn call_action(
        &self,
        store: &mut Store<CallState>,
        path: &str,
        args: &[u8],
    ) -> wasmtime::Result<Answer> {
        let linked = self.linked_for_actions.as_ref();
        let linked = linked.ok_or_else(|| wasmtime::format_err!("the module is not linked for actions"))?;
        let mut instantiate = Box::pin(linked.instantiate_async(&mut *store));
        // The memory is made while the future is polled, on whatever thread that is, and so it is with the call.
        let image = self.image.as_ref();
        let instance = poll_fn(|context| {
            memory::with_image(image, UsedBy::AnyThread, || instantiate.as_mut().poll(context)).0
        });
        let instance = instance.await?;
        drop(instantiate);
        let call = instance.get_typed_func::<(&str, &[u8]), (Answer,)>(&mut *store, &self.call)?;
        Ok(call.call_async(store, (path, args)).await?.0)
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
