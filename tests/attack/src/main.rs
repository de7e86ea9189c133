//! All attacks at once: `weir-attack [SECONDS]`, ten minutes by default.

use std::time::Duration;

use anyhow::{Context, Result};
use weir_attack::all_at_once;

fn main() -> Result<()> {
    let seconds = std::env::args().nth(1).map_or(Ok(600), |text| text.parse());
    let seconds = seconds.context("usage: weir-attack [SECONDS]")?;
    let told = all_at_once(Duration::from_secs(seconds))?;
    println!("{told}");
    Ok(())
}
