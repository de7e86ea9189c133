//! Connections: accepting them, bounding them, ending them.
//!
//! Every connection is a task. Each has a bound on the size of a request's head
//! and on the time it takes to come; an idle connection is closed after the same
//! time. Knows nothing of what is asked over a connection.

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use weir_value::limits;

use crate::address::{AddressUsage, Client, Meter, Payer};
use crate::answer::Answer;
use crate::app::App;
use crate::budget::ConnectionBudget;
use crate::connection_room::ConnectionRoom;
use crate::executor::Flow;
use crate::front::Front;
use crate::http::{self, Port};
use crate::redirect;
use crate::refusals::Limit;
use crate::stream::{MeteredTcp, Stream};
use crate::strict_heads::StrictHeads;
use crate::tls::Secured;
use crate::wire::Wire;

/// How long to wait when the system has no more room for connections.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Connections that are told "too many" at a time; what comes beyond is cut.
const REFUSALS_MAX: usize = 64;

/// Where connections are accepted.
pub struct Listeners {
    /// The API's port.
    pub api: TcpListener,
    /// The HTTP actions' own.
    pub site: Option<TcpListener>,
    /// The one that sends requests on to the secure ones.
    pub redirect: Option<TcpListener>,
}

/// What is done at a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Entrance {
    /// Requests are answered.
    Http(Port),
    /// They are sent on to where it is secure.
    Redirect,
}

/// What the connections of one server share.
pub struct Listening {
    app: Arc<App>,
    front: Arc<Front>,
    /// Where clients reach the secure port.
    https_port: u16,
    builder: http1::Builder,
    refusals: Arc<Semaphore>,
    /// Connections that were taken so far.
    taken: AtomicU64,
    stopping: watch::Sender<bool>,
}

/// One connection, as long as it speaks HTTP.
struct Connection {
    app: Arc<App>,
    front: Arc<Front>,
    https_port: u16,
    entrance: Entrance,
    /// Its number among all that were accepted.
    number: u64,
    budget: ConnectionBudget,
    room: ConnectionRoom,
    peer: Peer,
}

/// Where a connection comes from.
struct Peer {
    address: IpAddr,
    /// Whether that is a proxy, which is believed about who has sent a request.
    is_proxy: bool,
    is_secure: bool,
    /// What the address takes, if it is limited.
    usage: Option<Arc<AddressUsage>>,
    payer: Payer,
}

impl Listening {
    /// For a server that has no connections yet, and whose secure port clients reach at `https_port`.
    pub fn new(app: Arc<App>, front: Arc<Front>, https_port: u16) -> Listening {
        let mut builder = http1::Builder::new();
        builder
            .timer(TokioTimer::new())
            .header_read_timeout(Duration::from_millis(limits::HTTP_HEAD_MS_MAX))
            .max_header_size(limits::HTTP_HEAD_BYTES_MAX)
            .max_buf_size(limits::HTTP_HEAD_BYTES_MAX);
        let refusals = (app.machine.descriptors.connections_max() / 8).clamp(1, REFUSALS_MAX);
        Listening {
            app,
            front,
            https_port,
            builder,
            refusals: Arc::new(Semaphore::new(refusals)),
            taken: AtomicU64::new(0),
            stopping: watch::Sender::new(false),
        }
    }

    fn accept(&self, tcp: TcpStream, peer: SocketAddr, entrance: Entrance) {
        let _ = tcp.set_nodelay(true);
        let mut from = Peer::new(&self.front, peer.ip().to_canonical());
        let is_secure = entrance != Entrance::Redirect && self.front.tls.is_some();
        let Some(descriptor) = self.app.machine.descriptors.for_connection() else {
            return self.refuse(tcp, is_secure, (Limit::Connections, http::too_many_connections));
        };
        let place = match from.usage.as_ref().map(AddressUsage::open_connection) {
            Some(None) => {
                let why =
                    (Limit::AddressConnections, http::too_many_connections_of_address as fn() -> Answer);
                return self.refuse(tcp, is_secure, why);
            }
            Some(place) => place,
            None => None,
        };
        self.app.machine.metrics.connections.add(1);
        from.is_secure = is_secure;
        let tcp = MeteredTcp::new(tcp, from.meter(&self.front));
        let connection = Connection {
            app: Arc::clone(&self.app),
            front: Arc::clone(&self.front),
            https_port: self.https_port,
            entrance,
            number: self.taken.fetch_add(1, Ordering::Relaxed),
            budget: self.app.machine.budget.connection(from.address),
            room: ConnectionRoom::new(descriptor, place),
            peer: from,
        };
        self.serve(tcp, connection);
    }

    fn serve(&self, tcp: MeteredTcp, connection: Connection) {
        let builder = self.builder.clone();
        let mut stopping = self.stopping.subscribe();
        let tls = self.front.tls.clone().filter(|_| connection.peer.is_secure);
        self.app.machine.tasks.spawn(async move {
            let Some(tls) = tls else {
                return connection.speak(&builder, Stream::Plain(tcp), stopping).await;
            };
            let secured = tokio::select! {
                secured = tls.secure(tcp) => secured,
                () = until_set(&mut stopping) => return,
            };
            match secured {
                Secured::Stream(stream) => {
                    Box::pin(connection.speak(&builder, Stream::Tls(stream), stopping)).await;
                }
                Secured::PlainText(tcp) => answer_once(builder, tcp, redirect::plain_text_here).await,
                Secured::Refused => connection.app.machine.refusals.count(Limit::Handshakes),
                Secured::Nothing => {}
            }
        });
    }

    /// Says why to one connection too many; a secure one, which would cost a handshake, is cut.
    fn refuse(&self, tcp: TcpStream, is_secure: bool, (limit, answer): (Limit, fn() -> Answer)) {
        self.app.machine.refusals.count(limit);
        let Ok(turn) = Arc::clone(&self.refusals).try_acquire_owned() else { return };
        if is_secure {
            return;
        }
        let answering = answer_once(self.builder.clone(), MeteredTcp::new(tcp, None), answer);
        self.app.machine.tasks.spawn(async move {
            answering.await;
            drop(turn);
        });
    }
}

impl Peer {
    fn new(front: &Front, address: IpAddr) -> Peer {
        let is_proxy = front.proxies.contain(address);
        let usage = if is_proxy { None } else { front.limits.of(address) };
        let payer = Payer::default();
        payer.set(usage.clone());
        Peer { address, is_proxy, is_secure: false, usage, payer }
    }

    /// Counts what is received, where it is to be counted.
    fn meter(&self, front: &Front) -> Option<Meter> {
        let counts = front.limits.meters_bytes() && (self.is_proxy || self.usage.is_some());
        counts.then(|| Meter::new(self.payer.clone()))
    }

    /// Who has sent a request.
    fn client(&self, front: &Front, request: &Request<Incoming>) -> Client {
        if !self.is_proxy {
            return Client { address: self.address, is_secure: self.is_secure, usage: self.usage.clone() };
        }
        let mut client = front.client_behind(self.address, request.headers());
        client.is_secure |= self.is_secure;
        self.payer.set(client.usage.clone());
        client
    }
}

impl Connection {
    /// Answers requests until the other side or the server has enough.
    async fn speak(self, builder: &http1::Builder, stream: Stream, mut stopping: watch::Receiver<bool>) {
        let this = Arc::new(self);
        let service = service_fn(move |request| Arc::clone(&this).answer(request));
        let stream = StrictHeads::new(Wire::new(stream));
        let connection = builder.serve_connection(TokioIo::new(stream), service).with_upgrades();
        let mut connection = std::pin::pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = until_set(&mut stopping) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection ended badly");
        }
    }

    /// Requests that a proxy brings are counted with who has sent them.
    fn budget_of(&self, client: &Client) -> ConnectionBudget {
        match client.address == self.peer.address {
            true => self.budget.clone(),
            false => self.app.machine.budget.connection(client.address),
        }
    }

    async fn answer(self: Arc<Self>, mut request: Request<Incoming>) -> Result<Answer, Infallible> {
        let client = self.peer.client(&self.front, &request);
        let wants_hsts = self.front.wants_hsts(&client, request.headers());
        let app = Arc::clone(&self.app);
        let extensions = request.extensions_mut();
        extensions.insert(Flow::of(client.address, self.number));
        extensions.insert(self.budget_of(&client));
        extensions.insert(client);
        extensions.insert(self.room.clone());
        let mut answer = match self.entrance {
            Entrance::Redirect => {
                redirect::answer(&app, self.front.tls.as_deref(), &request, self.https_port)
            }
            Entrance::Http(port) => http::answer(app, port, request).await?,
        };
        if wants_hsts {
            self.front.tell_hsts(&mut answer);
        }
        Ok(answer)
    }
}

/// Answers one request with what is the same for all, and closes the connection.
async fn answer_once(mut builder: http1::Builder, tcp: MeteredTcp, answer: fn() -> Answer) {
    builder.keep_alive(false);
    let service = service_fn(move |_: Request<Incoming>| async move { Ok::<Answer, Infallible>(answer()) });
    let stream = StrictHeads::new(Wire::new(Stream::Plain(tcp)));
    let _ = builder.serve_connection(TokioIo::new(stream), service).await;
}

/// Accepts connections until `stop` is ready; then those that are open are asked
/// to end after the request they are at.
pub async fn accept(listening: &Listening, listeners: Listeners, stop: impl Future<Output = ()>) {
    let mut stop = std::pin::pin!(stop);
    loop {
        let (accepted, entrance) = tokio::select! {
            accepted = listeners.api.accept() => (accepted, Entrance::Http(Port::Api)),
            accepted = accept_on(listeners.site.as_ref()) => (accepted, Entrance::Http(Port::Site)),
            accepted = accept_on(listeners.redirect.as_ref()) => (accepted, Entrance::Redirect),
            () = stop.as_mut() => break,
        };
        match accepted {
            Ok((tcp, peer)) => listening.accept(tcp, peer, entrance),
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "no connection can be accepted; trying again");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    listening.stopping.send_replace(true);
}

async fn accept_on(listener: Option<&TcpListener>) -> io::Result<(TcpStream, SocketAddr)> {
    match listener {
        Some(listener) => listener.accept().await,
        None => std::future::pending().await,
    }
}

async fn until_set(flag: &mut watch::Receiver<bool>) {
    // An error says that the server is gone, and with it the reason to wait.
    let _ = flag.wait_for(|is_set| *is_set).await;
}

/// Whether the other side went away before it was accepted: no reason to pause.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}
