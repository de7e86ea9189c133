//! Counts the bytes of WebSocket messages before they are messages.
//!
//! The library that puts frames together tells of a message when all of it is there; until then it grows with what its
//! sender likes to send. Here the same bytes are looked at as they come: the heads of frames say where messages begin
//! and end (RFC 6455, 5.2). What else is wrong with a frame, the library says.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use weir_sync::budget::{Account, Charge, Held, Overdrawn};
use weir_value::limits::{CONNECT_BYTES_MAX, MESSAGE_BYTES_UNCOUNTED};

/// The longest head of a frame.
const HEAD_BYTES_MAX: usize = 14;

/// Why no more of a message is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The first message is larger than one that says who comes.
    TooLarge,
    /// There is no room for it.
    Overdrawn(Overdrawn),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::TooLarge => {
                write!(f, "the first message of a socket is larger than {CONNECT_BYTES_MAX} bytes")
            }
            Refusal::Overdrawn(error) => error.fmt(f),
        }
    }
}

/// The messages of one socket.
pub struct MessageMeter {
    head: Head,
    /// What is left of the payload of the frame that comes.
    payload_left: u64,
    /// The frame that comes is part of a message, and its last one.
    is_data: bool,
    is_last: bool,
    /// Bytes of the message that comes, so far.
    bytes: usize,
    /// It has begun.
    is_begun: bool,
    /// What it is counted with.
    charge: Charge,
    /// The same of those that have come, and were not taken yet.
    complete: VecDeque<Charge>,
    /// Messages that have come, ever.
    count: u64,
    refusal: Option<Refusal>,
}

/// The head of the frame that comes, as far as it has come.
#[derive(Default)]
struct Head {
    bytes: [u8; HEAD_BYTES_MAX],
    len: usize,
}

impl MessageMeter {
    /// Of a socket that has said nothing yet.
    pub fn new(account: Arc<Account>) -> MessageMeter {
        MessageMeter {
            head: Head::default(),
            payload_left: 0,
            is_data: false,
            is_last: false,
            bytes: 0,
            is_begun: false,
            charge: account.hold(Held::Messages, 0),
            complete: VecDeque::new(),
            count: 0,
            refusal: None,
        }
    }

    /// These bytes have come.
    ///
    /// # Errors
    /// No more is taken, from now on.
    pub fn take(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        if let Some(refusal) = self.refusal {
            return Err(refusal);
        }
        let taken = self.take_all(bytes);
        if let Err(refusal) = taken {
            self.refusal = Some(refusal);
            self.charge.set(0);
        }
        taken
    }

    /// Why no more is taken, if so.
    pub fn refusal(&self) -> Option<Refusal> {
        self.refusal
    }

    /// What the next message is counted with, in the order in which they came.
    pub fn take_charge(&mut self) -> Charge {
        self.complete.pop_front().unwrap_or_else(|| self.charge.account().hold(Held::Messages, 0))
    }

    /// The number of the message of which a part has come; `None` if all have come whole.
    pub fn half_message(&self) -> Option<u64> {
        (self.is_begun || self.head.len > 0).then_some(self.count)
    }

    fn take_all(&mut self, mut bytes: &[u8]) -> Result<(), Refusal> {
        loop {
            if self.payload_left == 0 {
                let Some(rest) = self.head.take(bytes) else { return Ok(()) };
                bytes = rest;
                self.begin_frame()?;
            }
            let part = usize::try_from(self.payload_left).map_or(bytes.len(), |left| left.min(bytes.len()));
            bytes = &bytes[part..];
            self.payload_left -= part as u64;
            if self.is_data {
                self.count_payload(part)?;
            }
            if self.payload_left > 0 {
                return Ok(());
            }
            if self.is_data && self.is_last {
                self.end_message();
            }
        }
    }

    fn begin_frame(&mut self) -> Result<(), Refusal> {
        let head = std::mem::take(&mut self.head);
        self.is_last = head.bytes[0] & 0x80 != 0;
        self.is_data = head.bytes[0] & 0x08 == 0;
        self.payload_left = head.payload();
        self.is_begun |= self.is_data;
        let announced = self.payload_left.saturating_add(self.bytes as u64);
        match self.is_data && self.count == 0 && announced > CONNECT_BYTES_MAX as u64 {
            true => Err(Refusal::TooLarge),
            false => Ok(()),
        }
    }

    fn count_payload(&mut self, part: usize) -> Result<(), Refusal> {
        self.bytes += part;
        let uncounted = self.bytes.saturating_sub(self.charge.bytes());
        if uncounted > MESSAGE_BYTES_UNCOUNTED {
            self.charge.grow(uncounted).map_err(Refusal::Overdrawn)?;
        }
        Ok(())
    }

    fn end_message(&mut self) {
        let charge = self.charge.split(Held::Messages, usize::MAX);
        self.complete.push_back(charge);
        self.count += 1;
        (self.bytes, self.is_begun) = (0, false);
    }
}

impl Head {
    /// Takes what is its own; the rest, if it is whole.
    fn take<'a>(&mut self, mut bytes: &'a [u8]) -> Option<&'a [u8]> {
        while self.len < self.len_wanted() {
            let (&first, rest) = bytes.split_first()?;
            self.bytes[self.len] = first;
            self.len += 1;
            bytes = rest;
        }
        Some(bytes)
    }

    /// How long it is, as far as that is known.
    fn len_wanted(&self) -> usize {
        if self.len < 2 {
            return 2;
        }
        let mask = if self.bytes[1] & 0x80 == 0 { 0 } else { 4 };
        mask + match self.bytes[1] & 0x7f {
            126 => 4,
            127 => 10,
            _ => 2,
        }
    }

    fn payload(&self) -> u64 {
        let [_, second, rest @ ..] = &self.bytes;
        match second & 0x7f {
            126 => u64::from(u16::from_be_bytes([rest[0], rest[1]])),
            127 => {
                u64::from_be_bytes([rest[0], rest[1], rest[2], rest[3], rest[4], rest[5], rest[6], rest[7]])
            }
            short => u64::from(short),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A frame as a client sends it: masked with zeros.
    fn frame(first: u8, payload: usize) -> Vec<u8> {
        let mut bytes = vec![first];
        match payload {
            0..126 => bytes.push(0x80 | payload as u8),
            126..65_536 => {
                bytes.push(0x80 | 126);
                bytes.extend_from_slice(&(payload as u16).to_be_bytes());
            }
            _ => {
                bytes.push(0x80 | 127);
                bytes.extend_from_slice(&(payload as u64).to_be_bytes());
            }
        }
        bytes.extend_from_slice(&[0; 4]);
        bytes.resize(bytes.len() + payload, b'x');
        bytes
    }

    const TEXT: u8 = 0x81;
    const BEGINS: u8 = 0x01;
    const GOES_ON: u8 = 0x00;
    const ENDS: u8 = 0x80;
    const PING: u8 = 0x89;

    #[test]
    fn messages_are_told_apart_however_they_are_cut() {
        let parts = [
            frame(TEXT, 20),
            frame(BEGINS, 10_000),
            frame(PING, 100),
            frame(GOES_ON, 0),
            frame(ENDS, 70_000),
            frame(TEXT, 0),
            frame(TEXT, 5000),
            frame(BEGINS, 9000),
            frame(PING, 0),
        ];
        let bytes = parts.concat();
        for piece in [1, 2, 3, 7, 4096, bytes.len()] {
            let account = Account::process(1 << 20);
            let mut meter = MessageMeter::new(Arc::clone(&account));
            bytes.chunks(piece).for_each(|piece| meter.take(piece).expect("room"));
            assert_eq!(meter.half_message(), Some(4), "in pieces of {piece}");
            let counted: Vec<usize> = (0..4).map(|_| meter.take_charge().bytes()).collect();
            let near = |counted: usize, bytes: usize| bytes - counted <= MESSAGE_BYTES_UNCOUNTED;
            assert!(near(counted[0], 20) && near(counted[1], 80_000), "{counted:?}");
            assert!(near(counted[2], 0) && near(counted[3], 5000), "{counted:?}");
            assert!(near(account.bytes(), 9000), "the half one alone: {}", account.bytes());
            drop(meter);
            assert_eq!(account.bytes(), 0);
        }
    }

    #[test]
    fn the_head_of_a_frame_is_a_half_message() {
        let mut meter = MessageMeter::new(Account::unlimited());
        assert_eq!(meter.half_message(), None);
        meter.take(&[TEXT]).expect("room");
        assert_eq!(meter.half_message(), Some(0));
        meter.take(&[0x80, 0, 0, 0, 0]).expect("room");
        assert_eq!(meter.half_message(), None);
    }

    #[test]
    fn the_first_message_is_small_and_those_after_it_need_not_be() {
        for large in [
            frame(TEXT, CONNECT_BYTES_MAX + 1),
            [frame(BEGINS, CONNECT_BYTES_MAX), frame(ENDS, 1)].concat(),
            [TEXT, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0].into(),
        ] {
            let mut meter = MessageMeter::new(Account::unlimited());
            assert_eq!(meter.take(&large), Err(Refusal::TooLarge));
            assert_eq!(meter.take(b"more"), Err(Refusal::TooLarge), "nothing after it");
        }
        let mut meter = MessageMeter::new(Account::unlimited());
        let both = [frame(TEXT, CONNECT_BYTES_MAX), frame(TEXT, 1 << 20)].concat();
        meter.take(&both).expect("the second one may be large");
    }

    #[test]
    fn what_has_no_room_ends_it_and_is_given_back() {
        let account = Account::process(1 << 20);
        let mut meter = MessageMeter::new(Arc::clone(&account));
        meter.take(&frame(TEXT, 10)).expect("room");
        let half = frame(TEXT, 2 << 20);
        let refused = half.chunks(4096).find_map(|piece| meter.take(piece).err());
        assert!(matches!(refused, Some(Refusal::Overdrawn(_))), "{refused:?}");
        assert_eq!((account.bytes(), meter.refusal()), (0, refused));
    }
}
