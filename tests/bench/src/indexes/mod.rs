//! Indexes: what reading through one costs, what keeping two costs, and a table of many million documents.
mod large;

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use parking_lot::{Condvar, Mutex};
use serde_json::json;
use weir_db::native::NativeFunctions;
use weir_db::{Database, FunctionError, ReadSet, Transaction};
use weir_store::{CommitGroup, GroupObserver};
use weir_value::{Schema, Timestamp, Value};

use crate::accounts::Random;
use crate::engine;
use crate::table::Line;

pub use large::measure as measure_large;

/// Documents of the table that is read.
const DOCUMENTS: usize = 200_000;
/// Documents of one group: the rows of one range.
const GROUP: usize = 50;
/// Reads of one call, which may make 4,096.
const READS: usize = 1_000;
/// Calls whose times are compared; the median counts.
const CALLS: usize = 31;
/// Mutations that insert one document each.
const SINGLE_INSERTS: usize = 40_000;
/// Documents that one mutation of a bulk load inserts.
const BULK_INSERTS: usize = 500;
/// Documents that may wait for the log.
const DOCUMENTS_UNDER_WAY: usize = 8_000;
/// A commit is told of within this, or never.
const HEARD_WITHIN: Duration = Duration::from_secs(10);
/// What the documents have beside their number and their group: 100 bytes each in all, as JSON.
const PADDING: &str = "sixteen letters.";

/// The tables: one without indexes, one with two.
fn schema() -> Result<Schema> {
    let index = |name: &str, field: &str| json!({ "indexDescriptor": name, "fields": [field] });
    let indexed =
        json!({ "tableName": "indexed", "indexes": [index("by_n", "n"), index("by_group", "group")] });
    let tables = json!({ "tables": [indexed, { "tableName": "plain" }] });
    Ok(Schema::from_json(&tables)?)
}

/// What the functions read, drawn anew for each call.
#[derive(Default)]
struct Drawn {
    ids: Vec<String>,
    numbers: Vec<usize>,
}

fn functions(drawn: &Arc<Mutex<Drawn>>) -> NativeFunctions {
    let of = |drawn: &Arc<Mutex<Drawn>>| Arc::clone(drawn);
    let (by_id, by_index, by_group, by_time) = (of(drawn), of(drawn), of(drawn), of(drawn));
    NativeFunctions::new()
        .mutation("t:insert", insert)
        .query("t:byId", move |tx, _| {
            let found = |id: &String| tx.get(None, id).map(|document| document.is_some());
            count_found(by_id.lock().ids.iter().map(found))
        })
        .query("t:byIndex", move |tx, _| {
            let drawn = by_index.lock();
            let numbers = drawn.numbers.iter();
            count_found(numbers.map(|n| rows(tx, "by_n", "n", *n, 1).map(|rows| rows == 1)))
        })
        .query("t:byGroup", move |tx, _| {
            let drawn = by_group.lock();
            let group = |n: &usize| {
                rows(tx, "by_group", "group", n / GROUP, GROUP).map(|rows| rows as usize == GROUP)
            };
            count_found(drawn.numbers.iter().step_by(GROUP).map(group))
        })
        .query("t:byTime", move |tx, _| {
            // Not a copy of all of them: that would take as long as the reads.
            let drawn = by_time.lock();
            let ids = drawn.ids.iter().step_by(GROUP);
            count_found(ids.map(|id| rows_from(tx, id).map(|rows| rows as usize == GROUP)))
        })
        .query("t:group", |tx, args| {
            let n = number(args, "n");
            Ok(Value::from(f64::from(rows(tx, "by_group", "group", n, 2 * GROUP)?)))
        })
        .query("t:count", |tx, _| Ok(Value::from(tx.count(br#"{"table":"indexed"}"#)? as f64)))
}

fn number(args: &Value, name: &str) -> usize {
    args.as_object().and_then(|args| args.get(name)).and_then(Value::as_float64).unwrap_or(0.0) as usize
}

fn insert(tx: &mut Transaction, args: &Value) -> Result<Value, FunctionError> {
    let table =
        args.as_object().and_then(|args| args.get("table")).and_then(Value::as_str).unwrap_or("plain");
    let (first, count) = (number(args, "first"), number(args, "count"));
    let mut ids = Vec::with_capacity(count);
    for n in first..first + count {
        let document = format!(r#"{{"group":{},"n":{n},"text":"{PADDING}"}}"#, n / GROUP);
        ids.push(Value::from(tx.insert(table, document.as_bytes())?));
    }
    Ok(Value::Array(ids))
}

fn count_found(found: impl Iterator<Item = Result<bool, weir_db::DbError>>) -> Result<Value, FunctionError> {
    let mut count = 0.0;
    for found in found {
        count += f64::from(u8::from(found?));
    }
    Ok(Value::from(count))
}

/// How many rows have this number, of at most `limit`.
fn rows(
    tx: &mut Transaction,
    index: &str,
    field: &str,
    number: usize,
    limit: usize,
) -> Result<u32, weir_db::DbError> {
    let plan = format!(
        r#"{{"table":"indexed","index":"{index}","limit":{limit},"range":[{{"op":"eq","field":"{field}","value":{number}}}]}}"#
    );
    Ok(tx.query(plan.as_bytes(), 0)?.count)
}

/// How many rows there are from this document on, by creation time, of at most a group.
fn rows_from(tx: &mut Transaction, id: &str) -> Result<u32, weir_db::DbError> {
    let plan = format!(
        r#"{{"table":"indexed","index":"by_id","limit":{GROUP},"range":[{{"op":"gte","field":"_id","value":"{id}"}}]}}"#
    );
    Ok(tx.query(plan.as_bytes(), 0)?.count)
}

/// A database with the two tables.
fn open(folder: &Path) -> Result<(Arc<Database>, Arc<Mutex<Drawn>>)> {
    let database = engine::open(folder)?;
    let drawn = Arc::default();
    database.deploy(schema()?, Arc::new(functions(&drawn)))?;
    Ok((database, drawn))
}

/// Inserts so many documents; gives the id of the first of each group, and how long it took until all were durable.
fn fill(
    database: &Database,
    table: &str,
    documents: usize,
    a_mutation: usize,
) -> Result<(Vec<String>, Duration)> {
    let started = Instant::now();
    let (mut firsts, mut newest) = (Vec::new(), VecDeque::new());
    for first in (0..documents).step_by(a_mutation) {
        let count = a_mutation.min(documents - first);
        let args = json!({ "table": table, "first": first, "count": count });
        let outcome = database.mutation(&engine::call("t:insert", args.to_string())?, None);
        let result = outcome.result.map_err(|error| anyhow::anyhow!("an insert failed: {error}"))?;
        newest.push_back(outcome.ts);
        if newest.len() * a_mutation > DOCUMENTS_UNDER_WAY {
            database.store().wait_durable(newest.pop_front().expect("it is not empty"))?;
        }
        firsts.extend(serde_json::from_slice::<Vec<String>>(&result)?.into_iter().step_by(GROUP));
    }
    newest.into_iter().try_for_each(|ts: Timestamp| database.store().wait_durable(ts))?;
    Ok((firsts, started.elapsed()))
}

/// Which documents of their groups are read by number.
#[derive(Clone, Copy, PartialEq)]
enum Which {
    /// The first ones: many of them again and again.
    Firsts,
    /// Other ones in each call, so that hardly any is read twice.
    New,
}

/// The median time of a call of this function, which must find so much.
fn time(
    database: &Database,
    drawn: &Mutex<Drawn>,
    firsts: &[String],
    (path, which): (&str, Which),
    wanted: usize,
) -> Result<Duration> {
    let mut random = Random::new(7);
    let mut times = Vec::with_capacity(CALLS);
    for number in 0..CALLS {
        let within = if which == Which::New { 1 + number % (GROUP - 1) } else { 0 };
        let groups: Vec<usize> = (0..READS).map(|_| random.below(firsts.len())).collect();
        *drawn.lock() = Drawn {
            ids: groups.iter().map(|group| firsts[*group].clone()).collect(),
            numbers: groups.iter().map(|group| group * GROUP + within).collect(),
        };
        let call = engine::call(path, "{}".to_owned())?;
        let snapshot = database.store().snapshot_sequenced();
        let started = Instant::now();
        let outcome = database.query(&call, snapshot);
        times.push(started.elapsed());
        let found: f64 =
            serde_json::from_slice(&outcome.result.map_err(|error| anyhow::anyhow!("{error}"))?)?;
        ensure!(found as usize == wanted, "{path} found {found} of {wanted}");
    }
    times.sort();
    Ok(times[CALLS / 2])
}

/// The median time of one of so many reads of a call, microseconds.
fn read(
    database: &Database,
    drawn: &Mutex<Drawn>,
    firsts: &[String],
    (path, which): (&str, Which),
    reads: usize,
) -> Result<f64> {
    let time = time(database, drawn, firsts, (path, which), reads)?;
    Ok(time.as_secs_f64() * 1e6 / reads as f64)
}

/// The four ways of reading, in microseconds each: a document by id and through an index, fifty by creation time and
/// through an index.
fn read_all(database: &Database, drawn: &Mutex<Drawn>, firsts: &[String]) -> Result<[f64; 4]> {
    let of = |path: &str, reads: usize| read(database, drawn, firsts, (path, Which::Firsts), reads);
    Ok([
        of("t:byId", READS)?,
        of("t:byIndex", READS)?,
        of("t:byTime", READS / GROUP)?,
        of("t:byGroup", READS / GROUP)?,
    ])
}

/// Reading and keeping indexes.
///
/// # Errors
/// When a call fails.
pub fn measure(documents_part: usize, show: &mut impl FnMut(Line)) -> Result<()> {
    let documents = (DOCUMENTS / documents_part).max(GROUP * 40);
    let folder = tempfile::tempdir()?;
    let (database, drawn) = open(folder.path())?;
    inserts(SINGLE_INSERTS / documents_part, show)?;
    let (_, plain) = fill(&database, "plain", documents, BULK_INSERTS)?;
    let (firsts, indexed) = fill(&database, "indexed", documents, BULK_INSERTS)?;
    let ratio = indexed.as_secs_f64() / plain.as_secs_f64();
    show(Line::figure(format!("  {BULK_INSERTS} a mutation, no index"), rate(documents, plain)));
    show(
        Line::figure(format!("  {BULK_INSERTS} a mutation, two indexes"), rate(documents, indexed))
            .note(format!("{ratio:.2} times the time, three times the keys")),
    );
    database.store().checkpoint()?;
    let [by_id, by_index, by_time, by_group] = read_all(&database, &drawn, &firsts)?;
    show(Line::figure("a document by id", format!("{by_id:.2} us")));
    let ratio = by_index / by_id;
    show(
        Line::goal("  through an index", format!("{by_index:.2} us"), "<= 1.5 times", ratio <= 1.5)
            .note(format!("{ratio:.2} times")),
    );
    let first_time = read(&database, &drawn, &firsts, ("t:byIndex", Which::New), READS)?;
    show(
        Line::figure("  the same, for the first time", format!("{first_time:.2} us"))
            .note(format!("{:.2} times", first_time / by_id)),
    );
    show(Line::figure("50 documents by creation time", format!("{by_time:.1} us")));
    let ratio = by_group / by_time;
    show(
        Line::goal("  through an index", format!("{by_group:.1} us"), "<= 2 times", ratio <= 2.0)
            .note(format!("{ratio:.2} times")),
    );
    let runs = touched_queries(&database)?;
    show(Line::goal("1,000 disjoint ranges, one write", format!("{runs} run"), "1", runs == 1));
    database.store().close();
    Ok(())
}

fn rate(documents: usize, time: Duration) -> String {
    format!("{:.0} /s", documents as f64 / time.as_secs_f64())
}

/// One document a mutation, through the log.
fn inserts(documents: usize, show: &mut impl FnMut(Line)) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (database, _) = open(folder.path())?;
    let (_, plain) = fill(&database, "plain", documents, 1)?;
    let (_, indexed) = fill(&database, "indexed", documents, 1)?;
    let ratio = indexed.as_secs_f64() / plain.as_secs_f64();
    show(Line::figure("inserting, no index", rate(documents, plain)));
    show(
        Line::goal("inserting, two indexes", rate(documents, indexed), "<= 2 times", ratio <= 2.0)
            .note(format!("{ratio:.2} times the time")),
    );
    database.store().close();
    Ok(())
}

/// Remembers the groups that became durable.
#[derive(Default)]
struct Heard {
    groups: Mutex<Vec<CommitGroup>>,
    changed: Condvar,
}

impl Heard {
    /// Waits until the group is there that holds the commit of this timestamp: it is told of a little later than waiters
    /// are. Gives whether it came.
    fn wait(&self, ts: Timestamp) -> bool {
        let mut groups = self.groups.lock();
        let is_missing = |groups: &mut Vec<CommitGroup>| {
            !groups.iter().flat_map(|group| &group.commits).any(|commit| commit.ts == ts)
        };
        !self.changed.wait_while_for(&mut groups, is_missing, HEARD_WITHIN).timed_out()
    }
}

impl GroupObserver for Heard {
    fn group_durable(&self, group: &CommitGroup) {
        self.groups.lock().push(group.clone());
        self.changed.notify_all();
    }
}

/// How many of 1,000 queries of disjoint ranges one write concerns.
fn touched_queries(database: &Database) -> Result<usize> {
    let mut read_sets: Vec<ReadSet> = Vec::new();
    for n in 0..1_000 {
        let call = engine::call("t:group", json!({ "n": n }).to_string())?;
        read_sets.push(database.query(&call, database.store().snapshot_sequenced()).read_set);
    }
    let heard = Arc::new(Heard::default());
    database.store().observe(heard.clone());
    let args = json!({ "table": "indexed", "first": 500 * GROUP, "count": 1 });
    let outcome = database.mutation(&engine::call("t:insert", args.to_string())?, None);
    ensure!(heard.wait(outcome.ts), "nothing was told of the write within {HEARD_WITHIN:?}");
    let groups = heard.groups.lock();
    let keys: Vec<_> =
        groups.iter().flat_map(|group| &group.commits).flat_map(|commit| commit.keys()).collect();
    Ok(read_sets.iter().filter(|set| keys.iter().any(|key| set.contains(key))).count())
}
