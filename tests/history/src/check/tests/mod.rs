//! Histories of a few lines, with what must be found in them; and tiny random ones, against brute force.

mod anomalies;
mod brute_force;
mod clean;
mod notation;
mod orders;
mod property;
mod smallest;

use super::{check, describe};

/// Checks a history in [`notation`] and compares the names of what is found.
fn expect(text: &str, expected: &[&str]) {
    let history = notation::parse(text);
    let found = check(&history);
    let names: Vec<String> = found.iter().map(super::Anomaly::name).collect();
    let told: String = found.iter().map(|anomaly| describe(&history, anomaly)).collect();
    assert_eq!(names, expected, "in\n{text}\n{told}");
}
