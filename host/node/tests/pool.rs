//! The pool with a real Node, on bundles that are written by hand, and with limits that can be reached.
#![expect(clippy::disallowed_methods, reason = "tests own no Env")]

mod support;

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};
use support::{World, is_alive, wait_until};
use weir_node::{NodeBinary, NodeError, NodeFigures};
use weir_value::ErrorCode;

#[test]
fn a_child_serves_calls_of_its_bundle_until_it_is_idle() {
    let world = World::with(|options| options.idle_time_max = Duration::from_millis(300));
    let first = world.ask("pid", json!({})).unwrap();
    assert_eq!(world.ask("pid", json!({})).unwrap(), first, "the child is used again");
    let pid = first.as_u64().unwrap();
    assert!(is_alive(pid));
    wait_until("the child that nobody calls is ended", || !is_alive(pid) && world.pool.idle_children() == 0);
    assert_ne!(world.ask("pid", json!({})).unwrap(), first);
}

#[test]
fn a_child_is_ended_after_many_calls_and_when_its_variables_change() {
    let world = World::with(|options| options.calls_max = 2);
    let pids: Vec<_> = (0..4).map(|_| world.ask("pid", json!({})).unwrap()).collect();
    assert!(pids[0] == pids[1] && pids[1] != pids[2] && pids[2] == pids[3], "{pids:?}");

    let world = World::new();
    world.set_variable("GREETING", "hello");
    let environment = world.ask("environment", json!({})).unwrap();
    assert_eq!(environment, json!({ "NODE_ENV": "production", "TZ": "UTC", "GREETING": "hello" }));
    let before = world.ask("pid", json!({})).unwrap();
    world.set_variable("GREETING", "good bye");
    assert_eq!(world.ask("environment", json!({})).unwrap()["GREETING"], "good bye");
    assert_ne!(world.ask("pid", json!({})).unwrap(), before);
}

#[test]
fn what_computes_for_too_long_is_killed_and_others_are_served_meanwhile() {
    let world = World::with(|options| options.computing_time_max = Duration::from_millis(700));
    let pid = world.ask("pid", json!({})).unwrap().as_u64().unwrap();
    let began = Instant::now();
    let (looped, others) = world.both("loop", json!({}), "pid", json!({}));
    assert_eq!(looped.code, ErrorCode::FunctionTimedOut);
    assert!(looped.message.contains("computed for longer than 0.7 s"), "{}", looped.message);
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    assert!(others.is_ok(), "{others:?}");
    wait_until("its process is gone", || !is_alive(pid));
    // One that waits computes nothing.
    assert_eq!(world.ask("sleep", json!({ "milliseconds": 1500 })).unwrap(), json!("slept"));
}

#[test]
fn an_action_that_is_given_up_ends_with_its_process() {
    let world = World::new();
    let pid = world.ask("pid", json!({})).unwrap().as_u64().unwrap();
    world.give_up_after("loop", json!({}), Duration::from_millis(300));
    wait_until("its process is gone", || !is_alive(pid));
    assert!(world.ask("pid", json!({})).is_ok());
}

#[test]
fn children_end_with_the_pool() {
    let world = World::new();
    let pid = world.ask("pid", json!({})).unwrap().as_u64().unwrap();
    assert!(is_alive(pid));
    drop(world);
    wait_until("its process is gone", || !is_alive(pid));
}

#[test]
fn memory_is_bounded_on_the_heap_and_off_it() {
    let world = World::with(|options| options.memory_bytes_max = 192 << 20);
    for how in ["heap", "buffers"] {
        let error = world.ask(how, json!({})).unwrap_err();
        assert_eq!(error.code, ErrorCode::OutOfMemory, "{how}: {}", error.message);
        assert!(error.message.contains("192 MiB"), "{}", error.message);
    }
    assert!(world.ask("pid", json!({})).is_ok());
}

#[test]
fn results_are_bounded() {
    let world = World::with(|options| options.result_bytes_max = 1000);
    assert_eq!(world.ask("text", json!({ "length": 998 })).unwrap().as_str().unwrap().len(), 998);
    let error = world.ask("text", json!({ "length": 999 })).unwrap_err();
    assert_eq!(error.code, ErrorCode::ResultTooLarge, "{}", error.message);
    // One that says so itself, past our own script.
    let error = world.ask("forgedResult", json!({ "length": 1001 })).unwrap_err();
    assert_eq!(error.code, ErrorCode::ResultTooLarge, "{}", error.message);
}

#[test]
fn calls_wait_for_a_place_in_turn() {
    let world = World::with(|options| options.processes_max = 1);
    let began = Instant::now();
    let (first, second) = world.both_ok("sleep", json!({ "milliseconds": 400 }));
    assert_eq!([first, second], [json!("slept"), json!("slept")]);
    assert!(began.elapsed() >= Duration::from_millis(800), "{:?}", began.elapsed());
}

#[test]
fn figures_tell_what_the_pool_does_and_has_done() {
    let world = World::with(|options| {
        options.processes_max = 1;
        // Long enough for a heap to be filled first, on a busy machine too.
        options.computing_time_max = Duration::from_secs(4);
        options.memory_bytes_max = 192 << 20;
    });
    let figures = || world.pool.figures();
    assert_eq!(figures(), NodeFigures::default());
    assert!(world.ask("pid", json!({})).is_ok());
    let idle = NodeFigures { processes: 1, started_total: 1, calls_total: 1, ..NodeFigures::default() };
    wait_until("the place is free again", || figures().busy == 0);
    assert_eq!(figures(), idle);
    let running = [1, 2, 3].map(|_| world.begin("sleep", json!({ "milliseconds": 300 })));
    wait_until("one works, and two wait", || figures() == NodeFigures { busy: 1, waiting: 2, ..idle });
    wait_until("all have ended", || figures() == NodeFigures { calls_total: 4, ..idle });
    drop(running);
    // One that waits for another has no place, and its child is there.
    assert_eq!(world.ask("nest", json!({ "depth": 1 })).unwrap(), json!(1));
    assert_eq!((figures().started_total, figures().calls_total), (2, 6));
    assert!(world.ask("exit", json!({})).is_err());
    assert!(world.ask("loop", json!({})).is_err());
    assert!(world.ask("heap", json!({})).is_err());
    wait_until("no child is left of those that failed", || figures().processes == 0);
    let expected = NodeFigures {
        started_total: 4,
        calls_total: 9,
        failures_total: 3,
        timeouts_total: 1,
        out_of_memory_total: 1,
        ..NodeFigures::default()
    };
    assert_eq!(figures(), expected);
    // One that is given up has no end, and holds nothing.
    world.give_up_after("loop", json!({}), Duration::from_millis(300));
    wait_until("its child is gone", || figures().processes + figures().busy == 0);
    assert_eq!(figures(), NodeFigures { started_total: 5, ..expected });
}

#[test]
fn actions_that_call_actions_hold_no_place_while_they_wait() {
    let world = World::with(|options| options.processes_max = 1);
    assert_eq!(world.ask("nest", json!({ "depth": 3 })).unwrap(), json!(3));
    let error = world.ask("nest", json!({ "depth": 4 })).unwrap_err();
    assert!(error.message.contains("TooManyActions") && error.message.contains("there are 4"), "{error:?}");
    assert_eq!(world.ask("nest", json!({ "depth": 3 })).unwrap(), json!(3), "all are free again");
}

#[test]
fn what_a_child_does_to_its_pipe_costs_its_own_call_alone() {
    let world = World::new();
    let cases = [
        ("garbage", "wrote to the host's pipe itself"),
        ("announced", "wrote to the host's pipe itself"),
        ("ready", "ready a second time"),
        ("closed", "closed the pipe"),
        ("exit", "exit code 3"),
        ("kill", "signal 9"),
        ("rejection", "a promise was rejected, and nothing in the action waited for it: left alone"),
        ("timer", "an error was thrown that nothing caught: from a timer"),
        ("never", "nothing under way"),
    ];
    for (how, expected) in cases {
        let error = world.ask(how, json!({})).unwrap_err();
        assert!(error.message.contains(expected), "{how}: {}", error.message);
        assert!(world.ask("pid", json!({})).is_ok(), "after {how}");
    }
    // What is of another call is no answer, and a question that is none is refused.
    assert_eq!(world.ask("stale", json!({})).unwrap(), json!("the true one"));
    let refused = world.ask("nonsense", json!({})).unwrap();
    assert!(refused.as_str().unwrap().contains("nothing that a host is asked"), "{refused}");
}

#[test]
fn what_is_left_under_way_ends_the_child() {
    let world = World::new();
    let loose = world.ask("loose", json!({})).unwrap().as_u64().unwrap();
    wait_until("a child with loose ends is ended", || !is_alive(loose));
}

#[test]
fn a_child_that_died_between_two_calls_is_replaced() {
    let world = World::new();
    let pid = world.ask("pid", json!({})).unwrap().as_u64().unwrap();
    support::kill(pid);
    wait_until("it is gone", || !is_alive(pid));
    std::thread::sleep(Duration::from_millis(100));
    assert_ne!(world.ask("pid", json!({})).unwrap(), json!(pid));
}

#[test]
fn what_is_printed_is_logged_in_order() {
    let world = World::new();
    let lines = world.lines("print", json!({}));
    assert_eq!(lines, ["[LOG] one { a: 1 }", "[LOG] two", "[ERROR] three", "[WARN] four"]);
    // Past JavaScript, where there is no order.
    let mut lines = world.lines("printRaw", json!({}));
    lines.sort();
    assert_eq!(lines, ["[ERROR] to two", "[LOG] to one"]);
}

#[test]
fn nothing_is_opened_where_no_rules_are() {
    let world = World::new();
    let connect = |address: &str| world.ask("connect", json!({ "address": address })).unwrap();
    for address in ["1.1.1.1", "::1", "2606:4700::1111", "127.0.0.1"] {
        assert_eq!(connect(address), json!("AddressRefused"), "{address}");
    }
}

#[test]
fn addresses_are_looked_at_as_the_host_does() {
    let open = ["printer.lan", "192.168.1.0/24", "fd00::/64"];
    let rules = weir_outbound::Rules::parse(&open).unwrap();
    let world = World::new();
    world.set_rules(rules.to_json());
    let addresses = [
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "127.0.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "172.32.0.1",
        "192.168.1.9",
        "192.168.2.1",
        "198.18.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "1.1.1.1",
        "8.8.8.8",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:192.168.1.9",
        "::ffff:a9fe:a9fe",
        "::ffff:8.8.8.8",
        "64:ff9b::7f00:1",
        "64:ff9b::808:808",
        "64:ff9b:1::1",
        "2002:7f00:1::",
        "2002:808:808::1",
        "2001:0:4136:e378::",
        "2001:db8::1",
        "3fff::1",
        "100::1",
        "fc00::1",
        "fd00::1",
        "fd00:0:0:1::1",
        "fe80::1",
        "ff02::1",
        "2606:4700::1111",
        "2a00:1450:4001::1",
    ];
    let asked = world.ask("opens", json!({ "addresses": &addresses[..] })).unwrap();
    for (address, found) in addresses.iter().zip(asked.as_array().unwrap()) {
        assert_eq!(*found, json!(rules.opens_address(address.parse().unwrap())), "{address}");
    }
}

#[test]
fn what_is_not_node_is_refused_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let find = |path: &Path| NodeBinary::find(path).unwrap_err();
    let missing = find(&folder.path().join("node"));
    assert!(matches!(missing, NodeError::DoesNotRun { .. }), "{missing}");
    assert!(missing.to_string().contains("give the path of a `node`"), "{missing}");
    let script = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        path
    };
    assert!(matches!(find(Path::new("/bin/true")), NodeError::NotNode { .. }));
    assert!(matches!(find(Path::new("/bin/false")), NodeError::NotNode { .. }));
    assert!(matches!(find(folder.path()), NodeError::DoesNotRun { .. }));
    let old = r#"{"version":"v18.1.0","execPath":"/x","permission":null,"restrictsNetwork":false}"#;
    let old = find(&script("old", &format!("#!/bin/sh\necho '{old}'\n")));
    assert!(old.to_string().contains("is Node 18.1.0; install Node 20.19"), "{old}");
    let found = NodeBinary::find(&support::node()).unwrap();
    assert!(found.version().starts_with(|digit: char| digit.is_ascii_digit()));
}

#[test]
fn a_folder_that_cannot_be_written_is_told_to_the_operator() {
    let world = World::with(|options| {
        std::fs::write(&options.folder, "a file").unwrap();
        options.folder = options.folder.join("in it");
    });
    let error: Json = json!(world.ask("pid", json!({})).unwrap_err().code.as_str());
    assert_eq!(error, json!("InternalServerError"));
}

#[test]
fn an_action_knows_its_component_and_asks_for_handles() {
    let world = World::new();
    let of = |name: &str, component: &str| json!({ "name": name, "componentPath": component });
    assert_eq!(world.ask("metadata", json!({})).unwrap(), of("a:metadata", ""));
    let within = world.ask("waitlist/mail;a:metadata", json!({})).unwrap();
    assert_eq!(within, of("a:metadata", "waitlist/mail"));

    // A function that has gone, and one that a handle was made of in another component.
    let gone = world.ask("handle", json!({ "address": { "name": "lib:gone" } })).unwrap();
    assert_eq!(gone, "There is no function `lib:gone` in this deployment.");
    let handle = world.ask("waitlist;a:handle", json!({ "address": { "name": "a.js:metadata" } })).unwrap();
    assert!(handle.as_str().unwrap().starts_with("function://"), "{handle}");
    let address = json!({ "address": { "functionHandle": handle } });
    for caller in ["call", "waitlist;a:call", "elsewhere;a:call"] {
        assert_eq!(world.ask(caller, address.clone()).unwrap(), of("a:metadata", "waitlist"), "{caller}");
    }
    let child = json!({ "address": { "reference": "_reference/childComponent/mail/a/metadata" } });
    assert_eq!(world.ask("waitlist;a:call", child).unwrap(), of("a:metadata", "waitlist/mail"));
}
