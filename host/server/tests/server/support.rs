//! A server to talk to, and plain ways to talk to it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
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
use weir_db::{Database, FileLimits};
use weir_files::{Files, FilesPlace};
use weir_server::admin_key::AdminKey;
use weir_server::app::{App, AppParts};
use weir_server::deploy::{Module, NoSnapshots};
use weir_server::identity::HostSigner;
use weir_server::machine::MachineParts;
use weir_server::{
    CanonicalUrls, ComponentFiles, ComponentHash, Disclosure, FrontOptions, Reach, ReachOptions, Server,
    StaticFiles,
};
use weir_store::memory::MemoryDisk;
use weir_store::{Env, RealEnv, Store, StoreOptions};
use weir_value::limits;

use crate::loader::TestLoader;

/// Nothing here takes this long.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// How large a stored file may be.
pub const FILE_BYTES: u64 = 4 << 20;

/// A running server, and what its functions have counted.
pub struct TestServer {
    pub address: SocketAddr,
    pub app: Arc<App>,
    pub admin_key: String,
    pub list_runs: Arc<AtomicU64>,
    pub loader: Arc<TestLoader>,
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
        if server.app.deployer.summary().modules.is_empty() {
            server.app.deployer.deploy(vec![module("native", "v1")]).await.unwrap();
        }
        server
    }

    /// With a real store, whose syncs take their time.
    pub async fn start_on_disk() -> TestServer {
        let env: Arc<dyn Env> = Arc::new(RealEnv::new());
        let dir = tempfile::tempdir().unwrap();
        let store = weir_store::open(&dir.path().join("store"), StoreOptions::default(), Arc::clone(&env));
        let server = TestServer::start_with(store.unwrap(), dir, Arc::default()).await;
        server.app.deployer.deploy(vec![module("native", "v1")]).await.unwrap();
        server
    }

    /// On this disk, with these files: what was deployed there before.
    pub async fn start_on(disk: &MemoryDisk, dir: tempfile::TempDir) -> TestServer {
        TestServer::start_with(open_store(disk), dir, Arc::default()).await
    }

    /// On a new disk, with the functions of `v1` in place, and so much memory for its clients.
    pub async fn start_with_memory(client_memory_bytes: usize) -> TestServer {
        let (dir, loader) = (tempfile::tempdir().unwrap(), Arc::default());
        let bounded =
            |machine: &mut MachineParts, _: &mut AppParts| machine.client_memory_bytes = client_memory_bytes;
        let server = TestServer::start_as(
            open_store(&MemoryDisk::new()),
            dir,
            loader,
            FrontOptions::default(),
            bounded,
        )
        .await;
        server.app.deployer.deploy(vec![module("native", "v1")]).await.unwrap();
        server
    }

    /// On a new disk, with the functions of `v1` in place, facing the network as these options say.
    pub async fn start_facing(front: FrontOptions) -> TestServer {
        let (store, dir) = (open_store(&MemoryDisk::new()), tempfile::tempdir().unwrap());
        let server = TestServer::start_as(store, dir, Arc::default(), front, |_, _| {}).await;
        server.app.deployer.deploy(vec![module("native", "v1")]).await.unwrap();
        server
    }

    /// Of these parts.
    pub async fn start_with(
        store: Arc<dyn Store>,
        dir: tempfile::TempDir,
        loader: Arc<TestLoader>,
    ) -> TestServer {
        TestServer::start_as(store, dir, loader, FrontOptions::default(), |_, _| {}).await
    }

    /// On a new disk, with the functions of `v1` in place, as `host serve` has it: strangers are told little.
    pub async fn start_in_production() -> TestServer {
        let (store, dir) = (open_store(&MemoryDisk::new()), tempfile::tempdir().unwrap());
        let production =
            |_: &mut MachineParts, parts: &mut AppParts| parts.disclosure = Disclosure::Production;
        let server =
            TestServer::start_as(store, dir, Arc::default(), FrontOptions::default(), production).await;
        let modules = vec![module("native", "v1"), module("actions", "actions")];
        server.app.deployer.deploy(modules).await.unwrap();
        server
    }

    #[expect(clippy::disallowed_methods, reason = "the server's own task; the test waits for it")]
    async fn start_as(
        store: Arc<dyn Store>,
        dir: tempfile::TempDir,
        loader: Arc<TestLoader>,
        front: FrontOptions,
        change: impl FnOnce(&mut MachineParts, &mut AppParts),
    ) -> TestServer {
        let (mut machine, mut parts) = parts(store, &dir, &loader);
        change(&mut machine, &mut parts);
        let (admin_key, list_runs) = (parts.admin_key.as_str().to_owned(), Arc::clone(&loader.list_runs));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Server::of_parts(machine, parts, listener).await.unwrap().facing(&front).unwrap();
        let (stop, stopped) = oneshot::channel();
        let (address, app) = (server.local_addr(), server.app());
        let task = tokio::spawn(server.serve(async { drop(stopped.await) }));
        TestServer { address, app, admin_key, list_runs, loader, stop: Some(stop), task: Some(task), dir }
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
        Reply::parse(&self.exchange(request).await)
    }

    /// The same, with all the bytes that came.
    pub async fn exchange(&self, request: &[u8]) -> Vec<u8> {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        // The server may answer and close before it has read everything.
        let _ = stream.write_all(request).await;
        let mut bytes = Vec::new();
        let reading = async { stream.read_to_end(&mut bytes).await };
        let _ = tokio::time::timeout(PATIENCE, reading).await.expect("an answer in time");
        bytes
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

    /// Asks for a deployment of these modules: name and component.
    pub async fn deploy(&self, modules: &[(&str, &str)]) -> Reply {
        let admin = self.admin_header();
        self.send("POST", "/api/weir/deploy", &[&admin], &deploy_request(modules)).await
    }

    /// The result of a query, or the whole answer when there is none.
    pub async fn ask(&self, path: &str) -> Json {
        let answer = self.post("/api/query", json!({"path": path, "args": {}})).await;
        answer.get("value").cloned().unwrap_or(answer)
    }

    pub fn admin_header(&self) -> String {
        format!("Authorization: Convex {}", self.admin_key)
    }

    /// Makes an admin key with this body, and gives its text.
    pub async fn create_key(&self, body: Json) -> String {
        let reply = self.send("POST", "/api/weir/keys", &[&self.admin_header()], &body.to_string()).await;
        let made: Json = serde_json::from_str(&reply.body).unwrap();
        made["key"].as_str().unwrap_or_else(|| panic!("{reply:?}")).to_owned()
    }

    /// Revokes an admin key.
    pub async fn revoke_key(&self, name: &str) {
        let path = format!("/api/weir/keys/{name}");
        let reply = self.send("DELETE", &path, &[&self.admin_header()], "").await;
        assert_eq!(reply.status, 200, "{reply:?}");
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
        let reply = self.send("GET", "/metrics", &[&self.admin_header()], "").await;
        let line = reply.body.lines().find(|line| line.starts_with(&format!("{name} ")));
        line.unwrap_or_else(|| panic!("no {name}")).rsplit(' ').next().unwrap().parse().unwrap()
    }
}

/// The body of a deployment.
pub fn deploy_request(modules: &[(&str, &str)]) -> String {
    let modules: Vec<Json> = modules
        .iter()
        .map(|(name, text)| json!({"name": name, "component": STANDARD.encode(text)}))
        .collect();
    json!({ "modules": modules }).to_string()
}

/// A store in memory, of what is on this disk.
pub fn open_store(disk: &MemoryDisk) -> Arc<dyn Store> {
    weir_store::memory::open(disk, StoreOptions::default(), Arc::new(RealEnv::new())).unwrap()
}

/// What a server is made of, with its files in `dir`.
pub fn parts(
    store: Arc<dyn Store>,
    dir: &tempfile::TempDir,
    loader: &Arc<TestLoader>,
) -> (MachineParts, AppParts) {
    let env: Arc<dyn Env> = Arc::new(RealEnv::new());
    let web = dir.path().join("web");
    std::fs::create_dir_all(&web).unwrap();
    // The names that requests here are sent to.
    let host_names = ["test", "t"].map(str::to_owned).into();
    let origins = vec!["https://app.test".to_owned()];
    let reach = ReachOptions { host_names, origins, loopback_origins: false };
    let urls = CanonicalUrls { cloud: "http://cloud.test".into(), site: "http://site.test".into() };
    let parts = AppParts {
        db: Database::open(store, Arc::clone(&env)).unwrap(),
        files: Some(ComponentFiles::at(&dir.path().join("components"))),
        admin_key: AdminKey::read_or_create(dir.path(), "weir").unwrap(),
        key_fetcher: Arc::new(weir_auth::HttpFetcher::new()),
        signer: Arc::new(HostSigner::new(dir.path(), &urls)),
        web: Some(StaticFiles::open(&web).unwrap()),
        reach: Reach::new(&reach, &urls),
        urls,
        scheduled_calls: 4,
        outbound: weir_outbound::Rules::parse(&["127.0.0.1"]).unwrap(),
        disclosure: Disclosure::Everything,
        open_metrics: false,
        stored_files: (open_files(dir), FileLimits { file_bytes: FILE_BYTES, ..FileLimits::default() }),
        audit: Some(dir.path().join("audit")),
    };
    let (loader, snapshots) = (Arc::clone(loader) as Arc<_>, Arc::new(NoSnapshots));
    let client_memory_bytes = limits::MEMORY_BYTES / limits::MEMORY_PART_OF_CLIENTS;
    (
        MachineParts {
            env,
            loader,
            snapshots,
            node: None,
            threads: 4,
            spare_threads: 4,
            client_memory_bytes,
            log_limits: None,
        },
        parts,
    )
}

/// Stored files in `dir`.
pub fn open_files(dir: &tempfile::TempDir) -> Files {
    Files::open(&FilesPlace::Folder(dir.path().join("files"))).unwrap()
}

/// Which version of the chat is in force, asked for without a call.
pub fn version_of(server: &TestServer) -> &'static str {
    let modules = server.app.deployer.summary().modules;
    let chat = modules.iter().find(|module| module.name == "native").map(|module| module.sha256);
    let versions = [("v1", "one"), ("v2", "two"), ("v3", "three")];
    let is_it = |component: &str| chat == Some(ComponentHash::of(component.as_bytes()));
    versions.into_iter().find(|(component, _)| is_it(component)).map_or("none", |(_, version)| version)
}

/// The names of the component files, in order.
pub fn component_files(dir: &tempfile::TempDir) -> Vec<String> {
    let entries = std::fs::read_dir(dir.path().join("components")).into_iter().flatten();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Waits until something is so, with a bound that only a hanging server reaches.
pub async fn until(mut is_so: impl FnMut() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.expect("it comes to be so in time");
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

    /// Sends a message that the server may hang up over.
    pub async fn send_text(&mut self, text: String) -> Result<(), tokio_tungstenite::tungstenite::Error> {
        self.socket.send(Message::text(text)).await
    }

    pub async fn connect(&mut self, session: &str) {
        self.say(json!({"type": "Connect", "sessionId": session, "connectionCount": 0,
            "lastCloseReason": "InitialConnect", "clientTs": 0}))
            .await;
    }

    /// Says whose the socket is from now on: an admin key's.
    pub async fn authenticate(&mut self, base: u32, key: &str) {
        self.say(json!({"type": "Authenticate", "baseVersion": base, "tokenType": "Admin", "value": key}))
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

    /// Closes the socket, and waits until the server has closed it too.
    pub async fn hang_up(&mut self) {
        self.socket.close(None).await.unwrap();
        assert!(matches!(self.hear_raw().await, Some(Message::Close(_))));
        assert!(self.hear_raw().await.is_none());
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
