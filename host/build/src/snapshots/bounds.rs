//! What a module's top-level code may use: it runs on a developer's machine, and in a server when variables change.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::Duration;

use wasmtime::{Engine, Result, Store, StoreLimits, StoreLimitsBuilder};

/// As much as a call may have: what begins with more could not be called.
const MEMORY_BYTES_MAX: usize = 64 << 20;

/// Long enough for all that computes something once.
const TIME_MAX: Duration = Duration::from_secs(60);

/// The data of a store whose guest is bounded.
pub(crate) struct Bounds {
    limits: StoreLimits,
}

/// A store for one run of a guest. Its engine has epochs, and somebody is to keep the [`Deadline`] of the run.
pub(crate) fn store(engine: &Engine) -> Store<Bounds> {
    let limits = StoreLimitsBuilder::new().memory_size(MEMORY_BYTES_MAX).build();
    let mut store = Store::new(engine, Bounds { limits });
    store.limiter(|bounds| &mut bounds.limits);
    store.set_epoch_deadline(1);
    store
}

/// Ends what runs in an engine when it takes too long. Nothing else may run in it.
pub(crate) struct Deadline {
    done: Option<mpsc::Sender<()>>,
    watching: Option<JoinHandle<()>>,
}

impl Deadline {
    /// From now on.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(crate) fn begin(engine: &Engine) -> Result<Deadline> {
        Deadline::after(engine, TIME_MAX)
    }

    fn after(engine: &Engine, time: Duration) -> Result<Deadline> {
        let (done, ended) = mpsc::channel::<()>();
        let engine = engine.clone();
        let thread = std::thread::Builder::new().name("deadline".to_owned());
        #[expect(clippy::disallowed_methods, reason = "a build has no `Env`; the thread is joined")]
        let watching = thread.spawn(move || {
            if let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(time) {
                engine.increment_epoch();
            }
        })?;
        Ok(Deadline { done: Some(done), watching: Some(watching) })
    }
}

impl Drop for Deadline {
    fn drop(&mut self) {
        drop(self.done.take());
        if let Some(watching) = self.watching.take() {
            // It cannot panic, and there is nothing to do if it did.
            let _ = watching.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use wasmtime::{Config, Instance, Module};

    use super::*;

    #[test]
    fn what_does_not_end_is_ended_and_memory_has_a_bound() {
        let engine = Engine::new(Config::new().epoch_interruption(true)).unwrap();
        let text = r#"(module (memory 1)
            (func (export "forever") (loop (br 0)))
            (func (export "grow") (result i32) (memory.grow (i32.const 1024))))"#;
        let module = Module::new(&engine, wat::parse_str(text).unwrap()).unwrap();
        let mut store = store(&engine);
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        let grow = instance.get_typed_func::<(), i32>(&mut store, "grow").unwrap();
        assert_eq!(grow.call(&mut store, ()).unwrap(), -1);
        let _deadline = Deadline::after(&engine, Duration::from_millis(50)).unwrap();
        let forever = instance.get_typed_func::<(), ()>(&mut store, "forever").unwrap();
        assert!(format!("{:?}", forever.call(&mut store, ()).unwrap_err()).contains("interrupt"));
    }
}
