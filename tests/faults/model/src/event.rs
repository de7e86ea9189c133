//! What a program did to its files, in the order in which it did it.
//!
//! ```text
//! length of the rest   8   little-endian, as everything here
//! thread               8
//! counts               24  calls, growing calls, syncs so far
//! kind                 1
//! fields
//! ```
//!
//! Paths are relative to the root; the root's own is empty. Not here: what follows from the events.

use std::path::PathBuf;

use crate::codec::{Reader, Writer};

/// How many calls of each kind the process had made when a record was written, that call included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Calls that change anything.
    pub calls: u64,
    /// Calls that need room: they make a file longer, or make a file or folder.
    pub growing: u64,
    /// `fsync` and `fdatasync`.
    pub syncs: u64,
}

/// An event and who caused it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The thread's id, as the kernel gave it.
    pub thread: u64,
    /// The counts so far.
    pub counts: Counts,
    /// What happened.
    pub event: Event,
}

/// One change, or something that matters to what a change means.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)] // The fields' names say it.
pub enum Event {
    /// A process began; the one before it, if any, is dead and its files are closed.
    Start,
    /// A folder that was there, durably, when the recording began.
    OldFolder { path: PathBuf },
    /// A file that was there, durably, when the recording began.
    OldFile { path: PathBuf, bytes: Vec<u8> },
    /// A file or folder was opened as `handle`; perhaps made, perhaps emptied.
    Open { handle: u64, path: PathBuf, made: bool, emptied: bool },
    /// The handle is closed.
    Close { handle: u64 },
    /// Bytes were written; durably, when the file is open for that or has the inode's sync flag.
    Write { handle: u64, offset: u64, bytes: Vec<u8>, durable: bool },
    /// The file was cut or extended with zeros.
    Length { handle: u64, len: u64 },
    /// A range of the file became zeros without a change of length.
    Zero { handle: u64, offset: u64, len: u64 },
    /// Room was taken for a range, and its content stayed as it was.
    Reserve { handle: u64, offset: u64, len: u64 },
    /// A sync of a file or folder began.
    SyncBegin { handle: u64, ticket: u64 },
    /// It ended, well or not.
    SyncEnd { ticket: u64, ok: bool },
    /// `sync_file_range`: nothing becomes durable.
    SyncRange { handle: u64, offset: u64, len: u64 },
    /// `POSIX_FADV_DONTNEED`: clean pages are dropped from the cache. A length of zero means all.
    Evict { handle: u64, offset: u64, len: u64 },
    /// A folder was made.
    MakeFolder { path: PathBuf },
    /// A folder was removed.
    RemoveFolder { path: PathBuf },
    /// A file was removed.
    Unlink { path: PathBuf },
    /// A file or folder was renamed, in place of what had that name.
    Rename { from: PathBuf, to: PathBuf },
    /// A call failed: by the plan, or by itself. Nothing changed.
    Refused { call: String, path: PathBuf, errno: i32 },
    /// The program wrote to its standard output.
    Note { bytes: Vec<u8> },
}

impl Record {
    /// The bytes of the record in a recording.
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        let Counts { calls, growing, syncs } = self.counts;
        writer.number(0).number(self.thread).number(calls).number(growing).number(syncs);
        encode_event(&self.event, &mut writer);
        let mut bytes = writer.0;
        let len = (bytes.len() - 8) as u64;
        bytes[..8].copy_from_slice(&len.to_le_bytes());
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Record> {
        let mut reader = Reader(bytes);
        let thread = reader.number()?;
        let counts = Counts { calls: reader.number()?, growing: reader.number()?, syncs: reader.number()? };
        Some(Record { thread, counts, event: decode_event(&mut reader)? })
    }
}

/// The records of a recording, up to its end or to a record that was cut off.
pub fn records(recording: &[u8]) -> Vec<Record> {
    let mut reader = Reader(recording);
    std::iter::from_fn(|| Record::decode(reader.bytes()?)).collect()
}

fn encode_event(event: &Event, to: &mut Writer) {
    match event {
        Event::Start => to.byte(0),
        Event::OldFolder { path } => to.byte(1).path(path),
        Event::OldFile { path, bytes } => to.byte(2).path(path).bytes(bytes),
        Event::Open { handle, path, made, emptied } => {
            to.byte(3).number(*handle).path(path).flag(*made).flag(*emptied)
        }
        Event::Close { handle } => to.byte(4).number(*handle),
        Event::Write { handle, offset, bytes, durable } => {
            to.byte(5).number(*handle).number(*offset).bytes(bytes).flag(*durable)
        }
        Event::Length { handle, len } => to.byte(6).number(*handle).number(*len),
        Event::Zero { handle, offset, len } => to.byte(7).number(*handle).number(*offset).number(*len),
        Event::SyncBegin { handle, ticket } => to.byte(8).number(*handle).number(*ticket),
        Event::SyncEnd { ticket, ok } => to.byte(9).number(*ticket).flag(*ok),
        Event::SyncRange { handle, offset, len } => to.byte(10).number(*handle).number(*offset).number(*len),
        Event::Evict { handle, offset, len } => to.byte(11).number(*handle).number(*offset).number(*len),
        Event::MakeFolder { path } => to.byte(12).path(path),
        Event::RemoveFolder { path } => to.byte(13).path(path),
        Event::Unlink { path } => to.byte(14).path(path),
        Event::Rename { from, to: target } => to.byte(15).path(from).path(target),
        Event::Refused { call, path, errno } => {
            to.byte(16).bytes(call.as_bytes()).path(path).number(u64::from(errno.unsigned_abs()))
        }
        Event::Note { bytes } => to.byte(17).bytes(bytes),
        Event::Reserve { handle, offset, len } => to.byte(18).number(*handle).number(*offset).number(*len),
    };
}

fn decode_event(from: &mut Reader<'_>) -> Option<Event> {
    Some(match from.byte()? {
        0 => Event::Start,
        1 => Event::OldFolder { path: from.path()? },
        2 => Event::OldFile { path: from.path()?, bytes: from.bytes()?.to_vec() },
        3 => Event::Open {
            handle: from.number()?,
            path: from.path()?,
            made: from.flag()?,
            emptied: from.flag()?,
        },
        4 => Event::Close { handle: from.number()? },
        5 => Event::Write {
            handle: from.number()?,
            offset: from.number()?,
            bytes: from.bytes()?.to_vec(),
            durable: from.flag()?,
        },
        6 => Event::Length { handle: from.number()?, len: from.number()? },
        7 => Event::Zero { handle: from.number()?, offset: from.number()?, len: from.number()? },
        8 => Event::SyncBegin { handle: from.number()?, ticket: from.number()? },
        9 => Event::SyncEnd { ticket: from.number()?, ok: from.flag()? },
        10 => Event::SyncRange { handle: from.number()?, offset: from.number()?, len: from.number()? },
        11 => Event::Evict { handle: from.number()?, offset: from.number()?, len: from.number()? },
        12 => Event::MakeFolder { path: from.path()? },
        13 => Event::RemoveFolder { path: from.path()? },
        14 => Event::Unlink { path: from.path()? },
        15 => Event::Rename { from: from.path()?, to: from.path()? },
        16 => Event::Refused {
            call: String::from_utf8_lossy(from.bytes()?).into_owned(),
            path: from.path()?,
            errno: i32::try_from(from.number()?).ok()?,
        },
        17 => Event::Note { bytes: from.bytes()?.to_vec() },
        18 => Event::Reserve { handle: from.number()?, offset: from.number()?, len: from.number()? },
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_round_trip_and_a_cut_one_ends_the_recording() {
        let path = || PathBuf::from("a/b");
        let (handle, offset, len, ticket) = (1, 2, 3, 4);
        let bytes = || vec![1, 2, 3];
        let events = [
            Event::Start,
            Event::OldFolder { path: path() },
            Event::OldFile { path: path(), bytes: bytes() },
            Event::Open { handle, path: path(), made: true, emptied: false },
            Event::Close { handle },
            Event::Write { handle, offset, bytes: bytes(), durable: true },
            Event::Length { handle, len },
            Event::Zero { handle, offset, len },
            Event::Reserve { handle, offset, len },
            Event::SyncBegin { handle, ticket },
            Event::SyncEnd { ticket, ok: true },
            Event::SyncRange { handle, offset, len },
            Event::Evict { handle, offset, len },
            Event::MakeFolder { path: path() },
            Event::RemoveFolder { path: path() },
            Event::Unlink { path: path() },
            Event::Rename { from: path(), to: PathBuf::new() },
            Event::Refused { call: "write".to_owned(), path: path(), errno: 28 },
            Event::Note { bytes: bytes() },
        ];
        let counts = Counts { calls: 9, growing: 8, syncs: 7 };
        let all: Vec<Record> = events.map(|event| Record { thread: 5, counts, event }).into();
        let recording: Vec<u8> = all.iter().flat_map(Record::encode).collect();
        assert_eq!(records(&recording), all);
        assert_eq!(records(&recording[..recording.len() - 1]), all[..all.len() - 1]);
    }
}
