//! What a server does now and then by itself: lets go of snapshots that nobody
//! came back to, of the records of requests that nobody will repeat, of what
//! became of scheduled functions long ago, and of indexes that nobody wants.

use std::sync::Arc;
use std::time::Duration;

use weir_db::{CommitError, DeploymentError, VariablesError};
use weir_value::limits;

use crate::app::App;
use crate::executor::{JobKind, JobLost, Work};

/// How often kept snapshots are looked through.
const SNAPSHOTS_EVERY: Duration = Duration::from_secs(5);

/// How often live queries run again whose results had no room, and how many of them.
const RESULTS_EVERY: Duration = Duration::from_secs(1);
const RESULTS_AT_ONCE: usize = 8;

/// How often it is looked whether there are indexes to be dropped or built, and how long the steps of that leave the
/// disk to others.
const INDEXES_EVERY: Duration = Duration::from_secs(2);
const INDEX_STEP_PAUSE: Duration = Duration::from_millis(2);

/// How long after the start the indexes are kept of a deployment that the end of the last process cut off: whoever began
/// it may do so again, and it goes on where it was.
const ABANDONED_KEPT: Duration = Duration::from_secs(60);

/// How often the records of requests are swept.
const SWEEP_EVERY: Duration = Duration::from_millis(limits::SESSION_SWEEP_MS);

/// How often it is said what was left out of the log.
const LEFT_OUT_EVERY: Duration = Duration::from_millis(limits::LOG_LEFT_OUT_TOLD_MS);

/// Keeps house, for ever.
pub async fn keep(app: &Arc<App>) {
    tokio::join!(
        release_snapshots(app),
        retry_results(app),
        sweep_requests(app),
        sweep_jobs(app),
        maintain_indexes(app),
        remove_files(app),
        sweep_files(app),
        tell_left_out(app),
    );
}

async fn tell_left_out(app: &Arc<App>) {
    loop {
        tokio::time::sleep(LEFT_OUT_EVERY).await;
        app.machine.tell_left_out();
    }
}

/// Live queries that failed because there was no room for their results run again, a few at a time.
async fn retry_results(app: &Arc<App>) {
    loop {
        tokio::time::sleep(RESULTS_EVERY).await;
        if app.machine.budget.has_room() {
            app.live.retry_without_room(RESULTS_AT_ONCE);
        }
    }
}

async fn maintain_indexes(app: &Arc<App>) {
    let started = app.machine.clock();
    loop {
        tokio::time::sleep(maintain_step(app, started).await).await;
    }
}

/// One step, which stands at the end of the queue, as a sweep's do; gives the pause until the next.
async fn maintain_step(app: &Arc<App>, started: Duration) -> Duration {
    let db = Arc::clone(&app.db);
    let drops_abandoned = app.machine.clock().saturating_sub(started) >= ABANDONED_KEPT;
    let step = move || {
        let abandoned = || Ok::<_, MaintainError>(drops_abandoned && db.drop_abandoned_indexes()?);
        Ok(db.maintain_indexes()? || db.empty_dropped_component()? || abandoned()?)
    };
    let done: Result<Result<bool, MaintainError>, JobLost> =
        app.machine.executor.run(Work::of_host(JobKind::Maintenance), step).await;
    match done {
        Ok(Ok(true)) => INDEX_STEP_PAUSE,
        Ok(Ok(false)) => INDEXES_EVERY,
        Ok(Err(error)) => {
            tracing::debug!(%error, "indexes and what components have left are seen to later");
            INDEXES_EVERY
        }
        // It has been logged where it was.
        Err(_) => INDEXES_EVERY,
    }
}

/// Why a step was not done.
#[derive(Debug, thiserror::Error)]
enum MaintainError {
    #[error(transparent)]
    Indexes(#[from] DeploymentError),
    #[error(transparent)]
    Component(#[from] VariablesError),
}

async fn release_snapshots(app: &Arc<App>) {
    loop {
        tokio::time::sleep(SNAPSHOTS_EVERY).await;
        app.kept_snapshots.release(app.machine.clock());
    }
}

async fn sweep_requests(app: &Arc<App>) {
    loop {
        tokio::time::sleep(SWEEP_EVERY).await;
        sweep(app).await;
    }
}

async fn sweep_jobs(app: &Arc<App>) {
    loop {
        let db = Arc::clone(&app.db);
        let now_ms = app.machine.unix_time().as_secs_f64() * 1000.0;
        match app
            .machine
            .executor
            .run(Work::of_host(JobKind::Maintenance), move || db.sweep_jobs(now_ms))
            .await
        {
            Ok(Ok(true)) => continue,
            Ok(Ok(false)) | Err(_) => {}
            Ok(Err(error)) => tracing::debug!(%error, "old scheduled functions are dropped later"),
        }
        tokio::time::sleep(Duration::from_millis(limits::SCHEDULED_SWEEP_MS)).await;
    }
}

async fn remove_files(app: &Arc<App>) {
    loop {
        let now_ms = app.machine.unix_time().as_secs_f64() * 1000.0;
        if let Err(error) = app.storage.remove_deleted(now_ms).await {
            tracing::debug!(%error, "the bytes of deleted files are removed later");
        }
        tokio::time::sleep(Duration::from_millis(limits::FILES_REMOVE_EVERY_MS)).await;
    }
}

/// The first time, nothing is on its way that a host before this one has begun.
async fn sweep_files(app: &Arc<App>) {
    let mut age = Duration::ZERO;
    loop {
        let now = app.machine.unix_time();
        match app.storage.sweep(now.saturating_sub(age)).await {
            Ok(0) => {}
            Ok(files) => tracing::info!(files, "removed files that have no document"),
            Err(error) => tracing::warn!(%error, "files without documents are looked for later"),
        }
        if let Err(error) = app.storage.sweep_upload_urls(now.as_secs_f64() * 1000.0).await {
            tracing::debug!(%error, "old upload URLs are dropped later");
        }
        age = Duration::from_millis(limits::FILES_SWEEP_AGE_MS);
        tokio::time::sleep(Duration::from_millis(limits::FILES_SWEEP_EVERY_MS)).await;
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

async fn sweep(app: &Arc<App>) {
    match sweep_in_steps(app).await {
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
async fn sweep_in_steps(app: &Arc<App>) -> Result<(), SweepError> {
    let db = Arc::clone(&app.db);
    let mut pass =
        app.machine.executor.run(Work::of_host(JobKind::Maintenance), move || db.begin_sweep()).await??;
    while let Some(begun) = pass {
        let db = Arc::clone(&app.db);
        pass = app
            .machine
            .executor
            .run(Work::of_host(JobKind::Maintenance), move || db.sweep_step(begun))
            .await??;
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
    use weir_subprocess::Cancellation;
    use weir_value::{FunctionPath, Mounts, Schema, Timestamp, Value};

    use super::*;
    use crate::admin_key::AdminKey;
    use crate::app::AppParts;
    use crate::canonical_urls::CanonicalUrls;
    use crate::deploy::{LoadFailure, Loaded, Loader, NoSnapshots, Placed};
    use crate::machine::{Machine, MachineParts};

    const HOUR: Duration = Duration::from_secs(3600);

    struct NoLoader;

    impl Loader for NoLoader {
        fn load(
            &self,
            _: &[Placed],
            _: &Mounts,
            _: MissingFunctions,
            _: &Variables,
            _: &Cancellation,
        ) -> Result<Loaded, LoadFailure> {
            Err(LoadFailure("nothing is deployed here".into()))
        }
    }

    fn app(env: &Arc<SimEnv>, disk: &MemoryDisk) -> Arc<App> {
        let env: Arc<dyn Env> = env.clone();
        let store = memory::open(disk, StoreOptions::default(), Arc::clone(&env)).unwrap();
        let db = Database::open(store, Arc::clone(&env)).unwrap();
        db.set_deployment(Arc::new(NativeFunctions::new().mutation("t:insert", |tx, _| {
            tx.insert("t", b"{}")?;
            Ok(Value::Null)
        })));
        let folder = tempfile::tempdir().unwrap();
        let admin_key = AdminKey::read_or_create(folder.path(), "weir").unwrap();
        let urls = CanonicalUrls::at(([127, 0, 0, 1], 3210).into(), false);
        let (loader, snapshots) = (Arc::new(NoLoader), Arc::new(NoSnapshots));
        let client_memory_bytes = 1 << 20;
        let machine = MachineParts {
            env,
            loader,
            snapshots,
            node: None,
            threads: 1,
            spare_threads: 0,
            client_memory_bytes,
            log_limits: None,
        };
        let machine = Machine::start(machine);
        let parts = AppParts {
            db,
            files: None,
            admin_key,
            key_fetcher: Arc::new(weir_auth::HttpFetcher::new()),
            signer: Arc::new(crate::identity::HostSigner::new(folder.path(), &urls)),
            web: None,
            reach: crate::reach::Reach::new(&crate::reach::ReachOptions::default(), &urls),
            urls,
            scheduled_calls: 1,
            outbound: weir_outbound::Rules::default(),
            disclosure: crate::disclosure::Disclosure::Production,
            open_metrics: false,
            stored_files: (weir_files::Files::in_memory(), weir_db::FileLimits::default()),
            audit: None,
        };
        App::start(machine, parts)
    }

    fn stop(app: &App) {
        app.machine.stop();
        app.close();
    }

    /// Whether this request was answered from its record.
    fn is_known(app: &App, request: u32) -> bool {
        let call = Call {
            path: FunctionPath::parse("t:insert").unwrap(),
            args: Bytes::from_static(b"{}"),
            principal: Principal::Anonymous,
            request_id: "r1".into(),
        };
        let outcome = app.db.mutation(&call, Some(SessionRequest { session: [7; 16], request }));
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
        let killed = app(&env, &disk);
        assert!(!is_known(&killed, 1));
        let mut prepared = killed.db.prepare(schema()).unwrap();
        while prepared.step(&killed.db).unwrap() {}
        killed.db.store().wait_durable(killed.db.store().sequenced()).unwrap();
        let image = disk.crash(CrashImage::Synced);
        stop(&killed);

        let app = app(&env, &image);
        let entries = || check(&app.db.store().snapshot_sequenced()).unwrap().index_entries;
        let started = app.machine.clock();
        assert_eq!(maintain_step(&app, started).await, INDEXES_EVERY, "it is kept for some time");
        assert_eq!(entries(), 1);
        env.advance(ABANDONED_KEPT);
        while maintain_step(&app, started).await == INDEX_STEP_PAUSE {}
        assert_eq!(entries(), 0);
        stop(&app);
    }

    #[tokio::test]
    async fn requests_are_forgotten_by_running_time_and_not_by_the_clock() {
        let now = Timestamp::from_nanos(1_790_000_000_000_000_000);
        let env = Arc::new(SimEnv::new(1, now));
        let app = app(&env, &MemoryDisk::new());
        assert!(!is_known(&app, 1));
        let days_20_ns = 20 * 24 * 3_600_000_000_000;
        env.set_now(Timestamp::from_nanos(now.as_nanos() + days_20_ns));
        sweep(&app).await;
        assert!(is_known(&app, 1), "the clock has jumped, and no time has passed");
        for _ in 0..15 * 4 {
            env.advance(6 * HOUR);
            sweep(&app).await;
        }
        assert!(!is_known(&app, 1));
        stop(&app);
    }
}
