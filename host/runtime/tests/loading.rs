//! What may be loaded, what is refused and how it is said, and what is kept on disk.
mod support;

use std::fs;
use std::path::{Path, PathBuf};

use support::World;
use support::guests::{component, core_module, encode, manifest, query};
use weir_db::{Deployment as _, Functions};
use weir_runtime::{LoadError, Runtime, RuntimeOptions};
use weir_value::limits::{DEPLOY_MODULES_MAX, MODULE_BYTES_MAX};
use wit_component::{StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

const ECHO: &str = "(call $ok (local.get $args) (local.get $args_len))";

/// A component for a world of its own, whose core module is this text.
fn component_of_world(wit: &str, module: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    let package = resolve.push_str("other.wit", wit).expect("the test's WIT");
    let world = resolve.select_world(&[package], None).expect("its world");
    let mut module = wat::parse_str(module).expect("the test's WebAssembly text");
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).expect("a core module");
    encode(&module)
}

/// A guest's exports, and one import besides.
fn with_import(import: &str) -> Vec<u8> {
    let wit = format!(
        "package test:other;
         world other {{
           import {import};
           export describe: func() -> list<u8>;
           export call: func(path: string, args: list<u8>) -> result<list<u8>, string>;
         }}
         package weir:guest@0.2.0 {{ interface db {{ ping: func(); }} }}
         package weir:guest@0.1.0 {{ interface vectors {{ ping: func(); }} interface log {{ ping: func(); }} }}
         package wasi:sockets@0.2.3 {{ interface network {{ ping: func(); }} }}
         package acme:secrets {{ interface keys {{ ping: func(); }} }}"
    );
    component_of_world(
        &wit,
        &format!(
            r#"(module (import "{import}" "ping" (func))
              (memory (export "memory") 1)
              (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) unreachable)
              (func (export "describe") (result i32) unreachable)
              (func (export "call") (param i32 i32 i32 i32) (result i32) unreachable))"#
        ),
    )
}

/// A component that exports these functions, all of which trap.
fn with_exports(exports: &str) -> Vec<u8> {
    let mut module = String::from(
        r#"(module (memory (export "memory") 1)
           (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) unreachable)"#,
    );
    for export in exports.split(';').map(str::trim).filter(|export| !export.is_empty()) {
        let name = export.split(':').next().unwrap().trim_start_matches("export ");
        let params = if export.contains("path") { "(param i32 i32 i32 i32)" } else { "" };
        module.push_str(&format!(r#"(func (export "{name}") {params} (result i32) (i32.const 0))"#));
    }
    component_of_world(&format!("package test:other; world other {{ {exports} }}"), &(module + ")"))
}

#[test]
fn what_is_no_guest_of_this_host_is_refused_by_name() {
    let good = query(ECHO);
    let cut = |bytes: usize| good[..bytes].to_vec();
    let mut altered = good.clone();
    let middle = altered.len() / 2;
    altered[middle..middle + 64].fill(0xff);
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("nothing", vec![], "it is empty"),
        ("a text", b"export function describe() {}".to_vec(), "does not begin with"),
        ("a core module", core_module("{}", ""), "core WebAssembly module"),
        ("half a preamble", cut(6), "unknown kind"),
        ("a preamble alone", cut(8), "does not export the function `describe`"),
        ("a truncated component", cut(good.len() / 2), "truncated"),
        ("a component without its last byte", cut(good.len() - 1), "truncated"),
        ("an altered component", altered, "damaged"),
        ("more than a module may have", vec![0; MODULE_BYTES_MAX + 1], "at most"),
        ("no exports", with_exports(""), "does not export the function `describe`"),
        (
            "no call",
            with_exports("export describe: func() -> list<u8>;"),
            "does not export the function `call`",
        ),
        (
            "exports of other types",
            with_exports(
                "export describe: func() -> u32; export call: func(path: string, args: string) -> u32;",
            ),
            "its export `call` is of another type",
        ),
        (
            "a failure of another type",
            with_exports(
                "export describe: func() -> list<u8>;
                 export call: func(path: string, args: list<u8>) -> result<list<u8>, string>;",
            ),
            "its export `call` is of another type",
        ),
        ("an unknown interface", with_import("acme:secrets/keys"), "imports `acme:secrets/keys`"),
        ("the network", with_import("wasi:sockets/network@0.2.3"), "imports `wasi:sockets/network@0.2.3`"),
        (
            "an interface to come",
            with_import("weir:guest/vectors@0.1.0"),
            "imports `weir:guest/vectors@0.1.0`",
        ),
        ("another version", with_import("weir:guest/db@0.2.0"), "built for `weir:guest/db@0.2.0`"),
        ("an unknown function", with_import("weir:guest/log@0.1.0"), "ping"),
        ("no manifest", component("nonsense", &support::guests::call("unreachable")), "wrong manifest"),
    ];
    let world = World::new();
    for (name, bytes, expected) in cases {
        let error = world.load(&[("good", good.clone()), ("bad", bytes)]).expect_err(name);
        let text = error.to_string();
        assert!(text.contains(expected), "{name}: {text}");
        assert!(text.contains("`bad`") && error.module() == Some("bad"), "{name}: {text}");
    }
    // And the host goes on.
    world.deploy(&[("good", good)]);
    assert_eq!(world.ask("m:f", r#"{"a":1}"#).unwrap(), r#"{"a":1}"#);
}

/// A module with one function, and a cron job that calls one.
fn with_cron_of(path: &str, kind: &str, called: &str) -> Vec<u8> {
    let cron = format!(
        r#"{{"name":"tick","schedule":{{"type":"interval","seconds":5}},"function":"{called}","args":[{{}}]}}"#
    );
    let manifest = manifest(&[(path, kind)]).replace("]}", &format!(r#"],"crons":[{cron}]}}"#));
    component(&manifest, &support::guests::call(ECHO))
}

#[test]
fn a_cron_job_calls_a_mutation_of_any_module() {
    let world = World::new();
    let other = |kind: &str| component(&manifest(&[("y:f", kind)]), &support::guests::call(ECHO));
    let caller = || with_cron_of("x:f", "mutation", "y:f");
    let loaded = world.load(&[("a", caller()), ("b", other("mutation"))]).unwrap();
    assert_eq!(loaded.crons()[0].function().to_string(), "y:f");
    let refused = |modules: &[(&str, Vec<u8>)]| format!("{:?}", world.load(modules).unwrap_err());
    assert!(refused(&[("a", caller())]).contains("no function `y:f` in the deployment"));
    assert!(refused(&[("b", other("query")), ("a", caller())]).contains("of the kind `query`"));
}

#[test]
fn cron_jobs_of_all_modules_have_names_of_their_own() {
    let world = World::new();
    let with_cron = |path: &str| with_cron_of(path, "mutation", path);
    let loaded = world.load(&[("a", with_cron("x:f"))]).unwrap();
    assert_eq!(
        (loaded.crons()[0].name(), loaded.crons()[0].function().to_string()),
        ("tick", "x:f".to_owned())
    );
    assert_eq!(loaded.manifest()["crons"][0]["args"], serde_json::json!([{}]));
    let error = world.load(&[("a", with_cron("x:f")), ("b", with_cron("y:f"))]).unwrap_err();
    assert!(error.to_string().contains("`a` and `b` both have a cron job `tick`"), "{error}");
}

#[test]
fn a_set_of_modules_is_held_against_the_rules() {
    let world = World::new();
    let module = |path: &str| component(&manifest(&[(path, "query")]), &support::guests::call(ECHO));

    let error = world.load(&[("a", module("x:f")), ("a", module("y:f"))]).unwrap_err();
    assert!(matches!(&error, LoadError::DuplicateModule { module } if module == "a"), "{error}");

    let error = world.load(&[("a", module("x:f")), ("b", module("x:f"))]).unwrap_err().to_string();
    assert!(error.contains("`a`") && error.contains("`b`") && error.contains("`x:f`"), "{error}");

    let names: Vec<_> = (0..=DEPLOY_MODULES_MAX).map(|number| number.to_string()).collect();
    let many: Vec<_> = names.iter().map(|name| (name.as_str(), Vec::new())).collect();
    assert!(matches!(world.load(&many).unwrap_err(), LoadError::TooMuch { .. }));

    // The modules' names stand in no path, and one module may serve several.
    let deployment = world.deploy(&[("a", module("x:f")), ("b", module("y:f"))]);
    let paths: Vec<_> = deployment.list().iter().map(|info| info.path.to_string()).collect();
    assert_eq!(paths, ["x:f", "y:f"]);
    assert_eq!(world.ask("y:f", r#"{"a":1}"#).unwrap(), r#"{"a":1}"#);
    assert_eq!(world.ask("a:f", "{}").unwrap_err().code, "FunctionNotFound");
    assert_eq!(deployment.modules()[1].name, "b");
    assert_eq!(deployment.manifest()["functions"][1]["path"], "y:f");

    world.deploy(&[]);
    assert_eq!(world.ask("x:f", "{}").unwrap_err().code, "FunctionNotFound");
}

fn options(dir: &Path) -> RuntimeOptions {
    RuntimeOptions {
        compiled_dir: Some(dir.to_owned()),
        max_concurrent_calls: 2,
        ..RuntimeOptions::default()
    }
}

/// A start of the host: a new engine, the same folder. How often it compiled and how often it did not need to.
fn start(dir: &Path, modules: &[(&str, Vec<u8>)]) -> (u64, u64) {
    let world = World::with(options(dir));
    world.deploy(modules);
    for (name, _) in modules {
        assert_eq!(world.ask(&format!("{name}:f"), r#"{"a":1}"#).unwrap(), r#"{"a":1}"#);
    }
    let stats = world.runtime.stats();
    assert_eq!(stats.compile_time.is_zero(), stats.compiles == 0);
    assert_eq!(stats.cached_load_time.is_zero(), stats.cached_loads == 0);
    (stats.compiles, stats.cached_loads)
}

fn files(dir: &Path) -> Vec<PathBuf> {
    fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn compiled_code_is_kept_and_used_by_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("made/on/demand");
    let module = |path: &str| component(&manifest(&[(path, "query")]), &support::guests::call(ECHO));
    let a = ("a", module("a:f"));
    let b = ("b", module("b:f"));
    assert_eq!(start(&dir, std::slice::from_ref(&a)), (1, 0));
    assert_eq!(start(&dir, std::slice::from_ref(&a)), (0, 1));
    assert_eq!(start(&dir, &[a, b]), (1, 1));
    assert_eq!(files(&dir).len(), 2);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&dir).unwrap().permissions().mode() & 0o777, 0o700);
    }
}

#[test]
fn damaged_code_is_compiled_again_and_never_run() {
    let dir = tempfile::tempdir().unwrap();
    let modules = [("m", query(ECHO))];
    start(dir.path(), &modules);
    let [path] = files(dir.path()).try_into().expect("one file");
    let sound = fs::read(&path).unwrap();
    let changed = |at: usize| {
        let mut bytes = sound.clone();
        bytes[at] ^= 0x20;
        bytes
    };
    let damages = [
        Vec::new(),
        sound[..sound.len() / 2].to_vec(),
        sound[..sound.len() - 1].to_vec(),
        changed(0),
        changed(sound.len() / 2),
        changed(sound.len() - 60),
        changed(sound.len() - 1),
        [&sound[..], b"more"].concat(),
        b"\x7fELF".repeat(1_000),
    ];
    for (number, damage) in damages.iter().enumerate() {
        fs::write(&path, damage).unwrap();
        assert_eq!(start(dir.path(), &modules), (1, 0), "damage {number}");
        assert_eq!(fs::read(&path).unwrap().len(), sound.len(), "damage {number} was repaired");
    }
    assert_eq!(start(dir.path(), &modules), (0, 1));
}

#[test]
fn what_other_engines_and_broken_writes_left_is_removed() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["0123-00112233.cwasm", "0123.7.tmp", "notes.txt"] {
        fs::write(dir.path().join(name), "x").unwrap();
    }
    let runtime = Runtime::new(options(dir.path())).unwrap();
    assert_eq!(files(dir.path()), [dir.path().join("notes.txt")]);
    drop(runtime);
}

#[test]
fn a_folder_that_takes_no_files_costs_a_compilation_only() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("compiled");
    let world = World::with(options(&folder));
    // Nothing can be written there any more.
    fs::remove_dir(&folder).unwrap();
    fs::write(&folder, "a file").unwrap();
    world.deploy(&[("m", query(ECHO))]);
    assert_eq!(world.ask("m:f", r#"{"a":1}"#).unwrap(), r#"{"a":1}"#);

    // Nor from the start: a file, or a place where nobody may make folders.
    for folder in [&folder, Path::new("/proc/compiled")] {
        assert_eq!(start(folder, &[("m", query(ECHO))]), (1, 0), "{}", folder.display());
    }
    // It is used as soon as it can be.
    let world = World::with(options(&folder));
    fs::remove_file(&folder).unwrap();
    world.deploy(&[("m", query(ECHO))]);
    assert_eq!(start(&folder, &[("m", query(ECHO))]), (0, 1));
}

#[test]
fn a_redeployment_maps_only_what_is_new_and_calls_that_run_keep_the_old() {
    let world = World::new();
    let module =
        |path: &str, body: &str| component(&manifest(&[(path, "query")]), &support::guests::call(body));
    let kept = ("kept", module("k:f", ECHO));
    let old = world.deploy(&[
        kept.clone(),
        ("changed", module("c:f", "(call $ok_string (i32.const 256) (i32.const 5))")),
    ]);
    assert_eq!(world.ask("c:f", "{}").unwrap(), r#""items""#);
    let new =
        world.deploy(&[kept, ("changed", module("c:f", "(call $ok_string (i32.const 256) (i32.const 4))"))]);
    assert_eq!(world.ask("c:f", "{}").unwrap(), r#""item""#);
    let stats = world.runtime.stats();
    assert_eq!((stats.compiles, stats.shared_loads), (3, 1));
    assert_eq!(old.list().len(), new.list().len());
}

/// The bytes of this process that are mapped from files of this folder.
#[cfg(target_os = "linux")]
fn mapped_bytes(dir: &Path) -> u64 {
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let of_dir = maps.lines().filter(|line| line.contains(dir.to_str().unwrap()));
    of_dir
        .map(|line| {
            let (start, end) = line.split(' ').next().unwrap().split_once('-').unwrap();
            u64::from_str_radix(end, 16).unwrap() - u64::from_str_radix(start, 16).unwrap()
        })
        .sum()
}

#[cfg(target_os = "linux")]
#[test]
fn the_code_of_an_old_deployment_is_unmapped() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::with(options(dir.path()));
    let mut one = 0;
    for number in 0..5 {
        world.deploy(&[("m", query(&format!("(drop (i32.const {number})) {ECHO}")))]);
        assert_eq!(world.ask("m:f", r#"{"a":1}"#).unwrap(), r#"{"a":1}"#);
        let mapped = mapped_bytes(dir.path());
        assert!(mapped > 0);
        one = if number == 0 { mapped } else { one };
        assert!(mapped <= one + 4096, "{number} redeployments: {mapped} bytes are mapped, {one} at first");
    }
    world.deploy(&[]);
    assert_eq!(mapped_bytes(dir.path()), 0);
}
