//! From steps and their results to the operations that the checker knows.
//!
//! A scan tells as much by what it does not give: every list of its range that was not there is read as empty. Which
//! lists are of a range of creation times is known only when all of a run has been seen.
//!
//! Not here: checking anything.

use crate::history::{Key, List, Operation};

use super::known::Known;
use super::step::{LISTS_PER_TABLE, Row, Seen, Step};

/// What a transaction did, as the checker has it.
#[must_use]
pub fn operations(seen: &[Seen], known: &Known) -> Vec<Operation> {
    seen.iter().flat_map(|seen| of_step(seen, known)).collect()
}

/// What is known to be written by steps of which no result is known.
#[must_use]
pub fn appends(steps: &[Step]) -> Vec<Operation> {
    let appends = steps.iter().filter_map(|step| match step {
        Step::Append { key, element, .. } => Some(Operation::Append { key: *key, element: *element }),
        _ => None,
    });
    appends.collect()
}

/// What is written in vain by these steps, whatever comes of them.
#[must_use]
pub fn appends_in_vain(steps: &[Step]) -> Vec<Operation> {
    let appends = steps.iter().filter_map(|step| match step {
        Step::AppendInVain { key, element } => Some(Operation::Append { key: *key, element: *element }),
        _ => None,
    });
    appends.collect()
}

fn of_step(seen: &Seen, known: &Known) -> Vec<Operation> {
    let rows = &seen.rows;
    match &seen.step {
        Step::Append { key, element, .. } => {
            let mut operations = single(*key, rows);
            operations.push(Operation::Append { key: *key, element: *element });
            operations
        }
        Step::Read { key, .. } | Step::AppendInVain { key, .. } => single(*key, rows),
        Step::ReadRange { low, high } => range(rows, (*low..*high).collect()),
        Step::ReadTimes { table, from, until, .. } => {
            let within = |time| time >= *from && until.is_none_or(|until| time < until);
            range(rows, known.created_within(*table, within))
        }
        // The scan ended at the last list that it gave. It has passed over nothing that is newer than that one.
        Step::ReadNewest { table, count } if rows.len() as u32 == *count => {
            let oldest = rows.iter().filter_map(|row| row.document.as_ref()).map(|(_, created)| *created);
            let oldest = oldest.fold(f64::INFINITY, f64::min);
            range(rows, known.created_within(*table, |time| time > oldest))
        }
        Step::ReadNewest { table, .. } => {
            let first = table * LISTS_PER_TABLE;
            range(rows, (first..first + LISTS_PER_TABLE).collect())
        }
    }
}

fn single(key: Key, rows: &[Row]) -> Vec<Operation> {
    rows.iter().map(|row| Operation::Read { key, list: row.list.clone() }).collect()
}

/// A scan that gave these rows, of a range that these lists belong to.
fn range(rows: &[Row], keys: Vec<Key>) -> Vec<Operation> {
    let mut lists: Vec<(Key, List)> = rows.iter().map(|row| (row.key, row.list.clone())).collect();
    let absent = keys.into_iter().filter(|key| rows.iter().all(|row| row.key != *key));
    lists.extend(absent.map(|key| (key, List::from([]))));
    lists.sort_by_key(|(key, _)| *key);
    vec![Operation::ReadRange { lists: lists.into() }]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(key: Key, created: f64, list: &[u32]) -> Row {
        Row { key, list: list.into(), document: Some((format!("id{key}"), created)) }
    }

    /// Lists 0 to 3 were created at 10, 20, 30, 40.
    fn known() -> Known {
        let known = Known::default();
        let rows = (0..4).map(|key| row(key, 10.0 * f64::from(key + 1), &[])).collect();
        known.learn(&[Seen { step: Step::ReadRange { low: 0, high: 8 }, rows }]);
        known
    }

    fn lists(step: Step, rows: Vec<Row>) -> Vec<(Key, Vec<u32>)> {
        let operations = operations(&[Seen { step, rows }], &known());
        let [Operation::ReadRange { lists }] = &operations[..] else { panic!("{operations:?}") };
        lists.iter().map(|(key, list)| (*key, list.to_vec())).collect()
    }

    #[test]
    fn a_list_that_a_scan_does_not_give_is_empty() {
        let step = Step::ReadRange { low: 0, high: 3 };
        assert_eq!(lists(step, vec![row(1, 20.0, &[5])]), [(0, vec![]), (1, vec![5]), (2, vec![])]);
        let step = Step::ReadTimes { table: 0, between: (1, 3), from: 20.0, until: Some(40.0) };
        assert_eq!(lists(step, vec![row(1, 20.0, &[5])]), [(1, vec![5]), (2, vec![])]);
    }

    #[test]
    fn a_limited_scan_ends_where_it_stopped() {
        let step = Step::ReadNewest { table: 0, count: 1 };
        assert_eq!(lists(step, vec![row(2, 30.0, &[5])]), [(2, vec![5]), (3, vec![])]);
        let step = Step::ReadNewest { table: 0, count: 2 };
        assert_eq!(lists(step, vec![row(2, 30.0, &[5])]).len(), 8);
    }

    #[test]
    fn an_append_reads_first() {
        let step = Step::Append { key: 1, element: 9, by_id: false, id: None };
        let seen = [Seen { step, rows: vec![row(1, 20.0, &[5])] }];
        let read = Operation::Read { key: 1, list: [5].into() };
        assert_eq!(operations(&seen, &known()), [read, Operation::Append { key: 1, element: 9 }]);
    }

    #[test]
    fn a_step_takes_what_is_known_by_then() {
        let mut step = Step::ReadTimes { table: 0, between: (1, 3), from: 0.0, until: None };
        known().resolve(&mut step);
        assert_eq!(step, Step::ReadTimes { table: 0, between: (1, 3), from: 20.0, until: Some(40.0) });
        let mut step = Step::ReadTimes { table: 0, between: (3, 7), from: 0.0, until: None };
        known().resolve(&mut step);
        assert_eq!(step, Step::ReadTimes { table: 0, between: (3, 7), from: 40.0, until: None });
        let mut step = Step::Read { key: 2, by_id: true, id: None };
        known().resolve(&mut step);
        assert_eq!(step, Step::Read { key: 2, by_id: true, id: Some("id2".into()) });
    }
}
