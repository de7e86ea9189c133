//! Works on a store until it is done, or until something below it ends it.
//!
//! ```text
//! weir-fault-workload <folder> <seed> small|mixed <step>...
//!
//! commits=N     commit the next N commits of the history; a few are under way at once
//! checkpoint    take a checkpoint
//! reserve=N     before all other steps: keep N bytes of the disk free
//! close         close the store
//! ```
//!
//! Prints `opened <commits>`, `answered <number> <timestamp>`, `refused <number> <milliseconds since the last
//! answer>`, `checkpointed`, `closed`. Not here: what it all means for the folder.

use std::collections::VecDeque;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use weir_faults::history::{History, Sizes};
use weir_faults::options::{open, small_options};
use weir_faults::verify::check_state;
use weir_store::{SequenceError, Store, StoreOptions, Timestamp};

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
    let [folder, seed, sizes, steps @ ..] = arguments else {
        return Err("expected a folder, a seed, small or mixed, and steps".to_owned());
    };
    let seed = seed.parse().map_err(|_| format!("the seed {seed:?} is no number"))?;
    let sizes = match sizes.as_str() {
        "small" => Sizes::Small,
        "mixed" => Sizes::Mixed,
        other => return Err(format!("values are small or mixed, not {other:?}")),
    };
    let mut options = small_options();
    let mut steps = steps.iter().map(|step| parse(step)).collect::<Result<VecDeque<Step>, String>>()?;
    if let Some(Step::Reserve(bytes)) = steps.front() {
        options = StoreOptions { disk_reserve_bytes: *bytes, ..options };
        steps.pop_front();
    }
    let store = open(Path::new(folder), options).map_err(|error| error.to_string())?;
    let history = History { seed, sizes };
    let mut next = check_state(&store.snapshot_durable(), history)? + 1;
    say(&format!("opened {}", next - 1));
    for step in steps {
        match step {
            Step::Commits(count) => next = Committer::new(&*store, history).commit(next, count)?,
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

enum Step {
    Commits(u64),
    Checkpoint,
    Reserve(u64),
    Close,
}

fn parse(step: &str) -> Result<Step, String> {
    let unknown = || format!("{step:?} is no step");
    match step.split_once('=') {
        None if step == "checkpoint" => Ok(Step::Checkpoint),
        None if step == "close" => Ok(Step::Close),
        Some(("commits", count)) => count.parse().map(Step::Commits).map_err(|_| unknown()),
        Some(("reserve", bytes)) => bytes.parse().map(Step::Reserve).map_err(|_| unknown()),
        _ => Err(unknown()),
    }
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
    /// Numbers and timestamps, oldest first.
    commits: VecDeque<(u64, Timestamp)>,
    is_over: bool,
    last_answer: Instant,
}

impl<'a> Committer<'a> {
    fn new(store: &'a dyn Store, history: History) -> Committer<'a> {
        let under_way = UnderWay { commits: VecDeque::new(), is_over: false, last_answer: Instant::now() };
        Committer { store, history, under_way: Mutex::new(under_way), changed: Condvar::new() }
    }

    /// Commits `count` commits from number `next` on; returns the number behind them.
    fn commit(&self, next: u64, count: u64) -> Result<u64, String> {
        std::thread::scope(|scope| {
            let answers = scope.spawn(|| self.answer());
            let outcome = (next..next + count).try_for_each(|number| self.issue(number));
            self.lock().is_over = true;
            self.changed.notify_all();
            match answers.join() {
                Ok(answered) => outcome.and(answered),
                Err(_) => Err("the answering thread panicked".to_owned()),
            }
        })?;
        Ok(next + count)
    }

    fn issue(&self, number: u64) -> Result<(), String> {
        self.wait_for_window();
        let writes = self.history.writes(number);
        let started = Instant::now();
        loop {
            match self.store.sequence(&mut |_| writes.clone()) {
                Ok(ts) => {
                    self.lock().commits.push_back((number, ts));
                    self.changed.notify_all();
                    return Ok(());
                }
                Err(SequenceError::DiskFull | SequenceError::Overloaded) if started.elapsed() < RETRY_MAX => {
                    let waited = self.lock().last_answer.elapsed();
                    say(&format!("refused {number} {}", waited.as_millis()));
                    std::thread::sleep(RETRY_WAIT);
                }
                Err(error) => return Err(format!("commit {number}: {error}")),
            }
        }
    }

    /// Not for ever: a commit is to be refused rather than held up, and only trying shows it.
    fn wait_for_window(&self) {
        let under_way = self.lock();
        let is_full = |under_way: &mut UnderWay| under_way.commits.len() >= WINDOW;
        drop(self.changed.wait_timeout_while(under_way, WINDOW_WAIT, is_full));
    }

    fn answer(&self) -> Result<(), String> {
        while let Some((number, ts)) = self.oldest() {
            self.store.wait_durable(ts).map_err(|error| format!("commit {number}: {error}"))?;
            say(&format!("answered {number} {}", ts.as_nanos()));
            let mut under_way = self.lock();
            under_way.commits.pop_front();
            under_way.last_answer = Instant::now();
            self.changed.notify_all();
        }
        Ok(())
    }

    fn oldest(&self) -> Option<(u64, Timestamp)> {
        let under_way = self.lock();
        let waits = |under_way: &mut UnderWay| under_way.commits.is_empty() && !under_way.is_over;
        let under_way = self.changed.wait_while(under_way, waits).unwrap_or_else(PoisonError::into_inner);
        under_way.commits.front().copied()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, UnderWay> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
