//! A module's top-level code runs while it is built, as in Go and TypeScript: every call begins after it.

use wasmtime::{Caller, Linker, Result, bail};

use crate::preinitialize::{Output, bytes_at, memory, preinitialize};
use crate::snapshots::bounds::Bounds;
use crate::snapshots::variables::Given;

/// The export by which the compiler gives the top-level code.
pub(super) const EXPORT: &str = "__weir_start";

/// Runs a module's top-level code: what is wrong with it is found here.
pub(super) fn run(core_module: &[u8], given: &Given) -> std::result::Result<Vec<u8>, String> {
    let output = Output::default();
    preinitialize(core_module, &[EXPORT], given, |linker| link(linker, &output)).map_err(|error| {
        let reason = output.reason(&error);
        format!(
            "its top-level code fails; it runs once, while the module is built, without a clock, random numbers or \
             the database:\n{reason}"
        )
    })
}

/// Defines the log, where a failed assertion says what it is, and the exit, which a `throw` becomes.
fn link(linker: &mut Linker<Bounds>, output: &Output) -> Result<()> {
    let thrown = output.clone();
    linker.func_wrap(
        "weir:guest/exit@0.1.0",
        "fail",
        move |mut caller: Caller<'_, Bounds>,
              start: u32,
              length: u32,
              _: u32,
              _: u32,
              _: u32|
              -> Result<()> {
            let memory = memory(&mut caller)?;
            thrown.push(bytes_at(memory.data(&caller), start as usize, length as usize)?);
            bail!("it throws an error")
        },
    )?;
    let output = output.clone();
    linker.func_wrap(
        "weir:guest/log@0.1.0",
        "write",
        move |mut caller: Caller<'_, Bounds>, _level: u32, start: u32, length: u32| {
            let memory = memory(&mut caller)?;
            output.push(bytes_at(memory.data(&caller), start as usize, length as usize)?);
            output.push(b"\n");
            Ok(())
        },
    )?;
    Ok(())
}
