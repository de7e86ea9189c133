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
