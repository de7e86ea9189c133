//! The bodies of requests, and what becomes of what nobody reads.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::Stream;
use http_body_util::BodyExt;
use hyper::Request;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::header::EXPECT;
use tokio::runtime::Handle;
use weir_db::BodyError;
use weir_value::limits;

use crate::tasks::Tasks;

/// The body of a request.
///
/// What is left of it when it is dropped is taken, for a while, and thrown away: many clients read no answer before they
/// have sent all, and a connection that is closed with something unread is reset, answer and all.
pub struct RequestBody {
    body: Option<Incoming>,
    /// Whether the client has nothing under way: it waits to be told to go on.
    awaits_word: bool,
    tasks: Tasks,
    network: Handle,
}

impl RequestBody {
    /// The request with its body in care. On a thread of the network.
    pub fn of(request: Request<Incoming>, tasks: &Tasks) -> Request<RequestBody> {
        let awaits_word = request.headers().contains_key(EXPECT);
        let (tasks, network) = (tasks.clone(), Handle::current());
        request.map(|body| RequestBody { body: Some(body), awaits_word, tasks, network })
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        // Who asks for it has the client told to go on.
        self.awaits_word = false;
        match &mut self.body {
            Some(body) => Pin::new(body).poll_frame(context),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Incoming::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), Incoming::size_hint)
    }
}

/// Without trailers.
impl Stream for RequestBody {
    type Item = Result<Bytes, BodyError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            return match self.as_mut().poll_frame(context) {
                Poll::Pending => Poll::Pending,
                Poll::Ready(None) => Poll::Ready(None),
                Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(BodyError(error.to_string())))),
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) => Poll::Ready(Some(Ok(data))),
                    Err(_) => continue,
                },
            };
        }
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        let left = self.body.take().filter(|body| !body.is_end_stream() && !self.awaits_word);
        let Some(mut left) = left else { return };
        // Actions drop theirs on threads that are not the network's.
        let _network = self.network.enter();
        self.tasks.spawn_until_stop(async move {
            let silence = Duration::from_millis(limits::REFUSED_BODY_SILENCE_MS_MAX);
            let to_its_end =
                async { while let Ok(Some(Ok(_))) = tokio::time::timeout(silence, left.frame()).await {} };
            let _ =
                tokio::time::timeout(Duration::from_millis(limits::REFUSED_BODY_MS_MAX), to_its_end).await;
        });
    }
}
