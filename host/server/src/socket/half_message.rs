//! How long a message may be on its way.

use std::time::Duration;

use weir_value::limits::SOCKET_MESSAGE_MS_MAX;

use crate::wire::MessageMeter;

const TIME_MAX: Duration = Duration::from_millis(SOCKET_MESSAGE_MS_MAX);

/// The message of which a part has come. Times are of the monotonic clock.
#[derive(Default)]
pub struct HalfMessage(Option<(u64, Duration)>);

impl HalfMessage {
    /// Looks which one it is now.
    pub fn look(&mut self, meter: Option<&MessageMeter>, now: Duration) {
        let half = meter.and_then(MessageMeter::half_message);
        if half != self.0.map(|(number, _)| number) {
            self.0 = half.map(|number| (number, now + TIME_MAX));
        }
    }

    /// When its time is over.
    pub fn deadline(&self) -> Option<Duration> {
        self.0.map(|(_, deadline)| deadline)
    }

    /// Whether it is over. While the socket is not read from, no time passes.
    pub fn is_overdue(&mut self, now: Duration, is_read: bool) -> bool {
        match &mut self.0 {
            Some((_, deadline)) if *deadline <= now && !is_read => {
                *deadline = now + TIME_MAX;
                false
            }
            Some((_, deadline)) => *deadline <= now,
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use weir_sync::budget::Account;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn each_message_has_its_own_time() {
        let mut meter = MessageMeter::new(Account::unlimited());
        let mut half = HalfMessage::default();
        half.look(Some(&meter), SECOND);
        assert_eq!(half.deadline(), None);
        meter.take(&[0x81, 0x81, 0, 0]).unwrap();
        half.look(Some(&meter), SECOND);
        let deadline = half.deadline().unwrap();
        // A ping in the middle of nothing else changes nothing.
        half.look(Some(&meter), SECOND * 30);
        assert_eq!(half.deadline(), Some(deadline));
        assert!(!half.is_overdue(deadline - SECOND, true) && half.is_overdue(deadline, true));
        meter.take(&[0, 0, b'x', 0x81]).unwrap();
        half.look(Some(&meter), SECOND * 40);
        assert!(!half.is_overdue(deadline, true), "the next one has begun later");
        assert!(!half.is_overdue(SECOND * 100, false), "it is not read from");
        assert!(!half.is_overdue(SECOND * 159, true) && half.is_overdue(SECOND * 160, true));
    }
}
