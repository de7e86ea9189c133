//! Children that do as they should, and children that do not. They are shells: what binds a child that is the host's own
//! program is tested where there is one, with the command line.
use std::fs;
use std::io::Read;
use std::path::Path;
use std::thread::ScopedJoinHandle;
use std::time::{Duration, Instant};

use weir_subprocess::{Cancellation, Failure, Limits, Subprocess};
use weir_value::limits::COMPILATIONS_WAITING_MAX;

/// Far more than anything here takes, and far less than the children would like.
const SOON: Duration = Duration::from_secs(20);

/// A process that runs this script, which finds the kind of its work in `$1`.
fn shell(script: &str, time_max: Duration) -> Subprocess {
    let limits = Limits { time_max, threads: 3, ..Limits::default() };
    Subprocess::new("/bin/sh".into(), &["-c", script], limits)
}

fn run(script: &str, input: &[&[u8]]) -> Result<Vec<u8>, Failure> {
    read(shell(script, SOON).run("test", input, &Cancellation::default()))
}

fn read(output: Result<fs::File, Failure>) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    output?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[expect(clippy::disallowed_methods, reason = "tests own no Env")]
fn now() -> Instant {
    Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "tests own no Env")]
fn pause(time: Duration) {
    std::thread::sleep(time);
}

/// Waits until the file is there, and gives what is in it.
fn wait_for(path: &Path) -> String {
    let began = now();
    loop {
        match fs::read_to_string(path) {
            Ok(text) if text.ends_with('\n') => return text.trim().to_owned(),
            _ => assert!(began.elapsed() < SOON, "{} is not written", path.display()),
        }
        pause(Duration::from_millis(5));
    }
}

fn is_running(pid: &str) -> bool {
    // One that is dead and not waited for is gone too.
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

#[test]
fn bytes_go_in_and_come_out() {
    assert_eq!(run("cat", &[b"one ", b"two"]).unwrap(), b"one two");
    assert_eq!(run("cat; echo $1", &[]).unwrap(), b"test\n");
    // More than fits in any pipe, and written before anything is read.
    let large = vec![7; 8 << 20];
    let script = "head -c 3000000 /dev/zero; cat";
    assert_eq!(run(script, &[&large]).unwrap().len(), 3_000_000 + large.len());
}

#[test]
fn a_child_sees_nothing_of_the_host() {
    // Variables that the shell itself sets are all that there may be besides.
    let told = String::from_utf8(run("pwd; env", &[]).unwrap()).unwrap();
    let mut lines: Vec<_> = told.lines().filter(|line| !line.starts_with("_=")).collect();
    lines.sort_unstable();
    assert_eq!(lines, ["/", "PWD=/", "RAYON_NUM_THREADS=3"], "{told}");
}

#[test]
fn how_it_failed_is_told() {
    let text = |script: &str| run(script, &[]).unwrap_err().to_string();
    assert_eq!(text("echo 'not this' >&2; exit 3"), "not this");
    assert!(text("echo broken >&2; exit 101").contains("exit status: 101: broken"));
    assert!(text("kill -SEGV $$").contains("signal: 11"));
    assert!(text("kill -KILL $$").contains("memory runs out"));
    assert!(text("kill -XCPU $$").contains("longer than the 20 s"));
    assert!(text("kill -XFSZ $$").contains("larger than 256 MiB"));
    let no_memory = "echo 'memory allocation of 64 bytes failed' >&2; kill -ABRT $$";
    assert!(text(no_memory).contains("more than 1024 MiB of memory"));
    // A child that prints without end neither stops nor takes memory.
    let flood = run("head -c 5000000 /dev/zero | tr '\\0' x >&2; exit 3", &[]).unwrap_err();
    assert!(matches!(&flood, Failure::Refused(text) if text.len() == 16 << 10), "{flood:?}");
    let none = Subprocess::new("/nowhere".into(), &[], Limits::default());
    assert!(matches!(none.run("test", &[], &Cancellation::default()), Err(Failure::Start(_))));
}

#[test]
fn a_child_that_takes_too_long_is_ended() {
    let (dir, time) = (tempfile::tempdir().unwrap(), Duration::from_millis(300));
    for (name, script) in [
        ("computes", "while :; do :; done"),
        ("sleeps", "exec sleep 1000"),
        ("prints", "while :; do echo x >&2; done"),
        ("is deaf", "trap '' TERM INT HUP; while :; do :; done"),
        ("says nothing any more", "exec 2>&-; exec sleep 1000"),
    ] {
        let pid = dir.path().join(name);
        let began = now();
        let script = format!("echo $$ > '{}'; {script}", pid.display());
        let failure = shell(&script, time).run("test", &[], &Cancellation::default()).unwrap_err();
        assert!(matches!(failure, Failure::Time(limit) if limit == time) || name == "says nothing any more");
        assert!(began.elapsed() < SOON, "{name}");
        assert!(!is_running(&wait_for(&pid)), "{name}");
    }
}

#[test]
fn the_time_is_one_for_all_that_somebody_waits_for() {
    let subprocess = shell("sleep 0.3", Duration::from_millis(500));
    let (whole, each) = (Cancellation::default(), Cancellation::for_each_piece());
    for _ in 0..3 {
        subprocess.run("test", &[], &each).unwrap();
    }
    subprocess.run("test", &[], &whole).unwrap();
    assert!(matches!(subprocess.run("test", &[], &whole), Err(Failure::Time(_))));
    assert!(matches!(subprocess.run("test", &[], &whole), Err(Failure::Time(_))));
}

#[test]
fn a_child_that_nobody_waits_for_is_ended() {
    let dir = tempfile::tempdir().unwrap();
    let pid = dir.path().join("pid");
    let subprocess = shell(&format!("echo $$ > '{}'; exec sleep 1000", pid.display()), SOON * 10);
    let cancellation = Cancellation::default();
    std::thread::scope(|scope| {
        let running = scope.spawn(|| subprocess.run("test", &[], &cancellation));
        let child = wait_for(&pid);
        assert!(is_running(&child));
        cancellation.cancel();
        assert!(matches!(running.join().unwrap(), Err(Failure::Cancelled)));
        assert!(!is_running(&child));
    });
    // What is begun afterwards does not begin.
    fs::remove_file(&pid).unwrap();
    assert!(matches!(subprocess.run("test", &[], &cancellation), Err(Failure::Cancelled)));
    assert!(!pid.exists());
}

#[test]
fn there_is_one_at_a_time_and_the_others_come_in_turn() {
    let dir = tempfile::tempdir().unwrap();
    let (log, open) = (dir.path().join("log"), dir.path().join("open"));
    let script = format!(
        "echo begin >> '{log}'; until [ -e '{open}' ]; do sleep 0.01; done; echo end >> '{log}'",
        log = log.display(),
        open = open.display()
    );
    let subprocess = shell(&script, SOON);
    let kinds: Vec<Cancellation> = (0..=COMPILATIONS_WAITING_MAX).map(|_| Cancellation::default()).collect();
    let run = |cancellation: &Cancellation| subprocess.run("test", &[], cancellation).map(drop);
    let run = &run;
    // Whose place is taken by the one too many comes again.
    let in_line = move |cancellation: &Cancellation| loop {
        match run(cancellation) {
            Err(Failure::Busy) => pause(Duration::from_millis(5)),
            ended => return ended,
        }
    };
    std::thread::scope(|scope| {
        let first = scope.spawn(|| run(&kinds[0]));
        wait_for(&log);
        let waiting: Vec<ScopedJoinHandle<'_, _>> =
            kinds[1..].iter().map(|cancellation| scope.spawn(move || in_line(cancellation))).collect();
        // One more is refused at once, as soon as all of them stand in line.
        let began = now();
        loop {
            let (one_more, asked) = (Cancellation::default(), now());
            let refused = std::thread::scope(|scope| {
                let one_more_runs = scope.spawn(|| run(&one_more));
                pause(Duration::from_millis(100));
                one_more.cancel();
                one_more_runs.join().unwrap()
            });
            match refused {
                Err(Failure::Busy) if asked.elapsed() < SOON => break,
                Err(Failure::Cancelled) => assert!(began.elapsed() < SOON, "nobody is refused"),
                other => panic!("{other:?}"),
            }
        }
        // Whoever ceases to wait leaves the line.
        kinds[3].cancel();
        fs::write(&open, "").unwrap();
        assert!(first.join().unwrap().is_ok());
        let ended: Vec<_> = waiting.into_iter().map(|waiting| waiting.join().unwrap()).collect();
        let cancelled = |failure: &&Result<(), Failure>| matches!(failure, Err(Failure::Cancelled));
        assert_eq!(ended.iter().filter(cancelled).count(), 1, "{ended:?}");
        assert_eq!(ended.iter().filter(|ended| ended.is_ok()).count(), COMPILATIONS_WAITING_MAX - 1);
    });
    let log = fs::read_to_string(&log).unwrap();
    assert_eq!(log, "begin\nend\n".repeat(COMPILATIONS_WAITING_MAX), "they ran beside each other");
}

#[test]
fn who_waits_for_the_turn_too_long_is_told() {
    let subprocess = shell("exec sleep 1000", Duration::from_millis(400));
    let both = [Cancellation::default(), Cancellation::default()];
    let failures = std::thread::scope(|scope| {
        let runs = both.each_ref().map(|one| scope.spawn(|| subprocess.run("test", &[], one)));
        runs.map(|run| run.join().unwrap().unwrap_err())
    });
    // The second one is refused while it waits, or ended in its own turn.
    assert!(
        failures.iter().all(|failure| matches!(failure, Failure::Time(_) | Failure::Busy)),
        "{failures:?}"
    );
}
