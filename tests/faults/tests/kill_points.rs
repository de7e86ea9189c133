//! The process dies at every call that changes a file: every later start succeeds and has all that was
//! answered.

mod fixture;

use fixture::{Failures, case_seed};
use weir_faults::{End, History, Image, Kill, Lab, Moment, Plan, Sizes, Work, stride};
use weir_store::BaseKind;

const HISTORY: History = History { seed: 21, sizes: Sizes::Small };
const MOMENTS: [Moment; 3] = [Moment::Before, Moment::Middle, Moment::After];
/// Kills of one scenario in an ordinary run.
const KILLS: usize = 90;

for_each_base!(a_new_folder, a_folder_of_a_process_that_was_killed, a_folder_that_was_closed);

fn lab(base: BaseKind, image: Option<&Image>) -> Lab {
    image.map_or_else(|| Lab::new(base), |image| Lab::with(base, image)).unwrap()
}

/// Kills the process that does `steps` on `image` at each of its calls in turn.
fn kill_everywhere(base: BaseKind, image: Option<&Image>, steps: &str) {
    let work = Work::new(HISTORY, steps);
    let whole = lab(base, image);
    let run = whole.run(&whole.plan(), &work).unwrap();
    assert_eq!(run.end, End::DONE, "{}", run.errors);
    let calls = whole.recording().unwrap().counts().calls;
    let kills: Vec<(u64, Moment)> =
        (1..=calls).flat_map(|call| MOMENTS.map(|moment| (call, moment))).collect();
    let step = stride(kills.len(), KILLS);
    let mut failures = Failures::new(&format!("of {calls} calls"));
    // The first ones are another each seed, so that longer and shorter runs do not look at the same alone.
    for (call, moment) in kills.into_iter().skip(case_seed(step)).step_by(step) {
        let lab = lab(base, image);
        let plan = Plan { kill: Some(Kill { call, moment }), ..lab.plan() };
        let run = lab.run(&plan, &work).unwrap();
        // Threads run in another order each time: there may have been fewer calls.
        if run.end != End::KILLED && run.end != End::DONE {
            failures.note(&format!("{moment:?} {call}"), &format!("{:?}: {}", run.end, run.errors));
            continue;
        }
        failures.check(&format!("{moment:?} {call}"), lab.verify(HISTORY, run.answered()));
    }
    failures.end();
}

fn a_new_folder(base: BaseKind) {
    kill_everywhere(base, None, "commits=12 checkpoint commits=6 close");
}

fn a_folder_of_a_process_that_was_killed(base: BaseKind) {
    let lab = Lab::new(base).unwrap();
    let plan = Plan { kill: Some(Kill { call: 150, moment: Moment::Middle }), ..lab.plan() };
    let run = lab.run(&plan, &Work::new(HISTORY, "commits=40 checkpoint commits=200")).unwrap();
    assert_eq!(run.end, End::KILLED, "{}", run.errors);
    kill_everywhere(base, Some(&lab.image().unwrap()), "commits=6 checkpoint close");
}

fn a_folder_that_was_closed(base: BaseKind) {
    let lab = Lab::new(base).unwrap();
    let run = lab.run(&lab.plan(), &Work::new(HISTORY, "commits=60 checkpoint commits=20 close")).unwrap();
    assert_eq!(run.end, End::DONE, "{}", run.errors);
    kill_everywhere(base, Some(&lab.image().unwrap()), "commits=6 checkpoint close");
}
