//! What a server does now and then by itself: lets go of snapshots that nobody
//! came back to, of the records of requests that nobody will repeat, of what
//! became of scheduled functions long ago, and of indexes that nobody wants.

use std::sync::Arc;
use std::time::Duration;

use weir_db::{CommitError, DeploymentError};
use weir_value::limits;

use crate::backend::Backend;
use crate::executor::JobLost;

/// How often kept snapshots are looked through.
const SNAPSHOTS_EVERY: Duration = Duration::from_secs(5);

/// How often it is looked whether there are indexes to be dropped or built, and how long the steps of that leave the
/// disk to others.
const INDEXES_EVERY: Duration = Duration::from_secs(2);
const INDEX_STEP_PAUSE: Duration = Duration::from_millis(2);

/// How long after the start the indexes are kept of a deployment that the end of the last process cut off: whoever began
/// it may do so again, and it goes on where it was.
const ABANDONED_KEPT: Duration = Duration::from_secs(60);

/// How often the records of requests are swept.
const SWEEP_EVERY: Duration = Duration::from_millis(limits::SESSION_SWEEP_MS);

/// Keeps house, for ever.
pub async fn keep(backend: &Arc<Backend>) {
    tokio::join!(
        release_snapshots(backend),
        sweep_requests(backend),
        sweep_jobs(backend),
        maintain_indexes(backend)
    );
}

async fn maintain_indexes(backend: &Arc<Backend>) {
    let started = backend.clock();
    loop {
        tokio::time::sleep(maintain_step(backend, started).await).await;
    }
}

/// One step, which stands at the end of the queue, as a sweep's do; gives the pause until the next.
async fn maintain_step(backend: &Arc<Backend>, started: Duration) -> Duration {
    let db = Arc::clone(&backend.db);
    let drops_abandoned = backend.clock().saturating_sub(started) >= ABANDONED_KEPT;
    let step = move || Ok(db.maintain_indexes()? || (drops_abandoned && db.drop_abandoned_indexes()?));
    let done: Result<Result<bool, DeploymentError>, JobLost> = backend.executor.run(step).await;
    match done {
        Ok(Ok(true)) => INDEX_STEP_PAUSE,
        Ok(Ok(false)) => INDEXES_EVERY,
        Ok(Err(error)) => {
            tracing::debug!(%error, "indexes are seen to later");
            INDEXES_EVERY
        }
        // It has been logged where it was.
        Err(JobLost) => INDEXES_EVERY,
    }
}

async fn release_snapshots(backend: &Arc<Backend>) {
    loop {
        tokio::time::sleep(SNAPSHOTS_EVERY).await;
        backend.kept_snapshots.release(backend.clock());
    }
}

async fn sweep_requests(backend: &Arc<Backend>) {
    loop {
        tokio::time::sleep(SWEEP_EVERY).await;
        sweep(backend).await;
    }
}

async fn sweep_jobs(backend: &Arc<Backend>) {
    loop {
        let db = Arc::clone(&backend.db);
        let now_ms = backend.unix_time().as_secs_f64() * 1000.0;
        match backend.executor.run(move || db.sweep_jobs(now_ms)).await {
            Ok(Ok(true)) => continue,
            Ok(Ok(false)) | Err(JobLost) => {}
            Ok(Err(error)) => tracing::debug!(%error, "old scheduled functions are dropped later"),
        }
        tokio::time::sleep(Duration::from_millis(limits::SCHEDULED_SWEEP_MS)).await;
    }
}

/// Why a sweep did not come to its end.
#[derive(Debug, thiserror::Error)]
enum SweepError {
    #[error(transparent)]
    Commit(#[from] CommitError),
    #[error(transparent)]
    Lost(#[from] JobLost),
}

async fn sweep(backend: &Arc<Backend>) {
    match sweep_in_steps(backend).await {
        // A call that was lost has been logged where it was.
        Ok(()) | Err(SweepError::Lost(_)) => {}
        // The store says itself what ails it.
        Err(SweepError::Commit(CommitError::Sequence(refusal))) => {
            tracing::debug!(%refusal, "request records are swept later");
        }
        Err(SweepError::Commit(error)) => {
            tracing::warn!(%error, "old request records could not be swept; trying later")
        }
    }
}

/// Each step stands at the end of the queue: the calls that wait go first.
async fn sweep_in_steps(backend: &Arc<Backend>) -> Result<(), SweepError> {
    let db = Arc::clone(&backend.db);
    let mut pass = backend.executor.run(move || db.begin_sweep()).await??;
    while let Some(begun) = pass {
        let db = Arc::clone(&backend.db);
        pass = backend.executor.run(move || db.sweep_step(begun)).await??;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use serde_json::json;
    use weir_db::native::NativeFunctions;
    use weir_db::{Call, Database, MissingFunctions, Principal, SessionRequest, Variables, check};
    use weir_store::memory::{self, CrashImage, MemoryDisk};
    use weir_store::{Env, SimEnv, StoreOptions};
    use weir_value::{FunctionPath, Schema, Timestamp, Value};

    use super::*;
    use crate::admin_key::AdminKey;
    use crate::backend::{CanonicalUrls, Parts};
    use crate::deploy::{LoadFailure, Loaded, Loader, Module, NoSnapshots};

    const HOUR: Duration = Duration::from_secs(3600);

    struct NoLoader;

    impl Loader for NoLoader {
        fn load(&self, _: &[Module], _: MissingFunctions, _: &Variables) -> Result<Loaded, LoadFailure> {
            Err(LoadFailure("nothing is deployed here".into()))
        }
    }

    fn backend(env: &Arc<SimEnv>, disk: &MemoryDisk) -> Arc<Backend> {
        let env: Arc<dyn Env> = env.clone();
        let store = memory::open(disk, StoreOptions::default(), Arc::clone(&env)).unwrap();
        let db = Database::open(store, Arc::clone(&env)).unwrap();
        db.set_functions(Arc::new(NativeFunctions::new().mutation("t:insert", |tx, _| {
            tx.insert("t", b"{}")?;
            Ok(Value::Null)
        })));
        let folder = tempfile::tempdir().unwrap();
        let admin_key = AdminKey::read_or_create(folder.path(), "weir").unwrap();
        let urls = CanonicalUrls::at(([127, 0, 0, 1], 3210).into());
        Backend::start(Parts {
            env,
            db,
            loader: Arc::new(NoLoader),
            snapshots: Arc::new(NoSnapshots),
            files: None,
            admin_key,
            key_fetcher: Arc::new(weir_auth::HttpFetcher::new()),
            signer: Arc::new(crate::identity::HostSigner::new(folder.path(), &urls)),
            web: None,
            urls,
            threads: 1,
            scheduled_calls: 1,
        })
    }

    /// Whether this request was answered from its record.
    fn is_known(backend: &Backend, request: u32) -> bool {
        let call = Call {
            path: FunctionPath::parse("t:insert").unwrap(),
            args: Bytes::from_static(b"{}"),
            principal: Principal::Anonymous,
            request_id: "r1".into(),
        };
        let outcome = backend.db.mutation(&call, Some(SessionRequest { session: [7; 16], request }));
        assert!(outcome.result.is_ok());
        outcome.replayed
    }

    /// A schema whose index a deployment builds.
    fn schema() -> Schema {
        let index = json!([{ "indexDescriptor": "by_n", "fields": ["n"] }]);
        Schema::from_json(&json!({ "tables": [{ "tableName": "t", "indexes": index }] })).unwrap()
    }

    #[tokio::test]
    async fn what_a_killed_deployment_has_left_goes_when_nobody_comes_back_for_it() {
        let env = Arc::new(SimEnv::new(1, Timestamp::from_nanos(1_790_000_000_000_000_000)));
        let disk = MemoryDisk::new();
        let killed = backend(&env, &disk);
        assert!(!is_known(&killed, 1));
        let mut prepared = killed.db.prepare(schema()).unwrap();
        while prepared.step(&killed.db).unwrap() {}
        killed.db.store().wait_durable(killed.db.store().sequenced()).unwrap();
        let image = disk.crash(CrashImage::Synced);
        killed.stop();

        let backend = backend(&env, &image);
        let entries = || check(&backend.db.store().snapshot_sequenced()).unwrap().index_entries;
        let started = backend.clock();
        assert_eq!(maintain_step(&backend, started).await, INDEXES_EVERY, "it is kept for some time");
        assert_eq!(entries(), 1);
        env.advance(ABANDONED_KEPT);
        while maintain_step(&backend, started).await == INDEX_STEP_PAUSE {}
        assert_eq!(entries(), 0);
        backend.stop();
    }

    #[tokio::test]
    async fn requests_are_forgotten_by_running_time_and_not_by_the_clock() {
        let now = Timestamp::from_nanos(1_790_000_000_000_000_000);
        let env = Arc::new(SimEnv::new(1, now));
        let backend = backend(&env, &MemoryDisk::new());
        assert!(!is_known(&backend, 1));
        let days_20_ns = 20 * 24 * 3_600_000_000_000;
        env.set_now(Timestamp::from_nanos(now.as_nanos() + days_20_ns));
        sweep(&backend).await;
        assert!(is_known(&backend, 1), "the clock has jumped, and no time has passed");
        for _ in 0..15 * 4 {
            env.advance(6 * HOUR);
            sweep(&backend).await;
        }
        assert!(!is_known(&backend, 1));
        backend.stop();
    }
}
