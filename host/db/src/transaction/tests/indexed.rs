//! Indexes against a plain model: random schemas, writes, ranges, orders.
use std::cmp::Ordering;

use proptest::prelude::*;
use serde_json::{Value as Json, json};
use weir_store::Direction;
use weir_value::commit_timestamp::Template;
use weir_value::json::Bounds;
use weir_value::schema::field_at;
use weir_value::{DocumentId, Object, Value, compare, json as value_json};

use crate::keyspace;
use crate::testing::{World, query_all};
use crate::{DbError, Transaction};

const FIELDS: [&str; 3] = ["a", "b", "c.d"];

/// A field's value, few enough that they meet; the last two are missing fields and wrong steps.
fn value(choice: u8) -> Option<Json> {
    match choice % 10 {
        0 => Some(json!(null)),
        1 => Some(json!(1.0)),
        2 => Some(json!(2.0)),
        3 => Some(json!({"$integer": "AQAAAAAAAAA="})),
        4 => Some(json!(true)),
        5 => Some(json!("x")),
        6 => Some(json!("x\u{0}y")),
        7 => Some(json!(["x"])),
        8 => Some(json!({"$commitTs": null})),
        _ => None,
    }
}

fn document(choices: [u8; 3]) -> Json {
    let mut document = json!({});
    for (field, choice) in ["a", "b"].iter().zip(choices) {
        if let Some(value) = value(choice) {
            document[*field] = value;
        }
    }
    document["c"] = match value(choices[2]) {
        Some(value) => json!({ "d": value }),
        None => json!(7.0),
    };
    document
}

#[derive(Debug, Clone)]
pub(super) enum Step {
    Insert([u8; 3]),
    Patch(usize, u8),
    PatchOther(usize, u8),
    Replace(usize, [u8; 3]),
    Delete(usize),
    RollBack(Vec<Step>),
}

pub(super) fn any_step() -> impl Strategy<Value = Step> {
    let leaf = prop_oneof![
        4 => any::<[u8; 3]>().prop_map(Step::Insert),
        2 => (any::<usize>(), any::<u8>()).prop_map(|(at, choice)| Step::Patch(at, choice)),
        1 => (any::<usize>(), any::<u8>()).prop_map(|(at, choice)| Step::PatchOther(at, choice)),
        1 => (any::<usize>(), any::<[u8; 3]>()).prop_map(|(at, choices)| Step::Replace(at, choices)),
        2 => any::<usize>().prop_map(Step::Delete),
    ];
    leaf.prop_recursive(1, 6, 4, |inner| prop::collection::vec(inner, 1..4).prop_map(Step::RollBack))
}

/// What is in the table, by id.
#[derive(Clone, Default)]
pub(super) struct Model(pub(super) Vec<(DocumentId, Object)>);

impl Model {
    pub(super) fn at(&self, choice: usize) -> Option<DocumentId> {
        (!self.0.is_empty()).then(|| self.0[choice % self.0.len()].0)
    }

    fn read_again(&mut self, tx: &mut Transaction, id: DocumentId) -> Result<(), DbError> {
        self.0.retain(|(other, _)| *other != id);
        if let Some(document) = tx.get(None, &id.to_string())? {
            self.0.push((
                id,
                value_json::parse_object_within(&document, Bounds::MUTATION).expect("a document"),
            ));
        }
        Ok(())
    }

    /// What is there when the transaction has committed: its timestamp stands in the place of each placeholder.
    pub(super) fn commit(&mut self, world: &World) {
        let ts = world.db.store().sequenced();
        for (_, document) in &mut self.0 {
            if let Some(template) = Template::of_json(&document.to_json_bytes()) {
                *document = value_json::parse_object(&template.complete(ts)).expect("a document");
            }
        }
    }

    pub(super) fn apply(&mut self, tx: &mut Transaction, step: &Step) -> Result<(), DbError> {
        self.take_step(tx, step).map(drop)
    }

    /// The document that was written, if one was.
    pub(super) fn take_step(
        &mut self,
        tx: &mut Transaction,
        step: &Step,
    ) -> Result<Option<DocumentId>, DbError> {
        let id = match step {
            Step::Insert(choices) => {
                let id = tx.insert("t", document(*choices).to_string().as_bytes())?;
                Some(id.parse().expect("an id"))
            }
            Step::Patch(at, choice) => self
                .at(*at)
                .map(|id| {
                    let value = value(*choice).unwrap_or(json!({ "$undefined": null }));
                    let fields = json!({ "a": value }).to_string();
                    tx.patch(None, &id.to_string(), fields.as_bytes()).map(|()| id)
                })
                .transpose()?,
            Step::PatchOther(at, choice) => self
                .at(*at)
                .map(|id| {
                    let fields = json!({ "other": choice }).to_string();
                    tx.patch(None, &id.to_string(), fields.as_bytes()).map(|()| id)
                })
                .transpose()?,
            Step::Replace(at, choices) => self
                .at(*at)
                .map(|id| {
                    tx.replace(None, &id.to_string(), document(*choices).to_string().as_bytes()).map(|()| id)
                })
                .transpose()?,
            Step::Delete(at) => {
                self.at(*at).map(|id| tx.delete(None, &id.to_string()).map(|()| id)).transpose()?
            }
            Step::RollBack(steps) => {
                let sub = tx.begin_sub();
                let mut undone = self.clone();
                steps.iter().try_for_each(|step| undone.apply(tx, step))?;
                tx.rollback_sub(sub);
                None
            }
        };
        id.map(|id| self.read_again(tx, id).map(|()| id)).transpose()
    }
}

/// A range of an index: so many fields equal, then bounds on the next.
#[derive(Debug, Clone)]
pub(super) struct Range {
    pub(super) index: usize,
    equal: Vec<u8>,
    lower: Option<(bool, u8)>,
    upper: Option<(bool, u8)>,
    pub(super) descending: bool,
    pub(super) limit: Option<u8>,
    pub(super) batch_rows: u32,
}

prop_compose! {
    pub(super) fn any_range()(
        index in 0usize..3, equal in prop::collection::vec(any::<u8>(), 0..3),
        lower in prop::option::of((any::<bool>(), any::<u8>())),
        upper in prop::option::of((any::<bool>(), any::<u8>())),
        descending: bool, limit in prop::option::of(0u8..6), batch_rows in 1u32..5,
    ) -> Range {
        Range { index, equal, lower, upper, descending, limit, batch_rows }
    }
}

pub(super) fn indexes(order: &[Vec<usize>; 3]) -> Vec<Vec<&'static str>> {
    order.iter().map(|fields| fields.iter().map(|field| FIELDS[*field]).collect()).collect()
}

pub(super) fn schema(indexes: &[Vec<&'static str>]) -> Json {
    let indexes: Vec<Json> = indexes
        .iter()
        .enumerate()
        .map(|(at, fields)| json!({ "indexDescriptor": format!("i{at}"), "fields": fields }))
        .collect();
    json!({ "tables": [{ "tableName": "t", "indexes": indexes, "documentType": { "type": "any" } }] })
}

/// How two documents stand in an index on these fields.
pub(super) fn order(
    fields: &[&str],
    (a, left): &(DocumentId, Object),
    (b, right): &(DocumentId, Object),
) -> Ordering {
    let by_fields = fields.iter().map(|field| compare(field_at(left, field), field_at(right, field)));
    let by_fields = by_fields.fold(Ordering::Equal, Ordering::then);
    by_fields.then_with(|| keyspace::document_key(a).cmp(&keyspace::document_key(b)))
}

fn bound_json(choice: u8) -> Json {
    value(choice).unwrap_or(json!({ "$undefined": null }))
}

fn bound(choice: u8) -> Option<Value> {
    value(choice).and_then(|json| value_json::parse_operand(&json).expect("a value"))
}

impl Range {
    pub(super) fn without_limit(self) -> Range {
        Range { limit: None, ..self }
    }

    pub(super) fn plan(&self, fields: &[&str]) -> Json {
        let equal = &self.equal[..self.equal.len().min(fields.len())];
        let compare = |op: &str, field: &str, choice: u8| json!({ "op": op, "field": field, "value": bound_json(choice) });
        let mut range: Vec<Json> =
            fields.iter().zip(equal).map(|(field, choice)| compare("eq", field, *choice)).collect();
        if let Some(next) = fields.get(equal.len()) {
            let lower = self.lower.map(|(inclusive, choice)| (if inclusive { "gte" } else { "gt" }, choice));
            let upper = self.upper.map(|(inclusive, choice)| (if inclusive { "lte" } else { "lt" }, choice));
            range.extend(lower.into_iter().chain(upper).map(|(op, choice)| compare(op, next, choice)));
        }
        let mut plan = json!({
            "table": "t", "index": format!("i{}", self.index), "range": range,
            "order": if self.descending { "desc" } else { "asc" },
        });
        if let Some(limit) = self.limit {
            plan["limit"] = limit.into();
        }
        plan
    }

    pub(super) fn holds(&self, fields: &[&str], document: &Object) -> bool {
        let equal = &self.equal[..self.equal.len().min(fields.len())];
        let of = |field: &str, choice: u8| compare(field_at(document, field), bound(choice).as_ref());
        let is_equal = fields.iter().zip(equal).all(|(field, choice)| of(field, *choice).is_eq());
        let Some(next) = fields.get(equal.len()) else { return is_equal };
        let lower = self.lower.is_none_or(|(inclusive, choice)| match of(next, choice) {
            Ordering::Equal => inclusive,
            order => order.is_gt(),
        });
        let upper = self.upper.is_none_or(|(inclusive, choice)| match of(next, choice) {
            Ordering::Equal => inclusive,
            order => order.is_lt(),
        });
        is_equal && lower && upper
    }

    /// The ids of the range, in its order, without the limit.
    pub(super) fn all(&self, fields: &[&str], model: &Model) -> Vec<DocumentId> {
        let mut rows: Vec<&(DocumentId, Object)> =
            model.0.iter().filter(|(_, document)| self.holds(fields, document)).collect();
        rows.sort_by(|one, other| order(fields, one, other));
        let mut ids: Vec<DocumentId> = rows.into_iter().map(|(id, _)| *id).collect();
        if self.direction() == Direction::Descending {
            ids.reverse();
        }
        ids
    }

    fn direction(&self) -> Direction {
        if self.descending { Direction::Descending } else { Direction::Ascending }
    }

    fn check(&self, tx: &mut Transaction, fields: &[&str], model: &Model) {
        let plan = self.plan(fields);
        let mut expected = self.all(fields, model);
        let count =
            tx.count(Range { limit: None, ..self.clone() }.plan(fields).to_string().as_bytes()).unwrap();
        assert_eq!(count, expected.len() as u64, "{plan}");
        expected.truncate(self.limit.map_or(usize::MAX, usize::from));
        let found: Vec<DocumentId> = query_all(tx, &plan, self.batch_rows)
            .unwrap()
            .iter()
            .map(|document| document["_id"].as_str().unwrap().parse().unwrap())
            .collect();
        assert_eq!(found, expected, "{plan}");
    }
}

pub(super) fn permutations() -> impl Strategy<Value = [Vec<usize>; 3]> {
    let one = || prop::sample::subsequence(vec![0usize, 1, 2], 1..=3).prop_shuffle();
    [one(), one(), one()]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn queries_find_what_the_model_has(
        order in permutations(),
        before in prop::collection::vec(any_step(), 0..20),
        after in prop::collection::vec(prop::collection::vec(any_step(), 0..6), 1..6),
        ranges in prop::collection::vec(any_range(), 1..12),
    ) {
        let world = World::new();
        let mut model = Model::default();
        world.write(|tx| before.iter().try_for_each(|step| model.apply(tx, step)));
        model.commit(&world);
        let indexes = indexes(&order);
        world.deploy(&schema(&indexes)).unwrap();
        for steps in after {
            world.write(|tx| {
                steps.iter().try_for_each(|step| model.apply(tx, step))?;
                ranges.iter().for_each(|range| range.check(tx, &indexes[range.index], &model));
                Ok(())
            });
            model.commit(&world);
        }
        let mut tx = world.tx();
        ranges.iter().for_each(|range| range.check(&mut tx, &indexes[range.index], &model));
        let count = tx.count(br#"{"table":"t"}"#).unwrap();
        prop_assert_eq!(count, model.0.len() as u64);
        world.assert_sound();
    }

    /// A read set is touched by a write if, and only if, the document was or is among the rows that were passed.
    #[test]
    fn writes_touch_the_ranges_they_are_in_and_no_others(
        order in permutations(),
        before in prop::collection::vec(any_step(), 1..20),
        range in any_range(),
        step in any_step(),
    ) {
        let world = World::new();
        let indexes = indexes(&order);
        let fields = &indexes[range.index];
        world.deploy(&schema(&indexes)).unwrap();
        let mut model = Model::default();
        world.write(|tx| before.iter().try_for_each(|step| model.apply(tx, step)));
        model.commit(&world);
        let range = Range { limit: None, ..range };
        let mut reader = world.tx();
        range.check(&mut reader, fields, &model);
        reader.insert("results", b"{}").unwrap();
        let was = model.clone();
        world.write(|tx| model.apply(tx, &step));
        model.commit(&world);
        let changed = |id: &DocumentId, one: &Model, other: &Model| {
            let of = |model: &Model| model.0.iter().find(|(at, _)| at == id).map(|(_, document)| document.clone());
            of(one) != of(other)
        };
        let is_in = |model: &Model, other: &Model| {
            range.all(fields, model).iter().any(|id| changed(id, model, other))
        };
        let touched = is_in(&was, &model) || is_in(&model, &was);
        let conflicts = world.commit(reader).is_err();
        // A patch that changes nothing is a write all the same.
        let wrote_the_same = matches!(&step, Step::Patch(..) | Step::PatchOther(..) | Step::Replace(..));
        if conflicts != touched {
            prop_assert!(conflicts && wrote_the_same, "touched {}, {:?}", touched, step);
        }
    }
}

fn error(result: Result<impl Sized, DbError>) -> String {
    match result {
        Ok(_) => panic!("it should fail"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn wrong_ranges_say_what_is_wrong() {
    let world = World::new();
    world.deploy(&schema(&[vec!["a", "b"]])).unwrap();
    let eq = |field: &str| json!({ "op": "eq", "field": field, "value": 1.0 });
    let gt = |field: &str| json!({ "op": "gt", "field": field, "value": 1.0 });
    let lt = |field: &str| json!({ "op": "lt", "field": field, "value": 1.0 });
    for (range, part) in [
        (json!([eq("b")]), "`a` must be compared by `eq` before"),
        (json!([gt("a"), eq("b")]), "`a` must be compared by `eq` before"),
        (json!([eq("a"), eq("x")]), "the next field of the index is `b`; use a filter"),
        (json!([eq("a"), eq("_creationTime")]), "`b` must be compared by `eq` before"),
        (json!([gt("a"), gt("a")]), "more often than a range can"),
        (json!([gt("a"), eq("a")]), "more often than a range can"),
        (json!([eq("a"), eq("b"), eq("_creationTime"), eq("a")]), "`_id` must be compared by `eq` before"),
        (json!([eq("a"), eq("b"), eq("_id")]), "`_creationTime` must be compared by `eq` before"),
        (
            json!([eq("a"), eq("b"), eq("_creationTime"), { "op": "eq", "field": "_id", "value": "no id" }]),
            "`_id` is compared with `no id`, which is not an id of table `t`",
        ),
        (json!([{ "op": "neq", "field": "a", "value": 1.0 }]), "eq gt gte lt lte"),
    ] {
        let plan = json!({ "table": "t", "index": "i0", "range": range }).to_string();
        let told = error(world.tx().query(plan.as_bytes(), 0));
        assert!(told.starts_with("InvalidQuery") && told.contains(part), "{plan}: {told}");
    }
    let sound = json!([eq("a"), eq("b"), gt("_creationTime"), lt("_creationTime")]);
    let plan = json!({ "table": "t", "index": "i0", "range": sound }).to_string();
    assert_eq!(world.tx().query(plan.as_bytes(), 0).unwrap().count, 0);
    let told = error(world.tx().query(br#"{"table":"t","index":"by_x"}"#, 0));
    assert!(told.contains("Index `t.by_x` not found: the table has by_id, by_creation_time, i0"), "{told}");
    let told = error(world.tx().query(br#"{"table":"none","index":"i0"}"#, 0));
    assert!(told.contains("Index `none.i0` not found"), "{told}");
    let told = error(world.tx().count(br#"{"table":"t","limit":1}"#));
    assert!(told.contains("leave the filter and the limit out"), "{told}");
}

/// The id is the last field of every index, also of the one by creation time: so a query can begin behind any document.
#[test]
fn ids_order_what_is_equal_else() {
    let world = World::new();
    world.deploy(&schema(&[vec!["a"]])).unwrap();
    for _ in 0..3 {
        world.write(|tx| (0..3).try_for_each(|_| tx.insert("t", br#"{"a":1.0}"#).map(drop)));
    }
    let mut tx = world.tx();
    let all = query_all(&mut tx, &json!({ "table": "t" }), 0).unwrap();
    let bound = |op: &str, field: &str, value: &Json| json!({ "op": op, "field": field, "value": value });
    for (at, of_time) in all.iter().enumerate() {
        for (index, first) in [("i0", Some(bound("eq", "a", &json!(1.0)))), ("by_creation_time", None)] {
            let time = bound("eq", "_creationTime", &of_time["_creationTime"]);
            for (place, other) in all.iter().enumerate() {
                for (op, wanted) in [
                    ("eq", place..place + 1),
                    ("gt", place + 1..all.len()),
                    ("gte", place..all.len()),
                    ("lt", 0..place),
                    ("lte", 0..place + 1),
                ] {
                    let id = bound(op, "_id", &other["_id"]);
                    let range: Vec<&Json> = first.iter().chain([&time, &id]).collect();
                    let found =
                        query_all(&mut tx, &json!({ "table": "t", "index": index, "range": range }), 0);
                    let is_of_time = |document: &&Json| document["_creationTime"] == of_time["_creationTime"];
                    let wanted: Vec<&Json> = all[wanted].iter().filter(is_of_time).collect();
                    assert_eq!(
                        found.unwrap().iter().collect::<Vec<_>>(),
                        wanted,
                        "{index} {at} {op} {place}"
                    );
                }
            }
            for (op, value, is_there) in
                [("gt", json!(null), true), ("lt", json!(null), false), ("lt", json!(true), false)]
            {
                let range: Vec<Json> =
                    first.iter().cloned().chain([time.clone(), bound(op, "_id", &value)]).collect();
                let found =
                    query_all(&mut tx, &json!({ "table": "t", "index": index, "range": range }), 0).unwrap();
                assert_eq!(!found.is_empty(), is_there, "{index} {op} {value}");
            }
        }
    }
    let alone = json!({ "table": "t", "range": [bound("gt", "_id", &all[0]["_id"])] });
    let told = error(query_all(&mut tx, &alone, 0));
    assert!(told.contains("the range compares `_id`, but the index is on `_creationTime`"), "{told}");
}
