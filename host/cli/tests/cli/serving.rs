//! `host serve` and the commands that talk to it.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;

use crate::{Serving, host, run_in};

#[test]
fn says_ready_once_and_ends_in_order() {
    for signal in ["TERM", "INT"] {
        let folder = tempfile::tempdir().unwrap();
        let serving = Serving::start(folder.path(), &[]);
        assert!(serving.url.starts_with("http://127.0.0.1:"));
        let finished = serving.stop(signal);
        assert_eq!((finished.code, finished.stdout.as_str()), (0, ""), "{finished:?}");
        assert!(finished.stderr.contains("stopped"), "{finished:?}");
    }
}

#[test]
fn the_admin_key_is_private_and_opens_what_it_should() {
    let folder = tempfile::tempdir().unwrap();
    let serving = Serving::start(folder.path(), &[]);
    let key_file = folder.path().join(".host/admin-key");
    assert_eq!(fs::metadata(&key_file).unwrap().permissions().mode() & 0o777, 0o600);
    let key = run_in(folder.path(), &["key"]);
    assert_eq!(key.code, 0);
    assert_eq!(key.stdout, fs::read_to_string(&key_file).unwrap());

    // Found in the data folder of this machine; or given; or wrong.
    let call = ["run", "chat:nothing", "--url", &serving.url];
    let elsewhere = tempfile::tempdir().unwrap();
    let data = folder.path().join(".host");
    let mut cases: Vec<(std::process::Command, &str)> = Vec::new();
    for (folder, arguments, expected) in [
        (folder.path(), vec![], "Could not find"),
        (elsewhere.path(), vec![], "Could not find"),
        (elsewhere.path(), vec!["--data", data.to_str().unwrap()], "Could not find"),
        (elsewhere.path(), vec!["--admin-key", key.stdout.trim()], "Could not find"),
        (elsewhere.path(), vec!["--admin-key", "weir|00"], "BadAdminKey"),
    ] {
        let mut command = host();
        command.current_dir(folder).args(call).args(arguments);
        cases.push((command, expected));
    }
    let mut command = host();
    command.current_dir(elsewhere.path()).args(call).env("HOST_ADMIN_KEY", "weir|00");
    cases.push((command, "BadAdminKey"));
    for (mut command, expected) in cases {
        let output = command.output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert!(stderr.contains(expected), "{stderr}");
    }
    let finished = serving.stop("TERM");
    let secret = key.stdout.trim().split_once('|').unwrap().1;
    assert!(!finished.stderr.contains(secret), "the key is not logged");
}

#[test]
fn a_key_that_others_can_read_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    Serving::start(folder.path(), &[]).stop("TERM");
    let key_file = folder.path().join(".host/admin-key");
    fs::set_permissions(&key_file, fs::Permissions::from_mode(0o644)).unwrap();
    for arguments in [&["key"][..], &["serve", "--listen", "127.0.0.1:0"]] {
        let finished = run_in(folder.path(), arguments);
        assert_eq!(finished.code, 1);
        assert!(finished.stderr.contains("chmod 600"), "{finished:?}");
    }
}

#[test]
fn a_port_or_a_folder_in_use_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let serving = Serving::start(folder.path(), &[]);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = listener.local_addr().unwrap().to_string();
    for (arguments, expected) in [
        (["--listen", &taken, "--data", "other"], "another program listens there"),
        (["--listen", serving.address(), "--data", "other"], "another program listens there"),
        (["--listen", "127.0.0.1:0", "--data", ".host"], "is in use by another process"),
    ] {
        let finished = run_in(folder.path(), &[&["serve"][..], &arguments].concat());
        assert_eq!((finished.code, finished.stdout.as_str()), (1, ""), "{finished:?}");
        assert!(finished.stderr.contains(expected), "{finished:?}");
    }
    // The one that was there first goes on.
    let finished = run_in(folder.path(), &["run", "chat:nothing", "--url", &serving.url]);
    assert!(finished.stderr.contains("Could not find"), "{finished:?}");
    serving.stop("TERM");
}

#[test]
fn a_server_can_be_started_again_and_serves_its_web_folder() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("web")).unwrap();
    fs::write(folder.path().join("web/index.html"), "<p>hello").unwrap();
    for _ in 0..2 {
        let serving = Serving::start(folder.path(), &["--web", "web"]);
        assert!(get(serving.address(), "/").ends_with("<p>hello"));
        assert!(get(serving.address(), "/health").contains("200 OK"));
        assert_eq!(serving.stop("TERM").code, 0);
    }
}

#[test]
fn watching_says_when_a_query_cannot_run() {
    use std::io::{BufRead, BufReader};
    let folder = tempfile::tempdir().unwrap();
    let serving = Serving::start(folder.path(), &[]);
    let mut command = host();
    command.args(["run", "chat:nothing", "--watch", "--url", &serving.url]);
    let mut watching = command.stderr(std::process::Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(watching.stderr.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.contains("error: [Request ID:"), "{line}");
    watching.kill().unwrap();
    watching.wait().unwrap();
    serving.stop("TERM");
}

/// The answer to a GET request, its head included.
pub fn get(address: &str, path: &str) -> String {
    ask(address, &format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"))
}

/// The answer to a request after which the connection ends.
fn ask(address: &str, request: &str) -> String {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn the_data_folder_is_its_owners_alone_and_never_served() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join(".host");
    fs::create_dir(&data).unwrap();
    fs::set_permissions(&data, fs::Permissions::from_mode(0o755)).unwrap();
    let finished = Serving::start(folder.path(), &[]).stop("TERM");
    assert!(finished.stderr.contains("they cannot any more"), "{finished:?}");
    let mut open: Vec<_> = Vec::new();
    let mut folders = vec![data.clone()];
    while let Some(next) = folders.pop() {
        for path in fs::read_dir(&next).unwrap().map(|entry| entry.unwrap().path()).chain([next.clone()]) {
            let found = fs::symlink_metadata(&path).unwrap();
            if found.permissions().mode() & 0o077 != 0 {
                open.push(path.clone());
            }
            if found.is_dir() && path != next {
                folders.push(path);
            }
        }
    }
    assert_eq!(open, Vec::<std::path::PathBuf>::new());
    let finished = run_in(folder.path(), &["serve", "--listen", "127.0.0.1:0", "--web", "."]);
    assert_eq!(finished.code, 1);
    assert!(finished.stderr.contains("is in the web folder"), "{finished:?}");
}

#[test]
fn the_log_can_be_read_by_programs() {
    let folder = tempfile::tempdir().unwrap();
    let serving = Serving::start(folder.path(), &["--log-format", "json"]);
    let finished = serving.stop("TERM");
    let lines: Vec<serde_json::Value> =
        finished.stderr.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let messages = lines.iter().filter_map(|line| line["fields"]["message"].as_str());
    assert!(messages.clone().any(|message| message.contains("nothing is deployed yet")), "{finished:?}");
    assert!(lines.iter().all(|line| line["level"].is_string() && line["timestamp"].is_string()));
    let finished = run_in(folder.path(), &["check", "--log-format", "xml"]);
    assert_eq!(finished.code, 2, "{finished:?}");
    assert!(finished.stderr.contains("text, json"), "{finished:?}");
}

/// Each call and each session is a span, in which what happens meanwhile is logged, and that tells its time.
#[test]
fn calls_and_sessions_are_told_with_their_time() {
    let folder = tempfile::tempdir().unwrap();
    let serving = Serving::start(folder.path(), &["--log-format", "json", "--log", "info,weir=debug"]);
    let (address, body) = (serving.address(), r#"{"path":"a:b","args":{},"format":"json"}"#);
    ask(
        address,
        &format!(
            "POST /api/query HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nConnection: close\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        ),
    );
    // What follows at once is no frame of a client, and ends the session.
    let opened = ask(
        address,
        &format!(
            "GET /api/1.48.0/sync HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n\u{8}\0"
        ),
    );
    assert!(opened.starts_with("HTTP/1.1 101"), "{opened}");
    let finished = serving.stop("TERM");
    let lines: Vec<serde_json::Value> =
        finished.stderr.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let closed = |target: &str| {
        let line = lines.iter().find(|line| line["target"] == target && line["fields"]["message"] == "close");
        line.unwrap_or_else(|| panic!("no end of a {target}: {}", finished.stderr))
    };
    let call = closed("weir::call");
    assert_eq!(call["span"]["path"], "a:b", "{call}");
    assert!(call["span"]["request"].as_str().is_some_and(|id| !id.is_empty()), "{call}");
    assert!(call["fields"]["time.busy"].is_string(), "{call}");
    let session = closed("weir::session");
    assert!(session["span"]["address"].as_str().is_some_and(|ip| ip.starts_with("127.")), "{session}");
}

#[test]
fn figures_are_for_holders_of_keys_unless_they_are_opened() {
    let folder = tempfile::tempdir().unwrap();
    for (flags, expected) in [(&[][..], "401"), (&["--open-metrics"], "200")] {
        let serving = Serving::start(folder.path(), flags);
        let answer = get(serving.address(), "/metrics");
        assert!(answer.starts_with(&format!("HTTP/1.1 {expected}")), "{flags:?}: {answer}");
        serving.stop("TERM");
    }
}
