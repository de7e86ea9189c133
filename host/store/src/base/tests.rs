//! One suite for every tree under a base.

use std::collections::BTreeMap;
use std::ops::{Bound, ControlFlow};
use std::path::Path;

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use weir_value::Timestamp;

use super::row::PIECE_BYTES;
use super::tree::{Space, end_of_prefix};
use super::{Base, MemoryTree, Row, SledTree};
use crate::disk::{MemoryDisk, RealDisk};
use crate::memory_table::{FlushEntry, Interval, TableKey};
use crate::open::open_redb;
use crate::{Direction, StoreId};

const CACHE_BYTES: u64 = 1024 * 1024;

/// Where the bases of one test lie.
struct Place {
    folder: tempfile::TempDir,
    disk: MemoryDisk,
}

type Opens = fn(&Place) -> Base;

const KINDS: [(&str, Opens); 4] = [
    ("rows", |place| Base::new(MemoryTree::new(place.disk.clone()))),
    ("redb in memory", |place| open_redb(&place.disk, CACHE_BYTES).unwrap()),
    ("redb", |place| open_redb(&RealDisk::new(place.path()), CACHE_BYTES).unwrap()),
    ("sled", |place| Base::new(SledTree::open(&place.path().join("sled"), CACHE_BYTES).unwrap())),
];

impl Place {
    fn new() -> Place {
        Place { folder: tempfile::tempdir().unwrap(), disk: MemoryDisk::new() }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }
}

fn ts(nanos: u64) -> Timestamp {
    Timestamp::from_nanos(nanos)
}

fn put(base: &Base, key: &[u8], at: u64, value: Option<Vec<u8>>) {
    let entry = FlushEntry { key: TableKey::from_slice(key), ts: ts(at), value: value.map(Bytes::from) };
    base.apply(&[entry]).unwrap();
}

fn rows(base: &Base, interval: Interval<'_>, direction: Direction) -> Vec<(Bytes, Bytes)> {
    few(base, interval, direction, usize::MAX)
}

fn pieces(base: &Base) -> usize {
    base.tree.range(Space::Pieces, Interval::ALL, Direction::Ascending).unwrap().count()
}

fn problems(base: &Base) -> Vec<String> {
    let mut problems = Vec::new();
    base.check(&mut |problem| problems.push(problem)).unwrap();
    problems
}

fn row_of((key, value): (&TableKey, &Bytes)) -> (Bytes, Bytes) {
    (Bytes::copy_from_slice(key), value.clone())
}

/// Applies slices of entries, as a flush does, and compares with a map after each.
#[track_caller]
fn assert_slices(kind: &str, base: &Base, slices: &[Vec<FlushEntry>]) {
    let mut model = BTreeMap::new();
    for slice in slices {
        base.apply(slice).unwrap();
        for FlushEntry { key, value, .. } in slice {
            match value {
                Some(value) => model.insert(key.clone(), value.clone()),
                None => model.remove(&key[..]),
            };
        }
        let expected: Vec<(Bytes, Bytes)> = model.iter().map(row_of).collect();
        assert!(rows(base, Interval::ALL, Direction::Ascending) == expected, "{kind}");
    }
    assert_eq!(problems(base), Vec::<String>::new(), "{kind}");
}

fn entry(key: u32, at: u64, value: Option<usize>) -> FlushEntry {
    let value = value.map(|len| Bytes::from(vec![at as u8; len]));
    FlushEntry { key: TableKey::from_slice(&key.to_be_bytes()), ts: ts(at), value }
}

#[test]
fn slices_with_runs_of_new_keys() {
    for (kind, open) in KINDS {
        let place = Place::new();
        let base = open(&place);
        // Into nothing, behind the end, between keys, over keys, and with a large value, a deletion and single keys
        // in their midst.
        let run = |keys: std::ops::Range<u32>, at: u64| keys.map(move |key| entry(key, at, Some(100)));
        let mut mixed: Vec<FlushEntry> = run(2_500..2_600, 5).collect();
        mixed[30].value = Some(vec![7; PIECE_BYTES + 1].into());
        mixed[60].value = None;
        mixed.extend([2_700, 2_800, 2_900].map(|key| entry(key, 5, Some(9))));
        mixed.extend(run(2_901..2_950, 5));
        let slices = [
            run(1_000..2_000, 1).collect(),
            run(3_000..4_000, 2).collect(),
            run(2_000..2_500, 3).collect(),
            (0..4_500).step_by(7).map(|key| entry(key, 4, Some(40))).collect(),
            mixed,
            (0..4_500).step_by(3).map(|key| entry(key, 6, (key % 2 == 0).then_some(300))).collect(),
            run(0..5_000, 7).collect(),
        ];
        assert_slices(kind, &base, &slices);
    }
}

/// What a scan for so many rows shows.
fn few(base: &Base, interval: Interval<'_>, direction: Direction, wanted: usize) -> Vec<(Bytes, Bytes)> {
    let mut rows = Vec::new();
    let visit = |key: &[u8], row: Row<'_>| {
        rows.push((Bytes::copy_from_slice(key), base.load(key, row.into())?));
        Ok(if rows.len() == wanted { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    };
    base.visit(interval, direction, wanted, visit).unwrap();
    rows
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Short ranges are asked for again and again, between flushes that change them.
    #[test]
    fn short_scans_see_each_flush(
        slices in vec(vec((0u8..12, prop::option::of(prop_oneof![0usize..40, Just(440), Just(PIECE_BYTES + 1)])), 0..4), 1..5),
        asked in vec((0u8..12, 1u8..4, any::<bool>(), 1usize..4), 1..24),
    ) {
        for (kind, open) in KINDS {
            let place = Place::new();
            let base = open(&place);
            let mut model = BTreeMap::new();
            for (at, slice) in (1..).zip(&slices) {
                let slice: BTreeMap<u8, Option<usize>> = slice.iter().copied().collect();
                let entries: Vec<FlushEntry> =
                    slice.iter().map(|(key, len)| entry(u32::from(*key), at, *len)).collect();
                base.apply(&entries).unwrap();
                for FlushEntry { key, value, .. } in entries {
                    match value {
                        Some(value) => drop(model.insert(key, value)),
                        None => drop(model.remove(&key[..])),
                    }
                }
                for (low, len, is_ascending, wanted) in asked.iter().chain(&asked).copied() {
                    let (low, high) = (u32::from(low).to_be_bytes(), u32::from(low + len).to_be_bytes());
                    let interval = Interval { low: Bound::Included(&low[..]), high: Bound::Excluded(&high[..]) };
                    let direction = if is_ascending { Direction::Ascending } else { Direction::Descending };
                    let mut expected: Vec<(Bytes, Bytes)> =
                        model.range::<[u8], _>((interval.low, interval.high)).map(row_of).collect();
                    if !is_ascending {
                        expected.reverse();
                    }
                    expected.truncate(wanted);
                    prop_assert!(few(&base, interval, direction, wanted) == expected, "{}", kind);
                    prop_assert_eq!(base.get_again(&low).unwrap(), model.get(&low[..]).cloned(), "{}", kind);
                    let keys: Vec<[u8; 4]> = asked.iter().map(|asked| u32::from(asked.0).to_be_bytes()).collect();
                    let keys: Vec<&[u8]> = keys.iter().map(|key| &key[..]).collect();
                    let expected: Vec<Option<Bytes>> = keys.iter().map(|key| model.get(*key).cloned()).collect();
                    let mut found = vec![None; keys.len()];
                    let mut get = |at: usize, row: Row<'_>| found[at] = Some(base.load(keys[at], row.into()).unwrap());
                    base.get_each(&keys, direction, &mut get).unwrap();
                    prop_assert!(found == expected, "{}", kind);
                }
            }
        }
    }
}

#[test]
fn large_values_stand_apart_and_leave_nothing_behind() {
    for (kind, open) in KINDS {
        let place = Place::new();
        let base = open(&place);
        for (at, size) in [PIECE_BYTES, PIECE_BYTES + 1, 70_000, 5, 1_000_000, 70_000].into_iter().enumerate()
        {
            let value = vec![at as u8; size];
            put(&base, b"k\xff", at as u64 + 1, Some(value.clone()));
            assert_eq!(base.get(b"k\xff").unwrap().as_deref(), Some(&value[..]), "{kind}");
            let expected = if size > PIECE_BYTES { size.div_ceil(PIECE_BYTES) } else { 0 };
            assert_eq!(pieces(&base), expected, "{kind}: {size} bytes");
            assert_eq!(problems(&base), Vec::<String>::new(), "{kind}");
        }
        put(&base, b"k\xff", 8, None);
        assert_eq!((base.get(b"k\xff").unwrap(), pieces(&base)), (None, 0), "{kind}");
    }
}

#[test]
fn pieces_that_a_failure_left_behind_go_when_the_commit_is_flushed_again() {
    for (kind, open) in KINDS {
        let place = Place::new();
        let base = open(&place);
        let value = vec![6; 70_000];
        put(&base, b"k", 7, Some(value.clone()));
        let stray = super::row::piece_key(&super::row::pieces_prefix(b"k"), ts(3), 9);
        base.tree.write(&mut |writer| writer.insert(Space::Pieces, &stray, b"x").map(drop)).unwrap();
        put(&base, b"k", 7, Some(value.clone()));
        assert_eq!(pieces(&base), value.len().div_ceil(PIECE_BYTES), "{kind}");
        assert_eq!(base.get(b"k").unwrap().as_deref(), Some(&value[..]), "{kind}");
    }
}

#[test]
fn rows_and_marks_survive() {
    for (kind, open) in KINDS {
        let place = Place::new();
        let base = open(&place);
        let marks = base.marks().unwrap();
        assert_eq!((marks.checkpoint, marks.flushing, marks.store), (ts(0), ts(0), None), "{kind}");
        base.set_store(StoreId([7; 8])).unwrap();
        base.begin_flush(ts(9)).unwrap();
        put(&base, b"a", 1, Some(b"1".to_vec()));
        base.checkpoint(ts(5)).unwrap();
        drop(base);
        let base = open(&place);
        let marks = base.marks().unwrap();
        assert_eq!(
            (marks.checkpoint, marks.flushing, marks.store),
            (ts(5), ts(9), Some(StoreId([7; 8]))),
            "{kind}"
        );
        assert_eq!(base.get(b"a").unwrap().as_deref(), Some(&b"1"[..]), "{kind}");
    }
}

#[test]
fn readers_see_what_was_applied_before_they_began() {
    for (kind, open) in KINDS {
        let place = Place::new();
        let base = open(&place);
        for i in 0..100u8 {
            put(&base, &[i], 1, Some(vec![i]));
        }
        let mut scan = base.tree.range(Space::Rows, Interval::ALL, Direction::Ascending).unwrap();
        assert_eq!(scan.next().unwrap().unwrap().0[..], [0], "{kind}");
        put(&base, &[200], 2, Some(vec![1]));
        let rest = scan.map(Result::unwrap).count();
        assert!((99..=100).contains(&rest), "{kind}: {rest}");
        assert_eq!(rows(&base, Interval::ALL, Direction::Descending).len(), 101, "{kind}");
    }
}

#[test]
fn runs_of_the_byte_255_do_not_trap_a_walk_backwards() {
    for (kind, open) in KINDS {
        let place = Place::new();
        let base = open(&place);
        let keys: Vec<Vec<u8>> = (0..200u8).map(|i| [&b"a"[..], &[255; 7], &[i], b"b"].concat()).collect();
        for key in keys.iter().chain([&b"b".to_vec(), &b"b\0".to_vec()]) {
            put(&base, key, 1, Some(Vec::new()));
        }
        for i in 0..200u8 {
            put(&base, &[b'b', i], 1, Some(Vec::new()));
        }
        assert_eq!(rows(&base, Interval::ALL, Direction::Descending).len(), 401, "{kind}");
    }
}

#[test]
fn a_row_under_a_wrong_key_is_an_error() {
    for (kind, open) in KINDS {
        let place = Place::new();
        let base = open(&place);
        put(&base, b"a", 1, Some(b"1".to_vec()));
        let row = base.tree.get(Space::Rows, b"a").unwrap().unwrap();
        base.tree.write(&mut |writer| writer.insert(Space::Rows, b"b", &row).map(drop)).unwrap();
        let error = base.get(b"b").unwrap_err().to_string();
        assert!(error.contains("row of key 62 does not match"), "{kind}: {error}");
        assert_eq!(problems(&base).len(), 1, "{kind}");
    }
}

#[test]
fn ends_of_prefixes() {
    assert_eq!(end_of_prefix(b"ab"), Some(b"ac".to_vec()));
    assert_eq!(end_of_prefix(b"a\xff\xff"), Some(b"b".to_vec()));
    assert_eq!(end_of_prefix(b"\xff"), None);
}

fn key() -> impl Strategy<Value = Vec<u8>> {
    vec(prop_oneof![Just(0u8), Just(1), Just(255)], 0..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn a_base_is_an_ordered_map(
        puts in vec((key(), proptest::option::of(0..9000usize)), 0..120),
        (low, high) in (key(), key()),
    ) {
        let mut model = BTreeMap::new();
        for (at, (key, size)) in puts.iter().enumerate() {
            match size {
                Some(size) => model.insert(Bytes::from(key.clone()), Bytes::from(vec![at as u8; *size])),
                None => model.remove(&key[..]),
            };
        }
        let interval = Interval { low: Bound::Included(&low), high: Bound::Excluded(&high) };
        for (kind, open) in KINDS {
            let place = Place::new();
            let base = open(&place);
            for (at, (key, size)) in puts.iter().enumerate() {
                put(&base, key, at as u64 + 1, size.map(|size| vec![at as u8; size]));
            }
            base.checkpoint(ts(1)).unwrap();
            if !interval.is_empty() {
                let mut expected: Vec<(Bytes, Bytes)> = model
                    .range::<[u8], _>((interval.low, interval.high))
                    .map(|(key, value)| (key.clone(), value.clone()))
                    .collect();
                prop_assert_eq!(rows(&base, interval, Direction::Ascending), expected.clone(), "{}", kind);
                expected.reverse();
                prop_assert_eq!(rows(&base, interval, Direction::Descending), expected, "{}", kind);
            }
            prop_assert_eq!(problems(&base), Vec::<String>::new(), "{}", kind);
        }
    }
}
