use std::sync::Arc;

use bytes::Bytes;
use proptest::prelude::*;
use weir_value::limits::BUDGET_GRANTED_BYTES;

use super::*;

const MIB: usize = 1 << 20;

fn connection(process: &Arc<Account>) -> Arc<Account> {
    process.below(Holder::Connection, 64 * MIB)
}

#[test]
fn charges_count_at_every_level_and_are_given_back() {
    let process = Account::process(100 * MIB);
    let address = process.below(Holder::Address, 50 * MIB);
    let socket = address.below(Holder::Connection, 10 * MIB);
    let mut charge = socket.charge(Held::Messages, 3 * MIB).expect("room");
    charge.grow(MIB).expect("room");
    assert_eq!([&process, &address, &socket].map(|account| account.bytes()), [4 * MIB; 3]);
    let arguments = charge.split(Held::Arguments, 3 * MIB);
    assert_eq!((charge.bytes(), arguments.bytes()), (MIB, 3 * MIB));
    assert_eq!(socket.held(Held::Messages), MIB);
    assert_eq!(socket.held(Held::Arguments), 3 * MIB);
    drop(charge);
    let bytes = arguments.attach(Bytes::from_static(b"{}"));
    let copy = bytes.slice(1..);
    drop(bytes);
    assert_eq!((process.bytes(), &copy[..]), (3 * MIB, &b"}"[..]));
    drop(copy);
    assert_eq!([&process, &address, &socket].map(|account| account.bytes()), [0; 3]);
    assert!(Held::ALL.iter().all(|kind| process.held(*kind) == 0));
}

#[test]
fn each_level_refuses_and_what_was_refused_counts_nowhere() {
    let process = Account::process(100 * MIB);
    let address = process.below(Holder::Address, 50 * MIB);
    let socket = address.below(Holder::Connection, 10 * MIB);
    assert_eq!(socket.charge(Held::Bodies, 11 * MIB).err(), Some(Overdrawn(Holder::Connection)));
    let others: Vec<Charge> = (0..3)
        .map(|_| address.below(Holder::Connection, 10 * MIB).charge(Held::Bodies, 10 * MIB).expect("room"))
        .collect();
    let refused = socket.charge(Held::Bodies, 8 * MIB);
    assert_eq!(refused.err(), Some(Overdrawn(Holder::Address)), "three quarters are for those who hold much");
    let held = process.hold(Held::Results, 60 * MIB);
    assert_eq!(socket.charge(Held::Bodies, 2 * MIB).err(), Some(Overdrawn(Holder::Process)));
    assert_eq!((socket.bytes(), address.bytes(), process.bytes()), (0, 30 * MIB, 90 * MIB));
    assert_eq!(Holder::ALL.map(|holder| process.refused(holder)), [1; 3], "each once");
    drop((others, held));
    assert_eq!(process.bytes(), 0);
}

#[test]
fn who_holds_little_has_room_beside_those_who_hold_all_they_can() {
    let process = Account::process(64 * MIB);
    let greedy: Vec<Charge> =
        std::iter::from_fn(|| connection(&process).charge(Held::Arguments, 2 * MIB).ok()).collect();
    assert_eq!(process.bytes(), 48 * MIB, "of {}", greedy.len());
    let light: Vec<Charge> =
        std::iter::from_fn(|| connection(&process).charge(Held::Arguments, MIB).ok()).collect();
    assert_eq!((light.len(), process.bytes()), (16, 64 * MIB));
    let ordinary = connection(&process);
    let first = ordinary.charge(Held::Arguments, BUDGET_GRANTED_BYTES / 2).expect("granted");
    let second = ordinary.charge(Held::Arguments, BUDGET_GRANTED_BYTES / 2).expect("granted");
    let refused = ordinary.charge(Held::Arguments, 1);
    assert_eq!(refused.err(), Some(Overdrawn(Holder::Process)));
    drop((first, second, greedy));
    ordinary.charge(Held::Arguments, 2 * MIB).expect("room again");
    drop(light);
    assert_eq!(process.bytes(), 0);
}

#[test]
fn what_takes_the_place_of_something_needs_room_for_the_rest_alone() {
    let process = Account::process(8 * MIB);
    let socket = connection(&process);
    let first = socket.charge(Held::Results, 5 * MIB).expect("room");
    assert!(socket.charge(Held::Results, 5 * MIB).is_err());
    let same = socket.charge_instead(Held::Results, 5 * MIB, first.bytes()).expect("no more than before");
    drop(first);
    let more = socket.charge_instead(Held::Results, 6 * MIB, same.bytes()).expect("a little more");
    drop(same);
    assert!(socket.charge_instead(Held::Results, 7 * MIB, more.bytes()).is_err(), "beyond three quarters");
    let _held = process.hold(Held::Answers, 100 * MIB);
    socket.charge_instead(Held::Results, 6 * MIB, more.bytes()).expect("old work goes on");
}

proptest! {
    /// Whatever is charged, split and given back: in the end nothing is held, and at no time does anybody who can be
    /// refused hold more than he may.
    #[test]
    fn nothing_is_lost(steps in prop::collection::vec((0..4_usize, 0..3_usize, 0..3 * MIB), 1..60)) {
        let process = Account::process(8 * MIB);
        let sockets: Vec<_> = (0..3).map(|_| process.below(Holder::Connection, 4 * MIB)).collect();
        let mut charges: Vec<Charge> = Vec::new();
        for (step, socket, bytes) in steps {
            match (step, charges.last_mut()) {
                (0, _) => charges.extend(sockets[socket].charge(Held::Bodies, bytes).ok()),
                (1, Some(last)) => drop(last.grow(bytes)),
                (2, Some(last)) => {
                    let part = last.split(Held::Answers, bytes);
                    charges.push(part);
                }
                (3, Some(_)) => drop(charges.swap_remove(bytes % charges.len())),
                _ => {}
            }
            let sum = charges.iter().map(Charge::bytes).sum::<usize>();
            prop_assert_eq!(process.bytes(), sum);
            prop_assert!(sockets.iter().all(|socket| socket.bytes() <= 4 * MIB));
            prop_assert!(sum <= 8 * MIB + 3 * BUDGET_GRANTED_BYTES);
            prop_assert_eq!(Held::ALL.iter().map(|kind| process.held(*kind)).sum::<usize>(), sum);
        }
        charges.clear();
        prop_assert_eq!(process.bytes(), 0);
    }
}
