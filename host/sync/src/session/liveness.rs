//! Who was heard last, and when to say something. Times are of a monotonic clock that the caller reads.
//!
//! Most sockets are idle most of the time, and there may be many: what they cost is their pings. So deadlines lie on a coarse
//! grid, where many sockets ring at one waking of the timer, and what is nearly due leaves together with what is.
use std::time::Duration;

use weir_value::limits::{SOCKET_PING_GRID_MS, SOCKET_PING_MS, SOCKET_SILENCE_MS_MAX, SYNC_PING_MS};

const MESSAGE_PING: Duration = Duration::from_millis(SYNC_PING_MS);
const SOCKET_PING: Duration = Duration::from_millis(SOCKET_PING_MS);
const SILENCE_MAX: Duration = Duration::from_millis(SOCKET_SILENCE_MS_MAX);
const GRID: Duration = Duration::from_millis(SOCKET_PING_GRID_MS);

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

    /// When something is due next: on the grid, not before it is.
    pub(super) fn deadline(&self) -> Duration {
        let due = self.silence_at().min(self.message_ping_at()).min(self.socket_ping_at());
        let over = due.as_nanos() % GRID.as_nanos();
        match u64::try_from(over) {
            Ok(0) | Err(_) => due,
            Ok(over) => due + (GRID - Duration::from_nanos(over)),
        }
    }

    /// What is due now, each once: asking counts as doing. The answer to a ping comes a moment after it, and is no reason
    /// for the next one to leave alone, a moment after the other kind's.
    pub(super) fn take_due(&mut self, now: Duration) -> Vec<Due> {
        if self.silence_at() <= now {
            return vec![Due::Silence];
        }
        let mut due = Vec::new();
        if now < self.message_ping_at().min(self.socket_ping_at()) {
            return due;
        }
        if self.message_ping_at() <= now + GRID {
            self.message_sent = now;
            due.push(Due::MessagePing);
        }
        if self.socket_ping_at() <= now + GRID {
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

    fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn pings_come_on_time_and_once() {
        let mut liveness = Liveness::new(at(0));
        assert_eq!((liveness.deadline(), liveness.take_due(at(14))), (at(15), vec![]));
        // Who says nothing and is told nothing: both leave as one, again and again.
        for round in 1..=4 {
            assert_eq!(liveness.deadline(), at(15 * round));
            assert_eq!(liveness.take_due(at(15 * round)), [Due::MessagePing, Due::SocketPing]);
            assert_eq!(liveness.take_due(at(15 * round)), []);
            liveness.heard(at(15 * round) + millis(40));
        }
        // Who is told something is asked all the same, and who says something is told.
        liveness.message_sent(at(70));
        assert_eq!(liveness.take_due(at(75) + millis(40)), [Due::SocketPing]);
        liveness.heard(at(80));
        assert_eq!(liveness.take_due(at(85)), [Due::MessagePing]);
        assert_eq!(liveness.deadline(), at(95));
    }

    #[test]
    fn deadlines_lie_on_a_grid_and_never_early() {
        for offset in [0, 1, 499, 500, 501, 999] {
            let deadline = Liveness::new(millis(offset)).deadline();
            assert!(deadline >= millis(offset) + MESSAGE_PING.min(SOCKET_PING), "{offset}");
            assert!(deadline < millis(offset) + MESSAGE_PING.min(SOCKET_PING) + GRID, "{offset}");
            assert_eq!(deadline.as_millis() as u64 % SOCKET_PING_GRID_MS, 0, "{offset}");
        }
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
