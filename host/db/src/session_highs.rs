//! The highest request of each session that has a record: what is higher is new, and need not be looked for.
//!
//! A client numbers its requests upwards, so nearly every one of them is new, and nothing in memory tells that: without
//! this, each mutation would ask the base, on disk, for a record that is not there.
//!
//! It only ever says that a record does not exist when it is sure. An entry is made first, empty; then the records are
//! looked at in a snapshot that is opened after that. So a commit is in the snapshot, or it comes later and raises the
//! entry, behind the gate and before anybody can read it.
use std::collections::HashMap;

use parking_lot::Mutex;

use crate::SessionRequest;

/// So many sessions are known. When there is one more, all are forgotten.
const SESSIONS_MAX: usize = 1 << 14;

/// What is known of sessions.
#[derive(Default)]
pub(crate) struct SessionHighs(Mutex<Highs>);

#[derive(Default)]
struct Highs {
    sessions: HashMap<[u8; 16], High>,
    /// Entries made so far.
    made: u64,
}

struct High {
    /// The highest request that is known to have a record.
    request: Option<u32>,
    /// Older records have been looked at.
    is_sure: bool,
    /// Its number: an entry that was forgotten and made anew is another one.
    number: u64,
}

/// An entry that is to be filled.
pub(crate) struct Unsure {
    session: [u8; 16],
    number: u64,
}

/// What is known of a request.
pub(crate) enum Known {
    /// It has no record.
    New,
    /// It may have one.
    Perhaps,
    /// The session is not known yet: whoever asked may find out.
    Session(Unsure),
}

impl SessionHighs {
    /// What is known of `request` now.
    pub(crate) fn find(&self, request: &SessionRequest) -> Known {
        let mut highs = self.0.lock();
        if let Some(high) = highs.sessions.get(&request.session) {
            return match high.is_sure && high.request < Some(request.request) {
                true => Known::New,
                false => Known::Perhaps,
            };
        }
        if highs.sessions.len() >= SESSIONS_MAX {
            highs.sessions.clear();
        }
        highs.made += 1;
        let number = highs.made;
        highs.sessions.insert(request.session, High { request: None, is_sure: false, number });
        Known::Session(Unsure { session: request.session, number })
    }

    /// The highest request of the session that has a record in a snapshot that was opened after [`SessionHighs::find`].
    pub(crate) fn learn(&self, unsure: &Unsure, highest: Option<u32>) {
        let mut highs = self.0.lock();
        let high = highs.sessions.get_mut(&unsure.session).filter(|high| high.number == unsure.number);
        if let Some(high) = high {
            high.request = high.request.max(highest);
            high.is_sure = true;
        }
    }

    /// A record is written. Behind the gate, before any snapshot shows it.
    pub(crate) fn note(&self, request: &SessionRequest) {
        if let Some(high) = self.0.lock().sessions.get_mut(&request.session) {
            high.request = high.request.max(Some(request.request));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(session: u8, request: u32) -> SessionRequest {
        SessionRequest { session: [session; 16], request }
    }

    fn is_new(highs: &SessionHighs, session: u8, number: u32) -> bool {
        matches!(highs.find(&request(session, number)), Known::New)
    }

    fn unsure(highs: &SessionHighs, session: u8) -> Unsure {
        match highs.find(&request(session, 0)) {
            Known::Session(unsure) => unsure,
            Known::New | Known::Perhaps => panic!("the session is known"),
        }
    }

    #[test]
    fn only_what_is_higher_than_all_records_is_new() {
        let highs = SessionHighs::default();
        let session = unsure(&highs, 1);
        assert!(!is_new(&highs, 1, 5), "the records have not been looked at");
        highs.learn(&session, Some(4));
        assert_eq!([3, 4, 5].map(|number| is_new(&highs, 1, number)), [false, false, true]);
        highs.note(&request(1, 7));
        assert_eq!([5, 7, 8].map(|number| is_new(&highs, 1, number)), [false, false, true]);
    }

    #[test]
    fn a_record_that_is_written_while_the_older_ones_are_looked_at_counts() {
        let highs = SessionHighs::default();
        let session = unsure(&highs, 1);
        highs.note(&request(1, 9));
        highs.learn(&session, None);
        assert_eq!([0, 9, 10].map(|number| is_new(&highs, 1, number)), [false, false, true]);
        let empty = unsure(&highs, 2);
        highs.learn(&empty, None);
        assert!(is_new(&highs, 2, 0), "the first request has the number 0");
    }

    #[test]
    fn what_was_forgotten_is_not_learned() {
        let highs = SessionHighs::default();
        let old = unsure(&highs, 1);
        for number in 0..SESSIONS_MAX as u32 {
            let mut session = [0; 16];
            session[12..].copy_from_slice(&number.to_be_bytes());
            highs.find(&SessionRequest { session, request: 0 });
        }
        assert!(highs.0.lock().sessions.len() <= SESSIONS_MAX);
        let new = unsure(&highs, 1);
        highs.learn(&old, None);
        assert!(!is_new(&highs, 1, 3), "a record may have been written while nothing was known");
        highs.learn(&new, Some(3));
        assert!(!is_new(&highs, 1, 3));
    }
}
