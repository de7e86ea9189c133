//! Deployments step by step, while others read and write.
use std::sync::Arc;

use serde_json::{Value as Json, json};
use weir_db::DeploymentError;
use weir_value::{Schema, Timestamp, Value};

use crate::schemas::{finish, functions, indexes, n_is, whole};
use crate::world::{Within, World, call, json as value_of};

/// So many documents take several batches to look at.
const DOCUMENTS: u32 = 150;

fn world() -> World {
    World::new(functions(0))
}

/// A world with documents; their ids.
fn filled(documents: u32) -> (World, Vec<String>) {
    let world = world();
    let ids = (0..documents).map(|n| world.insert(&json!({ "n": n, "k": "old" }))).collect();
    (world, ids)
}

fn by_n(n: u32) -> Json {
    json!({ "table": "t", "index": "by_n", "range": [{ "op": "eq", "field": "n", "value": n }] })
}

/// A document that did not fit.
fn mismatch(error: DeploymentError) -> (String, String, String) {
    match error {
        DeploymentError::DocumentMismatch { table, id, reason } => (table, id, reason),
        other => panic!("a document should not fit: {other}"),
    }
}

#[test]
fn an_index_is_built_while_writers_go_on() {
    let (world, mut ids) = filled(DOCUMENTS);
    let mut prepared = world.prepare(&indexes(&[("by_n", &["n"])]));
    assert_eq!(prepared.progress().indexes[0].of, u64::from(DOCUMENTS));
    let mut batches = 0;
    while prepared.step(&world.db).unwrap() {
        // Behind and before where the build is: new, changed, gone.
        ids.push(world.insert(&json!({ "n": 1_000 + batches })));
        world.patch(&ids[0], &json!({ "n": 2_000 + batches }));
        world.patch(&ids[ids.len() - 2], &json!({ "n": 3_000 + batches }));
        world.patch(&ids[1], &json!({ "k": "new" }));
        let gone = ids.len() / 2;
        world.delete(&ids.remove(gone));
        assert!(world.not_readable("by_n").contains("still being built"));
        world.assert_sound();
        batches += 1;
    }
    assert!(batches >= 2, "{batches} batches");
    assert!(world.not_readable("by_n").contains("IndexNotReady"), "not before it is in force");
    let done = &prepared.progress().indexes[0];
    assert_eq!((done.documents, done.of), (done.of, done.documents));
    world.put_in_force(&prepared, 1).unwrap();
    world.assert_holds_all("by_n");
    assert_eq!(world.rows(&by_n(2_000 + batches - 1)).unwrap()[0]["_id"], *ids[0]);
    world.assert_indexes(1, ids.len() as u64);
    assert_eq!(world.number(), json!(1));
}

/// Other threads write as fast as they can: whatever they change between the two looks of a batch is looked at again.
#[test]
fn an_index_is_built_while_other_threads_write() {
    let (world, ids) = filled(600);
    let is_over = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        for thread in 0..2 {
            let (world, ids, is_over) = (&world, &ids, &is_over);
            scope.spawn(move || {
                let mut at = thread;
                while !is_over.load(std::sync::atomic::Ordering::SeqCst) {
                    world.patch(&ids[at * 7 % ids.len()], &json!({ "n": at % 50 }));
                    at += 2;
                }
            });
        }
        for number in 1..12 {
            let name: &[&str] = if number % 2 == 0 { &["n"] } else { &["k", "n"] };
            world.deploy(&indexes(&[("by_n", name)]), number).unwrap();
        }
        is_over.store(true, std::sync::atomic::Ordering::SeqCst);
    });
    world.assert_holds_all("by_n");
    world.maintain();
    world.assert_indexes(1, 600);
}

#[test]
fn a_document_that_does_not_fit_refuses_the_deployment() {
    let (world, ids) = filled(DOCUMENTS);
    world.deploy(&indexes(&[("by_n", &["n"])]).documents(n_is("number")), 1).unwrap();
    world.patch(&ids[100], &json!({ "k": [1] }));
    let strict = json!({ "type": "object", "value": {
        "n": { "fieldType": { "type": "number" }, "optional": false },
        "k": { "fieldType": { "type": "string" }, "optional": false },
    } });
    let mut prepared = world.prepare(&indexes(&[("by_k", &["k"])]).documents(strict));
    let refused = loop {
        match prepared.step(&world.db) {
            Ok(more) => assert!(more, "the document is found"),
            Err(error) => break error,
        }
    };
    let told = refused.to_string();
    assert!(told.contains("\"t\"") && told.contains(&ids[100]) && told.contains("stays in force"), "{told}");
    let (table, id, reason) = mismatch(refused);
    assert_eq!((table.as_str(), id.as_str()), ("t", ids[100].as_str()));
    assert!(reason.contains('k'), "{reason}");
    world.db.abandon(prepared).unwrap();
    // What was in force is: functions, validators, indexes.
    assert_eq!(world.number(), json!(1));
    assert!(world.try_insert(&json!({ "n": "text" })).unwrap_err().contains("SchemaValidationError"));
    world.insert(&json!({ "n": 7, "k": [2] }));
    world.assert_holds_all("by_n");
    assert!(world.not_readable("by_k").contains("IndexNotFound"));
    world.maintain();
    world.assert_indexes(1, u64::from(DOCUMENTS) + 1);
}

#[test]
fn a_write_meanwhile_that_does_not_fit_fails_the_deployment_and_not_the_write() {
    let (world, ids) = filled(DOCUMENTS);
    let wanted = indexes(&[("by_n", &["n"])]).documents(n_is("number"));
    let mut prepared = world.prepare(&wanted);
    assert!(prepared.step(&world.db).unwrap());
    let misfit = world.insert(&json!({ "n": "text" }));
    let (table, id, reason) = mismatch(prepared.step(&world.db).unwrap_err());
    assert_eq!((table.as_str(), &id), ("t", &misfit));
    assert!(reason.contains('n'), "{reason}");
    // Not even when it is gone again: the deployment has told of it.
    world.delete(&misfit);
    mismatch(world.put_in_force(&prepared, 1).unwrap_err());
    world.db.abandon(prepared).unwrap();
    world.assert_sound();
    // Between the last step and the end it counts too.
    let mut prepared = world.prepare(&wanted);
    finish(&world, &mut prepared);
    world.patch(&ids[0], &json!({ "n": "text" }));
    assert_eq!(mismatch(world.put_in_force(&prepared, 1).unwrap_err()).1, ids[0]);
    world.db.abandon(prepared).unwrap();
    assert_eq!(world.number(), json!(0));
    world.patch(&ids[0], &json!({ "n": 1 }));
    world.deploy(&wanted, 1).unwrap();
    assert!(world.try_insert(&json!({ "n": "text" })).is_err());
    world.maintain();
    world.assert_indexes(1, u64::from(DOCUMENTS));
}

/// What a mutation wrote and took back, or wrote over, is no document that does not fit.
#[test]
fn what_is_not_there_at_the_end_of_a_mutation_fails_no_deployment() {
    let functions = || {
        functions(0)
            .mutation("t:undone", |tx, _| {
                let sub = tx.begin_sub();
                tx.insert("t", br#"{"n":"text"}"#)?;
                tx.rollback_sub(sub);
                let gone = tx.insert("t", br#"{"n":"text"}"#)?;
                tx.delete(None, &gone)?;
                let mended = tx.insert("t", br#"{"n":"text"}"#)?;
                tx.patch(None, &mended, br#"{"n":1}"#)?;
                Ok(Value::Null)
            })
            .mutation("t:spoilt", |tx, _| {
                let mended = tx.insert("t", br#"{"n":"text"}"#)?;
                tx.patch(None, &mended, br#"{"n":1}"#)?;
                Ok(Value::from(tx.insert("t", br#"{"n":"text"}"#)?))
            })
            .mutation("t:fails", |tx, _| {
                tx.insert("t", br#"{"n":"text"}"#)?;
                tx.get(None, "no id")?;
                Ok(Value::Null)
            })
    };
    let world = World::new(functions());
    let prepared = world.prepare(&indexes(&[]).documents(n_is("number")));
    value_of(&world.mutate("t:undone", &json!({})).result);
    assert!(world.mutate("t:fails", &json!({})).result.is_err());
    let mut prepared = prepared;
    finish(&world, &mut prepared);
    world.put_in_force(&prepared, 1).unwrap();
    let world = World::new(functions());
    let prepared = world.prepare(&indexes(&[]).documents(n_is("number")));
    let spoilt = value_of(&world.mutate("t:spoilt", &json!({})).result);
    let (_, id, _) = mismatch(world.put_in_force(&prepared, 1).unwrap_err());
    assert_eq!(json!(id), spoilt);
}

/// Whether an id is one of a table is asked of the database, not of what happens to be remembered.
#[test]
fn ids_of_tables_that_no_schema_declares_are_ids_of_them() {
    let functions = functions(0).mutation("t:pair", |tx, _| {
        let other = tx.insert("other", b"{}")?;
        tx.insert("t", format!(r#"{{"other":"{other}"}}"#).as_bytes())?;
        Ok(Value::Null)
    });
    let world = World::new(functions);
    value_of(&world.mutate("t:pair", &json!({})).result);
    let other = json!({ "fieldType": { "type": "id", "tableName": "other" }, "optional": false });
    world
        .deploy(&indexes(&[]).documents(json!({ "type": "object", "value": { "other": other } })), 1)
        .unwrap();
    let third = json!({ "fieldType": { "type": "id", "tableName": "third" }, "optional": false });
    let wrong =
        world.deploy(&indexes(&[]).documents(json!({ "type": "object", "value": { "other": third } })), 2);
    mismatch(wrong.unwrap_err());
}

#[test]
fn staged_indexes_are_built_in_the_background_and_read_when_they_are_declared() {
    let (world, _) = filled(DOCUMENTS);
    let staged = indexes(&[]).staged(&[("by_n", &["n"])]);
    let mut prepared = world.prepare(&staged);
    assert_eq!(prepared.progress().indexes, [], "nobody waits for it");
    finish(&world, &mut prepared);
    world.put_in_force(&prepared, 1).unwrap();
    assert!(world.not_readable("by_n").contains("is staged"));
    world.insert(&json!({ "n": 1 }));
    assert!(world.maintain() >= 3, "batches");
    assert!(world.not_readable("by_n").contains("is staged"), "built, and still not to be read");
    world.assert_indexes(1, u64::from(DOCUMENTS) + 1);
    // Declared it is there at once.
    let mut prepared = world.prepare(&indexes(&[("by_n", &["n"])]));
    assert!(!prepared.step(&world.db).unwrap(), "there is nothing to build");
    world.put_in_force(&prepared, 2).unwrap();
    world.assert_holds_all("by_n");
    // And staged again it is kept, and not read.
    world.deploy(&staged, 3).unwrap();
    assert!(world.not_readable("by_n").contains("is staged"));
    world.insert(&json!({ "n": 2 }));
    world.assert_indexes(1, u64::from(DOCUMENTS) + 2);
}

/// The one that is read has the name too, and may stand behind the other: its document is younger when the clock was
/// set back.
#[test]
fn a_staged_index_does_not_hide_the_one_of_its_name_that_is_in_force() {
    let (world, _) = filled(5);
    world.deploy(&indexes(&[("by", &["n"])]), 1).unwrap();
    world.env.set_now(Timestamp::from_nanos(1_780_000_000_000_000_000));
    let mut prepared = world.prepare(&indexes(&[]).staged(&[("by", &["k", "n"])]));
    world.maintain();
    world.assert_holds_all("by");
    // Nor after a restart in the midst of it.
    let again = world.reopen(functions(1));
    again.assert_holds_all("by");
    finish(&world, &mut prepared);
    world.put_in_force(&prepared, 2).unwrap();
    assert!(world.not_readable("by").contains("is staged"));
}

/// The housekeeping builds a staged index while a deployment declares it: the two go on where the other one is.
#[test]
fn a_staged_index_that_is_declared_while_it_is_built_is_whole_when_it_is_in_force() {
    let (world, _) = filled(DOCUMENTS);
    world.deploy(&indexes(&[]).staged(&[("by_n", &["n"])]), 1).unwrap();
    assert!(world.db.maintain_indexes().unwrap());
    let mut prepared = world.prepare(&indexes(&[("by_n", &["n"])]));
    loop {
        let more = prepared.step(&world.db).unwrap();
        world.db.maintain_indexes().unwrap();
        if !more {
            break;
        }
    }
    world.put_in_force(&prepared, 2).unwrap();
    world.assert_holds_all("by_n");
    world.assert_indexes(1, u64::from(DOCUMENTS));
}

/// Two builders of one index, each in its thread: neither takes back what the other one has done.
#[test]
fn two_builders_of_an_index_do_not_take_back_what_the_other_has_done() {
    let (world, _) = filled(500);
    for number in 0..20 {
        world.deploy(&indexes(&[]).staged(&[("by_n", &["n"])]), number).unwrap();
        let mut prepared = world.prepare(&indexes(&[("by_n", &["n"])]));
        std::thread::scope(|scope| {
            let background = scope.spawn(|| world.maintain());
            finish(&world, &mut prepared);
            background.join().unwrap();
        });
        world.put_in_force(&prepared, number).unwrap();
        world.assert_holds_all("by_n");
        world.deploy(&indexes(&[]), number).unwrap();
        world.maintain();
        world.assert_indexes(0, 0);
    }
}

#[test]
fn an_index_of_the_same_name_replaces_the_other_when_it_is_in_force() {
    let (world, ids) = filled(DOCUMENTS);
    world.deploy(&indexes(&[("by", &["n"])]), 1).unwrap();
    let first_of = |world: &World| world.rows(&json!({ "table": "t", "index": "by", "limit": 1 })).unwrap();
    let mut prepared = world.prepare(&indexes(&[("by", &["k", "n"])]));
    while prepared.step(&world.db).unwrap() {
        world.patch(&ids[9], &json!({ "k": "a", "n": 99 }));
        world.assert_holds_all("by");
        assert_eq!(first_of(&world)[0]["_id"], *ids[0], "the old one is read");
        world.assert_sound();
    }
    world.put_in_force(&prepared, 2).unwrap();
    assert_eq!(first_of(&world)[0]["_id"], *ids[9], "the new one is read");
    world.assert_holds_all("by");
    world.assert_indexes(2, 2 * u64::from(DOCUMENTS));
    world.insert(&json!({ "n": 1 }));
    assert!(world.maintain() >= 2);
    world.assert_indexes(1, u64::from(DOCUMENTS) + 1);
}

#[test]
fn dropping_gives_the_space_back() {
    let (world, ids) = filled(1_200);
    world.deploy(&indexes(&[("by_n", &["n"]), ("by_k", &["k"])]), 1).unwrap();
    world.assert_indexes(2, 2_400);
    world.deploy(&indexes(&[("by_k", &["k"])]), 2).unwrap();
    assert!(world.not_readable("by_n").contains("IndexNotFound"));
    // Nothing keeps it any more, and it is no damage that it does not agree with the documents.
    world.patch(&ids[3], &json!({ "n": -1 }));
    world.assert_sound();
    assert!(world.db.maintain_indexes().unwrap());
    world.assert_indexes(2, 1_200 + 176);
    // One that is wanted again meanwhile is another index.
    world.deploy(&indexes(&[("by_k", &["k"]), ("by_n", &["n"])]), 3).unwrap();
    world.assert_holds_all("by_n");
    world.maintain();
    world.assert_indexes(2, 2_400);
    world.deploy(&indexes(&[]), 4).unwrap();
    world.maintain();
    world.assert_indexes(0, 0);
    let again = world.reopen(functions(5));
    again.assert_indexes(0, 0);
    assert!(!again.db.maintain_indexes().unwrap(), "nothing is left to do");
}

#[test]
fn without_validation_documents_are_as_they_like() {
    let (world, ids) = filled(20);
    world.patch(&ids[0], &json!({ "n": "text" }));
    let wanted = indexes(&[("by_n", &["n"])]).documents(n_is("number"));
    mismatch(world.deploy(&wanted, 1).unwrap_err());
    world.deploy(&wanted.clone().unchecked(), 1).unwrap();
    world.insert(&json!({ "n": null, "whatever": 1 }));
    world.assert_holds_all("by_n");
    mismatch(world.deploy(&wanted, 2).unwrap_err());
    assert_eq!(world.number(), json!(1));
    // Validators that were in force go with it.
    let (world, _) = filled(3);
    world.deploy(&wanted, 1).unwrap();
    assert!(world.try_insert(&json!({})).is_err());
    world.deploy(&wanted.unchecked(), 2).unwrap();
    world.insert(&json!({}));
    world.maintain();
    world.assert_indexes(1, 4);
}

/// A mutation that began under one deployment does not commit under another.
#[test]
fn a_mutation_in_whose_midst_a_deployment_comes_into_force_runs_again_under_it() {
    let within = Within::default();
    let begun = Arc::new(std::sync::Mutex::new(Vec::new()));
    let slow = |number: u32| {
        let (within, begun) = (within.clone(), begun.clone());
        functions(number).mutation("t:slow", move |tx, _| {
            begun.lock().unwrap().push(number);
            let id = tx.insert("t", br#"{"n":"text"}"#)?;
            if number == 1 {
                // The gate is free: it runs optimistically.
                let db = within.db();
                let wanted = indexes(&[("by_n", &["n"])]).documents(n_is("string")).schema();
                let mut prepared = db.prepare(wanted).expect("it can be prepared");
                while prepared.step(db).expect("all fit") {}
                let next = functions(2).mutation("t:slow", |tx, _| {
                    Ok(Value::from(tx.insert("t", br#"{"n":"of the second"}"#)?))
                });
                db.put_in_force(&prepared, Arc::new(next), "{}".into(), b"{}").expect("nothing hinders it");
            }
            Ok(Value::from(id))
        })
    };
    let world = World::new(slow(1));
    within.set(&world);
    let outcome = world.mutate("t:slow", &json!({}));
    value_of(&outcome.result);
    assert_eq!(*begun.lock().unwrap(), [1], "the first run was of the deployment before");
    let rows = world.rows(&whole(Some("by_n"))).unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["n"], "of the second");
    world.assert_indexes(1, 1);
    let stats = world.db.stats();
    assert_eq!((stats.conflicts, stats.mutation_runs, stats.commits), (1, 2, 1));
}

/// The same with a deployment that is only prepared: the mutation has to keep the new index.
#[test]
fn a_mutation_in_whose_midst_a_deployment_is_prepared_keeps_its_indexes() {
    let within = Within::default();
    let prepared = Arc::new(std::sync::Mutex::new(None));
    let slow = {
        let (within, prepared) = (within.clone(), prepared.clone());
        functions(1).mutation("t:slow", move |tx, _| {
            let id = tx.insert("t", br#"{"n":1}"#)?;
            let mut prepared = prepared.lock().unwrap();
            if prepared.is_none() {
                let mut begun = within.db().prepare(indexes(&[("by_n", &["n"])]).schema()).expect("prepared");
                while begun.step(within.db()).expect("all fit") {}
                *prepared = Some(begun);
            }
            Ok(Value::from(id))
        })
    };
    let world = World::new(slow);
    within.set(&world);
    value_of(&world.mutate("t:slow", &json!({})).result);
    assert_eq!(world.db.stats().conflicts, 1);
    world.put_in_force(&prepared.lock().unwrap().take().unwrap(), 2).unwrap();
    world.assert_holds_all("by_n");
    world.assert_indexes(1, 1);
}

#[test]
fn queries_at_older_snapshots_are_under_the_deployment_of_their_time() {
    let (world, ids) = filled(10);
    world.deploy(&indexes(&[("by", &["n"])]), 1).unwrap();
    let old = Arc::new(world.store.snapshot_sequenced());
    let mut prepared = world.prepare(&indexes(&[("by", &["k", "n"]), ("by_k", &["k"])]));
    let during = Arc::new(world.store.snapshot_sequenced());
    finish(&world, &mut prepared);
    world.put_in_force(&prepared, 2).unwrap();
    world.patch(&ids[9], &json!({ "n": -1, "k": "z" }));
    world.maintain();
    let number = |at: &Arc<weir_store::Snapshot>| {
        value_of(&world.db.query(&call("v:number", &json!({})), at.clone()).result)
    };
    let check = || {
        for snapshot in [&old, &during] {
            assert_eq!(number(snapshot), json!(1));
            let rows = world.rows_at(&whole(Some("by")), snapshot.clone()).unwrap();
            let found: Vec<&Json> = rows.iter().map(|row| &row["_id"]).collect();
            assert_eq!(found, ids.iter().map(|id| json!(id)).collect::<Vec<_>>().iter().collect::<Vec<_>>());
        }
        assert!(world.rows_at(&whole(Some("by_k")), old.clone()).unwrap_err().contains("IndexNotFound"));
        assert!(world.rows_at(&whole(Some("by_k")), during.clone()).unwrap_err().contains("IndexNotReady"));
    };
    check();
    // Also when the new one is durable and the old ones may be forgotten: these are read still.
    world.store.wait_durable(world.store.sequenced()).unwrap();
    world.db.forget_deployments_before(world.store.durable());
    check();
    world.maintain();
    check();
    assert_eq!(world.number(), json!(2));
    world.assert_sound();
}

#[test]
fn a_deployment_that_is_prepared_ends_the_one_before() {
    let (world, _) = filled(30);
    let strict = indexes(&[]).documents(n_is("number"));
    let mut first = world.prepare(&strict);
    finish(&world, &mut first);
    let mut second = world.prepare(&indexes(&[("by_n", &["n"])]));
    // Nobody checks any more whether what is written fits the first one.
    world.insert(&json!({ "n": "text" }));
    let is_superseded = |error: DeploymentError| matches!(error, DeploymentError::Superseded);
    assert!(is_superseded(first.step(&world.db).unwrap_err()));
    assert!(is_superseded(world.put_in_force(&first, 1).unwrap_err()));
    // And that the first one is given up is nothing to the second.
    world.db.abandon(first).unwrap();
    finish(&world, &mut second);
    world.put_in_force(&second, 2).unwrap();
    world.assert_holds_all("by_n");
    // One that is over cannot be put in force again.
    assert!(is_superseded(world.put_in_force(&second, 3).unwrap_err()));
    let abandoned = world.prepare(&strict);
    let other = world.prepare(&strict);
    world.db.abandon(other).unwrap();
    assert!(is_superseded(world.put_in_force(&abandoned, 3).unwrap_err()));
    world.maintain();
    world.assert_indexes(1, 31);
}

#[test]
fn what_an_abandoned_deployment_had_built_goes() {
    let (world, _) = filled(DOCUMENTS);
    world.deploy(&indexes(&[("by_k", &["k"])]), 1).unwrap();
    let wanted = indexes(&[("by_k", &["k"]), ("by_n", &["n"])]).staged(&[("later", &["k", "n"])]);
    let mut prepared = world.prepare(&wanted);
    finish(&world, &mut prepared);
    // The staged one is built to its end meanwhile.
    world.maintain();
    world.assert_indexes(3, 3 * u64::from(DOCUMENTS));
    world.db.abandon(prepared).unwrap();
    world.maintain();
    world.assert_indexes(1, u64::from(DOCUMENTS));
    // The same when it ends with its process, and the next deployment wants none of it.
    let mut prepared = world.prepare(&wanted);
    finish(&world, &mut prepared);
    world.maintain();
    drop(prepared);
    let again = world.reopen(functions(1));
    again.deploy(&indexes(&[("by_k", &["k"])]), 2).unwrap();
    again.maintain();
    again.assert_indexes(1, u64::from(DOCUMENTS));
}

#[test]
fn a_deployment_goes_on_where_another_process_has_stopped() {
    let (world, _) = filled(DOCUMENTS);
    let wanted = indexes(&[("by_n", &["n"]), ("by_k", &["k"])]);
    let mut prepared = world.prepare(&wanted);
    // One whole, the other in its midst.
    while prepared.progress().indexes[1].documents == 0 {
        assert!(prepared.step(&world.db).unwrap());
    }
    drop(prepared);
    let again = world.reopen(functions(0));
    assert!(again.not_readable("by_n").contains("IndexNotReady"));
    again.insert(&json!({ "n": 1 }));
    again.assert_sound();
    let mut prepared = again.prepare(&wanted);
    finish(&again, &mut prepared);
    let done: u64 = prepared.progress().indexes.iter().map(|work| work.documents).sum();
    assert!(done < 2 * u64::from(DOCUMENTS), "not from the beginning: {done}");
    again.put_in_force(&prepared, 1).unwrap();
    again.assert_holds_all("by_n");
    again.assert_holds_all("by_k");
    again.assert_indexes(2, 2 * (u64::from(DOCUMENTS) + 1));
}

#[test]
fn what_nobody_comes_back_for_is_dropped() {
    let (world, _) = filled(DOCUMENTS);
    world.deploy(&indexes(&[("by_k", &["k"])]), 1).unwrap();
    let wanted = indexes(&[("by_k", &["k"]), ("by_n", &["n"])]).staged(&[("later", &["k", "n"])]);
    let mut prepared = world.prepare(&wanted);
    assert!(!world.db.drop_abandoned_indexes().unwrap(), "the deployment is on its way");
    finish(&world, &mut prepared);
    // The staged one is whole, and nobody wants it any more than the other.
    world.maintain();
    drop(prepared);
    let again = world.reopen(functions(1));
    let mut prepared = again.prepare(&wanted);
    assert!(!again.db.drop_abandoned_indexes().unwrap(), "another one has come for them");
    finish(&again, &mut prepared);
    again.assert_indexes(3, 3 * u64::from(DOCUMENTS));
    drop(prepared);
    let again = again.reopen(functions(1));
    assert!(again.db.drop_abandoned_indexes().unwrap());
    assert!(again.not_readable("by_n").contains("IndexNotFound"), "no write keeps it any more");
    assert!(!again.db.drop_abandoned_indexes().unwrap(), "once is enough");
    again.maintain();
    again.assert_indexes(1, u64::from(DOCUMENTS));
    again.deploy(&wanted, 2).unwrap();
    again.maintain();
    assert!(!again.db.drop_abandoned_indexes().unwrap(), "all of them are wanted");
    again.assert_indexes(3, 3 * u64::from(DOCUMENTS));
}

#[test]
fn the_newest_deployments_are_remembered() {
    let world = world();
    for number in 0..103 {
        world.db.deploy(Schema::default(), Arc::new(functions(number))).unwrap();
    }
    assert!(world.assert_sound().tables["_deployments"] <= 101);
    assert_eq!(world.number(), json!(102));
}
