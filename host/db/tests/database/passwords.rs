//! Mutations that hash and verify passwords: they wait between runs, and hold nothing meanwhile.
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use serde_json::{Value as Json, json};
use weir_db::native::NativeFunctions;
use weir_db::{MutationStep, PasswordResults, PasswordWork, SessionRequest, Teardown, digest};
use weir_value::Value;

use crate::world::{Within, World, basics, call, json as value_of, n_of, number, set_n, text};

/// Of "password", as fast as a hash may be.
const HASH: &str = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
/// Of "differentpassword".
const OTHER: &str = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$C4TWUs9rDEvq7w3+J4umqA32aWKB1+DSiRuBfYxFj94";

/// `p:hash {password}`, `p:verify {password, hash}`, `p:signIn {id, password}`, which verifies what stands in a document
/// and counts there how often it was right, and `p:set {id, hash}`.
fn functions() -> NativeFunctions {
    basics()
        .mutation("p:hash", |tx, args| Ok(Value::from(tx.hash_password(text(args, "password"))?)))
        .mutation("p:hashTwice", |tx, args| {
            let password = text(args, "password");
            let hashes = [tx.hash_password(password)?, tx.hash_password(password)?];
            Ok(Value::from(hashes.join(" ")))
        })
        .mutation("p:verify", |tx, args| {
            Ok(Value::from(tx.verify_password(text(args, "password"), text(args, "hash"))?))
        })
        .mutation("p:set", |tx, args| {
            let fields = json!({"hash": text(args, "hash")});
            Ok(tx.patch(None, text(args, "id"), fields.to_string().as_bytes()).map(|()| Value::Null)?)
        })
        .mutation("p:signIn", |tx, args| {
            let id = text(args, "id");
            let document = Value::from_json(&tx.get(None, id)?.expect("the document")).expect("JSON");
            let is_right = tx.verify_password(text(args, "password"), text(&document, "hash"))?;
            if is_right {
                let n = n_of(tx, id)?;
                set_n(tx, id, n + 1.0)?;
            }
            Ok(Value::from(is_right))
        })
        .query("p:verifyInQuery", |tx, args| {
            Ok(Value::from(tx.verify_password(text(args, "password"), text(args, "hash"))?))
        })
        .query("p:random", |tx, args| {
            Ok(Value::from(
                digest("SHA-256", &tx.random_bytes(number(args, "length") as usize)?)?.len() as f64
            ))
        })
}

fn user(world: &World) -> Json {
    let id = value_of(&world.mutate("t:insert", &json!({"n": 0})).result);
    value_of(&world.mutate("p:set", &json!({"id": id, "hash": HASH})).result);
    id
}

fn error_of(world: &World, path: &str, args: &Json) -> (String, String) {
    let error = world.mutate(path, args).result.expect_err("it fails");
    (error.code.to_string(), error.message)
}

#[test]
fn a_password_is_hashed_and_verified() {
    let world = World::new(functions());
    let hash = value_of(&world.mutate("p:hash", &json!({"password": "correct horse"})).result);
    assert!(hash.as_str().unwrap().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
    for (password, expected) in [("correct horse", true), ("correct horse ", false), ("Correct horse", false)]
    {
        let outcome = world.mutate("p:verify", &json!({"password": password, "hash": hash}));
        assert_eq!(value_of(&outcome.result), json!(expected), "{password}");
    }
    let twice = value_of(&world.mutate("p:hashTwice", &json!({"password": "correct horse"})).result);
    let (first, second) = twice.as_str().unwrap().split_once(' ').unwrap();
    assert_ne!(first, second, "each has a salt of its own");
    assert_eq!(world.db.stats().conflicts, 0);
}

#[test]
fn what_cannot_be_is_an_error_of_the_function() {
    let world = World::new(functions());
    let long = "x".repeat(1025);
    for (path, args, code, says) in [
        ("p:hash", json!({"password": ""}), "InvalidPassword", "has 0"),
        ("p:hash", json!({"password": long}), "InvalidPassword", "has 1025"),
        (
            "p:verify",
            json!({"password": "x", "hash": "secret"}),
            "InvalidPasswordHash",
            "does not begin with",
        ),
        (
            "p:verify",
            json!({"password": "x", "hash": HASH.replace("m=256", "m=4194304")}),
            "InvalidPasswordHash",
            "asks for more",
        ),
    ] {
        let (of_call, message) = error_of(&world, path, &args);
        assert_eq!(of_call, "ApplicationError");
        assert!(message.contains(code) && message.contains(says) && !message.contains("secret"), "{message}");
    }
    let args = json!({"password": "password", "hash": HASH});
    let error = world.query("p:verifyInQuery", &args).result.unwrap_err();
    assert!(error.message.contains("ReadOnly") && error.message.contains("make it a mutation"), "{error}");
}

fn waits(step: MutationStep) -> PasswordWork {
    match step {
        MutationStep::Waits(work) => work,
        MutationStep::Ended(outcome) => panic!("it does not wait: {outcome:?}"),
    }
}

#[test]
fn a_call_that_waits_sees_what_was_committed_meanwhile() {
    let world = World::new(functions());
    let id = user(&world);
    let sign_in = call("p:signIn", &json!({"id": id, "password": "password"}));
    let mut passwords = PasswordResults::default();
    let work = waits(world.db.step_mutation(&sign_in, None, &mut passwords, &mut Teardown::default()));
    // Neither the gate nor a snapshot is held: others commit, what it read too.
    value_of(&world.mutate("p:set", &json!({"id": id, "hash": OTHER})).result);
    passwords.add(work.run());
    let work = waits(world.db.step_mutation(&sign_in, None, &mut passwords, &mut Teardown::default()));
    passwords.add(work.run());
    match world.db.step_mutation(&sign_in, None, &mut passwords, &mut Teardown::default()) {
        MutationStep::Ended(outcome) => assert_eq!(value_of(&outcome.result), json!(false)),
        MutationStep::Waits(_) => panic!("both hashes are known"),
    }
    assert_eq!(world.db.stats().conflicts, 0);
    assert_eq!(value_of(&world.query("t:get", &json!({"id": id})).result), json!(0));
}

/// The run that is checked last meets a conflict, and its rerun, behind the gate, reads another hash: it must not be
/// computed there.
#[test]
fn a_serial_run_lets_go_of_the_gate_to_wait() {
    let within = Within::default();
    let runs = Arc::new(AtomicUsize::new(0));
    let functions = {
        let (within, runs) = (within.clone(), runs.clone());
        functions().mutation("p:disturbed", move |tx, args| {
            let id = text(args, "id");
            let document = Value::from_json(&tx.get(None, id)?.expect("the document")).expect("JSON");
            let is_right = tx.verify_password(text(args, "password"), text(&document, "hash"))?;
            if runs.fetch_add(1, SeqCst) == 0 {
                let outcome = within.db().mutation(&call("p:set", &json!({"id": id, "hash": OTHER})), None);
                assert!(outcome.result.is_ok());
            }
            let n = n_of(tx, id)?;
            set_n(tx, id, n + 1.0)?;
            Ok(Value::from(is_right))
        })
    };
    let world = World::new(functions);
    within.set(&world);
    let id = user(&world);
    let disturbed = call("p:disturbed", &json!({"id": id, "password": "password"}));
    let mut passwords = PasswordResults::default();
    let work = waits(world.db.step_mutation(&disturbed, None, &mut passwords, &mut Teardown::default()));
    passwords.add(work.run());
    let before = world.db.stats();
    let work = waits(world.db.step_mutation(&disturbed, None, &mut passwords, &mut Teardown::default()));
    let after = world.db.stats();
    assert_eq!((after.conflicts - before.conflicts, after.serial_runs - before.serial_runs), (1, 1));
    // The gate is free: this commits.
    value_of(&world.mutate("t:insert", &json!({"n": 0})).result);
    passwords.add(work.run());
    match world.db.step_mutation(&disturbed, None, &mut passwords, &mut Teardown::default()) {
        MutationStep::Ended(outcome) => assert_eq!(value_of(&outcome.result), json!(false)),
        MutationStep::Waits(_) => panic!("both hashes are known"),
    }
    assert_eq!(value_of(&world.query("t:get", &json!({"id": id})).result), json!(1));
}

#[test]
fn a_repetition_waits_for_nothing() {
    let world = World::new(functions());
    let id = user(&world);
    let sign_in = call("p:signIn", &json!({"id": id, "password": "password"}));
    let session = Some(SessionRequest { session: [7; 16], request: 1 });
    assert_eq!(value_of(&world.db.mutation(&sign_in, session).result), json!(true));
    match world.db.step_mutation(&sign_in, session, &mut PasswordResults::default(), &mut Teardown::default())
    {
        MutationStep::Ended(outcome) => assert!(outcome.replayed),
        MutationStep::Waits(_) => panic!("it was answered already"),
    }
    assert_eq!(value_of(&world.query("t:get", &json!({"id": id})).result), json!(1));
}

/// A waiting run is no failure, whatever the function makes of the error that ends it.
#[test]
fn a_function_cannot_go_on_without_what_it_waits_for() {
    let functions = functions().mutation("p:stubborn", |tx, _| {
        let first = tx.verify_password("password", HASH).is_ok();
        tx.insert("t", br#"{"n":1}"#)?;
        Ok(Value::from(first))
    });
    let world = World::new(functions);
    let failures = world.db.stats().failures;
    assert_eq!(value_of(&world.mutate("p:stubborn", &json!({})).result), json!(true));
    assert_eq!(world.db.stats().failures, failures);
    assert_eq!(world.db.stats().commits, 1);
}

#[test]
fn random_bytes_are_bounded_and_others_each_time() {
    let world = World::new(functions().query("p:bytes", |tx, _| {
        let (first, second) = (tx.random_bytes(32)?, tx.random_bytes(32)?);
        assert_ne!(first, second);
        assert!(tx.random_bytes(0)?.is_empty());
        Ok(Value::from(format!("{first:?}")))
    }));
    let bytes = || value_of(&world.query("p:bytes", &json!({})).result);
    assert_ne!(bytes(), bytes());
    assert_eq!(value_of(&world.query("p:random", &json!({"length": 65_536})).result), json!(32));
    let error = world.query("p:random", &json!({"length": 65_537})).result.unwrap_err();
    assert!(error.message.contains("TooManyRandomBytes") && error.message.contains("65537"), "{error}");
}

#[test]
fn digests_are_those_of_the_standard() {
    // FIPS 180-2, appendix B.1, C.1, D.1: of "abc".
    let hex = |bytes: Vec<u8>| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let cases = [
        ("SHA-256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        ("SHA-384", "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"),
        ("SHA-512", "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"),
    ];
    for (algorithm, begins) in cases {
        assert!(hex(digest(algorithm, b"abc").unwrap()).starts_with(begins), "{algorithm}");
    }
    for unknown in ["", "sha-256", "SHA256", "MD5"] {
        assert_eq!(digest(unknown, b"abc").unwrap_err().code.to_string(), "UnknownDigest", "{unknown}");
    }
}
