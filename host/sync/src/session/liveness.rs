//! Who was heard last, and when to say something. Times are of a monotonic clock that the caller reads.
use std::time::Duration;

use weir_value::limits::{SOCKET_PING_MS, SOCKET_SILENCE_MS_MAX, SYNC_PING_MS};

const MESSAGE_PING: Duration = Duration::from_millis(SYNC_PING_MS);
const SOCKET_PING: Duration = Duration::from_millis(SOCKET_PING_MS);
const SILENCE_MAX: Duration = Duration::from_millis(SOCKET_SILENCE_MS_MAX);

/// What is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// The protocol's `Ping`: the client counts messages.
    MessagePing,
    /// A ping of the WebSocket, which the client's side answers by itself: so it is heard.
    SocketPing,
    /// Nothing was heard for too long.
    Silence,
}

#[derive(Debug)]
pub(super) struct Liveness {
    heard: Duration,
    message_sent: Duration,
    socket_pinged: Duration,
}

impl Liveness {
    pub(super) fn new(now: Duration) -> Self {
        Liveness { heard: now, message_sent: now, socket_pinged: now }
    }

    pub(super) fn heard(&mut self, now: Duration) {
        self.heard = self.heard.max(now);
    }

    pub(super) fn message_sent(&mut self, now: Duration) {
        self.message_sent = self.message_sent.max(now);
    }

    /// When something is due next.
    pub(super) fn deadline(&self) -> Duration {
        self.silence_at().min(self.message_ping_at()).min(self.socket_ping_at())
    }

    /// What is due now, each once: asking counts as doing.
    pub(super) fn take_due(&mut self, now: Duration) -> Vec<Due> {
        if self.silence_at() <= now {
            return vec![Due::Silence];
        }
        let mut due = Vec::new();
        if self.message_ping_at() <= now {
            self.message_sent = now;
            due.push(Due::MessagePing);
        }
        if self.socket_ping_at() <= now {
            self.socket_pinged = now;
            due.push(Due::SocketPing);
        }
        due
    }

    fn silence_at(&self) -> Duration {
        self.heard + SILENCE_MAX
    }

    fn message_ping_at(&self) -> Duration {
        self.message_sent + MESSAGE_PING
    }

    /// A client that was heard just now need not be asked.
    fn socket_ping_at(&self) -> Duration {
        self.heard.max(self.socket_pinged) + SOCKET_PING
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn pings_come_on_time_and_once() {
        let mut liveness = Liveness::new(at(0));
        assert_eq!((liveness.deadline(), liveness.take_due(at(4))), (at(5), vec![]));
        assert_eq!(liveness.take_due(at(5)), [Due::SocketPing]);
        assert_eq!(liveness.take_due(at(5)), []);
        liveness.heard(at(6));
        assert_eq!(liveness.deadline(), at(11));
        liveness.message_sent(at(10));
        assert_eq!(liveness.take_due(at(15)), [Due::SocketPing]);
        assert_eq!(liveness.take_due(at(25)), [Due::MessagePing, Due::SocketPing]);
    }

    #[test]
    fn silence_ends_it() {
        let mut liveness = Liveness::new(at(0));
        liveness.heard(at(10));
        for now in (15..130).step_by(5) {
            assert!(!liveness.take_due(at(now)).contains(&Due::Silence), "{now}");
        }
        assert_eq!(liveness.take_due(at(130)), [Due::Silence]);
    }
}
