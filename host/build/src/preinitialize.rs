//! Runs the start of a core module while it is built, so that each of its
//! instances begins with the memory that the start has left.

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use wasmtime::{
    Caller, Config, Engine, Error, Extern, Instance, Linker, Memory, Module, OptLevel, Result, Store, Val,
    bail,
};
use wasmtime_wizer::{InstanceState, SnapshotVal, ValType, Wizer};

use crate::data_segments;
use crate::snapshots::bounds::{self, Bounds, Deadline};
use crate::snapshots::variables::Given;

/// Runs these exports of a core module one after another (those which it does
/// not have are left out, except the first) and gives the module in the state
/// that they leave, without the first of them.
///
/// They may read the variables that are `given`, and call what `link` defines; all other imports trap.
///
/// # Errors
/// The module is invalid, an export traps, or the module's state cannot be kept.
pub(crate) fn preinitialize(
    core_module: &[u8],
    exports: &[&str],
    given: &Given,
    link: impl FnOnce(&mut Linker<Bounds>) -> Result<()>,
) -> Result<Vec<u8>> {
    let Some(first) = exports.first() else {
        bail!("there is nothing to run");
    };
    let mut wizer = Wizer::new();
    wizer.init_func(*first);
    let (context, instrumented) = wizer.instrument(core_module)?;
    let engine = engine()?;
    let module = Module::new(&engine, &instrumented)?;
    let mut linker = Linker::new(&engine);
    given.link(&mut linker)?;
    link(&mut linker)?;
    linker.define_unknown_imports_as_traps(&module)?;
    let mut store = bounds::store(&engine);
    let _deadline = Deadline::begin(&engine)?;
    let instance = linker.instantiate(&mut store, &module)?;
    for name in exports {
        if *name == *first || instance.get_func(&mut store, name).is_some() {
            instance.get_typed_func::<(), ()>(&mut store, name)?.call(&mut store, ())?;
        }
    }
    let mut state = Initialized { store, instance };
    let initialized = finish(pin!(wizer.snapshot(&context, &mut state)))?;
    Ok(data_segments::merge(&initialized)?)
}

/// What a start prints is kept up to this size.
const OUTPUT_BYTES_MAX: usize = 16 << 10;

/// What a start has printed.
#[derive(Clone, Default)]
pub(crate) struct Output(Arc<Mutex<Vec<u8>>>);

impl Output {
    pub(crate) fn push(&self, bytes: &[u8]) {
        if let Ok(mut output) = self.0.lock() {
            let room = OUTPUT_BYTES_MAX.saturating_sub(output.len());
            output.extend_from_slice(&bytes[..bytes.len().min(room)]);
        }
    }

    /// Why a start failed: in its own words, if it has said any.
    pub(crate) fn reason(&self, error: &Error) -> String {
        let bytes = self.0.lock().map(|bytes| bytes.clone()).unwrap_or_default();
        match String::from_utf8_lossy(&bytes).trim() {
            "" => format!("{error:#}"),
            printed => printed.to_owned(),
        }
    }
}

/// The memory of the module that calls.
pub(crate) fn memory(caller: &mut Caller<'_, Bounds>) -> Result<Memory> {
    match caller.get_export("memory") {
        Some(Extern::Memory(memory)) => Ok(memory),
        _ => bail!("it exports no memory"),
    }
}

/// These bytes of a memory's content.
pub(crate) fn bytes_at(content: &[u8], start: usize, length: usize) -> Result<&[u8]> {
    content.get(start..start.saturating_add(length)).ok_or_else(|| Error::msg("out of bounds"))
}

/// For code that runs once: what counts is how fast it compiles.
pub(crate) fn engine() -> Result<Engine> {
    let mut config = Config::new();
    config.cranelift_opt_level(OptLevel::None).epoch_interruption(true);
    Engine::new(&config)
}

/// The result of a future that waits for nothing.
fn finish<T>(future: std::pin::Pin<&mut impl Future<Output = Result<T>>>) -> Result<T> {
    match future.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => Err(Error::msg("an instance's state is read without waiting")),
    }
}

/// An instance whose start has run.
struct Initialized {
    store: Store<Bounds>,
    instance: Instance,
}

impl InstanceState for Initialized {
    async fn global_get(&mut self, name: &str, _: ValType) -> SnapshotVal {
        let global = self.instance.get_global(&mut self.store, name).expect("it is exported for this");
        match global.get(&mut self.store) {
            Val::I32(value) => SnapshotVal::I32(value),
            Val::I64(value) => SnapshotVal::I64(value),
            Val::F32(bits) => SnapshotVal::F32(bits),
            Val::F64(bits) => SnapshotVal::F64(bits),
            Val::V128(value) => SnapshotVal::V128(value.as_u128()),
            value => panic!("a global that holds a reference cannot be kept: {value:?}"),
        }
    }

    async fn memory_contents(&mut self, name: &str, contents: impl FnOnce(&[u8]) + Send) {
        let memory = self.instance.get_memory(&mut self.store, name).expect("it is exported for this");
        contents(memory.data(&self.store));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COUNTER: &str = r#"(module
        (import "env" "base" (func $base (result i32)))
        (import "env" "other" (func $other))
        (memory (export "memory") 1)
        (global $started (mut i32) (i32.const 0))
        (func (export "start")
            (global.set $started (i32.const 1))
            (i32.store (i32.const 8) (call $base)))
        (func (export "more") (i32.store8 (i32.const 12) (i32.const 7)))
        (func (export "fail") (call $other))
        (func (export "get") (result i32)
            (i32.add (global.get $started)
                (i32.add (i32.load (i32.const 8)) (i32.load8_u (i32.const 12))))))"#;

    fn base(linker: &mut Linker<Bounds>) -> Result<()> {
        linker.func_wrap("env", "base", || 40_i32)?;
        Ok(())
    }

    /// What an instance of the module gives without its start being run.
    fn get(module: &[u8]) -> i32 {
        let engine = Engine::default();
        let module = Module::new(&engine, module).unwrap();
        let mut store = Store::new(&engine, ());
        let mut linker = Linker::new(&engine);
        linker.define_unknown_imports_as_traps(&module).unwrap();
        let instance = linker.instantiate(&mut store, &module).unwrap();
        assert!(instance.get_func(&mut store, "start").is_none());
        instance.get_typed_func::<(), i32>(&mut store, "get").unwrap().call(&mut store, ()).unwrap()
    }

    #[test]
    fn an_instance_begins_where_the_start_has_ended() {
        let (module, none) = (wat::parse_str(COUNTER).unwrap(), Given::default());
        assert_eq!(get(&preinitialize(&module, &["start"], &none, base).unwrap()), 41);
        assert_eq!(get(&preinitialize(&module, &["start", "more", "none"], &none, base).unwrap()), 48);
    }

    #[test]
    fn a_start_that_fails_is_an_error() {
        let (module, none) = (wat::parse_str(COUNTER).unwrap(), Given::default());
        let error = format!("{:?}", preinitialize(&module, &["start", "fail"], &none, base).unwrap_err());
        assert!(error.contains("env::other"), "{error}");
        assert!(preinitialize(&module, &["none"], &none, base).is_err());
        assert!(preinitialize(&module, &[], &none, base).is_err());
        assert!(preinitialize(b"no module", &["start"], &none, base).is_err());
    }
}
