//! What actions need of a server, over a database in memory and a web of canned answers.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use anyhow::{Context, Result};
use bytes::{Bytes, BytesMut};
use futures_util::{TryStreamExt, stream};
use serde_json::Value as Json;
use tokio::runtime::{Handle, Runtime};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use uuid::Uuid;
use weir_build::{Progress, Project, build};
use weir_db::{
    ActionHost, ActionOutcome, Body, BodyError, BodyStream, Call, CallError, Database, DbError, FileLimits,
    FileToStore, FunctionKind, GivesUp, HostFuture, HttpExchange, HttpRequest, HttpResponse, Namespace,
    NewFile, PasswordResult, PasswordWork, Principal, StoredFile,
};
use weir_runtime::{Deployment, ModuleSource, RuntimeOptions};
use weir_store::{Env, RealEnv, StoreOptions, memory};
use weir_value::{DocumentId, ErrorCode, FunctionPath, Timestamp};

use crate::web::Web;

/// A database whose functions are those of `tests/guests/actions`.
pub struct World {
    pub db: Arc<Database>,
    pub web: Arc<Web>,
    host: Arc<Host>,
    runtime: Runtime,
}

impl World {
    pub fn new() -> Result<World> {
        let deployment = deploy(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/guests/actions"))?;
        let env: Arc<dyn Env> = Arc::new(RealEnv::new());
        let store = memory::open(&memory::MemoryDisk::new(), StoreOptions::default(), env.clone());
        let db = Database::open(store.context("a store")?, env).context("a database")?;
        db.set_deployment(deployment);
        let threads = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let web = Arc::new(Web::default());
        let host = Arc::new_cyclic(|this| Host {
            this: this.clone(),
            db: db.clone(),
            web: web.clone(),
            threads: threads.handle().clone(),
            files: Mutex::default(),
        });
        Ok(World { db, web, host, runtime: threads })
    }

    /// Runs an action to its end.
    pub fn run(&self, path: &str, args: &Json) -> ActionOutcome {
        let call = call_of(path, args.to_string().into(), Principal::Anonymous);
        self.runtime.block_on(self.db.clone().action(call, self.host.clone()))
    }

    /// The result of an action.
    pub fn ask(&self, path: &str, args: &Json) -> Result<Json> {
        let outcome = self.run(path, args);
        let result = outcome.result.map_err(|error| anyhow::anyhow!("{path}: {}", error.message))?;
        Ok(serde_json::from_slice(&result)?)
    }

    /// The result of a query.
    pub fn query(&self, path: &str, args: &Json) -> Result<Json, CallError> {
        let call = call_of(path, args.to_string().into(), Principal::Anonymous);
        let result = self.db.query(&call, self.db.store().snapshot_sequenced()).result?;
        Ok(serde_json::from_slice(&result).expect("results are JSON"))
    }

    /// The result of a mutation.
    pub fn mutate(&self, path: &str, args: &Json) -> Result<Json> {
        let call = call_of(path, args.to_string().into(), Principal::Anonymous);
        let result = self.db.mutation(&call, None).result;
        let result = result.map_err(|error| anyhow::anyhow!("{path}: {}", error.message))?;
        Ok(serde_json::from_slice(&result)?)
    }

    /// Stores a file, and gives its id.
    pub fn store_file(&self, bytes: &'static [u8], content_type: Option<&str>) -> Result<String> {
        let content_type = content_type.map(str::to_owned);
        let file = FileToStore {
            body: Body::Whole(Bytes::from_static(bytes)),
            content_type,
            sha256: None,
            namespace: Namespace::APP,
        };
        Ok(self.runtime.block_on(self.host.store_file(file))?.to_string())
    }

    /// Does what needs an async runtime around it.
    pub fn on_threads<R>(&self, work: impl FnOnce() -> R) -> R {
        let _entered = self.runtime.enter();
        work()
    }

    /// Sends a request to the HTTP action of a path; `take` gets the response, while the action goes on, and gives what
    /// it makes of it; with how the action ended.
    pub fn serve<R: Send + 'static, F: Future<Output = R> + Send + 'static>(
        &self,
        path: &str,
        request: &Json,
        body: Option<BodyStream>,
        take: impl FnOnce(HttpResponse) -> F + Send + 'static,
    ) -> (Option<R>, ActionOutcome) {
        let (sender, receiver) = oneshot::channel();
        let responder = Box::new(move |response| {
            let _ = sender.send(response);
        });
        let exchange = HttpExchange { body, connection: None, responder: Some(responder) };
        let call = call_of(path, request.to_string().into(), Principal::Anonymous);
        let action = self.db.clone().http_action(call, exchange, self.host.clone());
        let taking = async move {
            match receiver.await {
                Ok(response) => Some(take(response).await),
                Err(_) => None,
            }
        };
        self.runtime.block_on(async {
            let taking = self.runtime.spawn(taking);
            let outcome = action.await;
            (taking.await.expect("the response is taken"), outcome)
        })
    }
}

/// Builds the project in a folder, and loads it.
fn deploy(folder: PathBuf) -> Result<Arc<Deployment>> {
    let mut output = Vec::new();
    let built = build(&Project::load(&folder)?, None, &mut |progress| {
        if let Progress::Output { line, .. } = progress {
            output.push(line.to_owned());
        }
    });
    let built = built.with_context(|| output.join("\n"))?.modules;
    // The JavaScript engine takes long to compile.
    let compiled_dir = weir_build::cache_folder().map(|folder| folder.join("compiled"));
    let runtime = weir_runtime::Runtime::new(RuntimeOptions { compiled_dir, ..RuntimeOptions::default() })?;
    let source = |module: weir_build::BuiltModule| ModuleSource {
        name: module.name,
        component: module.component.into(),
    };
    Ok(runtime.load(&built.into_iter().map(source).collect::<Vec<_>>())?)
}

fn call_of(path: &str, args: Bytes, principal: Principal) -> Call {
    let path = FunctionPath::parse(path).expect("a path");
    Call { path, args, principal, request_id: "r1".to_owned() }
}

struct Host {
    this: Weak<Host>,
    db: Arc<Database>,
    web: Arc<Web>,
    threads: Handle,
    /// The bytes of stored files, by their names.
    files: Mutex<HashMap<Uuid, Bytes>>,
}

impl Host {
    async fn keep_file(&self, file: FileToStore) -> Result<DocumentId, DbError> {
        let FileToStore { body, content_type, sha256: expected, namespace } = file;
        let bytes = match body {
            Body::Empty => Bytes::new(),
            Body::Whole(bytes) => bytes,
            Body::Stream(pieces) => pieces
                .try_fold(BytesMut::new(), |mut all, piece| async move {
                    all.extend_from_slice(&piece);
                    Ok(all)
                })
                .await
                .map_err(|BodyError(why)| DbError::new(ErrorCode::IncompleteBody, why))?
                .freeze(),
        };
        let sha256 = weir_db::digest("SHA-256", &bytes)?.try_into().expect("32 bytes");
        if expected.is_some_and(|expected| expected != sha256) {
            let message = "The file is not the one of its checksum.";
            return Err(DbError::new(ErrorCode::DigestMismatch, message));
        }
        let name = self.db.new_file_name();
        let file = NewFile { name, sha256, size: bytes.len() as u64, content_type, namespace };
        let (id, ts) = self
            .db
            .store_file(&file, None, &FileLimits::default())
            .map_err(weir_db::FileError::into_db_error)?;
        self.db.store().wait_durable(ts).expect("a store in memory");
        self.files.lock().unwrap().insert(name, bytes);
        Ok(id)
    }
}

impl ActionHost for Host {
    fn call(
        &self,
        kind: FunctionKind,
        path: FunctionPath,
        args: Bytes,
    ) -> HostFuture<Result<Bytes, CallError>> {
        let (db, host) = (self.db.clone(), self.this.upgrade().expect("an action holds its host"));
        Box::pin(async move {
            let call = call_of(&path.to_string(), args, Principal::System);
            let result = match kind {
                FunctionKind::Query => {
                    tokio::task::block_in_place(|| db.query(&call, db.store().snapshot_sequenced())).result
                }
                FunctionKind::Mutation => tokio::task::block_in_place(|| db.mutation(&call, None)).result,
                FunctionKind::Action | FunctionKind::HttpAction => db.action(call, host).await.result,
            };
            result.map_err(CallError::into_nested)
        })
    }

    fn durable(&self, ts: Timestamp) -> HostFuture<()> {
        let (db, threads) = (self.db.clone(), self.threads.clone());
        Box::pin(async move {
            // The store is closed when nobody asks any more.
            let _ = threads.spawn_blocking(move || db.store().wait_durable(ts)).await;
        })
    }

    fn sleep(&self, time: Duration) -> HostFuture<()> {
        Box::pin(tokio::time::sleep(time))
    }

    fn send(&self, request: HttpRequest) -> HostFuture<Result<HttpResponse, DbError>> {
        Box::pin(self.web.clone().answer(request))
    }

    fn compute_password(&self, work: PasswordWork) -> HostFuture<Result<PasswordResult, DbError>> {
        Box::pin(async move { Ok(tokio::task::block_in_place(|| work.run())) })
    }

    fn store_file(&self, file: FileToStore) -> HostFuture<Result<DocumentId, DbError>> {
        let host = self.this.upgrade().expect("an action holds its host");
        Box::pin(async move { host.keep_file(file).await })
    }

    fn read_file(&self, file: StoredFile) -> HostFuture<Result<BodyStream, DbError>> {
        let bytes = self.files.lock().unwrap()[&file.name].clone();
        let body: BodyStream = Box::pin(stream::iter([Ok(bytes)]));
        Box::pin(async { Ok(body) })
    }

    fn spawn(&self, work: HostFuture<()>) -> Box<dyn GivesUp> {
        Box::new(Spawned(self.threads.spawn(work)))
    }
}

struct Spawned(JoinHandle<()>);

impl GivesUp for Spawned {}

impl Drop for Spawned {
    fn drop(&mut self) {
        self.0.abort();
    }
}
