//! A stand-in for the web, that actions fetch from: a server on this machine, each of whose pages shows one thing.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::json;
use sha2::{Digest, Sha256};

/// How long somebody who was to meet another one waits; longer than any machine is slow.
const MEETING: Duration = Duration::from_secs(20);

/// The server; its threads end with the process.
pub(crate) struct Web {
    address: SocketAddr,
}

/// A request, with its whole body.
struct Request {
    method: String,
    path: String,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

/// How many have come to `/meet`.
#[derive(Default)]
struct Meeting {
    come: Mutex<usize>,
    more: Condvar,
}

impl Web {
    /// Starts it.
    ///
    /// # Errors
    /// There is no port for it.
    #[expect(
        clippy::disallowed_methods,
        reason = "tests own no Env; the threads end with the test's process"
    )]
    pub(crate) fn start() -> Result<Web> {
        let listener = TcpListener::bind("127.0.0.1:0").context("a port for the stand-in of the web")?;
        let address = listener.local_addr()?;
        let meeting = Arc::new(Meeting::default());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let meeting = meeting.clone();
                thread::spawn(move || {
                    // Who asked has gone, or is told by what does not come.
                    let _ = serve(&stream, &meeting);
                });
            }
        });
        Ok(Web { address })
    }

    /// Where it is: `http://127.0.0.1:4000`.
    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Meeting {
    /// Waits for another one; false if nobody comes.
    fn wait(&self) -> bool {
        let mut come = self.come.lock().unwrap_or_else(PoisonError::into_inner);
        *come += 1;
        let pair = come.div_ceil(2);
        self.more.notify_all();
        let waited = self.more.wait_timeout_while(come, MEETING, |come| *come < 2 * pair);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }
}

fn serve(stream: &TcpStream, meeting: &Meeting) -> std::io::Result<()> {
    let request = read(stream)?;
    let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
    match path {
        "/echo" => {
            let own =
                |name: &str| name.starts_with("x-") || name == "content-type" || name == "accept-language";
            let headers: BTreeMap<_, _> = request.headers.iter().filter(|(name, _)| own(name)).collect();
            let body = String::from_utf8_lossy(&request.body);
            let answer = json!({"method": request.method, "query": query, "headers": headers, "body": body});
            whole(
                stream,
                200,
                "x-echo: yes\r\ncontent-type: application/json\r\n",
                answer.to_string().as_bytes(),
            )
        }
        "/bytes" => whole(stream, 200, "", &request.body),
        "/digest" => {
            let hash: String =
                Sha256::digest(&request.body).iter().map(|byte| format!("{byte:02x}")).collect();
            whole(stream, 200, "", format!("{} bytes, sha256 {hash}", request.body.len()).as_bytes())
        }
        "/head" => whole(stream, 418, "x-many: 1\r\nx-many: 2\r\n", b"short and stout"),
        "/away" => whole(stream, 302, "location: /echo?away\r\n", b""),
        "/meet" => {
            let said = if meeting.wait() { "met" } else { "alone" };
            whole(stream, 200, "", format!("{said} {query}").as_bytes())
        }
        "/pieces" => pieces(stream, true),
        "/broken" => pieces(stream, false),
        _ => whole(stream, 404, "", b"there is no such page"),
    }
}

fn read(stream: &TcpStream) -> std::io::Result<Request> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let mut body = Vec::new();
    if headers.get("transfer-encoding").is_some_and(|coding| coding == "chunked") {
        read_chunks(&mut reader, &mut body)?;
    } else {
        let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        reader.take(length).read_to_end(&mut body)?;
    }
    Ok(Request { method, path, headers, body })
}

fn read_chunks(reader: &mut impl BufRead, body: &mut Vec<u8>) -> std::io::Result<()> {
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let size = u64::from_str_radix(line.trim_end(), 16).map_err(std::io::Error::other)?;
        let mut chunk = Vec::new();
        reader.by_ref().take(size + 2).read_to_end(&mut chunk)?;
        if size == 0 {
            return Ok(());
        }
        body.extend_from_slice(&chunk[..chunk.len().saturating_sub(2)]);
    }
}

fn whole(mut stream: &TcpStream, status: u16, headers: &str, body: &[u8]) -> std::io::Result<()> {
    let length = body.len();
    write!(stream, "HTTP/1.1 {status} X\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n")?;
    stream.write_all(body)
}

/// Three pieces, and the end, if there is to be one.
fn pieces(mut stream: &TcpStream, has_end: bool) -> std::io::Result<()> {
    write!(stream, "HTTP/1.1 200 X\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n")?;
    for piece in ["one ", "two ", "three"] {
        write!(stream, "{:x}\r\n{piece}\r\n", piece.len())?;
        stream.flush()?;
    }
    if has_end {
        write!(stream, "0\r\n\r\n")?;
    }
    Ok(())
}
