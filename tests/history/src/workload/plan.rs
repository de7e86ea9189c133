//! What to do, from a seed: transaction number n of a seed has the same steps in every run.
//!
//! A few lists are hot at a time. As a list grows with every append, the hot ones move on: a table of eight lists for
//! every so many transactions, of which some still go to the tables before.
//!
//! Not here: who runs a transaction, and when.

use crate::history::{Element, Key};

use super::random::Random;
use super::step::{LISTS_PER_TABLE, Step, is_whole};

/// After how many transactions the next table is hot.
const TRANSACTIONS_PER_TABLE: u32 = 160;
/// How many steps a transaction has at most.
const STEPS_MAX: u32 = 4;
/// How many numbers each transaction has for its elements.
const ELEMENTS_PER_TRANSACTION: u32 = 8;

const _: () = assert!(STEPS_MAX < ELEMENTS_PER_TRANSACTION);

/// A mutation to be run.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// Its steps.
    pub steps: Vec<Step>,
    /// Whether it fails after the last.
    pub fails: bool,
}

impl Planned {
    /// The path of the function that runs it.
    #[must_use]
    pub fn path(&self) -> &'static str {
        if self.steps.iter().any(Step::is_range) {
            "lists:transactRanges"
        } else if self.steps.len() > 1 {
            "lists:transact"
        } else {
            "lists:transactOne"
        }
    }

    /// Whether it writes anything if it succeeds.
    #[must_use]
    pub fn writes(&self) -> bool {
        self.steps.iter().any(|step| matches!(step, Step::Append { .. }))
    }
}

/// The choices of one run.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    seed: u64,
    /// No table before this one is touched: it belongs to another run on the same data.
    first_table: u32,
}

impl Plan {
    /// The plan of a seed, from a transaction on.
    #[must_use]
    pub fn new(seed: u64, first: u32) -> Plan {
        Plan { seed, first_table: newest_table(first) }
    }

    /// The first table that it touches.
    #[must_use]
    pub fn first_table(&self) -> u32 {
        self.first_table
    }

    /// The mutation of a number.
    #[must_use]
    pub fn mutation(&self, number: u32) -> Planned {
        let mut choice =
            Choice { random: Random::of(&[self.seed, 1, u64::from(number)]), plan: *self, number };
        let count = 1 + choice.random.below(STEPS_MAX);
        let steps = (0..count).map(|at| {
            let element = 1 + number * ELEMENTS_PER_TRANSACTION + at;
            match choice.random.below(100) {
                0..48 => choice.append(element),
                48..52 => Step::AppendInVain { key: choice.key(), element },
                _ => choice.read(),
            }
        });
        Planned { steps: steps.collect(), fails: choice.random.percent(5) }
    }

    /// The reads of a query at the time of that transaction. `purpose` tells the queries of one time apart.
    #[must_use]
    pub fn look(&self, number: u32, purpose: u64) -> Vec<Step> {
        let random = Random::of(&[self.seed, 2, u64::from(number), purpose]);
        let mut choice = Choice { random, plan: *self, number };
        let count = 1 + choice.random.below(3);
        (0..count).map(|_| choice.read()).collect()
    }
}

/// The newest hot table at the time of a transaction.
#[must_use]
pub fn newest_table(number: u32) -> u32 {
    number / TRANSACTIONS_PER_TABLE
}

/// The first transaction after `number` whose table is not that of `number`.
#[must_use]
pub fn first_of_next_table(number: u32) -> u32 {
    (newest_table(number) + 1) * TRANSACTIONS_PER_TABLE
}

/// What is chosen for one transaction.
struct Choice {
    random: Random,
    plan: Plan,
    number: u32,
}

impl Choice {
    fn append(&mut self, element: Element) -> Step {
        Step::Append { key: self.key(), element, by_id: self.random.percent(60), id: None }
    }

    fn read(&mut self) -> Step {
        let table = self.table();
        let first = table * LISTS_PER_TABLE;
        match self.random.below(10) {
            0..2 => {
                let low = self.random.below(LISTS_PER_TABLE);
                let high = low + 1 + self.random.below(LISTS_PER_TABLE - low);
                Step::ReadRange { low: first + low, high: first + high }
            }
            2 if is_whole(table) => {
                let mut bound = || first + self.random.below(LISTS_PER_TABLE);
                Step::ReadTimes { table, between: (bound(), bound()), from: 0.0, until: None }
            }
            3 if is_whole(table) => Step::ReadNewest { table, count: 1 + self.random.below(4) },
            _ => Step::Read { key: self.key(), by_id: self.random.percent(60), id: None },
        }
    }

    /// A hot list: of a table the first ones are the hottest.
    fn key(&mut self) -> Key {
        let place = self.random.below(LISTS_PER_TABLE).min(self.random.below(LISTS_PER_TABLE));
        self.table() * LISTS_PER_TABLE + place
    }

    fn table(&mut self) -> u32 {
        let age = match self.random.below(100) {
            0..40 => 0,
            40..65 => 1,
            65..85 => 2,
            _ => 3,
        };
        newest_table(self.number).saturating_sub(age).max(self.plan.first_table)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_plan() {
        let plan = |seed| (0..500).map(|number| Plan::new(seed, 0).mutation(number)).collect::<Vec<_>>();
        assert_eq!(plan(1), plan(1));
        assert_ne!(plan(1), plan(2));
        let look = |purpose| Plan::new(1, 0).look(7, purpose);
        assert_eq!(look(3), look(3));
        assert_ne!(look(3), look(4));
    }

    #[test]
    fn no_element_is_planned_twice_and_every_step_is_planned() {
        let first = first_of_next_table(5_000);
        let plan = Plan::new(1, first);
        let mut elements = HashSet::new();
        let mut kinds = HashSet::new();
        for step in (first..first + 2_000).flat_map(|number| plan.mutation(number).steps) {
            kinds.insert(std::mem::discriminant(&step));
            if let Step::Append { key, element, .. } | Step::AppendInVain { key, element } = step {
                assert!(elements.insert(element), "{element}");
                assert!(key >= newest_table(first) * LISTS_PER_TABLE, "{key} is of another run");
            }
        }
        assert_eq!(kinds.len(), 6);
        assert!(elements.len() > 2_000, "{}", elements.len());
    }

    #[test]
    fn ranges_stay_within_a_table() {
        let plan = Plan::new(1, 0);
        for step in (0..2_000).flat_map(|number| plan.look(number, 0)) {
            if let Step::ReadRange { low, high } = step {
                assert!(
                    low < high && low / LISTS_PER_TABLE == (high - 1) / LISTS_PER_TABLE,
                    "{low} to {high}"
                );
            }
        }
    }
}
