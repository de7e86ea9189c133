//! What an action imports that waits: these functions suspend its guest.
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use wasmtime::StoreContextMut;
use wasmtime::component::{ComponentNamedList, Lift, Linker, Lower};
use wasmtime_wasi::p2::bindings::clocks::wall_clock::Datetime;
use weir_db::{ActionCall, DbError, FunctionKind, HostFuture, Transaction};
use weir_value::Timestamp;

use crate::action::RunningAction;
use crate::bindings::WORLD;
use crate::bindings::weir::guest::calls::CallError as WitCallError;
use crate::bindings::weir::guest::tasks::{Completion, Polled};
use crate::bindings::weir::guest::types::Error;
use crate::call_state::CallState;

/// An answer for the guest, or its error.
type Result<R> = std::result::Result<R, Error>;

/// What such a function does: an error ends the call.
type Work<R> = HostFuture<wasmtime::Result<R>>;

/// Puts these functions in the place of those that a query or a mutation has.
pub(super) fn link(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    link_calls(linker)?;
    link_scheduler(linker)?;
    link_storage(linker)?;
    link_passwords(linker)?;
    link_clocks(linker)?;
    let mut tasks = linker.instance(&name_of("tasks"))?;
    tasks.func_wrap_async("wait", |store, (): ()| Box::new(wait(store)))?;
    tasks.func_wrap_async("poll", |store, (milliseconds,): (Option<f64>,)| {
        Box::new(async move { poll(store, milliseconds).await.map(|polled| (polled,)) })
    })?;
    linker.allow_shadowing(false);
    Ok(())
}

fn link_calls(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    let functions = [
        ("run-query", FunctionKind::Query),
        ("run-mutation", FunctionKind::Mutation),
        ("run-action", FunctionKind::Action),
    ];
    for (name, kind) in functions {
        suspend(linker, "calls", name, move |action, (path, args): (String, Vec<u8>)| {
            let called = action.call(kind, &path, Bytes::from(args));
            Box::pin(async move {
                let answer = called.await.map(Vec::from).map_err(WitCallError::from);
                Ok((answer,))
            })
        })?;
    }
    Ok(())
}

fn link_scheduler(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    suspend(linker, "scheduler", "run-at", |action, (path, args, at): (String, Vec<u8>, f64)| {
        write(action, |tx| tx.schedule(&path, &args, at))
    })?;
    suspend(linker, "scheduler", "cancel", |action, (id,): (String,)| {
        write(action, |tx| tx.cancel_scheduled(&id))
    })
}

fn link_storage(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    suspend(linker, "storage", "generate-upload-url", |action, (): ()| {
        write(action, Transaction::generate_upload_url)
    })?;
    suspend(linker, "storage", "delete", |action, (id,): (String,)| write(action, |tx| tx.delete_file(&id)))
}

fn link_passwords(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    suspend(linker, "crypto", "hash-password", |action, (password,): (String,)| {
        answer(action.with_password(move |tx| tx.hash_password(&password)))
    })?;
    suspend(linker, "crypto", "verify-password", |action, (password, hash): (String, String)| {
        answer(action.with_password(move |tx| tx.verify_password(&password, &hash)))
    })
}

/// Both clocks of WASI go on in an action. They wait for nobody: `tasks.sleep` does.
fn link_clocks(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    linker.instance("wasi:clocks/monotonic-clock@0.2.0")?.func_wrap(
        "now",
        |mut store: StoreContextMut<'_, CallState>, (): ()| {
            let nanos = since_epoch(store.data_mut()).as_nanos();
            Ok((u64::try_from(nanos).unwrap_or(u64::MAX),))
        },
    )?;
    linker.instance("wasi:clocks/wall-clock@0.2.0")?.func_wrap(
        "now",
        |mut store: StoreContextMut<'_, CallState>, (): ()| {
            let now = since_epoch(store.data_mut());
            Ok((Datetime { seconds: now.as_secs(), nanoseconds: now.subsec_nanos() },))
        },
    )
}

fn since_epoch(state: &mut CallState) -> Duration {
    Duration::try_from_secs_f64(state.context().now_ms.max(0.0) / 1e3).unwrap_or_default()
}

/// Writes at once, and waits until that is durable.
fn write<R: Send + 'static>(
    action: &ActionCall,
    change: impl FnOnce(&mut Transaction) -> std::result::Result<R, DbError>,
) -> Work<(Result<R>,)> {
    let written = action.write(change);
    let host = action.host().clone();
    Box::pin(async move {
        let (result, ts) = match written {
            Ok((result, ts)) => (Ok(result), ts),
            Err(error) => (Err(error.into()), Timestamp::ZERO),
        };
        host.durable(ts).await;
        Ok((result,))
    })
}

fn answer<R: Send + 'static>(work: HostFuture<std::result::Result<R, DbError>>) -> Work<(Result<R>,)> {
    Box::pin(async move { Ok((work.await.map_err(Error::from),)) })
}

/// A function that suspends the guest until its work is done.
fn suspend<P, R, F>(
    linker: &mut Linker<CallState>,
    interface: &str,
    name: &str,
    function: F,
) -> wasmtime::Result<()>
where
    P: ComponentNamedList + Lift + Send + 'static,
    R: ComponentNamedList + Lower + Send + 'static,
    F: Fn(&Arc<ActionCall>, P) -> Work<R> + Send + Sync + 'static,
{
    linker.instance(&name_of(interface))?.func_wrap_async(
        name,
        move |mut store: StoreContextMut<'_, CallState>, params: P| {
            let state = store.data_mut();
            state.pass_on_output(false);
            let work = state.action().map(|action| function(&action.call, params));
            Box::new(async move {
                match work {
                    Some(work) => work.await,
                    None => Err(wasmtime::format_err!("it is linked as an action, and is none")),
                }
            })
        },
    )
}

/// Waits for the end of a task.
async fn wait(mut store: StoreContextMut<'_, CallState>) -> wasmtime::Result<(Result<Completion>,)> {
    store.data_mut().pass_on_output(false);
    loop {
        let mut ends = match running(&mut store)?.guest.begin_wait() {
            Ok(ends) => ends,
            Err(error) => return Ok((Err(error.into()),)),
        };
        let Some(ended) = ends.next().await else { wasmtime::bail!("an action holds its tasks") };
        // One that was given up has ended before that.
        if let Some(completion) = running(&mut store)?.guest.end_wait(ends, ended) {
            return Ok((Ok(completion.into()),));
        }
    }
}

/// Waits for the end of a task, or for so long.
async fn poll(
    mut store: StoreContextMut<'_, CallState>,
    milliseconds: Option<f64>,
) -> wasmtime::Result<Polled> {
    store.data_mut().pass_on_output(false);
    let mut time = running(&mut store)?.guest.time(milliseconds);
    loop {
        let Ok(mut ends) = running(&mut store)?.guest.begin_wait() else {
            // Nothing is under way.
            time.pass().await;
            return Ok(if milliseconds.is_some() { Polled::Time } else { Polled::Nothing });
        };
        let ended = time.first(&mut ends).await;
        let is_over = ended.is_none();
        match running(&mut store)?.guest.end_poll(ends, ended) {
            true => return Ok(Polled::Task),
            false if is_over => return Ok(Polled::Time),
            // One that was given up has ended before that.
            false => {}
        }
    }
}

fn running<'a>(store: &'a mut StoreContextMut<'_, CallState>) -> wasmtime::Result<&'a mut RunningAction> {
    let action = store.data_mut().action();
    action.ok_or_else(|| wasmtime::format_err!("it is linked as an action, and is none"))
}

/// The name of one of our interfaces in imports.
fn name_of(interface: &str) -> String {
    let (package, version) = WORLD.split_once('@').unwrap_or((WORLD, ""));
    format!("{package}/{interface}@{version}")
}
