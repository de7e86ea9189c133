//! What a call in a fresh instance costs over the same call as a Rust closure, for tuning.
//!
//! ```text
//! cargo run --release -p weir-runtime --example call_cost -- COMPONENT FUNCTION ARGS [THREADS]
//! ```
//!
//! The closure gives its arguments back; compare with a function that does as much.
#![expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use bytes::Bytes;
use weir_db::native::NativeFunctions;
use weir_db::{Call, Database, Deployment, Principal};
use weir_runtime::{ModuleSource, Runtime, RuntimeOptions};
use weir_store::{Env, RealEnv, Snapshot, StoreOptions, memory};
use weir_value::FunctionPath;
use weir_value::limits::THREAD_STACK_BYTES;

const WARM_UP_CALLS: usize = 1_000;
const CALLS: usize = 20_000;

/// A thread as the server's: in one with less stack each call makes itself a stack.
fn thread() -> std::thread::Builder {
    std::thread::Builder::new().stack_size(THREAD_STACK_BYTES)
}

fn main() -> Result<()> {
    let mut words = std::env::args().skip(1);
    let mut word = |name: &str| words.next().with_context(|| format!("{name} is missing"));
    let component = std::fs::read(word("COMPONENT")?)?;
    let function = word("FUNCTION")?;
    let args = word("ARGS")?;
    let threads = words.next().map_or(Ok(1), |threads| threads.parse())?;

    let env: Arc<dyn Env> = Arc::new(RealEnv::new());
    let store = memory::open(&memory::MemoryDisk::new(), StoreOptions::default(), env.clone())?;
    let db = Database::open(store, env)?;
    let call = Call {
        path: FunctionPath::parse(&function).map_err(|error| anyhow!("{error}"))?,
        args: Bytes::from(args),
        principal: Principal::ADMIN,
        request_id: "cost".to_owned(),
    };

    let native = NativeFunctions::new().query(&function, |_, args| Ok(args.clone()));
    let closure = measure(&db, Arc::new(native), &call, threads)?;
    let runtime = Runtime::new(RuntimeOptions::default())?;
    let source = ModuleSource { name: "module".to_owned(), component: component.into() };
    let instance = measure(&db, runtime.load(&[source])?, &call, threads)?;

    print("closure", &closure);
    print("fresh instance", &instance);
    let more = instance.median.saturating_sub(closure.median);
    println!("difference of the medians: {:.1} us; {:?}", micros(more), runtime.stats());
    Ok(())
}

struct Cost {
    median: Duration,
    p99: Duration,
    /// Of all threads together.
    calls_per_second: f64,
}

fn measure(db: &Database, functions: Arc<dyn Deployment>, call: &Call, threads: usize) -> Result<Cost> {
    db.set_deployment(functions);
    let snapshot = Arc::new(db.store().snapshot_durable());
    db.query(call, snapshot.clone()).result.map_err(|error| anyhow!("{}", error.message))?;
    run(db, call, &snapshot, WARM_UP_CALLS);
    let began = Instant::now();
    let mut times: Vec<Duration> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads)
            .map(|_| thread().spawn_scoped(scope, || run(db, call, &snapshot, CALLS)).expect("a thread"))
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("no call panics")).collect()
    });
    let calls_per_second = times.len() as f64 / began.elapsed().as_secs_f64();
    times.sort();
    Ok(Cost { median: times[times.len() / 2], p99: times[times.len() * 99 / 100], calls_per_second })
}

fn run(db: &Database, call: &Call, snapshot: &Arc<Snapshot>, calls: usize) -> Vec<Duration> {
    let one = |_| {
        let began = Instant::now();
        std::hint::black_box(db.query(call, snapshot.clone()));
        began.elapsed()
    };
    (0..calls).map(one).collect()
}

fn print(name: &str, cost: &Cost) {
    let (median, p99) = (micros(cost.median), micros(cost.p99));
    println!("{name:>16}: median {median:7.1} us, p99 {p99:7.1} us, {:9.0} calls/s", cost.calls_per_second);
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
