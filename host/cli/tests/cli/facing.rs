//! What one address may take, whose address counts, and what is written of those who hold keys.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use crate::{Serving, run_in};

/// Nothing here takes this long.
const PATIENCE: Duration = Duration::from_secs(30);

/// One request, and all that is answered.
fn ask(serving: &Serving, head: &str, body: &[u8]) -> String {
    let mut stream = TcpStream::connect(serving.address()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let length = body.len();
    let head = format!("{head}\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n");
    // A server that refuses early may close before it has read everything.
    let _ = stream.write_all(&[head.as_bytes(), body].concat());
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    answer
}

fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
}

/// A call of a function that is not there: it counts all the same.
fn call(serving: &Serving, headers: &str) -> String {
    let head = format!("POST /api/query HTTP/1.1\r\nContent-Type: application/json{headers}");
    ask(serving, &head, br#"{"path":"chat:nothing","args":{}}"#)
}

/// How many of so many calls in a row are answered, and what the first refusal says.
fn answered(serving: &Serving, headers: &str, calls: usize) -> (usize, Option<String>) {
    let answers: Vec<_> = (0..calls).map(|_| call(serving, headers)).collect();
    let refused = answers.iter().find(|answer| status(answer) == 429).cloned();
    (answers.iter().filter(|answer| status(answer) == 200).count(), refused)
}

#[test]
fn an_address_that_calls_without_end_is_refused_and_told_when_to_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let serving = Serving::start(folder.path(), &["--limit-loopback", "--limit-calls", "1"]);
    let (count, refused) = answered(&serving, "", 20);
    assert!((11..=15).contains(&count), "{count}");
    let refused = refused.expect("some are refused").to_ascii_lowercase();
    assert!(refused.contains("\r\nretry-after: 1\r\n") && refused.contains("toomanyrequests"), "{refused}");
    assert_eq!(status(&ask(&serving, "GET /version HTTP/1.1", b"")), 200, "what is no call is answered");
    std::thread::sleep(Duration::from_millis(1200));
    assert_eq!(status(&call(&serving, "")), 200, "a second later there is one more");
    serving.stop("TERM");
}

#[test]
fn this_machine_is_limited_when_that_is_asked_for_alone() {
    let folder = tempfile::tempdir().unwrap();
    let serving = Serving::start(folder.path(), &["--limit-calls", "1", "--limit-connections", "1"]);
    assert_eq!(answered(&serving, "", 20).0, 20);
    serving.stop("TERM");
}

#[test]
fn headers_say_whose_a_request_is_when_a_trusted_proxy_sends_them_alone() {
    let folder = tempfile::tempdir().unwrap();
    let by = |address: &str| format!("\r\nX-Forwarded-For: 198.51.100.9, {address}");
    let serving = Serving::start(folder.path(), &["--limit-calls", "1", "--trusted-proxy", "127.0.0.0/8"]);
    assert!(answered(&serving, &by("203.0.113.1"), 20).0 <= 15);
    assert_eq!(answered(&serving, &by("203.0.113.2"), 5).0, 5, "another client is another address");
    assert_eq!(answered(&serving, &by("2001:db8::1"), 10).0, 10);
    assert!(answered(&serving, &by("2001:db8::2"), 10).0 <= 5, "a network of IPv6 is one address");
    assert_eq!(answered(&serving, "", 20).0, 20, "the proxy itself is not limited");
    serving.stop("TERM");
    let serving = Serving::start(folder.path(), &["--limit-calls", "1", "--limit-loopback"]);
    let refused = (0..20).filter(|n| status(&call(&serving, &by(&format!("203.0.113.{n}")))) == 429).count();
    assert!(refused >= 5, "whoever is not trusted speaks for itself: {refused}");
    serving.stop("TERM");
}

#[test]
fn connections_and_sockets_of_an_address_have_a_bound() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["--limit-loopback", "--limit-connections", "4", "--limit-sockets", "2"];
    let serving = Serving::start(folder.path(), &arguments);
    let upgrade = "GET /api/sync HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                   Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    let open = || {
        let mut stream = TcpStream::connect(serving.address()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(upgrade.as_bytes()).unwrap();
        let mut head = [0; 1024];
        let length = stream.read(&mut head).unwrap();
        (stream, status(&String::from_utf8_lossy(&head[..length])))
    };
    let (first, second, third) = (open(), open(), open());
    assert_eq!([first.1, second.1, third.1], [101, 101, 429]);
    drop(third);
    let begun = Instant::now();
    // A connection that has its place, and keeps it: it was answered on. The server may not have seen yet who is gone.
    let keep = || loop {
        let mut stream = TcpStream::connect(serving.address()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(b"GET /version HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        let mut head = [0; 1024];
        let length = stream.read(&mut head).unwrap_or(0);
        if status(&String::from_utf8_lossy(&head[..length])) == 200 {
            return stream;
        }
        assert!(begun.elapsed() < PATIENCE, "places come back");
        std::thread::sleep(Duration::from_millis(50));
    };
    let kept = [keep(), keep()];
    let refused = ask(&serving, "GET /version HTTP/1.1", b"");
    assert!(status(&refused) == 429 && refused.contains("Too many connections"), "{refused}");
    drop(kept);
    drop(first);
    keep();
    serving.stop("TERM");
}

#[test]
fn what_an_address_sends_too_fast_waits() {
    let folder = tempfile::tempdir().unwrap();
    let serving = Serving::start(folder.path(), &["--limit-loopback", "--limit-bytes", "512"]);
    let begun = Instant::now();
    // Four seconds' worth come at once, the other four wait.
    let body = vec![b'x'; 4096 * 1024];
    let key = std::fs::read_to_string(folder.path().join(".host/admin-key")).unwrap();
    let request = format!("POST /echo HTTP/1.1\r\nAuthorization: Convex {}", key.trim());
    let answer = ask(&serving, &request, &body);
    assert_eq!(status(&answer), 200, "{}", &answer[..answer.len().min(300)]);
    let took = begun.elapsed();
    assert!((Duration::from_millis(3500)..Duration::from_secs(15)).contains(&took), "{took:?}");
    serving.stop("TERM");
}

#[test]
fn what_the_holder_of_a_key_does_is_written_and_printed() {
    let folder = tempfile::tempdir().unwrap();
    let serving = Serving::start(folder.path(), &[]);
    let run = |arguments: &[&str]| run_in(folder.path(), &[arguments, &["--url", &serving.url]].concat());
    assert_eq!(run(&["env", "set", "SECRET", "s3cr3t-value"]).code, 0);
    assert_eq!(run(&["key", "create", "ci", "--scope", "read-only"]).code, 0);
    assert_ne!(run(&["key", "revoke", "nobody"]).code, 0);
    let printed = run(&["audit"]);
    assert_eq!(printed.code, 0, "{printed:?}");
    let actions: Vec<String> = printed
        .stdout
        .lines()
        .map(|line| line.split(' ').skip(1).take(3).collect::<Vec<_>>().join(" "))
        .collect();
    let expected =
        ["setVariables begun", "setVariables ok", "createKey begun", "createKey ok", "revokeKey begun"];
    let expected: Vec<_> = expected.iter().map(|action| format!("admin-key@127.0.0.1 {action}")).collect();
    assert_eq!(actions[..5], expected, "{}", printed.stdout);
    assert!(
        printed.stdout.contains("revokeKey refused {\"error\":\"AdminKeyNotFound\",\"name\":\"nobody\"}"),
        "{}",
        printed.stdout
    );
    assert!(
        printed.stdout.contains("\"names\":[\"SECRET\"]") && !printed.stdout.contains("s3cr3t"),
        "{}",
        printed.stdout
    );
    serving.stop("TERM");
    let file = folder.path().join(".host/audit/audit.jsonl");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let key = fs::read_to_string(folder.path().join(".host/admin-key")).unwrap();
    assert!(!fs::read_to_string(&file).unwrap().contains(key.trim().split('|').nth(1).unwrap()));
    let stopped = run_in(folder.path(), &["audit", "--folder", ".host", "--lines", "1", "--json"]);
    assert!(
        stopped.stdout.contains("\"outcome\":\"refused\"") && stopped.stdout.lines().count() == 1,
        "{stopped:?}"
    );
}
