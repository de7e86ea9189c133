//! A process of the host that inputs are sent to, and what every answer of it is held against.
//!
//! One for all inputs of a campaign: that it goes on is one of the properties.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use parking_lot::Mutex;
use serde_json::{Value as Json, json};
use weir_test_support::{HostProcess, http};

use crate::component;

/// Behind what has come, so long more is waited for before the input's end is said. A host on a busy machine that would
/// have said more ends then, in the middle of an answer perhaps.
const PAUSE: Duration = Duration::from_millis(25);
/// A connection whose client has said all is over after that.
const END_MAX: Duration = Duration::from_secs(15);
/// Functions are deployed anew after so many inputs: some of those deploy others.
const INPUTS_BETWEEN_DEPLOYMENTS: usize = 100;
/// No input, nor all of them together, makes the host hold more.
const RESIDENT_KIB_MAX: u64 = 2 << 20;

static SITE: Mutex<Option<Site>> = Mutex::new(None);
/// Its process; zero before there is one.
static PID: AtomicU32 = AtomicU32::new(0);

/// A running host.
pub(crate) struct Site {
    host: HostProcess,
    admin_key: String,
    inputs: usize,
    // Removed after the host has ended.
    _data: tempfile::TempDir,
}

/// How long an answer is waited for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Expected {
    /// There may be none: the input need not be a whole request.
    Perhaps,
    /// There is one, but for few inputs.
    Probably,
    /// There is one, whatever the input is.
    Surely,
}

impl Expected {
    fn patience(self) -> Duration {
        match self {
            Expected::Perhaps => PAUSE,
            Expected::Probably => Duration::from_secs(2),
            Expected::Surely => END_MAX,
        }
    }
}

/// Sends a request or a conversation to the host, and gives what came back.
pub(crate) fn exchange(expected: Expected, request: impl FnOnce(&Site) -> Vec<u8>) -> Vec<u8> {
    let mut site = SITE.lock();
    let site = site.get_or_insert_with(Site::start);
    site.prepare();
    let request = request(site);
    let answer = converse(site.host.address(), expected, &request);
    site.check_alive();
    answer
}

/// Ends the host, if there is one.
pub(crate) fn stop() {
    drop(SITE.lock().take());
}

/// The same, when the thread that talks to it does not come back.
pub(crate) fn kill() {
    let pid = PID.load(Ordering::Relaxed);
    if pid != 0 {
        // It may be gone already, which is what is wanted.
        let _ = Command::new("kill").args(["-KILL", &pid.to_string()]).status();
    }
}

impl Site {
    fn start() -> Site {
        let data = tempfile::tempdir().expect("a folder");
        let host = HostProcess::serve(&data.path().join("data")).expect("a host");
        let admin_key =
            std::fs::read_to_string(data.path().join("data/admin-key")).expect("the first admin key");
        PID.store(host.pid(), Ordering::Relaxed);
        Site { host, admin_key: admin_key.trim().to_owned(), inputs: 0, _data: data }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.host.address()
    }

    pub(crate) fn admin_header(&self) -> String {
        format!("Authorization: Convex {}\r\n", self.admin_key)
    }

    fn prepare(&mut self) {
        if self.inputs.is_multiple_of(INPUTS_BETWEEN_DEPLOYMENTS) {
            let component = component::echo(component::MANIFEST).expect("a component");
            let body = json!({ "modules": [{ "name": "m", "component": STANDARD.encode(component) }] });
            let answer = http::request(
                self.address(),
                "POST",
                "/api/weir/deploy",
                &self.admin_header(),
                body.to_string().as_bytes(),
            );
            let answer = answer.expect("the host answers");
            assert_eq!(answer.status, 200, "the deployment: {}", answer.body);
        }
        self.inputs += 1;
    }

    fn check_alive(&self) {
        let errors = self.host.errors();
        assert!(!errors.contains("panicked"), "the host says: {errors}");
        let answer = http::get(self.address(), "/version").expect("the host answers after that input");
        assert_eq!(answer.status, 200, "{answer:?}");
        let resident = self.host.resident_kib().expect("the host runs");
        assert!(resident < RESIDENT_KIB_MAX, "the host holds {resident} KiB");
    }
}

/// Says all, waits a moment for an answer, says that this was all, and reads to the end.
fn converse(address: SocketAddr, expected: Expected, request: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream.set_nodelay(true).expect("a socket");
    stream.set_read_timeout(Some(expected.patience())).expect("a socket");
    stream.set_write_timeout(Some(END_MAX)).expect("a socket");
    // It may have answered and closed before it has read everything.
    let _ = stream.write_all(request);
    let (mut answer, started) = (Vec::new(), Instant::now());
    let mut has_ended = false;
    let mut buffer = [0; 16 * 1024];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return answer,
            Ok(read) => {
                answer.extend_from_slice(&buffer[..read]);
                stream.set_read_timeout(Some(PAUSE)).expect("a socket");
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                if !std::mem::replace(&mut has_ended, true) {
                    let _ = stream.shutdown(Shutdown::Write);
                    stream.set_read_timeout(Some(PAUSE)).expect("a socket");
                }
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            // What the client sends to a closed socket is answered by a reset.
            Err(_) => return answer,
        }
        assert!(
            started.elapsed() < expected.patience() + END_MAX,
            "the connection does not end; so far: {answer:?}"
        );
    }
}

/// An HTTP answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }
}

/// The answers in what came back. Each is well-formed and no failure of the host's own; all but the last one are whole.
///
/// `has_heads`: some of the requests may want no bodies, so that where an answer ends is not known; then the first one is
/// looked at alone.
pub(crate) fn answers(mut bytes: &[u8], has_heads: bool) -> Vec<Answer> {
    let mut answers = Vec::new();
    while !bytes.is_empty() {
        let Some((mut answer, rest)) = head(bytes) else { return answers };
        assert!((100..600).contains(&answer.status), "{answer:?}");
        assert_ne!(answer.status, 500, "{answer:?} {:?}", String::from_utf8_lossy(rest));
        if has_heads {
            return vec![answer];
        }
        if answer.status == 101 {
            answer.body = rest.to_vec();
            answers.push(answer);
            return answers;
        }
        let Some((whole, rest)) = body(&answer, rest) else { return answers };
        (answer.body, bytes) = (whole, rest);
        if answer.header("content-type").is_some_and(|kind| kind.starts_with("application/json")) {
            let shown = String::from_utf8_lossy(&answer.body);
            serde_json::from_slice::<Json>(&answer.body).unwrap_or_else(|error| panic!("{error}: {shown}"));
        }
        answers.push(answer);
    }
    answers
}

/// `None`: it broke off.
fn head(bytes: &[u8]) -> Option<(Answer, &[u8])> {
    let shown = || String::from_utf8_lossy(bytes);
    let start = b"HTTP/1.";
    assert!(bytes.starts_with(start) || start.starts_with(bytes), "no answer: {}", shown());
    let end = bytes.windows(4).position(|bytes| bytes == b"\r\n\r\n")?;
    let text = std::str::from_utf8(&bytes[..end]).expect("a head of text");
    let mut lines = text.split("\r\n");
    let first = lines.next().expect("a line");
    let status = first.strip_prefix("HTTP/1.1 ").or(first.strip_prefix("HTTP/1.0 "));
    let status = status.and_then(|rest| rest.get(..3)?.parse().ok());
    let status = status.unwrap_or_else(|| panic!("no status: {}", shown()));
    let headers = lines.map(|line| {
        let (name, value) = line.split_once(':').unwrap_or_else(|| panic!("no header: {line:?}"));
        assert!(is_token(name) && value.bytes().all(|byte| byte == b'\t' || byte >= b' '), "{line:?}");
        (name.to_ascii_lowercase(), value.trim().to_owned())
    });
    let headers = headers.collect();
    Some((Answer { status, headers, body: Vec::new() }, &bytes[end + 4..]))
}

fn is_token(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// The body, and what is behind it. `None`: it broke off.
fn body<'a>(answer: &Answer, rest: &'a [u8]) -> Option<(Vec<u8>, &'a [u8])> {
    if matches!(answer.status, 100..200 | 204 | 304) {
        return Some((Vec::new(), rest));
    }
    if answer.header("transfer-encoding") == Some("chunked") {
        return unchunk(rest);
    }
    let Some(length) = answer.header("content-length") else { return Some((rest.to_vec(), &[])) };
    let length: usize = length.parse().expect("a length");
    let body = rest.get(..length)?;
    Some((body.to_vec(), &rest[length..]))
}

fn unchunk(mut rest: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut whole = Vec::new();
    loop {
        let end = rest.windows(2).position(|bytes| bytes == b"\r\n")?;
        let length = std::str::from_utf8(&rest[..end]).ok();
        let length = length.and_then(|text| usize::from_str_radix(text, 16).ok()).expect("a length");
        let chunk = rest.get(end + 2..end + 2 + length)?;
        whole.extend_from_slice(chunk);
        rest = &rest[end + 2 + length..];
        let behind = rest.get(..2)?;
        assert_eq!(behind, b"\r\n", "the end of a chunk");
        rest = &rest[2..];
        if length == 0 {
            return Some((whole, rest));
        }
    }
}
