//! Passwords, random bytes and digests, as guests ask for them.
mod support;

use support::guests::{call as call_of, component_with_crypto};
use support::{World, call};
use weir_db::{MutationStep, PasswordResults, Teardown};
use weir_runtime::LoadError;

/// Logs, and gives the hash of the password at 512.
const HASH: &str = "(call $log (i32.const 2) (i32.const 512) (i32.const 8))
  (call $hash_password (i32.const 512) (i32.const 8) (i32.const 64))
  (call $answer_string)";

/// Verifies the password at 512 against the hash in the arguments, `{"h":"..."}`: 0 or 1, or the code of the error.
const VERIFY: &str = "(call $verify_password (i32.const 512) (i32.const 8)
    (i32.add (local.get $args) (i32.const 6)) (i32.sub (local.get $args_len) (i32.const 8)) (i32.const 64))
  (if (i32.load8_u (i32.const 64)) (then (return (call $answer_string))))
  (i32.store8 (i32.const 540) (i32.add (i32.const 48) (i32.load8_u (i32.const 68))))
  (call $ok (i32.const 540) (i32.const 1))";

fn guest(kind: &str, in_describe: &str, instructions: &str) -> Vec<u8> {
    let body = format!(r#"(data (i32.const 512) "password") {}"#, call_of(instructions));
    component_with_crypto(&[("m:f", kind)], in_describe, &body)
}

fn mutate(world: &World, args: &str) -> Result<String, String> {
    world.mutation("m:f", args).result.map(support::text).map_err(|error| error.message)
}

#[test]
fn a_guest_hashes_and_verifies() {
    let hash = mutate(&World::of(guest("mutation", "", HASH)), "{}").unwrap();
    assert!(hash.starts_with("\"$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
    let world = World::of(guest("mutation", "", VERIFY));
    assert_eq!(mutate(&world, &format!(r#"{{"h":{hash}}}"#)).unwrap(), "1");
    let other = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    assert_eq!(mutate(&world, &format!(r#"{{"h":"{other}"}}"#)).unwrap(), "0");
    assert!(mutate(&world, r#"{"h":"forged"}"#).unwrap_err().contains("InvalidPasswordHash"));
}

#[test]
fn a_guest_that_waits_is_over_and_runs_again() {
    let world = World::of(guest("mutation", "", HASH));
    let call = call("m:f", "{}");
    let mut passwords = PasswordResults::default();
    let MutationStep::Waits(work) =
        world.db.step_mutation(&call, None, &mut passwords, &mut Teardown::default())
    else {
        panic!("it does not wait")
    };
    passwords.add(work.run());
    let MutationStep::Ended(outcome) =
        world.db.step_mutation(&call, None, &mut passwords, &mut Teardown::default())
    else {
        panic!("it waits for what is known")
    };
    assert!(outcome.result.is_ok());
    assert_eq!(outcome.log_lines, ["[LOG] password"], "what the first run logged is gone with it");
}

#[test]
fn in_a_query_no_password_is_hashed() {
    let error = World::of(guest("query", "", HASH)).ask("m:f", "{}").unwrap_err();
    assert!(error.message.contains("ReadOnly"), "{error}");
}

#[test]
fn random_bytes_are_the_hosts() {
    let random = "(call $random_bytes (i32.const 4) (i32.const 64))
      (i32.store (i32.const 512) (i32.or (i32.const 0x41414141)
        (i32.and (i32.const 0x0f0f0f0f) (i32.load (i32.load (i32.const 68))))))
      (call $ok_string (i32.const 512) (i32.const 4))";
    let world = World::of(guest("query", "", random));
    let drawn = [(); 3].map(|()| world.ask("m:f", "{}").unwrap());
    assert!(drawn[0] != drawn[1] || drawn[1] != drawn[2], "{drawn:?}");
    let huge = "(call $random_bytes (i32.const -1) (i32.const 64)) (call $answer_string)";
    let error = World::of(guest("query", "", huge)).ask("m:f", "{}").unwrap_err();
    assert!(error.message.contains("TooManyRandomBytes"), "{error}");
}

/// The first four hexadecimal digits' worth of the digest of "password".
#[test]
fn a_digest_is_of_what_is_handed_over() {
    let digest = "(call $digest (i32.const 530) (i32.const 7) (i32.const 512) (i32.const 8) (i32.const 64))
      (if (i32.load8_u (i32.const 64)) (then (return (call $answer_string))))
      (if (i32.ne (i32.load (i32.const 72)) (i32.const 32)) (then unreachable))
      ;; 5e884898
      (if (i32.ne (i32.load (i32.load (i32.const 68))) (i32.const 0x9848885e)) (then unreachable))
      (call $ok (local.get $args) (local.get $args_len))";
    let of = |algorithm: &str| {
        let body = format!(
            r#"(data (i32.const 512) "password") (data (i32.const 530) "{algorithm}") {}"#,
            call_of(digest)
        );
        World::of(component_with_crypto(&[("m:f", "query")], "", &body)).ask("m:f", "{}")
    };
    assert_eq!(of("SHA-256").unwrap(), "{}");
    assert!(of("SHA-257").unwrap_err().message.contains("UnknownDigest"));
}

#[test]
fn a_module_describes_itself_without_secrets() {
    let wants = "(call $random_bytes (i32.const 4) (i32.const 64))
      (if (i32.eqz (i32.load8_u (i32.const 64))) (then unreachable))
      (call $hash_password (i32.const 512) (i32.const 8) (i32.const 64))
      (if (i32.eqz (i32.load8_u (i32.const 64))) (then unreachable))";
    let world = World::of(guest("mutation", wants, HASH));
    assert!(mutate(&world, "{}").is_ok());
    let trusting = "(call $random_bytes (i32.const 4) (i32.const 64))
      (if (i32.load8_u (i32.const 64)) (then unreachable))";
    let error = World::new().load(&[("m", guest("mutation", trusting, HASH))]).unwrap_err();
    assert!(matches!(error, LoadError::Describe { .. }), "{error}");
}
