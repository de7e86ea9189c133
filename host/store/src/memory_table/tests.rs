//! The memory table as the store uses it.

use super::flush::FlushSlice;
use super::shard::CHAIN_PRUNE_LEN;
use super::*;

const NEVER: fn() -> Timestamp = || Timestamp::ZERO;

/// It remembers nothing.
fn table() -> MemoryTable {
    MemoryTable::new([7; 8], 0)
}

fn ts(nanos: u64) -> Timestamp {
    Timestamp::from_nanos(nanos)
}

fn write(key: &str, value: Option<&str>) -> Write {
    let bytes = |text: &str| Bytes::copy_from_slice(text.as_bytes());
    Write { key: bytes(key), value: value.map(bytes) }
}

fn entries(chunk: &Chunk) -> Vec<(&str, Option<&str>)> {
    chunk
        .entries
        .iter()
        .map(|(key, value)| {
            (
                std::str::from_utf8(key).unwrap(),
                value.as_deref().map(|value| std::str::from_utf8(value).unwrap()),
            )
        })
        .collect()
}

#[test]
fn each_timestamp_sees_its_version() {
    let table = table();
    table.insert(ts(10), &[write("a", Some("1"))], NEVER);
    table.insert(ts(20), &[write("a", None)], NEVER);
    table.insert(ts(30), &[write("a", Some("3"))], NEVER);
    let cases =
        [(9, None), (10, Some(Some("1"))), (19, Some(Some("1"))), (20, Some(None)), (35, Some(Some("3")))];
    for (at, expected) in cases {
        assert_eq!(table.get(b"a", ts(at)), expected.map(|value| value.map(Bytes::from)), "at {at}");
    }
    assert_eq!(table.get(b"b", ts(99)), None);
}

#[test]
fn the_later_write_of_one_commit_counts() {
    let table = table();
    table.insert(ts(1), &[write("a", Some("first")), write("a", None), write("a", Some("last"))], NEVER);
    assert_eq!(table.get(b"a", ts(1)), Some(Some(Bytes::from("last"))));
    let slice = table.flushable(None, ts(1), SliceBounds { entries: 10, bytes: 1000 });
    table.remove_flushed(&slice, ts(1));
    assert_eq!((table.bytes(), table.keys()), (0, 0));
}

#[test]
fn chunks_stop_where_they_are_told_and_go_both_ways() {
    let table = table();
    table.insert(ts(1), &[write("a", Some("1")), write("b", None), write("c", Some("3"))], NEVER);
    table.insert(ts(5), &[write("bb", Some("later"))], NEVER);
    let chunk = table.chunk(Interval::ALL, ts(1), Direction::Ascending, 3);
    assert_eq!(entries(&chunk), [("a", Some("1")), ("b", None)]);
    assert_eq!(chunk.reached.as_deref(), Some(&b"bb"[..]), "a key that is not visible yet counts as reached");
    let chunk = table.chunk(Interval::ALL, ts(9), Direction::Descending, 99);
    assert_eq!(entries(&chunk), [("c", Some("3")), ("bb", Some("later")), ("b", None), ("a", Some("1"))]);
    assert_eq!(chunk.reached, None);
}

#[test]
fn a_hot_key_does_not_pile_up_versions() {
    let table = table();
    for at in 1..=1000 {
        table.insert(ts(at), &[write("hot", Some("v"))], || ts(at - 1));
    }
    let one_key = key_bytes(b"hot") + CHAIN_PRUNE_LEN as u64 * (VERSION_OVERHEAD_BYTES + 1);
    assert!(table.bytes() <= one_key);
}

#[test]
fn pruning_keeps_what_a_snapshot_sees() {
    let table = table();
    for at in 1..=100 {
        table.insert(ts(at), &[write("hot", Some("v"))], || ts(3));
    }
    assert!(table.get(b"hot", ts(3)).is_some());
    assert_eq!(table.get(b"hot", ts(2)), None, "older than the floor, and superseded");
    assert_eq!(table.find(b"hot", ts(2)), Found::Newer);
    assert!(table.get(b"hot", ts(50)).is_some());
}

#[test]
fn flushing_takes_the_newest_version_and_leaves_later_ones() {
    let table = table();
    for at in [1, 2, 8] {
        table.insert(ts(at), &[write("a", Some("v")), write("b", None)], NEVER);
    }
    table.insert(ts(9), &[write("c", Some("v"))], NEVER);
    let first = table.flushable(None, ts(5), SliceBounds { entries: 1, bytes: 1000 });
    assert_eq!((&first.entries[0].key[..], first.entries[0].ts), (&b"a"[..], ts(2)));
    let second = table.flushable(first.reached.as_deref(), ts(5), SliceBounds { entries: 99, bytes: 1000 });
    assert_eq!(second.entries.len(), 1);
    assert_eq!((second.entries[0].value.as_ref(), second.reached), (None, None));
    table.remove_flushed(&first, ts(5));
    assert_eq!(table.get(b"a", ts(5)), None);
    assert!(table.get(b"a", ts(8)).is_some());
    let rest = table.flushable(None, ts(9), SliceBounds { entries: 99, bytes: 1000 });
    table.remove_flushed(&rest, ts(9));
    assert_eq!((table.bytes(), table.keys()), (0, 0));
}

/// Everything that may be flushed up to `bound`.
fn flush(table: &MemoryTable, bound: u64) -> FlushSlice {
    let slice = table.flushable(None, ts(bound), SliceBounds { entries: 1_000_000, bytes: 1 << 30 });
    table.remove_flushed(&slice, ts(bound));
    slice
}

fn remembered(table: &MemoryTable, key: &str) -> Option<Bytes> {
    table.get(key.as_bytes(), ts(1000)).flatten()
}

fn all(table: &MemoryTable) -> Chunk {
    table.chunk(Interval::ALL, ts(1000), Direction::Ascending, 99)
}

#[test]
fn what_was_asked_for_is_remembered_when_it_is_flushed() {
    let table = MemoryTable::new([7; 8], 1 << 20);
    let writes = ["asked for", "not asked for", "deleted"].map(|key| write(key, Some("1")));
    table.insert(ts(1), &writes, NEVER);
    table.insert(ts(2), &[write("deleted", None)], NEVER);
    table.get(b"asked for", ts(1));
    table.get(b"deleted", ts(2));
    flush(&table, 2);
    assert_eq!((table.bytes(), table.keys()), (0, 0));
    assert_eq!(remembered(&table, "asked for").as_deref(), Some(&b"1"[..]));
    assert_eq!(table.find(b"not asked for", ts(9)), Found::Nothing);
    assert_eq!(table.find(b"deleted", ts(9)), Found::Nothing);
    assert!(all(&table).entries.is_empty(), "a scan finds it in the base");
}

#[test]
fn a_commit_replaces_what_is_remembered() {
    let table = MemoryTable::new([7; 8], 1 << 20);
    table.remember(b"a", &Bytes::from("old"));
    assert_eq!(remembered(&table, "a").as_deref(), Some(&b"old"[..]));
    table.insert(ts(5), &[write("a", Some("first")), write("a", Some("last"))], NEVER);
    assert_eq!(remembered(&table, "a").as_deref(), Some(&b"last"[..]));
    assert_eq!(table.find(b"a", ts(4)), Found::Newer, "an older snapshot finds it in the base");
    assert_eq!(entries(&all(&table)), [("a", Some("last"))], "it is to be flushed");
    assert_eq!(flush(&table, 5).entries.len(), 1);
    table.insert(ts(6), &[write("a", None)], NEVER);
    assert_eq!(table.get(b"a", ts(6)), Some(None));
    flush(&table, 6);
    assert_eq!((table.bytes(), table.keys()), (0, 0));
    assert_eq!(table.find(b"a", ts(6)), Found::Nothing);
}

#[test]
fn what_was_read_before_a_commit_is_not_remembered_after_it() {
    let table = MemoryTable::new([7; 8], 1 << 20);
    table.insert(ts(2), &[write("a", Some("new"))], NEVER);
    table.remember(b"a", &Bytes::from("old"));
    assert_eq!(remembered(&table, "a").as_deref(), Some(&b"new"[..]));
    assert_eq!(table.find(b"a", ts(1)), Found::Newer);
}

#[test]
fn what_is_remembered_stays_within_its_bytes_and_what_is_asked_for_stays() {
    let rows = 100;
    let table = MemoryTable::new([7; 8], SHARDS as u64 * rows * 200);
    let keys: Vec<String> = (0..20_000).map(|number| format!("key {number}")).collect();
    for key in &keys {
        table.remember(key.as_bytes(), &Bytes::from("value"));
        remembered(&table, &keys[0]).expect("it is asked for again and again");
    }
    let large = Bytes::from(vec![1; 2000]);
    table.remember(b"large", &large);
    assert_eq!(remembered(&table, "large"), None);
    let count = || keys.iter().filter(|key| remembered(&table, key).is_some()).count() as u64;
    assert!(count() <= SHARDS as u64 * rows * 200 / 165);
    assert!(count() >= SHARDS as u64 * rows / 2);
    for (at, key) in (1..).zip(&keys) {
        table.insert(ts(at), &[write(key, Some("other"))], NEVER);
    }
    flush(&table, 20_000);
    assert!((1..SHARDS as u64 * rows * 200 / 165).contains(&count()));
    assert_eq!((table.bytes(), table.keys()), (0, 0));
}

#[test]
fn keys_that_come_while_others_are_flushed_are_kept() {
    let table = table();
    table.insert(ts(1), &[write("a", Some("1")), write("b", Some("1")), write("c", Some("1"))], NEVER);
    let bounds = SliceBounds { entries: 1, bytes: 1000 };
    let first = table.flushable(None, ts(1), bounds);
    table.insert(ts(2), &[write("a", Some("2")), write("aa", Some("2")), write("c", Some("2"))], NEVER);
    table.remove_flushed(&first, ts(1));
    let mut after = first.reached;
    while let Some(key) = after {
        let slice = table.flushable(Some(&key), ts(1), bounds);
        table.remove_flushed(&slice, ts(1));
        after = slice.reached;
    }
    assert_eq!(entries(&all(&table)), [("a", Some("2")), ("aa", Some("2")), ("c", Some("2"))]);
    flush(&table, 2);
    assert_eq!((table.bytes(), table.keys()), (0, 0));
}
