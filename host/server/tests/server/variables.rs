//! Changes of variables beside deployments, and when nobody waits for them.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use weir_db::VariableChanges;
use weir_server::deploy::DeployError;
use weir_store::memory::MemoryDisk;

use crate::support::{TestServer, module, until, version_of};

fn change(value: &str) -> VariableChanges {
    VariableChanges::new([("A".to_owned(), Some(value.to_owned()))]).unwrap()
}

fn variables(server: &TestServer) -> BTreeMap<String, String> {
    server.app.deployer.variables().unwrap().set().clone()
}

fn a(value: &str) -> BTreeMap<String, String> {
    BTreeMap::from([("A".to_owned(), value.to_owned())])
}

/// A deployment is made with the variables that are in force with it: both take turns.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_waits_for_a_deployment_that_is_under_way() {
    let server = TestServer::start().await;
    let held = server.loader.hold("v2");
    let deployer = Arc::clone(&server.app.deployer);
    let deploying = deployer.deploy(vec![module("native", "v2")]);
    let setting = async {
        server.loader.somebody_waits().await;
        let setting = server.app.deployer.set_variables(change("1"));
        tokio::pin!(setting);
        let soon = tokio::time::timeout(std::time::Duration::from_millis(200), &mut setting).await;
        assert!(soon.is_err(), "it waits");
        assert_eq!(variables(&server), BTreeMap::new());
        drop(held);
        setting.await
    };
    let (deployed, set) = tokio::join!(deploying, setting);
    deployed.unwrap();
    set.unwrap();
    assert_eq!((version_of(&server), variables(&server)), ("two", a("1")));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_goes_on_when_nobody_waits_for_it() {
    let server = TestServer::start_on(&MemoryDisk::new(), tempfile::tempdir().unwrap()).await;
    let body = r#"{"changes":[{"name":"A","value":"1"}]}"#;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let head = format!(
        "POST /api/update_environment_variables HTTP/1.1\r\nHost: test\r\n{}\r\nContent-Length: {}\r\n\r\n{body}",
        server.admin_header(),
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    until(|| variables(&server) == a("1")).await;
    drop(stream);
    until(|| server.app.machine.tasks.running() == 0).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stops_takes_no_change() {
    let server = TestServer::start().await;
    server.app.deployer.give_up();
    let refused = server.app.deployer.set_variables(change("1")).await;
    assert!(matches!(refused, Err(DeployError::Lost)), "{refused:?}");
    assert_eq!(variables(&server), BTreeMap::new());
    server.stop().await;
}
