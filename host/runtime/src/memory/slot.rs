//! A piece of address space in which one memory lies at a time, between guards.
use std::ffi::c_void;
use std::io;
use std::ops::Range;
use std::ptr;

use rustix::mm::{
    Advice, MapFlags, MprotectFlags, ProtFlags, madvise, mmap, mmap_anonymous, mprotect, munmap,
};

use super::image::Content;

/// Address space for one memory: `guard | memory, as far as it is open | rest of the reservation | guard`. What is not
/// open cannot be read or written.
#[derive(Debug)]
pub(super) struct Slot {
    whole: *mut u8,
    whole_bytes: usize,
    guard_bytes: usize,
    open_bytes: usize,
    /// As far as it was ever open.
    opened_bytes: usize,
    /// The pages that were written since all were last given back, as runs in order, also past what is open. `None`: that
    /// was not looked at yet.
    pub(super) written: Option<Vec<Range<usize>>>,
    /// How often the memory was set back since its pages were last given back.
    pub(super) copied: u32,
}

// SAFETY: the mapping belongs to the slot alone, and is used through `&mut` and by the instance that has the slot.
#[allow(unsafe_code)]
unsafe impl Send for Slot {}
// SAFETY: as above; nothing is changed through `&`.
#[allow(unsafe_code)]
unsafe impl Sync for Slot {}

impl Slot {
    /// Reserves address space, of which the first bytes are open and as the image says.
    ///
    /// # Errors
    /// The system gives no more address space.
    pub(super) fn new(
        reserved_bytes: usize,
        guard_bytes: usize,
        open_bytes: usize,
        content: Option<&Content>,
    ) -> io::Result<Slot> {
        let whole_bytes = guard_bytes
            .checked_mul(2)
            .and_then(|guards| guards.checked_add(reserved_bytes))
            .ok_or(io::ErrorKind::OutOfMemory)?;
        // SAFETY: a new mapping at an address that the kernel chooses.
        #[allow(unsafe_code)]
        let whole = unsafe {
            mmap_anonymous(
                ptr::null_mut(),
                whole_bytes,
                ProtFlags::empty(),
                MapFlags::PRIVATE | MapFlags::NORESERVE,
            )
        }?;
        let mut slot = Slot {
            whole: whole.cast(),
            whole_bytes,
            guard_bytes,
            open_bytes: 0,
            opened_bytes: 0,
            written: None,
            copied: 0,
        };
        // A huge page would count as written, whole, by one byte. A kernel without them refuses, and has none.
        // SAFETY: the advice changes no content, and the range is the slot's own.
        #[allow(unsafe_code)]
        let _ = unsafe { madvise(whole, whole_bytes, Advice::LinuxNoHugepage) };
        slot.map_content(content)?;
        slot.open(open_bytes)?;
        Ok(slot)
    }

    /// Where the memory begins.
    pub(super) fn base(&self) -> *mut u8 {
        self.whole.wrapping_add(self.guard_bytes)
    }

    pub(super) fn reserved_bytes(&self) -> usize {
        self.whole_bytes - 2 * self.guard_bytes
    }

    pub(super) fn open_bytes(&self) -> usize {
        self.open_bytes
    }

    /// Opens the memory as far as this, if it is not yet.
    pub(super) fn open(&mut self, bytes: usize) -> io::Result<()> {
        if bytes > self.reserved_bytes() {
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        if bytes > self.open_bytes {
            self.protect(self.open_bytes..bytes, MprotectFlags::READ | MprotectFlags::WRITE)?;
            self.open_bytes = bytes;
            self.opened_bytes = self.opened_bytes.max(bytes);
        }
        Ok(())
    }

    /// Closes what is past these bytes.
    pub(super) fn close(&mut self, bytes: usize) -> io::Result<()> {
        if bytes < self.open_bytes {
            self.protect(bytes..self.open_bytes, MprotectFlags::empty())?;
            self.open_bytes = bytes;
        }
        Ok(())
    }

    /// A part of the open memory. Nobody else uses the memory while it is borrowed: no instance that runs has the slot.
    pub(super) fn bytes(&mut self, range: Range<usize>) -> &mut [u8] {
        assert!(range.start <= range.end && range.end <= self.open_bytes, "{range:?} is not open");
        // SAFETY: the range is open, so readable and writable, and `&mut self` is the only way to it.
        #[allow(unsafe_code)]
        unsafe {
            std::slice::from_raw_parts_mut(self.base().add(range.start), range.len())
        }
    }

    /// Sets all that was ever open back to the image, by giving the kernel what was written.
    pub(super) fn give_back(&mut self) -> io::Result<()> {
        // SAFETY: the range is the slot's own; its private pages become the file's, or zeros, again.
        #[allow(unsafe_code)]
        unsafe { madvise(self.base().cast(), self.opened_bytes, Advice::LinuxDontNeed) }?;
        self.written = None;
        self.copied = 0;
        Ok(())
    }

    fn protect(&self, range: Range<usize>, flags: MprotectFlags) -> io::Result<()> {
        // SAFETY: the range lies within the reservation, which is the slot's own.
        #[allow(unsafe_code)]
        unsafe { mprotect(self.base().add(range.start).cast(), range.len(), flags) }?;
        Ok(())
    }

    fn map_content(&self, content: Option<&Content>) -> io::Result<()> {
        let Some(content) = content else { return Ok(()) };
        assert!(content.range().end <= self.reserved_bytes(), "the image is larger than the reservation");
        // SAFETY: it replaces a part of the slot's own reservation, in which nothing is yet.
        #[allow(unsafe_code)]
        unsafe {
            mmap(
                self.base().add(content.range().start).cast::<c_void>(),
                content.range().len(),
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::PRIVATE | MapFlags::FIXED | MapFlags::NORESERVE,
                content.file(),
                0,
            )
        }?;
        Ok(())
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        // SAFETY: the mapping is the slot's own, and nothing points into it any more.
        #[allow(unsafe_code)]
        let unmapped = unsafe { munmap(self.whole.cast(), self.whole_bytes) };
        debug_assert!(unmapped.is_ok(), "{unmapped:?}");
    }
}
