//! The power fails at any moment: whatever the disk has kept of what was not synced, the folder opens and has
//! all that was answered.

mod fixture;

use std::path::Path;

use fixture::{Failures, case_seed};
use weir_faults::options::LOG_FOLDER;
use weir_faults::{CrashImage, End, History, Kill, Lab, Moment, Plan, Recording, Sizes, Work, stride};
use weir_store::BaseKind;

/// Moments of one recording in an ordinary run.
const POINTS: usize = 16;
/// Torn images at each of them.
const TORN: u64 = 3;

for_each_base!(a_store_whose_syncs_do_nothing_is_caught, one_process, several_processes_each_killed);

/// Cuts the power at many moments of a recording.
fn cut_everywhere(base: BaseKind, recording: &Recording, history: History) {
    let step = stride(recording.records.len(), POINTS);

    let mut failures = Failures::new(&format!("of {} records", recording.records.len()));
    recording.follow(|count, system| {
        if count % step != case_seed(step) && count != recording.records.len() {
            return;
        }
        let seeds = (0..TORN).map(|seed| CrashImage::Torn { seed: count as u64 * 1000 + seed });
        for image in [CrashImage::Synced, CrashImage::Written].into_iter().chain(seeds) {
            let lab = Lab::in_memory(base, &system.image(image)).unwrap();
            let outcome = lab.verify(history, recording.answered(count));
            failures.check(&format!("{image:?} after record {count}"), outcome);
        }
    });
    failures.end();
}

/// A disk that keeps nothing of what a program syncs loses answered commits: these tests would see it.
fn a_store_whose_syncs_do_nothing_is_caught(base: BaseKind) {
    let history = History { seed: 33, sizes: Sizes::Small };
    let lab = Lab::new(base).unwrap();
    let run = lab.run(&lab.plan(), &Work::new(history, "commits=30")).unwrap();
    assert_eq!(run.end, End::DONE, "{}", run.errors);
    let whole = lab.recording().unwrap();
    let answered = whole.answered(whole.records.len());
    let without = whole.without_syncs(&Path::new("data").join(LOG_FOLDER));
    for (recording, is_safe) in [(whole, true), (without, false)] {
        let lab = Lab::in_memory(base, &recording.end().image(CrashImage::Synced)).unwrap();
        let outcome = lab.verify(history, answered);
        assert_eq!(outcome.is_ok(), is_safe, "{outcome:?}");
    }
}

fn one_process(base: BaseKind) {
    let history = History { seed: 31, sizes: Sizes::Mixed };
    let lab = Lab::new(base).unwrap();
    let steps = "commits=60 checkpoint commits=40 checkpoint commits=10 close";
    let run = lab.run(&lab.plan(), &Work::new(history, steps)).unwrap();
    assert_eq!(run.end, End::DONE, "{}", run.errors);
    cut_everywhere(base, &lab.recording().unwrap(), history);
}

fn several_processes_each_killed(base: BaseKind) {
    let history = History { seed: 32, sizes: Sizes::Small };
    let lab = Lab::new(base).unwrap();
    for (call, moment) in [(90, Moment::Middle), (70, Moment::Before), (110, Moment::After)] {
        let plan = Plan { kill: Some(Kill { call, moment }), ..lab.plan() };
        let run = lab.run(&plan, &Work::new(history, "commits=40 checkpoint commits=400")).unwrap();
        assert_eq!(run.end, End::KILLED, "{}", run.errors);
    }
    cut_everywhere(base, &lab.recording().unwrap(), history);
}
