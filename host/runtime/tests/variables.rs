//! Variables as guests read them: in a call, and while they describe themselves.
mod support;

use std::collections::BTreeMap;

use support::World;
use support::guests::{call, component_with_variables, manifest};
use weir_db::{MissingFunctions, VariableChanges, Variables};
use weir_runtime::{LoadError, ModuleSource};

/// Gives the variable whose name stands at 512 as a JSON string, or `null`.
const GET: &str = "(call $get_variable (i32.const 512) (i32.const 1) (i32.const 64))
  (if (i32.eqz (i32.load8_u (i32.const 64))) (then (return (call $ok (i32.const 520) (i32.const 4)))))
  (call $ok_string (i32.load (i32.const 68)) (i32.load (i32.const 72)))";

/// Gives how many variables there are, a digit.
const COUNT: &str = "(call $variable_names (i32.const 64))
  (i32.store8 (i32.const 528) (i32.add (i32.const 48) (i32.load (i32.const 68))))
  (call $ok (i32.const 528) (i32.const 1))";

fn guest(in_describe: &str, instructions: &str) -> Vec<u8> {
    let data = r#"(data (i32.const 512) "A") (data (i32.const 520) "null")"#;
    let body = format!("{data} {}", call(instructions));
    component_with_variables(&manifest(&[("m:f", "query")]), in_describe, &body)
}

fn set(world: &World, changes: &[(&str, Option<&str>)]) {
    let owned = changes.iter().map(|(name, value)| ((*name).to_owned(), value.map(str::to_owned)));
    world.db.set_variables(&VariableChanges::new(owned).unwrap()).unwrap();
}

fn variables(of: &[(&str, &str)]) -> Variables {
    let owned = of.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Variables::of(owned.collect::<BTreeMap<_, _>>())
}

#[test]
fn a_call_reads_the_variables_of_its_snapshot() {
    let world = World::of(guest("", GET));
    assert_eq!(world.ask("m:f", "{}").unwrap(), "null");
    set(&world, &[("A", Some("one")), ("B", Some("two"))]);
    assert_eq!(world.ask("m:f", "{}").unwrap(), r#""one""#);
    set(&world, &[("A", Some(""))]);
    assert_eq!(world.ask("m:f", "{}").unwrap(), r#""""#);
    set(&world, &[("A", None)]);
    let outcome = world.query("m:f", "{}");
    assert_eq!(outcome.result.unwrap(), "null");
    assert_eq!(outcome.read_set.points().len(), 1, "also what is absent was read");
}

#[test]
fn the_names_are_those_of_all_variables() {
    let world = World::of(guest("", COUNT));
    assert_eq!(world.ask("m:f", "{}").unwrap(), "0");
    set(&world, &[("A", Some("1")), ("B", Some("2"))]);
    assert_eq!(world.ask("m:f", "{}").unwrap(), "2");
}

#[test]
fn reads_of_variables_are_calls_of_the_host_and_no_others() {
    let forever = format!(
        "(loop $again (call $get_variable (i32.const 512) (i32.const 1) (i32.const 64)) (br $again)) {GET}"
    );
    let error = World::of(guest("", &forever)).ask("m:f", "{}").unwrap_err();
    assert_eq!(error.code, "TooManyHostCalls");
}

/// The guest traps where `A` is absent, or not as long as it should be.
const WANTS_A: &str = "(call $get_variable (i32.const 512) (i32.const 1) (i32.const 64))
  (if (i32.ne (i32.load (i32.const 72)) (i32.const 5)) (then unreachable))";

#[test]
fn a_module_describes_itself_with_the_variables_of_the_deployment() {
    let world = World::new();
    let module = ModuleSource { name: "m".to_owned(), component: guest(WANTS_A, GET).into() };
    let load = |of: &[(&str, &str)]| {
        world.runtime.load_beside(std::slice::from_ref(&module), MissingFunctions::default(), &variables(of))
    };
    let error = load(&[("B", "right")]).unwrap_err();
    assert!(matches!(error, LoadError::Describe { .. }), "{error}");
    let loaded = load(&[("A", "right"), ("B", "1")]).unwrap();
    let reads = loaded.variable_reads();
    assert!(!reads.agree(&variables(&[("A", "right")]), &variables(&[("A", "left")])));
    assert!(reads.agree(&variables(&[("A", "right"), ("B", "1")]), &variables(&[("A", "right")])));
    let compiled = world.runtime.stats();
    let shared = load(&[("A", "right"), ("B", "2")]).unwrap();
    assert_eq!(
        world.runtime.stats().shared_loads,
        compiled.shared_loads + 1,
        "another variable is none of its business"
    );
    assert!(load(&[("A", "wrong length")]).is_err(), "it is asked again, although it is loaded");
    drop((loaded, shared));
}

#[test]
fn a_module_that_asks_for_all_names_depends_on_all_variables() {
    let world = World::new();
    let component = guest("(call $variable_names (i32.const 64))", GET).into();
    let module = ModuleSource { name: "m".to_owned(), component };
    let loaded = world.runtime.load(&[module]).unwrap();
    assert!(!loaded.variable_reads().agree(&variables(&[]), &variables(&[("Z", "1")])));
}
