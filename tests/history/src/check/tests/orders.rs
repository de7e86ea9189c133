//! One history for each anomaly that takes the order of a session, of real time, or of the host's timestamps.

use crate::check::{check, describe};
use crate::history::{Complaint, History};

use super::{expect, notation};

#[test]
fn a_session_reads_its_writes_in_its_live_queries() {
    expect("m1 0-1 @5: x+1 \n t1 2-2 @5: x= \n q2 10-11: x=1", &["G-single-session"]);
    let history = notation::parse("m1 0-1 @5: x+1 \n t1 2-2 @5: x= \n q2 10-11: x=1");
    let told = describe(&history, &check(&history)[0]);
    assert!(told.contains("do not show what it wrote"), "{told}");
}

#[test]
fn a_socket_does_not_go_back() {
    let text = "m1 0-1: x+1 \n t2 2-2: x=1 \n t2 3-3: x=";
    expect(text, &["G-single-session"]);
    let history = notation::parse(text);
    let told = describe(&history, &check(&history)[0]);
    assert!(told.contains("a socket went back in time"), "{told}");
}

#[test]
fn a_session_keeps_the_order_of_its_mutations() {
    // Both were under way at the same time, on one socket.
    expect("m1 0-8: x+1 \n m1 1-9: x+2 \n q2 10-11: x=2,1", &["G0-session"]);
}

#[test]
fn a_stale_query() {
    expect("m1 0-1: x+1 \n q2 2-3: x= \n q3 4-5: x=1", &["G-single-realtime"]);
}

#[test]
fn a_write_before_what_was_answered() {
    expect("m1 0-1: x+1 \n m2 2-3: x+2 \n q3 4-5: x=2,1", &["G0-realtime"]);
}

#[test]
fn a_read_of_what_was_asked_for_later() {
    expect("q2 0-1: x=1 \n m1 2-3: x+1", &["G1c-realtime"]);
}

#[test]
fn what_a_live_query_has_shown_is_there_for_all() {
    expect("m1 0-9: x+1 \n t2 2-2: x=1 \n q3 3-4: x=", &["G-single-realtime"]);
}

#[test]
fn write_skew_over_real_time() {
    // Each query misses one write, which the other has; without real time, one of them could be early.
    expect(
        "m1 0-1: x+1 \n m2 0-9: y+2 \n q3 2-3: x=1 y= \n q4 4-5: x= y= \n q5 10-11: x=1 y=2",
        &["G-single-realtime"],
    );
}

#[test]
fn timestamps_are_the_order_of_commits() {
    expect("m1 0-9 @2: x+1 \n m2 0-9 @1: x+2 \n q3 10-11: x=1,2", &["G0-timestamps"]);
    // The commit of a timestamp is in the snapshots of that timestamp.
    expect("m1 0-9 @2: x+1 \n t2 3-3 @2: x= \n q3 10-11: x=1", &["G-single-timestamps"]);
    // What came later is not.
    expect("m1 0-9 @3: x+1 \n t2 3-3 @2: x=1", &["G1c-timestamps"]);
}

#[test]
fn timestamps_go_with_real_time() {
    expect("m1 0-1 @2: x+1 \n m2 2-3 @1: y+2", &["orders-timestamps"]);
}

#[test]
fn two_commits_have_two_timestamps() {
    expect("m1 0-9 @2: x+1 \n m2 0-9 @2: y+2", &["shared-timestamp"]);
}

#[test]
fn what_a_client_complains_of_is_told() {
    let went_back =
        Complaint::WentBack { session: 1, stood: "1/0/9".into(), transition: "1/0/9 to 1/0/8".into() };
    let changed =
        Complaint::ChangedAnswer { session: 1, request: 2, first: "[]".into(), second: "[1]".into() };
    let history = History { complaints: vec![went_back, changed], ..History::default() };
    let names: Vec<String> = check(&history).iter().map(crate::check::Anomaly::name).collect();
    assert_eq!(names, ["went-back", "changed-answer"]);
}
