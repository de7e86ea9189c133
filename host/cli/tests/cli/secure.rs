//! `https://` and `wss://`: whom the command line trusts, and where it sends a key.

use std::fs;
use std::path::Path;

use crate::tls_front::{Certificate, TlsFront};
use crate::{Finished, Serving, first_line_watching, host, run_in};

/// Calls a function that is not there: a key is told so in other words than everybody else.
fn call(folder: &Path, url: &str, more: &[&str]) -> Finished {
    run_in(folder, &[&["run", "chat:nothing", "--url", url][..], more].concat())
}

#[test]
fn a_server_behind_tls_is_called_and_watched_with_its_key() {
    let folder = tempfile::tempdir().unwrap();
    let serving = Serving::start(folder.path(), &[]);
    for certificate in [Certificate::OfOwnAuthority, Certificate::SelfSigned] {
        let front = TlsFront::start(serving.address(), folder.path(), certificate);
        let trust = ["--ca-certificate", front.authority.to_str().unwrap()];
        for host_name in ["localhost", "127.0.0.1"] {
            let url = format!("https://{host_name}:{}", front.port);
            let finished = call(folder.path(), &url, &trust);
            assert!(
                finished.stderr.contains("Could not find function"),
                "{certificate:?} {url}: {finished:?}"
            );
            let finished = run_in(folder.path(), &[&["key", "list", "--url", &url][..], &trust].concat());
            assert_eq!(
                (finished.code, finished.stdout.as_str()),
                (0, "admin-key: everything\n"),
                "{finished:?}"
            );
        }
        let url = format!("https://localhost:{}", front.port);
        let line = first_line_watching(folder.path(), &url, &trust);
        assert!(line.contains("error: [Request ID:"), "{certificate:?}: {line}");
    }
    serving.stop("TERM");
}

#[test]
fn who_is_not_trusted_is_sent_nothing_and_told_of() {
    let folder = tempfile::tempdir().unwrap();
    let serving = Serving::start(folder.path(), &["--open-metrics"]);
    let before = requests(serving.address());
    for (certificate, trusts, expected) in [
        (Certificate::OfOwnAuthority, false, "name that one's certificate with --ca-certificate"),
        (Certificate::SelfSigned, false, "signed by nobody whom this machine trusts"),
        (Certificate::OfAnotherName, true, "its certificate is for another name than `localhost`"),
        (Certificate::Expired, true, "its certificate has expired"),
    ] {
        let front = TlsFront::start(serving.address(), folder.path(), certificate);
        let url = format!("https://localhost:{}", front.port);
        let authority = front.authority.to_str().unwrap();
        let trust: &[&str] = if trusts { &["--ca-certificate", authority] } else { &[] };
        for more in [&[][..], &["--watch"]] {
            let finished = call(folder.path(), &url, &[trust, more].concat());
            assert_eq!(finished.code, 1, "{certificate:?}: {finished:?}");
            assert!(finished.stderr.contains(expected), "{certificate:?}: {finished:?}");
        }
    }
    // One that speaks no TLS at all.
    let finished = call(folder.path(), &serving.url.replace("http:", "https:"), &[]);
    assert!(finished.stderr.contains("does it speak TLS at this port?"), "{finished:?}");
    assert_eq!(requests(serving.address()), before, "none of them reached the server");
    serving.stop("TERM");
}

/// How many calls the server has answered, this one not counted.
fn requests(address: &str) -> u64 {
    let metrics = crate::serving::get(address, "/metrics");
    let line = metrics.lines().find_map(|line| line.strip_prefix("weir_query_runs_total ")).unwrap();
    let failures = metrics.lines().find_map(|line| line.strip_prefix("weir_call_failures_total ")).unwrap();
    line.parse::<u64>().unwrap() + failures.parse::<u64>().unwrap()
}

#[test]
fn what_cannot_be_trusted_is_said_before_anything_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("empty.pem"), "no certificate\n").unwrap();
    fs::write(
        folder.path().join("broken.pem"),
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    )
    .unwrap();
    for (url, file, code, expected) in [
        ("https://box.example", "missing.pem", 1, "--ca-certificate missing.pem"),
        ("https://box.example", "empty.pem", 1, "there is no certificate in it"),
        ("https://box.example", "broken.pem", 1, "--ca-certificate broken.pem"),
        ("http://127.0.0.1:1", "empty.pem", 2, "--ca-certificate is for servers at https://"),
    ] {
        let finished = call(folder.path(), url, &["--ca-certificate", file]);
        assert_eq!(finished.code, code, "{file}: {finished:?}");
        assert!(finished.stderr.contains(expected), "{file}: {finished:?}");
    }
}

#[test]
fn a_key_goes_to_another_machine_over_tls_alone() {
    let folder = tempfile::tempdir().unwrap();
    let key = format!("weir|{}", "7".repeat(64));
    fs::write(folder.path().join("key"), format!("{key}\n")).unwrap();
    // An address that leads nowhere (RFC 5737): only a name that cannot be resolved, or a refusal, ends at once.
    let far = "http://box.invalid:3210";
    for command in [
        &["run", "chat:list"][..],
        &["run", "chat:list", "--watch"],
        &["deploy", "."],
        &["key", "list"],
        &["key", "create", "ci"],
        &["key", "revoke", "ci"],
    ] {
        let with_file = [command, &["--url", far, "--admin-key-file", "key"]].concat();
        let finished = run_in(folder.path(), &with_file);
        assert_eq!(finished.code, 2, "{command:?}: {finished:?}");
        assert!(finished.stderr.contains("over plain http, where others can read it"), "{finished:?}");
        assert!(!finished.stderr.contains(&key), "{finished:?}");
    }
    let mut by_environment = host();
    by_environment.current_dir(folder.path()).args(["run", "chat:list", "--url", far]);
    let output = by_environment.env("HOST_ADMIN_KEY", &key).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("--allow-plain-http"));
    // Without a key, or when it is asked for, it is tried.
    for more in [&[][..], &["--admin-key-file", "key", "--allow-plain-http"]] {
        let finished = call(folder.path(), far, more);
        assert!(finished.stderr.contains("cannot reach http://box.invalid:3210"), "{more:?}: {finished:?}");
    }
}
