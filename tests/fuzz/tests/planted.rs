//! Defects that are planted in the host, which targets must find: a property that never fails proves nothing.

use std::path::PathBuf;

use weir_fuzz::{Bound, Campaign, target};
use weir_store::planted::{Bug, plant};

/// How many inputs a defect may take, and from how many seeds.
const ROUNDS_MAX: usize = 3_000;
const SEED: u64 = 1;

fn is_found(name: &str, bug: Bug) {
    let campaign = Campaign::new(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("planted"));
    let target = target(name).expect("a target");
    let planted = plant(bug);
    let failure = campaign.run(target, SEED, Bound::Rounds(ROUNDS_MAX)).expect_err("the defect is found");
    drop(planted);
    println!("{bug:?}: {failure}");
    let file = failure.file();
    let input = std::fs::read(file).expect("the input was kept");
    assert!(campaign.try_input(target, &input).is_ok(), "it is the defect, and not the input: {failure}");
}

#[test]
fn a_record_that_is_taken_whatever_its_checksum_is() {
    is_found("log_records", Bug::TornRecordTakenWhole);
}

#[test]
fn a_base_that_misses_a_key() {
    is_found("log_records", Bug::FlushSkipsKey);
}
