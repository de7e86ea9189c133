//! What wit-bindgen's bindings need at run time: the constructors, which
//! register the functions, and memory for what the host hands over.
#![allow(unsafe_code, reason = "the canonical ABI is made of addresses")]

/// Runs the module's constructors at the first export that is called.
///
/// Naming `__wasm_call_ctors` is what keeps the linker from calling it at the
/// start of every export, `cabi_realloc` among them.
#[cfg(target_family = "wasm")]
pub(crate) fn run_ctors_once() {
    use std::sync::atomic::{AtomicBool, Ordering};

    static HAVE_RUN: AtomicBool = AtomicBool::new(false);
    unsafe extern "C" {
        fn __wasm_call_ctors();
    }
    if !HAVE_RUN.swap(true, Ordering::Relaxed) {
        // SAFETY: the linker makes this function, and it is called once.
        unsafe { __wasm_call_ctors() }
    }
}

/// Called by the bindings so that this module is linked.
pub(crate) fn maybe_link_cabi_realloc() {}

/// Gives the host memory in the guest for what it hands over.
///
/// # Safety
/// As the canonical ABI says: `old_ptr` and `old_bytes` are 0, or those of an
/// earlier call; `align` is a power of two.
#[cfg(target_family = "wasm")]
#[unsafe(no_mangle)]
unsafe extern "C" fn cabi_realloc(
    old_ptr: *mut u8,
    old_bytes: usize,
    align: usize,
    new_bytes: usize,
) -> *mut u8 {
    use std::alloc::{Layout, alloc, handle_alloc_error, realloc};

    if new_bytes == 0 {
        return std::ptr::without_provenance_mut(align);
    }
    // SAFETY: the caller's promise; `new_bytes` is not 0.
    unsafe {
        let layout = Layout::from_size_align_unchecked(old_bytes.max(new_bytes), align);
        let new_ptr = match old_bytes {
            0 => alloc(layout),
            _ => realloc(old_ptr, Layout::from_size_align_unchecked(old_bytes, align), new_bytes),
        };
        if new_ptr.is_null() {
            handle_alloc_error(layout);
        }
        new_ptr
    }
}
