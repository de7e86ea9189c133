//! Connections: accepting them, bounding them, ending them.
//!
//! Every connection is a task. Each has a bound on the size of a request's head
//! and on the time it takes to come; an idle connection is closed after the same
//! time. Knows nothing of what is asked over a connection.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustix::process::{Resource, getrlimit};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use weir_value::limits;

use crate::answer::Answer;
use crate::app::App;
use crate::budget::ConnectionBudget;
use crate::connection_room::ConnectionRoom;
use crate::executor::Flow;
use crate::http::{self, Port};
use crate::strict_heads::StrictHeads;
use crate::wire::Wire;

/// How long to wait when the system has no more room for connections.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Connections that are told "too many" at a time; what comes beyond is cut.
const REFUSALS_MAX: usize = 64;

/// How many connections may be open where a process may have so many files open; `None`: as many as it likes. Each may be
/// sent a file, which is open as well; and the store, the log and what functions ask of others need some, or a commit
/// would fail for want of one.
fn connections_max(files_max: Option<u64>) -> usize {
    let Some(files) = files_max else { return limits::HTTP_CONNECTIONS_MAX };
    let files = usize::try_from(files).unwrap_or(usize::MAX);
    let reserve = (files / 4).clamp(limits::RESERVED_FILES_MIN, limits::RESERVED_FILES_MAX);
    (files.saturating_sub(reserve) / 2).clamp(1, limits::HTTP_CONNECTIONS_MAX)
}

/// What the connections of one server share.
pub struct Listening {
    app: Arc<App>,
    builder: http1::Builder,
    room: Arc<Semaphore>,
    refusals: Arc<Semaphore>,
    /// Connections that were taken so far.
    taken: AtomicU64,
    stopping: watch::Sender<bool>,
}

impl Listening {
    /// For a server that has no connections yet.
    pub fn new(app: Arc<App>) -> Listening {
        let mut builder = http1::Builder::new();
        builder
            .timer(TokioTimer::new())
            .header_read_timeout(Duration::from_millis(limits::HTTP_HEAD_MS_MAX))
            .max_header_size(limits::HTTP_HEAD_BYTES_MAX)
            .max_buf_size(limits::HTTP_HEAD_BYTES_MAX);
        let connections = connections_max(getrlimit(Resource::Nofile).current);
        Listening {
            app,
            builder,
            room: Arc::new(Semaphore::new(connections)),
            refusals: Arc::new(Semaphore::new((connections / 8).clamp(1, REFUSALS_MAX))),
            taken: AtomicU64::new(0),
            stopping: watch::Sender::new(false),
        }
    }

    fn accept(&self, (stream, from): (TcpStream, SocketAddr), port: Port) {
        let _ = stream.set_nodelay(true);
        match Arc::clone(&self.room).try_acquire_owned() {
            Ok(room) => {
                self.app.machine.metrics.connections.add(1);
                let flow = Flow::of(from.ip(), self.taken.fetch_add(1, Ordering::Relaxed));
                let budget = self.app.machine.budget.connection(from.ip());
                self.serve(stream, room, (flow, budget, port), Arc::clone(&self.app));
            }
            Err(_) => self.refuse(stream),
        }
    }

    fn serve(
        &self,
        stream: TcpStream,
        room: OwnedSemaphorePermit,
        (flow, budget, port): (Flow, ConnectionBudget, Port),
        app: Arc<App>,
    ) {
        let room = ConnectionRoom::new(room);
        let lent = room.clone();
        let service = service_fn(move |mut request: Request<Incoming>| {
            let app = Arc::clone(&app);
            request.extensions_mut().insert(lent.clone());
            request.extensions_mut().insert(flow);
            request.extensions_mut().insert(budget.clone());
            http::answer(app, port, request)
        });
        let stream = StrictHeads::new(Wire::new(stream));
        let connection = self.builder.serve_connection(TokioIo::new(stream), service).with_upgrades();
        let mut stopping = self.stopping.subscribe();
        self.app.machine.tasks.spawn(async move {
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
            drop(room);
        });
    }

    /// Says 503 to one connection too many.
    fn refuse(&self, stream: TcpStream) {
        self.app.machine.metrics.connections_refused.add(1);
        let Ok(turn) = Arc::clone(&self.refusals).try_acquire_owned() else { return };
        let service = service_fn(|_: Request<Incoming>| async {
            Ok::<Answer, Infallible>(http::too_many_connections())
        });
        let mut builder = self.builder.clone();
        builder.keep_alive(false);
        let stream = StrictHeads::new(Wire::new(stream));
        let connection = builder.serve_connection(TokioIo::new(stream), service);
        self.app.machine.tasks.spawn(async move {
            let _ = connection.await;
            drop(turn);
        });
    }
}

/// Accepts connections until `stop` is ready; then those that are open are asked
/// to end after the request they are at.
pub async fn accept(
    listening: &Listening,
    listener: TcpListener,
    site: Option<TcpListener>,
    stop: impl Future<Output = ()>,
) {
    let mut stop = std::pin::pin!(stop);
    loop {
        let (accepted, port) = tokio::select! {
            accepted = listener.accept() => (accepted, Port::Api),
            accepted = accept_on(site.as_ref()) => (accepted, Port::Site),
            () = stop.as_mut() => break,
        };
        match accepted {
            Ok(accepted) => listening.accept(accepted, port),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_files_for_the_store() {
        for (files, connections) in [
            (Some(64), 1),
            (Some(256), 96),
            (Some(1024), 384),
            (Some(65_536), 30_720),
            (Some(u64::MAX), limits::HTTP_CONNECTIONS_MAX),
            (None, limits::HTTP_CONNECTIONS_MAX),
        ] {
            assert_eq!(connections_max(files), connections, "{files:?}");
        }
    }
}
