//! Whether the disk has room: by the plan, not by the real one.
//!
//! Not here: what a call does with the answer.

use std::ffi::CString;

use weir_fault_model::{Full, Plan, ROOM};

use crate::raw;
use crate::recorder::c_path;

/// What making a file or folder costs, and its removal gives back.
pub(crate) const ENTRY_BYTES: u64 = 4096;

/// Room according to the plan.
#[derive(Debug)]
pub(crate) struct Room {
    full: Option<Full>,
    /// Present while there is room in spite of the plan.
    flag: CString,
    used_bytes: i64,
}

impl Room {
    pub(crate) fn new(plan: &Plan) -> Room {
        Room { full: plan.full, flag: c_path(&plan.control.join(ROOM)), used_bytes: 0 }
    }

    /// How much of `growth` the growing call `number` gets.
    pub(crate) fn grant(&self, number: u64, growth: u64) -> u64 {
        match self.full {
            None => growth,
            Some(_) if raw::exists_at(libc::AT_FDCWD, &self.flag) => growth,
            Some(Full::Bytes(bytes)) => growth.min(self.left(bytes)),
            Some(Full::Calls { from, calls }) => match number.checked_sub(from) {
                Some(0) => growth / 2,
                Some(behind) if behind <= calls => 0,
                _ => growth,
            },
        }
    }

    /// What a program that asks for the free room hears; `None` when the plan says nothing about it.
    pub(crate) fn available_bytes(&self, number: u64) -> Option<u64> {
        match self.full? {
            _ if raw::exists_at(libc::AT_FDCWD, &self.flag) => None,
            Full::Bytes(bytes) => Some(self.left(bytes)),
            Full::Calls { from, calls } => (from..=from + calls).contains(&number).then_some(0),
        }
    }

    /// The files have grown, or shrunk.
    pub(crate) fn note(&mut self, bytes: i64) {
        self.used_bytes += bytes;
    }

    fn left(&self, bytes: u64) -> u64 {
        bytes.saturating_add_signed(-self.used_bytes)
    }
}
