//! Who comes before whom, by the data: the edges ww, wr and rw of Adya's serialization graph.
//!
//! Not here: the orders of sessions, of real time and of timestamps (`precedence`).

use crate::history::{Element, Index, Key};

use super::graph::{Edge, EdgeKind};
use super::lists::{Lists, Order};

/// All edges that the data gives. Together they are complete: if they have no cycle, then every order that they allow
/// explains every read.
pub(crate) fn edges(lists: &Lists<'_>) -> Vec<Edge> {
    let mut edges = Edges { lists, found: Vec::new() };
    for (key, order) in &lists.orders {
        edges.between_writers(*key, order);
    }
    edges.of_readers();
    edges.found
}

struct Edges<'lists, 'history> {
    lists: &'lists Lists<'history>,
    found: Vec<Edge>,
}

impl Edges<'_, '_> {
    fn writer(&self, element: Element) -> Index {
        self.lists.writers[&element].index
    }

    fn add(&mut self, from: Index, to: Index, kind: EdgeKind, key: Key, element: Element) {
        if from != to {
            self.found.push(Edge { from: from as u32, to: to as u32, kind, key, element });
        }
    }

    /// Each append comes before the next one; what nobody read comes after all that was read.
    fn between_writers(&mut self, key: Key, order: &Order) {
        for pair in order.elements.windows(2) {
            self.add(self.writer(pair[0]), self.writer(pair[1]), EdgeKind::WriteWrite, key, pair[1]);
        }
        if let Some(last) = order.elements.last() {
            for element in &order.unread {
                self.add(self.writer(*last), self.writer(*element), EdgeKind::WriteWrite, key, *element);
            }
        }
    }

    /// A reader comes after the append that it saw last, and before the next one.
    fn of_readers(&mut self) {
        for read in &self.lists.reads {
            let order = &self.lists.orders[&read.key];
            // What was read and is not in the order was reported, and says nothing more.
            let seen = order.counts[read.list.len()];
            let anti = if read.in_range { EdgeKind::RangeReadWrite } else { EdgeKind::ReadWrite };
            if let Some(last) = seen.checked_sub(1).map(|last| order.elements[last]) {
                self.add(self.writer(last), read.reader, EdgeKind::WriteRead, read.key, last);
            }
            match order.elements.get(seen) {
                Some(next) => self.add(read.reader, self.writer(*next), anti, read.key, *next),
                None => {
                    for element in &order.unread {
                        self.add(read.reader, self.writer(*element), anti, read.key, *element);
                    }
                }
            }
        }
    }
}
