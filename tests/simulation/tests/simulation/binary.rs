//! The command `simulate`.
use std::process::{Command, Output};

fn simulate(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_simulate")).args(arguments).output().expect("it starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_seed_is_traced() {
    let output = simulate(&["--seed", "3", "--events", "50"]);
    let trace = text(&output.stdout);
    assert!(output.status.success(), "{trace}");
    assert!(
        trace.starts_with("    0") && trace.contains("seed 3") && trace.contains("Everything held"),
        "{trace}"
    );
}

#[test]
fn a_range_stops_at_the_seed_that_fails_and_says_how_to_see_it_again() {
    let output = simulate(&["--seeds", "0..2000", "--bug", "nested-writes-kept"]);
    let report = text(&output.stdout);
    assert!(!output.status.success(), "{report}");
    for part in ["fails within", "The end of the trace", "make simulate SIMULATE=\"--seed "] {
        assert!(report.contains(part), "{report}");
    }
    assert!(report.contains("--bug nested-writes-kept"), "{report}");
    assert!(simulate(&["--seeds", "0..4", "--jobs", "1"]).status.success());
}

#[test]
fn bad_arguments_are_told() {
    for (arguments, expected) in [
        ("--seeds=9..9", "is not a range of seeds"),
        ("--hours=-1", "is not a length of time"),
        ("--bug=all", "is not a planted defect"),
        ("--jobs=0", "--jobs 0"),
    ] {
        let output = simulate(&[arguments]);
        let error = text(&output.stderr);
        assert!(!output.status.success() && error.contains(expected), "{arguments}: {error}");
    }
}
