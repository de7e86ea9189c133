//! The WASI that a Go module finds while its start runs: no call is under way,
//! so the clock and the random numbers are constants, and the environment is empty: variables are read by the SDK.

use wasmtime::{Caller, Linker, Result, bail};

use crate::preinitialize::{Output, bytes_at, memory};
use crate::snapshots::bounds::Bounds;

const WASI: &str = "wasi_snapshot_preview1";
const SUCCESS: i32 = 0;
const BAD_DESCRIPTOR: i32 = 8;

/// The size of what tells that something has happened.
const EVENT_BYTES: usize = 32;

/// Go refuses a clock that says 0.
const CLOCK_NANOS: u64 = 1;

/// Defines what Go's start asks for.
pub(super) fn link(linker: &mut Linker<Bounds>, output: &Output) -> Result<()> {
    for name in ["args_sizes_get", "environ_sizes_get"] {
        linker.func_wrap(WASI, name, |mut caller: Caller<'_, Bounds>, count: u32, bytes: u32| {
            write(&mut caller, count, &[0; 4])?;
            write(&mut caller, bytes, &[0; 4])?;
            Ok(SUCCESS)
        })?;
    }
    for name in ["args_get", "environ_get"] {
        linker.func_wrap(WASI, name, |_: u32, _: u32| SUCCESS)?;
    }
    linker.func_wrap(WASI, "clock_time_get", |mut caller: Caller<'_, Bounds>, _: u32, _: u64, at: u32| {
        write(&mut caller, at, &CLOCK_NANOS.to_le_bytes())?;
        Ok(SUCCESS)
    })?;
    linker.func_wrap(WASI, "random_get", |mut caller: Caller<'_, Bounds>, at: u32, length: u32| {
        write(&mut caller, at, &constant_bytes(length as usize))?;
        Ok(SUCCESS)
    })?;
    linker.func_wrap(WASI, "sched_yield", || SUCCESS)?;
    linker.func_wrap(WASI, "fd_sync", |_: u32| SUCCESS)?;
    // Go waits for a moment before it says why it gives up.
    linker.func_wrap(
        WASI,
        "poll_oneoff",
        |mut caller: Caller<'_, Bounds>, _: u32, events: u32, _: u32, happened: u32| {
            write(&mut caller, events, &[0; EVENT_BYTES])?;
            write(&mut caller, happened, &1_u32.to_le_bytes())?;
            Ok(SUCCESS)
        },
    )?;
    for name in ["fd_prestat_get", "fd_fdstat_get", "fd_fdstat_set_flags"] {
        linker.func_wrap(WASI, name, |_: u32, _: u32| BAD_DESCRIPTOR)?;
    }
    linker.func_wrap(WASI, "proc_exit", |code: u32| -> Result<()> {
        bail!("it ended with exit code {code}")
    })?;
    let output = output.clone();
    linker.func_wrap(
        WASI,
        "fd_write",
        move |mut caller: Caller<'_, Bounds>, fd: u32, pieces: u32, count: u32, written: u32| {
            if !(1..=2).contains(&fd) {
                return Ok(BAD_DESCRIPTOR);
            }
            let bytes = gather(&mut caller, pieces, count)?;
            output.push(&bytes);
            write(&mut caller, written, &(bytes.len() as u32).to_le_bytes())?;
            Ok(SUCCESS)
        },
    )?;
    Ok(())
}

/// The same ones for every build, which differ from each other: Go's maps are
/// laid out by them.
fn constant_bytes(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..length).map(|_| next()).collect()
}

fn write(caller: &mut Caller<'_, Bounds>, at: u32, bytes: &[u8]) -> Result<()> {
    Ok(memory(caller)?.write(caller, at as usize, bytes)?)
}

fn gather(caller: &mut Caller<'_, Bounds>, pieces: u32, count: u32) -> Result<Vec<u8>> {
    let memory = memory(caller)?.data(&*caller);
    let word = |at: usize| {
        let bytes = bytes_at(memory, at, 4)?;
        Ok::<_, wasmtime::Error>(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) as usize)
    };
    let mut gathered = Vec::new();
    for piece in 0..count as usize {
        let at = pieces as usize + 8 * piece;
        gathered.extend_from_slice(bytes_at(memory, word(at)?, word(at + 4)?)?);
    }
    Ok(gathered)
}
