//! Live queries: what writes hit their read sets, and that a result whose read set was not hit is right.
//!
//! The keys of a commit are those that the store announces, touched ones too, as whoever keeps live queries hears of
//! them.
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use proptest::prelude::*;
use serde_json::json;
use weir_store::{CommitGroup, GroupObserver};
use weir_value::schema::field_at;
use weir_value::{DocumentId, Object, Value};

use super::indexed::{Model, Range, Step, any_range, any_step, indexes, order, permutations, schema};
use crate::testing::{World, query_all};
use crate::{FunctionKind, ReadSet, Transaction};

/// Something that a live query reads, alone.
#[derive(Debug, Clone)]
enum Read {
    /// A range of an index, up to a limit.
    Rows(Range, Filtered),
    /// The table by creation time, up to a limit.
    Table(Range, Filtered),
    /// The first page of a range.
    Page(Range, Filtered, u8),
    CountRows(Range),
    CountTable,
    /// Also of a document that is not there any more.
    Get(usize),
}

/// Whether only documents are wanted whose field `a` is 1.
type Filtered = bool;

fn any_read() -> impl Strategy<Value = Read> {
    prop_oneof![
        6 => (any_range(), any::<bool>()).prop_map(|(range, filtered)| Read::Rows(range, filtered)),
        2 => (any_range(), any::<bool>()).prop_map(|(range, filtered)| Read::Table(range, filtered)),
        2 => (any_range(), any::<bool>(), 1u8..5)
            .prop_map(|(range, filtered, items)| Read::Page(range.without_limit(), filtered, items)),
        1 => any_range().prop_map(|range| Read::CountRows(range.without_limit())),
        1 => Just(Read::CountTable),
        1 => any::<usize>().prop_map(Read::Get),
    ]
}

/// The keys of the commits that have become durable.
#[derive(Default)]
struct Announced(Mutex<Vec<Bytes>>);

impl GroupObserver for Announced {
    fn group_durable(&self, group: &CommitGroup) {
        let mut keys = self.0.lock();
        for commit in &group.commits {
            keys.extend(commit.writes.iter().map(|write| &write.key).chain(&commit.touched).cloned());
        }
    }
}

/// A query that has run.
struct Live {
    read: Read,
    result: String,
    read_set: ReadSet,
    journal: Option<String>,
    /// The document of a `get`: the model forgets those that are deleted.
    id: Option<DocumentId>,
}

const FILTER: &str = r#"{"$eq":[{"$field":"a"},{"$literal":1.0}]}"#;

fn is_wanted(document: &Object) -> bool {
    field_at(document, "a") == Some(&Value::Float64(1.0))
}

fn with_filter(mut plan: serde_json::Value, filtered: Filtered) -> serde_json::Value {
    if filtered {
        plan["filter"] = serde_json::from_str(FILTER).expect("JSON");
    }
    plan
}

fn table_plan(range: &Range) -> serde_json::Value {
    let mut plan = json!({ "table": "t", "order": if range.descending { "desc" } else { "asc" } });
    if let Some(limit) = range.limit {
        plan["limit"] = limit.into();
    }
    plan
}

impl Live {
    fn run(world: &World, read: Read, indexes: &[Vec<&str>], model: &Model) -> Live {
        let id = if let Read::Get(choice) = &read { model.at(*choice) } else { None };
        let mut live = Live { read, result: String::new(), read_set: ReadSet::default(), journal: None, id };
        live.run_again(world, indexes);
        live
    }

    fn run_again(&mut self, world: &World, indexes: &[Vec<&str>]) {
        let mut tx = world.begin(FunctionKind::Query);
        tx.resume_page(self.journal.clone());
        self.result = self.ask(&mut tx, indexes);
        (self.read_set, self.journal, _) = tx.into_read_set();
    }

    fn ask(&self, tx: &mut Transaction, indexes: &[Vec<&str>]) -> String {
        let rows = |tx: &mut Transaction, plan: &serde_json::Value, batch_rows: u32| {
            format!("{:?}", query_all(tx, plan, batch_rows).expect("a query"))
        };
        match &self.read {
            Read::Rows(range, filtered) => {
                rows(tx, &with_filter(range.plan(&indexes[range.index]), *filtered), range.batch_rows)
            }
            Read::Table(range, filtered) => {
                rows(tx, &with_filter(table_plan(range), *filtered), range.batch_rows)
            }
            Read::Page(range, filtered, items) => {
                let plan = with_filter(range.plan(&indexes[range.index]), *filtered).to_string();
                let options = json!({ "cursor": null, "numItems": items }).to_string();
                let page = tx.page(plan.as_bytes(), options.as_bytes()).expect("a page");
                String::from_utf8(page).expect("JSON")
            }
            Read::CountRows(range) => {
                let plan = range.plan(&indexes[range.index]).to_string();
                tx.count(plan.as_bytes()).expect("a count").to_string()
            }
            Read::CountTable => tx.count(br#"{"table":"t"}"#).expect("a count").to_string(),
            Read::Get(_) => {
                let found = self.id.and_then(|id| tx.get(None, &id.to_string()).expect("a document"));
                format!("{found:?}")
            }
        }
    }

    /// Whether a commit that wrote these documents has written what the query looked at. `None`: it may have, or not.
    fn is_touched(
        &self,
        indexes: &[Vec<&str>],
        was: &Model,
        now: &Model,
        written: &[DocumentId],
    ) -> Option<bool> {
        let passed = |range: &Range, fields: &[&str], filtered, in_range: &dyn Fn(&Object) -> bool| {
            Passed::new(range, fields, filtered, in_range, was).holds_any(&[was, now], written)
        };
        match &self.read {
            Read::Rows(range, filtered) => {
                let fields = &indexes[range.index];
                Some(passed(range, fields, *filtered, &|document| range.holds(fields, document)))
            }
            Read::Table(range, filtered) => Some(passed(range, &[], *filtered, &|_| true)),
            Read::CountRows(range) => {
                let fields = &indexes[range.index];
                Some(passed(range, fields, false, &|document| range.holds(fields, document)))
            }
            Read::CountTable => Some(was.0.len() != now.0.len()),
            Read::Get(_) => Some(self.id.is_some_and(|id| written.contains(&id))),
            // Where a page ends that is full is the host's choice; outside of its range is outside of it.
            Read::Page(range, ..) => {
                let fields = &indexes[range.index];
                let touched = passed(range, fields, false, &|document| range.holds(fields, document));
                (!touched).then_some(false)
            }
        }
    }
}

/// The part of an order of documents that a query looked at.
struct Passed<'a> {
    range: &'a Range,
    fields: &'a [&'a str],
    in_range: &'a dyn Fn(&Object) -> bool,
    end: End,
}

enum End {
    Nothing,
    Row((DocumentId, Object)),
    All,
}

impl<'a> Passed<'a> {
    fn new(
        range: &'a Range,
        fields: &'a [&'a str],
        filtered: Filtered,
        in_range: &'a dyn Fn(&Object) -> bool,
        model: &Model,
    ) -> Passed<'a> {
        let mut rows: Vec<&(DocumentId, Object)> =
            model.0.iter().filter(|(_, document)| in_range(document)).collect();
        rows.sort_by(|one, other| order(fields, one, other));
        if range.descending {
            rows.reverse();
        }
        let mut kept = rows.into_iter().filter(|(_, document)| !filtered || is_wanted(document));
        let end = match range.limit.map(usize::from) {
            None => End::All,
            Some(0) => End::Nothing,
            Some(limit) => kept.nth(limit - 1).map_or(End::All, |row| End::Row(row.clone())),
        };
        Passed { range, fields, in_range, end }
    }

    fn holds(&self, row: &(DocumentId, Object)) -> bool {
        let is_passed = match &self.end {
            End::Nothing => false,
            End::All => true,
            End::Row(last) if self.range.descending => order(self.fields, row, last).is_ge(),
            End::Row(last) => order(self.fields, row, last).is_le(),
        };
        is_passed && (self.in_range)(&row.1)
    }

    /// Whether one of these documents is among what was passed, before or after.
    fn holds_any(&self, models: &[&Model], ids: &[DocumentId]) -> bool {
        let rows = models.iter().flat_map(|model| &model.0);
        rows.filter(|(id, _)| ids.contains(id)).any(|row| self.holds(row))
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_live_query_is_hit_by_what_it_looked_at_and_by_nothing_else(
        permuted in permutations(),
        before in prop::collection::vec(any_step(), 0..25),
        reads in prop::collection::vec(any_read(), 1..10),
        commits in prop::collection::vec(prop::collection::vec(any_step(), 1..3), 1..12),
    ) {
        let (world, stepper) = World::stepped();
        let announced = Arc::new(Announced::default());
        world.db.store().observe(announced.clone());
        let indexes = indexes(&permuted);
        world.deploy(&schema(&indexes)).unwrap();
        let mut model = Model::default();
        world.write(|tx| before.iter().try_for_each(|step| model.apply(tx, step)));
        model.commit(&world);
        let mut live: Vec<Live> =
            reads.into_iter().map(|read| Live::run(&world, read, &indexes, &model)).collect();
        for steps in commits {
            while stepper.write_group() {}
            announced.0.lock().clear();
            let was = model.clone();
            let mut written = Vec::new();
            world.write(|tx| {
                for step in &steps {
                    written.extend(model.take_step(tx, step)?);
                }
                Ok(())
            });
            model.commit(&world);
            while stepper.write_group() {}
            let keys = std::mem::take(&mut *announced.0.lock());
            // One that is written twice in a commit may have stood elsewhere in between.
            let is_exact = (1..written.len()).all(|at| !written[at..].contains(&written[at - 1]))
                && !steps.iter().any(|step| matches!(step, Step::RollBack(_)));
            for query in &mut live {
                let is_hit = keys.iter().any(|key| query.read_set.contains(key));
                match query.is_touched(&indexes, &was, &model, &written) {
                    Some(true) => prop_assert!(is_hit, "{:?} is not told of {:?}", query.read, steps),
                    Some(false) if is_exact => prop_assert!(!is_hit, "{:?} is told of {:?}", query.read, steps),
                    _ => {}
                }
                let before = query.result.clone();
                let read_set = query.read_set.clone();
                query.run_again(&world, &indexes);
                if !is_hit {
                    prop_assert_eq!(&query.result, &before, "{:?} is stale after {:?}", query.read, steps);
                    prop_assert_eq!(&query.read_set, &read_set, "{:?}", query.read);
                }
            }
        }
        world.assert_sound();
    }
}
