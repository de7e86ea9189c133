//! All attacks at once: `weir-attack [SECONDS]`, ten minutes by default.

use std::time::Duration;

use anyhow::{Context, Result};
use weir_attack::{ORDINARY, all_at_once, be_ordinary};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [first, address, millis, session] = &arguments[..]
        && first == ORDINARY
    {
        return be_ordinary(address.parse()?, Duration::from_millis(millis.parse()?), session.parse()?);
    }
    let seconds = arguments.first().map_or(Ok(600), |text| text.parse());
    let seconds = seconds.context("usage: weir-attack [SECONDS]")?;
    let told = all_at_once(Duration::from_secs(seconds))?;
    println!("{told}");
    Ok(())
}
