//! Histories in which nothing is wrong.

use super::expect;

#[test]
fn nothing_is_wrong_with_nothing() {
    expect("", &[]);
}

#[test]
fn a_serial_history() {
    expect(
        "m1 0-1 @1: x= x+1
         m2 2-3 @2: x=1 x+2 y+3
         m1 4-5 @3: [x=1,2 y=3] y+4
         q3 6-7: x=1,2 y=3,4
         t4 8-8 @3: x=1,2 y=3,4",
        &[],
    );
}

#[test]
fn transactions_at_the_same_time_in_either_order() {
    expect("m1 0-9: x+1 \n m2 0-9: x+2 \n q3 10-11: x=2,1", &[]);
    expect("m1 0-9: x+1 \n m2 0-9: x+2 \n q3 10-11: x=1,2", &[]);
    // An answer at the instant of a request is not before it.
    expect("m1 0-5: x+1 \n m2 5-9: x+2 \n q3 10-11: x=2,1", &[]);
}

#[test]
fn an_unknown_outcome_may_be_either() {
    expect("m1 0-?: x+1 \n q2 5-6: x= \n q2 7-8: x=1", &[]);
    expect("m1 0-?: x+1 \n q2 5-6: x= \n q2 7-8: x=", &[]);
    expect("m1 0-?: x+1 y+2 \n q2 5-6: x=1 \n q2 7-8: y=2", &[]);
}

#[test]
fn a_failed_transaction_leaves_nothing() {
    expect("m1 0-1 !: x+1 \n m1 2-3: x= x+2 \n q2 4-5: x=2", &[]);
}

#[test]
fn a_transaction_sees_its_own_appends() {
    expect("m1 0-1: x= x+1 x=1 x+2 [x=1,2 y=] y+3 y=3", &[]);
    expect("m1 0-1: x+1 x+2 x=1,2", &[]);
}

#[test]
fn a_live_query_may_lag_behind_others() {
    expect("m1 0-1 @5: x+1 \n t2 2-2 @4: x= \n t2 3-3 @5: x=1", &[]);
    // Its own client's too, as long as it says so.
    expect("m1 0-1 @5: x+1 \n t1 2-2 @4: x= \n t1 3-3 @5: x=1", &[]);
}

#[test]
fn what_was_never_read_has_no_order() {
    expect("m1 0-9: x+1 y+2 \n m2 0-9: y+3 x+4", &[]);
}
