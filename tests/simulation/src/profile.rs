//! What one run is like: how large things are, what happens how often. Drawn from the seed, so that some runs
//! crash all the time and others hold snapshots, or have a slow disk.
//!
//! Not here: what the events do.

use std::time::Duration;

use weir_store::StoreOptions;
use weir_store::memory::MemoryBase;

use crate::chance::Chance;
use crate::generate::{TABLES, Taste};
use crate::host::HostOptions;

/// What happens next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    /// Some client goes on, or begins something.
    Client,
    /// The log writes what is queued.
    Group,
    /// A part of a flush or of a checkpoint, or all of it.
    Flush,
    Checkpoint,
    /// A snapshot is opened and kept.
    Hold,
    /// The snapshots that are kept are read.
    Inspect,
    Release,
    /// The clock jumps.
    Clock,
    /// Old records of session requests are swept away.
    Sweep,
    /// The host writes a record of its own.
    SystemRecord,
    /// A deployment begins, goes on by a step, or is given up.
    Deploy,
    /// Indexes are dropped and built in the background.
    Maintain,
    /// The disk gets full, or has room again.
    Room,
    /// A sync will fail soon.
    FailingSync,
    /// The process or the power goes.
    Crash,
    /// The power goes in the midst of what the store does.
    Cut,
    /// The process ends in good order and starts again.
    Restart,
}

/// Each event, and how often it happens in a run that has nothing special.
const EVENTS: [(Event, u32); 17] = [
    (Event::Client, 700),
    (Event::Group, 90),
    (Event::Flush, 60),
    (Event::Checkpoint, 20),
    (Event::Hold, 20),
    (Event::Inspect, 20),
    (Event::Release, 15),
    (Event::Clock, 20),
    (Event::Sweep, 5),
    (Event::SystemRecord, 5),
    (Event::Deploy, 50),
    (Event::Maintain, 15),
    (Event::Room, 10),
    (Event::FailingSync, 3),
    (Event::Crash, 8),
    (Event::Cut, 10),
    (Event::Restart, 5),
];

/// How many of the runs have their base in redb, which takes longer.
const REDB_PERCENT: u64 = 15;

/// What one run is like.
#[derive(Debug, Clone)]
pub(crate) struct Profile {
    pub(crate) clients: usize,
    pub(crate) weights: [u32; EVENTS.len()],
    pub(crate) taste: Taste,
    /// What a sync takes at most.
    pub(crate) sync_max: Duration,
    pub(crate) base: MemoryBase,
    pub(crate) segment_bytes: u64,
    pub(crate) log_room_bytes: u64,
    pub(crate) has_promised_room: bool,
    pub(crate) memory_bytes: u64,
    pub(crate) reserve_bytes: u64,
    /// Keys of a slice of a flush.
    pub(crate) slice_keys: usize,
    /// Of the calls that begin.
    pub(crate) query_percent: u64,
    pub(crate) resend_percent: u64,
    pub(crate) session_percent: u64,
    /// Whether a first deployment is durable before anything else happens; without it there are no pages.
    pub(crate) has_first_deployment: bool,
}

impl Profile {
    pub(crate) fn draw(chance: &mut Chance) -> Profile {
        let mut weights = EVENTS.map(|(_, weight)| weight * chance.pick(&[0, 1, 1, 1, 3]));
        // Without these two a run does nothing.
        weights[0] = EVENTS[0].1;
        weights[1] = EVENTS[1].1 * chance.pick(&[1, 1, 3, 6]) / 3 + 1;
        let has_first_deployment = chance.percent(75);
        Profile {
            clients: 2 + chance.index(4),
            weights,
            taste: draw_taste(chance, has_first_deployment),
            sync_max: Duration::from_micros(chance.pick(&[0, 100, 3_000, 400_000])),
            base: if chance.percent(REDB_PERCENT) { MemoryBase::Redb } else { MemoryBase::Rows },
            segment_bytes: chance.pick(&[600, 2_000, 8_000, 1 << 20]),
            log_room_bytes: chance.pick(&[0, 0, 1_000, 20_000]),
            has_promised_room: chance.percent(70),
            memory_bytes: chance.pick(&[20_000, 60_000, 1 << 30, 1 << 30]),
            reserve_bytes: chance.pick(&[0, 0, 2_000]),
            slice_keys: chance.pick(&[1, 2, 5, 1_000]),
            query_percent: chance.pick(&[5, 20, 40]),
            resend_percent: chance.pick(&[0, 10, 30]),
            session_percent: chance.pick(&[50, 90]),
            has_first_deployment,
        }
    }

    pub(crate) fn event(&self, chance: &mut Chance) -> Event {
        chance.weighted(&self.weights).map_or(Event::Client, |at| EVENTS[at].0)
    }

    pub(crate) fn host_options(&self) -> HostOptions {
        let store = StoreOptions {
            segment_bytes: self.segment_bytes,
            log_room_bytes: self.log_room_bytes,
            memory_bytes: self.memory_bytes,
            disk_reserve_bytes: self.reserve_bytes,
            ..StoreOptions::default()
        };
        HostOptions { base: self.base, store, has_promised_room: self.has_promised_room }
    }

    /// Commits are refused from so many bytes in memory on.
    pub(crate) fn memory_refused_from_bytes(&self) -> u64 {
        // Three eighths of the table are kept from commits that are large for what is left.
        self.memory_bytes / 2 / 8 * 5
    }
}

fn draw_taste(chance: &mut Chance, has_pages: bool) -> Taste {
    let base = [20, 20, 5, 15, 4, 20, 8, 3, 14, 6, 8];
    let mut weights = base.map(|weight| weight * chance.pick(&[0, 1, 1, 2]));
    // Something must be written, or there is nothing to read.
    weights[1] = weights[1].max(base[1]);
    weights[3] = weights[3].max(base[3]);
    // The first deployment records the key of cursors; those from before it are none.
    weights[10] *= u32::from(has_pages);
    Taste {
        tables: 1 + chance.index(TABLES.len()),
        hot_percent: chance.pick(&[20, 60, 90]),
        ops_max: chance.pick(&[2, 5, 8]),
        weights,
        pad_bytes_max: chance.pick(&[100, 1_000, 9_000]),
        fails_percent: chance.pick(&[2, 10]),
    }
}
