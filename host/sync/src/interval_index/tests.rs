//! The index against brute force, and its shape.
use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use weir_db::KeyRange;

use super::*;

fn key(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

fn range(start: &str, end: &str) -> KeyRange {
    KeyRange { start: key(start), end: key(end) }
}

fn hits(index: &IntervalIndex, key: &str) -> Vec<u32> {
    let mut hits = BTreeSet::new();
    index.stab(key.as_bytes(), &mut hits);
    hits.into_iter().map(|id| id.0).collect()
}

#[test]
fn ranges_are_half_open_and_points_exact() {
    let mut index = IntervalIndex::new();
    index.insert(LiveId(1), &ReadSet::new([key("p")], [range("b", "d")]));
    index.insert(LiveId(2), &ReadSet::new([key("p"), key("pp")], [range("c", "c\0")]));
    for (key, expected) in
        [("a", vec![]), ("b", vec![1]), ("c", vec![1, 2]), ("c\0", vec![1]), ("d", vec![]), ("p", vec![1, 2])]
    {
        assert_eq!(hits(&index, key), expected, "{key:?}");
    }
    assert_eq!(hits(&index, "pp"), [2]);
    index.remove(LiveId(2), &ReadSet::new([key("p"), key("pp")], [range("c", "c\0")]));
    assert_eq!(hits(&index, "c"), [1]);
    assert_eq!(hits(&index, "pp"), Vec::<u32>::new());
    index.remove(LiveId(1), &ReadSet::new([key("p")], [range("b", "d")]));
    assert!(index.is_empty());
}

#[test]
fn equal_ranges_of_many_owners_are_kept_apart() {
    let mut index = IntervalIndex::new();
    let read_set = ReadSet::new([], [range("a", "b")]);
    (0..100).for_each(|id| index.insert(LiveId(id), &read_set));
    (0..100).filter(|id| id % 3 != 0).for_each(|id| index.remove(LiveId(id), &read_set));
    assert_eq!(hits(&index, "a"), (0..100).step_by(3).collect::<Vec<u32>>());
}

#[test]
fn ten_thousand_ranges_in_order_stay_shallow() {
    let mut tree = RangeTree::default();
    for at in 0..10_000_u32 {
        let start = Bytes::copy_from_slice(&at.to_be_bytes());
        let end = Bytes::copy_from_slice(&(at + 1).to_be_bytes());
        tree.insert(&KeyRange { start, end }, LiveId(at));
    }
    assert!(tree.depth() < 50, "a treap of 10,000 nodes is about 30 deep, this one {}", tree.depth());
    let mut hits = BTreeSet::new();
    tree.stab(&7_777_u32.to_be_bytes(), &mut hits);
    assert_eq!(hits.into_iter().collect::<Vec<_>>(), [LiveId(7_777)]);
}

#[derive(Debug, Clone)]
enum Operation {
    Insert(u32, Vec<u8>, Vec<(u8, u8)>),
    Remove(u32),
    Stab(u8),
}

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        2 => (0..24_u32, vec(0..40_u8, 0..3), vec((0..40_u8, 0..40_u8), 0..4))
            .prop_map(|(id, points, ranges)| Operation::Insert(id, points, ranges)),
        1 => (0..24_u32).prop_map(Operation::Remove),
        3 => (0..40_u8).prop_map(Operation::Stab),
    ]
}

fn read_set(points: &[u8], ranges: &[(u8, u8)]) -> ReadSet {
    let bytes = |byte: u8| Bytes::copy_from_slice(&[byte]);
    let ranges = ranges.iter().map(|&(a, b)| KeyRange { start: bytes(a.min(b)), end: bytes(a.max(b)) });
    ReadSet::new(points.iter().copied().map(bytes), ranges)
}

proptest! {
    #[test]
    fn equals_brute_force(operations in vec(operation(), 1..200)) {
        let mut index = IntervalIndex::new();
        let mut model: BTreeMap<u32, ReadSet> = BTreeMap::new();
        for operation in operations {
            match operation {
                Operation::Insert(id, points, ranges) => {
                    let new = read_set(&points, &ranges);
                    if let Some(old) = model.insert(id, new.clone()) {
                        index.remove(LiveId(id), &old);
                    }
                    index.insert(LiveId(id), &new);
                }
                Operation::Remove(id) => {
                    if let Some(old) = model.remove(&id) {
                        index.remove(LiveId(id), &old);
                    }
                }
                Operation::Stab(key) => {
                    let mut found = BTreeSet::new();
                    index.stab(&[key], &mut found);
                    let expected: BTreeSet<LiveId> = model
                        .iter()
                        .filter(|(_, read_set)| read_set.contains(&[key]))
                        .map(|(&id, _)| LiveId(id))
                        .collect();
                    prop_assert_eq!(found, expected);
                }
            }
        }
        for (id, read_set) in model {
            index.remove(LiveId(id), &read_set);
        }
        prop_assert!(index.is_empty());
    }
}
