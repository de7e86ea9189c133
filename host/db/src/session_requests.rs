//! Session requests: what a client's mutation came to, kept so that a repetition is answered and not run.
//!
//! The record is written in the mutation's own commit, and its key is read by the mutation before it runs: of two
//! racing repetitions one commits, and the other finds the record. Only successful mutations that wrote something have
//! one; the others changed nothing and may run again.
//!
//! Knows nothing of functions: a result and some lines, as bytes. Not here: when a record goes (see `sweep`).
use bytes::{Buf, BufMut, Bytes, BytesMut};
use sha2::{Digest, Sha256};
use weir_value::Timestamp;

use crate::Principal;

/// A client's own number for a mutation. The same one again is the same mutation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionRequest {
    /// The client's session, a UUID.
    pub session: [u8; 16],
    /// The number of the request in its session.
    pub request: u32,
}

/// What a mutation came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SessionRecord {
    pub(crate) ts: Timestamp,
    pub(crate) owner: Owner,
    pub(crate) result: Bytes,
    pub(crate) log_lines: Vec<String>,
}

/// For whom a mutation was made: what a repetition by somebody else is told by. A digest of the user's
/// `tokenIdentifier`, which stays when the other claims change; `None`: nobody in particular.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Owner(Option<u64>);

impl Owner {
    pub(crate) fn of(principal: &Principal) -> Owner {
        Owner(principal.identity().map(|identity| {
            let digest = Sha256::digest(identity.token_identifier());
            u64::from_be_bytes(digest[..8].try_into().expect("a digest has 32 bytes"))
        }))
    }
}

/// Set in an encoded timestamp, which never needs it, when an owner follows.
const OWNED: u64 = 1 << 63;

impl SessionRecord {
    /// `ts u64 | result length u32 | result | for each line: length u32 | line`, integers big-endian. The record of a
    /// user has the highest bit of the timestamp set, and `owner u64` behind it.
    pub(crate) fn encode(&self) -> Bytes {
        let lines_bytes: usize = self.log_lines.iter().map(|line| 4 + line.len()).sum();
        let mut out = BytesMut::with_capacity(16 + 4 + self.result.len() + lines_bytes);
        match self.owner.0 {
            None => out.put_u64(self.ts.as_nanos()),
            Some(owner) => {
                out.put_u64(self.ts.as_nanos() | OWNED);
                out.put_u64(owner);
            }
        }
        put_text(&mut out, &self.result);
        self.log_lines.iter().for_each(|line| put_text(&mut out, line.as_bytes()));
        out.freeze()
    }

    /// The timestamp in an encoded record. `None`: damaged.
    pub(crate) fn ts_of(mut bytes: &[u8]) -> Option<Timestamp> {
        bytes.try_get_u64().ok().map(|ts| Timestamp::from_nanos(ts & !OWNED))
    }

    /// `None`: damaged.
    pub(crate) fn decode(mut bytes: Bytes) -> Option<SessionRecord> {
        let stamp = bytes.try_get_u64().ok()?;
        let owner = if stamp & OWNED != 0 { Some(bytes.try_get_u64().ok()?) } else { None };
        let (ts, owner) = (Timestamp::from_nanos(stamp & !OWNED), Owner(owner));
        let result = take_text(&mut bytes)?;
        let mut log_lines = Vec::new();
        while bytes.has_remaining() {
            log_lines.push(String::from_utf8(take_text(&mut bytes)?.into()).ok()?);
        }
        Some(SessionRecord { ts, owner, result, log_lines })
    }
}

fn put_text(out: &mut BytesMut, text: &[u8]) {
    out.put_u32(u32::try_from(text.len()).expect("results and log lines are limited to far less than 4 GiB"));
    out.put_slice(text);
}

fn take_text(bytes: &mut Bytes) -> Option<Bytes> {
    let length = bytes.try_get_u32().ok()? as usize;
    (length <= bytes.len()).then(|| bytes.split_to(length))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn records_come_back(owner in any::<Option<u64>>(), ts in 0..=i64::MAX as u64, result in ".{0,40}", log_lines in prop::collection::vec(".{0,20}", 0..4)) {
            let record = SessionRecord { ts: Timestamp::from_nanos(ts), owner: Owner(owner), result: result.into(), log_lines };
            prop_assert_eq!(SessionRecord::ts_of(&record.encode()), Some(record.ts));
            prop_assert_eq!(SessionRecord::decode(record.encode()), Some(record));
        }

        #[test]
        fn arbitrary_bytes_are_no_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            if let Some(record) = SessionRecord::decode(bytes.clone().into()) {
                prop_assert!(record.result.len() <= bytes.len());
            }
        }

        #[test]
        fn a_cut_record_is_none_or_shorter(cut in 0usize..30) {
            let record = SessionRecord { ts: Timestamp::from_nanos(7), owner: Owner(None), result: "null".into(), log_lines: vec!["[LOG] hello".into()] };
            let whole = record.encode();
            prop_assume!(cut < whole.len() && cut != 16);
            prop_assert_eq!(SessionRecord::decode(whole.slice(..cut)), None);
        }
    }
}
