//! Sends requests, and follows where they are sent on.
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_core::Stream;
use parking_lot::RwLock;
use reqwest::header::{
    AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, HOST, HeaderMap, HeaderName,
    HeaderValue, LOCATION, PROXY_AUTHORIZATION, TRANSFER_ENCODING,
};
use reqwest::{Body as SentBody, Method, RequestBuilder, Response};
use rustls::ClientConfig;
use url::{Host, Url};
use weir_auth::machine_roots;
use weir_db::{Body, BodyError, BodyStream, DbError, HttpRequest, HttpResponse, Redirect};
use weir_value::ErrorCode;
use weir_value::limits::{
    OUTBOUND_CONNECT_SECONDS_MAX, OUTBOUND_IDLE_PER_HOST_MAX, OUTBOUND_IDLE_SECONDS_MAX,
    OUTBOUND_REDIRECTS_MAX, OUTBOUND_SILENCE_SECONDS_MAX,
};

use crate::Rules;
use crate::kept::{InUse, Kept};
use crate::resolver::{self, Closed, Lookup, Resolver, refusal};

/// Sends the requests of functions. Connections are kept for a while and used again.
pub struct Client {
    /// With the rules come connections of their own: none stays open that other rules have admitted.
    ruled: RwLock<Arc<Ruled>>,
}

/// The clients of the machine's library, under these rules.
struct Ruled {
    rules: Arc<Rules>,
    lookup: Arc<Lookup>,
    tls: Arc<Tls>,
    clients: OnceLock<Result<Clients, ClientError>>,
    /// Of the connections that they keep.
    kept: Arc<Kept>,
}

/// Made when the first request is sent: a start need not read the machine's certificates.
type Tls = OnceLock<Result<ClientConfig, ClientError>>;

struct Clients {
    /// For hosts whose addresses the rules look at.
    checked: reqwest::Client,
    /// For hosts that are open by their name.
    open: reqwest::Client,
}

/// Why requests cannot be sent at all.
#[derive(Debug, Clone, thiserror::Error)]
#[error("TLS for requests of functions: {0}")]
pub struct ClientError(String);

impl Client {
    /// One that holds to these rules, and keeps about so many connections while no function uses them.
    pub fn new(rules: Rules, idle_max: usize) -> Client {
        Client::resolving_by(rules, idle_max, resolver::of_machine())
    }

    /// The same, whose names are resolved by this.
    pub fn resolving_by(rules: Rules, idle_max: usize, lookup: Arc<Lookup>) -> Client {
        let (tls, clients, kept) = (Arc::default(), OnceLock::new(), Kept::new(idle_max));
        let ruled = Ruled { rules: Arc::new(rules), lookup, tls, clients, kept };
        Client { ruled: RwLock::new(Arc::new(ruled)) }
    }

    /// Puts other rules in force, for requests from now on.
    pub fn set_rules(&self, rules: Rules) {
        let mut ruled = self.ruled.write();
        if *ruled.rules != rules {
            *ruled = ruled.anew(Arc::new(rules));
        }
    }

    /// The rules that are in force.
    pub fn rules(&self) -> Arc<Rules> {
        self.ruled.read().rules.clone()
    }

    /// Sends a request; the response is there when its head is.
    ///
    /// # Errors
    /// `InvalidRequest`, `AddressRefused`, `FetchFailed`, `FetchTimedOut`.
    pub async fn send(&self, request: HttpRequest) -> Result<HttpResponse, DbError> {
        let mut step = Step::of(request)?;
        let ruled = self.ruled();
        for _ in 0..=OUTBOUND_REDIRECTS_MAX {
            let body = step.body.take_to_send();
            let request = ruled.request(&step, body)?;
            let in_use = ruled.kept.begin(&step.url);
            let response = request.send().await.map_err(|error| explain(&error))?;
            let Some(location) = step.redirect_of(&response)? else {
                return Ok(step.into_response(response, in_use));
            };
            step.follow(response.status().as_u16(), location)?;
        }
        Err(failed(format!("the request was sent on more than {OUTBOUND_REDIRECTS_MAX} times")))
    }

    /// What is in force; with connections of its own, if those before keep too many. They end with the requests that have them.
    fn ruled(&self) -> Arc<Ruled> {
        let ruled = self.ruled.read().clone();
        if !ruled.kept.is_full() {
            return ruled;
        }
        let mut now = self.ruled.write();
        if Arc::ptr_eq(&now, &ruled) {
            *now = ruled.anew(ruled.rules.clone());
        }
        now.clone()
    }
}

impl Ruled {
    /// The same with connections of its own, under these rules.
    fn anew(&self, rules: Arc<Rules>) -> Arc<Ruled> {
        let (lookup, tls, kept) = (self.lookup.clone(), self.tls.clone(), self.kept.anew());
        Arc::new(Ruled { rules, lookup, tls, clients: OnceLock::new(), kept })
    }

    fn request(&self, step: &Step, body: SentBody) -> Result<RequestBuilder, DbError> {
        let client = self.client_for(&step.url)?;
        Ok(client.request(step.method.clone(), step.url.clone()).headers(step.headers.clone()).body(body))
    }

    /// The client for a URL, if its host is not closed already without looking its name up.
    fn client_for(&self, url: &Url) -> Result<&reqwest::Client, DbError> {
        let clients = self.clients.get_or_init(|| {
            let tls = self.tls.get_or_init(tls_of_machine).as_ref().map_err(Clone::clone)?;
            Clients::new(self.rules.clone(), self.lookup.clone(), tls)
        });
        let clients = clients.as_ref().map_err(|error| failed(error.to_string()))?;
        let port = url.port_or_known_default().unwrap_or(0);
        let address = match url.host() {
            Some(Host::Domain(name)) if self.rules.opens_host(name, port) => return Ok(&clients.open),
            Some(Host::Domain(_)) => return Ok(&clients.checked),
            Some(Host::Ipv4(address)) => IpAddr::V4(address),
            Some(Host::Ipv6(address)) => IpAddr::V6(address),
            None => return Err(invalid(format!("`{url}` names no host"))),
        };
        match self.rules.opens_address(address) {
            true => Ok(&clients.checked),
            false => Err(refused(refusal(&format!("{url} is at {address}")))),
        }
    }
}

impl Clients {
    fn new(rules: Arc<Rules>, lookup: Arc<Lookup>, tls: &ClientConfig) -> Result<Clients, ClientError> {
        let error = |why: reqwest::Error| ClientError(why.to_string());
        let builder = || {
            reqwest::Client::builder()
                .tls_backend_preconfigured(tls.clone())
                .redirect(reqwest::redirect::Policy::none())
                .referer(false)
                // A proxy would resolve names by itself, and the rules could not look at their addresses.
                .no_proxy()
                .connect_timeout(Duration::from_secs(OUTBOUND_CONNECT_SECONDS_MAX))
                .read_timeout(Duration::from_secs(OUTBOUND_SILENCE_SECONDS_MAX))
                .pool_max_idle_per_host(OUTBOUND_IDLE_PER_HOST_MAX)
                .pool_idle_timeout(Duration::from_secs(OUTBOUND_IDLE_SECONDS_MAX))
                .user_agent(concat!("weir/", env!("CARGO_PKG_VERSION")))
        };
        let checked = builder().dns_resolver(Arc::new(Resolver { rules, lookup })).build().map_err(error)?;
        let open = builder().build().map_err(error)?;
        Ok(Clients { checked, open })
    }
}

fn tls_of_machine() -> Result<ClientConfig, ClientError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = versions.map_err(|error| ClientError(error.to_string()))?;
    Ok(builder.with_root_certificates(machine_roots()).with_no_client_auth())
}

/// A request on its way.
struct Step {
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: StepBody,
    redirect: Redirect,
    is_redirected: bool,
}

enum StepBody {
    Empty,
    Whole(Bytes),
    Stream(BodyStream),
    /// It was sent, and cannot be sent again.
    Sent,
}

impl StepBody {
    fn take_to_send(&mut self) -> SentBody {
        match std::mem::replace(self, StepBody::Sent) {
            StepBody::Empty => {
                *self = StepBody::Empty;
                SentBody::default()
            }
            StepBody::Whole(bytes) => {
                *self = StepBody::Whole(bytes.clone());
                SentBody::from(bytes)
            }
            StepBody::Stream(stream) => SentBody::wrap_stream(SyncStream(std::sync::Mutex::new(stream))),
            StepBody::Sent => SentBody::default(),
        }
    }
}

impl Step {
    fn of(request: HttpRequest) -> Result<Step, DbError> {
        let HttpRequest { method, url, headers, body, redirect } = request;
        let parsed = Url::parse(&url).map_err(|error| invalid(format!("`{url}` is not a URL: {error}")))?;
        if !matches!(parsed.scheme(), "http" | "https") {
            return Err(invalid(format!("`{url}` is neither http nor https")));
        }
        let method = Method::from_bytes(method.as_bytes())
            .ok()
            .filter(|method| !matches!(*method, Method::CONNECT | Method::TRACE))
            .ok_or_else(|| invalid(format!("`{method}` is not a method that requests can have")))?;
        let body = match body {
            Body::Empty => StepBody::Empty,
            Body::Whole(bytes) => StepBody::Whole(bytes),
            Body::Stream(stream) => StepBody::Stream(stream),
        };
        let headers = headers_of(headers)?;
        Ok(Step { method, url: parsed, headers, body, redirect, is_redirected: false })
    }

    /// Where the response sends the request, if it does and that is to be followed.
    fn redirect_of(&self, response: &Response) -> Result<Option<Url>, DbError> {
        let location = response.headers().get(LOCATION);
        let is_redirect = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
        let (true, Some(location)) = (is_redirect, location) else { return Ok(None) };
        match self.redirect {
            Redirect::Manual => return Ok(None),
            Redirect::Error => return Err(failed(format!("{} sends the request on", self.url))),
            Redirect::Follow => {}
        }
        let location =
            location.to_str().map_err(|_| failed("it is sent on to what is no text".to_owned()))?;
        let to = self.url.join(location).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        match to {
            Some(to) => Ok(Some(to)),
            None => Err(failed(format!("{} sends the request on to `{location}`", self.url))),
        }
    }

    /// As the fetch standard has it: method, body and secrets do not go everywhere.
    fn follow(&mut self, status: u16, to: Url) -> Result<(), DbError> {
        let becomes_get = match status {
            301 | 302 => self.method == Method::POST,
            303 => !matches!(self.method, Method::GET | Method::HEAD),
            _ => false,
        };
        if becomes_get {
            self.method = Method::GET;
            self.body = StepBody::Empty;
            self.headers.remove(CONTENT_TYPE);
            self.headers.remove(CONTENT_ENCODING);
        } else if matches!(self.body, StepBody::Sent) {
            return Err(failed(format!(
                "{} sends the request on, whose body was a stream and is gone",
                self.url
            )));
        }
        if to.origin() != self.url.origin() {
            for secret in [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION] {
                self.headers.remove(secret);
            }
        }
        self.url = to;
        self.is_redirected = true;
        Ok(())
    }

    fn into_response(self, response: Response, in_use: InUse) -> HttpResponse {
        let headers = response.headers().iter().map(|(name, value)| {
            // Bytes that are not ASCII are Latin-1, as the fetch standard reads them.
            let value = value.as_bytes().iter().copied().map(char::from).collect();
            (name.as_str().to_owned(), value)
        });
        let mut url = self.url;
        url.set_fragment(None);
        HttpResponse {
            status: response.status().as_u16(),
            url: url.to_string(),
            redirected: self.is_redirected,
            headers: headers.collect(),
            body: Body::Stream(Box::pin(ResponseBody {
                pieces: Box::pin(response.bytes_stream()),
                _in_use: in_use,
            })),
        }
    }
}

fn headers_of(headers: Vec<(String, String)>) -> Result<HeaderMap, DbError> {
    let mut map = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers {
        let wrong = || invalid(format!("`{name}` is not a header, or its value not one"));
        let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?;
        // The host says these itself.
        if matches!(header, HOST | CONTENT_LENGTH | TRANSFER_ENCODING) {
            continue;
        }
        let bytes: Result<Vec<u8>, _> = value.chars().map(u8::try_from).collect();
        let value = bytes.ok().and_then(|bytes| HeaderValue::from_bytes(&bytes).ok()).ok_or_else(wrong)?;
        map.append(header, value);
    }
    Ok(map)
}

/// The body of a response, its errors in words for the function.
struct ResponseBody {
    pieces: Pin<Box<dyn Stream<Item = reqwest::Result<Bytes>> + Send>>,
    _in_use: InUse,
}

impl Stream for ResponseBody {
    type Item = Result<Bytes, BodyError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = self.pieces.as_mut().poll_next(context);
        next.map(|piece| piece.map(|piece| piece.map_err(|error| BodyError(explain(&error).message))))
    }
}

/// What the function writes, for a library that wants it shared.
struct SyncStream(std::sync::Mutex<BodyStream>);

impl Stream for SyncStream {
    type Item = Result<Bytes, BodyError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut stream = self.0.lock().expect("nobody panics with it");
        stream.as_mut().poll_next(context)
    }
}

/// The innermost reason: what stands around it repeats the URL.
fn explain(error: &reqwest::Error) -> DbError {
    let mut cause: &(dyn std::error::Error + 'static) = error;
    while let Some(inner) = cause.source() {
        if let Some(Closed(message)) = inner.downcast_ref::<Closed>() {
            return refused(message.clone());
        }
        cause = inner;
    }
    if error.is_timeout() {
        let message = match error.is_connect() {
            true => format!("no connection within {OUTBOUND_CONNECT_SECONDS_MAX} s"),
            false => format!("no answer within {OUTBOUND_SILENCE_SECONDS_MAX} s"),
        };
        return DbError::new(ErrorCode::FetchTimedOut, message);
    }
    failed(cause.to_string())
}

fn failed(message: String) -> DbError {
    DbError::new(ErrorCode::FetchFailed, message)
}

fn refused(message: String) -> DbError {
    DbError::new(ErrorCode::AddressRefused, message)
}

fn invalid(message: String) -> DbError {
    DbError::new(ErrorCode::InvalidRequest, message)
}
