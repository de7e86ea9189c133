//! One history for each anomaly that shows in the data alone.

use super::expect;

#[test]
fn duplicate() {
    expect("m1 0-1: x+1 \n q2 2-3: x=1,1", &["duplicate"]);
}

#[test]
fn unwritten() {
    expect("q2 2-3: x=1", &["unwritten"]);
    // An element of another list.
    expect("m1 0-1: x+1 \n q2 2-3: x=1 y=1", &["unwritten"]);
}

#[test]
fn aborted_read() {
    expect("m1 0-1 !: x+1 \n q2 2-3: x=1", &["G1a"]);
    expect("m1 0-1 !: x+1 \n m2 2-3: x=1 x+2 \n q2 4-5: x=1,2", &["G1a"]);
    // Not even in a list that others have longer without it.
    expect(
        "m1 0-9 !: x+1 \n m2 0-9: x+2 x+3 \n q3 0-9: x=1 \n q3 10-11: x=2,3",
        &["incompatible-order", "G1a"],
    );
}

#[test]
fn intermediate_read() {
    // It is a cycle as well: before and after the same transaction.
    expect("m1 0-9: x+1 x+2 \n q2 0-9: x=1 \n q2 10-11: x=1,2", &["G1b", "G-single"]);
    // The rest was never seen.
    expect("m1 0-9: x+1 x+2 \n q2 0-9: x=1", &["G1b", "G-single"]);
}

#[test]
fn incompatible_order() {
    expect("m1 0-9: x+1 \n m2 0-9: x+2 \n q3 0-9: x=1 \n q4 0-9: x=2", &["incompatible-order"]);
    expect("m1 0-9: x+1 \n m2 0-9: x+2 \n q3 0-9: x=1,2 \n q4 0-9: x=2", &["incompatible-order"]);
}

#[test]
fn internal() {
    // Its own append is not there.
    expect("m1 0-1: x+1 x=", &["internal"]);
    // A list changes between two reads of it.
    expect("m1 0-9: x+1 \n m2 0-9: x= x=1", &["internal", "G-single"]);
    // It reads what it appends only later.
    expect("m1 0-1: x=1 x+1", &["internal"]);
}

#[test]
fn lost_append() {
    expect("m1 0-1: x+1 \n q2 2-3: x=", &["lost-append"]);
    expect("m1 0-1: x+1 \n m2 2-3: x+2 \n q2 4-5: x=2", &["lost-append"]);
}

#[test]
fn g0_dirty_write() {
    expect("m1 0-9: x+1 y+2 \n m2 0-9: x+3 y+4 \n q3 0-99: x=1,3 \n q4 0-99: y=4,2", &["G0"]);
}

#[test]
fn g1c_circular_information() {
    expect("m1 0-9: x+1 y=2 \n m2 0-9: y+2 x=1", &["G1c"]);
}

#[test]
fn g_single_read_skew() {
    expect("m1 0-9: x+1 y+2 \n q2 0-9: x=1 y= \n q3 10-11: y=2", &["G-single"]);
    // Lost update: both read the empty list and appended to it.
    expect("m1 0-9: x= x+1 \n m2 0-9: x= x+2 \n q3 10-11: x=1,2", &["G-single"]);
    // Two looks of one transition at two timestamps.
    expect("m1 0-9: x+1 y+2 \n t2 5-5: [x=1] [y=] \n t2 6-6: [x=1] [y=2]", &["G-single"]);
}

#[test]
fn g2_item_write_skew() {
    expect("m1 0-9: x= y+1 \n m2 0-9: y= x+2 \n q3 10-11: x=2 y=1", &["G2-item"]);
}

#[test]
fn g2_phantom() {
    expect("m1 0-9: [x= y=] y+1 \n m2 0-9: [x= y=] x+2 \n q3 10-11: x=2 y=1", &["G2"]);
    // One range is enough.
    expect("m1 0-9: [x= y=] y+1 \n m2 0-9: y= x+2 \n q3 10-11: x=2 y=1", &["G2"]);
}

#[test]
fn long_fork() {
    let forked = "m1 0-9: x+1 \n m2 0-9: y+2 \n q3 0-9: x=1 y= \n q4 0-9: x= y=2";
    expect(forked, &["G2-item"]);
}

#[test]
fn what_is_worst_is_told_and_each_knot_once() {
    // A dirty write, which is also all kinds of skew; and apart from it, a write skew.
    expect(
        "m1 0-9: x= y= x+1 y+2
         m2 0-9: x= y= x+3 y+4
         m3 0-9: u= v+5
         m4 0-9: v= u+6
         q5 10-11: u=6 v=5
         q6 10-11: x=1,3 y=4,2",
        &["G0", "G2-item"],
    );
}
