//! The end of the process.

use crate::{raw, shim};

/// `abort(3)`: no call of another thread is interrupted between what it does and its record.
#[unsafe(no_mangle)]
pub extern "C" fn abort() -> ! {
    shim::hold();
    raw::die(libc::SIGABRT)
}
