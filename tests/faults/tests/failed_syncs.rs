//! A sync fails, and what it should have made durable is lost for good, though the cache still shows it: the
//! process ends, and what is answered from then on is on the disk.

mod fixture;

use fixture::{Failures, case_seed};
use weir_faults::{CrashImage, End, History, Image, Lab, Plan, Recording, Sizes, Work, stride};
use weir_store::BaseKind;

const HISTORY: History = History { seed: 41, sizes: Sizes::Small };
const STEPS: &str = "commits=30 checkpoint commits=20 close";
/// Syncs that fail, of one scenario in an ordinary run.
const SYNCS: usize = 24;
/// Torn images after each of them.
const TORN: u64 = 1;

for_each_base!(a_new_folder, a_folder_that_was_there);

/// Makes each sync of a process fail in turn, starts another process on the folder as it is, and cuts the
/// power when that has answered.
fn fail_everywhere(base: BaseKind, image: Option<&Image>) {
    let lab = || image.map_or_else(|| Lab::new(base), |image| Lab::with(base, image)).unwrap();
    let whole = lab();
    let run = whole.run(&whole.plan(), &Work::new(HISTORY, STEPS)).unwrap();
    assert_eq!(run.end, End::DONE, "{}", run.errors);
    let syncs = whole.recording().unwrap().counts().syncs;
    let step = stride(usize::try_from(syncs).unwrap(), SYNCS);
    let mut failures = Failures::new(&format!("of {syncs} syncs"));
    for (index, sync) in (1..=syncs).skip(case_seed(step)).step_by(step).enumerate() {
        let lab = lab();
        let forgets = index % 2 == 1;
        let outcome = fail_one(base, &lab, sync, forgets);
        let failed = lab.recording().unwrap().failed_syncs();
        failures.check(&format!("sync {sync} {failed:?}, the cache forgets it: {forgets}"), outcome);
    }
    failures.end();
}

/// When the cache `forgets`, its clean pages are gone before the next start, as they may be at any time.
fn fail_one(base: BaseKind, lab: &Lab, sync: u64, forgets: bool) -> Result<(), String> {
    let plan = Plan { fail_sync: Some(sync), ..lab.plan() };
    let failed = lab.run(&plan, &Work::new(HISTORY, STEPS)).unwrap();
    let recording = lab.recording().unwrap();
    let went_on = failed.end == End::DONE;
    if went_on && !recording.failed_syncs().iter().all(|failed| recording.may_be_ignored(failed)) {
        return Err(format!("the process went on: {}", failed.errors));
    }
    if !matches!(failed.end, End::ABORTED | End::Exited(_)) {
        return Err(format!("the process ended so: {:?} {}", failed.end, failed.errors));
    }
    if forgets {
        lab.forget().unwrap();
    }
    let next = lab.run(&lab.plan(), &Work::new(HISTORY, "commits=3")).unwrap();
    if next.end != End::DONE {
        return Err(format!("the next start: {:?} {}", next.end, next.errors));
    }
    check_power_cuts(base, &lab.recording().unwrap(), sync)?;
    // And without a power failure.
    lab.verify(HISTORY, next.answered())
}

/// The power fails right behind the last answer, or when the store is closed.
fn check_power_cuts(base: BaseKind, recording: &Recording, seed: u64) -> Result<(), String> {
    let whole = recording.records.len();
    let answered = recording.answered(whole);
    let last_answer = (0..whole).find(|count| recording.answered(*count) == answered).unwrap_or(whole);
    let mut outcome = Ok(());
    recording.follow(|count, system| {
        if outcome.is_err() || (count != last_answer && count != whole) {
            return;
        }
        let torn = (0..TORN).map(|torn| CrashImage::Torn { seed: seed * 100 + torn });
        outcome = [CrashImage::Synced, CrashImage::Written].into_iter().chain(torn).try_for_each(|image| {
            let after = Lab::in_memory(base, &system.image(image)).unwrap();
            let verified = after.verify(HISTORY, answered);
            verified.map_err(|what| format!("{image:?} after record {count} of {whole}: {what}"))
        });
    });
    outcome
}

fn a_new_folder(base: BaseKind) {
    fail_everywhere(base, None);
}

fn a_folder_that_was_there(base: BaseKind) {
    let lab = Lab::new(base).unwrap();
    // Not closed: the log has commits that the base does not have.
    let run = lab.run(&lab.plan(), &Work::new(HISTORY, "commits=40 checkpoint commits=15")).unwrap();
    assert_eq!(run.end, End::DONE, "{}", run.errors);
    fail_everywhere(base, Some(&lab.image().unwrap()));
}
