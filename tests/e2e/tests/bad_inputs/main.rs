//! Bad inputs, and what each gets: tables of what is sent and of what must come back.
//!
//! After every single case the host must still answer a good request, and nothing may be lost.

mod folder_cases;
mod guest_cases;
mod http_cases;
mod socket_cases;

use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use weir_test_support::http;

/// The smallest number of cases that the tables together must hold.
const CASES_MIN: usize = 40;

#[test]
fn there_are_enough_cases() {
    let count =
        http_cases::CASES.len() + socket_cases::CASES.len() + guest_cases::CASES.len() + folder_cases::CASES;
    assert!(count >= CASES_MIN, "{count} cases");
}

/// What went wrong in a table's cases, told together at its end.
#[derive(Default)]
struct Report(Vec<String>);

impl Report {
    fn add(&mut self, name: &str, outcome: Result<()>) {
        if let Err(error) = outcome {
            self.0.push(format!("{name}: {error:#}"));
        }
    }

    fn end(self) -> Result<()> {
        ensure!(self.0.is_empty(), "{} cases failed:\n{}", self.0.len(), self.0.join("\n"));
        Ok(())
    }
}

/// All of `wanted` must stand in `got`.
fn expect_all(got: &str, wanted: &[&str]) -> Result<()> {
    for part in wanted {
        ensure!(got.contains(part), "expected {part:?} in: {}", got.chars().take(1000).collect::<String>());
    }
    Ok(())
}

/// A good request is answered well.
fn expect_alive(address: SocketAddr, query: &str) -> Result<()> {
    let answer = http::call(address, "query", query, &json!({})).context("a good request after it")?;
    ensure!(answer["status"] == "success", "a good request after it: {answer}");
    Ok(())
}
