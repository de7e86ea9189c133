//! Which pages of a private mapping were written: the kernel knows.
use std::ffi::c_void;
use std::fs::File;
use std::io;
use std::mem::size_of;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::sync::LazyLock;

use rustix::ioctl::{Ioctl, IoctlOutput, Opcode, ioctl, opcode};

use super::image::page_bytes;

/// `/proc/self/pagemap`, if there is one and it can be used.
static PAGEMAP: LazyLock<Option<Pagemap>> = LazyLock::new(|| {
    let file = File::open("/proc/self/pagemap").ok()?;
    let scans = scan(&file, 0..0, usize::MAX).is_ok();
    Some(Pagemap { file, scans })
});

struct Pagemap {
    file: File,
    /// Whether the kernel answers `PAGEMAP_SCAN`: Linux 6.7 and later.
    scans: bool,
}

/// The runs of pages of `memory`, a private mapping that begins and ends with a page, that are not the mapped file's
/// and not the kernel's page of zeros: all that were written since they were mapped or given back, be they in memory
/// or swapped out. As ranges within `memory`, in order.
///
/// # Errors
/// The kernel does not say, or they are more than `bytes_max`.
pub(super) fn runs(memory: &[u8], bytes_max: usize) -> io::Result<Vec<Range<usize>>> {
    let pagemap = PAGEMAP.as_ref().ok_or(io::ErrorKind::Unsupported)?;
    let start = memory.as_ptr() as usize;
    let range = start..start + memory.len();
    let runs = match pagemap.scans {
        true => scan(&pagemap.file, range, bytes_max)?,
        false => read_entries(&pagemap.file, range, bytes_max)?,
    };
    Ok(runs.into_iter().map(|run| run.start - start..run.end - start).collect())
}

fn too_many() -> io::Error {
    io::Error::other("more pages were written than are asked for")
}

/// How many runs the kernel gives at once.
const RUNS_AT_ONCE: usize = 128;

/// `struct page_region` of `linux/fs.h`.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct PageRegion {
    start: u64,
    end: u64,
    categories: u64,
}

/// `struct pm_scan_arg` of `linux/fs.h`.
#[repr(C)]
struct ScanArg {
    size: u64,
    flags: u64,
    start: u64,
    end: u64,
    walk_end: u64,
    vec: u64,
    vec_len: u64,
    max_pages: u64,
    category_inverted: u64,
    category_mask: u64,
    category_anyof_mask: u64,
    return_mask: u64,
}

const PAGE_IS_FILE: u64 = 1 << 2;
const PAGE_IS_PRESENT: u64 = 1 << 3;
const PAGE_IS_SWAPPED: u64 = 1 << 4;
const PAGE_IS_PFNZERO: u64 = 1 << 5;

// SAFETY: the number and the direction are `PAGEMAP_SCAN`'s; the kernel writes into the argument and into the regions
// that it points to, which outlive the call (see `scan`).
#[allow(unsafe_code)]
unsafe impl Ioctl for &mut ScanArg {
    type Output = usize;

    const IS_MUTATING: bool = true;

    fn opcode(&self) -> Opcode {
        opcode::read_write::<ScanArg>(b'f', 16)
    }

    fn as_ptr(&mut self) -> *mut c_void {
        std::ptr::from_mut::<ScanArg>(self).cast()
    }

    unsafe fn output_from_ptr(found: IoctlOutput, _: *mut c_void) -> rustix::io::Result<usize> {
        Ok(found as usize)
    }
}

/// Asks for the runs with `PAGEMAP_SCAN`.
fn scan(pagemap: &File, range: Range<usize>, bytes_max: usize) -> io::Result<Vec<Range<usize>>> {
    let mut regions = [PageRegion::default(); RUNS_AT_ONCE];
    let mut argument = ScanArg {
        size: size_of::<ScanArg>() as u64,
        flags: 0,
        start: range.start as u64,
        end: range.end as u64,
        walk_end: 0,
        vec: 0,
        vec_len: RUNS_AT_ONCE as u64,
        max_pages: 0,
        category_inverted: PAGE_IS_FILE | PAGE_IS_PFNZERO,
        category_mask: PAGE_IS_FILE | PAGE_IS_PFNZERO,
        category_anyof_mask: PAGE_IS_PRESENT | PAGE_IS_SWAPPED,
        return_mask: 0,
    };
    let mut runs = Vec::new();
    let mut bytes = 0;
    loop {
        argument.vec = regions.as_mut_ptr() as u64;
        // SAFETY: see the `Ioctl`; `regions` is as long as the argument says and is not touched meanwhile.
        #[allow(unsafe_code)]
        let found = unsafe { ioctl(pagemap, &mut argument) }?;
        for region in &regions[..found] {
            let run = region.start as usize..region.end as usize;
            bytes += run.len();
            runs.push(run);
        }
        if bytes > bytes_max {
            return Err(too_many());
        }
        if argument.walk_end >= argument.end || argument.walk_end <= argument.start {
            return Ok(runs);
        }
        argument.start = argument.walk_end;
    }
}

const ENTRY_BYTES: usize = 8;
const ENTRY_IS_PRESENT: u64 = 1 << 63;
const ENTRY_IS_SWAPPED: u64 = 1 << 62;
/// A file's page, or shared.
const ENTRY_IS_FILE: u64 = 1 << 61;

/// Reads what the kernel says of each page. It does not tell the page of zeros from one that was written.
fn read_entries(pagemap: &File, range: Range<usize>, bytes_max: usize) -> io::Result<Vec<Range<usize>>> {
    let page = page_bytes();
    let mut entries = vec![0; (range.len() / page) * ENTRY_BYTES];
    pagemap.read_exact_at(&mut entries, (range.start / page * ENTRY_BYTES) as u64)?;
    let mut runs: Vec<Range<usize>> = Vec::new();
    let mut bytes = 0;
    for (number, entry) in entries.as_chunks::<ENTRY_BYTES>().0.iter().enumerate() {
        let entry = u64::from_le_bytes(*entry);
        if entry & (ENTRY_IS_PRESENT | ENTRY_IS_SWAPPED) == 0 || entry & ENTRY_IS_FILE != 0 {
            continue;
        }
        let start = range.start + number * page;
        bytes += page;
        match runs.last_mut() {
            Some(last) if last.end == start => last.end += page,
            _ => runs.push(start..start + page),
        }
    }
    if bytes > bytes_max { Err(too_many()) } else { Ok(runs) }
}

#[cfg(test)]
mod tests {
    use super::super::slot::Slot;
    use super::*;

    type Find = fn(&File, Range<usize>, usize) -> io::Result<Vec<Range<usize>>>;

    /// Every second page, so that there are many runs.
    #[test]
    fn both_ways_find_what_was_written() {
        let page = page_bytes();
        let pages = 4 * RUNS_AT_ONCE;
        let mut slot = Slot::new(pages * page, page, pages * page, None).unwrap();
        for number in (0..pages).step_by(2) {
            slot.bytes(number * page..number * page + 1)[0] = 1;
        }
        let base = slot.base() as usize;
        let expected: Vec<_> =
            (0..pages).step_by(2).map(|number| base + number * page..base + (number + 1) * page).collect();
        let pagemap = PAGEMAP.as_ref().unwrap();
        let ways: &[(&str, Find)] = if pagemap.scans {
            &[("scan", scan), ("entries", read_entries)]
        } else {
            &[("entries", read_entries)]
        };
        for (name, find) in ways {
            let found = find(&pagemap.file, base..base + pages * page, usize::MAX).unwrap();
            assert_eq!(found, expected, "{name}");
            assert!(find(&pagemap.file, base..base + pages * page, page).is_err(), "{name}");
        }
        slot.give_back().unwrap();
        assert!(runs(slot.bytes(0..pages * page), usize::MAX).unwrap().is_empty());
    }

    #[test]
    fn what_is_only_read_is_not_written() {
        let page = page_bytes();
        let mut slot = Slot::new(8 * page, page, 8 * page, None).unwrap();
        assert_eq!(slot.bytes(0..8 * page).iter().map(|&byte| u32::from(byte)).sum::<u32>(), 0);
        if PAGEMAP.as_ref().unwrap().scans {
            assert!(runs(slot.bytes(0..8 * page), usize::MAX).unwrap().is_empty());
        }
    }
}
