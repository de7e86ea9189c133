//! A disk without room: a deployment says so and leaves the one before in force; a start serves reads.

use std::fs;

use bytes::Bytes;
use serde_json::json;
use weir_store::memory::MemoryDisk;

use crate::support::{TestServer, component_files, until};

/// A server with `v1` in force, on a disk that is full and known to be.
async fn on_full_disk() -> (MemoryDisk, TestServer) {
    let disk = MemoryDisk::new();
    let server = TestServer::start_on(&disk, tempfile::tempdir().unwrap()).await;
    assert_eq!(server.deploy(&[("native", "v1")]).await.status, 200);
    disk.set_capacity_bytes(Some(disk.file_bytes()));
    // The store has some room of its own; what fits there is taken.
    let record = Bytes::from(vec![b' '; 20_000]);
    until(|| server.app.db.write_system("other", record.clone()).is_err()).await;
    assert!(server.app.db.store().stats().disk_full);
    (disk, server)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deployment_that_cannot_be_recorded_leaves_nothing() {
    let (disk, server) = on_full_disk().await;
    let files = component_files(&server.dir);
    let reply = server.deploy(&[("native", "v2"), ("more", "extra")]).await;
    assert_eq!((reply.status, reply.code().as_str()), (507, "DiskFull"), "{reply:?}");
    assert!(reply.body.contains("free some space"), "{reply:?}");
    assert_eq!(server.ask("chat:version").await, "one");
    assert_eq!(component_files(&server.dir), files, "the new components are removed");

    disk.set_capacity_bytes(None);
    until(|| !server.app.db.store().stats().disk_full).await;
    assert_eq!(server.deploy(&[("native", "v2")]).await.status, 200);
    assert_eq!(server.ask("chat:version").await, "two");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_store_has_room_for_takes_place_on_a_full_disk() {
    let disk = MemoryDisk::new();
    let server = TestServer::start_on(&disk, tempfile::tempdir().unwrap()).await;
    assert_eq!(server.deploy(&[("native", "v1")]).await.status, 200);
    // Nobody knows yet that the disk is full; the record finds the room that was secured for it.
    disk.set_capacity_bytes(Some(disk.file_bytes()));
    assert_eq!(server.deploy(&[("native", "v2")]).await.status, 200);
    assert_eq!(server.ask("chat:version").await, "two");
    let server = TestServer::start_on(&disk, server.stop().await).await;
    assert_eq!(server.ask("chat:version").await, "two");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_on_a_full_disk_serves_reads_and_sweeps() {
    let (disk, server) = on_full_disk().await;
    let dir = server.stop().await;
    fs::write(dir.path().join("components/of-a-lost-deployment.wasm"), "v2").unwrap();
    disk.set_capacity_bytes(Some(disk.file_bytes()));
    let server = TestServer::start_on(&disk, dir).await;
    assert_eq!(server.ask("chat:version").await, "one");
    assert_eq!(server.ask("chat:list").await, json!([]));
    assert_eq!(component_files(&server.dir).len(), 1);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn components_that_cannot_be_written_are_said() {
    let disk = MemoryDisk::new();
    let server = TestServer::start_on(&disk, tempfile::tempdir().unwrap()).await;
    assert_eq!(server.deploy(&[("native", "v1")]).await.status, 200);
    let (folder, aside) = (server.dir.path().join("components"), server.dir.path().join("aside"));
    fs::rename(&folder, &aside).unwrap();
    fs::write(&folder, "a file").unwrap();
    let reply = server.deploy(&[("native", "v2")]).await;
    assert_eq!((reply.status, reply.code().as_str()), (500, "DeploymentFailed"), "{reply:?}");
    assert!(reply.body.contains("components"), "{reply:?}");
    assert_eq!(server.ask("chat:version").await, "one");
    // A start finds no components there, and is a start all the same.
    let server = TestServer::start_on(&disk, server.stop().await).await;
    assert_eq!(server.app.deployer.summary().missing.len(), 1);
    let dir = server.stop().await;
    fs::remove_file(&folder).unwrap();
    fs::rename(&aside, &folder).unwrap();
    let server = TestServer::start_on(&disk, dir).await;
    assert_eq!(server.ask("chat:version").await, "one");
    server.stop().await;
}
