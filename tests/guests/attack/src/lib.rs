//! An app as strangers find it: what an ordinary client calls, and what can be called too often, with too much.

use std::hint::black_box;

use weir::prelude::*;

/// What the ordinary client writes.
#[document("notes", index(by_writer = [writer]))]
struct Note {
    writer: String,
    number: u32,
}

/// A row that every conflicting call reads and writes.
#[document("counters")]
struct Counter {
    count: u32,
}

/// A row that is written to be deleted.
#[document("dust")]
struct Dust {
    number: u32,
}

/// Writes a note.
#[mutation]
fn note(ctx: &MutationCtx, writer: String, number: u32) -> Result<()> {
    ctx.db.insert("notes", &Note { writer, number })?;
    Ok(())
}

/// The numbers of a writer's newest notes.
#[query]
fn newest(ctx: &QueryCtx, writer: String) -> Result<Vec<u32>> {
    let notes = ctx.db.query("notes").with_index(Note::BY_WRITER, |range| range.eq(&writer));
    Ok(notes.order(Order::Desc).take(10)?.iter().map(|note| note.number).collect())
}

/// How many notes a writer has written.
#[query]
fn written(ctx: &QueryCtx, writer: String) -> Result<u32> {
    let notes = ctx.db.query("notes").with_index(Note::BY_WRITER, |range| range.eq(&writer));
    Ok(notes.count()? as u32)
}

/// Reads the newest note, whatever it is asked.
#[query]
fn glance(ctx: &QueryCtx, asked: Value) -> Result<u32> {
    black_box(&asked);
    let newest = ctx.db.query::<Note>("notes").order(Order::Desc).first()?;
    Ok(newest.map_or(0, |note| note.number))
}

/// A text of this length, that begins with what was asked.
#[query]
fn text(_ctx: &QueryCtx, asked: u32, kib: u32) -> String {
    format!("{asked:08}{}", "x".repeat(kib as usize * 1024 - 8))
}

/// Writes, and gives a text of this length.
#[mutation]
fn write_text(ctx: &MutationCtx, kib: u32) -> Result<String> {
    ctx.db.insert("dust", &Dust { number: kib })?;
    Ok("x".repeat(kib as usize * 1024))
}

/// Computes for so many rounds, after it has read the newest note.
#[query]
fn slow(ctx: &QueryCtx, asked: u32, rounds: u32) -> Result<u32> {
    black_box(ctx.db.query::<Note>("notes").order(Order::Desc).first()?.is_some());
    Ok(compute(rounds).wrapping_add(asked))
}

/// Counts up the one counter, after it has computed for so many rounds: no two such calls fit beside each other.
#[mutation]
fn conflict(ctx: &MutationCtx, rounds: u32) -> Result<()> {
    let counter = ctx.db.query::<Counter>("counters").first()?;
    let computed = compute(rounds) % 2;
    match counter {
        Some(counter) => {
            ctx.db.patch(&counter.id, fields! { count: counter.count.wrapping_add(1 + computed) })
        }
        None => ctx.db.insert("counters", &Counter { count: computed }).map(drop),
    }
}

/// Writes rows, the first of them numbered like this.
#[mutation]
fn raise_dust(ctx: &MutationCtx, from: u32, count: u32) -> Result<()> {
    for number in from..from + count {
        ctx.db.insert("dust", &Dust { number })?;
    }
    Ok(())
}

/// Deletes the rows that were written after `after`, so many at most. Gives after which one to go on; `null` at the end.
#[mutation]
fn settle_dust(ctx: &MutationCtx, after: Option<f64>, count: u32) -> Result<Option<f64>> {
    let after = after.unwrap_or(f64::NEG_INFINITY);
    let dust = ctx.db.query::<Dust>("dust").by_creation_time(|time| time.gt(after)).take(count)?;
    for row in &dust {
        ctx.db.delete(&row.id)?;
    }
    Ok(dust.last().map(|last| last.creation_time))
}

/// The first row, of a table that may have had many.
#[query]
fn first_dust(ctx: &QueryCtx, asked: u32) -> Result<u32> {
    black_box(asked);
    Ok(ctx.db.query::<Dust>("dust").first()?.map_or(0, |dust| dust.number))
}

fn compute(rounds: u32) -> u32 {
    (0..rounds).fold(1, |sum: u32, round| black_box(sum.wrapping_mul(31).wrapping_add(round)))
}
