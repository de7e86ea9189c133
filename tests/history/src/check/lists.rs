//! What the lists tell by themselves: the order of each list's appends, and what is wrong without looking at cycles.
//!
//! Elements are only ever put at the end, so the longest list that anybody read is the order of its appends, and every
//! other read must be a beginning of it.
//!
//! Not here: what the orders say about who comes before whom (`dependencies`).

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::history::{Element, History, Index, Key, Kind, List, Operation, Outcome, Transaction};

use super::anomaly::Anomaly;

/// Who appends an element.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Writer {
    pub(crate) index: Index,
    pub(crate) key: Key,
    /// Whether it is its writer's last append to that list.
    pub(crate) is_last: bool,
}

/// A read of a list as it was before the reader itself appended to it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Read<'history> {
    pub(crate) reader: Index,
    pub(crate) key: Key,
    pub(crate) list: &'history List,
    pub(crate) in_range: bool,
}

/// The appends of one list.
#[derive(Debug, Default)]
pub(crate) struct Order {
    /// The elements that were read, in order, each once.
    pub(crate) elements: Vec<Element>,
    /// Elements that must be there and that nobody read: they come after all others, in an order that nobody knows.
    pub(crate) unread: Vec<Element>,
    /// How many of `elements` are among the first so many of the longest list: all of them, if nothing is wrong with it.
    pub(crate) counts: Vec<usize>,
    /// Who read the longest list, and that list.
    longest: Option<(Index, List)>,
}

/// All that the lists tell.
#[derive(Debug)]
pub(crate) struct Lists<'history> {
    pub(crate) history: &'history History,
    pub(crate) writers: HashMap<Element, Writer>,
    pub(crate) orders: BTreeMap<Key, Order>,
    /// Reads of what others wrote; those that fit no order are left out.
    pub(crate) reads: Vec<Read<'history>>,
    /// Whether each transaction has happened: it was answered, or somebody saw it.
    pub(crate) happened: Vec<bool>,
    pub(crate) anomalies: Vec<Anomaly>,
}

impl<'history> Lists<'history> {
    pub(crate) fn of(history: &'history History) -> Self {
        let mut lists = Lists {
            history,
            writers: writers(history),
            orders: BTreeMap::new(),
            reads: Vec::new(),
            happened: Vec::new(),
            anomalies: Vec::new(),
        };
        lists.happened = history.transactions.iter().map(|tx| tx.outcome == Outcome::Committed).collect();
        for (index, transaction) in lists.committed() {
            lists.read_all(index, transaction);
        }
        lists.settle_orders();
        lists.check_reads();
        lists.find_lost();
        lists
    }

    fn committed(&self) -> impl Iterator<Item = (Index, &'history Transaction)> + use<'history> {
        let numbered = self.history.transactions.iter().enumerate();
        numbered.filter(|(_, transaction)| transaction.outcome == Outcome::Committed)
    }

    /// Follows a transaction through its own operations: it must see what it has read and appended before.
    fn read_all(&mut self, reader: Index, transaction: &'history Transaction) {
        // What a list held before the transaction, as far as it is known, and what the transaction has appended.
        let mut known: HashMap<Key, (Option<&[Element]>, Vec<Element>)> = HashMap::new();
        for operation in &transaction.operations {
            if let Operation::Append { key, element } = operation {
                known.entry(*key).or_default().1.push(*element);
            }
            let (reads, in_range) = operation.reads();
            for (key, list) in reads {
                self.take_longest(reader, key, list);
                let (base, own) = known.entry(key).or_default();
                let seen = list.strip_suffix(own.as_slice());
                if seen.is_none() || base.is_some_and(|base| Some(base) != seen) {
                    self.anomalies.push(Anomaly::Internal { key, reader });
                }
                if own.is_empty() {
                    self.reads.push(Read { reader, key, list, in_range });
                }
                *base = base.or(seen);
            }
        }
    }

    fn take_longest(&mut self, reader: Index, key: Key, list: &List) {
        let order = self.orders.entry(key).or_default();
        if order.longest.as_ref().is_none_or(|(_, longest)| list.len() > longest.len()) {
            order.longest = Some((reader, list.clone()));
        }
    }

    /// The longest read of each list is its order; what is in it has happened.
    fn settle_orders(&mut self) {
        for (key, order) in &mut self.orders {
            let Some((reader, longest)) = order.longest.clone() else { continue };
            let mut seen = HashSet::new();
            order.counts.push(0);
            for element in longest.iter().copied() {
                if !seen.insert(element) {
                    self.anomalies.push(Anomaly::Duplicate { key: *key, element, reader });
                } else if let Some(problem) = problem_with(self.history, &self.writers, *key, element, reader)
                {
                    self.anomalies.push(problem);
                } else {
                    self.happened[self.writers[&element].index] = true;
                    order.elements.push(element);
                }
                order.counts.push(order.elements.len());
            }
        }
        let mut elements: Vec<_> = self.writers.iter().map(|(element, writer)| (*element, *writer)).collect();
        elements.sort_unstable_by_key(|(element, _)| *element);
        for (element, writer) in elements {
            let order = self.orders.entry(writer.key).or_default();
            let was_read = order.longest.as_ref().is_some_and(|(_, longest)| longest.contains(&element));
            if self.happened[writer.index] && !was_read {
                order.unread.push(element);
            }
        }
    }

    /// Checks every read against the order of its list. What is wrong with a list is said once.
    fn check_reads(&mut self) {
        let mut told = HashSet::new();
        let (orders, writers, anomalies) = (&self.orders, &self.writers, &mut self.anomalies);
        let history = self.history;
        for (reader, transaction) in history.transactions.iter().enumerate() {
            if transaction.outcome != Outcome::Committed {
                continue;
            }
            let reads = transaction.operations.iter().flat_map(|operation| operation.reads().0);
            for (key, list) in reads {
                let Some((longest, order)) = &orders[&key].longest else { continue };
                if order.starts_with(list) || !told.insert(key) {
                    continue;
                }
                anomalies.push(Anomaly::IncompatibleOrder { key, longest: *longest, other: reader });
                let foreign = list.iter().filter(|element| !order.contains(element));
                anomalies.extend(
                    foreign.filter_map(|element| problem_with(history, writers, key, *element, reader)),
                );
            }
        }
        self.reads.retain(|read| {
            let order = orders[&read.key].longest.as_ref();
            order.is_some_and(|(_, order)| order.starts_with(read.list))
        });
        let intermediate = self.reads.iter().filter_map(|read| {
            let element = *read.list.last()?;
            let writer = writers.get(&element)?;
            let is_partial = !writer.is_last && writer.index != read.reader;
            is_partial.then_some(Anomaly::IntermediateRead {
                key: read.key,
                element,
                writer: writer.index,
                reader: read.reader,
            })
        });
        anomalies.extend(intermediate);
        let own = self.reads.iter().filter(|read| {
            read.list
                .iter()
                .any(|element| writers.get(element).is_some_and(|writer| writer.index == read.reader))
        });
        anomalies.extend(own.map(|read| Anomaly::Internal { key: read.key, reader: read.reader }));
    }

    /// Appends that were answered, that no read has, and that some read should have because it was asked for later.
    fn find_lost(&mut self) {
        for (key, order) in &self.orders {
            for element in &order.unread {
                let writer = self.writers[element].index;
                let Some(answered) = self.history.transactions[writer].ended_ns else { continue };
                let late = self.reads.iter().find(|read| {
                    let reader = &self.history.transactions[read.reader];
                    read.key == *key && reader.kind != Kind::Transition && answered < reader.started_ns
                });
                if let Some(read) = late {
                    let (element, reader) = (*element, read.reader);
                    self.anomalies.push(Anomaly::LostAppend { key: *key, element, writer, reader });
                }
            }
        }
    }
}

/// What is wrong with the mere presence of an element.
fn problem_with(
    history: &History,
    writers: &HashMap<Element, Writer>,
    key: Key,
    element: Element,
    reader: Index,
) -> Option<Anomaly> {
    match writers.get(&element) {
        Some(writer) if writer.key == key => (history.transactions[writer.index].outcome == Outcome::Aborted)
            .then_some(Anomaly::AbortedRead { key, element, writer: writer.index, reader }),
        _ => Some(Anomaly::Unwritten { key, element, reader }),
    }
}

fn writers(history: &History) -> HashMap<Element, Writer> {
    let mut writers = HashMap::new();
    for (index, transaction) in history.transactions.iter().enumerate() {
        let mut last: HashMap<Key, Element> = HashMap::new();
        for (key, element) in transaction.appends() {
            let other = writers.insert(element, Writer { index, key, is_last: true });
            assert!(other.is_none(), "element {element} is appended twice: the history was not made right");
            if let Some(earlier) = last.insert(key, element) {
                writers.get_mut(&earlier).expect("it was put there").is_last = false;
            }
        }
    }
    writers
}
