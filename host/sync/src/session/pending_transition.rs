//! Whether a transition is pending, and which timestamp it has to reach.
use weir_value::Timestamp;

/// Every change of the query set or the identity, and every answer to a call, is followed by a transition. After an
/// answer it has to reach the answer's timestamp, or a client that waits for it would not see its own write.
///
/// Answers that leave while a transition is pending already do not raise what it has to reach (a client that writes
/// without pause would never get one); they make the next one pending.
#[derive(Debug, Default)]
pub(super) struct PendingTransition {
    at_least: Option<Timestamp>,
    next: Option<Timestamp>,
}

impl PendingTransition {
    /// A transition is to follow, at any timestamp.
    pub(super) fn request(&mut self) {
        self.at_least = self.at_least.or(Some(Timestamp::ZERO));
    }

    /// A transition is to follow that has reached `ts`.
    pub(super) fn request_at(&mut self, ts: Timestamp) {
        match self.at_least {
            None | Some(Timestamp::ZERO) => self.at_least = Some(ts),
            Some(_) => self.next = self.next.max(Some(ts)),
        }
    }

    /// Whether one is pending.
    pub(super) fn is_pending(&self) -> bool {
        self.at_least.is_some()
    }

    /// What the next transition has to reach, if one is pending.
    pub(super) fn at_least(&self) -> Option<Timestamp> {
        self.at_least
    }

    /// A transition to this timestamp leaves.
    pub(super) fn sent(&mut self, ts: Timestamp) {
        if self.at_least.is_none_or(|at_least| at_least <= ts) {
            self.at_least = self.next.take().filter(|next| *next > ts);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_do_not_put_a_transition_off() {
        let ts = Timestamp::from_nanos;
        let mut pending = PendingTransition::default();
        pending.request();
        pending.request_at(ts(5));
        pending.request_at(ts(9));
        pending.request();
        assert_eq!(pending.at_least(), Some(ts(5)));
        pending.sent(ts(6));
        assert_eq!(pending.at_least(), Some(ts(9)));
        pending.sent(ts(9));
        assert_eq!(pending.at_least(), None);
        pending.request_at(ts(10));
        pending.request_at(ts(11));
        pending.sent(ts(12));
        assert_eq!(pending.at_least(), None);
    }
}
