//! Memory entries on their way into the base: one slice after the other.
//!
//! Not here: up to where, when, and what follows (see `flusher`).

use weir_value::Timestamp;

use super::{Activity, Base, BaseError};
use crate::StoreOptions;
use crate::disk::Disk;
use crate::memory_table::{SliceBounds, TableKey};
use crate::planted::{self, Bug};
use crate::view::View;

/// What one slice moves at most.
pub(super) const SLICE: SliceBounds = SliceBounds { entries: 1024, bytes: 1024 * 1024 };

/// Whether the disk has room for what a pass may write: a part of the reserve, which new commits leave
/// alone, and what the base needs at least. A disk that does not tell is taken to have it.
pub(crate) fn has_room(disk: &dyn Disk, base: &Base, options: &StoreOptions) -> bool {
    disk.space().map_or(true, |space| {
        let reserve_bytes = space.reserve_bytes(options.disk_reserve_bytes);
        space.available_bytes >= (reserve_bytes / 4).max(base.room_needed())
    })
}

/// What one slice moved.
pub(crate) struct Moved {
    pub(crate) keys: u64,
    /// Of memory.
    pub(crate) bytes: u64,
}

/// Moves everything up to `bound` from memory into the base. `after_slice` hears what a slice moved, and says
/// whether to go on; the result is false when it did not.
pub(crate) fn move_to_base(
    view: &View,
    activity: &Activity,
    bound: Timestamp,
    mut after_slice: impl FnMut(Moved) -> bool,
) -> Result<bool, BaseError> {
    let mut moving = Moving::new(bound);
    loop {
        let goes_on = after_slice(moving.slice(view, activity, SLICE)?);
        if moving.is_done || !goes_on {
            return Ok(moving.is_done);
        }
    }
}

/// How far a pass has come.
pub(super) struct Moving {
    bound: Timestamp,
    /// The last key looked at.
    after: Option<TableKey>,
    pub(super) is_done: bool,
}

impl Moving {
    pub(super) fn new(bound: Timestamp) -> Moving {
        Moving { bound, after: None, is_done: false }
    }

    /// Moves one slice.
    pub(super) fn slice(
        &mut self,
        view: &View,
        activity: &Activity,
        bounds: SliceBounds,
    ) -> Result<Moved, BaseError> {
        let slice = view.memory.flushable(self.after.as_deref(), self.bound, bounds);
        let skipped = if planted::is(Bug::FlushSkipsKey) { slice.entries.len().min(1) } else { 0 };
        activity.watch("flushing to", || view.base.apply(&slice.entries[skipped..]))?;
        let bytes = view.memory.remove_flushed(&slice, self.bound);
        let keys = slice.entries.len() as u64;
        self.is_done = slice.reached.is_none();
        self.after = slice.reached;
        Ok(Moved { keys, bytes })
    }
}
