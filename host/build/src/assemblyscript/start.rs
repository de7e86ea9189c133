//! A module's top-level code runs while it is built, as in Go and TypeScript: every call begins after it.

use std::sync::{Arc, Mutex};

use wasmtime::{Caller, Extern, Linker, Result, bail};

use crate::build::BuildError;
use crate::preinitialize;
use crate::project::Module;

/// The export by which the compiler gives the top-level code.
pub(super) const EXPORT: &str = "__weir_start";

/// What it logs is kept up to this size.
const OUTPUT_BYTES_MAX: usize = 16 << 10;

/// Runs a module's top-level code: what is wrong with it is found here.
pub(super) fn run(module: &Module, core_module: &[u8]) -> std::result::Result<Vec<u8>, BuildError> {
    let lines = Lines::default();
    preinitialize::preinitialize(core_module, &[EXPORT], |linker| link(linker, &lines)).map_err(|error| {
        let mut reason = lines.text();
        if reason.is_empty() {
            reason = format!("{error:#}");
        }
        let message = format!(
            "its top-level code fails; it runs once, while the module is built, without a clock, random numbers or \
             the database:\n{reason}"
        );
        BuildError::source(module, message)
    })
}

/// What was logged.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<String>>);

impl Lines {
    fn text(&self) -> String {
        self.0.lock().map(|text| text.trim_end().to_owned()).unwrap_or_default()
    }

    fn push(&self, line: &str) {
        if let Ok(mut text) = self.0.lock()
            && text.len() + line.len() < OUTPUT_BYTES_MAX
        {
            text.push_str(line);
            text.push('\n');
        }
    }
}

fn link(linker: &mut Linker<()>, lines: &Lines) -> Result<()> {
    let lines = lines.clone();
    linker.func_wrap(
        "weir:guest/log@0.1.0",
        "write",
        move |mut caller: Caller<'_, ()>, _level: u32, start: u32, length: u32| {
            let Some(Extern::Memory(memory)) = caller.get_export("memory") else {
                bail!("it exports no memory");
            };
            let end = start as usize + length as usize;
            let bytes = memory.data(&caller).get(start as usize..end);
            let bytes = bytes.ok_or_else(|| wasmtime::format_err!("out of bounds"))?;
            lines.push(&String::from_utf8_lossy(bytes));
            Ok(())
        },
    )?;
    Ok(())
}
