//! How an authority is asked: HTTP/1.1 over TLS, a connection for each of the dozen requests of an order, all bounded.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::{HOST, HeaderMap, HeaderValue, RETRY_AFTER, USER_AGENT};
use hyper::{Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};
use parking_lot::Mutex;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use weir_value::limits;

use crate::tls::provider;

const AGENT: &str = concat!("weir/", env!("CARGO_PKG_VERSION"));

/// What sends the requests of one order; a clone is the same one.
#[derive(Clone)]
pub struct DirectoryClient {
    connector: TlsConnector,
    retry_after: Arc<Mutex<Option<Duration>>>,
}

impl DirectoryClient {
    /// Trusts these authorities alone.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub fn trusting(roots: RootCertStore) -> Result<DirectoryClient, rustls::Error> {
        let config = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()?;
        let config = config.with_root_certificates(roots).with_no_client_auth();
        Ok(DirectoryClient { connector: TlsConnector::from(Arc::new(config)), retry_after: Arc::default() })
    }

    /// When to come back, if the authority has said so while it refused.
    pub fn retry_after(&self) -> Option<Duration> {
        *self.retry_after.lock()
    }

    async fn send(self, request: Request<BodyWrapper<Bytes>>) -> io::Result<Response<ReadBody>> {
        let host = Host::of(request.uri())?;
        let tcp = TcpStream::connect((host.name.as_str(), host.port)).await?;
        let name = ServerName::try_from(host.name.clone()).map_err(io::Error::other)?;
        let stream = self.connector.connect(name, tcp).await?;
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
        let exchange = async {
            let answer = sender.send_request(host.address(request)?).await.map_err(io::Error::other)?;
            read(answer).await
        };
        // The connection is driven here: no task outlives the request.
        let (mut exchange, mut connection) = (std::pin::pin!(exchange), std::pin::pin!(connection));
        let answer = tokio::select! {
            answer = exchange.as_mut() => answer?,
            ended = connection.as_mut() => {
                ended.map_err(io::Error::other)?;
                exchange.await?
            }
        };
        if matches!(answer.status(), StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
            *self.retry_after.lock() = seconds_to_wait(answer.headers());
        }
        Ok(answer)
    }
}

type ReadBody = http_body_util::Full<Bytes>;

impl HttpClient for DirectoryClient {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let (client, uri) = (self.clone(), request.uri().clone());
        Box::pin(async move {
            let time = Duration::from_millis(limits::ACME_REQUEST_MS_MAX);
            let answer = tokio::time::timeout(time, client.send(request)).await;
            let answer = answer.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
            let answer = answer.map_err(|source| Error::Other(Box::new(Unreachable { uri, source })))?;
            Ok(BytesResponse::from(answer))
        })
    }
}

/// An authority that has not answered.
#[derive(Debug, thiserror::Error)]
#[error("{uri}: {source}")]
pub struct Unreachable {
    uri: Uri,
    source: io::Error,
}

/// Where a request goes.
struct Host {
    name: String,
    port: u16,
}

impl Host {
    fn of(uri: &Uri) -> io::Result<Host> {
        let refused = |why: &str| io::Error::new(io::ErrorKind::InvalidInput, why);
        if uri.scheme_str() != Some("https") {
            return Err(refused("an authority is asked by https alone"));
        }
        let name = uri.host().ok_or_else(|| refused("no host is named"))?;
        let name = name.trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(Host { name, port: uri.port_u16().unwrap_or(443) })
    }

    /// The request as it stands on a connection to the host.
    fn address<B>(&self, mut request: Request<B>) -> io::Result<Request<B>> {
        let authority = request.uri().authority().map(ToString::to_string).unwrap_or_default();
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned();
        *request.uri_mut() = path.parse().map_err(io::Error::other)?;
        let host = HeaderValue::from_str(&authority).map_err(io::Error::other)?;
        request.headers_mut().insert(HOST, host);
        request.headers_mut().insert(USER_AGENT, HeaderValue::from_static(AGENT));
        Ok(request)
    }
}

async fn read(answer: Response<Incoming>) -> io::Result<Response<ReadBody>> {
    let (parts, body) = answer.into_parts();
    let body = Limited::new(body, limits::ACME_ANSWER_BYTES_MAX).collect().await.map_err(io::Error::other)?;
    Ok(Response::from_parts(parts, ReadBody::new(body.to_bytes())))
}

/// `Retry-After` in seconds; as a date, it is not taken: who refuses says seconds.
fn seconds_to_wait(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_go_to_the_host_of_their_url_by_https_alone() {
        let host = |url: &str| Host::of(&url.parse().unwrap());
        let found = host("https://ca.test/dir").unwrap();
        assert_eq!((found.name.as_str(), found.port), ("ca.test", 443));
        let found = host("https://[::1]:14000/dir").unwrap();
        assert_eq!((found.name.as_str(), found.port), ("::1", 14_000));
        assert!(host("http://ca.test/dir").is_err() && host("/dir").is_err());
    }

    #[test]
    fn a_request_names_its_host_and_not_the_whole_url() {
        let request = Request::builder().uri("https://ca.test:8443/a?b=c").body(()).unwrap();
        let host = Host::of(request.uri()).unwrap();
        let sent = host.address(request).unwrap();
        assert_eq!(sent.uri(), "/a?b=c");
        assert_eq!(sent.headers()[HOST], "ca.test:8443");
    }

    #[test]
    fn an_authority_says_in_seconds_when_to_come_back() {
        let wait = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, HeaderValue::from_str(text).unwrap());
            seconds_to_wait(&headers).map(|time| time.as_secs())
        };
        assert_eq!((wait("120"), wait("soon"), wait("-1")), (Some(120), None, None));
        assert_eq!(seconds_to_wait(&HeaderMap::new()), None);
    }
}
