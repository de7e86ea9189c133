//! Deployments that nobody waits for any more, or that a stop meets: whatever is in force is what is recorded.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use weir_server::app::App;
use weir_server::deploy::DeployError;
use weir_server::machine::Machine;
use weir_store::memory::MemoryDisk;

use crate::hold::Hold;
use crate::loader::TestLoader;
use crate::stepped_store::{Step, SteppedStore};
use crate::support::{
    PATIENCE, TestServer, component_files, deploy_request, module, open_store, parts, until, version_of,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_abandoned_deployment_does_not_come_back_in_place_of_a_later_one() {
    let disk = MemoryDisk::new();
    let server = TestServer::start_on(&disk, tempfile::tempdir().unwrap()).await;
    assert_eq!(server.deploy(&[("native", "v1")]).await.status, 200);
    let held = server.loader.hold("v2");
    let abandoned = send_deployment(&server, "v2").await;
    server.loader.somebody_waits().await;
    drop(abandoned);
    // Its turn lasts until it has ended, however long nobody has been waiting for it.
    until(|| server.app.machine.tasks.running() == 1).await;
    let reply = server.deploy(&[("native", "v3")]).await;
    assert_eq!((reply.status, reply.code().as_str()), (409, "DeploymentInProgress"), "{reply:?}");
    drop(held);
    until(|| version_of(&server) == "two").await;
    until(|| server.app.machine.tasks.running() == 0).await;
    assert_eq!(server.deploy(&[("native", "v3")]).await.status, 200);
    assert_eq!(server.ask("chat:version").await, "three");
    let server = TestServer::start_on(&disk, server.stop().await).await;
    assert_eq!(server.ask("chat:version").await, "three");
    assert_eq!(component_files(&server.dir).len(), 1);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deployment_is_in_force_once_it_is_recorded_though_nobody_waits_for_it() {
    for held_at in [Step::BeforeRecord, Step::Sequenced, Step::Durable] {
        let (disk, hold) = (MemoryDisk::new(), Arc::new(Hold::default()));
        let holding = Arc::clone(&hold);
        let store = SteppedStore::new(open_store(&disk), move |step| {
            if step == held_at {
                holding.pass();
            }
        });
        let server = TestServer::start_with(store, tempfile::tempdir().unwrap(), Arc::default()).await;
        server.app.deployer.deploy(vec![module("native", "v1")]).await.unwrap();
        let closed = hold.close();
        tokio::select! {
            result = server.app.deployer.deploy(vec![module("native", "v2")]) => panic!("{result:?}"),
            () = hold.somebody_waits() => {}
        }
        let other = tokio::time::timeout(PATIENCE, server.app.deployer.deploy(vec![module("native", "v3")]));
        let result = other.await.expect("an answer in time");
        assert!(matches!(result, Err(DeployError::Busy)), "{held_at:?}: {result:?}");
        // It is in force from its commit on: for queries as soon as that is durable.
        let in_force: &[&str] = match held_at {
            Step::Durable => &["two"],
            Step::Sequenced => &["one", "two"],
            _ => &["one"],
        };
        let version = server.ask("chat:version").await;
        assert!(in_force.iter().any(|expected| version == *expected), "{held_at:?}: {version}");
        drop(closed);
        until(|| version_of(&server) == "two").await;
        let server = TestServer::start_on(&disk, server.stop().await).await;
        assert_eq!(server.ask("chat:version").await, "two", "{held_at:?}");
        assert_eq!(component_files(&server.dir).len(), 1, "{held_at:?}");
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_waits_for_a_deployment_that_is_being_put_in_force() {
    let (disk, hold) = (MemoryDisk::new(), Arc::new(Hold::default()));
    let holding = Arc::clone(&hold);
    let store = SteppedStore::new(open_store(&disk), move |step| {
        if step == Step::BeforeRecord {
            holding.pass();
        }
    });
    let mut server = TestServer::start_with(store, tempfile::tempdir().unwrap(), Arc::default()).await;
    let closed = hold.close();
    let waiting = send_deployment(&server, "v2").await;
    hold.somebody_waits().await;
    server.begin_stop();
    until(|| std::net::TcpStream::connect(server.address).is_err()).await;
    drop(closed);
    let server = TestServer::start_on(&disk, server.stop().await).await;
    assert_eq!(server.ask("chat:version").await, "two");
    server.stop().await;
    drop(waiting);
}

/// A stop that does not wait any longer, as after its time is over.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deployment_that_a_stop_overtakes_is_lost_whole() {
    let (disk, dir) = (MemoryDisk::new(), tempfile::tempdir().unwrap());
    let loader = Arc::new(TestLoader::default());
    let (machine, parts) = parts(open_store(&disk), &dir, &loader);
    let app = App::start(Machine::start(machine), parts);
    app.deployer.deploy(vec![module("native", "v1")]).await.unwrap();
    let held = loader.hold("v2");
    let goes_on_afterwards = async {
        let stopping = Arc::clone(&app);
        loader.somebody_waits().await;
        tokio::task::spawn_blocking(move || {
            stopping.machine.stop();
            stopping.close();
        })
        .await
        .unwrap();
        let server = TestServer::start_on(&disk, dir).await;
        assert_eq!(server.ask("chat:version").await, "one");
        assert_eq!(server.deploy(&[("native", "v3")]).await.status, 200);
        drop(held);
        server
    };
    let (result, server) =
        tokio::join!(app.deployer.deploy(vec![module("native", "v2")]), goes_on_afterwards);
    assert!(matches!(result, Err(DeployError::Lost)), "{result:?}");
    let result = app.deployer.deploy(vec![module("native", "v2")]).await;
    assert!(matches!(result, Err(DeployError::Lost)), "{result:?}");
    // What comes after the stop is somebody else's, and nothing of it was touched.
    let server = TestServer::start_on(&disk, server.stop().await).await;
    assert_eq!(server.ask("chat:version").await, "three");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deployment_that_is_compiled_ends_when_its_client_leaves() {
    let server = TestServer::start_on(&MemoryDisk::new(), tempfile::tempdir().unwrap()).await;
    assert_eq!(server.deploy(&[("native", "v1")]).await.status, 200);
    let compiles = || server.loader.is_compiling.load(Ordering::SeqCst);
    let client = send_deployment(&server, "endless").await;
    until(compiles).await;
    let reply = server.deploy(&[("native", "v3")]).await;
    assert_eq!((reply.status, reply.code().as_str()), (409, "DeploymentInProgress"), "{reply:?}");
    drop(client);
    until(|| !compiles()).await;
    until(|| server.app.machine.tasks.running() == 0).await;
    assert_eq!(server.ask("chat:version").await, "one");
    assert_eq!(server.deploy(&[("native", "v3")]).await.status, 200);
    assert_eq!(server.ask("chat:version").await, "three");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_does_not_wait_for_what_is_compiled() {
    let disk = MemoryDisk::new();
    let mut server = TestServer::start_on(&disk, tempfile::tempdir().unwrap()).await;
    assert_eq!(server.deploy(&[("native", "v1")]).await.status, 200);
    let deployer = Arc::clone(&server.app.deployer);
    let result = {
        let deployment = deployer.deploy(vec![module("native", "endless")]);
        tokio::pin!(deployment);
        tokio::select! {
            result = &mut deployment => panic!("{result:?}"),
            () = until(|| server.loader.is_compiling.load(Ordering::SeqCst)) => {}
        }
        server.begin_stop();
        deployment.await
    };
    assert!(matches!(result, Err(DeployError::Lost)), "{result:?}");
    // Nor does it begin with another one.
    let result = deployer.deploy(vec![module("native", "endless")]).await;
    assert!(matches!(result, Err(DeployError::Lost)), "{result:?}");
    let server = TestServer::start_on(&disk, server.stop().await).await;
    assert_eq!(server.ask("chat:version").await, "one");
    server.stop().await;
}

/// Sends a deployment and leaves it to the caller to read the answer.
async fn send_deployment(server: &TestServer, component: &str) -> TcpStream {
    let body = deploy_request(&[("native", component)]);
    let admin = server.admin_header();
    let head =
        format!("POST /api/weir/deploy HTTP/1.1\r\nHost: test\r\n{admin}\r\nContent-Length: {}", body.len());
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(format!("{head}\r\n\r\n{body}").as_bytes()).await.unwrap();
    stream
}
