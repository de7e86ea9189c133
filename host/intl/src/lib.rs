//! What ECMA-402's `Intl` needs of a host: numbers, dates, plurals, lists, spans of time, names, orders of texts and their
//! segments, in the locales of 44 languages.
//!
//! ICU4X orders, segments, changes case, makes lists, finds plurals, counts in other calendars and knows locales. What its
//! data has no form for that the options of ECMA-402 could be answered from, patterns of numbers and dates by their
//! fields, currencies, units and names, is CLDR's own data (`data/`), of the version that ICU4X's is made of.
//!
//! **Invariant:** pure. The same question has the same answer on every machine and at any time; there is no clock, no
//! locale or time zone of the system, and no state but what was made before and is kept to be fast.
mod casing;
mod collate;
mod data;
mod date;
mod decimal;
mod error;
mod formatters;
mod list;
mod locale;
mod names;
mod number;
mod operations;
mod part;
mod plural;
mod relative;
mod segment;

use std::cmp::Ordering;

use weir_value::limits::{INTL_INPUT_BYTES_MAX, INTL_OPTIONS_BYTES_MAX};

pub use error::{IntlError, Result};

/// Answers one question: an operation (`number.format`), the options as JSON, and what it is done to.
///
/// The options of a formatter are its identity: it is kept, and found by their text. The texts of operations, options and
/// inputs are those of the runtime of JavaScript, `guest-sdk/typescript/src/runtime/intl`.
///
/// # Errors
/// An option or the input is not what ECMA-402 wants, is too long, or asks for what is not there.
pub fn run(operation: &str, options: &str, input: &str) -> Result<String> {
    check_length(options, input.len())?;
    guarded(|| operations::run(operation, options, input))
}

/// Which of two texts comes first. `options` are JSON: `{"locale": "de", "usage"?, "sensitivity"?, "numeric"?, ...}`.
///
/// # Errors
/// As for [`run`].
pub fn compare(options: &str, a: &str, b: &str) -> Result<Ordering> {
    check_length(options, a.len().max(b.len()))?;
    guarded(|| Ok(formatters::order(options)?.compare(a, b)))
}

/// Bytes that have the order of the text among others with the same options: they compare as [`compare`] does.
///
/// # Errors
/// As for [`run`].
pub fn sort_key(options: &str, text: &str) -> Result<Vec<u8>> {
    check_length(options, text.len())?;
    guarded(|| formatters::order(options)?.sort_key(text))
}

/// A bug of a library that some text meets is an error of the call that has it, and of no other. All that is kept is whole
/// at any time.
fn guarded<R>(work: impl FnOnce() -> Result<R>) -> Result<R> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(IntlError::Type("the host has failed on this; please report it".to_owned())))
}

fn check_length(options: &str, input: usize) -> Result<()> {
    if options.len() > INTL_OPTIONS_BYTES_MAX {
        return error::range(format!("the options are longer than {INTL_OPTIONS_BYTES_MAX} bytes"));
    }
    if input > INTL_INPUT_BYTES_MAX {
        return error::range(format!(
            "the text is longer than {INTL_INPUT_BYTES_MAX} bytes, which is the most here"
        ));
    }
    Ok(())
}
