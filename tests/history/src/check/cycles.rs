//! From strongly connected components to the cycle that is worth showing: of the worst class, and the shortest.
//!
//! Whether there is a cycle at all is exact. That the one shown is the shortest holds as long as the search stays below
//! its bound, which only histories with very many wrong transactions reach.
//!
//! Not here: the graph itself (`graph`) and what its edges mean (`dependencies`, `precedence`).

use std::collections::{HashMap, VecDeque};

use crate::history::{History, Index};

use super::anomaly::{Cycle, CycleClass, Level};
use super::graph::{Edge, EdgeKind, Graph, Kinds};
use super::precedence;

/// How many states one search for a cycle may look at.
const SEARCH_STATES_MAX: usize = 2_000_000;
/// How many cycles of one level are reported: whoever has that many looks at the first.
const CYCLES_MAX: usize = 10;

const WRITES: Kinds = Kinds::NONE.with(EdgeKind::WriteWrite);
const WRITES_AND_READS: Kinds = WRITES.with(EdgeKind::WriteRead);
const ITEMS: Kinds = WRITES_AND_READS.with(EdgeKind::ReadWrite);
const DATA: Kinds = ITEMS.with(EdgeKind::RangeReadWrite);

const LEVELS: [Level; 4] = [Level::Data, Level::Session, Level::RealTime, Level::Timestamps];

/// The orders that count at a level.
fn orders(level: Level) -> Kinds {
    let session = Kinds::NONE.with(EdgeKind::Session);
    match level {
        Level::Data => Kinds::NONE,
        Level::Session => session,
        Level::RealTime => session.with(EdgeKind::RealTime),
        Level::Timestamps => session.with(EdgeKind::RealTime).with(EdgeKind::Timestamp),
    }
}

/// The cycles of a history, each at the least level at which it shows. What has a part in one that was reported, or in
/// what is `explained` otherwise from real time on, is not reported again.
pub(crate) fn find(history: &History, graph: &Graph, explained: &[Index]) -> Vec<Cycle> {
    let mut found: Vec<Cycle> = Vec::new();
    let mut is_told = vec![false; graph.nodes()];
    for level in LEVELS {
        if level == Level::RealTime {
            explained.iter().for_each(|index| is_told[*index] = true);
        }
        let components = graph.components(DATA.and(orders(level)), |_| true);
        let fresh = components.iter().filter(|members| members.iter().all(|node| !is_told[*node as usize]));
        let cycles: Vec<_> =
            fresh.take(CYCLES_MAX).map(|members| worst_cycle(history, graph, members, level)).collect();
        for edge in cycles.iter().flat_map(|cycle| &cycle.edges) {
            is_told[edge.from as usize] = true;
        }
        found.extend(cycles);
    }
    found
}

/// The shortest cycle of the worst class that a component has.
fn worst_cycle(history: &History, graph: &Graph, members: &[u32], level: Level) -> Cycle {
    let mut inside = vec![false; graph.nodes()];
    members.iter().for_each(|node| inside[*node as usize] = true);
    let orders = orders(level);
    let base = Search { history, graph, kinds: DATA, level, inside: &inside, members };
    let classes = [
        (CycleClass::Orders, orders),
        (CycleClass::G0, WRITES.and(orders)),
        (CycleClass::G1c, WRITES_AND_READS.and(orders)),
        (CycleClass::GSingle, WRITES_AND_READS.and(orders)),
        (CycleClass::G2Item, ITEMS.and(orders)),
        (CycleClass::G2, DATA.and(orders)),
    ];
    for (class, kinds) in classes {
        let edges = if class == CycleClass::GSingle {
            Search { kinds, ..base }.shortest_over_one_miss()
        } else {
            let parts = graph.components(kinds, |node| inside[node as usize]);
            let cycles = parts.iter().filter_map(|members| Search { kinds, members, ..base }.shortest());
            cycles.min_by_key(Vec::len)
        };
        if let Some(edges) = edges {
            return Cycle { class, level, edges };
        }
    }
    unreachable!("a strongly connected component has a cycle")
}

/// A search for a cycle within one component.
#[derive(Clone, Copy)]
struct Search<'graph> {
    history: &'graph History,
    graph: &'graph Graph,
    kinds: Kinds,
    level: Level,
    inside: &'graph [bool],
    members: &'graph [u32],
}

/// A node, and the order by which it was reached, if it was by an order: following the same order on costs nothing,
/// because orders are transitive.
type State = (u32, Option<EdgeKind>);

impl Search<'_> {
    /// The shortest cycle over any edges. The members are a component, so there is one.
    fn shortest(&self) -> Option<Vec<Edge>> {
        let mut best = self.closed_at_once(|kind| self.kinds.has(kind));
        let mut states_left = SEARCH_STATES_MAX;
        for node in self.members {
            let below = best.as_ref().map_or(usize::MAX, Vec::len);
            // Nothing is shorter than two, and a first cycle is found whatever it takes.
            if below == 2 || (states_left == 0 && best.is_some()) {
                break;
            }
            if let Some(path) = self.path(*node, *node, below, &mut states_left) {
                best = Some(self.shorten(path));
            }
        }
        best
    }

    /// The shortest cycle over exactly one read that missed a write.
    fn shortest_over_one_miss(&self) -> Option<Vec<Edge>> {
        let mut best = self.closed_at_once(EdgeKind::is_anti);
        let mut states_left = SEARCH_STATES_MAX;
        for miss in self.inner_edges().filter(|edge| edge.kind.is_anti()) {
            let below = best.as_ref().map_or(usize::MAX, Vec::len);
            if below == 2 || states_left == 0 {
                break;
            }
            if let Some(mut path) = self.path(miss.to, miss.from, below - 1, &mut states_left) {
                path.push(*miss);
                best = Some(self.shorten(path));
            }
        }
        best
    }

    fn inner_edges(&self) -> impl Iterator<Item = &Edge> {
        let all = self.members.iter().flat_map(|node| self.graph.edges_from(*node));
        all.filter(|edge| self.inside[edge.to as usize])
    }

    /// A cycle of two: an edge of the data whose end comes before its beginning by one of the orders.
    fn closed_at_once(&self, wanted: impl Fn(EdgeKind) -> bool) -> Option<Vec<Edge>> {
        self.inner_edges().filter(|edge| !edge.kind.is_order() && wanted(edge.kind)).find_map(|edge| {
            self.ordered(edge.to, edge.from)
                .map(|kind| vec![*edge, Edge::order(edge.to as usize, edge.from as usize, kind)])
        })
    }

    fn ordered(&self, first: u32, second: u32) -> Option<EdgeKind> {
        let transactions = &self.history.transactions;
        precedence::reason(&transactions[first as usize], &transactions[second as usize], self.level)
    }

    /// A cheapest path that costs less than `below`: breadth first, with steps that cost one or nothing.
    fn path(&self, from: u32, to: u32, below: usize, states_left: &mut usize) -> Option<Vec<Edge>> {
        let mut reached: HashMap<State, (usize, State, Edge)> = HashMap::new();
        let mut queue = VecDeque::from([((from, None), 0)]);
        while let Some((state, cost)) = queue.pop_front() {
            if reached.get(&state).is_some_and(|(known, ..)| *known < cost) {
                continue;
            }
            if state.0 == to && reached.contains_key(&state) {
                return Some(walk_back(&reached, state, (from, None)));
            }
            for edge in self.graph.edges_from(state.0) {
                if !self.kinds.has(edge.kind) || !self.inside[edge.to as usize] {
                    continue;
                }
                let by = Some(edge.kind).filter(|kind| kind.is_order());
                let is_free = by.is_some() && by == state.1;
                let (next, cost) = ((edge.to, by), cost + usize::from(!is_free));
                if cost >= below || reached.get(&next).is_some_and(|(known, ..)| *known <= cost) {
                    continue;
                }
                reached.insert(next, (cost, state, *edge));
                *states_left = states_left.saturating_sub(1);
                if is_free { queue.push_front((next, cost)) } else { queue.push_back((next, cost)) }
            }
        }
        None
    }

    /// Puts one edge in the place of several that are orders only.
    fn shorten(&self, mut cycle: Vec<Edge>) -> Vec<Edge> {
        if let Some(data) = cycle.iter().position(|edge| !edge.kind.is_order()) {
            cycle.rotate_left(data);
        }
        let mut short: Vec<Edge> = Vec::new();
        let mut at = 0;
        while at < cycle.len() {
            let run = cycle[at..].iter().take_while(|edge| edge.kind.is_order()).count();
            let direct = (1..run).rev().find_map(|more| {
                let (from, to) = (cycle[at].from, cycle[at + more].to);
                let kind = self.ordered(from, to).filter(|kind| self.kinds.has(*kind))?;
                Some((more, Edge::order(from as usize, to as usize, kind)))
            });
            let (more, edge) = direct.unwrap_or((0, cycle[at]));
            short.push(edge);
            at += more + 1;
        }
        short
    }
}

/// The path that led to a state.
fn walk_back(reached: &HashMap<State, (usize, State, Edge)>, end: State, start: State) -> Vec<Edge> {
    let mut path = Vec::new();
    let mut state = end;
    loop {
        let (_, before, edge) = reached[&state];
        path.push(edge);
        if before == start {
            break;
        }
        state = before;
    }
    path.reverse();
    path
}
