//! Real servers on this machine, that are slow, huge, gone, or send the host elsewhere.
mod common;

use std::sync::Arc;
use std::time::Duration;

use common::{Key, claims, now};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::json;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;
use weir_auth::{AuthError, FetchError, HttpFetcher, KeyFetcher, Url, Verifier};

/// What a path answers.
#[derive(Clone)]
enum Answer {
    /// 200 with this body.
    Body(String),
    /// This status, and this `Location`.
    Redirect(u16, String),
    Status(u16),
    /// A body without an end, as fast as it is taken.
    Endless,
    /// A byte a second.
    Dripping,
    /// Nothing at all.
    Silence,
    /// Half of what it promised, and the end of the connection.
    CutOff,
    /// What is not HTTP.
    Noise,
}

/// A server that runs until it is dropped.
struct Server {
    base: String,
    tasks: JoinSet<()>,
}

impl Server {
    async fn start(routes: Vec<(&'static str, Answer)>) -> Server {
        Server::listen(routes, None).await
    }

    /// With TLS. Gives its certificate, too.
    async fn start_tls(routes: Vec<(&'static str, Answer)>) -> (Server, Vec<u8>) {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
        let certificate = made.cert.der().to_vec();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![CertificateDer::from(certificate.clone())], key)
            .unwrap();
        (Server::listen(routes, Some(TlsAcceptor::from(Arc::new(config)))).await, certificate)
    }

    async fn listen(routes: Vec<(&'static str, Answer)>, tls: Option<TlsAcceptor>) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let base = format!("{scheme}://localhost:{port}");
        let base_of_answers = base.clone();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                let (routes, tls, base) = (routes.clone(), tls.clone(), base_of_answers.clone());
                connections.spawn(async move {
                    match tls {
                        None => serve(socket, &routes, &base).await,
                        Some(tls) => {
                            if let Ok(socket) = tls.accept(socket).await {
                                serve(socket, &routes, &base).await;
                            }
                        }
                    }
                });
            }
        });
        Server { base, tasks }
    }

    /// Closes its port and its connections.
    async fn stop(mut self) {
        self.tasks.shutdown().await;
    }

    fn url(&self, path: &str) -> Url {
        format!("{}{path}", self.base).parse().unwrap()
    }
}

async fn serve(
    mut socket: impl AsyncRead + AsyncWrite + Unpin,
    routes: &[(&'static str, Answer)],
    base: &str,
) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        if socket.read_exact(&mut byte).await.is_err() {
            return;
        }
        request.push(byte[0]);
    }
    let request = String::from_utf8(request).unwrap();
    let path = request.split(' ').nth(1).unwrap();
    let answer = routes
        .iter()
        .find(|(route, _)| *route == path)
        .map_or(Answer::Status(404), |(_, answer)| answer.clone());
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
    // A client that has had enough is no failure of the server.
    let _ = match answer {
        Answer::Body(body) => {
            let body = body.replace("{base}", base);
            socket.write_all(format!("{head}content-length: {}\r\n\r\n{body}", body.len()).as_bytes()).await
        }
        Answer::Redirect(status, to) => {
            let to = to.replace("{base}", base);
            let answer = format!("HTTP/1.1 {status} Moved\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n");
            socket.write_all(answer.as_bytes()).await
        }
        Answer::Status(status) => {
            let answer = format!("HTTP/1.1 {status} So\r\ncontent-length: 0\r\n\r\n");
            socket.write_all(answer.as_bytes()).await
        }
        Answer::Endless => {
            let _ = socket.write_all(format!("{head}\r\n").as_bytes()).await;
            while socket.write_all(&[b' '; 4096]).await.is_ok() {}
            Ok(())
        }
        Answer::Dripping => {
            let _ = socket.write_all(format!("{head}\r\n").as_bytes()).await;
            while socket.write_all(b" ").await.is_ok() && socket.flush().await.is_ok() {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            Ok(())
        }
        Answer::Silence => {
            tokio::time::sleep(Duration::from_secs(3600)).await;
            Ok(())
        }
        Answer::CutOff => socket.write_all(format!("{head}content-length: 100\r\n\r\n{{").as_bytes()).await,
        Answer::Noise => socket.write_all(b"SSH-2.0-OpenSSH_9.2p1\r\n").await,
    };
    let _ = socket.shutdown().await;
}

fn fetcher() -> HttpFetcher {
    HttpFetcher::new()
}

fn verifier(fetcher: HttpFetcher) -> Verifier {
    let start = tokio::time::Instant::now();
    Verifier::new(Arc::new(fetcher), Arc::new(common::Own(None)), move || start.elapsed())
}

#[tokio::test]
async fn fetches_and_follows_a_few_redirects() {
    let server = Server::start(vec![
        ("/keys", Answer::Body("{}".into())),
        ("/1", Answer::Redirect(301, "/keys".into())),
        ("/2", Answer::Redirect(302, "{base}/1".into())),
        ("/3", Answer::Redirect(308, "2".into())),
        ("/4", Answer::Redirect(307, "/3".into())),
        ("/loop", Answer::Redirect(302, "/loop".into())),
    ])
    .await;
    for path in ["/keys", "/1", "/2", "/3"] {
        assert_eq!(fetcher().fetch(&server.url(path)).await.unwrap(), b"{}", "{path}");
    }
    for path in ["/4", "/loop"] {
        assert_eq!(
            fetcher().fetch(&server.url(path)).await,
            Err(FetchError::Redirect("too often")),
            "{path}"
        );
    }
}

#[tokio::test]
async fn what_is_no_document() {
    let server = Server::start(vec![
        ("/204", Answer::Status(204)),
        ("/403", Answer::Status(403)),
        ("/500", Answer::Status(500)),
        ("/nowhere", Answer::Status(302)),
        ("/plain", Answer::Redirect(302, "http://a.example/keys".into())),
        ("/file", Answer::Redirect(302, "file:///etc/passwd".into())),
        ("/secret", Answer::Redirect(302, "https://me:secret@a.example".into())),
        ("/garbled", Answer::Redirect(302, "http://[".into())),
        ("/endless", Answer::Endless),
        ("/cut", Answer::CutOff),
        ("/noise", Answer::Noise),
    ])
    .await;
    for (path, expected) in [
        ("/gone", FetchError::Status(404)),
        ("/204", FetchError::Status(204)),
        ("/403", FetchError::Status(403)),
        ("/500", FetchError::Status(500)),
        ("/nowhere", FetchError::Redirect("without saying where to")),
        ("/plain", FetchError::Redirect("to a URL without https")),
        ("/file", FetchError::Redirect("to a URL without https")),
        ("/secret", FetchError::Redirect("to a URL without https")),
        ("/garbled", FetchError::Redirect("to what is not a URL")),
        ("/endless", FetchError::TooLarge),
    ] {
        assert_eq!(fetcher().fetch(&server.url(path)).await, Err(expected), "{path}");
    }
    for path in ["/cut", "/noise"] {
        let error = fetcher().fetch(&server.url(path)).await.unwrap_err();
        assert!(matches!(error, FetchError::Unreachable(_)), "{path}: {error}");
    }
    let url = server.url("/keys");
    server.stop().await;
    let error = fetcher().fetch(&url).await.unwrap_err();
    assert!(error.to_string().contains("refused"), "{error}");
    let error = fetcher().fetch(&"http://a.example/keys".parse().unwrap()).await.unwrap_err();
    assert!(error.to_string().contains("https"), "{error}");
}

#[tokio::test]
async fn tls_is_checked_and_not_left() {
    let plain = Server::start(vec![("/keys", Answer::Body("{}".into()))]).await;
    let (server, certificate) = Server::start_tls(vec![
        ("/keys", Answer::Body("{}".into())),
        ("/again", Answer::Redirect(302, "{base}/keys".into())),
        ("/out", Answer::Redirect(302, plain.url("/keys").into())),
    ])
    .await;
    let trusting = HttpFetcher::trusting(&[certificate]).unwrap();
    assert_eq!(trusting.fetch(&server.url("/keys")).await.unwrap(), b"{}");
    assert_eq!(trusting.fetch(&server.url("/again")).await.unwrap(), b"{}");
    let out = trusting.fetch(&server.url("/out")).await;
    assert_eq!(out, Err(FetchError::Redirect("from https to http")));
    // A certificate that nobody vouches for.
    let error = fetcher().fetch(&server.url("/keys")).await.unwrap_err();
    assert!(error.to_string().to_lowercase().contains("certificate"), "{error}");
    assert!(HttpFetcher::trusting(&[b"no certificate".to_vec()]).is_err());
}

/// From a domain to a user, by way of a server that is there.
#[tokio::test]
async fn a_provider_over_http() {
    let key = Key::ec("a");
    let server = Server::start(vec![
        (
            "/tenant/.well-known/openid-configuration",
            Answer::Body(r#"{"issuer":"{base}/tenant","jwks_uri":"{base}/keys"}"#.into()),
        ),
        ("/keys", Answer::Body(common::jwks(&[&key]).to_string())),
    ])
    .await;
    let issuer = format!("{}/tenant", server.base);
    let providers = common::providers(&json!([{ "domain": issuer, "applicationID": "app" }]));
    let verifier = verifier(fetcher());
    assert_eq!(verifier.prepare(&providers).await, []);
    let good = verifier.verify(&providers, &key.token(&claims(&issuer)), now()).await.unwrap();
    assert_eq!(good.identity.token_identifier(), format!("{issuer}|ada"));
    // The keys are here: the server is not needed any more.
    server.stop().await;
    verifier.verify(&providers, &key.token(&claims(&issuer)), now()).await.unwrap();
}

/// Real time: a server that says nothing, and one that says it slowly, hold a token for ten seconds in all.
#[tokio::test]
async fn slow_servers_hold_nobody_for_long() {
    let server = Server::start(vec![("/silence", Answer::Silence), ("/dripping", Answer::Dripping)]).await;
    let key = Key::ec("a");
    let one = async |path: &str| {
        let jwks = server.url(path);
        let provider =
            json!({ "type": "customJwt", "issuer": path, "algorithm": "ES256", "jwks": jwks.as_str() });
        let verifier = verifier(fetcher());
        verifier.verify(&common::providers(&json!([provider])), &key.token(&claims(path)), now()).await
    };
    let began = Instant::now();
    let (silent, dripping) = tokio::join!(one("/silence"), one("/dripping"));
    for refused in [silent.unwrap_err(), dripping.unwrap_err()] {
        assert!(
            matches!(&refused, AuthError::KeysUnavailable { why, .. } if why.contains("within 10 s")),
            "{refused}"
        );
    }
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
}
