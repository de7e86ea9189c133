//! Defects that are planted in the host, each of which the simulation must find.
use weir_simulation::{Property, Settings, find_failure, run};
use weir_store::planted::Bug;

use crate::search::search;

/// How many seeds a defect may take.
const SEEDS_MAX: u64 = 2_000;

/// The defect is found, is told as what it is, and is found again with the events that the report names.
fn is_found(bug: Bug, as_one_of: &[Property]) {
    let settings = Settings { bug: Some(bug), ..Settings::default() };
    let seed = search(SEEDS_MAX, &settings).failed;
    let seed = seed.unwrap_or_else(|| panic!("{SEEDS_MAX} seeds do not find {bug:?}"));
    let failure = find_failure(seed, &settings).expect("a seed that failed fails again");
    println!("{}: {} seeds, {} events, {:?}", bug.name(), seed + 1, failure.events, failure.broken.property);
    assert!(as_one_of.contains(&failure.broken.property), "{failure}");
    assert!(failure.to_string().contains(&format!("--seed {seed} --events {}", failure.events)), "{failure}");
    let again = run(seed, &Settings { events: failure.events, ..settings.clone() });
    assert_eq!(again.broken.map(|(_, broken)| broken), Some(failure.broken), "the report can be seen again");
    assert!(
        run(seed, &Settings { bug: None, ..settings }).broken.is_none(),
        "it is the defect that breaks seed {seed}"
    );
}

#[test]
fn a_read_set_that_misses_a_gap() {
    is_found(Bug::ReadSetMissesGap, &[Property::Serializable, Property::ReadSetsSuffice]);
}

#[test]
fn a_request_without_its_record() {
    is_found(Bug::RequestRecordLost, &[Property::RequestsOnce]);
}

#[test]
fn writes_of_a_nested_call_that_failed() {
    is_found(
        Bug::NestedWritesKept,
        &[Property::OneSnapshot, Property::Serializable, Property::Results, Property::State],
    );
}

#[test]
fn a_log_that_is_not_synced() {
    is_found(Bug::UnsyncedLog, &[Property::AnsweredIsDurable, Property::Opens, Property::Prefix]);
}

#[test]
fn an_answer_before_its_sync() {
    is_found(Bug::AnswerBeforeSync, &[Property::AnsweredIsDurable, Property::GroupsInOrder]);
}

#[test]
fn a_checkpoint_past_an_open_snapshot() {
    is_found(Bug::CheckpointPastOpenSnapshot, &[Property::SnapshotsStay, Property::OneSnapshot]);
}

#[test]
fn a_segment_that_is_released_early() {
    is_found(Bug::SegmentReleasedEarly, &[Property::Opens]);
}

#[test]
fn a_flush_that_skips_a_key() {
    let properties = [Property::State, Property::OneSnapshot, Property::SnapshotsStay, Property::Sound];
    is_found(Bug::FlushSkipsKey, &properties);
}

#[test]
fn a_remembered_row_that_stays() {
    is_found(Bug::RememberedRowStays, &[Property::OneSnapshot, Property::Serializable, Property::State]);
}

#[test]
fn a_torn_record_that_is_taken_whole() {
    is_found(Bug::TornRecordTakenWhole, &[Property::Prefix, Property::Opens, Property::State]);
}

#[test]
fn a_timestamp_that_goes_back() {
    is_found(Bug::TimestampGoesBack, &[Property::TimestampsRise, Property::Accepts]);
}

#[test]
fn an_index_entry_that_stays() {
    is_found(Bug::IndexEntryStays, &[Property::Sound, Property::OneSnapshot, Property::Serializable]);
}

#[test]
fn a_touched_key_that_nobody_is_told_of() {
    is_found(Bug::TouchedKeyUnannounced, &[Property::ReadSetsSuffice]);
}

#[test]
fn an_index_that_is_not_kept_while_it_is_built() {
    is_found(Bug::BuildingIndexNotKept, &[Property::Sound, Property::OneSnapshot, Property::Deployments]);
}

#[test]
fn a_mutation_that_passes_a_deployment() {
    let properties = [Property::Sound, Property::Serializable, Property::Deployments, Property::Counters];
    is_found(Bug::MutationPassesDeployment, &properties);
}
