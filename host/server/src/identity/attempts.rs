//! Attempts with admin keys that are none: counted, told of in the log, and bounded for one address.
//!
//! Nobody guesses a key of 256 random bits. But somebody who tries is to be seen, and a tool whose key was revoked, too; and
//! neither is to make the host look up keys without end.

use crate::address::{AddressUsage, Client};
use crate::metrics::Counter;

use super::Refusal;

/// How many there were.
#[derive(Debug, Default)]
pub struct Attempts {
    wrong: Counter,
    unseen: Counter,
}

impl Attempts {
    /// Looks whether a key is one, unless too many that are none have come from where it comes from. Then nobody looks, so
    /// that nothing is learned of a right one either; other addresses, and whoever is in already, have nothing to do with it.
    ///
    /// # Errors
    /// It is none, or nobody looks.
    pub fn look<T>(
        &self,
        from: Option<&Client>,
        find: impl FnOnce() -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let usage = from.and_then(|client| client.usage.as_deref());
        if let Some(wait) = usage.and_then(AddressUsage::keys_wait) {
            self.unseen.add(1);
            return Err(Refusal::TooManyWrongKeys { wait });
        }
        let found = find();
        if matches!(found, Err(Refusal::WrongKey)) {
            self.note_wrong(from, usage);
        }
        found
    }

    /// Keys that were looked at and are none.
    pub fn wrong(&self) -> u64 {
        self.wrong.get()
    }

    /// Keys that nobody has looked at.
    pub fn unseen(&self) -> u64 {
        self.unseen.get()
    }

    fn note_wrong(&self, from: Option<&Client>, usage: Option<&AddressUsage>) {
        self.wrong.add(1);
        let address = from.map(|client| tracing::field::display(client.address));
        tracing::warn!(target: "weir::stranger", about = "admin keys", address, "a wrong admin key was sent");
        let Some(usage) = usage else { return };
        usage.count_wrong_key();
        if usage.keys_wait().is_some() {
            tracing::warn!(
                target: "weir::stranger",
                about = "admin keys",
                address,
                "too many wrong admin keys came from there: for a while no more are looked at"
            );
        }
    }
}
