//! Room for results, and what becomes of those that have none.
use std::sync::Arc;

use super::SocketId;
use super::tests::{Host, ts};
use crate::budget::{Account, Held, Holder};

#[test]
fn a_result_without_room_fails_alone_and_comes_when_there_is_some() {
    let process = Account::process(8 << 20);
    let account = process.below(Holder::Connection, 1 << 20);
    let mut host = Host::new();
    host.live.open_socket(SocketId(1), Arc::clone(&account));
    host.watch(1, &["a", "b"]);
    let other = account.charge(Held::Results, 500_000).expect("room");
    let large = format!("\"{}\"", "x".repeat(600_000));
    host.finish("a", "[1]");
    host.finish("b", &large);
    let advance = host.live.advance(SocketId(1), ts(0)).expect("both have a result");
    let outcomes: Vec<bool> = advance.changes.iter().map(|change| change.result.outcome().is_ok()).collect();
    assert_eq!(outcomes, [true, false]);
    assert!(account.held(Held::Results) < 510_000, "the large one is not kept");
    drop((advance, other));
    let step = host.live.retry_without_room(8);
    assert_eq!(step.runs.len(), 1);
    host.take(step);
    host.finish("b", &large);
    let advance = host.live.advance(SocketId(1), ts(0)).expect("a result");
    assert!(
        matches!(&advance.changes[..], [change] if change.result.outcome().is_ok_and(|value| value == large))
    );
    assert!(host.live.retry_without_room(8).is_empty());
    drop(advance);
    assert!(host.live.close_socket(SocketId(1)).is_empty());
    assert_eq!(process.bytes(), 0);
}

#[test]
fn a_full_account_takes_nothing_from_others_who_watch_the_same() {
    let process = Account::process(8 << 20);
    let full = process.below(Holder::Connection, 1 << 20);
    let mut host = Host::new();
    let mut held = Vec::new();
    for socket in 1..=20 {
        held.push(full.hold(Held::Results, 100_000));
        host.live.open_socket(SocketId(socket), Arc::clone(&full));
        host.watch(socket, &["a"]);
    }
    host.finish("a", &format!("\"{}\"", "x".repeat(600_000)));
    let advance = host.live.advance(SocketId(1), ts(0)).expect("a result");
    assert!(advance.changes[0].result.outcome().is_ok(), "it counts for all of them");
}
