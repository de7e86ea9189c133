//! Whether the client of an HTTP action is still there: the action is told, and may stop what nobody waits for.
//!
//! The network drops what a client that has left was to be given: the future of the answer, or the body of the response.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::Stream;
use tokio::sync::oneshot;
use weir_db::{Body, BodyError, BodyStream};

/// A client, for as long as it waits for the response or the rest of it; dropped, it has left.
pub struct Client(oneshot::Sender<()>);

impl Client {
    /// The body of its response, which tells when it has all of it.
    pub fn reading(self, body: Body) -> Body {
        match body {
            Body::Stream(body) => Body::Stream(Box::pin(Reading { body, client: Some(self) })),
            whole => {
                self.has_all();
                whole
            }
        }
    }

    fn has_all(self) {
        let _ = self.0.send(());
    }
}

/// A client that has just asked, and what its action is told of it: see [`weir_db::HttpExchange::connection`].
pub fn client() -> (Client, BodyStream) {
    let (sender, receiver) = oneshot::channel();
    (Client(sender), Box::pin(Connection(receiver)))
}

struct Connection(oneshot::Receiver<()>);

impl Stream for Connection {
    type Item = Result<Bytes, BodyError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let has_all = ready!(Pin::new(&mut self.0).poll(context)).is_ok();
        Poll::Ready((!has_all).then(|| Err(BodyError("the client has left".to_owned()))))
    }
}

/// A body that somebody reads, and has when it is at its end.
struct Reading {
    body: BodyStream,
    client: Option<Client>,
}

impl Stream for Reading {
    type Item = Result<Bytes, BodyError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let piece = ready!(self.body.as_mut().poll_next(context));
        // What breaks off is the action's doing: it need not be told.
        if !matches!(piece, Some(Ok(_)))
            && let Some(client) = self.client.take()
        {
            client.has_all();
        }
        Poll::Ready(piece)
    }
}
