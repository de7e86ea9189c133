//! No call sees what another left in its memory, wherever that was, and every call sees what its module put there.
mod support;

use support::World;
use support::guests::hostile;

/// More than the number of times after which a memory's pages are given back to the kernel.
const CALLS: usize = 600;

/// Grows, checks every second page of 4 KiB against what it should be, and leaves a trace in each: 150 runs.
const LOOK_AND_WRITE: &str = r#"
    (if (i32.ne (memory.size) (i32.const 2)) (then unreachable))
    (if (i32.ne (memory.grow (i32.const 16)) (i32.const 2)) (then unreachable))
    (local.set $at (i32.const 40960))
    (loop $more
      (if (i32.ne
            (i32.load8_u (local.get $at))
            (select (i32.const 77) (i32.const 0) (i32.eq (local.get $at) (i32.const 65536))))
        (then unreachable))
      (i32.store8 (local.get $at) (i32.const 255))
      (local.set $at (i32.add (local.get $at) (i32.const 8192)))
      (br_if $more (i32.lt_u (local.get $at) (i32.const 1179648))))
    (call $ok (i32.const 512) (i32.const 4)))
    (data (i32.const 512) "true") (data DATA "M""#;

fn world(instructions: &str, data: &str) -> World {
    let world = World::new();
    world.deploy(&[("m", hostile(&instructions.replace("DATA", data)))]);
    world
}

#[test]
fn every_call_begins_as_the_module_says() {
    let world = world(LOOK_AND_WRITE, "(i32.const 65536)");
    for call in 0..CALLS {
        assert_eq!(world.ask("m:f", "{}").as_deref(), Ok("true"), "call {call}");
    }
}

#[test]
fn threads_do_not_see_each_other() {
    let world = world(LOOK_AND_WRITE, "(i32.const 65536)");
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..CALLS / 4 {
                    assert_eq!(world.ask("m:f", "{}").as_deref(), Ok("true"));
                }
            });
        }
    });
}

/// Where the data goes is computed: the component keeps it, and wasmtime copies it into each instance.
#[test]
fn a_module_that_keeps_its_data_begins_as_it_says_too() {
    let world = world(LOOK_AND_WRITE, "(i32.add (i32.const 65535) (i32.const 1))");
    for call in 0..CALLS / 4 {
        assert_eq!(world.ask("m:f", "{}").as_deref(), Ok("true"), "call {call}");
    }
}

#[test]
fn what_one_call_grew_another_cannot_reach() {
    let world = World::new();
    // With arguments of another length than `{}` it answers at once; here the first grows, the second looks.
    let look = "(drop (i32.load8_u (i32.const 131072))) unreachable";
    let grow = "(drop (memory.grow (i32.const 16))) (i32.store8 (i32.const 131072) (i32.const 1))
                (call $ok (i32.const 512) (i32.const 4))) (data (i32.const 512) \"true\"";
    let by_query = format!(
        "(if (i32.eq (i32.load8_u (i32.add (local.get $path) (i32.const 2))) (i32.const 0x67)) (then {look}))
         {grow}"
    );
    let functions = support::guests::manifest(&[("m:f", "query"), ("m:g", "query")]);
    world.deploy(&[("m", support::guests::component(&functions, &support::guests::call(&by_query)))]);
    for _ in 0..5 {
        assert_eq!(world.ask("m:f", "{}").as_deref(), Ok("true"));
        let error = world.ask("m:g", "{}").unwrap_err();
        assert!(error.message.contains("out of bounds memory access"), "{}", error.message);
    }
}
