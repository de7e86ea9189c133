//! Rows that were deleted and lie in memory: a scan tells of them, and does not pass all of them in one go.

mod fixture;

use bytes::Bytes;
use fixture::*;
use weir_store::memory::{MemoryDisk, open_stepped};
use weir_store::{Direction, Snapshot, Write};

const ROWS: u32 = 10_000;

fn key(number: u32) -> Bytes {
    Bytes::copy_from_slice(&number.to_be_bytes())
}

/// Reads part after part; the rows, the deleted ones, and how many parts there were.
fn read(snapshot: &Snapshot, direction: Direction, limit: usize) -> (Vec<Bytes>, usize, usize) {
    let (mut low, mut high) = (key(0), key(ROWS));
    let (mut rows, mut deleted, mut parts) = (Vec::new(), 0, 0);
    loop {
        let part = snapshot.scan_part(&low, &high, direction, limit).unwrap();
        assert!(part.deleted < 2000, "one part passes {}", part.deleted);
        rows.extend(part.rows.into_iter().map(|(key, _)| key));
        deleted += part.deleted;
        parts += 1;
        let Some(reached) = part.reached else { return (rows, deleted, parts) };
        match direction {
            Direction::Ascending => low = [&reached[..], &[0]].concat().into(),
            Direction::Descending => high = reached,
        }
    }
}

#[test]
fn they_are_counted_once_each_and_passed_in_parts() {
    let (store, stepper) = open_stepped(&MemoryDisk::new(), small_options(), env()).unwrap();
    let commit = |writes: Vec<Write>| {
        commit(&*store, &writes);
        stepper.write_group();
    };
    let written = |number| set(key(number), "v");
    // A third lies in the base, below its deletions.
    commit((0..ROWS / 3).map(written).collect());
    stepper.flush();
    commit((ROWS / 3..ROWS).map(written).collect());
    commit((0..ROWS).filter(|number| number % 5000 != 7).map(|number| delete(key(number))).collect());
    let snapshot = store.snapshot_sequenced();
    for direction in [Direction::Ascending, Direction::Descending] {
        for limit in [1, 3, 512] {
            let (mut rows, deleted, parts) = read(&snapshot, direction, limit);
            rows.sort();
            assert_eq!(rows, [key(7), key(5007)], "{direction:?} {limit}");
            assert_eq!(deleted, ROWS as usize - 2, "{direction:?} {limit}");
            assert!(parts >= 8, "{parts} parts");
        }
    }
    assert_eq!(snapshot.scan(&key(0), &key(ROWS), Direction::Ascending, 9).unwrap().len(), 2);
}
