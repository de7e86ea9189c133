//! The linear memories of instances.
//!
//! What a module puts into its memory at the start is an [`image`] of it, mapped privately into a [`slot`] of address
//! space. After a call the slot is set back to the image by copying the [`written`] pages, and serves the next call of
//! the module: its pages stay where they are, and the next call takes no page fault for them. A call that took no
//! [`faults`] at all has written none but those that are known from the calls before, and the kernel is not asked.
//!
//! wasmtime's pool does the same, but looks at no more than 32 runs of written pages in a memory and gives the rest
//! back to the kernel. A call in Go or JavaScript writes 50 to 90 runs, and paid for it with as many page faults.
mod data;
mod faults;
mod image;
mod slot;
mod written;

use std::cell::RefCell;
use std::sync::Arc;

use wasmtime::{LinearMemory, MemoryCreator, MemoryType};

pub(crate) use data::{find, take_out};
pub(crate) use image::{Image, ImageMemory};

thread_local! {
    /// The image of the instance that this thread is about to make.
    static NEXT: RefCell<Option<(Arc<Image>, UsedBy)>> = const { RefCell::new(None) };
    /// The memory that was made of it.
    static MADE: RefCell<Option<ImageMemory>> = const { RefCell::new(None) };
}

/// Who reads and writes an instance's memory until it is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UsedBy {
    /// The thread that makes the instance; whoever drops it.
    ThisThread,
    /// Any, one at a time.
    AnyThread,
}

/// Runs `instantiate`, which makes one instance of the component that the image was taken out of. Gives the memory that
/// it got, too.
pub(crate) fn with_image<R>(
    image: Option<&Arc<Image>>,
    used_by: UsedBy,
    instantiate: impl FnOnce() -> R,
) -> (R, Option<ImageMemory>) {
    let _forget = Forget;
    NEXT.set(image.map(|image| (image.clone(), used_by)));
    let result = instantiate();
    (result, MADE.take())
}

struct Forget;

impl Drop for Forget {
    fn drop(&mut self) {
        NEXT.set(None);
        MADE.set(None);
    }
}

/// How an error begins that says that the system gave no address space; wasmtime passes on the text alone.
pub(crate) const NO_MEMORY: &str = "the system does not give";

/// Makes the memories of an engine's instances.
#[derive(Debug)]
pub(crate) struct Memories;

// SAFETY: a slot's memory is reserved as wasmtime asks for it, with its guards; what is past its size cannot be
// reached; it never moves; it belongs to one `ImageMemory` at a time; and it is as its image says, zeros if there is
// none, when it is given out (see `slot`).
#[allow(unsafe_code)]
unsafe impl MemoryCreator for Memories {
    fn new_memory(
        &self,
        _ty: MemoryType,
        minimum: usize,
        _maximum: Option<usize>,
        reserved_size_in_bytes: Option<usize>,
        guard_size_in_bytes: usize,
    ) -> Result<Box<dyn LinearMemory>, String> {
        let reserved = reserved_size_in_bytes.unwrap_or(minimum).max(minimum);
        let next = NEXT.take();
        let has_image = next.is_some();
        let (image, used_by) = match next {
            Some((image, used_by)) if image.size() == minimum => (image, used_by),
            Some((image, _)) => return Err(format!("an image of {} bytes for {minimum}", image.size())),
            None => (Arc::new(Image::of_zeros(minimum)), UsedBy::AnyThread),
        };
        match ImageMemory::new(image, used_by, reserved, guard_size_in_bytes) {
            Ok(memory) => {
                if has_image {
                    MADE.set(Some(memory.clone()));
                }
                Ok(Box::new(memory))
            }
            Err(error) => {
                let gib = reserved >> 30;
                Err(format!(
                    "{NO_MEMORY}: {gib} GiB of address space for a call, none of it memory yet: {error}; see \
                             the system's limits `ulimit -v` and `vm.max_map_count`"
                ))
            }
        }
    }
}
