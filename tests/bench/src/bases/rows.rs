//! The rows that are written and read, and how they are committed.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Result, bail};
use bytes::{BufMut, Bytes, BytesMut};
use weir_store::{BaseKind, RealEnv, SequenceError, Sequenced, Store, StoreOptions, Timestamp, Write};

const KEY_BYTES: usize = 21;
const VALUE_BYTES: usize = 150;
/// Key and value of one row.
pub const ROW_BYTES: usize = KEY_BYTES + VALUE_BYTES;
/// Rows of one commit of a bulk load.
pub const ROWS_A_COMMIT: usize = 500;
/// How often a refused commit is tried again; the store itself waits for a second before it refuses.
const TRIES: usize = 60;

/// A store with the usual settings; one is made in a new folder.
///
/// # Errors
/// When it does not open.
pub fn open(folder: &Path, base: BaseKind) -> Result<Arc<dyn Store>> {
    let options = StoreOptions { base: Some(base), ..StoreOptions::default() };
    Ok(weir_store::open(folder, options, Arc::new(RealEnv::default()))?)
}

/// The key of a row: as a document has it, one table, a time that grows, and random bytes.
pub fn key(row: usize) -> Bytes {
    let mut key = BytesMut::with_capacity(KEY_BYTES);
    key.put_u8(1);
    key.put_u32(10_001);
    key.put_u64(row as u64 * 1000);
    key.put_u64((row as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    key.freeze()
}

/// A row whose value begins with its number.
pub fn write(row: usize) -> Write {
    let mut value = BytesMut::with_capacity(VALUE_BYTES);
    value.put_u64(row as u64);
    value.put_bytes(b'v', VALUE_BYTES - size_of::<u64>());
    Write { key: key(row), value: Some(value.freeze()) }
}

/// Whether `value` is that of the row.
pub fn is_of(row: usize, value: &[u8]) -> bool {
    value.len() == VALUE_BYTES && value.starts_with(&(row as u64).to_be_bytes())
}

/// Commits, and counts what was refused.
pub struct Committer<'a> {
    store: &'a dyn Store,
    /// Commits that had to be tried again.
    pub refused: u64,
}

impl<'a> Committer<'a> {
    /// None was refused so far.
    pub fn new(store: &'a dyn Store) -> Committer<'a> {
        Committer { store, refused: 0 }
    }

    /// Sequences one commit; it is durable some time later.
    ///
    /// # Errors
    /// When the store refuses it again and again, or for another reason than too much to do.
    pub fn commit(&mut self, writes: &[Write]) -> Result<Timestamp> {
        for _ in 0..TRIES {
            match self.store.sequence(&mut |_| writes.to_vec().into()) {
                Err(SequenceError::Overloaded) => self.refused += 1,
                result => {
                    let Sequenced { ts, pause } = result?;
                    std::thread::sleep(pause);
                    return Ok(ts);
                }
            }
        }
        bail!("a commit was refused {TRIES} times")
    }

    /// Commits rows, many at a time, and waits until they are durable.
    ///
    /// # Errors
    /// As for [`Committer::commit`].
    pub fn commit_rows(&mut self, rows: impl Iterator<Item = usize>) -> Result<()> {
        let mut rows = rows.map(write).peekable();
        while rows.peek().is_some() {
            let writes: Vec<Write> = rows.by_ref().take(ROWS_A_COMMIT).collect();
            self.commit(&writes)?;
        }
        Ok(self.store.wait_durable(self.store.sequenced())?)
    }
}
