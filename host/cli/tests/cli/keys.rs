//! `host key`: making, listing and revoking, and where commands take a key from.

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::{Finished, Serving, host, run_in};

/// What a key is told when it calls a function that is not there; `Err`: what it is refused with.
fn outcome(folder: &Path, url: &str, key: &str) -> Result<(), String> {
    let mut command = host();
    command.current_dir(folder).args(["run", "chat:nothing", "--url", url]).env("HOST_ADMIN_KEY", key);
    let stderr = String::from_utf8(command.output().unwrap().stderr).unwrap();
    match stderr.contains("Could not find function") {
        true => Ok(()),
        false => Err(stderr),
    }
}

#[test]
fn keys_are_made_listed_used_and_revoked() {
    let folder = tempfile::tempdir().unwrap();
    let serving = Serving::start(folder.path(), &[]);
    let keys = |more: &[&str]| -> Finished {
        run_in(folder.path(), &[&["key"][..], more, &["--url", &serving.url]].concat())
    };
    let made = keys(&["create", "ci", "--scope", "functions", "--expires", "30d"]);
    assert_eq!(made.code, 0, "{made:?}");
    let key = made.stdout.trim();
    assert!(key.starts_with("weir|") && !key.contains('\n'), "the key alone: {made:?}");
    assert!(
        made.stderr.contains("ci: functions, made 20") && made.stderr.contains(", expires 20"),
        "{made:?}"
    );
    assert!(!made.stderr.contains(key));

    let elsewhere = tempfile::tempdir().unwrap();
    assert_eq!(outcome(elsewhere.path(), &serving.url, key), Ok(()));
    fs::write(elsewhere.path().join("key"), format!("{key}\n")).unwrap();
    let call = ["run", "chat:nothing", "--url", &serving.url, "--admin-key-file", "key"];
    let finished = run_in(elsewhere.path(), &call);
    assert!(finished.stderr.contains("Could not find function"), "{finished:?}");
    // Its scope is said to whoever asks for more.
    let call = ["key", "list", "--url", &serving.url, "--admin-key-file", "key"];
    let finished = run_in(elsewhere.path(), &call);
    assert!(
        finished.stderr.contains("AdminKeyScope") && finished.stderr.contains("`functions`"),
        "{finished:?}"
    );

    let listed = keys(&["list"]);
    let lines: Vec<&str> = listed.stdout.lines().collect();
    assert_eq!((listed.code, lines.len(), lines[0]), (0, 2, "admin-key: everything"), "{listed:?}");
    assert!(lines[1].starts_with("ci: functions, made 20"), "{listed:?}");

    let revoked = keys(&["revoke", "ci"]);
    assert_eq!((revoked.code, revoked.stdout.as_str(), revoked.stderr.as_str()), (0, "", ""));
    assert!(outcome(elsewhere.path(), &serving.url, key).unwrap_err().contains("BadAdminKey"));
    for (arguments, code, expected) in [
        (&["revoke", "ci"][..], 1, "no admin key `ci`"),
        (&["revoke", "../x"], 1, "no admin key `../x`"),
        (&["revoke", "admin-key"], 1, "remove the file `admin-key`"),
        (&["create", "a b"], 1, "InvalidAdminKey"),
        (&["create", "admin-key"], 1, "remove the file `admin-key`"),
        (&["create", "x", "--scope", "root"], 2, "use one of everything, deploy, functions, read-only"),
        (&["create", "x", "--expires", "soon"], 2, "write a whole number and a unit"),
        (&["create", "x", "--expires", "99999w"], 1, "seconds"),
        (&["create"], 2, "<NAME>"),
    ] {
        let finished = keys(arguments);
        assert_eq!((finished.code, finished.stdout.as_str()), (code, ""), "{arguments:?}: {finished:?}");
        assert!(finished.stderr.contains(expected), "{arguments:?}: {finished:?}");
    }
    let finished = serving.stop("TERM");
    assert!(finished.stderr.contains("an admin key was made"), "{finished:?}");
    assert!(!finished.stderr.contains(key.split_once('|').unwrap().1), "no key is logged");
}

#[test]
fn the_first_key_is_that_of_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let serving = Serving::start(folder.path(), &[]);
    let shown = run_in(folder.path(), &["key", "show"]);
    assert_eq!((shown.code, &shown.stdout), (0, &run_in(folder.path(), &["key"]).stdout));
    let other = run_in(folder.path(), &["key", "show", "--data", "none"]);
    assert!(other.stderr.contains("there is no admin key at none/admin-key"), "{other:?}");
    // It is replaced with its file.
    serving.stop("TERM");
    fs::remove_file(folder.path().join(".host/admin-key")).unwrap();
    let serving = Serving::start(folder.path(), &[]);
    let next = run_in(folder.path(), &["key"]);
    assert_ne!(shown.stdout, next.stdout);
    assert!(outcome(folder.path(), &serving.url, shown.stdout.trim()).unwrap_err().contains("BadAdminKey"));
    serving.stop("TERM");
}

#[test]
fn an_expired_key_is_told_so() {
    let folder = tempfile::tempdir().unwrap();
    let serving = Serving::start(folder.path(), &[]);
    let create = ["key", "create", "brief", "--expires", "1s", "--url", &serving.url];
    let key = run_in(folder.path(), &create).stdout;
    std::thread::sleep(Duration::from_millis(1200));
    assert!(outcome(folder.path(), &serving.url, key.trim()).unwrap_err().contains("AdminKeyExpired"));
    let listed = run_in(folder.path(), &["key", "list", "--url", &serving.url]);
    assert!(
        listed.stdout.contains("brief: everything") && listed.stdout.contains(", expired 20"),
        "{listed:?}"
    );
    serving.stop("TERM");
}

#[test]
fn where_a_key_comes_from() {
    let folder = tempfile::tempdir().unwrap();
    let serving = Serving::start(folder.path(), &[]);
    let good = run_in(folder.path(), &["key"]).stdout.trim().to_owned();
    let elsewhere = tempfile::tempdir().unwrap();
    fs::write(elsewhere.path().join("good"), &good).unwrap();
    fs::write(elsewhere.path().join("wrong"), format!("weir|{}", "0".repeat(64))).unwrap();
    fs::write(elsewhere.path().join("two"), format!("{good}\n{good}\n")).unwrap();
    fs::write(elsewhere.path().join("empty"), "\n").unwrap();
    let data = folder.path().join(".host");
    let data = data.to_str().unwrap();
    let wrong = "weir|00";
    #[rustfmt::skip]
    let cases: &[(&[&str], Option<&str>, &str)] = &[
        (&[], None, "Could not find public function"),
        (&[], Some(&good), "Could not find function"),
        (&[], Some(wrong), "BadAdminKey"),
        (&[], Some(""), "Could not find public function"),
        (&["--data", data], None, "Could not find function"),
        // What a command says counts before what the environment does.
        (&["--data", data], Some(wrong), "Could not find function"),
        (&["--admin-key-file", "good"], Some(wrong), "Could not find function"),
        (&["--admin-key-file", "wrong"], Some(&good), "BadAdminKey"),
        (&["--admin-key-file", "two"], None, "it does not hold one key"),
        (&["--admin-key-file", "empty"], None, "it does not hold one key"),
        (&["--admin-key-file", "missing"], None, "--admin-key-file missing"),
        (&["--admin-key", &good], None, "--admin-key shows the key to everybody on this machine"),
        (&["--admin-key", &good], None, "Could not find function"),
        (&["--admin-key", &good, "--admin-key-file", "good"], None, "cannot be used with"),
    ];
    for (arguments, environment, expected) in cases {
        let mut command = host();
        command
            .current_dir(elsewhere.path())
            .args(["run", "chat:nothing", "--url", &serving.url])
            .args(*arguments);
        if let Some(key) = environment {
            command.env("HOST_ADMIN_KEY", key);
        }
        let stderr = String::from_utf8(command.output().unwrap().stderr).unwrap();
        assert!(stderr.contains(expected), "{arguments:?} {environment:?}: {stderr}");
    }
    serving.stop("TERM");
}
