//! Half-open ranges of keys, each with an owner, and the question which of them hold a key.
//!
//! A treap in an arena, ordered by (start, end, owner); each node also knows where in its subtree the largest end
//! is, so that a whole subtree which ends before a key is passed over. Priorities come from a counter through a
//! mixing function: the shape depends on the order of calls alone.
use std::cmp::Ordering;
use std::collections::BTreeSet;

use weir_db::KeyRange;

use super::LiveId;

/// No node.
const NIL: u32 = u32::MAX;

#[derive(Debug)]
struct Node {
    range: KeyRange,
    owner: LiveId,
    priority: u64,
    left: u32,
    right: u32,
    /// The node of this subtree whose range ends last.
    last_end: u32,
}

/// The ranges of all owners.
#[derive(Debug)]
pub(super) struct RangeTree {
    nodes: Vec<Node>,
    free: Vec<u32>,
    root: u32,
    inserted: u64,
}

impl Default for RangeTree {
    fn default() -> Self {
        RangeTree { nodes: Vec::new(), free: Vec::new(), root: NIL, inserted: 0 }
    }
}

impl RangeTree {
    pub(super) fn is_empty(&self) -> bool {
        self.root == NIL
    }

    pub(super) fn insert(&mut self, range: &KeyRange, owner: LiveId) {
        let node = self.allocate(range, owner);
        self.root = self.insert_below(self.root, node);
    }

    pub(super) fn remove(&mut self, range: &KeyRange, owner: LiveId) {
        self.root = self.remove_below(self.root, range, owner);
    }

    /// Adds the owners of the ranges that hold `key`.
    pub(super) fn stab(&self, key: &[u8], hits: &mut BTreeSet<LiveId>) {
        self.stab_below(self.root, key, hits);
    }

    fn stab_below(&self, mut at: u32, key: &[u8], hits: &mut BTreeSet<LiveId>) {
        while at != NIL {
            let node = self.node(at);
            if self.node(node.last_end).range.end.as_ref() <= key {
                return;
            }
            self.stab_below(node.left, key, hits);
            if key < node.range.start.as_ref() {
                return;
            }
            if key < node.range.end.as_ref() {
                hits.insert(node.owner);
            }
            at = node.right;
        }
    }

    fn allocate(&mut self, range: &KeyRange, owner: LiveId) -> u32 {
        self.inserted += 1;
        let priority = mix(self.inserted);
        let at = self.free.pop().unwrap_or(self.nodes.len() as u32);
        let node = Node { range: range.clone(), owner, priority, left: NIL, right: NIL, last_end: at };
        match self.nodes.get_mut(at as usize) {
            Some(slot) => *slot = node,
            None => self.nodes.push(node),
        }
        at
    }

    fn insert_below(&mut self, at: u32, new: u32) -> u32 {
        if at == NIL {
            return new;
        }
        if self.node(new).priority > self.node(at).priority {
            let (left, right) = self.split(at, new);
            (self.node_mut(new).left, self.node_mut(new).right) = (left, right);
            self.update(new);
            return new;
        }
        if self.order(at, &self.node(new).range, self.node(new).owner) == Ordering::Greater {
            let left = self.insert_below(self.node(at).left, new);
            self.node_mut(at).left = left;
        } else {
            let right = self.insert_below(self.node(at).right, new);
            self.node_mut(at).right = right;
        }
        self.update(at);
        at
    }

    /// Parts the subtree into what stands before the node `pivot` and what does not.
    fn split(&mut self, at: u32, pivot: u32) -> (u32, u32) {
        if at == NIL {
            return (NIL, NIL);
        }
        if self.order(at, &self.node(pivot).range, self.node(pivot).owner) == Ordering::Less {
            let (before, after) = self.split(self.node(at).right, pivot);
            self.node_mut(at).right = before;
            self.update(at);
            (at, after)
        } else {
            let (before, after) = self.split(self.node(at).left, pivot);
            self.node_mut(at).left = after;
            self.update(at);
            (before, at)
        }
    }

    fn remove_below(&mut self, at: u32, range: &KeyRange, owner: LiveId) -> u32 {
        if at == NIL {
            return NIL;
        }
        match self.order(at, range, owner) {
            Ordering::Equal => {
                let joined = self.join(self.node(at).left, self.node(at).right);
                self.release(at);
                return joined;
            }
            Ordering::Greater => {
                let left = self.remove_below(self.node(at).left, range, owner);
                self.node_mut(at).left = left;
            }
            Ordering::Less => {
                let right = self.remove_below(self.node(at).right, range, owner);
                self.node_mut(at).right = right;
            }
        }
        self.update(at);
        at
    }

    /// One subtree of two, all of whose left stands before all of its right.
    fn join(&mut self, left: u32, right: u32) -> u32 {
        if left == NIL || right == NIL {
            return if left == NIL { right } else { left };
        }
        if self.node(left).priority > self.node(right).priority {
            let joined = self.join(self.node(left).right, right);
            self.node_mut(left).right = joined;
            self.update(left);
            left
        } else {
            let joined = self.join(left, self.node(right).left);
            self.node_mut(right).left = joined;
            self.update(right);
            right
        }
    }

    /// Lets go of the keys that the node holds, too: they are shared with a read set.
    fn release(&mut self, at: u32) {
        self.node_mut(at).range = KeyRange { start: Default::default(), end: Default::default() };
        self.free.push(at);
    }

    fn order(&self, at: u32, range: &KeyRange, owner: LiveId) -> Ordering {
        let node = self.node(at);
        let starts = node.range.start.cmp(&range.start);
        starts.then_with(|| node.range.end.cmp(&range.end)).then_with(|| node.owner.cmp(&owner))
    }

    fn update(&mut self, at: u32) {
        let mut last = at;
        for child in [self.node(at).left, self.node(at).right] {
            if child == NIL {
                continue;
            }
            let candidate = self.node(child).last_end;
            if self.node(candidate).range.end > self.node(last).range.end {
                last = candidate;
            }
        }
        self.node_mut(at).last_end = last;
    }

    fn node(&self, at: u32) -> &Node {
        &self.nodes[at as usize]
    }

    fn node_mut(&mut self, at: u32) -> &mut Node {
        &mut self.nodes[at as usize]
    }

    /// The longest way from the root to a leaf.
    #[cfg(test)]
    pub(super) fn depth(&self) -> usize {
        fn below(tree: &RangeTree, at: u32) -> usize {
            match at {
                NIL => 0,
                at => 1 + below(tree, tree.node(at).left).max(below(tree, tree.node(at).right)),
            }
        }
        below(self, self.root)
    }
}

/// Steele and Vigna's SplitMix64: spreads consecutive numbers.
fn mix(counter: u64) -> u64 {
    let mut z = counter.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
