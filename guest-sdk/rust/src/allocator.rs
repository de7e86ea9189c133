//! The guest's memory: made for an instance that serves one call and is then
//! dropped whole.
//!
//! Blocks are cut from one end of a chunk; the one cut last can grow in place,
//! which is what a vector that is being filled wants. Freed blocks are kept in
//! a list for each size and used again, so that a long call does not run out
//! of memory. There is no merging, no splitting, and nothing to set up. The
//! first chunk lies in memory that the instance has from its start: growing
//! memory is a system call, and most calls never need it.
#![allow(unsafe_code, reason = "an allocator deals in addresses")]

use std::alloc::Layout;
use std::ptr;

/// All blocks start at, and have the size of, a multiple of this.
const UNIT_BYTES: usize = 16;
/// Sizes of up to this many units have a class each; then come
/// [`CLASSES_PER_DOUBLING`] for each doubling.
const SMALL_UNITS: usize = 4;
const CLASSES_PER_DOUBLING: usize = 4;
/// Enough for all sizes that fit in 32 bits.
const CLASSES: usize = 112;

/// Where a heap's memory comes from.
pub(crate) trait Source {
    /// At least `bytes` more, as the addresses of their start and end; `None`
    /// if there are none. They may follow those given before.
    fn grow(&mut self, bytes: usize) -> Option<(usize, usize)>;
}

/// The state of the allocator.
pub(crate) struct Heap<S> {
    source: S,
    /// The free part of the chunk that blocks are cut from.
    top: usize,
    end: usize,
    /// The first free block of each class, which holds the address of the next; 0 at the end.
    free: [usize; CLASSES],
}

/// The class of blocks for a size, and their size in bytes.
fn class_of(bytes: usize) -> (usize, usize) {
    let units = bytes.div_ceil(UNIT_BYTES).max(1);
    if units <= SMALL_UNITS {
        return (units - 1, units * UNIT_BYTES);
    }
    let doubling = (units - 1).ilog2() as usize;
    let step = (1 << doubling) / CLASSES_PER_DOUBLING;
    let steps = units.div_ceil(step);
    // `steps` is 5 to 8 in each doubling, of which the first is from 4 to 8 units.
    let class = SMALL_UNITS + (doubling - 2) * CLASSES_PER_DOUBLING + steps - CLASSES_PER_DOUBLING - 1;
    (class, steps * step * UNIT_BYTES)
}

impl<S: Source> Heap<S> {
    pub(crate) const fn new(source: S) -> Self {
        Self { source, top: 0, end: 0, free: [0; CLASSES] }
    }

    /// A block for this layout; null if there is no memory for it.
    ///
    /// # Safety
    /// The source's memory is this heap's alone.
    #[inline]
    pub(crate) unsafe fn alloc(&mut self, layout: Layout) -> *mut u8 {
        let (class, bytes) = class_of(layout.size());
        let block = self.free[class];
        if block != 0 && layout.align() <= UNIT_BYTES {
            // SAFETY: a free block holds the address of the next one.
            self.free[class] = unsafe { ptr::with_exposed_provenance::<usize>(block).read() };
            return ptr::with_exposed_provenance_mut(block);
        }
        self.cut(bytes, layout.align())
    }

    fn cut(&mut self, bytes: usize, align: usize) -> *mut u8 {
        let mut start = self.top.next_multiple_of(align.max(UNIT_BYTES));
        if self.top == 0 || start + bytes > self.end {
            if !self.extend(bytes.saturating_add(align)) {
                return ptr::null_mut();
            }
            start = self.top.next_multiple_of(align.max(UNIT_BYTES));
        }
        self.top = start + bytes;
        ptr::with_exposed_provenance_mut(start)
    }

    /// Gets a chunk with this much room, or makes the one that there is as large.
    #[cold]
    fn extend(&mut self, bytes: usize) -> bool {
        let Some((start, end)) = self.source.grow(bytes) else {
            return false;
        };
        if start != self.end {
            self.top = start.next_multiple_of(UNIT_BYTES);
        }
        self.end = end;
        true
    }

    /// Takes a block back.
    ///
    /// # Safety
    /// The block is this heap's, in use, and was asked for with this layout.
    #[inline]
    pub(crate) unsafe fn dealloc(&mut self, block: *mut u8, layout: Layout) {
        let (class, bytes) = class_of(layout.size());
        if block.addr() + bytes == self.top {
            self.top = block.addr();
            return;
        }
        // SAFETY: the block is free now, and large enough for an address.
        unsafe { block.cast::<usize>().write(self.free[class]) };
        self.free[class] = block.expose_provenance();
    }

    /// Makes a block larger or smaller, in place where that can be.
    ///
    /// # Safety
    /// As for [`Heap::dealloc`].
    #[inline]
    pub(crate) unsafe fn realloc(&mut self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let ((_, old_bytes), (_, new_bytes)) = (class_of(layout.size()), class_of(size));
        if old_bytes == new_bytes {
            return block;
        }
        let end = block.addr() + new_bytes;
        if block.addr() + old_bytes == self.top && end <= self.end {
            self.top = end;
            return block;
        }
        // SAFETY: as asked of the caller; the two blocks do not overlap, as both are in use.
        unsafe {
            let new = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
            if !new.is_null() {
                ptr::copy_nonoverlapping(block, new, layout.size().min(size));
                self.dealloc(block, layout);
            }
            new
        }
    }
}

#[cfg(all(target_family = "wasm", feature = "allocator"))]
mod global {
    use std::alloc::{GlobalAlloc, Layout};
    use std::cell::UnsafeCell;

    use super::{Heap, Source};

    /// The memory that an instance has for its blocks from the start.
    const FIRST_CHUNK_BYTES: usize = 256 << 10;
    /// The least by which memory grows, so that it grows seldom.
    const GROWTH_BYTES: usize = 1 << 20;
    const PAGE_BYTES: usize = 64 << 10;

    #[repr(align(16))]
    struct FirstChunk(UnsafeCell<[u8; FIRST_CHUNK_BYTES]>);
    struct Guest(UnsafeCell<Heap<Memory>>);

    // SAFETY: a guest has one thread.
    unsafe impl Sync for FirstChunk {}
    // SAFETY: a guest has one thread.
    unsafe impl Sync for Guest {}

    #[cfg(target_feature = "atomics")]
    compile_error!("the SDK's allocator is for guests without threads; build without `atomics`");

    static FIRST_CHUNK: FirstChunk = FirstChunk(UnsafeCell::new([0; FIRST_CHUNK_BYTES]));

    #[global_allocator]
    static GUEST: Guest = Guest(UnsafeCell::new(Heap::new(Memory { is_first_used: false })));

    struct Memory {
        is_first_used: bool,
    }

    impl Source for Memory {
        fn grow(&mut self, bytes: usize) -> Option<(usize, usize)> {
            if !std::mem::replace(&mut self.is_first_used, true) && bytes <= FIRST_CHUNK_BYTES {
                let start = FIRST_CHUNK.0.get().expose_provenance();
                return Some((start, start + FIRST_CHUNK_BYTES));
            }
            grow_memory(bytes.max(GROWTH_BYTES)).or_else(|| grow_memory(bytes))
        }
    }

    fn grow_memory(bytes: usize) -> Option<(usize, usize)> {
        let pages = bytes.div_ceil(PAGE_BYTES);
        match core::arch::wasm32::memory_grow::<0>(pages) {
            usize::MAX => None,
            // The last page of 4 GiB ends where a `usize` does.
            old_pages => Some((old_pages * PAGE_BYTES, (old_pages + pages).checked_mul(PAGE_BYTES)?)),
        }
    }

    // SAFETY: one thread, and no method of the heap calls another allocator.
    unsafe impl GlobalAlloc for Guest {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            // SAFETY: the caller's promise; the reference ends with the call.
            unsafe { (*self.0.get()).alloc(layout) }
        }

        unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
            // SAFETY: as above.
            unsafe { (*self.0.get()).dealloc(block, layout) }
        }

        unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
            // SAFETY: as above.
            unsafe { (*self.0.get()).realloc(block, layout, size) }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    /// A source over one piece of memory, given out in chunks.
    struct Arena {
        memory: Vec<u128>,
        given: usize,
    }

    impl Arena {
        fn new(bytes: usize) -> Self {
            Self { memory: vec![0; bytes / UNIT_BYTES], given: 0 }
        }
    }

    impl Source for Arena {
        fn grow(&mut self, bytes: usize) -> Option<(usize, usize)> {
            let bytes = bytes.next_multiple_of(4096);
            if self.given + bytes > self.memory.len() * UNIT_BYTES {
                return None;
            }
            let start = self.memory.as_mut_ptr().expose_provenance() + self.given;
            self.given += bytes;
            Some((start, start + bytes))
        }
    }

    #[test]
    fn classes_fit_their_sizes_closely() {
        let (mut last_class, mut last_bytes) = (0, UNIT_BYTES);
        for bytes in 0..100_000 {
            let (class, block_bytes) = class_of(bytes);
            assert!(block_bytes >= bytes && block_bytes.is_multiple_of(UNIT_BYTES));
            assert!(block_bytes <= (bytes + bytes / 4).max(bytes + UNIT_BYTES), "{bytes}: {block_bytes}");
            match class == last_class {
                true => assert_eq!(block_bytes, last_bytes),
                false => assert!(class == last_class + 1 && block_bytes > last_bytes),
            }
            (last_class, last_bytes) = (class, block_bytes);
        }
        assert!(class_of(u32::MAX as usize).0 < CLASSES);
    }

    #[test]
    fn the_last_block_grows_in_place() {
        let mut heap = Heap::new(Arena::new(1 << 20));
        let layout = Layout::array::<u8>(100).unwrap();
        // SAFETY: the blocks are used as they were asked for.
        unsafe {
            let first = heap.alloc(layout);
            let grown = heap.realloc(first, layout, 2000);
            assert_eq!(grown, first);
            let _second = heap.alloc(layout);
            let moved = heap.realloc(grown, Layout::array::<u8>(2000).unwrap(), 4000);
            assert_ne!(moved, first);
            assert_eq!(heap.alloc(Layout::array::<u8>(2000).unwrap()), first, "freed blocks are used again");
        }
    }

    #[test]
    fn freeing_and_asking_again_takes_no_more_memory() {
        let mut heap = Heap::new(Arena::new(1 << 20));
        // SAFETY: the blocks are used as they were asked for.
        unsafe {
            let kept = heap.alloc(Layout::array::<u8>(8).unwrap());
            for round in 0..10_000 {
                let layout = Layout::array::<u8>(1 + round % 5000).unwrap();
                let block = heap.alloc(layout);
                assert!(!block.is_null() && block != kept);
                heap.dealloc(block, layout);
            }
        }
    }

    #[test]
    fn without_memory_the_answer_is_null() {
        let mut heap = Heap::new(Arena::new(8192));
        // SAFETY: the blocks are used as they were asked for.
        unsafe {
            let layout = Layout::array::<u8>(5000).unwrap();
            let block = heap.alloc(layout);
            assert!(!block.is_null());
            assert!(heap.alloc(layout).is_null());
            assert!(heap.realloc(block, layout, 50_000).is_null());
        }
    }

    proptest! {
        #[test]
        fn blocks_never_overlap_and_keep_their_bytes(
            steps in prop::collection::vec((0_usize..3, 0_usize..12, 1_usize..3000, 0_u32..7), 1..200)
        ) {
            let mut heap = Heap::new(Arena::new(4 << 20));
            let mut live: BTreeMap<usize, (*mut u8, Layout, u8)> = BTreeMap::new();
            for (number, (action, slot, size, align)) in steps.into_iter().enumerate() {
                let fill = number as u8;
                // SAFETY: the blocks are used as they were asked for.
                unsafe {
                    match (action, live.remove(&slot)) {
                        (0, Some((block, layout, _))) => heap.dealloc(block, layout),
                        (1, Some((block, layout, old_fill))) => {
                            let moved = heap.realloc(block, layout, size);
                            for at in 0..size.min(layout.size()) {
                                prop_assert_eq!(moved.add(at).read(), old_fill);
                            }
                            moved.write_bytes(fill, size);
                            let layout = Layout::from_size_align(size, layout.align()).unwrap();
                            live.insert(slot, (moved, layout, fill));
                        }
                        (_, Some(kept)) => {
                            live.insert(slot, kept);
                        }
                        (_, None) => {
                            let layout = Layout::from_size_align(size, 1 << align).unwrap();
                            let block = heap.alloc(layout);
                            prop_assert!(block.addr().is_multiple_of(layout.align()));
                            block.write_bytes(fill, size);
                            live.insert(slot, (block, layout, fill));
                        }
                    }
                    for (block, layout, fill) in live.values() {
                        prop_assert_eq!(block.read(), *fill);
                        prop_assert_eq!(block.add(layout.size() - 1).read(), *fill);
                    }
                }
            }
        }
    }
}
