//! Stored files: upload and download, what is refused, and what is left when power is cut or a client is.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value as Json, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use weir_store::memory::{CrashImage, MemoryDisk};

use crate::stepped_store::{Step, SteppedStore};
use crate::support::{FILE_BYTES, TestServer, module, open_store, until};

/// SHA-256 of `hello`, in base64 and in hex.
const HELLO_BASE64: &str = "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=";
const HELLO_HEX: &str = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

async fn start() -> TestServer {
    start_on(&MemoryDisk::new(), tempfile::tempdir().unwrap()).await
}

async fn start_on(disk: &MemoryDisk, dir: tempfile::TempDir) -> TestServer {
    let server = TestServer::start_on(disk, dir).await;
    if server.app.deployer.summary().modules.is_empty() {
        server.app.deployer.deploy(vec![module("storage", "storage")]).await.unwrap();
    }
    server
}

/// The path of a new upload URL.
async fn upload_path(server: &TestServer) -> String {
    let answer = server.post("/api/mutation", json!({"path": "files:url", "args": {}})).await;
    let url = answer["value"].as_str().unwrap_or_else(|| panic!("{answer}"));
    url.strip_prefix("http://cloud.test").unwrap().to_owned()
}

async fn upload(server: &TestServer, content: &str) -> String {
    let path = upload_path(server).await;
    let reply = server.send("POST", &path, &["Content-Type: text/plain"], content).await;
    let answer: Json = serde_json::from_str(&reply.body).unwrap();
    answer["storageId"].as_str().unwrap_or_else(|| panic!("{reply:?}")).to_owned()
}

/// The path of a file's URL.
async fn path_of(server: &TestServer, id: &str) -> Option<String> {
    let answer = server.post("/api/query", json!({"path": "files:get", "args": {"id": id}})).await;
    answer["value"].as_str().map(|url| url.strip_prefix("http://cloud.test").unwrap().to_owned())
}

async fn call(server: &TestServer, kind: &str, path: &str, args: Json) -> Json {
    server.post(&format!("/api/{kind}"), json!({"path": path, "args": args})).await
}

fn files_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder.join("files")).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_uploaded_can_be_downloaded() {
    let server = start().await;
    let path = upload_path(&server).await;
    let headers =
        ["Content-Type: image/png", &format!("Digest: sha-256={HELLO_BASE64}"), "Origin: https://app.test"];
    let reply = server.send("POST", &path, &headers, "hello").await;
    assert_eq!(
        (reply.status, reply.header("access-control-allow-origin")),
        (200, Some("https://app.test")),
        "{reply:?}"
    );
    let id = serde_json::from_str::<Json>(&reply.body).unwrap()["storageId"].as_str().unwrap().to_owned();
    let listed = call(&server, "query", "files:list", json!({})).await["value"].clone();
    assert_eq!(listed[0]["_id"], id.as_str());
    assert_eq!((&listed[0]["sha256"], &listed[0]["size"]), (&json!(HELLO_HEX), &json!(5)));
    assert_eq!(listed[0]["contentType"], "image/png");

    let path = path_of(&server, &id).await.unwrap();
    let reply = server.send("GET", &path, &["Origin: https://app.test"], "").await;
    assert_eq!((reply.status, reply.body.as_str()), (200, "hello"));
    for (header, value) in [
        ("content-type", "image/png"),
        ("content-length", "5"),
        ("cache-control", "private, max-age=2592000"),
        ("accept-ranges", "bytes"),
        ("digest", &format!("sha-256={HELLO_BASE64}").to_ascii_lowercase()),
        ("etag", &format!("\"{HELLO_HEX}\"")),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "sandbox"),
        ("access-control-allow-origin", "https://app.test"),
    ] {
        assert_eq!(reply.header(header), Some(value), "{reply:?}");
    }
    let head = server.send("HEAD", &path, &[], "").await;
    assert_eq!((head.status, head.header("content-length"), head.body.as_str()), (200, Some("5"), ""));

    // Nothing says what an empty one is, and nothing is what comes back.
    let path = upload_path(&server).await;
    let reply = server.send("POST", &path, &[], "").await;
    let id = serde_json::from_str::<Json>(&reply.body).unwrap()["storageId"].as_str().unwrap().to_owned();
    let path = path_of(&server, &id).await.unwrap();
    let reply = server.send("GET", &path, &[], "").await;
    assert_eq!((reply.status, reply.body.as_str(), reply.header("content-length")), (200, "", Some("0")));
    assert_eq!(reply.header("content-type"), Some("application/octet-stream"));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parts_are_given_and_what_is_known_is_not() {
    let server = start().await;
    let path = path_of(&server, &upload(&server, "hello").await).await.unwrap();
    let etag = format!("\"{HELLO_HEX}\"");
    let cases = [
        (vec!["Range: bytes=1-3".to_owned()], 206, "ell", "bytes 1-3/5"),
        (vec!["Range: bytes=3-".to_owned()], 206, "lo", "bytes 3-4/5"),
        (vec!["Range: bytes=-2".to_owned()], 206, "lo", "bytes 3-4/5"),
        (vec!["Range: bytes=0-99".to_owned()], 206, "hello", "bytes 0-4/5"),
        (vec!["Range: bytes=5-".to_owned()], 416, "", "bytes */5"),
        (vec!["Range: bytes=0-1,3-4".to_owned()], 416, "", "bytes */5"),
        (vec!["Range: lines=0-1".to_owned()], 416, "", "bytes */5"),
        (vec!["Range: bytes=4-2".to_owned()], 416, "", "bytes */5"),
        (vec!["Range: bytes=-0".to_owned()], 416, "", "bytes */5"),
        (vec!["Range: none".to_owned()], 416, "", "bytes */5"),
        (vec!["Range: bytes=9-".to_owned(), "If-Range: \"other\"".to_owned()], 200, "hello", ""),
        (vec!["Range: bytes=1-3".to_owned(), format!("If-Range: W/{etag}")], 200, "hello", ""),
        (
            vec!["Range: bytes=1-3".to_owned(), "If-Range: Sun, 29 Nov 2026 00:00:00 GMT".to_owned()],
            200,
            "hello",
            "",
        ),
        (vec!["If-None-Match: \"x\"".to_owned(), "Range: bytes=1-3".to_owned()], 206, "ell", "bytes 1-3/5"),
        (vec!["Range: bytes=1-3".to_owned(), format!("If-Range: {etag}")], 206, "ell", "bytes 1-3/5"),
        (vec!["Range: bytes=1-3".to_owned(), "If-Range: \"other\"".to_owned()], 200, "hello", ""),
        (vec![format!("If-None-Match: {etag}")], 304, "", ""),
        (vec![format!("If-None-Match: \"x\", W/{etag}")], 304, "", ""),
        (vec!["If-None-Match: *".to_owned()], 304, "", ""),
        (vec!["If-None-Match: \"x\"".to_owned()], 200, "hello", ""),
        (vec![format!("If-None-Match: {etag}"), "Range: bytes=9-".to_owned()], 304, "", ""),
    ];
    for (headers, status, body, range) in cases {
        let headers: Vec<&str> = headers.iter().map(String::as_str).collect();
        let reply = server.send("GET", &path, &headers, "").await;
        assert_eq!(reply.status, status, "{headers:?}: {reply:?}");
        assert_eq!(reply.header("content-range").unwrap_or_default(), range, "{headers:?}");
        match status {
            416 => assert_eq!(reply.code(), "InvalidRange", "{headers:?}"),
            _ => {
                assert_eq!(reply.body, body, "{headers:?}");
                assert_eq!(reply.header("etag"), Some(etag.as_str()), "{headers:?}");
            }
        }
    }
    let head = server.send("HEAD", &path, &["Range: bytes=9-"], "").await;
    assert_eq!(head.status, 200, "a range is of what GET gives");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_uploads_are_refused_and_leave_nothing() {
    let server = start().await;
    let fresh = upload_path(&server).await;
    let used = upload_path(&server).await;
    assert_eq!(server.send("POST", &used, &[], "x").await.status, 200);
    let before = files_in(server.dir.path());
    let token = fresh.split_once("token=").unwrap().1;
    let old = format!("{:016x}{}", 1_700_000_000_000_u64, &token[16..]);
    let forged = format!("{}{}", &token[..16], "0".repeat(48));
    let large = "x".repeat(FILE_BYTES as usize + 1);
    let base = "/api/storage/upload";
    let cases: Vec<(String, &str, &str, u16, &str)> = vec![
        (base.to_owned(), "", "x", 401, "InvalidUploadToken"),
        (format!("{base}?token="), "", "x", 401, "InvalidUploadToken"),
        (format!("{base}?token=%"), "", "x", 401, "InvalidUploadToken"),
        (format!("{base}?Token={token}"), "", "x", 401, "InvalidUploadToken"),
        (format!("{base}?token={forged}"), "", "x", 401, "InvalidUploadToken"),
        (format!("{base}?token={old}"), "", "x", 401, "UploadTokenExpired"),
        (used, "", "x", 409, "UploadTokenUsed"),
        (fresh.clone(), "Digest: sha-256=x", "x", 400, "InvalidDigest"),
        (fresh.clone(), "Digest: md5=1B2M2Y8AsgTpgAmY7PhCfg==", "x", 400, "InvalidDigest"),
        (fresh.clone(), "Digest: sha-256", "x", 400, "InvalidDigest"),
        (
            fresh.clone(),
            "Digest: sha-256=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
            "x",
            400,
            "DigestMismatch",
        ),
        (fresh.clone(), "Content-Type: t\u{e4}xt/plain", "x", 400, "InvalidContentType"),
        (fresh.clone(), &LONG_TYPE, "x", 400, "InvalidContentType"),
        (fresh.clone(), "", &large, 413, "FileTooLarge"),
    ];
    for (path, header, body, status, code) in cases {
        let headers: Vec<&str> = Some(header).filter(|header| !header.is_empty()).into_iter().collect();
        let reply = server.send("POST", &path, &headers, body).await;
        assert_eq!((reply.status, reply.code().as_str()), (status, code), "{path} {header}: {reply:?}");
    }
    // Nobody said how large it would be.
    let chunked = format!(
        "POST {fresh} HTTP/1.1\r\nHost: t\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{large}\r\n0\r\n\r\n",
        large.len()
    );
    let reply = server.send_raw(chunked.as_bytes()).await;
    assert_eq!((reply.status, reply.code().as_str()), (413, "FileTooLarge"), "{reply:?}");
    until(|| files_in(server.dir.path()) == before).await;
    let methods = [
        ("GET", fresh.as_str(), 404),
        ("PUT", &fresh, 405),
        ("PATCH", &fresh, 405),
        ("DELETE", &fresh, 405),
        ("POST", "/api/storage/none", 405),
        ("PUT", "/api/storage/none", 405),
        ("DELETE", "/api/storage/none", 405),
    ];
    for (method, path, status) in methods {
        assert_eq!(server.send(method, path, &[], "").await.status, status, "{method} {path}");
    }
    let reply = server
        .send(
            "POST",
            &fresh,
            &["Digest: MD5=x, SHA-256=LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="],
            "hello",
        )
        .await;
    assert_eq!(reply.status, 200, "after all that, the URL is good still: {reply:?}");
    server.stop().await;
}

/// A client that reads nothing before it has sent all gets its answer; one that reads early has it early.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_refused_is_answered_at_once_and_may_send_to_the_end() {
    const BODY_BYTES: usize = 64 << 20;
    let server = start().await;
    let fresh = upload_path(&server).await;
    let before = files_in(server.dir.path());
    let used = upload_path(&server).await;
    assert_eq!(server.send("POST", &used, &[], "").await.status, 200);
    let lengths = [
        (fresh.as_str(), "FileTooLarge", format!("Content-Length: {BODY_BYTES}")),
        (&fresh, "FileTooLarge", "Transfer-Encoding: chunked".to_owned()),
        (&used, "UploadTokenUsed", format!("Content-Length: {BODY_BYTES}")),
        ("/api/storage/upload", "InvalidUploadToken", format!("Content-Length: {BODY_BYTES}")),
    ];
    for (path, code, length) in lengths {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let head = format!("POST {path} HTTP/1.1\r\nHost: t\r\n{length}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let is_chunked = length.contains("chunked");
        if is_chunked {
            stream.write_all(format!("{BODY_BYTES:x}\r\n").as_bytes()).await.unwrap();
        }
        let piece = vec![b'x'; 1 << 20];
        for _ in 0..BODY_BYTES >> 20 {
            stream.write_all(&piece).await.unwrap_or_else(|error| panic!("{path}, {length}: {error}"));
        }
        if is_chunked {
            stream.write_all(b"\r\n0\r\n\r\n").await.unwrap();
        }
        // The connection is good for another request.
        stream.write_all(b"GET /version HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n").await.unwrap();
        let mut answers = String::new();
        stream.read_to_string(&mut answers).await.unwrap();
        assert!(answers.contains(code), "{path}, {length}: {answers}");
        assert_eq!(answers.matches("HTTP/1.1 ").count(), 2, "{path}, {length}: {answers}");
    }
    // One that waits to be told to go on is told that there is no reason to.
    let head = format!(
        "POST {fresh} HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: {BODY_BYTES}\r\n\r\n"
    );
    let reply = server.send_raw(head.as_bytes()).await;
    assert_eq!((reply.status, reply.code().as_str()), (413, "FileTooLarge"), "{reply:?}");
    until(|| files_in(server.dir.path()).len() == before.len() + 1).await;
    assert_eq!(server.app.storage.sweep(soon(&server)).await.unwrap(), 0, "nothing is left to be swept");
    server.stop().await;
}

static LONG_TYPE: std::sync::LazyLock<String> =
    std::sync::LazyLock::new(|| format!("Content-Type: text/{}", "x".repeat(300)));

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_that_are_none_are_not_found() {
    let server = start().await;
    let path = path_of(&server, &upload(&server, "hello").await).await.unwrap();
    for wrong in [
        "/api/storage/00000000-0000-4000-8000-000000000000".to_owned(),
        "/api/storage/none".to_owned(),
        "/api/storage/".to_owned(),
        "/api/storage/..%2fowner".to_owned(),
        "/api/storage/owner".to_owned(),
        path.replace('-', ""),
        path.to_ascii_uppercase().replace("/API/STORAGE", "/api/storage"),
    ] {
        let reply = server.send("GET", &wrong, &[], "").await;
        assert_eq!((reply.status, reply.code().as_str()), (404, "NotFound"), "{wrong}: {reply:?}");
    }
    let below = server.send("GET", &format!("{path}/x"), &[], "").await;
    assert_eq!((below.status, below.code().as_str()), (400, "NotFound"), "no such route: {below:?}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_that_is_cut_off_leaves_nothing_and_its_url_is_good_still() {
    let server = start().await;
    let path = upload_path(&server).await;
    let before = files_in(server.dir.path());
    for head in [
        format!("POST {path} HTTP/1.1\r\nHost: t\r\nContent-Length: 2000000\r\n\r\n"),
        format!("POST {path} HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\nf4240\r\n"),
    ] {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&vec![b'x'; 1_000_000]).await.unwrap();
        until(|| files_in(server.dir.path()).len() > before.len()).await;
        drop(stream);
        until(|| files_in(server.dir.path()) == before).await;
        assert_eq!(server.app.storage.sweep(soon(&server)).await.unwrap(), 0, "nothing is left to be swept");
    }
    assert_eq!(server.send("POST", &path, &[], "hello").await.status, 200);
    assert_eq!(call(&server, "query", "files:list", json!({})).await["value"].as_array().unwrap().len(), 1);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_uploads_by_one_url_become_one_file() {
    let server = start().await;
    let path = upload_path(&server).await;
    let uploads = (0..8).map(|n| {
        let (server, path) = (&server, &path);
        async move { server.send("POST", path, &[], &format!("content {n}")).await.status }
    });
    let mut statuses = futures_util::future::join_all(uploads).await;
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409, 409, 409, 409, 409, 409, 409]);
    assert_eq!(call(&server, "query", "files:list", json!({})).await["value"].as_array().unwrap().len(), 1);
    until(|| files_in(server.dir.path()).len() == 1).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_file_is_gone_at_once_and_its_bytes_later() {
    let server = start().await;
    let id = upload(&server, "hello").await;
    let path = path_of(&server, &id).await.unwrap();
    let mut client = server.open_socket().await;
    client.connect("00000000-0000-4000-8000-000000000001").await;
    client.watch(0, "files:get", json!({"id": id})).await;
    let shown = client.hear_type("Transition").await;
    assert!(shown.to_string().contains("/api/storage/"), "{shown}");
    let deleted = call(&server, "mutation", "files:delete", json!({"id": id})).await;
    assert_eq!(deleted["status"], "success", "{deleted}");
    let shown = client.hear_type("Transition").await;
    assert!(!shown.to_string().contains("/api/storage/"), "who watches is told: {shown}");
    assert_eq!(path_of(&server, &id).await, None);
    assert_eq!(server.send("GET", &path, &[], "").await.code(), "NotFound");
    let again = call(&server, "mutation", "files:delete", json!({"id": id})).await;
    assert!(again["errorMessage"].as_str().unwrap().contains("NotFound"), "{again}");

    let storage = &server.app.storage;
    let now_ms = server.app.machine.unix_time().as_secs_f64() * 1e3;
    assert_eq!(storage.remove_deleted(now_ms).await.unwrap(), 0);
    assert_eq!(storage.sweep(soon(&server)).await.unwrap(), 0, "it is not what a sweep is for");
    assert_eq!(files_in(server.dir.path()).len(), 1, "somebody may read an older snapshot");
    assert_eq!(storage.remove_deleted(now_ms + 120_000.0).await.unwrap(), 1);
    assert_eq!(files_in(server.dir.path()), [""; 0]);
    assert_eq!(storage.remove_deleted(now_ms + 120_000.0).await.unwrap(), 0);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn actions_store_and_read_files() {
    let server = start().await;
    let store = |args: Json| call(&server, "action", "files:store", args);
    let id = store(json!({"text": "hello"})).await["value"].as_str().unwrap().to_owned();
    let checked = store(json!({"text": "hello", "sha256": HELLO_HEX})).await;
    assert_eq!(checked["status"], "success", "{checked}");
    let read = |id: &str| call(&server, "action", "files:read", json!({ "id": id }));
    assert_eq!(read(&id).await["value"], "hello");
    let path = path_of(&server, &id).await.unwrap();
    let reply = server.send("GET", &path, &[], "").await;
    assert_eq!((reply.body.as_str(), reply.header("content-type")), ("hello", Some("text/plain")));
    let before = files_in(server.dir.path());
    let cases = [
        (json!({"text": "hallo", "sha256": HELLO_HEX}), "DigestMismatch"),
        (json!({"text": "hello", "sha256": "none"}), "InvalidDigest"),
        (json!({"text": "hello", "broken": "the other side is gone"}), "the other side is gone"),
        (json!({"text": "x".repeat(FILE_BYTES as usize + 1)}), "FileTooLarge"),
    ];
    for (args, expected) in cases {
        let answer = store(args).await;
        assert!(answer["errorMessage"].as_str().unwrap().contains(expected), "{expected}: {answer}");
    }
    until(|| files_in(server.dir.path()) == before).await;
    call(&server, "mutation", "files:delete", json!({"id": id})).await;
    assert_eq!(read(&id).await["value"], Json::Null);
    let no_id = read("x").await;
    assert!(no_id["errorMessage"].as_str().unwrap().contains("InvalidId"), "{no_id}");
    server.stop().await;
}

fn soon(server: &TestServer) -> Duration {
    server.app.machine.unix_time() + Duration::from_secs(10)
}

/// What was on the disks when power was cut.
struct Copy {
    what: String,
    store: MemoryDisk,
    dir: tempfile::TempDir,
}

/// At each step of the commit that makes a file's document, the power goes: there is no document without its file then,
/// and no file without a document after the sweep of the next start.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn documents_have_their_files_whenever_the_power_goes() {
    let (disk, dir) = (MemoryDisk::new(), tempfile::tempdir().unwrap());
    let copies = Arc::new(Mutex::new(Vec::new()));
    let watched = {
        let (disk, folder, copies) = (disk.clone(), dir.path().to_owned(), Arc::clone(&copies));
        move |step: Step| {
            for image in [CrashImage::Synced, CrashImage::Written] {
                let copy = Copy {
                    what: format!("{step:?}, {image:?}"),
                    store: disk.crash(image),
                    dir: copy_folder(&folder),
                };
                copies.lock().unwrap().push(copy);
            }
        }
    };
    let store = SteppedStore::new(open_store(&disk), watched);
    let server = TestServer::start_with(store, dir, Arc::default()).await;
    server.app.deployer.deploy(vec![module("storage", "storage")]).await.unwrap();
    for content in ["one", "two"] {
        upload(&server, content).await;
    }
    server.stop().await;
    let copies = std::mem::take(&mut *copies.lock().unwrap());
    let (mut with_all, mut swept) = (0, 0);
    for Copy { what, store, dir } in copies {
        let files = files_in(dir.path()).len();
        let server = TestServer::start_on(&store, dir).await;
        if server.app.deployer.summary().modules.is_empty() {
            server.stop().await;
            continue;
        }
        server.app.storage.sweep(soon(&server)).await.unwrap();
        let listed = server.ask("files:list").await;
        let documents = listed.as_array().unwrap_or_else(|| panic!("{what}: {listed}"));
        for document in documents {
            let path = path_of(&server, document["_id"].as_str().unwrap()).await.unwrap();
            let reply = server.send("GET", &path, &[], "").await;
            assert!(reply.status == 200 && ["one", "two"].contains(&&*reply.body), "{what}: {reply:?}");
        }
        assert_eq!(files_in(server.dir.path()).len(), documents.len(), "{what}");
        with_all += usize::from(documents.len() == 2);
        swept += files - documents.len();
        server.stop().await;
    }
    assert!(with_all > 0 && swept > 0, "power went before and after: {with_all}, {swept}");
}

fn copy_folder(folder: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for name in ["components", "files"] {
        let to = copy.path().join(name);
        std::fs::create_dir(&to).unwrap();
        for entry in std::fs::read_dir(folder.join(name)).into_iter().flatten().flatten() {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
    copy
}
