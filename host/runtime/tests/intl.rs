//! `weir:guest/intl`, as guests ask for it.
mod support;

use support::World;
use support::guests::{call as call_of, component_with_intl};

/// Runs the operation at 512 (of 16 bytes) with the options at 528 (of 2 bytes) on the arguments: what it gives as a
/// string, or its error's code.
const RUN: &str = "(call $intl_run (i32.const 512) (i32.const 16) (i32.const 528) (i32.const 2)
    (local.get $args) (local.get $args_len) (i32.const 64))
  (call $answer_string)";

fn guest(text: &str, in_describe: &str, instructions: &str) -> Vec<u8> {
    let text = text.replace('"', "\\\"");
    let body = format!(r#"(data (i32.const 512) "{text}") {}"#, call_of(instructions));
    component_with_intl(&[("m:f", "query")], in_describe, &body)
}

fn ask(world: &World, args: &str) -> Result<String, String> {
    world.ask("m:f", args).map_err(|error| error.message)
}

#[test]
fn a_guest_is_answered_in_a_call_and_while_it_describes_itself() {
    // Of the manifest's first bytes; what it gives is not looked at.
    let in_describe = "(call $intl_run (i32.const 512) (i32.const 10) (i32.const 528) (i32.const 2)
        (i32.const 4096) (i32.const 8) (i32.const 64))
      (if (i32.load8_u (i32.const 64)) (then unreachable))";
    let instructions = "(call $intl_run (i32.const 512) (i32.const 10) (i32.const 528) (i32.const 2)
        (local.get $args) (local.get $args_len) (i32.const 64))
      (if (i32.load8_u (i32.const 64)) (then unreachable))
      (call $ok (i32.load (i32.const 68)) (i32.load (i32.const 72)))";
    // In Turkish the letter i has a dot in capitals.
    let world = World::of(guest("text.upper      tr", in_describe, instructions));
    assert_eq!(ask(&world, r#"{"x":"i"}"#).unwrap(), r#"{"X":"İ"}"#);
}

#[test]
fn what_is_wrong_has_a_code() {
    let unknown = World::of(guest("number.nothing..{}", "", RUN));
    assert!(ask(&unknown, "{}").unwrap_err().contains("IntlTypeError"));
    let granularity =
        World::of(guest("text.segments   xx", "", &RUN.replace("(i32.const 16)", "(i32.const 13)")));
    assert!(ask(&granularity, "{}").unwrap_err().contains("IntlRangeError"));
    let long = format!(r#"{{"i":"{}"}}"#, "i".repeat(1 << 20));
    let upper = World::of(guest("text.upper      tr", "", &RUN.replace("(i32.const 16)", "(i32.const 10)")));
    assert!(ask(&upper, &long).unwrap_err().contains("IntlRangeError"));
}

#[test]
fn a_call_cannot_ask_for_ever() {
    let instructions = "(loop $again
        (call $intl_compare (i32.const 512) (i32.const 15) (i32.const 512) (i32.const 3) (i32.const 520) (i32.const 3)
          (i32.const 64))
        (br_if $again (i32.eqz (i32.load8_u (i32.const 64)))))
      unreachable";
    let world = World::of(guest(r#"{"locale":"en"}"#, "", instructions));
    let error = world.ask("m:f", "{}").unwrap_err();
    assert!(["TooManyHostCalls", "FunctionTimedOut"].contains(&error.code.as_str()), "{error}");
}
