//! Certificates by ACME, from Let's Encrypt's own test server: real challenges, real clients, SIGKILL.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::own_tls::{admin_get, client, get, plain, request};
use crate::pebble::{Pebble, Ports, flags, own_port};
use crate::{Serving, run_in};

/// Nothing here takes this long.
const PATIENCE: Duration = Duration::from_secs(60);

const QUARTER: u64 = 90 * 24 * 3600;

/// A host that listens at the port where pebble looks.
fn serve(folder: &Path, ports: Ports, names: &[&str], more: &[&str]) -> Serving {
    let flags = flags(ports, names);
    let arguments: Vec<&str> = flags.iter().map(String::as_str).chain(more.iter().copied()).collect();
    Serving::start_at(folder, &format!("127.0.0.1:{}", ports.tls), &arguments)
}

/// The certificate that `name` is shown, if it is one that `root` vouches for.
fn shown(serving: &Serving, root: &str, name: &str) -> std::io::Result<Vec<u8>> {
    let config = client(root.as_bytes(), &["http/1.1"]);
    let (answer, shown) = request(&config, serving.address(), name, &get(name))?;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    Ok(shown)
}

/// Waits for one that is good.
fn until_shown(serving: &Serving, pebble: &Pebble, is_good: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let (root, begun) = (pebble.root(), Instant::now());
    loop {
        match shown(serving, &root, "api.test") {
            Ok(shown) if is_good(&shown) => return shown,
            found => {
                assert!(begun.elapsed() < PATIENCE, "{:?}: {}", found.err(), pebble.log());
                std::thread::sleep(Duration::from_millis(100));
            }
        }
    }
}

#[test]
fn a_certificate_is_obtained_and_a_restart_asks_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let ports = Ports::looking_at(own_port(), own_port());
    let pebble = Pebble::start(folder.path(), ports, QUARTER);
    let names = ["api.test", "www.test"];
    let serving = serve(folder.path(), ports, &names, &["--acme-email", "admin@api.test"]);
    assert!(serving.url.starts_with("https://127.0.0.1:"), "{}", serving.url);
    let first = until_shown(&serving, &pebble, |_| true);
    let root = pebble.root();
    assert_eq!(shown(&serving, &root, "www.test").unwrap(), first, "one for all names");
    let config = client(root.as_bytes(), &["http/1.1"]);
    let ask = |text: &str| request(&config, serving.address(), "api.test", text).unwrap().0;
    let answer = ask(&get("api.test")).to_ascii_lowercase();
    assert!(answer.contains("strict-transport-security"), "{answer}");
    assert!(ask(&get("evil.test")).starts_with("HTTP/1.1 421"), "other names are none of the server's");
    let figures = ask(&admin_get(folder.path(), "/metrics"));
    let has = |line: &str| figures.lines().any(|found| found.starts_with(line));
    assert!(
        has("weir_tls_certificate_expires_at_seconds ") && has("weir_acme_certificates_total 1"),
        "{figures}"
    );
    assert!(plain(serving.address(), &get("api.test")).starts_with("HTTP/1.1 400"));
    let authority = client(root.as_bytes(), &["acme-tls/1"]);
    let refused = request(&authority, serving.address(), "api.test", "").unwrap_err();
    assert!(refused.to_string().contains("NoApplicationProtocol"), "nothing is to be proven now: {refused}");
    let mode = |path: &str| fs::metadata(folder.path().join(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(".host/acme"), 0o700);
    for file in [".host/acme/account.json", ".host/acme/certificate.json"] {
        assert_eq!(mode(file), 0o600, "{file}");
    }

    // SIGKILL; then another name is asked for, with the same account, which is told another address.
    drop(serving);
    let names = ["api.test", "new.test"];
    let serving = serve(folder.path(), ports, &names, &["--acme-email", "other@api.test"]);
    let second = until_shown(&serving, &pebble, |shown| shown != first);
    assert_eq!(shown(&serving, &root, "new.test").unwrap(), second);
    let account = fs::read_to_string(folder.path().join(".host/acme/account.json")).unwrap();
    assert!(account.contains("other@api.test"), "{account}");
    assert!(!pebble.log().contains("There are now 2 accounts"), "{}", pebble.log());

    // SIGKILL, and the authority is gone too.
    drop(serving);
    drop(pebble);
    let serving = serve(folder.path(), ports, &names, &[]);
    assert_eq!(shown(&serving, &root, "new.test").unwrap(), second, "at once");
    let log = serving.stop("TERM").stderr;
    assert!(log.contains("that was kept is good until") && !log.contains("no certificate"), "{log}");

    // What cannot be had takes nothing away.
    let serving = serve(folder.path(), ports, &["api.test"], &[]);
    assert_eq!(shown(&serving, &root, "api.test").unwrap(), second);
    std::thread::sleep(Duration::from_millis(500));
    let log = serving.stop("TERM").stderr;
    assert!(log.contains("for other names") && log.contains("the one before goes on"), "{log}");
}

#[test]
fn a_certificate_is_renewed_when_it_is_due_also_of_an_authority_that_has_forgotten_the_account() {
    let folder = tempfile::tempdir().unwrap();
    let ports = Ports::looking_at(own_port(), own_port());
    let pebble = Pebble::start(folder.path(), ports, 30);
    let serving = serve(folder.path(), ports, &["api.test"], &[]);
    let first = until_shown(&serving, &pebble, |_| true);
    let begun = Instant::now();
    let second = until_shown(&serving, &pebble, |shown| shown != first);
    assert!(begun.elapsed() > Duration::from_secs(15), "not before it is due: {:?}", begun.elapsed());
    assert_eq!(pebble.log().matches("There are now 1 accounts").count(), 1, "{}", pebble.log());
    // A new pebble knows nobody, and has another root.
    drop(pebble);
    let pebble = Pebble::start(folder.path(), ports, QUARTER);
    until_shown(&serving, &pebble, |shown| shown != second);
    let log = serving.stop("TERM").stderr;
    assert!(log.contains("the next attempt makes a new account"), "{log}");
}

#[test]
fn a_host_serves_without_its_authority_and_comes_back_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let redirect = format!("127.0.0.1:{}", own_port());
    let ports = Ports::looking_at(own_port(), own_port());
    // For the authority's own certificate alone.
    drop(Pebble::start(folder.path(), ports, QUARTER));
    let serving = serve(folder.path(), ports, &["api.test"], &["--http-redirect", &redirect]);
    let any = client(&fs::read(folder.path().join("pebble/authority.pem")).unwrap(), &["http/1.1"]);
    let refused = request(&any, serving.address(), "api.test", &get("api.test")).unwrap_err();
    assert!(refused.to_string().contains("alert"), "a clean end: {refused}");
    assert!(plain(serving.address(), &get("api.test")).starts_with("HTTP/1.1 400"));
    assert!(plain(&redirect, &get("api.test")).starts_with("HTTP/1.1 308"));
    std::thread::sleep(Duration::from_secs(1));
    let pebble = Pebble::start(folder.path(), ports, QUARTER);
    until_shown(&serving, &pebble, |_| true);
    let log = serving.stop("TERM").stderr;
    for expected in [
        "there is no certificate for api.test yet",
        "see that this machine reaches",
        "It is tried again in 1",
    ] {
        assert!(log.contains(expected), "{expected}: {log}");
    }
}

#[test]
fn a_host_that_is_started_again_and_again_asks_no_more_often_than_one_that_runs() {
    let folder = tempfile::tempdir().unwrap();
    let ports = Ports::looking_at(own_port(), own_port());
    drop(Pebble::start(folder.path(), ports, QUARTER));
    let attempts = folder.path().join(".host/acme/attempts.json");
    // Each ends soon after it has written down its attempt.
    let mut logs = Vec::new();
    for _ in 0..3 {
        let serving = serve(folder.path(), ports, &["api.test"], &[]);
        let begun = Instant::now();
        while !attempts.exists() {
            assert!(begun.elapsed() < PATIENCE);
            std::thread::sleep(Duration::from_millis(20));
        }
        std::thread::sleep(Duration::from_millis(500));
        logs.push(serving.stop("TERM").stderr);
    }
    let failed = |log: &String| log.contains("It is tried again in 1");
    assert_eq!(logs.iter().map(failed).collect::<Vec<_>>(), [true, false, false], "{logs:?}");
    assert!(logs[1..].iter().all(|log| log.contains("asked 1 times in a row")), "{logs:?}");
    // What is asked for now was not asked for in vain.
    let serving = serve(folder.path(), ports, &["www.test"], &[]);
    std::thread::sleep(Duration::from_millis(500));
    assert!(failed(&serving.stop("TERM").stderr));
    let serving = serve(folder.path(), ports, &["www.test"], &[]);
    let pebble = Pebble::start(folder.path(), ports, QUARTER);
    let (root, begun) = (pebble.root(), Instant::now());
    while shown(&serving, &root, "www.test").is_err() {
        assert!(begun.elapsed() < PATIENCE, "it is asked again after the pause: {}", pebble.log());
        std::thread::sleep(Duration::from_millis(100));
    }
    let begun = Instant::now();
    while attempts.exists() {
        assert!(begun.elapsed() < PATIENCE, "nothing is left of what has come to a good end");
        std::thread::sleep(Duration::from_millis(20));
    }
    serving.stop("TERM");
}

#[test]
fn a_certificate_that_the_disk_has_not_taken_is_written_when_it_does() {
    let folder = tempfile::tempdir().unwrap();
    let ports = Ports::looking_at(own_port(), own_port());
    let pebble = Pebble::start(folder.path(), ports, QUARTER);
    // A draft that cannot be put aside, as if the disk refused.
    let (file, in_the_way) =
        (folder.path().join(".host/acme/certificate.json"), folder.path().join(".host/acme/certificate.new"));
    fs::create_dir_all(&in_the_way).unwrap();
    for private in [".host", ".host/acme"] {
        fs::set_permissions(folder.path().join(private), fs::Permissions::from_mode(0o700)).unwrap();
    }
    let serving = serve(folder.path(), ports, &["api.test"], &[]);
    until_shown(&serving, &pebble, |_| true);
    assert!(!file.exists());
    fs::remove_dir(&in_the_way).unwrap();
    let begun = Instant::now();
    while !file.exists() {
        assert!(begun.elapsed() < PATIENCE, "it is written");
        std::thread::sleep(Duration::from_millis(50));
    }
    let log = serving.stop("TERM").stderr;
    assert!(log.contains("cannot be kept, which is tried again"), "{log}");
    drop(pebble);
    let serving = serve(folder.path(), ports, &["api.test"], &[]);
    let log = serving.stop("TERM").stderr;
    assert!(log.contains("that was kept is good until"), "{log}");
}

#[test]
fn a_host_whose_tls_port_the_authority_cannot_reach_proves_its_name_at_that_of_http() {
    let folder = tempfile::tempdir().unwrap();
    let http = own_port();
    let ports = Ports::looking_at(own_port(), http);
    // Pebble looks for TLS where nobody listens.
    let pebble = Pebble::start(folder.path(), Ports { tls: own_port(), ..ports }, QUARTER);
    let redirect = format!("127.0.0.1:{http}");
    let serving = serve(folder.path(), ports, &["api.test"], &["--http-redirect", &redirect]);
    until_shown(&serving, &pebble, |_| true);
    let path =
        "GET /.well-known/acme-challenge/token HTTP/1.1\r\nHost: api.test\r\nConnection: close\r\n\r\n";
    assert!(plain(&redirect, path).starts_with("HTTP/1.1 308"), "nothing is to be proven now");
    let log = serving.stop("TERM").stderr;
    assert!(log.contains("api.test is not proven") && log.contains("port 80 to --http-redirect"), "{log}");
}

#[test]
fn flags_that_do_not_fit_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("empty.pem"), "").unwrap();
    let name = ["--tls-name", "api.test"];
    for (more, code, expected) in [
        (&["--tls-cert", "a.pem", "--tls-key", "b.pem"][..], 2, "cannot be used with"),
        (&["--tls-name", "*.test"], 2, "use --tls-cert"),
        (&["--tls-name", "127.0.0.1"], 2, "not an address"),
        (&["--acme-email", "nobody"], 2, "admin@example.com"),
        (&["--acme-directory", "http://ca.test/dir"], 2, "https://"),
        (&["--acme-ca", "none.pem"], 1, "--acme-ca none.pem: No such file"),
        (&["--acme-ca", "empty.pem"], 1, "there is no certificate in it"),
    ] {
        let finished =
            run_in(folder.path(), &[&["serve", "--listen", "127.0.0.1:0"], &name[..], more].concat());
        assert_eq!(finished.code, code, "{more:?}: {finished:?}");
        assert!(finished.stderr.contains(expected), "{more:?}: {}", finished.stderr);
    }
    for alone in
        [["--acme-email", "a@b.test"], ["--acme-directory", "https://ca.test/dir"], ["--acme-ca", "a.pem"]]
    {
        let finished = run_in(folder.path(), &[&["serve"], &alone[..]].concat());
        assert!(finished.code == 2 && finished.stderr.contains("--tls-name"), "{alone:?}: {finished:?}");
    }
}
