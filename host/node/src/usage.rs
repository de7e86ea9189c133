//! What a process uses, as the kernel counts it.
use std::fs;
use std::time::Duration;

use rustix::param::{clock_ticks_per_second, page_size};

/// What a process uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Usage {
    /// Resident memory.
    pub(crate) memory_bytes: u64,
    /// The time that it has computed.
    pub(crate) computed: Duration,
}

/// Asks the kernel; `None`: the process is gone.
pub(crate) fn of(pid: u32) -> Option<Usage> {
    let memory = fs::read_to_string(format!("/proc/{pid}/statm")).ok()?;
    let pages: u64 = memory.split(' ').nth(1)?.parse().ok()?;
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name comes first, and may hold anything; the time of the process and of the kernel for it are 12th and 13th after.
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
    let ticks = fields.nth(11)?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?;
    let computed = Duration::from_millis(ticks * 1000 / clock_ticks_per_second());
    Some(Usage { memory_bytes: pages * page_size() as u64, computed })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_uses_something() {
        let usage = of(std::process::id()).unwrap();
        assert!(usage.memory_bytes > 1 << 20, "{usage:?}");
        assert_eq!(of(u32::MAX), None);
    }
}
