//! Faults below a program's files: the plan, the recording, and what a disk keeps.
//!
//! * A [`Plan`] tells the shim, through environment variables, which fault to make and when.
//! * A recording is the list of [`Record`]s that the shim appends while a program changes files.
//! * A [`FileSystem`] follows a recording and knows, at each point of it, what the program sees, what is
//!   surely on the disk, and what lies between; a [`CrashImage`] chooses.
//!
//! **Invariant.** Pure but for [`Image::read`] and [`Image::write_to`]: it neither opens a recording nor makes
//! a fault. It has no dependencies, because it is loaded into the program under test. Not here: the shim, and
//! what any program keeps in its files.

mod codec;
mod event;
mod file;
mod folder;
mod image;
mod plan;
mod random;
mod system;

pub use event::{Counts, Event, Record, records};
pub use image::{Entry, Image};
pub use plan::{Full, Kill, Moment, Plan, RECORDING, ROOM, Slow};
pub use random::Random;
pub use system::{CrashImage, FileSystem, ModelError};

/// What a disk writes whole or not at all.
pub const SECTOR_BYTES: usize = 512;
