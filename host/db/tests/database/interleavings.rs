//! Two transactions that overlap come to what one of the two serial orders comes to.
//!
//! The first one stops in its midst while the second one runs to its commit. Both began with the same state, so which
//! of them reads what in which order makes no difference; who commits first does, and both cases are generated.
use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use serde_json::{Value as Json, json};
use weir_db::native::NativeFunctions;
use weir_db::{FunctionError, Transaction};
use weir_value::Value;

use crate::world::{Within, World, call, json as value_of, n_of, set_n};

/// Documents that are there from the start.
const DOCUMENTS: usize = 4;

#[derive(Debug, Clone)]
enum Step {
    /// Into the register.
    Get(usize),
    /// From the register, plus one.
    Put(usize),
    /// From the register.
    Insert,
    Delete(usize),
    /// How many documents have a lower n: into the register.
    Count {
        below: u8,
    },
    /// The n of the first, or last, few of the first documents: their sum into the register.
    Sum {
        rows: usize,
        descending: bool,
    },
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..DOCUMENTS).prop_map(Step::Get),
        3 => (0..DOCUMENTS).prop_map(Step::Put),
        1 => Just(Step::Insert),
        1 => (0..DOCUMENTS).prop_map(Step::Delete),
        1 => (0u8..20).prop_map(|below| Step::Count { below }),
        1 => (1..=DOCUMENTS, any::<bool>()).prop_map(|(rows, descending)| Step::Sum { rows, descending }),
    ]
}

type Program = Vec<Step>;

/// Two programs, and what each does in its midst, once.
struct Programs {
    programs: [Program; 2],
    ids: Vec<String>,
    /// Before which step of the first one the second one runs.
    pause: Option<usize>,
    /// What the second one came to when it ran within the first.
    second: Option<Json>,
}

fn field_n(document: &Json) -> f64 {
    document["n"].as_f64().expect("a number")
}

fn run_step(
    tx: &mut Transaction,
    step: &Step,
    ids: &[String],
    register: &mut f64,
) -> Result<(), FunctionError> {
    let exists = |tx: &mut Transaction, at: &usize| -> Result<bool, FunctionError> {
        Ok(tx.get(None, &ids[*at])?.is_some())
    };
    match step {
        Step::Get(at) if exists(tx, at)? => *register = n_of(tx, &ids[*at])?,
        Step::Get(_) => *register = -1.0,
        Step::Put(at) if exists(tx, at)? => set_n(tx, &ids[*at], *register + 1.0)?,
        Step::Put(_) => {}
        Step::Insert => drop(tx.insert("t", format!(r#"{{"n":{register}}}"#).as_bytes())?),
        Step::Delete(at) if exists(tx, at)? => tx.delete(None, &ids[*at])?,
        Step::Delete(_) => {}
        Step::Count { below } => {
            let plan = json!({"table": "t", "filter": {"$lt": [{"$field": "n"}, {"$literal": below}]}});
            *register = f64::from(tx.query(plan.to_string().as_bytes(), 0)?.count);
        }
        Step::Sum { rows, descending } => {
            let order = if *descending { "desc" } else { "asc" };
            let bound = json!({"op": "lte", "field": "_id", "value": ids[DOCUMENTS - 1]});
            let plan =
                json!({"table": "t", "index": "by_id", "range": [bound], "order": order, "limit": rows});
            let batch = tx.query(plan.to_string().as_bytes(), 0)?;
            let documents: Vec<Json> = serde_json::from_slice(&batch.documents).expect("JSON");
            *register = documents.iter().map(field_n).sum();
        }
    }
    Ok(())
}

/// Runs a program; what its registers held is its result.
fn run_program(
    tx: &mut Transaction,
    which: usize,
    state: &Mutex<Programs>,
    within: &Within,
) -> Result<Value, FunctionError> {
    let (program, ids) = {
        let state = state.lock().unwrap();
        (state.programs[which].clone(), state.ids.clone())
    };
    let mut register = 0.0;
    let mut trace = Vec::new();
    for (at, step) in program.iter().enumerate() {
        let pauses = which == 0 && state.lock().unwrap().pause.take_if(|pause| *pause == at).is_some();
        if pauses {
            let outcome = within.db().mutation(&call("p:second", &json!({})), None);
            state.lock().unwrap().second = Some(value_of(&outcome.result));
        }
        run_step(tx, step, &ids, &mut register)?;
        trace.push(Value::from(register));
    }
    Ok(Value::from(trace))
}

/// What two programs came to: their results, and the n of the documents that remain.
#[derive(Debug, PartialEq)]
struct Ending {
    results: [Json; 2],
    documents: Vec<Option<f64>>,
    others: Vec<String>,
}

enum Schedule {
    FirstThenSecond,
    SecondThenFirst,
    SecondWithinFirst { before_step: usize },
}

fn run(programs: &[Program; 2], schedule: &Schedule) -> Ending {
    let within = Within::default();
    let state = Arc::new(Mutex::new(Programs {
        programs: programs.clone(),
        ids: Vec::new(),
        pause: None,
        second: None,
    }));
    let body = |which: usize| {
        let (state, within) = (state.clone(), within.clone());
        move |tx: &mut Transaction, _: &Value| run_program(tx, which, &state, &within)
    };
    let functions = NativeFunctions::new()
        .mutation("p:first", body(0))
        .mutation("p:second", body(1))
        .mutation("p:setup", |tx, _| {
            let ids: Result<Vec<Value>, _> = (0..DOCUMENTS)
                .map(|n| tx.insert("t", format!(r#"{{"n":{n}}}"#).as_bytes()).map(Value::from))
                .collect();
            Ok(Value::from(ids?))
        })
        .query("p:all", |tx, _| {
            let batch = tx.query(br#"{"table":"t"}"#, 1_000)?;
            Ok(Value::from_json(&batch.documents).expect("JSON"))
        });
    let world = World::new(functions);
    within.set(&world);
    let ids = value_of(&world.mutate("p:setup", &json!({})).result);
    let ids: Vec<String> = ids.as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()).collect();
    state.lock().unwrap().ids.clone_from(&ids);
    // Later documents are later, whoever inserts them.
    world.env.advance(std::time::Duration::from_secs(1));
    let call = |path: &str| value_of(&world.mutate(path, &json!({})).result);
    let results = match schedule {
        Schedule::FirstThenSecond => {
            let first = call("p:first");
            [first, call("p:second")]
        }
        Schedule::SecondThenFirst => {
            let second = call("p:second");
            [call("p:first"), second]
        }
        Schedule::SecondWithinFirst { before_step } => {
            state.lock().unwrap().pause = Some(*before_step);
            let first = call("p:first");
            let second = state.lock().unwrap().second.take();
            [first, second.expect("it ran within")]
        }
    };
    let all = value_of(&world.query("p:all", &json!({})).result);
    let all = all.as_array().unwrap();
    let n_of = |id: &String| all.iter().find(|document| document["_id"] == *id.as_str()).map(field_n);
    let is_other = |document: &&Json| ids.iter().all(|id| document["_id"] != *id.as_str());
    let mut others: Vec<String> =
        all.iter().filter(is_other).map(|document| document["n"].to_string()).collect();
    others.sort();
    Ending { results, documents: ids.iter().map(n_of).collect(), others }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn overlapping_equals_one_after_the_other(
        first in prop::collection::vec(any_step(), 1..8),
        second in prop::collection::vec(any_step(), 1..8),
        pause in 0usize..8,
    ) {
        let programs = [first, second];
        let before_step = pause % programs[0].len();
        let overlapped = run(&programs, &Schedule::SecondWithinFirst { before_step });
        let first_then_second = run(&programs, &Schedule::FirstThenSecond);
        let second_then_first = run(&programs, &Schedule::SecondThenFirst);
        prop_assert!(
            overlapped == first_then_second || overlapped == second_then_first,
            "{:?}\nis neither {:?}\nnor {:?}", overlapped, first_then_second, second_then_first
        );
    }
}
