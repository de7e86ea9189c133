//! The functions that every language has, and does alike: what `../cases.toml` calls.

use weir::prelude::*;

mod act;
mod calls;
mod context;
mod docs;
mod errors;
mod files;
mod http;
mod items;
mod scheduled;
mod secrets;
mod tasks;
mod things;
mod users;
mod values;
mod variables;

/// How something went that may fail and was caught: the result's name, or `CODE: message`.
fn told<T>(result: Result<T>, when_fine: impl FnOnce(T) -> String) -> String {
    match result {
        Ok(value) => when_fine(value),
        Err(error) => format!("{}: {}", error.code().unwrap_or_default(), error.message()),
    }
}
