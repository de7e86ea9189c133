//! What does not work, and what is said then.

use std::fs;

use crate::run_in;

#[test]
fn mistakes_end_with_a_reason_and_the_right_code() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let project = folder.path().join("project");
    fs::create_dir(&project).unwrap();
    fs::write(project.join("host.toml"), "nonsense = 1\n").unwrap();
    #[rustfmt::skip]
    let cases: &[(&[&str], i32, &str)] = &[
        // Wrong usage: 2.
        (&[], 2, "Usage: host"),
        (&["fly"], 2, "unrecognized subcommand 'fly'"),
        (&["serve", "--nonsense"], 2, "unexpected argument '--nonsense'"),
        (&["serve", "--listen", "nowhere"], 2, "invalid value 'nowhere' for '--listen <ADDR>'"),
        (&["serve", "extra"], 2, "unexpected argument 'extra'"),
        (&["run"], 2, "<FUNCTION>"),
        (&["run", "chat:list", "{"], 2, "the arguments are not valid JSON"),
        (&["run", "chat:list", "[1]"], 2, "the arguments must be a JSON object"),
        (&["run", ":::", "{}"], 2, "is not a valid function path"),
        (&["run", "chat:list", "--url", "ftp://example.com"], 2, "it must begin with http:// or https://"),
        (&["run", "chat:list", "--url", "https://a:b@example.com"], 2, "no user and no password"),
        (&["run", "chat:list", "--url", "example"], 2, "--url `example`"),
        (&["key", "--log", "=["], 2, "--log `=[` is not a valid log filter"),
        // What cannot be done: 1.
        (&["serve", "--listen", "0.0.0.0:0"], 1, "add --allow-remote"),
        (&["serve", "--listen", "[::]:0"], 1, "add --allow-remote"),
        (&["serve", "--listen", "127.0.0.1:0", "--data", "file/data"], 1, "the data folder file/data"),
        (&["serve", "--listen", "127.0.0.1:0", "--data", "/sys/weir"], 1, "the data folder /sys/weir"),
        (&["serve", "--listen", "127.0.0.1:0", "--web", "missing"], 1, "the web folder missing"),
        (&["serve", "--listen", "127.0.0.1:0", "--web", "file"], 1, "the web folder file"),
        (&["key", "--data", "missing"], 1, "there is no admin key at missing/admin-key"),
        (&["run", "chat:list", "--url", "http://127.0.0.1:1"], 1, "no server answers at http://127.0.0.1:1"),
        (&["run", "chat:list", "--watch", "--url", "http://127.0.0.1:1"], 1, "no server answers at"),
        (&["deploy", "project", "--url", "http://127.0.0.1:1"], 1, "deploying needs the server's admin key"),
        (&["key", "list", "--url", "http://127.0.0.1:1"], 1, "listing keys needs the server's admin key"),
        (&["deploy", "project", "--url", "http://127.0.0.1:1", "--admin-key", "weir|00"], 1, "nonsense"),
        (&["build", "missing"], 1, "missing"),
        (&["build", "."], 1, "host.toml"),
        (&["build", "project"], 1, "nonsense"),
        (&["dev", "project", "--listen", "127.0.0.1:0"], 1, "nonsense"),
    ];
    for (arguments, code, expected) in cases {
        let finished = run_in(folder.path(), arguments);
        assert_eq!(finished.code, *code, "{arguments:?}: {finished:?}");
        assert!(finished.stderr.contains(expected), "{arguments:?}: {finished:?}");
        assert_eq!(finished.stdout, "", "{arguments:?}");
        assert!(!finished.stderr.contains("panicked"), "{arguments:?}: {finished:?}");
    }
}
