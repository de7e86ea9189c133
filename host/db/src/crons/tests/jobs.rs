//! Cron jobs in a database: deployed, run, changed, late.
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value as Json, json};
use weir_value::{Schema, Value};

use crate::native::NativeFunctions;
use crate::passwords::PasswordResults;
use crate::testing::{World, parse, query_all};
use crate::{FunctionError, FunctionKind, JobStep, ScheduledJob, Teardown, Transaction};

fn functions() -> NativeFunctions {
    let note = |tx: &mut Transaction, args: &Value| -> Result<Value, FunctionError> {
        let text = parse(&args.to_json_bytes())["text"].clone();
        tx.insert("notes", json!({ "text": text, "at": tx.context().now_ms }).to_string().as_bytes())?;
        Ok(Value::Null)
    };
    NativeFunctions::new()
        .mutation("notes:add", note)
        .mutation("notes:count", |tx, _| {
            let counter = query_all(tx, &json!({ "table": "counter" }), 0)?;
            match counter.first() {
                None => drop(tx.insert("counter", br#"{"n":1}"#)?),
                Some(counter) => {
                    let (id, n) = (counter["_id"].as_str().unwrap(), counter["n"].as_f64().unwrap());
                    tx.patch(None, id, json!({ "n": n + 1.0 }).to_string().as_bytes())?;
                }
            }
            Ok(Value::Null)
        })
        .mutation("notes:fail", move |tx, args| {
            note(tx, args)?;
            Err(FunctionError::Application { message: "not today".to_owned(), data: None })
        })
        .action("notes:act", |_, _| Box::pin(async { Ok(Value::Null) }))
}

fn every(seconds: u64) -> Json {
    json!({ "type": "interval", "seconds": seconds })
}

fn with(name: &str, schedule: &Json, path: &str) -> NativeFunctions {
    functions().cron(name, schedule, path, &json!({ "text": name }))
}

fn deploy(world: &World, functions: NativeFunctions) {
    world.db.deploy(Schema::default(), Arc::new(functions)).expect("a deployment");
}

/// A world where this cron job was just deployed; one with an interval is due at once.
fn deployed(schedule: &Json, path: &str) -> World {
    let world = World::forgetful();
    deploy(&world, with("job", schedule, path));
    world
}

fn now(world: &World) -> f64 {
    world.begin(FunctionKind::Query).context().now_ms
}

fn pass(world: &World, ms: u64) {
    world.env.advance(Duration::from_millis(ms));
}

fn due(world: &World) -> Vec<ScheduledJob> {
    let store = world.db.store();
    store.wait_durable(store.sequenced()).expect("a store that works");
    world.db.due_jobs(0.0, now(world), 100, &|_| false).expect("readable").jobs
}

fn step(world: &World, job: &ScheduledJob) -> JobStep {
    world.db.step_job(job, &mut PasswordResults::default(), &mut Teardown::default())
}

/// Runs what is due, and says whether it went well.
#[track_caller]
fn run_due(world: &World) -> bool {
    let [job] = <[ScheduledJob; 1]>::try_from(due(world)).expect("one job is due");
    let JobStep::Ended(outcome) = step(world, &job) else { panic!("the store takes writes") };
    world.assert_sound();
    outcome.result.is_ok()
}

fn documents(world: &World, table: &str) -> Vec<Json> {
    let mut tx = world.begin(FunctionKind::Query);
    query_all(&mut tx, &json!({ "table": table }), 0).expect("readable")
}

#[track_caller]
fn cron(world: &World) -> Json {
    let [cron] = <[Json; 1]>::try_from(documents(world, "_cron_jobs")).expect("one cron job");
    cron
}

fn next_run(world: &World) -> f64 {
    cron(world)["nextRun"].as_f64().unwrap()
}

fn statuses(world: &World) -> Vec<Json> {
    cron(world)["lastRuns"].as_array().unwrap().iter().map(|run| run["status"].clone()).collect()
}

fn success() -> Json {
    json!({ "kind": "success" })
}

fn skipped(runs: u64) -> Json {
    json!({ "kind": "skipped", "runs": runs })
}

#[test]
fn a_deployment_brings_its_cron_jobs() {
    let world = World::forgetful();
    let before = now(&world);
    let daily = json!({ "type": "daily", "hourUTC": 3, "minuteUTC": 30 });
    deploy(&world, with("interval", &every(60), "notes:add").cron("daily", &daily, "notes:act", &json!({})));
    world.assert_sound();
    let crons = documents(&world, "_cron_jobs");
    let seen = |cron: &Json| (cron["name"].clone(), cron["schedule"].clone(), cron["function"].clone());
    assert_eq!(seen(&crons[0]), (json!("interval"), every(60), json!("notes:add")));
    assert_eq!(seen(&crons[1]), (json!("daily"), daily, json!("notes:act")));
    assert_eq!(
        (&crons[0]["args"], &crons[0]["state"]),
        (&json!([{ "text": "interval" }]), &json!({ "kind": "pending" }))
    );
    assert_eq!(
        (&crons[0]["lastRuns"], &crons[0]["nextRun"]),
        (&json!([]), &json!(before as u64)),
        "an interval begins at once"
    );
    let daily_at = crons[1]["nextRun"].as_f64().unwrap();
    assert_eq!(daily_at % 86_400_000.0, 3.5 * 3_600_000.0);
    assert!(daily_at > before && daily_at <= before + 86_400_000.0);
}

#[test]
fn a_mutation_runs_at_its_times_and_keeps_their_phase() {
    let world = deployed(&every(10), "notes:add");
    let start = now(&world);
    for runs in 1..=7_usize {
        pass(&world, 7);
        assert!(run_due(&world));
        assert_eq!(documents(&world, "notes").len(), runs);
        assert_eq!(next_run(&world), start + 10_000.0 * runs as f64, "however late each was");
        assert!(due(&world).is_empty());
        world.env.set_now(weir_value::Timestamp::from_nanos(((start + 10_000.0 * runs as f64) * 1e6) as u64));
    }
    assert_eq!(statuses(&world), vec![success(); 5], "the last runs are kept");
}

#[test]
fn who_runs_a_job_again_finds_it_done() {
    let world = deployed(&every(10), "notes:count");
    let job = due(&world).remove(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert!(matches!(step(&world, &job), JobStep::Ended(_))));
        }
    });
    assert_eq!(documents(&world, "counter")[0]["n"], json!(1));
    assert_eq!(statuses(&world), [success()]);
    world.assert_sound();
}

#[test]
fn a_run_that_conflicts_is_made_again_and_counts_once() {
    let world = deployed(&every(1), "notes:count");
    world.write(|tx| tx.insert("counter", br#"{"n":0}"#));
    let id = documents(&world, "counter")[0]["_id"].as_str().unwrap().to_owned();
    for runs in 1..=40_u64 {
        let job = due(&world).remove(0);
        std::thread::scope(|scope| {
            scope.spawn(|| step(&world, &job));
            scope.spawn(|| step(&world, &job));
            // Somebody writes what the run reads, at the same time.
            scope.spawn(|| {
                let mut tx = world.tx();
                tx.patch(None, &id, json!({ "other": runs }).to_string().as_bytes()).unwrap();
                let _ = world.commit(tx);
            });
        });
        assert_eq!(documents(&world, "counter")[0]["n"], json!(runs));
        pass(&world, 1_000);
    }
    world.assert_sound();
}

#[test]
fn a_run_that_fails_is_told_of_and_the_next_one_comes() {
    let world = deployed(&every(10), "notes:fail");
    let start = now(&world);
    assert!(!run_due(&world));
    assert_eq!(statuses(&world)[0]["kind"], "failed");
    assert!(statuses(&world)[0]["error"].as_str().unwrap().contains("not today"));
    assert!(documents(&world, "notes").is_empty());
    assert_eq!((next_run(&world), due(&world).len()), (start + 10_000.0, 0));
    pass(&world, 10_000);
    assert!(!run_due(&world));
}

#[test]
fn times_that_pass_during_a_run_are_skipped_and_said() {
    let world = deployed(&every(10), "notes:add");
    let start = now(&world);
    pass(&world, 35_000);
    let job = due(&world).remove(0);
    let JobStep::Ended(outcome) = step(&world, &job) else { panic!("the store takes writes") };
    assert_eq!(outcome.log_lines, ["[WARN] the cron job `job` is late: 3 runs of it were skipped"]);
    assert_eq!((statuses(&world), next_run(&world)), (vec![skipped(3), success()], start + 40_000.0));
    assert_eq!(cron(&world)["lastRuns"][0]["scheduledTime"], json!(start as u64 + 10_000));
    assert!(due(&world).is_empty());
    world.assert_sound();
}

#[test]
fn what_was_missed_while_no_host_ran_is_skipped() {
    let world = deployed(&every(10), "notes:add");
    let start = now(&world);
    assert!(run_due(&world));
    pass(&world, 95_000);
    assert_eq!(world.db.skip_late_crons().unwrap(), 1);
    assert_eq!((statuses(&world), next_run(&world)), (vec![skipped(9), success()], start + 100_000.0));
    assert!(due(&world).is_empty());
    assert_eq!(world.db.skip_late_crons().unwrap(), 0, "and that once");
    world.assert_sound();
    pass(&world, 5_000);
    assert!(run_due(&world));
    assert_eq!(documents(&world, "notes").len(), 2);
}

#[test]
fn a_job_that_a_deployment_leaves_as_it_is_keeps_its_next_run() {
    let world = deployed(&every(10), "notes:add");
    assert!(run_due(&world));
    let before = cron(&world);
    pass(&world, 4_000);
    deploy(&world, with("job", &json!({ "type": "interval", "seconds": 10.0 }), "notes:add"));
    assert_eq!(cron(&world), before);
    // Another function, or other arguments, at the same times.
    deploy(&world, functions().cron("job", &every(10), "notes:count", &json!({})));
    assert_eq!(
        (cron(&world)["function"].clone(), cron(&world)["args"].clone()),
        (json!("notes:count"), json!([{}]))
    );
    assert_eq!((&cron(&world)["_id"], &cron(&world)["nextRun"]), (&before["_id"], &before["nextRun"]));
    assert_eq!(cron(&world)["lastRuns"], before["lastRuns"]);
    assert!(due(&world).is_empty());
    world.assert_sound();
    pass(&world, 6_000);
    assert!(run_due(&world));
    assert_eq!(documents(&world, "counter").len(), 1);
}

#[test]
fn another_schedule_begins_anew() {
    let world = deployed(&every(10), "notes:add");
    assert!(run_due(&world));
    pass(&world, 4_000);
    let changed_at = now(&world);
    deploy(&world, with("job", &every(7), "notes:add"));
    assert_eq!(next_run(&world), changed_at);
    world.assert_sound();
    assert!(run_due(&world));
    assert_eq!(next_run(&world), changed_at + 7_000.0);
}

#[test]
fn a_job_that_is_no_longer_declared_is_gone() {
    let world = deployed(&every(10), "notes:add");
    let job = due(&world).remove(0);
    deploy(&world, functions());
    world.assert_sound();
    assert!(documents(&world, "_cron_jobs").is_empty() && due(&world).is_empty());
    // The scheduler has taken it before.
    assert!(matches!(step(&world, &job), JobStep::Ended(_)));
    assert!(documents(&world, "notes").is_empty());
    // Declared again, it is a new one.
    deploy(&world, with("job", &every(10), "notes:add"));
    step(&world, &job);
    assert!(documents(&world, "notes").is_empty(), "what was taken is over");
    assert!(run_due(&world));
}

#[test]
fn what_was_taken_before_a_deployment_changed_it_runs_as_it_is_deployed() {
    let world = deployed(&every(10), "notes:add");
    let job = due(&world).remove(0);
    deploy(&world, functions().cron("job", &every(10), "notes:count", &json!({})));
    step(&world, &job);
    assert!(documents(&world, "notes").is_empty() && documents(&world, "counter").is_empty());
    assert!(run_due(&world), "it is due as before");
    assert_eq!((documents(&world, "notes").len(), documents(&world, "counter").len()), (0, 1));
    world.assert_sound();
}

#[test]
fn an_action_waits_for_no_run_while_it_is_under_way() {
    let world = deployed(&every(10), "notes:act");
    let start = now(&world);
    let job = due(&world).remove(0);
    assert!(world.db.is_action_job(&job));
    assert!(world.db.begin_action_job(&job).unwrap().is_some());
    world.assert_sound();
    assert!(world.db.begin_action_job(&job).unwrap().is_none(), "it is not begun again");
    assert_eq!(cron(&world)["state"], json!({ "kind": "inProgress", "scheduledTime": start as u64 }));
    pass(&world, 25_000);
    assert!(due(&world).is_empty(), "one run at a time");
    world.db.end_action_job(&job.id, None).unwrap();
    world.assert_sound();
    assert_eq!((statuses(&world), next_run(&world)), (vec![skipped(2), success()], start + 30_000.0));
    world.db.end_action_job(&job.id, Some("late")).unwrap();
    assert_eq!(statuses(&world).len(), 2, "it has ended before");
    pass(&world, 5_000);
    assert_eq!(due(&world).len(), 1);
}

#[test]
fn an_action_that_was_under_way_at_the_end_has_failed() {
    let world = deployed(&every(10), "notes:act");
    let start = now(&world);
    let job = due(&world).remove(0);
    world.db.begin_action_job(&job).unwrap();
    pass(&world, 1_000);
    assert_eq!(world.db.fail_interrupted_jobs().unwrap(), 1);
    world.assert_sound();
    assert_eq!(world.db.skip_late_crons().unwrap(), 0);
    assert!(statuses(&world)[0]["error"].as_str().unwrap().contains("while the action was under way"));
    assert_eq!((next_run(&world), due(&world).len()), (start + 10_000.0, 0), "it is not begun again");
}

#[test]
fn an_action_under_way_ends_whatever_is_deployed() {
    let begun = |world: &World| {
        let job = due(world).remove(0);
        world.db.begin_action_job(&job).unwrap();
        job
    };
    // Changed: the new schedule goes on when it has ended.
    let world = deployed(&every(10), "notes:act");
    let job = begun(&world);
    pass(&world, 2_000);
    let daily = json!({ "type": "daily", "hourUTC": 3, "minuteUTC": 30 });
    deploy(&world, with("job", &daily, "notes:add"));
    world.assert_sound();
    assert!(due(&world).is_empty());
    assert_eq!(cron(&world)["state"]["kind"], "inProgress");
    world.db.end_action_job(&job.id, None).unwrap();
    world.assert_sound();
    assert_eq!((statuses(&world), next_run(&world) % 86_400_000.0), (vec![success()], 3.5 * 3_600_000.0));
    // Removed: nothing is left of it.
    let world = deployed(&every(10), "notes:act");
    let job = begun(&world);
    deploy(&world, functions());
    world.assert_sound();
    world.db.end_action_job(&job.id, None).unwrap();
    world.assert_sound();
    assert!(documents(&world, "_cron_jobs").is_empty() && due(&world).is_empty());
    assert_eq!(world.db.fail_interrupted_jobs().unwrap(), 0);
}

#[test]
fn cron_jobs_and_scheduled_functions_come_in_one_order_of_times() {
    let world = deployed(&every(10), "notes:add");
    let start = now(&world);
    assert!(run_due(&world));
    let schedule = |at| world.write(|tx| tx.schedule("notes:add", br#"{"text":"job"}"#, at));
    schedule(start + 5_000.0);
    schedule(start + 15_000.0);
    pass(&world, 20_000);
    let order: Vec<_> = due(&world).iter().map(|job| (job.due_ms - start, job.is_cron())).collect();
    assert_eq!(order, [(5_000.0, false), (10_000.0, true), (15_000.0, false)]);
    let id = cron(&world)["_id"].as_str().unwrap().to_owned();
    let error = world.tx().cancel_scheduled(&id).unwrap_err();
    assert_eq!(error.code.as_str(), "InvalidId", "a cron job cannot be cancelled");
}

#[test]
fn a_function_that_is_missing_fails_the_run_and_not_the_job() {
    let world = deployed(&every(10), "notes:add");
    world.db.set_deployment(Arc::new(NativeFunctions::new()));
    assert!(!run_due(&world));
    assert!(statuses(&world)[0]["error"].as_str().unwrap().contains("Could not find function"));
    pass(&world, 10_000);
    world.db.set_deployment(Arc::new(functions()));
    assert!(run_due(&world));
}
