//! The patch between two results: a list of fifty messages, of which the oldest has gone and a new one has come.

use std::hint::black_box;
use std::sync::Arc;

use anyhow::{Context, Result};
use serde_json::json;
use weir_sync::diff::{Tree, diff};

use super::counted;

const MESSAGES: u32 = 50;

/// Makes it, from the two texts.
pub fn run(times: u32) -> Result<()> {
    let (base, new) = (messages(0), messages(1));
    let patch = || -> Result<String> {
        let trees = [&base, &new].map(Tree::parse);
        let [Some(base), Some(new)] = &trees else { anyhow::bail!("a list is no value") };
        diff(base, new).context("there is no patch")
    };
    let found = patch()?;
    anyhow::ensure!(found.len() < new.len() / 10, "a patch of {} bytes: {found}", found.len());
    counted(&mut || {
        for _ in 0..times {
            black_box(patch()?);
        }
        Ok(())
    })
}

/// Messages from this number on, as a query gives them.
pub fn messages(from: u32) -> Arc<str> {
    let message = |number: u32| {
        json!({
            "_creationTime": 1.8e12 + f64::from(number),
            "_id": format!("k57{number:029}"),
            "body": format!("message {number} of many, as long as most are"),
            "user": "ada",
        })
    };
    (from..from + MESSAGES).map(message).collect::<serde_json::Value>().to_string().into()
}
