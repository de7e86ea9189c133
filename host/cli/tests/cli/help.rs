//! `--help` against the texts in `tests/golden`. With `UPDATE_GOLDEN=1` they are
//! written anew.

use std::fs;
use std::path::{Path, PathBuf};

use crate::run_in;

const COMMANDS: [&str; 19] = [
    "host",
    "serve",
    "init",
    "dev",
    "build",
    "codegen",
    "deploy",
    "run",
    "test",
    "env",
    "env set",
    "key",
    "key show",
    "key create",
    "key list",
    "key revoke",
    "audit",
    "check",
    "convert",
];

#[test]
fn help_is_as_written() {
    for command in COMMANDS {
        let mut arguments: Vec<&str> = command.split(' ').filter(|part| *part != "host").collect();
        arguments.push("--help");
        let finished = run_in(Path::new("."), &arguments);
        assert_eq!((finished.code, finished.stderr.as_str()), (0, ""), "{command}");
        compare(&command.replace(' ', "-"), &finished.stdout);
    }
}

fn compare(command: &str, text: &str) {
    let path: PathBuf =
        [env!("CARGO_MANIFEST_DIR"), "tests", "golden", &format!("{}.txt", command.replace(' ', "-"))]
            .iter()
            .collect();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, text).expect("the golden file can be written");
    }
    let golden = fs::read_to_string(&path).expect("the golden file is there");
    assert_eq!(text, golden, "host {command} --help; UPDATE_GOLDEN=1 takes the new text");
}

#[test]
fn version_goes_to_standard_output() {
    let finished = run_in(Path::new("."), &["--version"]);
    assert_eq!((finished.code, finished.stdout), (0, format!("host {}\n", env!("CARGO_PKG_VERSION"))));
}
