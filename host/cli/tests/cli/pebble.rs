//! Let's Encrypt's own test server, pebble, on loopback, with names that all lead there.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::own_tls::{client, request};
use crate::tls_front::{Certificate, make};

/// A port that nobody is given who asks for any: it is said before it is taken, and must be free until then. Those that
/// systems give begin at 32,768 at the earliest.
pub fn own_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        // Runs of these tests beside each other begin at other places.
        let next = std::process::id().wrapping_mul(41).wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
        let port = 12_000 + u16::try_from(next % 20_000).unwrap();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// Where pebble listens, and where it looks whether a name is a host's.
#[derive(Debug, Clone, Copy)]
pub struct Ports {
    pub directory: u16,
    pub management: u16,
    pub tls: u16,
    pub http: u16,
}

impl Ports {
    /// Looks at these ports, and listens at free ones.
    pub fn looking_at(tls: u16, http: u16) -> Ports {
        Ports { directory: own_port(), management: own_port(), tls, http }
    }
}

/// The authority, while this lives.
pub struct Pebble {
    child: Child,
    ports: Ports,
    folder: PathBuf,
    _names: Names,
}

impl Pebble {
    /// Gives certificates that are good for so many seconds.
    pub fn start(folder: &Path, ports: Ports, valid_seconds: u64) -> Pebble {
        let folder = folder.join("pebble");
        // The same certificate after a restart: who trusts it has read it already.
        if !folder.exists() {
            fs::create_dir(&folder).unwrap();
            make(Certificate::OfOwnAuthority).write(&folder);
        }
        let Ports { directory, management, tls, http } = ports;
        let config = serde_json::json!({ "pebble": {
            "listenAddress": format!("127.0.0.1:{directory}"),
            "managementListenAddress": format!("127.0.0.1:{management}"),
            "certificate": "cert.pem",
            "privateKey": "key.pem",
            "httpPort": http,
            "tlsPort": tls,
            "keyAlgorithm": "ecdsa",
            "profiles": { "default": { "description": "", "validityPeriod": valid_seconds } },
            "retryAfter": { "authz": 1, "order": 1 },
        }});
        fs::write(folder.join("config.json"), config.to_string()).unwrap();
        let names = Names::start();
        let mut command = Command::new(binary());
        command
            .current_dir(&folder)
            .args(["-config", "config.json", "-dnsserver"])
            .arg(names.address.to_string());
        // It would wait and refuse nonces at random, to try its clients: three refusals in a row are a failed attempt, and
        // the next one may be a minute away.
        command.env("PEBBLE_VA_NOSLEEP", "1").env("PEBBLE_WFE_NONCEREJECT", "0").stdin(Stdio::null());
        let log = File::options().create(true).append(true).open(folder.join("log")).unwrap();
        command.stdout(log.try_clone().unwrap()).stderr(log);
        let child = command.spawn().expect("pebble is installed: run `scripts/setup test`");
        let pebble = Pebble { child, ports, folder, _names: names };
        let begun = Instant::now();
        while pebble.try_root().is_none() {
            assert!(begun.elapsed() < Duration::from_secs(30), "pebble answers: {}", pebble.log());
            std::thread::sleep(Duration::from_millis(50));
        }
        pebble
    }

    /// What trusts the certificates that it gives, PEM.
    pub fn root(&self) -> String {
        self.try_root().expect("it gives its root")
    }

    fn try_root(&self) -> Option<String> {
        let authority = fs::read(self.folder.join("authority.pem")).unwrap();
        let address = format!("127.0.0.1:{}", self.ports.management);
        let get = "GET /roots/0 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        let (answer, _) = request(&client(&authority, &["http/1.1"]), &address, "localhost", get).ok()?;
        Some(answer.split_once("\r\n\r\n")?.1.to_owned())
    }

    /// All that it has said.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap()
    }
}

impl Drop for Pebble {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The flags with which a host in `folder` asks pebble for a certificate.
pub fn flags(ports: Ports, names: &[&str]) -> Vec<String> {
    let directory = format!("https://127.0.0.1:{}/dir", ports.directory);
    let names = names.iter().flat_map(|name| ["--tls-name", name]);
    let rest = ["--acme-directory", &directory, "--acme-ca", "pebble/authority.pem"];
    names.chain(rest).map(str::to_owned).collect()
}

/// Where `scripts/setup` puts it, or wherever the system finds it.
fn binary() -> PathBuf {
    let cache = std::env::var_os("WEIR_CACHE_DIR").map(PathBuf::from);
    let home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache/weir"));
    let installed = cache.or_else(home).map(|cache| cache.join("tools/bin/pebble"));
    installed.filter(|path| path.is_file()).unwrap_or_else(|| "pebble".into())
}

/// A server of names by which every name leads to loopback; over TCP, as pebble asks.
struct Names {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Names {
    fn start() -> Names {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let stopping = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stopping.load(Ordering::Relaxed) {
                    return;
                }
                // Whoever goes away has what it wanted.
                let _ = stream.and_then(answer_all);
            }
        });
        Names { address, stop, thread: Some(thread) }
    }
}

impl Drop for Names {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // So that it looks.
        let _ = TcpStream::connect(self.address);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// Each message comes after its length.
fn answer_all(mut stream: TcpStream) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    loop {
        let mut length = [0; 2];
        stream.read_exact(&mut length)?;
        let mut question = vec![0; u16::from_be_bytes(length).into()];
        stream.read_exact(&mut question)?;
        let Some(answer) = answer(&question) else { return Ok(()) };
        let length = u16::try_from(answer.len()).unwrap().to_be_bytes();
        stream.write_all(&[&length[..], &answer].concat())?;
    }
}

/// `127.0.0.1` to who asks for an address of version 4, and nothing to others (RFC 1035, section 4).
fn answer(question: &[u8]) -> Option<Vec<u8>> {
    const HEAD: usize = 12;
    let name_length = question.get(HEAD..)?.iter().position(|byte| *byte == 0)? + 1;
    let end = HEAD + name_length + 4;
    let kind = question.get(HEAD + name_length..end)?;
    let is_of_v4 = kind[..2] == [0, 1];
    // The same id; a response, with recursion; one question, and one answer or none.
    let mut answer = vec![question[0], question[1], 0x81, 0x80, 0, 1, 0, is_of_v4.into(), 0, 0, 0, 0];
    answer.extend_from_slice(&question[HEAD..end]);
    if is_of_v4 {
        // The name of the question; A, IN; for no time; four bytes.
        answer.extend_from_slice(&[0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 127, 0, 0, 1]);
    }
    Some(answer)
}
