//! Functions that do what a guest must not: each may end its own call, and
//! nothing else.

use std::hint::black_box;
use std::sync::atomic::{AtomicU32, Ordering};

use weir::prelude::*;

mod raw;
mod rogue;

use raw::{Liar, RawResult};

/// Never ends.
#[query]
fn spin(_ctx: &QueryCtx) {
    loop {
        black_box(());
    }
}

/// Never ends, and asks the host for something each time around.
#[query]
fn spin_on_host(ctx: &QueryCtx) -> Result<()> {
    loop {
        black_box(ctx.now());
        black_box(ctx.db.normalize_id::<Value>("none", "none"));
    }
}

/// Takes memory until there is none.
#[query]
fn hoard(_ctx: &QueryCtx) -> u32 {
    let mut hoard: Vec<Vec<u8>> = Vec::new();
    loop {
        hoard.push(black_box(vec![1; 1 << 20]));
    }
}

/// Calls itself until the stack is full.
#[query]
fn overflow(_ctx: &QueryCtx) -> u32 {
    #[allow(unconditional_recursion, reason = "that is the point")]
    fn deeper(depth: u32) -> u32 {
        let frame = black_box([depth; 64]);
        deeper(depth + 1).wrapping_add(frame[black_box(7)])
    }
    deeper(0)
}

/// Panics.
#[query]
fn panic(_ctx: &QueryCtx, message: String) {
    panic!("{message}");
}

/// Panics after a write.
#[mutation]
fn write_and_panic(ctx: &MutationCtx, table: String) -> Result<()> {
    ctx.db.insert(&table, &fields! { by: "writeAndPanic" })?;
    panic!("after the write");
}

/// Fails after a write.
#[mutation]
fn write_and_fail(ctx: &MutationCtx, table: String) -> Result<()> {
    ctx.db.insert(&table, &fields! { by: "writeAndFail" })?;
    bail!("after the write");
}

/// Fails with a message.
#[query]
fn fail(_ctx: &QueryCtx, message: String) -> Result<()> {
    bail!("{message}");
}

/// Fails with data, as an application does.
#[query]
fn fail_with_data(_ctx: &QueryCtx, data: Value) -> Result<()> {
    bail_with!(data);
}

/// Gives a text of this length.
#[query]
fn huge_result(_ctx: &QueryCtx, bytes: u32) -> String {
    "x".repeat(bytes as usize)
}

/// Gives arrays within arrays.
#[query]
fn deep_result(_ctx: &QueryCtx, depth: u32) -> RawResult {
    let depth = depth as usize;
    RawResult(["[".repeat(depth), "]".repeat(depth)].concat().into_bytes())
}

/// Gives a text as if it were JSON.
#[query]
fn raw_result(_ctx: &QueryCtx, text: String) -> RawResult {
    RawResult(text.into_bytes())
}

/// Gives bytes that are not UTF-8 as if they were JSON.
#[query]
fn invalid_utf8(_ctx: &QueryCtx) -> RawResult {
    RawResult(b"\"\xff\xfe\"".to_vec())
}

/// Gives a text where its validator says a number.
#[query]
fn wrong_result(_ctx: &QueryCtx) -> Liar {
    Liar
}

/// Writes lines to the log.
#[query]
fn flood_log(_ctx: &QueryCtx, lines: u32, bytes: u32) {
    let line = "x".repeat(bytes as usize);
    for number in 0..lines {
        log!("{number} {line}");
    }
}

/// Tries to write from a query, past the SDK; gives the host's answer.
#[query]
fn write_in_query(_ctx: &QueryCtx, table: String) -> String {
    raw::insert(&table, b"{}")
}

/// How often this instance was called: 1, if no state is left from call to call.
#[query]
fn count(_ctx: &QueryCtx) -> u32 {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    CALLS.fetch_add(1, Ordering::Relaxed) + 1
}

/// Adds documents with a text of this length.
#[mutation]
fn insert_many(ctx: &MutationCtx, table: String, count: u32, bytes: u32) -> Result<()> {
    let text = "x".repeat(bytes as usize);
    for _ in 0..count {
        ctx.db.insert(&table, &fields! { text: text })?;
    }
    Ok(())
}

/// Adds documents, and goes on after what the host says about it.
#[mutation]
fn insert_stubbornly(ctx: &MutationCtx, table: String, count: u32) -> u32 {
    let inserted = (0..count).filter(|_| ctx.db.insert(&table, &fields! {}).is_ok());
    inserted.count() as u32
}

/// Reads one document after the other that is not there.
#[query]
fn read_many(ctx: &QueryCtx, id: String, count: u32) -> Result<()> {
    let id: Id = Id::from_text(id);
    for _ in 0..count {
        black_box(ctx.db.get(&id)?);
    }
    Ok(())
}
