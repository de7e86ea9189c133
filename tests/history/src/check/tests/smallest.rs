//! The cycle that is shown is the smallest there is, and the text says why each step holds.

use std::fmt::Write as _;

use crate::check::{Anomaly, check, describe};

use super::notation;

fn only_cycle(text: &str) -> (crate::history::History, Anomaly) {
    let history = notation::parse(text);
    let mut found = check(&history);
    assert_eq!(found.len(), 1, "{found:?}");
    let cycle = found.remove(0);
    (history, cycle)
}

#[test]
fn the_smallest_of_several_cycles() {
    // Three transactions in a circle, of which two make a smaller one.
    let text = "m1 0-9: x= y+1
                m2 0-9: y= z+2
                m3 0-9: z= y= x+3 y+4
                q4 10-11: x=3 y=1,4 z=2";
    let (_, cycle) = only_cycle(text);
    assert_eq!((cycle.name().as_str(), cycle.transactions()), ("G-single", vec![0, 2]));
}

#[test]
fn a_stale_read_at_the_end_of_a_long_history_is_a_cycle_of_two() {
    let mut text = String::from("m1 0-1: x+1\n");
    for at in 1..2000 {
        writeln!(text, "m{} {}-{}: y+{}", at % 7, at * 10, at * 10 + 5, at + 1).expect("a string takes text");
    }
    text.push_str("q8 90000-90001: x= \n q9 90000-90001: x=1");
    let (_, cycle) = only_cycle(&text);
    assert_eq!((cycle.name().as_str(), cycle.transactions().len()), ("G-single-realtime", 2));
}

#[test]
fn an_answer_at_the_instant_of_a_request_makes_no_cycle_shorter() {
    let (_, cycle) = only_cycle("m1 0-5: x+1 \n m2 7-20: w+2 \n q3 5-30: w=2 x= \n q4 40-41: x=1");
    assert_eq!((cycle.name().as_str(), cycle.transactions()), ("G-single-realtime", vec![1, 2, 0]));
}

#[test]
fn an_order_counts_once_however_many_stand_in_between() {
    // By data, m1 is two steps from m6 and q9, far away in time; and a cycle of five is near.
    let mut text = String::from(
        "m1 0-1000 @10: x+1 y+2
         m2 0-1000 @11: a+3
         m3 0-1000: a=3 b+4
         m4 0-1000: b=4 c+5
         q5 0-1000: c=5 x=
         m6 50-1000 @90: d+6
         m7 60-100: d=6
         q9 900-901: y=
         q8 2000-2001: x=1 y=2\n",
    );
    for at in 0..20 {
        writeln!(text, "m{} 0-1000 @{}: f+{}", 20 + at, 20 + at, 100 + at).expect("a string takes text");
        let start = 110 + at * 10;
        writeln!(text, "q{} {start}-{}: w=", 50 + at, start + 5).expect("a string takes text");
    }
    let (_, cycle) = only_cycle(&text);
    assert_eq!((cycle.name().as_str(), cycle.transactions()), ("G-single-timestamps", vec![5, 6, 7, 0]));
}

#[test]
fn an_anomaly_is_told_with_its_transactions_and_its_reasons() {
    let (history, cycle) = only_cycle("m1 0-9 @7: x= x+1 \n m2 0-9: [x=] x+2 \n q3 10-11: x=1,2");
    let x = u32::from(b'x');
    assert_eq!(
        describe(&history, &cycle),
        format!(
            "G-single: 2 transactions come before one another in a circle, by their data alone
  T0 mutation 0 of session 1, 0.000000 to 0.000000 s, at 7: {x}=[] {x}+1
  T1 mutation 0 of session 2, 0.000000 to 0.000000 s: {{{x}=[]}} {x}+2
  T0 comes before T1: T1 appended 2 to list {x} later (ww)
  T1 comes before T0: it read a range with list {x} without the 1 of T0 (rw, range)
"
        )
    );
}
