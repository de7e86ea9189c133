//! What the client is owed: a transition, and of which moment at least.
use weir_value::Timestamp;

/// Every change of the query set or the identity, and every answer to a call, is followed by a transition. After an
/// answer its moment has reached the answer's, or a client that waits for it would not see its own write.
///
/// Answers that leave while a transition is owed already do not raise what it has to reach (a client that writes
/// without pause would never get one); they make the next one owed.
#[derive(Debug, Default)]
pub(super) struct Debt {
    owed: Option<Timestamp>,
    next: Option<Timestamp>,
}

impl Debt {
    /// A transition is owed, of any moment.
    pub(super) fn owe(&mut self) {
        self.owed = self.owed.or(Some(Timestamp::ZERO));
    }

    /// A transition is owed that has reached `ts`.
    pub(super) fn owe_after(&mut self, ts: Timestamp) {
        match self.owed {
            None | Some(Timestamp::ZERO) => self.owed = Some(ts),
            Some(_) => self.next = self.next.max(Some(ts)),
        }
    }

    /// What the next transition has to reach, if one is owed.
    pub(super) fn owed(&self) -> Option<Timestamp> {
        self.owed
    }

    /// A transition of this moment leaves.
    pub(super) fn pay(&mut self, ts: Timestamp) {
        if self.owed.is_none_or(|owed| owed <= ts) {
            self.owed = self.next.take().filter(|next| *next > ts);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_do_not_put_a_transition_off() {
        let ts = Timestamp::from_nanos;
        let mut debt = Debt::default();
        debt.owe();
        debt.owe_after(ts(5));
        debt.owe_after(ts(9));
        debt.owe();
        assert_eq!(debt.owed(), Some(ts(5)));
        debt.pay(ts(6));
        assert_eq!(debt.owed(), Some(ts(9)));
        debt.pay(ts(9));
        assert_eq!(debt.owed(), None);
        debt.owe_after(ts(10));
        debt.owe_after(ts(11));
        debt.pay(ts(12));
        assert_eq!(debt.owed(), None);
    }
}
