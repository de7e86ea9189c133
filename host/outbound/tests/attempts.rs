//! Where functions may not connect to, and what becomes of requests that are sent on.
#![expect(clippy::disallowed_methods, reason = "tests own no Env")]

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use weir_db::{Body, HttpRequest, HttpResponse, Redirect};
use weir_outbound::{Client, Rules};
use weir_value::ErrorCode;

/// How many connections a client keeps.
const IDLE_MAX: usize = 30;

/// A server on this machine that answers each path as told, and keeps what it was asked.
struct TestServer {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl TestServer {
    async fn start(answer: impl Fn(&str) -> String + Send + Sync + 'static) -> TestServer {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (heard, answer) = (asked.clone(), Arc::new(answer));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (heard, answer) = (heard.clone(), answer.clone());
                tokio::spawn(async move {
                    let mut bytes = vec![0; 16 << 10];
                    let read = stream.read(&mut bytes).await.unwrap_or(0);
                    let request = String::from_utf8_lossy(&bytes[..read]).into_owned();
                    let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
                    heard.lock().unwrap().push(request);
                    let _ = stream.write_all(answer(&path).as_bytes()).await;
                });
            }
        });
        TestServer { address, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
}

fn sent_on(status: u16, to: &str) -> String {
    format!("HTTP/1.1 {status} On\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
}

fn client(open: &[&str]) -> Client {
    Client::new(Rules::parse(open).unwrap(), IDLE_MAX)
}

fn get(url: &str) -> HttpRequest {
    HttpRequest {
        method: "GET".into(),
        url: url.into(),
        headers: Vec::new(),
        body: Body::Empty,
        redirect: Redirect::Follow,
    }
}

async fn code(client: &Client, url: &str) -> ErrorCode {
    match client.send(get(url)).await {
        Ok(response) => panic!("{url}: {}", response.status),
        Err(error) => error.code,
    }
}

async fn text(response: HttpResponse) -> String {
    let Body::Stream(body) = response.body else { panic!("a body") };
    let pieces: Vec<Bytes> = body.map(Result::unwrap).collect().await;
    String::from_utf8(pieces.concat()).unwrap()
}

/// Not one connection is made: the server, which listens, is never asked.
#[tokio::test]
async fn this_machine_and_its_neighbours_are_closed() {
    let server = TestServer::start(|_| ok("secret")).await;
    let port = server.address.port();
    let client = client(&[]);
    let hosts = [
        "127.0.0.1",
        "127.1",
        "0177.0.0.1",
        "0x7f.1",
        "2130706433",
        "0x7f000001",
        "127.255.255.254",
        "0.0.0.0",
        "0",
        "localhost",
        "LOCALHOST",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "[fe80::1]",
        "[fd00::1]",
        "[fec0::1]",
        "[ff02::1]",
        "224.0.0.1",
        "255.255.255.255",
    ];
    for host in hosts {
        let url = format!("http://{host}:{port}/");
        let error = client.send(get(&url)).await.err().unwrap_or_else(|| panic!("{host} is open"));
        assert_eq!(error.code, ErrorCode::AddressRefused, "{host}: {error}");
        assert!(error.message.contains("--allow-outbound"), "{host}: {error}");
    }
    assert!(server.asked().is_empty());
}

#[tokio::test]
async fn what_is_opened_by_name_is_open_and_nothing_else() {
    let server = TestServer::start(|_| ok("hello")).await;
    let port = server.address.port();
    let by_address = client(&["127.0.0.1"]);
    let response = by_address.send(get(&format!("http://127.0.0.1:{port}/a#b"))).await.unwrap();
    assert_eq!(response.url, format!("http://127.0.0.1:{port}/a"));
    assert_eq!(text(response).await, "hello");
    assert_eq!(code(&by_address, &format!("http://127.0.0.2:{port}/")).await, ErrorCode::AddressRefused);
    let by_name = client(&[&format!("localhost:{port}")]);
    assert_eq!(by_name.send(get(&format!("http://localhost:{port}/"))).await.unwrap().status, 200);
    assert_eq!(code(&by_name, &format!("http://localhost:{}/", port ^ 1)).await, ErrorCode::AddressRefused);
    assert_eq!(code(&by_name, &format!("http://127.0.0.1:{port}/")).await, ErrorCode::AddressRefused);
}

#[tokio::test]
async fn being_sent_on_opens_nothing() {
    let secret = TestServer::start(|_| ok("secret")).await;
    let port = secret.address.port();
    let inner = [
        format!("http://127.0.0.2:{port}/"),
        format!("http://[::1]:{port}/"),
        format!("http://2130706434:{port}/"),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
    ];
    let targets = inner.clone();
    let outer =
        TestServer::start(move |path| sent_on(302, &targets[path[1..].parse::<usize>().unwrap()])).await;
    let client = client(&["127.0.0.1"]);
    for (number, target) in inner.iter().enumerate() {
        let url = format!("http://{}/{number}", outer.address);
        assert_eq!(code(&client, &url).await, ErrorCode::AddressRefused, "{target}");
    }
    assert!(secret.asked().is_empty());
}

#[tokio::test]
async fn requests_that_are_sent_on_change_as_the_standard_says() {
    let other = TestServer::start(|_| ok("there")).await;
    let to = format!("http://{}/there", other.address);
    let first = TestServer::start(move |path| match path {
        "/loop" => sent_on(302, "/loop"),
        "/file" => sent_on(302, "file:///etc/passwd"),
        path => sent_on(path[1..].parse().unwrap(), &to),
    })
    .await;
    let client = client(&["127.0.0.1"]);
    let send = async |method: &str, path: &str, redirect: Redirect| {
        let headers = [("authorization", "secret"), ("content-type", "text/plain"), ("x-own", "1")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let body = if method == "GET" { Body::Empty } else { Body::Whole("body".into()) };
        let url = format!("http://{}{path}", first.address);
        client.send(HttpRequest { method: method.into(), url, headers, body, redirect }).await
    };
    for (status, method, expected) in [
        ("301", "POST", "GET"),
        ("302", "PUT", "PUT"),
        ("303", "PUT", "GET"),
        ("307", "POST", "POST"),
        ("308", "GET", "GET"),
    ] {
        let response = send(method, &format!("/{status}"), Redirect::Follow).await.unwrap();
        assert!(response.redirected && response.url.ends_with("/there"));
        let asked = other.asked().pop().unwrap().to_ascii_lowercase();
        assert!(
            asked.starts_with(&format!("{} /there", expected.to_lowercase())),
            "{status} {method}: {asked}"
        );
        assert!(
            !asked.contains("secret") && asked.contains("x-own"),
            "secrets stay with their host: {asked}"
        );
        assert_eq!(
            asked.ends_with("body"),
            expected == "POST" || expected == "PUT",
            "{status} {method}: {asked}"
        );
    }
    let manual = send("GET", "/302", Redirect::Manual).await.unwrap();
    assert_eq!((manual.status, manual.redirected), (302, false));
    let error = async |path: &str, redirect| send("GET", path, redirect).await.err().unwrap().to_string();
    assert!(error("/302", Redirect::Error).await.contains("sends the request on"));
    assert!(error("/loop", Redirect::Follow).await.contains("more than 20 times"));
    assert!(error("/file", Redirect::Follow).await.contains("file:///etc/passwd"));
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused_with_what_is_wrong() {
    let client = client(&["127.0.0.1"]);
    let with = |method: &str, url: &str, header: (&str, &str)| HttpRequest {
        method: method.into(),
        headers: vec![(header.0.into(), header.1.into())],
        ..get(url)
    };
    let cases = [
        (with("GET", "not a url", ("a", "b")), "not a URL"),
        (with("GET", "ftp://a.example/", ("a", "b")), "neither http nor https"),
        (with("CONNECT", "http://127.0.0.1/", ("a", "b")), "not a method"),
        (with("G T", "http://127.0.0.1/", ("a", "b")), "not a method"),
        (with("GET", "http://127.0.0.1/", ("a b", "c")), "is not a header"),
        (with("GET", "http://127.0.0.1/", ("a", "b\r\nc: d")), "is not a header"),
        (with("GET", "http://127.0.0.1/", ("a", "\u{1F600}")), "is not a header"),
    ];
    for (request, expected) in cases {
        let error = client.send(request).await.err().unwrap();
        assert!(error.code == ErrorCode::InvalidRequest && error.message.contains(expected), "{error}");
    }
    // Nobody listens there.
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    assert_eq!(code(&client, &format!("http://{closed}/")).await, ErrorCode::FetchFailed);
}

/// It is the address at each connection that counts, not the one that the name had before.
#[tokio::test]
async fn a_name_that_resolves_to_this_machine_the_second_time_gains_nothing() {
    let server = TestServer::start(|_| ok("hello")).await;
    let resolved = Arc::new(AtomicUsize::new(0));
    let counted = resolved.clone();
    // The first time it is where the rules allow, the second time beside it.
    let lookup = move |_: String| {
        let address = match counted.fetch_add(1, Ordering::SeqCst) {
            0 => "127.0.0.1",
            _ => "127.0.0.2",
        };
        Box::pin(async move { Ok(vec![address.parse().unwrap()]) }) as Pin<Box<dyn Future<Output = _> + Send>>
    };
    let client = Client::resolving_by(Rules::parse(&["127.0.0.1"]).unwrap(), IDLE_MAX, Arc::new(lookup));
    let url = format!("http://rebinding.example:{}/", server.address.port());
    assert_eq!(text(client.send(get(&url)).await.unwrap()).await, "hello");
    assert_eq!(code(&client, &url).await, ErrorCode::AddressRefused);
    assert_eq!((resolved.load(Ordering::SeqCst), server.asked().len()), (2, 1));
}

/// A server on this machine that keeps each connection for as long as the other side does; how many it has.
async fn keeping_server(open: &Arc<AtomicUsize>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, open) = (listener.local_addr().unwrap(), open.clone());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let open = open.clone();
            tokio::spawn(async move {
                open.fetch_add(1, Ordering::SeqCst);
                let mut bytes = vec![0; 4096];
                while stream.read(&mut bytes).await.is_ok_and(|read| read > 0) {
                    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
                }
                open.fetch_sub(1, Ordering::SeqCst);
            });
        }
    });
    address
}

/// Whoever may choose what is fetched could else have as many files open here as there are places.
#[tokio::test]
async fn connections_that_nobody_uses_are_few_and_used_again() {
    let (open, client) = (Arc::new(AtomicUsize::new(0)), client(&["127.0.0.1"]));
    let mut last = None;
    for _ in 0..IDLE_MAX + 10 {
        let url = format!("http://{}/", keeping_server(&open).await);
        assert_eq!(text(client.send(get(&url)).await.unwrap()).await, "ok");
        last = Some(url);
    }
    let closed = async {
        while open.load(Ordering::SeqCst) > IDLE_MAX {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), closed).await.expect("those before are closed");
    let before = open.load(Ordering::SeqCst);
    assert!(before > 0);
    assert_eq!(text(client.send(get(&last.unwrap())).await.unwrap()).await, "ok");
    assert_eq!(open.load(Ordering::SeqCst), before, "the connection is used again");
}
