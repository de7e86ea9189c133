//! What is in a memory when an instance begins, and the slots that are as it says.
use std::fs::File;
use std::io::{self, Write as _};
use std::ops::Range;
use std::ptr;
use std::sync::Arc;

use parking_lot::Mutex;
use rustix::fs::{MemfdFlags, memfd_create};
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};
use wasmtime::LinearMemory;

use super::UsedBy;
use super::faults::Faults;
use super::slot::Slot;
use super::written;

/// What is copied at most to set a memory back. Beyond it, all pages are given back to the kernel.
const COPIED_BYTES_MAX: usize = 2 << 20;
/// After so many times, all pages are given back, so that a page is not copied forever that one call wrote.
const COPIED_TIMES_MAX: u32 = 256;
/// Slots that are kept for the next calls of a module.
const IDLE_SLOTS_MAX: usize = 64;

/// A memory as an instance begins with it.
#[derive(Debug)]
pub(crate) struct Image {
    size: usize,
    content: Option<Content>,
    idle: Mutex<Vec<Slot>>,
}

impl Image {
    /// A memory of `size` bytes, with these bytes at `start`, a multiple of [`page_bytes`].
    ///
    /// # Errors
    /// The system has no memory left for it, or no file descriptor.
    pub(crate) fn new(size: usize, start: usize, bytes: &[u8]) -> io::Result<Image> {
        let content = if bytes.is_empty() { None } else { Some(Content::new(start, bytes)?) };
        Ok(Image { content, ..Image::of_zeros(size) })
    }

    /// A memory of zeros.
    pub(crate) fn of_zeros(size: usize) -> Image {
        Image { size, content: None, idle: Mutex::default() }
    }

    /// The memory's size at the beginning, in bytes.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    fn take_slot(&self, reserved_bytes: usize, guard_bytes: usize) -> io::Result<Slot> {
        if let Some(slot) = self.idle.lock().pop() {
            return Ok(slot);
        }
        Slot::new(reserved_bytes, guard_bytes, self.size, self.content.as_ref())
    }

    /// Sets a slot back and keeps it, if nothing is in the way of that. `is_known`: no page was written that was not before.
    fn put_back(&self, mut slot: Slot, is_known: bool) {
        if !self.set_back(&mut slot, is_known) {
            return;
        }
        let mut idle = self.idle.lock();
        if idle.len() < IDLE_SLOTS_MAX {
            idle.push(slot);
        }
    }

    /// `false`: that failed, and is said; the slot is of no more use.
    fn set_back(&self, slot: &mut Slot, is_known: bool) -> bool {
        let set_back = self.try_set_back(slot, is_known);
        if let Err(error) = &set_back {
            tracing::warn!(%error, "a call's memory could not be set back; the next call takes another");
        }
        set_back.is_ok()
    }

    fn try_set_back(&self, slot: &mut Slot, is_known: bool) -> io::Result<()> {
        let copied = slot.copied < COPIED_TIMES_MAX && self.copy_written(slot, is_known);
        if copied {
            slot.copied += 1;
        } else {
            slot.give_back()?;
        }
        slot.close(self.size)
    }

    /// `false`: it is not known what was written, or too much was.
    fn copy_written(&self, slot: &mut Slot, is_known: bool) -> bool {
        let known = slot.written.take();
        let runs = match known {
            Some(runs) if is_known => runs,
            known => match look(slot, known.unwrap_or_default()) {
                Some(runs) => runs,
                None => return false,
            },
        };
        for run in &runs {
            // Past what is open nothing was written.
            let run = run.start..run.end.min(slot.open_bytes());
            if !run.is_empty() {
                self.copy(slot.bytes(run.clone()), run);
            }
        }
        slot.written = Some(runs);
        true
    }

    /// Makes these bytes of a memory what they were at the beginning.
    fn copy(&self, bytes: &mut [u8], range: Range<usize>) {
        let content = self.content.as_ref().map_or(0..0, Content::range);
        let inside = range.start.max(content.start)..range.end.min(content.end);
        if inside.is_empty() {
            bytes.fill(0);
            return;
        }
        let part = inside.start - range.start..inside.end - range.start;
        bytes[..part.start].fill(0);
        bytes[part.end..].fill(0);
        let original = self.content.as_ref().map_or(&[][..], Content::bytes);
        bytes[part].copy_from_slice(&original[inside.start - content.start..inside.end - content.start]);
    }
}

/// The pages of a slot that were written since all were given back: what the kernel says of those that are open, and what
/// was known of the others, which a call may open again. `None`: it is not known, or they are too many.
fn look(slot: &mut Slot, known: Vec<Range<usize>>) -> Option<Vec<Range<usize>>> {
    let open = slot.open_bytes();
    let mut runs = written::runs(slot.bytes(0..open), COPIED_BYTES_MAX).ok()?;
    let past = known.into_iter().filter(|run| run.end > open);
    runs.extend(past.map(|run| run.start.max(open)..run.end));
    Some(runs)
}

/// The part of an image that is not zeros.
#[derive(Debug)]
pub(super) struct Content {
    file: File,
    start: usize,
    length: usize,
    mapped: *const u8,
}

// SAFETY: the mapping is read only, and nobody else has the file.
#[allow(unsafe_code)]
unsafe impl Send for Content {}
// SAFETY: as above.
#[allow(unsafe_code)]
unsafe impl Sync for Content {}

impl Content {
    fn new(start: usize, bytes: &[u8]) -> io::Result<Content> {
        let mut file = File::from(memfd_create("weir-memory-image", MemfdFlags::CLOEXEC)?);
        file.write_all(bytes)?;
        let length = bytes.len().next_multiple_of(page_bytes());
        file.set_len(length as u64)?;
        // SAFETY: a new mapping at an address that the kernel chooses, of a file that nobody can shorten.
        #[allow(unsafe_code)]
        let mapped = unsafe { mmap(ptr::null_mut(), length, ProtFlags::READ, MapFlags::SHARED, &file, 0) }?;
        Ok(Content { file, start, length, mapped: mapped.cast() })
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// Where in the memory it is.
    pub(super) fn range(&self) -> Range<usize> {
        self.start..self.start + self.length
    }

    fn bytes(&self) -> &[u8] {
        // SAFETY: the mapping is so long, stays until `drop`, and its file is never written again.
        #[allow(unsafe_code)]
        unsafe {
            std::slice::from_raw_parts(self.mapped, self.length)
        }
    }
}

impl Drop for Content {
    fn drop(&mut self) {
        // SAFETY: the mapping is this one's own, and nothing points into it any more.
        #[allow(unsafe_code)]
        let unmapped = unsafe { munmap(self.mapped.cast_mut().cast(), self.length) };
        debug_assert!(unmapped.is_ok(), "{unmapped:?}");
    }
}

/// The size of a page of this machine. It divides WebAssembly's of 64 KiB.
pub(super) fn page_bytes() -> usize {
    rustix::param::page_size()
}

/// A memory in a slot, for as long as an instance has it. Clones are the same memory.
#[derive(Clone)]
pub(crate) struct ImageMemory(Arc<Mutex<Held>>);

struct Held {
    image: Arc<Image>,
    slot: Option<Slot>,
    size: usize,
    /// Those of the thread that alone uses the memory, when it began to.
    faults: Option<Faults>,
}

impl ImageMemory {
    pub(super) fn new(
        image: Arc<Image>,
        used_by: UsedBy,
        reserved_bytes: usize,
        guard_bytes: usize,
    ) -> io::Result<ImageMemory> {
        let slot = image.take_slot(reserved_bytes, guard_bytes)?;
        let faults = match used_by {
            UsedBy::ThisThread => Faults::now(),
            UsedBy::AnyThread => None,
        };
        Ok(ImageMemory(Arc::new(Mutex::new(Held { size: image.size, image, slot: Some(slot), faults }))))
    }

    /// Makes it as it was at the beginning, while its instance is there and does not run. `false`: that cannot be done, and
    /// the instance is to be dropped.
    pub(crate) fn set_back(&self) -> bool {
        let held = &mut *self.0.lock();
        // wasmtime knows of no memory that shrinks.
        let Some(slot) = held.slot.as_mut().filter(|_| held.size == held.image.size) else { return false };
        let now = Faults::now();
        // Whatever fails here, nothing is known of the slot any more.
        let is_known = held.faults.take().is_some_and(|before| now.as_ref() == Some(&before));
        let is_set_back = held.image.set_back(slot, is_known);
        held.faults = now;
        is_set_back
    }

    /// A call begins: from now on this thread alone uses the memory, which was set back.
    pub(crate) fn begin(&self) {
        let mut held = self.0.lock();
        // Mostly it is the thread that set it back, which saves asking once more. A fault that it has taken since then counts
        // as one of the call's, and makes the kernel be asked for the pages that were written.
        if !held.faults.as_ref().is_some_and(Faults::are_of_this_thread) {
            held.faults = Faults::now();
        }
    }
}

impl Held {
    fn slot(&self) -> &Slot {
        self.slot.as_ref().expect("it has its slot until it is dropped")
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(slot) = self.slot.take() {
            let is_known = self.faults.as_ref().is_some_and(Faults::are_all);
            self.image.put_back(slot, is_known);
        }
    }
}

// SAFETY: the slot is page aligned, guarded, and stays where it is; `byte_size` bytes of it can be reached.
#[allow(unsafe_code)]
unsafe impl LinearMemory for ImageMemory {
    fn byte_size(&self) -> usize {
        self.0.lock().size
    }

    fn byte_capacity(&self) -> usize {
        self.0.lock().slot().reserved_bytes()
    }

    fn grow_to(&mut self, new_size: usize) -> wasmtime::Result<()> {
        let held = &mut *self.0.lock();
        held.slot.as_mut().expect("it has its slot until it is dropped").open(new_size)?;
        held.size = new_size;
        Ok(())
    }

    fn as_ptr(&self) -> *mut u8 {
        self.0.lock().slot().base()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GUARD: usize = 1 << 16;
    const RESERVED: usize = 64 << 20;

    fn memory(image: &Arc<Image>) -> ImageMemory {
        ImageMemory::new(image.clone(), UsedBy::ThisThread, RESERVED, GUARD).unwrap()
    }

    /// The memory's bytes, which the tests use one after another.
    #[allow(unsafe_code)]
    fn content(memory: &mut ImageMemory) -> &mut [u8] {
        let (base, size) = (memory.as_ptr(), memory.byte_size());
        // SAFETY: so many bytes of the slot are open, for as long as the memory is there.
        unsafe { std::slice::from_raw_parts_mut(base, size) }
    }

    /// 8 pages, of which the third and the fourth are not zeros.
    fn image() -> (Arc<Image>, Vec<u8>) {
        let page = page_bytes();
        let bytes: Vec<u8> = (0..2 * page - 100).map(|at| (at % 251) as u8 + 1).collect();
        let mut whole = vec![0; 8 * page];
        whole[2 * page..2 * page + bytes.len()].copy_from_slice(&bytes);
        (Arc::new(Image::new(8 * page, 2 * page, &bytes).unwrap()), whole)
    }

    #[test]
    fn whatever_is_written_is_gone_in_the_next() {
        let (image, whole) = image();
        let mut first = None;
        for round in 0..3 * COPIED_TIMES_MAX as usize {
            let mut memory = memory(&image);
            assert_eq!(*first.get_or_insert(memory.as_ptr() as usize), memory.as_ptr() as usize, "the slot");
            assert_eq!(content(&mut memory), whole, "round {round}");
            // Single bytes, all over, and now and then everything.
            match round % 7 {
                0 => content(&mut memory).fill(9),
                step => content(&mut memory).iter_mut().step_by(step * 777).for_each(|byte| *byte ^= 0xff),
            }
        }
    }

    #[test]
    fn growth_is_zeros_and_is_gone_in_the_next() {
        let (image, whole) = image();
        for _ in 0..10 {
            let mut memory = memory(&image);
            assert_eq!(memory.byte_size(), whole.len());
            memory.grow_to(whole.len() + (1 << 20)).unwrap();
            assert!(content(&mut memory)[whole.len()..].iter().all(|&byte| byte == 0));
            content(&mut memory)[whole.len()..].fill(3);
        }
        assert_eq!(memory(&image).0.lock().slot().open_bytes(), whole.len());
    }

    /// What is past the size stays written, and nobody faults who opens it again: it has to be remembered meanwhile.
    #[test]
    fn growth_is_gone_whatever_was_looked_at_meanwhile() {
        let (image, whole) = image();
        let grown = whole.len() + (1 << 18);
        let grow = || {
            let mut memory = memory(&image);
            memory.grow_to(grown).unwrap();
            assert!(content(&mut memory)[whole.len()..].iter().all(|&byte| byte == 0));
            content(&mut memory)[whole.len()..].fill(3);
        };
        for page in 0..8 {
            grow();
            // Another page each time, which is a fault, and so a look at what is open then.
            content(&mut memory(&image))[page * page_bytes()] ^= 0xff;
            grow();
            assert_eq!(content(&mut memory(&image)), whole);
        }
    }

    #[test]
    fn the_kernel_is_asked_only_after_a_fault() {
        let (image, _) = image();
        let page = page_bytes();
        let write = |at: usize| content(&mut memory(&image))[at] ^= 0xff;
        let known = || image.idle.lock()[0].written.clone().unwrap();
        let knows = |at: usize| known().iter().any(|run| run.contains(&at));
        write(0);
        assert!(knows(0));
        // What it would not say.
        let marked = [0..page, page..2 * page];
        let is_asked = || {
            image.idle.lock()[0].written = Some(marked.to_vec());
            write(0);
            known() != marked
        };
        // A fault of anything else in this thread makes it be asked too.
        assert!((0..100).any(|_| !is_asked()));
        write(5 * page);
        assert!(knows(5 * page) && !knows(4 * page));
    }

    /// A thread that has the memory for a time takes faults that the first one does not know of.
    #[test]
    fn what_other_threads_write_is_gone_too() {
        let (image, whole) = image();
        let any = || ImageMemory::new(image.clone(), UsedBy::AnyThread, RESERVED, GUARD).unwrap();
        drop(memory(&image));
        for page in 0..8 {
            let mut memory = any();
            std::thread::scope(|scope| {
                scope.spawn(|| content(&mut memory)[page * page_bytes()] ^= 0xff);
            });
            drop(memory);
            assert_eq!(content(&mut any()), whole, "page {page}");
        }
    }

    #[test]
    fn more_than_is_copied_is_given_back() {
        let (image, whole) = image();
        let mut large = memory(&image);
        large.grow_to(3 * COPIED_BYTES_MAX).unwrap();
        content(&mut large).fill(1);
        drop(large);
        let mut next = memory(&image);
        assert_eq!(next.0.lock().slot().copied, 0);
        assert_eq!(content(&mut next), whole);
        next.grow_to(3 * COPIED_BYTES_MAX).unwrap();
        assert!(content(&mut next)[whole.len()..].iter().all(|&byte| byte == 0));
    }

    #[test]
    fn a_memory_does_not_grow_past_its_reservation() {
        let mut memory = memory(&Arc::new(Image::of_zeros(1 << 16)));
        assert!(memory.grow_to(RESERVED + 1).is_err());
        memory.grow_to(RESERVED).unwrap();
    }

    #[test]
    fn what_is_set_back_is_as_at_the_beginning_while_it_is_there() {
        let (image, whole) = image();
        let mut memory = memory(&image);
        for round in 0..2 * COPIED_TIMES_MAX as usize {
            memory.begin();
            assert_eq!(content(&mut memory), whole, "round {round}");
            content(&mut memory).iter_mut().step_by(777 + round % 7).for_each(|byte| *byte ^= 0xff);
            assert!(memory.set_back());
        }
        memory.begin();
        memory.grow_to(whole.len() + (1 << 16)).unwrap();
        assert!(!memory.set_back(), "it has grown");
        drop(memory);
        assert_eq!(content(&mut self::memory(&image)), whole);
    }

    #[test]
    fn two_at_a_time_are_apart() {
        let (image, whole) = image();
        let (mut one, mut other) = (memory(&image), memory(&image));
        content(&mut one).fill(1);
        assert_eq!(content(&mut other), whole);
        drop((one, other));
        assert_eq!(image.idle.lock().len(), 2);
        assert_eq!(content(&mut memory(&image)), whole);
    }
}
