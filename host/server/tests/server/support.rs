//! A server to talk to, and plain ways to talk to it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value as Json, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use weir_db::native::NativeFunctions;
use weir_db::{Database, FunctionError, Functions, Transaction};
use weir_server::admin_key::AdminKey;
use weir_server::backend::{Backend, Parts};
use weir_server::deploy::{LoadFailure, Loader, Module};
use weir_server::{ComponentFiles, Server, StaticFiles};
use weir_store::memory::MemoryDisk;
use weir_store::{Env, RealEnv, Store, StoreOptions};
use weir_value::Value;

/// Nothing here takes this long.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A running server, and what its functions have counted.
pub struct TestServer {
    pub address: SocketAddr,
    pub backend: Arc<Backend>,
    pub admin_key: String,
    pub list_runs: Arc<AtomicU64>,
    stop: Option<oneshot::Sender<()>>,
    task: Option<JoinHandle<()>>,
    pub dir: tempfile::TempDir,
}

impl TestServer {
    /// On a new disk, with the functions of `v1` in place.
    pub async fn start() -> TestServer {
        TestServer::start_deployed(&MemoryDisk::new()).await
    }

    /// On this disk, with the functions of `v1` in place.
    pub async fn start_deployed(disk: &MemoryDisk) -> TestServer {
        let server = TestServer::start_on(disk, tempfile::tempdir().unwrap()).await;
        if server.backend.deployer.summary().modules.is_empty() {
            server.backend.deployer.deploy(vec![module("native", "v1")]).await.unwrap();
        }
        server
    }

    /// With a real store, whose syncs take their time.
    pub async fn start_on_disk() -> TestServer {
        let env: Arc<dyn Env> = Arc::new(RealEnv::new());
        let dir = tempfile::tempdir().unwrap();
        let store = weir_store::open(&dir.path().join("store"), StoreOptions::default(), Arc::clone(&env));
        let server = TestServer::start_with(env, store.unwrap(), dir).await;
        server.backend.deployer.deploy(vec![module("native", "v1")]).await.unwrap();
        server
    }

    /// On this disk, with these files: what was deployed there before.
    pub async fn start_on(disk: &MemoryDisk, dir: tempfile::TempDir) -> TestServer {
        let env: Arc<dyn Env> = Arc::new(RealEnv::new());
        let store = weir_store::memory::open(disk, StoreOptions::default(), Arc::clone(&env));
        TestServer::start_with(env, store.unwrap(), dir).await
    }

    #[expect(clippy::disallowed_methods, reason = "the server's own task; the test waits for it")]
    async fn start_with(env: Arc<dyn Env>, store: Arc<dyn Store>, dir: tempfile::TempDir) -> TestServer {
        let db = Database::open(store, Arc::clone(&env)).unwrap();
        let list_runs = Arc::new(AtomicU64::new(0));
        let web = dir.path().join("web");
        std::fs::create_dir_all(&web).unwrap();
        let admin_key = AdminKey::read_or_create(dir.path(), "weir").unwrap();
        let parts = Parts {
            env,
            db,
            loader: Arc::new(NativeLoader { list_runs: Arc::clone(&list_runs) }),
            files: Some(ComponentFiles::open(&dir.path().join("components")).unwrap()),
            admin_key: admin_key.clone(),
            web: Some(StaticFiles::open(&web).unwrap()),
            threads: 4,
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Server::of_parts(parts, listener).await.unwrap();
        let (stop, stopped) = oneshot::channel();
        let (address, backend) = (server.local_addr(), server.backend());
        let task = tokio::spawn(server.serve(async { drop(stopped.await) }));
        let admin_key = admin_key.as_str().to_owned();
        TestServer { address, backend, admin_key, list_runs, stop: Some(stop), task: Some(task), dir }
    }

    /// Asks it to stop, and waits until it has.
    pub async fn stop(mut self) -> tempfile::TempDir {
        self.begin_stop();
        tokio::time::timeout(PATIENCE, self.task.take().unwrap()).await.unwrap().unwrap();
        self.dir
    }

    /// Asks it to stop.
    pub fn begin_stop(&mut self) {
        drop(self.stop.take());
    }

    /// Sends bytes on a connection of their own and reads to its end.
    pub async fn send_raw(&self, request: &[u8]) -> Reply {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        // The server may answer and close before it has read everything.
        let _ = stream.write_all(request).await;
        let mut bytes = Vec::new();
        let reading = async { stream.read_to_end(&mut bytes).await };
        let _ = tokio::time::timeout(PATIENCE, reading).await.expect("an answer in time");
        Reply::parse(&bytes)
    }

    /// Sends one request.
    pub async fn send(&self, method: &str, path: &str, headers: &[&str], body: &str) -> Reply {
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n");
        for header in headers {
            head += header;
            head += "\r\n";
        }
        if !body.is_empty() || method == "POST" {
            head += &format!("Content-Length: {}\r\n", body.len());
        }
        self.send_raw(format!("{head}\r\n{body}").as_bytes()).await
    }

    pub async fn post(&self, path: &str, body: Json) -> Json {
        let reply = self.send("POST", path, &[], &body.to_string()).await;
        serde_json::from_str(&reply.body).unwrap_or_else(|_| panic!("{reply:?}"))
    }

    pub fn admin_header(&self) -> String {
        format!("Authorization: Convex {}", self.admin_key)
    }

    /// Opens a socket of the sync protocol, as the npm client does.
    pub async fn open_socket(&self) -> Client {
        let address = format!("ws://{}/api/1.48.0/sync", self.address);
        let stream = TcpStream::connect(self.address).await.unwrap();
        let request = address.into_client_request().unwrap();
        let (socket, _) = tokio_tungstenite::client_async(request, stream).await.unwrap();
        Client { socket }
    }

    /// The value of one line of `/metrics`.
    pub async fn metric(&self, name: &str) -> u64 {
        let reply = self.send("GET", "/metrics", &[], "").await;
        let line = reply.body.lines().find(|line| line.starts_with(&format!("{name} ")));
        line.unwrap_or_else(|| panic!("no {name}")).rsplit(' ').next().unwrap().parse().unwrap()
    }
}

/// An HTTP answer.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Reply {
    fn parse(bytes: &[u8]) -> Reply {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        Reply { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")))
    }

    pub fn code(&self) -> String {
        let json: Json = serde_json::from_str(&self.body).unwrap_or_default();
        json["code"].as_str().unwrap_or_default().to_owned()
    }
}

/// A client of the sync protocol that says what it is told.
pub struct Client {
    pub socket: WebSocketStream<TcpStream>,
}

impl Client {
    pub async fn say(&mut self, message: Json) {
        self.socket.send(Message::text(message.to_string())).await.unwrap();
    }

    pub async fn connect(&mut self, session: &str) {
        self.say(json!({"type": "Connect", "sessionId": session, "connectionCount": 0,
            "lastCloseReason": "InitialConnect", "clientTs": 0}))
            .await;
    }

    pub async fn watch(&mut self, query: u32, path: &str, args: Json) {
        self.say(json!({"type": "ModifyQuerySet", "baseVersion": query, "newVersion": query + 1,
            "modifications": [{"type": "Add", "queryId": query, "udfPath": path, "args": [args]}]}))
            .await;
    }

    pub async fn mutate(&mut self, request: u32, path: &str, args: Json) {
        self.say(mutation(request, path, args)).await;
    }

    /// The next message that is not a ping of either kind.
    pub async fn hear(&mut self) -> Json {
        loop {
            match self.hear_raw().await {
                Some(Message::Text(text)) => {
                    let message: Json = serde_json::from_str(&text).unwrap();
                    if message["type"] != "Ping" {
                        return message;
                    }
                }
                Some(Message::Ping(_) | Message::Pong(_)) => {}
                other => panic!("expected a message, got {other:?}"),
            }
        }
    }

    /// The next message of this type; those before it are dropped.
    pub async fn hear_type(&mut self, wanted: &str) -> Json {
        loop {
            let message = self.hear().await;
            if message["type"] == wanted {
                return message;
            }
        }
    }

    pub async fn hear_raw(&mut self) -> Option<Message> {
        let next = tokio::time::timeout(PATIENCE, self.socket.next());
        next.await.expect("a message in time").and_then(Result::ok)
    }

    /// The code of the closing frame; messages before it are given too.
    pub async fn hear_close(&mut self) -> (Vec<String>, Option<u16>) {
        let mut before = Vec::new();
        loop {
            match self.hear_raw().await {
                Some(Message::Text(text)) => before.push(text.to_string()),
                Some(Message::Close(frame)) => return (before, frame.map(|frame| frame.code.into())),
                Some(_) => {}
                None => return (before, None),
            }
        }
    }
}

pub const SESSION: &str = "88820804-3a9c-4c65-92f2-0e2f8a7a5c1e";

pub fn mutation(request: u32, path: &str, args: Json) -> Json {
    json!({"type": "Mutation", "requestId": request, "udfPath": path, "args": [args]})
}

pub fn module(name: &str, component: &'static str) -> Module {
    Module { name: name.to_owned(), component: Bytes::from_static(component.as_bytes()) }
}

/// "Compiles" the names of native functions.
struct NativeLoader {
    list_runs: Arc<AtomicU64>,
}

impl Loader for NativeLoader {
    fn load(&self, modules: &[Module]) -> Result<Arc<dyn Functions>, LoadFailure> {
        let functions = NativeFunctions::new();
        let Some(module) = modules.first() else { return Ok(Arc::new(functions)) };
        let label = match module.component.as_ref() {
            b"v1" => "one",
            b"v2" => "two",
            _ => return Err(LoadFailure(format!("module `{}` is not a component", module.name))),
        };
        Ok(Arc::new(chat(functions, label, Arc::clone(&self.list_runs))))
    }
}

fn chat(functions: NativeFunctions, label: &'static str, runs: Arc<AtomicU64>) -> NativeFunctions {
    functions
        .query("chat:list", move |tx, _| {
            runs.fetch_add(1, Ordering::SeqCst);
            read_newest(tx, "messages", 50)
        })
        .query("chat:all", |tx, _| read_newest(tx, "messages", 1000))
        .query("chat:version", move |_, _| Ok(Value::String(label.to_owned())))
        .query("chat:echo", |_, args| Ok(args.clone()))
        .query("chat:log", |tx, _| {
            tx.log(weir_db::LogLevel::Log, "'hi'");
            Ok(Value::Null)
        })
        .query("chat:panic", |_, _| panic!("a bug of the host"))
        .mutation("chat:send", |tx, args| insert(tx, "messages", args))
        .mutation("other:send", |tx, args| insert(tx, "other", args))
        .mutation("chat:look", |tx, _| read_newest(tx, "messages", 50))
        .mutation("chat:fail", |_, _| {
            Err(FunctionError::Application { message: "no way".into(), data: None })
        })
        .mutation("chat:refuse", |_, _| {
            let data = Some(Bytes::from_static(br#"{"why":"full"}"#));
            Err(FunctionError::Application { message: "refused".into(), data })
        })
}

fn insert(tx: &mut Transaction, table: &str, args: &Value) -> Result<Value, FunctionError> {
    tx.insert(table, args.to_json().as_bytes())?;
    Ok(Value::Null)
}

fn read_newest(tx: &mut Transaction, table: &str, limit: u32) -> Result<Value, FunctionError> {
    let plan = json!({"table": table, "order": "desc", "limit": limit}).to_string();
    let batch = tx.query(plan.as_bytes(), limit)?;
    Ok(Value::from_json(&batch.documents).expect("documents are values"))
}
