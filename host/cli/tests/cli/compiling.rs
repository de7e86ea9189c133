//! The process that compiles, with the limits that it sets itself, and what it makes.

use std::fs;
use std::io::Read;
use std::process::{Command, Stdio};
use std::time::Duration;

use weir_runtime::{Artefact, compile, framed};
use weir_subprocess::{Cancellation, Failure, Limits, Subprocess};
use weir_test_support::heavy;

const MIB: u64 = 1 << 20;

/// Nothing here takes as long.
const LIMITS: Limits = Limits {
    time_max: Duration::from_secs(100),
    memory_bytes_max: 1024 * MIB,
    output_bytes_max: 256 * MIB,
    threads: 1,
};

fn run(kind: &str, input: &[u8], limits: Limits) -> Result<Vec<u8>, Failure> {
    let subprocess = Subprocess::new(env!("CARGO_BIN_EXE_host").into(), &["subprocess"], limits);
    let mut output = Vec::new();
    subprocess.run(kind, &[input], &Cancellation::default())?.read_to_end(&mut output)?;
    Ok(output)
}

#[test]
fn it_makes_what_this_process_would() {
    let module = heavy::module(20_000);
    let made = run(Artefact::Module.name(), &module, LIMITS).unwrap();
    assert_eq!(made, compile(Artefact::Module, &module).unwrap());
    let component = heavy::with_module(b"\0asm\x0d\0\x01\0", &module);
    let made = run(Artefact::Component.name(), &component, LIMITS).unwrap();
    assert_eq!(made, compile(Artefact::Component, &component).unwrap());
    // It also makes components ones that can set themselves back, where they can have that.
    let parts = |component: &[u8]| [&framed(&[component]), component].concat();
    let resettable = Artefact::ResettableComponent;
    let made_resettable = run(resettable.name(), &parts(&component), LIMITS).unwrap();
    assert_eq!(made_resettable, compile(resettable, &parts(&component)).unwrap());
    assert_ne!(made_resettable, made);
}

#[test]
fn what_it_cannot_compile_it_refuses() {
    let module = heavy::module(20_000);
    for (kind, input, expected) in [
        ("module", &module[..10_000], "unexpected end"),
        ("component", b"", "unexpected end"),
        ("resettable-component", b"", "cut off"),
        ("resettable-component", b"\0\0\0\0", "nothing was sent"),
        ("snapshot", b"", "cut off"),
        ("poem", b"", "`poem` is no kind of work"),
    ] {
        let failure = run(kind, input, LIMITS).unwrap_err();
        assert!(matches!(&failure, Failure::Refused(reason) if reason.contains(expected)), "{failure:?}");
    }
    // Components within components, as deep as somebody likes: whatever becomes of the process.
    let mut nested = b"\0asm\x0d\0\x01\0".to_vec();
    for _ in 0..20_000 {
        nested = [&b"\0asm\x0d\0\x01\0\x04"[..], &leb128(nested.len()), &nested].concat();
    }
    let framed_nested = [&framed(&[&nested]), &nested[..]].concat();
    for (kind, input) in [("component", &nested), ("resettable-component", &framed_nested)] {
        let failure = run(kind, input, Limits { memory_bytes_max: 256 * MIB, ..LIMITS }).unwrap_err();
        assert!(
            matches!(failure, Failure::Refused(_) | Failure::Memory(_) | Failure::Died(_)),
            "{failure:?}"
        );
    }
}

fn leb128(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number > 0x7f {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

#[test]
fn its_limits_hold() {
    let large = heavy::module(2 << 20);
    let memory = run("module", &large, Limits { memory_bytes_max: 64 * MIB, ..LIMITS }).unwrap_err();
    assert!(memory.to_string().contains("more than 64 MiB of memory"), "{memory}");
    let time = run("module", &large, Limits { time_max: Duration::from_millis(700), ..LIMITS }).unwrap_err();
    assert!(time.to_string().contains("longer than the 0.7 s"), "{time}");
    let small = Limits { output_bytes_max: 100_000, ..LIMITS };
    let output = run("module", &heavy::module(64 << 10), small).unwrap_err();
    assert!(matches!(output, Failure::Output(100_000)), "{output}");
}

/// The host looks at the clock; a host that is stopped in a debugger does not.
#[test]
fn its_processor_time_is_limited_by_the_system() {
    let mut child = start(&format!("{},{},{},1", std::process::id(), 1024 * MIB, 256 * MIB));
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), &heavy::module(8 << 20)).unwrap();
    let status = child.wait().unwrap();
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    assert_eq!(signal, Some(24), "{status}, not SIGXCPU");
}

#[test]
fn it_works_for_its_parent_alone() {
    for (confinement, code) in [("1,1073741824,1048576,10", 1), ("many", 2)] {
        let output = start(confinement).wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        assert!(output.stdout.is_empty());
    }
}

/// The process, on a command line.
fn start(confinement: &str) -> std::process::Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_host"));
    command.args(["subprocess", confinement, "module"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

#[test]
fn nobody_is_told_of_it() {
    let help = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/host.txt")).unwrap();
    assert!(!help.contains("subprocess"), "{help}");
}
