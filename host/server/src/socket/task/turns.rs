//! When a socket is served: by its task, and while that waits by who has news for many.

use std::future::poll_fn;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::Instant;
use tracing::Span;
use weir_sync::protocol::CloseFrame;

use super::Socket;
use crate::socket::parked::{Parked, Served};

/// What a socket waits for.
enum Event {
    Readable,
    Signal,
    Alarm,
}

/// Why a socket's task ends.
pub(super) enum End {
    /// The session sent its last frame.
    Closed,
    /// The other side is gone, or does not read.
    Lost,
}

/// Serves a socket until it ends.
pub(super) async fn serve(mut socket: Box<Socket>, parked: &Parked<Socket>) -> (Box<Socket>, End) {
    loop {
        socket.take_in();
        socket.settle();
        match socket.write_out().await {
            Ok(true) => {}
            Ok(false) => return (socket, End::Closed),
            Err(_) => return (socket, End::Lost),
        }
        let event;
        (socket, event) = wait(socket, parked).await;
        if !socket.take_event(event) {
            return (socket, End::Lost);
        }
    }
}

/// Waits until there is something to do. Meanwhile others may serve the socket.
async fn wait(socket: Box<Socket>, parked: &Parked<Socket>) -> (Box<Socket>, Event) {
    parked.park(socket);
    poll_fn(|cx| {
        let Some(mut socket) = parked.take(cx) else { return Poll::Pending };
        match socket.poll_event(cx) {
            Poll::Ready(event) => Poll::Ready((socket, event)),
            Poll::Pending => {
                parked.park(socket);
                Poll::Pending
            }
        }
    })
    .await
}

impl Served for Socket {
    /// One round of its task, as far as nothing has to be waited for.
    fn prepare(&mut self) -> bool {
        let span = std::mem::replace(&mut self.span, Span::none());
        let is_ready = span.in_scope(|| {
            self.take_in();
            self.settle();
            self.queue_frames()
        });
        self.span = span;
        is_ready
    }

    fn write(&mut self) -> bool {
        self.write_now() && self.deadline() >= self.alarm_at
    }

    fn wake(&self) {
        self.inbox.signal();
    }

    fn prefetch(&self) {
        self.app.live.prefetch(self.id);
    }
}

impl Socket {
    /// Takes in what has happened; false when the other side is gone.
    fn take_event(&mut self, event: Event) -> bool {
        match event {
            Event::Readable => return self.receive(),
            Event::Signal => {}
            Event::Alarm => {
                let now = self.app.machine.clock();
                if self.session.deadline() <= now {
                    self.session.tick(now);
                }
                if self.half.is_overdue(now, self.reads()) {
                    self.session.close(CloseFrame::message_too_slow());
                }
            }
        }
        true
    }

    /// Asks for reading first: a client that was heard while a write was under
    /// way is not silent.
    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        let reads = self.reads() && self.pause.poll(cx).is_ready();
        if reads && (self.has_unread || self.wire.get_mut().poll_read_ready(cx).is_ready()) {
            return Poll::Ready(Event::Readable);
        }
        if self.inbox.poll_signal(cx).is_ready() {
            return Poll::Ready(Event::Signal);
        }
        self.poll_alarm(cx).map(|()| Event::Alarm)
    }

    /// The deadline moves with every message. The alarm is not moved with it: it
    /// rings too early then, and is set again.
    fn poll_alarm(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let deadline = self.deadline();
        if deadline < self.alarm_at {
            self.set_alarm(deadline);
        }
        while self.alarm.as_mut().poll(cx).is_ready() {
            if deadline <= self.app.machine.clock() {
                return Poll::Ready(());
            }
            self.set_alarm(deadline);
        }
        Poll::Pending
    }

    fn deadline(&self) -> Duration {
        self.half.deadline().map_or(self.session.deadline(), |at| at.min(self.session.deadline()))
    }

    fn set_alarm(&mut self, at: Duration) {
        let rest = at.saturating_sub(self.app.machine.clock());
        self.alarm.as_mut().reset(Instant::now() + rest);
        self.alarm_at = at;
    }
}
