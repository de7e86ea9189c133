//! The recording itself: it misses nothing, and the faults are the planned ones.

mod fixture;

use weir_faults::{CrashImage, End, Full, History, Kill, Lab, Moment, Plan, Sizes, Slow, Work};
use weir_store::BaseKind;

const HISTORY: History = History { seed: 11, sizes: Sizes::Mixed };

for_each_base!(
    nothing_escapes_over_several_processes,
    a_recording_of_a_folder_that_was_there_goes_on_from_it,
    a_sync_fails_once_and_the_process_hears_of_it,
    a_full_disk_refuses_calls_and_has_room_again_when_told,
    a_slow_disk_is_slow_where_it_should_be
);

fn work(steps: &str) -> Work {
    Work::new(HISTORY, steps)
}

/// The folder holds what the recording says it holds.
#[track_caller]
fn assert_complete(lab: &Lab) {
    let recorded = lab.recording().unwrap().end().image(CrashImage::Written);
    assert_eq!(recorded.difference(&lab.image().unwrap()), None);
}

/// How many calls opening the folder takes.
fn opening_calls(base: BaseKind, lab: &Lab) -> u64 {
    let copy = Lab::with(base, &lab.image().unwrap()).unwrap();
    copy.run(&copy.plan(), &work("")).unwrap();
    copy.recording().unwrap().counts().calls
}

fn nothing_escapes_over_several_processes(base: BaseKind) {
    let lab = Lab::new(base).unwrap();
    let run = lab.run(&lab.plan(), &work("commits=60 checkpoint commits=20 close")).unwrap();
    assert_eq!((run.end, run.answered().unwrap().number), (End::DONE, 80), "{}", run.errors);
    assert_complete(&lab);
    let counts = lab.recording().unwrap().counts();
    assert!(counts.calls > 100 && counts.growing > 20 && counts.syncs > 20, "{counts:?}");
    let mut known = 80;
    for (at, moment) in [Moment::Before, Moment::Middle, Moment::After].into_iter().enumerate() {
        let kill = Kill { call: opening_calls(base, &lab) + 20 + at as u64 * 7, moment };
        let plan = Plan { kill: Some(kill), ..lab.plan() };
        let run = lab.run(&plan, &work("commits=60 checkpoint close")).unwrap();
        assert_eq!(run.end, End::KILLED, "{}", run.errors);
        assert_complete(&lab);
        let recording = lab.recording().unwrap();
        let calls = recording.counts().calls;
        // Calls other than writes and syncs have no middle: nothing of them is recorded.
        let expected = match moment {
            Moment::Before => kill.call - 1..=kill.call - 1,
            Moment::Middle => kill.call - 1..=kill.call,
            Moment::After => kill.call..=kill.call,
        };
        assert!(expected.contains(&calls), "{moment:?} {calls}");
        let recorded = recording.answered(recording.records.len()).unwrap().number;
        // The kill may come before this process has answered anything. And a line is recorded before it is printed, so
        // that another thread may be killed in between.
        let heard = run.answered().map_or(known, |answer| answer.number);
        assert!((heard..=heard + 1).contains(&recorded), "{recorded} {heard}");
        known = recorded;
    }
}

fn a_recording_of_a_folder_that_was_there_goes_on_from_it(base: BaseKind) {
    let first = Lab::new(base).unwrap();
    first.run(&first.plan(), &work("commits=20 close")).unwrap();
    let second = Lab::with(base, &first.image().unwrap()).unwrap();
    assert_complete(&second);
    let run = second.run(&second.plan(), &work("commits=20 close")).unwrap();
    assert_eq!((run.end, run.answered().unwrap().number), (End::DONE, 40), "{}", run.errors);
    assert_complete(&second);
}

fn a_sync_fails_once_and_the_process_hears_of_it(base: BaseKind) {
    let lab = Lab::new(base).unwrap();
    lab.run(&lab.plan(), &work("close")).unwrap();
    let opening = lab.recording().unwrap().counts().syncs;
    let lab = Lab::new(base).unwrap();
    let plan = Plan { fail_sync: Some(opening + 3), ..lab.plan() };
    let run = lab.run(&plan, &work("commits=40 close")).unwrap();
    assert_eq!(run.end, End::ABORTED, "{}", run.errors);
    assert!(run.errors.contains("fatal"), "{}", run.errors);
    assert_eq!(lab.recording().unwrap().failed_syncs().len(), 1);
    assert_complete(&lab);
}

fn a_full_disk_refuses_calls_and_has_room_again_when_told(base: BaseKind) {
    let lab = Lab::new(base).unwrap();
    lab.set_room(true).unwrap();
    let plan = Plan { full: Some(Full::Bytes(0)), ..lab.plan() };
    let run = lab.run(&plan, &work("commits=10 close")).unwrap();
    assert_eq!(run.end, End::DONE, "{}", run.errors);
    assert_eq!(lab.recording().unwrap().refused().count(), 0);
    let lab = Lab::new(base).unwrap();
    let run = lab.run(&Plan { full: Some(Full::Bytes(0)), ..lab.plan() }, &work("close")).unwrap();
    assert_eq!(run.end, End::Exited(1), "not even the folder can be made");
    assert!(run.errors.contains("No space left"), "{}", run.errors);
    assert!(lab.image().unwrap().0.is_empty());
}

fn a_slow_disk_is_slow_where_it_should_be(base: BaseKind) {
    let quick = Lab::new(base).unwrap();
    let quick = quick.run(&quick.plan(), &work("commits=10 close")).unwrap();
    let lab = Lab::new(base).unwrap();
    let slow = |path_part: &str| {
        let slow = Slow { path_part: path_part.to_owned(), sync_us: 300_000, mib_us: 0 };
        Plan { slow: Some(slow), ..lab.plan() }
    };
    let elsewhere = lab.run(&slow("nowhere"), &work("commits=10 close")).unwrap();
    let here = lab.run(&slow("data/log"), &work("commits=10 close")).unwrap();
    assert!(here.took > elsewhere.took + std::time::Duration::from_millis(300), "{quick:?} {here:?}");
}
