//! Cryptography with keys, as guests ask for it. What is computed is tested in `weir-crypto`.
mod support;

use std::time::{Duration, Instant};

use support::World;
use support::guests::{call as call_of, component_with_keys};
use weir_runtime::RuntimeOptions;

/// Where a text of [`guest`] lies, and its length.
macro_rules! at {
    ($name:literal) => {
        concat!("(global.get $", $name, ") (global.get $", $name, "_len)")
    };
}

const HMAC: &str = r#"{"name":"HMAC","hash":"SHA-256"}"#;
const RSA: &str = r#"{"name":"RSASSA-PKCS1-v1_5","hash":"SHA-256"}"#;
const NONSENSE: &str = r#"{"name":"HMAC","hash":"MD5"}"#;
const ED25519: &str = r#"{"name":"Ed25519"}"#;
const LARGE: &str = r#"{"name":"RSA","modulusLength":4096,"publicExponent":65537}"#;
const PBKDF2: &str = r#"{"name":"PBKDF2","hash":"SHA-256","iterations":1000000}"#;

/// A query that does this, with texts for it at `$hmac`, `$rsa`, `$nonsense`, `$ed25519`, `$pbkdf2` and `$large`.
fn guest(in_describe: &str, instructions: &str) -> Vec<u8> {
    let texts = [
        ("hmac", HMAC),
        ("rsa", RSA),
        ("nonsense", NONSENSE),
        ("ed25519", ED25519),
        ("pbkdf2", PBKDF2),
        ("large", LARGE),
    ];
    let texts: String = texts
        .iter()
        .enumerate()
        .map(|(i, (name, text))| {
            let (at, length, text) = (512 + 128 * i, text.len(), text.replace('"', "\\\""));
            format!(
                r#"(global ${name} i32 (i32.const {at})) (global ${name}_len i32 (i32.const {length}))
                   (data (i32.const {at}) "{text}")"#
            )
        })
        .collect();
    component_with_keys(&[("m:f", "query")], in_describe, &format!("{texts} {}", call_of(instructions)))
}

/// Signs the word "items" with the key "items".
fn sign_with(algorithm: &str) -> String {
    format!(
        "(call $sign {algorithm} (i32.const 256) (i32.const 5) (i32.const 256) (i32.const 5) (i32.const 64))"
    )
}

#[test]
fn a_guest_signs() {
    let check = "(if (i32.load8_u (i32.const 64)) (then (return (call $answer_string))))
      (if (i32.ne (i32.load (i32.const 72)) (i32.const 32)) (then unreachable))
      (if (i32.ne (i32.load (i32.load (i32.const 68))) (i32.const BEGINS)) (then unreachable))
      (call $ok (local.get $args) (local.get $args_len))";
    // printf items | openssl dgst -sha256 -hmac items
    let check = check.replace("BEGINS", &u32::from_le_bytes([0x95, 0x2f, 0x09, 0xa6]).to_string());
    let world = World::of(guest("", &(sign_with(at!("hmac")) + &check)));
    assert_eq!(world.ask("m:f", "{}").unwrap(), "{}");
}

#[test]
fn what_is_wrong_has_a_code() {
    for (algorithm, code) in [(at!("nonsense"), "UnsupportedAlgorithm"), (at!("ed25519"), "InvalidKey")] {
        let world = World::of(guest("", &(sign_with(algorithm) + "(call $answer_string)")));
        let error = world.ask("m:f", "{}").unwrap_err();
        assert!(error.message.contains(code), "{error}");
    }
}

#[test]
fn new_keys_are_others_each_time() {
    // The fourth byte from the end of the private key, which is the key's own.
    let make = concat!(
        "(call $generate_key ",
        at!("ed25519"),
        " (i32.const 64))
      (if (i32.load8_u (i32.const 64)) (then (return (call $answer_string))))
      (if (i32.load8_u (i32.const 68)) (then unreachable))
      (i32.store (i32.const 2048) (i32.or (i32.const 0x41414141) (i32.and (i32.const 0x0f0f0f0f)
        (i32.load (i32.add (i32.load (i32.const 72)) (i32.sub (i32.load (i32.const 76)) (i32.const 4)))))))
      (call $ok_string (i32.const 2048) (i32.const 4))"
    );
    let world = World::of(guest("", make));
    let made = [(); 3].map(|()| world.ask("m:f", "{}").unwrap());
    assert!(made[0] != made[1] || made[1] != made[2], "{made:?}");
}

#[test]
fn a_module_describes_itself_without_randomness() {
    let refused =
        |work: &str| format!("{work} (if (i32.eqz (i32.load8_u (i32.const 64))) (then unreachable))");
    let wants = [
        refused(concat!("(call $generate_key ", at!("ed25519"), " (i32.const 64))")),
        refused(&sign_with(at!("rsa"))),
        // What draws nothing is computed then too.
        sign_with(at!("hmac")) + "(if (i32.load8_u (i32.const 64)) (then unreachable))",
    ];
    let world = World::of(guest(&wants.concat(), "(call $ok (local.get $args) (local.get $args_len))"));
    assert!(world.ask("m:f", "{}").is_ok());
}

/// Thirty such keys take twenty seconds at the least, and a call has 50 ms.
#[test]
#[expect(clippy::disallowed_methods, reason = "a guest's time is real time")]
fn the_search_for_a_large_key_ends_with_the_calls_time() {
    let make =
        concat!("(loop $more (call $generate_key ", at!("large"), " (i32.const 64)) (br $more)) unreachable");
    let call_guest_time_max = Duration::from_millis(50);
    let world = World::with(RuntimeOptions {
        max_concurrent_calls: 1,
        call_guest_time_max,
        ..RuntimeOptions::default()
    });
    world.deploy(&[("m", guest("", make))]);
    let began = Instant::now();
    for _ in 0..30 {
        assert_eq!(world.ask("m:f", "{}").unwrap_err().code, "FunctionTimedOut");
    }
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
}

#[test]
fn it_is_the_guests_own_time() {
    let derive = concat!(
        "(loop $more (call $derive_bits ",
        at!("pbkdf2"),
        " (i32.const 256) (i32.const 5) (i32.const 256) (i32.const 5) (i32.const 0) (i32.const 0) (i32.const 32)
          (i32.const 64))
        (if (i32.load8_u (i32.const 64)) (then (return (call $answer_string))))
        (br $more))
      unreachable"
    );
    let call_guest_time_max = Duration::from_millis(200);
    let world = World::with(RuntimeOptions {
        max_concurrent_calls: 1,
        call_guest_time_max,
        ..RuntimeOptions::default()
    });
    world.deploy(&[("m", guest("", derive))]);
    let error = world.ask("m:f", "{}").unwrap_err();
    assert_eq!(error.code, "FunctionTimedOut", "{error}");
    assert!(error.message.contains("computed for longer"), "{error}");
}
