//! Whether a thread has written to pages that it had not written before: then it has taken page faults, which the kernel
//! counts.
//!
//! Looking for written pages takes as long as a small call, and the answer is nearly always the one of the call before. A
//! page of a private mapping is the file's, or zeros, until the first write, which is a fault; so where none was counted,
//! none was written that is not known to be.
use std::sync::LazyLock;
use std::thread::{self, ThreadId};

use nix::sys::resource::{UsageWho, getrusage};

use super::image::page_bytes;
use super::slot::Slot;

/// Whether this kernel counts a thread's faults. One that pretends to be Linux may give zeros.
static COUNTS: LazyLock<bool> = LazyLock::new(|| {
    let page = page_bytes();
    let Ok(mut slot) = Slot::new(page, page, page, None) else { return false };
    let Some(before) = count() else { return false };
    slot.bytes(0..1)[0] = 1;
    count().is_some_and(|after| after > before)
});

/// A thread's faults at a moment.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Faults {
    thread: ThreadId,
    count: i64,
}

impl Faults {
    /// Those of this thread until now. `None`: the kernel does not say.
    pub(super) fn now() -> Option<Faults> {
        if !*COUNTS {
            return None;
        }
        Some(Faults { thread: thread::current().id(), count: count()? })
    }

    /// Whether they are this thread's.
    pub(super) fn are_of_this_thread(&self) -> bool {
        self.thread == thread::current().id()
    }

    /// Whether this is the same thread, and it has taken none since.
    pub(super) fn are_all(&self) -> bool {
        Faults::now().is_some_and(|now| now == *self)
    }
}

/// Faults that needed no disk, and those that did.
fn count() -> Option<i64> {
    let usage = getrusage(UsageWho::RUSAGE_THREAD).ok()?;
    Some(usage.minor_page_faults() + usage.major_page_faults())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A page after another, so that none is there before it is written.
    #[test]
    fn the_first_write_to_a_page_is_a_fault_and_the_second_is_none() {
        let page = page_bytes();
        let pages = 64;
        let mut slot = Slot::new(pages * page, page, pages * page, None).unwrap();
        assert!(Faults::now().is_some(), "Linux counts them");
        for number in 0..pages {
            let before = Faults::now().unwrap();
            slot.bytes(number * page..number * page + 1)[0] = 1;
            assert!(!before.are_all(), "page {number}");
        }
        let again = |slot: &mut Slot| {
            let before = Faults::now().unwrap();
            (0..pages).for_each(|number| slot.bytes(number * page..number * page + 1)[0] = 2);
            before.are_all()
        };
        // What else runs in this thread may take one now and then.
        assert!((0..100).any(|_| again(&mut slot)));
    }

    #[test]
    fn another_thread_cannot_tell() {
        let before = Faults::now().unwrap();
        assert!(!thread::scope(|scope| scope.spawn(move || before.are_all()).join().unwrap()));
    }
}
