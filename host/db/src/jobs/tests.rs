//! Scheduled functions: with their transaction or not at all, once, in order, and told of for a week.
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value as Json, json};
use weir_value::limits::{SCHEDULED_ARGS_BYTES_MAX, SCHEDULED_FUNCTIONS_MAX, SCHEDULED_KEPT_MS};
use weir_value::{FunctionPath, Schema, Value};

use super::{JobStep, ScheduledJob};
use crate::native::NativeFunctions;
use crate::passwords::PasswordResults;
use crate::testing::{World, parse, query_all};
use crate::{Call, DbError, FunctionError, FunctionKind, MutationOutcome, Principal, Teardown, Transaction};

fn failed(text: &str) -> FunctionError {
    FunctionError::Application { message: text.to_owned(), data: None }
}

fn field(args: &Value, name: &str) -> Json {
    parse(&args.to_json_bytes())[name].clone()
}

/// A world with functions that write notes, schedule and fail.
fn world() -> World {
    let world = World::forgetful();
    let note = |tx: &mut Transaction, args: &Value| -> Result<Value, FunctionError> {
        let text = field(args, "text");
        tx.insert("notes", json!({ "text": text, "at": tx.context().now_ms }).to_string().as_bytes())?;
        Ok(Value::Null)
    };
    let functions = NativeFunctions::new()
        .mutation("notes:add", note)
        .mutation("notes:fail", move |tx, args| {
            note(tx, args)?;
            Err(failed("not today"))
        })
        .mutation("notes:later", |tx, args| {
            let at = field(args, "at").as_f64().unwrap_or(0.0);
            let id = tx.schedule("notes:add", br#"{"text":"later"}"#, at)?;
            match field(args, "fails") == json!(true) {
                true => Err(failed("undone")),
                false => Ok(Value::from(id)),
            }
        })
        .action("notes:act", |_, _| Box::pin(async { Ok(Value::Null) }))
        .query("notes:list", |_, _| Ok(Value::Null));
    world.db.deploy(Schema::default(), Arc::new(functions)).expect("a deployment");
    world
}

fn call(world: &World, path: &str, args: &Json) -> MutationOutcome {
    let call = Call {
        path: FunctionPath::parse(path).expect("a path"),
        args: Bytes::from(args.to_string()),
        principal: Principal::Anonymous,
        request_id: "r".to_owned(),
    };
    world.db.mutation(&call, None)
}

fn now(world: &World) -> f64 {
    world.begin(FunctionKind::Query).context().now_ms
}

fn due(world: &World) -> (Vec<ScheduledJob>, Option<f64>) {
    let store = world.db.store();
    store.wait_durable(store.sequenced()).expect("a store that works");
    let due = world.db.due_jobs(0.0, now(world), 100, &|_| false).expect("readable");
    (due.jobs, due.next_ms)
}

fn run(world: &World, job: &ScheduledJob) -> JobStep {
    world.db.step_job(job, &mut PasswordResults::default(), &mut Teardown::default())
}

fn schedule(world: &World, path: &str, text: &str, at_ms: f64) -> String {
    let args = json!({ "text": text }).to_string();
    world.write(|tx| tx.schedule(path, args.as_bytes(), at_ms))
}

fn documents(world: &World, table: &str) -> Vec<Json> {
    let mut tx = world.begin(FunctionKind::Query);
    query_all(&mut tx, &json!({ "table": table }), 0).expect("readable")
}

fn texts(world: &World) -> Vec<String> {
    let texts = documents(world, "notes").into_iter().map(|note| note["text"].as_str().unwrap().to_owned());
    texts.collect()
}

fn state(world: &World, id: &str) -> Json {
    let mut tx = world.begin(FunctionKind::Query);
    let job = tx.get(Some("_scheduled_functions"), id).expect("readable").expect("a job");
    parse(&job)["state"].clone()
}

#[test]
fn a_job_is_there_with_its_transaction_and_not_without() {
    let world = world();
    let undone = call(&world, "notes:later", &json!({ "at": 0, "fails": true }));
    assert!(undone.result.is_err() && due(&world).0.is_empty());
    let id = parse(&call(&world, "notes:later", &json!({ "at": 0 })).result.unwrap());
    let (jobs, rest) = due(&world);
    assert_eq!((jobs.len(), rest), (1, None));
    assert_eq!(json!(jobs[0].id.to_string()), id);
    assert_eq!(state(&world, id.as_str().unwrap()), json!({ "kind": "pending" }));
    world.assert_sound();
    assert!(matches!(run(&world, &jobs[0]), JobStep::Ended(outcome) if outcome.result.is_ok()));
    assert_eq!((texts(&world), due(&world).0.len()), (vec!["later".to_owned()], 0));
    assert_eq!(state(&world, id.as_str().unwrap()), json!({ "kind": "success" }));
    world.assert_sound();
}

#[test]
fn a_job_is_as_convex_has_it() {
    let world = world();
    let id = schedule(&world, "notes:add", "a", 1_790_000_100_000.0);
    let mut tx = world.begin(FunctionKind::Query);
    let mut job = parse(&tx.get(Some("_scheduled_functions"), &id).unwrap().unwrap());
    job.as_object_mut().unwrap().remove("_creationTime");
    assert_eq!(
        job,
        json!({ "_id": id, "name": "notes.js:add", "args": [{ "text": "a" }], "scheduledTime": 1_790_000_100_000_u64,
            "state": { "kind": "pending" } })
    );
}

#[test]
fn who_runs_a_job_again_finds_it_done() {
    let world = world();
    schedule(&world, "notes:add", "once", 0.0);
    let job = due(&world).0.remove(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert!(matches!(run(&world, &job), JobStep::Ended(_))));
        }
    });
    assert_eq!(texts(&world), ["once"]);
    world.assert_sound();
}

#[test]
fn a_job_that_fails_leaves_nothing_but_its_error() {
    let world = world();
    let id = schedule(&world, "notes:fail", "never", 0.0);
    let job = due(&world).0.remove(0);
    assert!(matches!(run(&world, &job), JobStep::Ended(outcome) if outcome.result.is_err()));
    assert!(texts(&world).is_empty() && due(&world).0.is_empty());
    let state = state(&world, &id);
    assert_eq!(state["kind"], "failed");
    assert_eq!(state["error"], "Uncaught Error: not today");
    world.assert_sound();
}

#[test]
fn a_function_that_is_gone_when_its_time_has_come_is_a_failure() {
    let world = world();
    let id = schedule(&world, "notes:add", "a", 0.0);
    world.db.deploy(Schema::default(), Arc::new(NativeFunctions::new())).expect("a deployment");
    let job = due(&world).0.remove(0);
    run(&world, &job);
    let state = state(&world, &id);
    assert!(state["error"].as_str().unwrap().contains("Could not find function"), "{state}");
    assert!(due(&world).0.is_empty());
    world.assert_sound();
}

#[test]
fn jobs_come_in_the_order_of_their_times() {
    let world = world();
    let start = now(&world);
    for (text, after) in [("c", 3_000.0), ("a", 1_000.0), ("b", 2_000.0), ("at once", -5.0)] {
        schedule(&world, "notes:add", text, start + after);
    }
    assert_eq!((due(&world).0.len(), due(&world).1), (1, Some(start + 1_000.0)));
    world.env.advance(Duration::from_millis(2_500));
    let (jobs, rest) = due(&world);
    let args: Vec<Json> = jobs.iter().map(|job| parse(&job.call.args)["text"].clone()).collect();
    assert_eq!((args, rest), (vec![json!("at once"), json!("a"), json!("b")], Some(start + 3_000.0)));
    let under_way = jobs[0].id;
    let some = world.db.due_jobs(0.0, now(&world), 1, &|id| *id == under_way).unwrap();
    assert_eq!((some.jobs.len(), some.jobs[0].id), (1, jobs[1].id));
    assert_eq!((some.first_ms, some.next_ms), (Some(jobs[0].due_ms), Some(start + 2_000.0)));
    let later = world.db.due_jobs(start + 1_500.0, now(&world), 9, &|_| false).unwrap();
    assert_eq!((later.jobs.len(), later.jobs[0].id), (1, jobs[2].id));
}

#[test]
fn a_job_that_is_taken_back_does_not_run() {
    let world = world();
    let id = schedule(&world, "notes:add", "never", 0.0);
    let job = due(&world).0.remove(0);
    world.write(|tx| tx.cancel_scheduled(&id));
    run(&world, &job);
    assert!(texts(&world).is_empty() && due(&world).0.is_empty());
    assert_eq!(state(&world, &id), json!({ "kind": "canceled" }));
    // Again, and after it has run, it is left as it is.
    world.write(|tx| tx.cancel_scheduled(&id));
    let done = schedule(&world, "notes:add", "done", 0.0);
    run(&world, &due(&world).0[0]);
    world.write(|tx| tx.cancel_scheduled(&done));
    assert_eq!(state(&world, &done), json!({ "kind": "success" }));
    world.assert_sound();
}

#[test]
fn who_cancels_what_another_transaction_has_just_scheduled_conflicts_with_nobody() {
    let world = world();
    let id = world.write(|tx| {
        let id = tx.schedule("notes:add", br#"{"text":"no"}"#, 0.0)?;
        tx.cancel_scheduled(&id)?;
        Ok(id)
    });
    assert_eq!(state(&world, &id), json!({ "kind": "canceled" }));
    assert!(due(&world).0.is_empty());
    world.assert_sound();
}

#[test]
fn bad_input_is_told_and_changes_nothing() {
    let world = world();
    let large = format!(r#"{{"text":"{}"}}"#, "x".repeat(SCHEDULED_ARGS_BYTES_MAX));
    let args = br#"{"text":"a"}"#.as_slice();
    let cases: [(&str, &[u8], f64, &str); 9] = [
        ("notes:none", args, 0.0, "FunctionNotFound"),
        ("no path at all", args, 0.0, "FunctionNotFound"),
        ("notes:list", args, 0.0, "WrongFunctionKind"),
        ("notes:add", b"[1]", 0.0, "InvalidArguments"),
        ("notes:add", b"{", 0.0, "InvalidArguments"),
        ("notes:add", large.as_bytes(), 0.0, "InvalidArguments"),
        ("notes:add", args, f64::NAN, "InvalidTime"),
        ("notes:add", args, -1.0, "InvalidTime"),
        ("notes:add", args, 1e15, "InvalidTime"),
    ];
    let mut tx = world.tx();
    for (path, args, at, code) in cases {
        let error = tx.schedule(path, args, at).expect_err("it is refused");
        assert_eq!(error.code.as_str(), code, "{path} {at}: {error}");
    }
    let document = tx.insert("notes", br#"{"text":"a"}"#).unwrap();
    for id in ["", "none", &document] {
        assert_eq!(tx.cancel_scheduled(id).expect_err("it is refused").code.as_str(), "InvalidId");
    }
    let mut query = world.begin(FunctionKind::Query);
    assert_eq!(query.schedule("notes:add", args, 0.0).unwrap_err().code.as_str(), "ReadOnly");
    assert_eq!(query.cancel_scheduled("x").unwrap_err().code.as_str(), "ReadOnly");
    world.commit(tx).unwrap();
    assert!(due(&world).0.is_empty());
    world.assert_sound();
}

#[test]
fn a_transaction_schedules_so_many_and_no_more() {
    let world = world();
    let mut tx = world.tx();
    let mut add = || tx.schedule("notes:add", br#"{"text":"a"}"#, 0.0);
    let error: DbError = (0..=SCHEDULED_FUNCTIONS_MAX).find_map(|_| add().err()).expect("there is a limit");
    assert_eq!(error.code.as_str(), "TooManyScheduled");
    assert_eq!(tx.poisoned(), Some(&error));
    let mut tx = world.tx();
    let large = format!(r#"{{"text":"{}"}}"#, "x".repeat(SCHEDULED_ARGS_BYTES_MAX - 100));
    let add = |_| tx.schedule("notes:add", large.as_bytes(), 0.0).err();
    let error = (0..5).find_map(add).expect("there is a limit");
    assert!(["TooManyScheduled", "TooManyBytesWritten"].contains(&error.code.as_str()), "{error}");
}

#[test]
fn large_and_deep_arguments_come_as_they_were() {
    let world = world();
    let deep = format!("{}1{}", "[".repeat(40), "]".repeat(40));
    let args = format!(r#"{{"deep":{deep},"text":"{}"}}"#, "é".repeat(1_000_000));
    world.write(|tx| tx.schedule("notes:add", args.as_bytes(), 0.0));
    assert_eq!(due(&world).0[0].call.args, args.as_bytes());
}

#[test]
fn what_became_of_jobs_is_kept_for_a_week() {
    let world = world();
    let id = schedule(&world, "notes:add", "a", 0.0);
    let waiting = schedule(&world, "notes:add", "b", now(&world) + 2.0 * SCHEDULED_KEPT_MS);
    run(&world, &due(&world).0[0]);
    assert_eq!(documents(&world, "_scheduled_functions").len(), 2);
    world.env.advance(Duration::from_millis(SCHEDULED_KEPT_MS as u64 - 10_000));
    assert!(!world.db.sweep_jobs(now(&world)).unwrap());
    assert_eq!(state(&world, &id), json!({ "kind": "success" }));
    world.env.advance(Duration::from_millis(20_000));
    assert!(!world.db.sweep_jobs(now(&world)).unwrap());
    assert_eq!(documents(&world, "_scheduled_functions").len(), 1);
    assert_eq!(state(&world, &waiting), json!({ "kind": "pending" }));
    let error = world.tx().cancel_scheduled(&id).expect_err("it is gone");
    assert_eq!(error.code.as_str(), "NotFound");
    world.assert_sound();
}

#[test]
fn large_arguments_are_dropped_with_their_jobs() {
    let world = world();
    let args = format!(r#"{{"text":"{}"}}"#, "x".repeat(SCHEDULED_ARGS_BYTES_MAX - 100));
    // More than a function may write.
    for _ in 0..5 {
        let id = world.write(|tx| tx.schedule("notes:add", args.as_bytes(), 0.0));
        world.write(|tx| tx.cancel_scheduled(&id));
    }
    world.env.advance(Duration::from_millis(SCHEDULED_KEPT_MS as u64 + 10_000));
    assert!(!world.db.sweep_jobs(now(&world)).unwrap());
    assert!(documents(&world, "_scheduled_functions").is_empty());
    world.assert_sound();
}

#[test]
fn an_action_is_begun_once_and_told_of() {
    let world = world();
    let id = schedule(&world, "notes:act", "x", 0.0);
    let job = due(&world).0.remove(0);
    assert!(world.db.is_action_job(&job));
    assert!(world.db.begin_action_job(&job).unwrap().is_some());
    assert_eq!((state(&world, &id), due(&world).0.len()), (json!({ "kind": "inProgress" }), 0));
    world.assert_sound();
    assert!(world.db.begin_action_job(&job).unwrap().is_none(), "it is not begun again");
    world.write(|tx| tx.cancel_scheduled(&id));
    assert_eq!(state(&world, &id), json!({ "kind": "inProgress" }), "it has begun");
    world.db.end_action_job(&job.id, None).unwrap();
    assert_eq!(state(&world, &id), json!({ "kind": "success" }));
    world.assert_sound();
    world.db.end_action_job(&job.id, Some("late")).unwrap();
    assert_eq!(state(&world, &id), json!({ "kind": "success" }), "it has ended before");
}

#[test]
fn an_action_that_was_under_way_at_the_end_has_failed() {
    let world = world();
    let ids: Vec<_> = (0..300).map(|_| schedule(&world, "notes:act", "x", 0.0)).collect();
    let (jobs, _) = due(&world);
    for job in &jobs {
        world.db.begin_action_job(job).unwrap();
    }
    world.db.end_action_job(&jobs[0].id, Some("no way")).unwrap();
    assert_eq!(world.db.fail_interrupted_jobs().unwrap(), jobs.len() - 1);
    assert_eq!(world.db.fail_interrupted_jobs().unwrap(), 0);
    world.assert_sound();
    assert_eq!(state(&world, &jobs[0].id.to_string()), json!({ "kind": "failed", "error": "no way" }));
    let interrupted = state(&world, &jobs[1].id.to_string());
    assert!(
        interrupted["error"].as_str().unwrap().contains("while the action was under way"),
        "{interrupted}"
    );
    assert_eq!(ids.len() - jobs.len(), due(&world).0.len().max(200), "the rest waits");
}

#[test]
fn what_cannot_be_scheduled_is_refused_by_its_kind() {
    let world = world();
    let mut tx = world.begin(FunctionKind::Mutation);
    let error = tx.schedule("notes:list", b"{}", 0.0).unwrap_err();
    assert!(error.message.contains("is a query, which cannot be scheduled"), "{error}");
}
