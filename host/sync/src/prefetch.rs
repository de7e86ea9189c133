//! Asking the processor for memory before it is needed.
//!
//! What belongs to one of many sockets was last looked at when something was pushed to it last: it is in no cache any more,
//! and one socket after the other would wait for each piece of it. Asked for some sockets ahead, it has come by then.

/// What the processor's caches fetch at once.
const LINE_BYTES: usize = 64;

/// Has all of a value fetched, but not what it points to. Does nothing where the processor is not known.
pub fn prefetch<T>(value: &T) {
    prefetch_at(std::ptr::from_ref(value), size_of::<T>());
}

/// Has the counts fetched of what an `Arc` or a `Weak` points to: they stand before it.
pub fn prefetch_counts<T: ?Sized>(shared: *const T) {
    const COUNTS_BYTES: usize = 2 * size_of::<usize>();
    prefetch_at(shared.cast::<i8>().wrapping_sub(COUNTS_BYTES), COUNTS_BYTES);
}

fn prefetch_at<T>(address: *const T, bytes: usize) {
    for offset in (0..bytes).step_by(LINE_BYTES) {
        prefetch_line(address.cast::<i8>().wrapping_add(offset));
    }
}

#[cfg(target_arch = "x86_64")]
fn prefetch_line(address: *const i8) {
    use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};

    // SAFETY: it reads nothing, and an address that is nobody's is left alone.
    #[allow(unsafe_code)]
    unsafe {
        _mm_prefetch::<_MM_HINT_T0>(address);
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn prefetch_line(_address: *const i8) {}
