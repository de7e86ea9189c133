//! A directed graph of transactions, and its strongly connected components.
//!
//! An edge says that one transaction comes before another, and why. Searches look at edges of some kinds only, so the
//! one graph holds them all.
//!
//! Not here: what makes an edge (`dependencies`, `precedence`), and which cycle to report (`cycles`).

use crate::history::{Element, Key};

/// Why a transaction comes before another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum EdgeKind {
    /// The other appended after it to the same list.
    WriteWrite,
    /// The other read what it appended.
    WriteRead,
    /// The other appended what it had not read yet.
    ReadWrite,
    /// The same, where the read was of a range.
    RangeReadWrite,
    /// The same client asked for the other, or saw it, later.
    Session,
    /// It was answered before the other was asked for.
    RealTime,
    /// The host says that it is of an earlier timestamp.
    Timestamp,
}

/// A set of kinds of edges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kinds(u8);

/// One edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    /// Who comes first.
    pub from: u32,
    /// Who comes later.
    pub to: u32,
    /// Why.
    pub kind: EdgeKind,
    /// The list that it is about; 0 where it is about none.
    pub key: Key,
    /// The element that it is about: the later append, or the one that was read.
    pub element: Element,
}

/// All edges, by where they begin.
#[derive(Debug)]
pub(crate) struct Graph {
    edges: Vec<Edge>,
    /// Where the edges of each node begin in `edges`; one more than there are nodes.
    starts: Vec<usize>,
}

impl EdgeKind {
    /// Whether it is an order that holds between any two, without data: those are transitive.
    pub(crate) fn is_order(self) -> bool {
        matches!(self, EdgeKind::Session | EdgeKind::RealTime | EdgeKind::Timestamp)
    }

    /// Whether it says that a read missed an append.
    pub(crate) fn is_anti(self) -> bool {
        matches!(self, EdgeKind::ReadWrite | EdgeKind::RangeReadWrite)
    }
}

impl Kinds {
    pub(crate) const NONE: Kinds = Kinds(0);

    pub(crate) const fn with(self, kind: EdgeKind) -> Kinds {
        Kinds(self.0 | 1 << kind as u8)
    }

    pub(crate) fn and(self, other: Kinds) -> Kinds {
        Kinds(self.0 | other.0)
    }

    pub(crate) fn has(self, kind: EdgeKind) -> bool {
        self.0 & 1 << kind as u8 != 0
    }
}

impl Edge {
    /// An edge of an order, which is about no list.
    pub(crate) fn order(from: usize, to: usize, kind: EdgeKind) -> Edge {
        Edge { from: from as u32, to: to as u32, kind, key: 0, element: 0 }
    }
}

impl Graph {
    /// A graph of `nodes` nodes. Of edges that differ only in what they are about, one is kept.
    pub(crate) fn new(nodes: usize, mut edges: Vec<Edge>) -> Graph {
        edges.sort_unstable();
        edges.dedup_by_key(|edge| (edge.from, edge.to, edge.kind));
        let mut starts = vec![0; nodes + 1];
        for edge in &edges {
            starts[edge.from as usize + 1] += 1;
        }
        for node in 0..nodes {
            starts[node + 1] += starts[node];
        }
        Graph { edges, starts }
    }

    pub(crate) fn nodes(&self) -> usize {
        self.starts.len() - 1
    }

    pub(crate) fn edges_from(&self, node: u32) -> &[Edge] {
        &self.edges[self.starts[node as usize]..self.starts[node as usize + 1]]
    }

    /// The strongly connected components of more than one node, over edges of these kinds between nodes that `within`
    /// lets through. No edge leads from a node to itself.
    pub(crate) fn components(&self, kinds: Kinds, within: impl Fn(u32) -> bool) -> Vec<Vec<u32>> {
        let mut search = Tarjan::new(self, kinds, within);
        for node in 0..self.nodes() as u32 {
            search.visit(node);
        }
        search.found
    }
}

/// Tarjan's algorithm with a stack of its own: histories are longer than a thread's stack.
struct Tarjan<'graph, Within> {
    graph: &'graph Graph,
    kinds: Kinds,
    within: Within,
    /// In which order the nodes were come upon; 0: not yet.
    order: Vec<u32>,
    /// The earliest node that can be reached over one edge back.
    low: Vec<u32>,
    on_stack: Vec<bool>,
    stack: Vec<u32>,
    next: u32,
    found: Vec<Vec<u32>>,
}

impl<'graph, Within: Fn(u32) -> bool> Tarjan<'graph, Within> {
    fn new(graph: &'graph Graph, kinds: Kinds, within: Within) -> Self {
        let nodes = graph.nodes();
        let (order, low, on_stack) = (vec![0; nodes], vec![0; nodes], vec![false; nodes]);
        Tarjan { graph, kinds, within, order, low, on_stack, stack: Vec::new(), next: 0, found: Vec::new() }
    }

    fn enter(&mut self, node: u32) {
        self.next += 1;
        self.order[node as usize] = self.next;
        self.low[node as usize] = self.next;
        self.on_stack[node as usize] = true;
        self.stack.push(node);
    }

    fn visit(&mut self, root: u32) {
        if self.order[root as usize] != 0 || !(self.within)(root) {
            return;
        }
        self.enter(root);
        // Nodes on the way down, with how many of their edges were followed.
        let mut path = vec![(root, 0)];
        while let Some((node, at)) = path.last_mut() {
            let node = *node;
            let Some(edge) = self.graph.edges_from(node).get(*at) else {
                path.pop();
                if let Some((parent, _)) = path.last() {
                    let low = self.low[node as usize];
                    let parent = &mut self.low[*parent as usize];
                    *parent = low.min(*parent);
                }
                self.leave(node);
                continue;
            };
            *at += 1;
            let to = edge.to;
            if !self.kinds.has(edge.kind) || !(self.within)(to) {
                continue;
            }
            if self.order[to as usize] == 0 {
                self.enter(to);
                path.push((to, 0));
            } else if self.on_stack[to as usize] {
                self.low[node as usize] = self.low[node as usize].min(self.order[to as usize]);
            }
        }
    }

    /// All below `node` is known: is it the first of a component?
    fn leave(&mut self, node: u32) {
        if self.low[node as usize] != self.order[node as usize] {
            return;
        }
        let at = self.stack.iter().rposition(|other| *other == node).expect("it was put there");
        let mut component = self.stack.split_off(at);
        for member in &component {
            self.on_stack[*member as usize] = false;
        }
        if component.len() > 1 {
            component.sort_unstable();
            self.found.push(component);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Kinds = Kinds::NONE.with(EdgeKind::WriteWrite).with(EdgeKind::Session);

    fn graph(nodes: usize, edges: &[(u32, u32, EdgeKind)]) -> Graph {
        let edges = edges.iter().map(|&(from, to, kind)| Edge { from, to, kind, key: 0, element: 0 });
        Graph::new(nodes, edges.collect())
    }

    #[test]
    fn components_are_found_over_the_edges_that_count() {
        use EdgeKind::{Session, WriteWrite};
        let edges = [
            (0, 1, WriteWrite),
            (1, 2, WriteWrite),
            (2, 0, Session),
            (2, 3, WriteWrite),
            (3, 4, WriteWrite),
            (4, 3, WriteWrite),
        ];
        let graph = graph(6, &edges);
        let mut all = graph.components(ALL, |_| true);
        all.sort();
        assert_eq!(all, [vec![0, 1, 2], vec![3, 4]]);
        assert_eq!(graph.components(Kinds::NONE.with(WriteWrite), |_| true), [vec![3, 4]]);
        assert_eq!(graph.components(ALL, |node| node != 4), [vec![0, 1, 2]]);
    }

    #[test]
    fn a_long_ring_is_one_component() {
        let length = 300_000;
        let edges: Vec<_> =
            (0..length).map(|node| (node, (node + 1) % length, EdgeKind::WriteWrite)).collect();
        let found = graph(length as usize, &edges).components(ALL, |_| true);
        assert_eq!(found.iter().map(Vec::len).collect::<Vec<_>>(), [length as usize]);
    }
}
