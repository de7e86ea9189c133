//! Bytes that count for as long as this lives.
use std::sync::Arc;

use bytes::Bytes;

use super::{Account, Held, Overdrawn};

/// Bytes that somebody holds. Given back when it is dropped.
#[derive(Debug)]
pub struct Charge {
    account: Arc<Account>,
    kind: Held,
    bytes: usize,
}

impl Charge {
    pub(super) fn of(account: Arc<Account>, kind: Held, bytes: usize) -> Charge {
        Charge { account, kind, bytes }
    }

    /// How many.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whose.
    pub fn account(&self) -> &Arc<Account> {
        &self.account
    }

    /// Makes it larger, if there is room.
    ///
    /// # Errors
    /// There is not; it is as large as it was.
    pub fn grow(&mut self, bytes: usize) -> Result<(), Overdrawn> {
        self.account.admit(bytes, 0)?;
        self.account.count_kind(self.kind, bytes);
        self.bytes += bytes;
        Ok(())
    }

    /// Makes it so large, whether there is room or not.
    pub fn set(&mut self, bytes: usize) {
        match bytes.checked_sub(self.bytes) {
            Some(more) => self.account.add(self.kind, more),
            None => self.account.subtract(self.kind, self.bytes - bytes),
        }
        self.bytes = bytes;
    }

    /// Takes `bytes` of it, or all, as something of this kind.
    #[must_use]
    pub fn split(&mut self, kind: Held, bytes: usize) -> Charge {
        let bytes = bytes.min(self.bytes);
        self.bytes -= bytes;
        self.account.change_kind(self.kind, kind, bytes);
        Charge { account: Arc::clone(&self.account), kind, bytes }
    }

    /// These bytes, which came with what this is for: they count from now on until their last copy is dropped, with so many
    /// beside their own; first with what this counts, and then with more.
    ///
    /// # Errors
    /// There is no room for more.
    pub fn cover(&mut self, kind: Held, bytes: Bytes, beside: usize) -> Result<Bytes, Overdrawn> {
        let all = bytes.len() + beside;
        let mut charge = self.split(kind, all);
        charge.grow(all - charge.bytes())?;
        Ok(charge.attach(bytes))
    }

    /// The same bytes, which count until their last copy is dropped, wherever that is.
    #[must_use]
    pub fn attach(self, bytes: Bytes) -> Bytes {
        Bytes::from_owner(Charged { bytes, _charge: self })
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.account.subtract(self.kind, self.bytes);
    }
}

struct Charged {
    bytes: Bytes,
    _charge: Charge,
}

impl AsRef<[u8]> for Charged {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}
