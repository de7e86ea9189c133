//! TLS that the server speaks itself, with certificates from files: real clients, an authority of the test's own.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::tls_front::{Certificate, make};
use crate::{Serving, first_line_watching, run_in};

/// Nothing here takes this long.
const PATIENCE: Duration = Duration::from_secs(20);

/// A client of TLS that trusts `authority` alone and speaks these protocols inside.
pub fn client(authority: &[u8], protocols: &[&str]) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    Arc::new(config)
}

/// One request to a server that calls itself `name`; all that it answers.
pub fn request(
    config: &Arc<ClientConfig>,
    address: &str,
    name: &str,
    request: &str,
) -> std::io::Result<(String, Vec<u8>)> {
    let tcp = TcpStream::connect(address)?;
    tcp.set_read_timeout(Some(PATIENCE))?;
    let server = ServerName::try_from(name.to_owned()).unwrap();
    let connection = ClientConnection::new(Arc::clone(config), server).map_err(std::io::Error::other)?;
    let mut stream = StreamOwned::new(connection, tcp);
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    // The server ends TLS before it ends the connection: nothing can have been cut off.
    stream.read_to_string(&mut answer)?;
    let shown = stream.conn.peer_certificates().expect("a server shows one")[0].to_vec();
    Ok((answer, shown))
}

pub fn get(name: &str) -> String {
    format!("GET /version HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n")
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

pub fn plain(address: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

const FILES: [&str; 6] = ["--tls-cert", "cert.pem", "--tls-key", "key.pem", "--host-name", "api.test"];

#[test]
fn the_command_line_and_other_clients_reach_a_server_with_tls_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    make(Certificate::OfOwnAuthority).write(folder.path());
    let redirect = format!("127.0.0.1:{}", free_port());
    let serving = Serving::start(folder.path(), &[&FILES[..], &["--http-redirect", &redirect]].concat());
    assert!(serving.url.starts_with("https://127.0.0.1:"), "{}", serving.url);
    let trust = ["--ca-certificate", "authority.pem"];

    let finished = run_in(folder.path(), &[&["key", "list", "--url", &serving.url][..], &trust].concat());
    assert_eq!((finished.code, finished.stdout.as_str()), (0, "admin-key: everything\n"), "{finished:?}");
    let line = first_line_watching(folder.path(), &serving.url, &trust);
    assert!(line.contains("error: [Request ID:"), "a socket: {line}");

    let authority = fs::read(folder.path().join("authority.pem")).unwrap();
    let config = client(&authority, &["h2", "http/1.1"]);
    let hsts = |name: &str| {
        let (answer, _) = request(&config, serving.address(), name, &get(name)).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        answer.to_ascii_lowercase().contains("strict-transport-security: max-age=2592000\r\n")
    };
    assert!(hsts("api.test") && !hsts("localhost"), "not of a name that every program here has");
    let refused = request(&client(&authority, &["h2"]), serving.address(), "api.test", &get("api.test"));
    assert!(refused.unwrap_err().to_string().contains("NoApplicationProtocol"), "HTTP/2 is not spoken");
    let (urls, _) = request(
        &config,
        serving.address(),
        "api.test",
        &admin_get(folder.path(), "/api/v1/get_canonical_urls"),
    )
    .unwrap();
    assert!(urls.contains(&format!("\"convexCloudUrl\":\"{}\"", serving.url)), "{urls}");

    let answer = plain(serving.address(), &get("api.test"));
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("use https"), "{answer}");
    let port = serving.address().rsplit(':').next().unwrap();
    let answer = plain(&redirect, "POST /a?b=c HTTP/1.1\r\nHost: api.test\r\nContent-Length: 0\r\n\r\n");
    let expected = format!("location: https://api.test:{port}/a?b=c\r\n");
    assert!(answer.starts_with("HTTP/1.1 308") && answer.contains(&expected), "{answer}");
    let answer = plain(&redirect, "GET / HTTP/1.1\r\nHost: evil.test\r\nConnection: close\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 421"), "{answer}");
    serving.stop("TERM");
}

pub fn admin_get(folder: &Path, path: &str) -> String {
    let key = fs::read_to_string(folder.join(".host/admin-key")).unwrap();
    let key = key.trim();
    format!(
        "GET {path} HTTP/1.1\r\nHost: api.test\r\nConnection: close\r\nAuthorization: Convex {key}\r\n\r\n"
    )
}

#[test]
fn new_certificates_are_taken_while_it_serves_and_broken_ones_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let first = make(Certificate::OfOwnAuthority);
    first.write(folder.path());
    let serving = Serving::start(folder.path(), &FILES);
    let shown_to = |authority: &str| {
        let config = client(authority.as_bytes(), &["http/1.1"]);
        request(&config, serving.address(), "api.test", &get("api.test")).map(|(_, shown)| shown)
    };
    assert_eq!(shown_to(&first.authority_pem).unwrap(), first.certificate);
    fs::write(folder.path().join("cert.pem"), "broken").unwrap();
    serving.signal("HUP");
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(shown_to(&first.authority_pem).unwrap(), first.certificate, "the one before goes on");
    let second = make(Certificate::OfOwnAuthority);
    second.write(folder.path());
    serving.signal("HUP");
    let begun = Instant::now();
    while shown_to(&second.authority_pem).is_err() {
        assert!(begun.elapsed() < PATIENCE, "the new certificate is taken");
        std::thread::sleep(Duration::from_millis(50));
    }
    // Without a signal, too.
    first.write(folder.path());
    let begun = Instant::now();
    while shown_to(&first.authority_pem).is_err() {
        assert!(begun.elapsed() < PATIENCE, "the change is noticed");
        std::thread::sleep(Duration::from_millis(200));
    }
    let finished = serving.stop("TERM");
    assert!(finished.stderr.contains("the new certificate is not taken"), "{}", finished.stderr);
}

#[test]
fn a_start_with_certificates_that_are_no_good_says_why() {
    let folder = tempfile::tempdir().unwrap();
    make(Certificate::Expired).write(folder.path());
    let start = |arguments: &[&str]| {
        run_in(folder.path(), &[&["serve", "--listen", "127.0.0.1:0"][..], arguments].concat())
    };
    for (arguments, code, expected) in [
        (&FILES[..4], 1, "its certificate has expired"),
        (&["--tls-cert", "none.pem", "--tls-key", "key.pem"], 1, "--tls-cert none.pem: No such file"),
        (&["--tls-cert", "cert.pem"], 2, "--tls-key"),
        (&["--http-redirect", "127.0.0.1:0"], 1, "add --tls-cert"),
        (&["--trusted-proxy", "10.0.0.0/99"], 2, "a range such as"),
    ] {
        let finished = start(arguments);
        assert_eq!(finished.code, code, "{arguments:?}: {finished:?}");
        assert!(finished.stderr.contains(expected), "{arguments:?}: {}", finished.stderr);
    }
}

#[test]
fn whoever_connects_and_says_nothing_is_cut() {
    let folder = tempfile::tempdir().unwrap();
    make(Certificate::OfOwnAuthority).write(folder.path());
    let serving = Serving::start(folder.path(), &FILES);
    let mut silent = TcpStream::connect(serving.address()).unwrap();
    // Half of a record.
    silent.write_all(&[22, 3, 1, 2, 0, 1]).unwrap();
    // Nothing else ends a connection that has said nothing whole; on a busy machine ten seconds may take longer.
    silent.set_read_timeout(Some(3 * PATIENCE)).unwrap();
    match silent.read(&mut [0; 16]) {
        Ok(0) => {}
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => {}
        other => panic!("not cut: {other:?}"),
    }
    serving.stop("TERM");
}
