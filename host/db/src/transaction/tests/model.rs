//! Transactions against a model: a list of documents in the order of their creation.
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use crate::Transaction;
use crate::testing::{World, parse, query_all};

#[derive(Debug, Clone)]
enum Step {
    Insert { n: u8 },
    Patch { row: usize, n: u8 },
    Replace { row: usize, n: u8 },
    Delete { row: usize },
    Get { row: usize },
    Query(Query),
    Commit,
}

#[derive(Debug, Clone)]
pub(super) struct Query {
    pub(super) descending: bool,
    pub(super) limit: Option<usize>,
    /// Keeps documents whose `n` is lower.
    pub(super) below: Option<u8>,
    /// A comparison with the row's place in the index.
    pub(super) bounds: Vec<(&'static str, usize)>,
    pub(super) by_id: bool,
    pub(super) batch_rows: u32,
}

/// One document of the model.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) id: String,
    pub(super) time: f64,
    pub(super) n: u8,
    pub(super) deleted: bool,
}

pub(super) fn any_query() -> impl Strategy<Value = Query> {
    let bound = (prop::sample::select(vec!["eq", "gt", "gte", "lt", "lte"]), 0usize..40);
    let bounds = prop::collection::vec(bound, 0..3);
    (any::<bool>(), prop::option::of(0usize..12), prop::option::of(0u8..8), bounds, any::<bool>(), 0u32..6)
        .prop_map(|(descending, limit, below, bounds, by_id, batch_rows)| Query {
            descending,
            limit,
            below,
            bounds,
            by_id,
            batch_rows,
        })
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0u8..8).prop_map(|n| Step::Insert { n }),
        1 => (0usize..40, 0u8..8).prop_map(|(row, n)| Step::Patch { row, n }),
        1 => (0usize..40, 0u8..8).prop_map(|(row, n)| Step::Replace { row, n }),
        2 => (0usize..40).prop_map(|row| Step::Delete { row }),
        1 => (0usize..40).prop_map(|row| Step::Get { row }),
        4 => any_query().prop_map(Step::Query),
        1 => Just(Step::Commit),
    ]
}

impl Query {
    pub(super) fn plan(&self, rows: &[Row]) -> Json {
        let mut plan = json!({"table": "t"});
        plan["order"] = json!(if self.descending { "desc" } else { "asc" });
        plan["index"] = json!(if self.by_id { "by_id" } else { "by_creation_time" });
        let bound = |(op, row): &(&str, usize)| {
            let row = &rows[row % rows.len()];
            match self.by_id {
                true => json!({"op": op, "field": "_id", "value": row.id}),
                false => json!({"op": op, "field": "_creationTime", "value": row.time}),
            }
        };
        if !rows.is_empty() {
            plan["range"] = self.bounds.iter().map(bound).collect();
        }
        if let Some(limit) = self.limit {
            plan["limit"] = json!(limit);
        }
        if let Some(below) = self.below {
            plan["filter"] = json!({"$lt": [{"$field": "n"}, {"$literal": below}]});
        }
        plan
    }

    /// Whether the row's place is within the bounds.
    fn allows(&self, place: usize, rows: usize) -> bool {
        self.bounds.iter().all(|(op, row)| {
            let bound = row % rows;
            match *op {
                "eq" => place == bound,
                "gt" => place > bound,
                "gte" => place >= bound,
                "lt" => place < bound,
                _ => place <= bound,
            }
        })
    }

    /// The places of the rows that it looks at, and those that it gives.
    pub(super) fn run(&self, rows: &[Row]) -> (Vec<usize>, Vec<usize>) {
        let mut places: Vec<usize> =
            (0..rows.len()).filter(|place| self.allows(*place, rows.len())).collect();
        if self.descending {
            places.reverse();
        }
        let (mut passed, mut given) = (Vec::new(), Vec::new());
        for place in places.into_iter().filter(|place| !rows[*place].deleted) {
            if self.limit.is_some_and(|limit| given.len() == limit) {
                break;
            }
            passed.push(place);
            if self.below.is_none_or(|below| rows[place].n < below) {
                given.push(place);
            }
        }
        (passed, given)
    }
}

fn check_step(tx: &mut Transaction, rows: &mut Vec<Row>, step: &Step) {
    let at = |row: &usize| (!rows.is_empty()).then(|| row % rows.len().max(1));
    let expected_code = |row: &Row| if row.deleted { Err("NotFound") } else { Ok(()) };
    match step {
        Step::Commit => {}
        Step::Insert { n } => {
            let id = tx.insert("t", format!(r#"{{"n":{n}}}"#).as_bytes()).unwrap();
            let time = parse(&tx.get(None, &id).unwrap().unwrap())["_creationTime"].as_f64().unwrap();
            rows.push(Row { id, time, n: *n, deleted: false });
        }
        Step::Patch { row, n } | Step::Replace { row, n } => {
            let Some(at) = at(row) else { return };
            let (row, fields) = (&mut rows[at], format!(r#"{{"n":{n}}}"#));
            let result = match step {
                Step::Patch { .. } => tx.patch(Some("t"), &row.id, fields.as_bytes()),
                _ => tx.replace(None, &row.id, fields.as_bytes()),
            };
            assert_eq!(result.map_err(|error| error.code.as_str()), expected_code(row));
            row.n = *n;
        }
        Step::Delete { row } => {
            let Some(at) = at(row) else { return };
            let row = &mut rows[at];
            assert_eq!(tx.delete(None, &row.id).map_err(|error| error.code.as_str()), expected_code(row));
            row.deleted = true;
        }
        Step::Get { row } => {
            let Some(at) = at(row) else { return };
            let row = &rows[at];
            let document = tx.get(Some("t"), &row.id).unwrap();
            assert_eq!(document.is_none(), row.deleted);
            if let Some(document) = document {
                assert_eq!(parse(&document)["n"], json!(row.n));
            }
        }
        Step::Query(query) => {
            let documents = query_all(tx, &query.plan(rows), query.batch_rows).unwrap();
            let given: Vec<Json> = documents.iter().map(|document| document["_id"].clone()).collect();
            let expected: Vec<Json> = query.run(rows).1.iter().map(|place| json!(rows[*place].id)).collect();
            assert_eq!(given, expected, "{query:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn transactions_do_what_the_model_does(steps in prop::collection::vec(any_step(), 1..60)) {
        let world = World::new();
        let mut rows = Vec::new();
        let mut tx = world.tx();
        // The table must exist, or plans that compare ids would have none to compare with.
        check_step(&mut tx, &mut rows, &Step::Insert { n: 0 });
        for step in &steps {
            if matches!(step, Step::Commit) {
                world.commit(tx).unwrap();
                tx = world.tx();
            }
            check_step(&mut tx, &mut rows, step);
        }
        world.commit(tx).unwrap();
        let all = Query { descending: false, limit: None, below: None, bounds: vec![], by_id: false, batch_rows: 3 };
        check_step(&mut world.tx(), &mut rows, &Step::Query(all));
    }
}
