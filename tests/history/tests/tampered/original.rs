//! A history in which nothing is wrong, and places in it.
//!
//! Not here: what is changed at a place.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use weir_history::history::{Element, History, Index, Key, Kind, List, Operation, Outcome, Transaction};
use weir_history::workload::Random;

/// The history with what is asked of it again and again.
pub struct Original {
    pub history: History,
    /// Who appends each element.
    pub writers: HashMap<Element, Index>,
    /// The elements that others than their writers have read.
    pub shared: HashSet<Element>,
    /// How long each list was read at most.
    pub longest: HashMap<Key, usize>,
}

/// A read of one list, within one operation of a transaction.
#[derive(Clone, Copy)]
pub struct Place<'history> {
    pub transaction: Index,
    pub operation: usize,
    pub key: Key,
    pub list: &'history List,
}

impl Original {
    pub fn of(history: History) -> Original {
        let mut writers = HashMap::new();
        for (index, transaction) in history.transactions.iter().enumerate() {
            writers.extend(transaction.appends().map(|(_, element)| (element, index)));
        }
        let (mut shared, mut longest) = (HashSet::new(), HashMap::new());
        for (reader, transaction) in history.transactions.iter().enumerate() {
            for (key, list) in transaction.operations.iter().flat_map(|operation| operation.reads().0) {
                shared.extend(list.iter().filter(|element| writers[element] != reader));
                let known = longest.entry(key).or_insert(0);
                *known = list.len().max(*known);
            }
        }
        Original { history, writers, shared, longest }
    }

    pub fn transaction(&self, index: Index) -> &Transaction {
        &self.history.transactions[index]
    }

    pub fn any_transaction(&self, random: &mut Random) -> Index {
        random.below(self.history.transactions.len() as u32) as Index
    }

    /// A read of a single list, by a transaction that was answered.
    pub fn any_read(&self, random: &mut Random) -> Option<Place<'_>> {
        let index = self.any_transaction(random);
        let transaction = self.transaction(index);
        let operation = any(&transaction.operations, random)?;
        match &transaction.operations[operation] {
            Operation::Read { key, list } if transaction.outcome == Outcome::Committed => {
                Some(Place { transaction: index, operation, key: *key, list })
            }
            _ => None,
        }
    }

    /// The first append of a mutation that ended in this way, whose element others have read or have not.
    pub fn any_append(
        &self,
        random: &mut Random,
        outcome: Outcome,
        was_read: bool,
    ) -> Option<(Index, Element)> {
        let index = self.any_transaction(random);
        let transaction = self.transaction(index);
        let (_, element) = transaction.appends().next()?;
        (transaction.outcome == outcome && self.shared.contains(&element) == was_read)
            .then_some((index, element))
    }

    /// The transition of a session that has this number.
    pub fn transition(&self, session: u32, sequence: u32) -> Option<Index> {
        self.history.transactions.iter().position(|other| {
            other.kind == Kind::Transition && other.session == session && other.sequence == sequence
        })
    }

    /// The history with another list at this place.
    pub fn with_list(&self, place: Place<'_>, list: impl Into<List>) -> History {
        let mut history = self.history.clone();
        history.transactions[place.transaction].operations[place.operation] =
            Operation::Read { key: place.key, list: list.into() };
        history
    }
}

pub fn any<T>(of: &[T], random: &mut Random) -> Option<usize> {
    (!of.is_empty()).then(|| random.below(of.len() as u32) as usize)
}

/// Changes every list that an operation has read.
pub fn each_list(operation: &mut Operation, change: impl Fn(&mut List)) {
    match operation {
        Operation::Append { .. } => {}
        Operation::Read { list, .. } => change(list),
        Operation::ReadRange { lists } => Arc::make_mut(lists).iter_mut().for_each(|(_, list)| change(list)),
    }
}
