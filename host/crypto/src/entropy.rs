//! Random bytes, which the caller draws.
use std::convert::Infallible;

use rand_core::{TryCryptoRng, TryRng};

/// Fills a buffer with bytes that nobody can foretell.
pub type Entropy<'a> = &'a mut dyn FnMut(&mut [u8]);

/// The same, as the crates below want it.
pub(crate) struct Source<'a>(pub(crate) Entropy<'a>);

impl TryRng for Source<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        (self.0)(&mut bytes);
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        (self.0)(&mut bytes);
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        (self.0)(bytes);
        Ok(())
    }
}

impl TryCryptoRng for Source<'_> {}
