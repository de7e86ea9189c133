//! A client of a server: its HTTP API, one connection for each request, and connections for other protocols.

use anyhow::{Context, anyhow, bail};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::arguments::ServerAddress;
use crate::key_source::{HOW_TO_GIVE, find_key};
use crate::url::ServerUrl;
use crate::{Usage, tls};

/// The largest answer that is read, in bytes.
const ANSWER_BYTES_MAX: usize = 256 * 1024 * 1024;

/// A connection, with TLS or without.
pub trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// A server, and what is needed to speak to it.
pub struct Server {
    url: ServerUrl,
    key: Option<String>,
    /// `None`: without TLS.
    tls: Option<TlsConnector>,
}

impl Server {
    /// The server that the command line names, with its admin key if there is one.
    ///
    /// # Errors
    /// The URL, the key, or the authority to trust.
    pub fn find(arguments: &ServerAddress) -> anyhow::Result<Server> {
        let url = ServerUrl::parse(&arguments.url)?;
        let key = find_key(arguments, &url)?;
        if arguments.ca_certificate.is_some() && !url.is_secure {
            return Err(Usage("--ca-certificate is for servers at https://".to_owned()).into());
        }
        let authorities = arguments.ca_certificate.as_deref();
        let tls = if url.is_secure { Some(tls::connector(authorities)?) } else { None };
        Ok(Server { url, key, tls })
    }

    /// As [`Server::find`], for what cannot be done without the key.
    ///
    /// # Errors
    /// Also when there is no key: with `what` needs it.
    pub fn find_with_key(arguments: &ServerAddress, what: &str) -> anyhow::Result<Server> {
        let server = Server::find(arguments)?;
        match server.key {
            Some(_) => Ok(server),
            None => bail!("{what} needs the server's admin key (`host key` prints it there): {HOW_TO_GIVE}"),
        }
    }

    /// Where it is.
    pub fn url(&self) -> &ServerUrl {
        &self.url
    }

    /// Its admin key, if there is one.
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// Connects.
    ///
    /// # Errors
    /// When nobody listens there, or it is somebody who is not trusted.
    pub async fn connect(&self) -> anyhow::Result<Box<dyn Wire>> {
        let stream = connect(&self.url).await?;
        Ok(match &self.tls {
            Some(connector) => Box::new(tls::secure(connector, &self.url, stream).await?),
            None => Box::new(stream),
        })
    }

    /// POSTs JSON and gives the JSON of the answer.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses: with its code and message.
    pub async fn post(&self, path: &str, body: Vec<u8>) -> anyhow::Result<Value> {
        self.exchange(Method::POST, path, body).await
    }

    /// GETs the JSON of the answer.
    ///
    /// # Errors
    /// As for [`Server::post`].
    pub async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.exchange(Method::GET, path, Vec::new()).await
    }

    /// DELETEs, and gives the JSON of the answer.
    ///
    /// # Errors
    /// As for [`Server::post`].
    pub async fn delete(&self, path: &str) -> anyhow::Result<Value> {
        self.exchange(Method::DELETE, path, Vec::new()).await
    }

    async fn exchange(&self, method: Method, path: &str, body: Vec<u8>) -> anyhow::Result<Value> {
        let request = self.request(method, path, body)?;
        let wire = self.connect().await?;
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(wire)).await.context("cannot speak HTTP")?;
        let exchange = async move {
            let answer = sender.send_request(request).await.context("the server broke off")?;
            let status = answer.status();
            let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect().await;
            let body = body.map_err(|error| anyhow!("the answer broke off: {error}"))?.to_bytes();
            read(status, &body)
        };
        // The connection ends when the exchange, which owns its sender, has ended.
        let (answer, _) = tokio::join!(exchange, connection);
        answer
    }

    fn request(&self, method: Method, path: &str, body: Vec<u8>) -> anyhow::Result<Request<Full<Bytes>>> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url.prefix))
            .header(HOST, self.url.authority())
            .header(CONTENT_TYPE, "application/json")
            .header("convex-client", concat!("weir-cli-", env!("CARGO_PKG_VERSION")));
        if let Some(key) = &self.key {
            let mut value = HeaderValue::from_str(&format!("Convex {key}"))
                .map_err(|_| Usage("the admin key has characters that no key has".into()))?;
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        request.body(Full::new(Bytes::from(body))).context("cannot form the request")
    }
}

async fn connect(url: &ServerUrl) -> anyhow::Result<TcpStream> {
    let stream = TcpStream::connect((url.host.as_str(), url.port)).await;
    let stream = stream.map_err(|error| match error.kind() {
        std::io::ErrorKind::ConnectionRefused => anyhow!(
            "no server answers at {}; start one with `host serve` or `host dev`, or name another with --url",
            url.origin()
        ),
        _ => anyhow!(error).context(format!("cannot reach {}", url.origin())),
    })?;
    stream.set_nodelay(true).context("cannot set up the connection")?;
    Ok(stream)
}

fn read(status: StatusCode, body: &[u8]) -> anyhow::Result<Value> {
    let answer: Option<Value> = serde_json::from_slice(body).ok();
    if status.is_success() {
        return answer.ok_or_else(|| anyhow!("the server's answer is not valid JSON: is it a Weir server?"));
    }
    let text = |name| answer.as_ref().and_then(|answer| answer[name].as_str());
    match (text("code"), text("message")) {
        (Some(code), Some(message)) => bail!("the server refuses ({status}, {code}): {message}"),
        _ => bail!("the server answers {status}: is it a Weir server?"),
    }
}
