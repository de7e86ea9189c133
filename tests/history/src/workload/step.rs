//! What a transaction is asked to do, and what it gave back, as the guest `tests/guests/lists` has it.
//!
//! Not here: which steps a transaction has (`plan`), and what a result means to the checker (`expand`).

use anyhow::{Context, Result, ensure};
use serde::Serialize;
use serde_json::Value;

use crate::history::{Element, Key, List};

/// How many lists share a table. The guest counts on the same.
pub const LISTS_PER_TABLE: u32 = 8;

/// One step. Fields that do not travel say how the others are filled in, from what the clients know by then.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Step {
    /// Puts an element at the end of a list and gives what was there before.
    Append {
        /// The list.
        key: Key,
        /// What is put there.
        element: Element,
        /// Whether to find the list by its id, if some client has seen it.
        #[serde(skip)]
        by_id: bool,
        /// That id.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<String>,
    },
    /// Reads one list.
    Read {
        /// The list.
        key: Key,
        /// Whether to find the list by its id, if some client has seen it.
        #[serde(skip)]
        by_id: bool,
        /// That id.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<String>,
    },
    /// Reads the lists from `low` up to and without `high`.
    ReadRange {
        /// The first.
        low: Key,
        /// The first that is not read.
        high: Key,
    },
    /// Reads the lists of a table that were created in an interval of time.
    ReadTimes {
        /// The table.
        table: u32,
        /// The lists whose creation bounds the interval; a second one that is not later bounds nothing.
        #[serde(skip)]
        between: (Key, Key),
        /// The first timestamp.
        from: f64,
        /// The first timestamp that is not read.
        #[serde(skip_serializing_if = "Option::is_none")]
        until: Option<f64>,
    },
    /// Reads the lists of a table that were created last.
    ReadNewest {
        /// The table.
        table: u32,
        /// How many.
        count: u32,
    },
    /// Appends in a mutation of its own, which fails, and gives what the list is then.
    AppendInVain {
        /// The list.
        key: Key,
        /// What must not be there.
        element: Element,
    },
}

/// A list as a step gave it.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The list.
    pub key: Key,
    /// What it held.
    pub list: List,
    /// The id of its document, and when that was created, where a list is one document.
    pub document: Option<(String, f64)>,
}

/// A step with what it gave.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// What was asked.
    pub step: Step,
    /// What came back.
    pub rows: Vec<Row>,
}

impl Step {
    /// Whether it reads lists whose keys it does not name.
    #[must_use]
    pub fn is_range(&self) -> bool {
        matches!(self, Step::ReadRange { .. } | Step::ReadTimes { .. } | Step::ReadNewest { .. })
    }
}

/// Whether the lists of a table are one document each.
#[must_use]
pub fn is_whole(table: u32) -> bool {
    table.is_multiple_of(2)
}

/// The steps with their parts of a result.
///
/// # Errors
/// When the result is not what the guest gives.
pub fn seen(steps: &[Step], result: &Value) -> Result<Vec<Seen>> {
    let results = result.as_array().context("a result that is not a list")?;
    ensure!(results.len() == steps.len(), "{} results of {} steps: {result}", results.len(), steps.len());
    let pairs = steps.iter().zip(results);
    pairs.map(|(step, rows)| Ok(Seen { step: step.clone(), rows: parse_rows(rows)? })).collect()
}

fn parse_rows(rows: &Value) -> Result<Vec<Row>> {
    let rows = rows.as_array().context("rows that are not a list")?;
    rows.iter().map(|row| parse_row(row).with_context(|| format!("in the row {row}"))).collect()
}

fn parse_row(row: &Value) -> Result<Row> {
    let number = |value: &Value| value.as_f64().map(|number| number as u32).context("not a number");
    let elements = row["elements"].as_array().context("no elements")?;
    let document = row["id"].as_str().map(str::to_owned).zip(row["created"].as_f64());
    Ok(Row { key: number(&row["key"])?, list: elements.iter().map(number).collect::<Result<_>>()?, document })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn steps_are_written_as_the_guest_reads_them() {
        for (step, expected) in [
            (
                Step::Append { key: 1, element: 2, by_id: true, id: None },
                json!({"kind": "append", "key": 1, "element": 2}),
            ),
            (
                Step::Read { key: 1, by_id: true, id: Some("k1".into()) },
                json!({"kind": "read", "key": 1, "id": "k1"}),
            ),
            (
                Step::ReadTimes { table: 4, between: (32, 33), from: 1.5, until: None },
                json!({"kind": "readTimes", "table": 4, "from": 1.5}),
            ),
            (
                Step::AppendInVain { key: 1, element: 2 },
                json!({"kind": "appendInVain", "key": 1, "element": 2}),
            ),
        ] {
            assert_eq!(serde_json::to_value(&step).expect("JSON"), expected);
        }
    }

    #[test]
    fn a_result_is_read_step_by_step() {
        let steps = [Step::ReadRange { low: 0, high: 8 }, Step::ReadNewest { table: 0, count: 1 }];
        let result = json!([[{"key": 1, "elements": [7, 8.0]}], [{"key": 1, "elements": [], "id": "k", "created": 2.5}]]);
        let seen = seen(&steps, &result).expect("a result");
        assert_eq!(seen[0].rows, [Row { key: 1, list: [7, 8].into(), document: None }]);
        assert_eq!(seen[1].rows[0].document, Some(("k".into(), 2.5)));
        assert!(super::seen(&steps, &json!([[]])).is_err());
        assert!(super::seen(&steps[..1], &json!([[{"key": 1}]])).is_err());
    }
}
