//! Random bytes of the environment, fetched in blocks: a call needs few, and a system call each is dear.
use std::sync::Arc;

use parking_lot::Mutex;
use weir_store::Env;

const BLOCK_BYTES: usize = 4_096;

pub(crate) struct Entropy {
    env: Arc<dyn Env>,
    block: Mutex<Block>,
}

struct Block {
    bytes: Box<[u8; BLOCK_BYTES]>,
    used: usize,
}

impl Entropy {
    pub(crate) fn new(env: Arc<dyn Env>) -> Self {
        Entropy { env, block: Mutex::new(Block { bytes: Box::new([0; BLOCK_BYTES]), used: BLOCK_BYTES }) }
    }

    /// Bytes that were never given before. What was given is wiped from the block.
    pub(crate) fn draw<const N: usize>(&self) -> [u8; N] {
        const { assert!(N <= BLOCK_BYTES) };
        let mut block = self.block.lock();
        if BLOCK_BYTES - block.used < N {
            self.env.fill_random(&mut block.bytes[..]);
            block.used = 0;
        }
        let mut drawn = [0; N];
        let from = block.used;
        drawn.swap_with_slice(&mut block.bytes[from..from + N]);
        block.used += N;
        drawn
    }

    /// Fills all of `bytes` with such bytes.
    pub(crate) fn fill(&self, bytes: &mut [u8]) {
        self.env.fill_random(bytes);
    }
}
