//! Waiting for what comes to be so by itself.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

/// How long it is between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// Looks again and again until it is so. `what` says what was waited for.
///
/// # Errors
/// It is not so within that time, or a look fails.
pub fn until(what: &str, time_max: Duration, mut is_so: impl FnMut() -> Result<bool>) -> Result<()> {
    let began = Instant::now();
    while !is_so()? {
        ensure!(began.elapsed() < time_max, "{time_max:?} have passed: {what}");
        std::thread::sleep(PAUSE);
    }
    Ok(())
}
