//! `wasi:random`: one stream of bytes from the call's seed, for the secure and the insecure interface alike.
use sha2::{Digest, Sha256};
use wasmtime_wasi::p2::bindings::random::{insecure, insecure_seed, random};

use super::WasiState;

/// Bytes that may be asked for in one go.
const REQUEST_BYTES_MAX: u64 = 64 << 10;

/// SHA-256 of the seed and a counter, block after block.
pub(super) struct SeededRandom {
    seed: [u8; 32],
    blocks: u64,
    block: [u8; 32],
    used: usize,
}

impl SeededRandom {
    /// The stream of this seed.
    pub(super) fn new(seed: [u8; 32]) -> Self {
        SeededRandom { seed, blocks: 0, block: [0; 32], used: 32 }
    }

    fn fill(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            if self.used == self.block.len() {
                self.next_block();
            }
            *byte = self.block[self.used];
            self.used += 1;
        }
    }

    fn next_block(&mut self) {
        let mut hash = Sha256::new();
        hash.update(b"weir wasi:random");
        hash.update(self.seed);
        hash.update(self.blocks.to_le_bytes());
        self.block = hash.finalize().into();
        self.blocks += 1;
        self.used = 0;
    }

    fn next_u64(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    fn next_bytes(&mut self, len: u64) -> wasmtime::Result<Vec<u8>> {
        if len > REQUEST_BYTES_MAX {
            wasmtime::bail!(
                "{len} random bytes were asked for in one go; at most {REQUEST_BYTES_MAX} are given"
            );
        }
        let mut bytes = vec![0; len as usize];
        self.fill(&mut bytes);
        Ok(bytes)
    }
}

impl random::Host for WasiState {
    fn get_random_bytes(&mut self, len: u64) -> wasmtime::Result<Vec<u8>> {
        self.random.next_bytes(len)
    }

    fn get_random_u64(&mut self) -> wasmtime::Result<u64> {
        Ok(self.random.next_u64())
    }
}

impl insecure::Host for WasiState {
    fn get_insecure_random_bytes(&mut self, len: u64) -> wasmtime::Result<Vec<u8>> {
        self.random.next_bytes(len)
    }

    fn get_insecure_random_u64(&mut self) -> wasmtime::Result<u64> {
        Ok(self.random.next_u64())
    }
}

impl insecure_seed::Host for WasiState {
    fn insecure_seed(&mut self) -> wasmtime::Result<(u64, u64)> {
        Ok((self.random.next_u64(), self.random.next_u64()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_is_the_seeds_alone_however_it_is_read() {
        let mut whole = SeededRandom::new([7; 32]);
        let mut pieces = SeededRandom::new([7; 32]);
        let expected = whole.next_bytes(100).unwrap();
        let mut got = pieces.next_bytes(31).unwrap();
        got.extend(pieces.next_u64().to_le_bytes());
        got.extend(pieces.next_bytes(61).unwrap());
        assert_eq!(got, expected);
        assert_ne!(SeededRandom::new([8; 32]).next_bytes(100).unwrap(), expected);
    }

    #[test]
    fn a_huge_request_is_refused() {
        assert!(SeededRandom::new([0; 32]).next_bytes(u64::MAX).is_err());
    }
}
