//! When to flush, and how hard.
//!
//! Flushing a key costs several times what committing it cost. So it waits: until the memory table or the log
//! has grown to its bound, or until nobody needs the processor. A key that changes often is flushed once for
//! all of that. When it must flush under load it takes a quarter of one core, and all of one only when memory
//! or log go on growing.
//!
//! Pure. Not here: threads, and the flushing.

use std::time::Duration;

use crate::StoreOptions;

/// How long to wait when there is something to flush and an open snapshot forbids it.
const BLOCKED_WAIT: Duration = Duration::from_millis(50);

/// What the decision rests on.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Pressure {
    pub(super) memory_bytes: u64,
    /// Log since the last checkpoint.
    pub(super) replay_bytes: u64,
    /// Since the last commit.
    pub(super) idle: Duration,
    /// Whether anything is newer than the last checkpoint.
    pub(super) has_news: bool,
    /// Whether the floor has risen since the last checkpoint.
    pub(super) can_checkpoint: bool,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    /// Nothing, until something is committed.
    Sleep,
    /// Nothing for that long.
    Wait(Duration),
    /// Flush what can be flushed, and make it durable: against the flush the sync costs little, and the next
    /// start replays what is in memory and no more.
    Checkpoint(Pace),
}

/// How much of the processor a flush takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// A quarter of a core.
    Gentle,
    /// All it gets.
    Full,
}

pub(super) fn decide(pressure: &Pressure, options: &StoreOptions) -> Decision {
    let memory_grows = pressure.memory_bytes > options.slow_bytes();
    // Keys that are written again and again take no more memory, and yet more log: half as much again as is wanted.
    let log_grows = pressure.replay_bytes / 3 > options.checkpoint_log_bytes / 2;
    let pace = if memory_grows || log_grows { Pace::Full } else { Pace::Gentle };
    let log_is_long = pressure.replay_bytes > options.checkpoint_log_bytes;
    let memory_is_large = pressure.memory_bytes > options.flush_bytes();
    let is_idle = pressure.idle >= options.idle_before_flush;
    match pressure {
        _ if !pressure.has_news => Decision::Sleep,
        _ if (log_is_long || memory_is_large) && pressure.can_checkpoint => Decision::Checkpoint(pace),
        _ if log_is_long || memory_is_large => Decision::Wait(BLOCKED_WAIT),
        _ if is_idle && pressure.can_checkpoint => Decision::Checkpoint(Pace::Full),
        _ if is_idle => Decision::Wait(options.idle_before_flush.max(BLOCKED_WAIT)),
        _ => Decision::Wait(options.idle_before_flush.saturating_sub(pressure.idle)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decisions() {
        let options = StoreOptions {
            memory_bytes: 800,
            checkpoint_log_bytes: 1000,
            idle_before_flush: Duration::from_secs(1),
            ..StoreOptions::default()
        };
        let busy = Pressure { has_news: true, can_checkpoint: true, ..Pressure::default() };
        let second = Duration::from_secs(1);
        let cases = [
            (Pressure::default(), Decision::Sleep),
            (Pressure { idle: second, memory_bytes: 500, ..Pressure::default() }, Decision::Sleep),
            (busy, Decision::Wait(second)),
            (Pressure { idle: second / 4, ..busy }, Decision::Wait(second * 3 / 4)),
            (Pressure { idle: second, ..busy }, Decision::Checkpoint(Pace::Full)),
            (Pressure { idle: second, can_checkpoint: false, ..busy }, Decision::Wait(second)),
            (Pressure { memory_bytes: 101, ..busy }, Decision::Checkpoint(Pace::Gentle)),
            (Pressure { memory_bytes: 201, ..busy }, Decision::Checkpoint(Pace::Full)),
            (Pressure { memory_bytes: 201, can_checkpoint: false, ..busy }, Decision::Wait(BLOCKED_WAIT)),
            (Pressure { replay_bytes: 1001, ..busy }, Decision::Checkpoint(Pace::Gentle)),
            (Pressure { replay_bytes: 1001, memory_bytes: 201, ..busy }, Decision::Checkpoint(Pace::Full)),
            (Pressure { replay_bytes: 1503, ..busy }, Decision::Checkpoint(Pace::Full)),
            (Pressure { replay_bytes: 1001, can_checkpoint: false, ..busy }, Decision::Wait(BLOCKED_WAIT)),
        ];
        for (pressure, expected) in cases {
            assert_eq!(decide(&pressure, &options), expected, "{pressure:?}");
        }
    }
}
