//! Values: in and out again, with a type and without.

use weir::prelude::*;

use crate::docs::Note;

/// One value of each type.
#[value]
struct Sample {
    number: f64,
    small: i32,
    big: i64,
    flag: bool,
    text: String,
    data: Bytes,
    list: Vec<f64>,
    inner: Inner,
    maybe: Option<String>,
}

#[value]
struct Inner {
    words: Vec<String>,
}

#[query]
fn echo(_ctx: &QueryCtx, value: Value) -> Value {
    value
}

/// The same again, with its types.
#[query]
fn typed(_ctx: &QueryCtx, sample: Sample) -> Sample {
    sample
}

/// The name of a value's type.
#[query]
fn kind(_ctx: &QueryCtx, value: Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Int64(_) => "bigint",
        Value::Float64(_) => "number",
        Value::Boolean(_) => "boolean",
        Value::String(_) => "string",
        Value::Bytes(_) => "bytes",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// What a text is made of.
#[value]
#[serde(rename_all = "camelCase")]
struct Measures {
    code_points: f64,
    utf8_bytes: f64,
    /// The code points from the last to the first.
    reversed: String,
}

#[query]
fn measure(_ctx: &QueryCtx, text: String) -> Measures {
    Measures {
        code_points: text.chars().count() as f64,
        utf8_bytes: text.len() as f64,
        reversed: text.chars().rev().collect(),
    }
}

/// Both sums, so that each type is computed with.
#[value]
struct Sums {
    numbers: f64,
    bigints: i64,
}

#[query]
fn add(_ctx: &QueryCtx, a: f64, b: f64, big_a: i64, big_b: i64) -> Sums {
    Sums { numbers: a + b, bigints: big_a.wrapping_add(big_b) }
}

/// Says of a text that it is the id of a note.
#[query]
fn note_id(_ctx: &QueryCtx, text: String) -> Id<Note> {
    Id::from_text(text)
}

/// Whether an optional argument came, and what it was.
#[query]
fn optional(_ctx: &QueryCtx, text: Option<String>) -> String {
    text.map_or("missing".to_owned(), |text| format!("given: {text}"))
}

#[query]
fn nothing(_ctx: &QueryCtx) {}

#[query]
fn repeat(_ctx: &QueryCtx, text: String, times: u32) -> String {
    text.repeat(times as usize)
}
