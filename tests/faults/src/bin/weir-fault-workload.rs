//! Works on a store until it is done, or until something below it ends it.
//!
//! ```text
//! weir-fault-workload <folder> <base> <seed> <size of values> <step>...
//!
//! reserve=N     before all other steps: keep N bytes of the disk free
//! commits=N     commit the next N commits of the history; a few are under way at once
//! seconds=N     commit for so long
//! checkpoint    take a checkpoint
//! close         close the store
//! ```
//!
//! Prints `opened <commits>`, `answered <number> <timestamp>`, `refused <number> <milliseconds since the last
//! answer>` when the disk is full, `slowest <milliseconds>` and `moved <keys>` after commits, `checkpointed`,
//! `closed`. Not here: what it all means for the folder.

use std::collections::VecDeque;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use weir_faults::History;
use weir_faults::options::{open, options};
use weir_faults::verify::check_state;
use weir_store::{SequenceError, Sequenced, Store, StoreOptions, Timestamp};

/// Commits under way, unless nothing is answered for a while.
const WINDOW: usize = 6;
const WINDOW_WAIT: Duration = Duration::from_millis(50);
/// How long after a refusal it tries again, and for how long it does that.
const RETRY_WAIT: Duration = Duration::from_millis(20);
const RETRY_MAX: Duration = Duration::from_secs(30);

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("failed: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<(), String> {
    let [folder, base, seed, sizes, steps @ ..] = arguments else {
        return Err("expected a folder, a base, a seed, the size of values, and steps".to_owned());
    };
    let history = History::from_arguments(seed, sizes)?;
    let mut options = options(base.parse()?, history.sizes);
    let mut steps = steps.iter().map(|step| parse(step)).collect::<Result<VecDeque<Step>, String>>()?;
    if let Some(Step::Reserve(bytes)) = steps.front() {
        options = StoreOptions { disk_reserve_bytes: *bytes, ..options };
        steps.pop_front();
    }
    let store = open(Path::new(folder), options).map_err(|error| error.to_string())?;
    let mut next = check_state(&store.snapshot_durable(), history)? + 1;
    say(&format!("opened {}", next - 1));
    for step in steps {
        match step {
            Step::Commits(count) => {
                next = Committer::new(&*store, history).commit(next, |number| number < next + count)?;
            }
            Step::Seconds(seconds) => {
                let end = Instant::now() + Duration::from_secs(seconds);
                next = Committer::new(&*store, history).commit(next, |_| Instant::now() < end)?;
            }
            Step::Checkpoint => {
                store.checkpoint().map_err(|error| error.to_string())?;
                say("checkpointed");
            }
            Step::Close => {
                store.close();
                say("closed");
            }
            Step::Reserve(_) => return Err("the reserve is set before all other steps".to_owned()),
        }
    }
    Ok(())
}

#[derive(Clone, Copy)]
enum Step {
    Reserve(u64),
    Commits(u64),
    Seconds(u64),
    Checkpoint,
    Close,
}

fn parse(step: &str) -> Result<Step, String> {
    let of_number = |name: &str, number: u64| match name {
        "reserve" => Some(Step::Reserve(number)),
        "commits" => Some(Step::Commits(number)),
        "seconds" => Some(Step::Seconds(number)),
        _ => None,
    };
    let parsed = match step.split_once('=') {
        None if step == "checkpoint" => Some(Step::Checkpoint),
        None if step == "close" => Some(Step::Close),
        None => None,
        Some((name, number)) => number.parse().ok().and_then(|number| of_number(name, number)),
    };
    parsed.ok_or_else(|| format!("{step:?} is not a step"))
}

fn say(line: &str) {
    let mut output = std::io::stdout().lock();
    // Nobody reads any more: the test has ended.
    let _ = writeln!(output, "{line}").and_then(|()| output.flush());
}

/// Commits on one thread and waits for the answers on another.
struct Committer<'a> {
    store: &'a dyn Store,
    history: History,
    under_way: Mutex<UnderWay>,
    changed: Condvar,
}

struct UnderWay {
    /// Oldest first.
    commits: VecDeque<Commit>,
    is_over: bool,
    last_answer: Instant,
    slowest: Duration,
}

#[derive(Clone, Copy)]
struct Commit {
    number: u64,
    ts: Timestamp,
    /// When it was tried first.
    began: Instant,
}

impl<'a> Committer<'a> {
    fn new(store: &'a dyn Store, history: History) -> Committer<'a> {
        let under_way = UnderWay {
            commits: VecDeque::new(),
            is_over: false,
            last_answer: Instant::now(),
            slowest: Duration::ZERO,
        };
        Committer { store, history, under_way: Mutex::new(under_way), changed: Condvar::new() }
    }

    /// Commits from number `next` on, as long as `goes_on` says so; returns the number behind the last.
    fn commit(&self, next: u64, goes_on: impl Fn(u64) -> bool) -> Result<u64, String> {
        let mut number = next;
        std::thread::scope(|scope| {
            let answers = scope.spawn(|| self.answer());
            let mut outcome = Ok(());
            while outcome.is_ok() && goes_on(number) {
                outcome = self.issue(number);
                number += 1;
            }
            self.lock().is_over = true;
            self.changed.notify_all();
            match answers.join() {
                Ok(answered) => outcome.and(answered),
                Err(_) => Err("the answering thread panicked".to_owned()),
            }
        })?;
        say(&format!("slowest {}", self.lock().slowest.as_millis()));
        say(&format!("moved {}", self.store.stats().flushed_keys));
        Ok(number)
    }

    fn issue(&self, number: u64) -> Result<(), String> {
        self.wait_for_window();
        let writes = self.history.writes(number);
        let began = Instant::now();
        loop {
            match self.store.sequence(&mut |_| writes.clone().into()) {
                Ok(Sequenced { ts, .. }) => {
                    self.lock().commits.push_back(Commit { number, ts, began });
                    self.changed.notify_all();
                    return Ok(());
                }
                Err(SequenceError::DiskFull) if began.elapsed() < RETRY_MAX => {
                    let waited = self.lock().last_answer.elapsed();
                    say(&format!("refused {number} {}", waited.as_millis()));
                }
                Err(SequenceError::Overloaded) if began.elapsed() < RETRY_MAX => {}
                Err(error) => return Err(format!("commit {number}: {error}")),
            }
            std::thread::sleep(RETRY_WAIT);
        }
    }

    /// Not for ever: a commit is to be refused rather than held up, and only trying shows it.
    fn wait_for_window(&self) {
        let is_full = |under_way: &mut UnderWay| under_way.commits.len() >= WINDOW;
        drop(self.changed.wait_timeout_while(self.lock(), WINDOW_WAIT, is_full));
    }

    fn answer(&self) -> Result<(), String> {
        while let Some(Commit { number, ts, began }) = self.oldest() {
            self.store.wait_durable(ts).map_err(|error| format!("commit {number}: {error}"))?;
            say(&format!("answered {number} {}", ts.as_nanos()));
            let mut under_way = self.lock();
            under_way.commits.pop_front();
            under_way.last_answer = Instant::now();
            under_way.slowest = under_way.slowest.max(began.elapsed());
            self.changed.notify_all();
        }
        Ok(())
    }

    fn oldest(&self) -> Option<Commit> {
        let waits = |under_way: &mut UnderWay| under_way.commits.is_empty() && !under_way.is_over;
        let under_way = self.changed.wait_while(self.lock(), waits);
        under_way.unwrap_or_else(PoisonError::into_inner).commits.front().copied()
    }

    fn lock(&self) -> MutexGuard<'_, UnderWay> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
