//! The disk is full at any call, for a moment or for long: nothing answered is lost, commits are refused and not
//! held up, and the store goes on by itself when there is room.
//!
//! With sled that does not hold, and this says how much does. sled does not recover from a write that found no
//! room, so the process ends (at 6 of 36 moments, and at 4 of 13 where the disk stays full), and a folder
//! without any room does not open, because sled writes when it opens. Nothing answered is lost all the same.

mod fixture;

use std::time::{Duration, Instant};

use fixture::{Failures, case_seed};
use weir_faults::{End, Full, History, Kill, Lab, Moment, Plan, Run, Sizes, Work, stride};
use weir_store::BaseKind;

const HISTORY: History = History { seed: 51, sizes: Sizes::Small };
const STEPS: &str = "commits=40 checkpoint commits=30 checkpoint commits=10 close";
/// Growing calls at which the disk becomes full, in an ordinary run.
const CALLS: usize = 14;
/// A commit is refused at most so long after the disk became full.
const REFUSED_MAX_MS: u64 = 1000;
/// A disk that is full for good: until a test gives it room.
const FOR_GOOD: u64 = u64::MAX / 2;
const WAIT_MAX: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(5);

for_each_base!(for_a_moment, until_there_is_room, without_any_room_a_folder_opens_and_serves_reads);

/// The growing calls of an undisturbed process, or a part of them.
fn growing_calls(base: BaseKind) -> (u64, Vec<u64>) {
    let whole = Lab::new(base).unwrap();
    let run = whole.run(&whole.plan(), &Work::new(HISTORY, STEPS)).unwrap();
    assert_eq!(run.end, End::DONE, "{}", run.errors);
    let calls = whole.recording().unwrap().counts().growing;
    let step = stride(usize::try_from(calls).unwrap(), CALLS);
    (calls, (1..=calls).skip(case_seed(step)).step_by(step).collect())
}

/// An end that a full disk allows: all was done, or the folder did not open, and the reason was said. sled's may
/// also be the end of the process, for that reason alone.
fn check_end(base: BaseKind, run: &Run) -> Result<(), String> {
    let opened = run.values("opened").next().is_some();
    match run.end {
        End::DONE => Ok(()),
        End::Signal(6) if base == BaseKind::Sled && is_out_of_room(run) => Ok(()),
        End::Exited(1) if !opened && run.errors.contains("No space left") => Ok(()),
        end => Err(format!("{end:?}, opened: {opened}, {}", run.errors)),
    }
}

/// Whether the base met a full disk.
fn is_out_of_room(run: &Run) -> bool {
    run.errors.contains("the base failed: IO error") && run.errors.contains("No space left")
}

/// When a commit was refused, it was soon.
fn check_refusals(run: &Run) -> Result<(), String> {
    let mut told = None;
    for (number, waited_ms) in run.values("refused").filter_map(|values| values.split_once(' ')) {
        if told != Some(number) && waited_ms.parse().map_or(true, |ms: u64| ms > REFUSED_MAX_MS) {
            return Err(format!("commit {number} was held up for {waited_ms} ms before it was refused"));
        }
        told = Some(number);
    }
    Ok(())
}

fn check(base: BaseKind, lab: &Lab, run: &Run) -> Result<(), String> {
    check_end(base, run)?;
    check_refusals(run)?;
    lab.verify(HISTORY, run.answered())
}

fn for_a_moment(base: BaseKind) {
    let (calls, cases) = growing_calls(base);
    let mut failures = Failures::new(&format!("of {calls} growing calls"));
    let mut refused = 0;
    for (from, calls) in cases.into_iter().flat_map(|from| [(from, 0), (from, 1), (from, 9)]) {
        let lab = Lab::new(base).unwrap();
        let plan = Plan { full: Some(Full::Calls { from, calls }), ..lab.plan() };
        let run = lab.run(&plan, &Work::new(HISTORY, STEPS)).unwrap();
        failures.check(&format!("call {from} and {calls} more"), check(base, &lab, &run));
        refused += lab.recording().unwrap().refused().count();
    }
    assert!(refused > 0, "the disk was never full");
    failures.end();
}

fn until_there_is_room(base: BaseKind) {
    let (calls, cases) = growing_calls(base);
    let mut failures = Failures::new(&format!("of {calls} growing calls"));
    let mut refused = 0;
    for from in cases {
        let lab = Lab::new(base).unwrap();
        let plan = Plan { full: Some(Full::Calls { from, calls: FOR_GOOD }), ..lab.plan() };
        let run = run_until_refused(&lab, &plan, STEPS).unwrap();
        refused += run.values("refused").count();
        failures.check(&format!("call {from}"), check(base, &lab, &run));
    }
    assert!(refused > 0, "no commit was ever refused");
    failures.end();
}

/// Starts a process, gives it room when it has refused something or seems to wait, and lets it end.
fn run_until_refused(lab: &Lab, plan: &Plan, steps: &str) -> std::io::Result<Run> {
    let mut process = lab.start(plan, &Work::new(HISTORY, steps))?;
    let (mut seen, mut seen_at) = (0, Instant::now());
    while !process.has_ended()? {
        let lines = process.lines()?;
        if lines.len() > seen {
            (seen, seen_at) = (lines.len(), Instant::now());
        }
        let was_refused = lines.iter().any(|line| line.starts_with("refused"));
        if was_refused || seen_at.elapsed() > Duration::from_secs(2) {
            lab.set_room(true)?;
            break;
        }
        std::thread::sleep(POLL);
    }
    process.wait(WAIT_MAX)
}

fn without_any_room_a_folder_opens_and_serves_reads(base: BaseKind) {
    let closed = Lab::new(base).unwrap();
    let run =
        closed.run(&closed.plan(), &Work::new(HISTORY, "commits=60 checkpoint commits=20 close")).unwrap();
    assert_eq!(run.end, End::DONE, "{}", run.errors);
    let killed = Lab::new(base).unwrap();
    let plan = Plan { kill: Some(Kill { call: 140, moment: Moment::Middle }), ..killed.plan() };
    let run = killed.run(&plan, &Work::new(HISTORY, "commits=40 checkpoint commits=400")).unwrap();
    assert_eq!(run.end, End::KILLED, "{}", run.errors);
    let mut failures = Failures::new("folders without room");
    for (name, lab) in [("closed", closed), ("killed", killed)] {
        let outcome = match base {
            BaseKind::Redb => open_without_room(&lab),
            BaseKind::Sled => refuse_without_room(&lab),
        };
        failures.check(name, outcome);
    }
    failures.end();
}

fn open_without_room(lab: &Lab) -> Result<(), String> {
    let recording = lab.recording().unwrap();
    let answered = recording.answered(recording.records.len());
    let plan = Plan { full: Some(Full::Bytes(0)), ..lab.plan() };
    let run = lab.run(&plan, &Work::new(HISTORY, "reserve=1000000")).unwrap();
    let opened = run.values("opened").next().and_then(|count| count.parse::<u64>().ok());
    if opened < answered.map(|answer| answer.number) {
        return Err(format!("it shows {opened:?} of {answered:?}: {:?} {}", run.end, run.errors));
    }
    if run.end != End::DONE {
        return Err(format!("it does not end: {:?} {}", run.end, run.errors));
    }
    let run = run_until_refused(lab, &plan, "reserve=1000000 commits=5 close").unwrap();
    if run.values("refused").next().is_none() {
        return Err(format!("nothing was refused: {:?} {}", run.end, run.errors));
    }
    check(BaseKind::Redb, lab, &run)
}

/// What sled comes to: a start that says why it cannot be, and nothing lost when there is room.
fn refuse_without_room(lab: &Lab) -> Result<(), String> {
    let recording = lab.recording().unwrap();
    let answered = recording.answered(recording.records.len());
    let plan = Plan { full: Some(Full::Bytes(0)), ..lab.plan() };
    let run = lab.run(&plan, &Work::new(HISTORY, "reserve=1000000")).unwrap();
    if run.end == End::DONE {
        return Err(
            "it opens: sled has learned something, and may be asked for all that redb does".to_owned()
        );
    }
    if !is_out_of_room(&run) {
        return Err(format!("another reason: {:?} {}", run.end, run.errors));
    }
    lab.verify(HISTORY, answered)
}
