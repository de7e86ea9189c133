//! What a guest costs in each language: its size, its compilation, its loading, and a call in a fresh instance
//! over the same call in a used one. As in service, the instance is torn down after the answer; that has a line
//! of its own.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use bytes::Bytes;
use serde_json::json;
use weir_build::{BuiltModule, Language, Project};
use weir_db::{Call, Database, FunctionError, FunctionInfo, Functions, Teardown, Transaction};
use weir_runtime::{Deployment, ModuleSource, Runtime, RuntimeOptions};
use weir_test_support::project;
use weir_value::FunctionPath;

use crate::table::{Line, quantile};
use crate::{engine, in_process};

/// Both kinds of calls take turns: a machine that is slow for a while is slow for both.
const ROUNDS: usize = 20;
/// Calls in fresh instances, one after another, in a round.
const FRESH_CALLS: usize = 500;
/// Calls in one instance, in a round; its second is enough for them.
const REUSED_CALLS: usize = 200;

/// Calls for a list of so many documents, in fresh instances, in a round.
const LIST_CALLS: usize = 50;
const LIST_ROWS: usize = 50;

/// A language, the guest that is measured (in TypeScript nothing but a plain project: what its modules name of the web, its
/// component carries), and what a fresh instance may cost over a used one, in microseconds.
const GUESTS: [(Language, &str, f64); 4] = [
    (Language::Rust, "bench", 10.0),
    (Language::AssemblyScript, "assemblyscript", 5.0),
    (Language::Go, "go", 60.0),
    (Language::TypeScript, "typescript", 200.0),
];

/// The lines of this part, language by language.
///
/// # Errors
/// When a guest does not build, or a call fails.
pub fn measure(accounts: usize, duration: Duration, show: &mut impl FnMut(Line)) -> Result<()> {
    for (language, guest, goal_us) in GUESTS {
        let name = language.name();
        measure_one(name, guest, goal_us, show).with_context(|| format!("measuring {name}"))?;
        let deployment = load(&runtime(None)?, &build(guest)?)?;
        let per_second = in_process::measure(deployment, accounts, duration)?;
        show(Line::figure(format!("{name}: transfer, in process"), format!("{per_second:.0} tx/s")));
    }
    Ok(())
}

fn measure_one(name: &str, guest: &str, goal_us: f64, show: &mut impl FnMut(Line)) -> Result<()> {
    let began = Instant::now();
    let built = build(guest)?;
    let build_time = began.elapsed();
    let kib = built.component.len() as f64 / 1024.0;
    show(Line::figure(format!("{name}: size of the component"), format!("{kib:.0} KiB")));
    show(Line::figure(format!("{name}: build, from a warm cache"), seconds(build_time)));

    let code = tempfile::tempdir()?;
    let (_, compile_time) = timed(|| load(&runtime(Some(code.path()))?, &built))?;
    show(Line::figure(format!("{name}: compile to machine code"), seconds(compile_time)));
    let again = runtime(Some(code.path()))?;
    let (deployment, load_time) = timed(|| load(&again, &built))?;
    let stats = again.stats();
    anyhow::ensure!(stats.compiles == 0, "the code was compiled again: {stats:?}");
    show(Line::figure(format!("{name}: load from disk, manifest asked"), millis(load_time)));

    let folder = tempfile::tempdir()?;
    let database = engine::open(folder.path())?;
    database.set_deployment(deployment.clone());
    let id = engine::seed(&database, 100)?.swap_remove(50);
    let call = engine::call("bank:get", json!({"id": id}).to_string())?;
    let first = fresh_calls(&database, deployment.clone(), &call, 1)?.times.swap_remove(0);
    let list = engine::call("bank:newest", json!({ "count": LIST_ROWS }).to_string())?;
    let (mut fresh, mut teardown, mut reused, mut lists) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let calls = fresh_calls(&database, deployment.clone(), &call, FRESH_CALLS)?;
        fresh.extend(calls.times);
        teardown.extend(calls.teardown);
        reused.extend(reused_calls(&database, deployment.clone(), &call)?);
        lists.extend(fresh_calls(&database, deployment.clone(), &list, LIST_CALLS)?.times);
    }
    database.store().close();

    let fresh_us = micros(quantile(&mut fresh, 0.5));
    let reused_us = micros(quantile(&mut reused, 0.5));
    show(Line::figure(format!("{name}: first call after loading"), format!("{:.0} us", micros(first))));
    show(
        Line::figure(format!("{name}: a query of one document, fresh instance"), format!("{fresh_us:.1} us"))
            .note(format!("p99 {:.1} us", micros(quantile(&mut fresh, 0.99)))),
    );
    let teardown_us = micros(quantile(&mut teardown, 0.5));
    show(Line::figure(format!("{name}:   its teardown, after the answer"), format!("{teardown_us:.1} us")));
    show(Line::figure(format!("{name}: the same on a used instance"), format!("{reused_us:.1} us")));
    let list_us = micros(quantile(&mut lists, 0.5));
    show(Line::figure(format!("{name}: a query of {LIST_ROWS} documents"), format!("{list_us:.1} us")));
    let added = fresh_us - reused_us;
    show(Line::goal(
        format!("{name}:   what the fresh instance adds"),
        format!("{added:.1} us"),
        format!("<= {goal_us:.0} us"),
        added <= goal_us,
    ));
    Ok(())
}

fn build(guest: &str) -> Result<BuiltModule> {
    let project = Project::load(&project::guest(guest))?;
    let built = weir_build::build(&project, None, &mut |_| {})?;
    built.modules.into_iter().next_back().context("the guest has a module")
}

fn runtime(compiled_dir: Option<&Path>) -> Result<Arc<Runtime>> {
    let compiled_dir = compiled_dir.map(Path::to_path_buf);
    Ok(Runtime::new(RuntimeOptions { compiled_dir, ..RuntimeOptions::default() })?)
}

fn load(runtime: &Arc<Runtime>, built: &BuiltModule) -> Result<Arc<Deployment>> {
    let component = Bytes::copy_from_slice(&built.component);
    Ok(runtime.load(&[ModuleSource { name: built.name.clone(), component }])?)
}

/// How long the runtime took for calls, each in an instance of its own; in nanoseconds.
struct FreshCalls {
    /// Until the answer.
    times: Vec<u64>,
    /// And after it.
    teardown: Vec<u64>,
}

fn fresh_calls(
    database: &Database,
    deployment: Arc<Deployment>,
    call: &Call,
    calls: usize,
) -> Result<FreshCalls> {
    let fresh = Arc::new(Timed { deployment, how: How::FreshInstances, times: Mutex::default() });
    database.set_deployment(fresh.clone());
    let mut teardown = Vec::with_capacity(calls);
    for _ in 0..calls {
        let mut pending = Teardown::default();
        run(database, call, &mut pending)?;
        let answered = Instant::now();
        drop(pending);
        teardown.push(answered.elapsed().as_nanos() as u64);
    }
    Ok(FreshCalls { times: fresh.take()?, teardown })
}

/// The same in one instance; in nanoseconds.
fn reused_calls(database: &Database, deployment: Arc<Deployment>, call: &Call) -> Result<Vec<u64>> {
    let reused = Arc::new(Timed { deployment, how: How::OneInstance, times: Mutex::default() });
    database.set_deployment(reused.clone());
    run(database, call, &mut Teardown::default())?;
    reused.take()
}

fn run(database: &Database, call: &Call, teardown: &mut Teardown) -> Result<()> {
    let outcome = database.query_again(call, database.store().snapshot_durable(), None, teardown);
    outcome.result.map(|_| ()).map_err(|error| anyhow!(error.message))
}

/// How often an instance is used.
enum How {
    FreshInstances,
    OneInstance,
}

/// A deployment that says how long the runtime takes.
struct Timed {
    deployment: Arc<Deployment>,
    how: How,
    times: Mutex<Vec<Duration>>,
}

impl Timed {
    fn take(&self) -> Result<Vec<u64>> {
        let times = self.times.lock().map_err(|_| anyhow!("a call panicked"))?;
        Ok(times.iter().map(|time| time.as_nanos() as u64).collect())
    }

    fn add(&self, times: impl IntoIterator<Item = Duration>) {
        self.times.lock().expect("no call panics").extend(times);
    }
}

impl weir_db::Deployment for Timed {}

impl Functions for Timed {
    fn find(&self, path: &FunctionPath) -> Option<Arc<FunctionInfo>> {
        self.deployment.find(path)
    }

    fn list(&self) -> Vec<Arc<FunctionInfo>> {
        self.deployment.list()
    }

    fn run(
        &self,
        info: &FunctionInfo,
        args: &Bytes,
        tx: Transaction,
        teardown: &mut Teardown,
    ) -> (Transaction, Result<Bytes, FunctionError>) {
        match self.how {
            How::FreshInstances => {
                let began = Instant::now();
                let ended = self.deployment.run(info, args, tx, teardown);
                self.add([began.elapsed()]);
                ended
            }
            How::OneInstance => {
                let (tx, result) = self.deployment.time_in_one_instance(info, args, tx, REUSED_CALLS);
                let result = result.map(|(json, times)| {
                    self.add(times);
                    json
                });
                (tx, result)
            }
        }
    }
}

fn timed<R>(work: impl FnOnce() -> Result<R>) -> Result<(R, Duration)> {
    let began = Instant::now();
    let result = work()?;
    Ok((result, began.elapsed()))
}

fn micros(nanos: u64) -> f64 {
    nanos as f64 / 1000.0
}

fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}

fn millis(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}
