//! Any byte of any file is another one: the folder does not open, or a read fails, or every read is right.
//! Nothing is ever wrong or missing without an error.

mod fixture;

use fixture::{Failures, case_seed};
use weir_faults::{End, Entry, History, Image, Kill, Lab, Moment, Plan, Sizes, Work, stride};

const HISTORY: History = History { seed: 71, sizes: Sizes::Small };
/// Damaged bytes of one file in an ordinary run.
const BYTES: usize = 40;

/// Damages every byte of every file in turn.
fn damage_everywhere(image: &Image) {
    let commits = read(image).expect("undamaged it reads well");
    let mut failures = Failures::new(&format!("files with {commits} commits"));
    for (path, entry) in &image.0 {
        let Entry::File(bytes) = entry else { continue };
        // Long runs of zeros are room that nothing was written to; a few of them will do.
        let (zeros, full): (Vec<usize>, Vec<usize>) = (0..bytes.len()).partition(|at| bytes[*at] == 0);
        let picked = |offsets: Vec<usize>, wanted: usize| {
            let step = stride(offsets.len(), wanted);
            offsets.into_iter().skip(case_seed(step)).step_by(step).collect::<Vec<_>>()
        };
        for at in picked(full, BYTES).into_iter().chain(picked(zeros, BYTES / 4)) {
            let mut damaged = image.clone();
            let Some(Entry::File(bytes)) = damaged.0.get_mut(path) else { continue };
            bytes[at] ^= 1 << (at % 8);
            failures.check(&format!("{} byte {at}", path.display()), read_damaged(&damaged, commits));
        }
    }
    failures.end();
}

/// How many commits an undamaged folder shows.
fn read(image: &Image) -> Option<u64> {
    let lab = Lab::in_memory(image).unwrap();
    let run = lab.run(&lab.plan(), &Work::new(HISTORY, "")).unwrap();
    run.values("opened").next()?.parse().ok()
}

fn read_damaged(image: &Image, commits: u64) -> Result<(), String> {
    let lab = Lab::in_memory(image).unwrap();
    let run = lab.read(HISTORY, commits).unwrap();
    match run.end {
        End::Exited(0 | 1) => Ok(()),
        end => Err(format!("{end:?} {} {}", run.lines.join("; "), run.errors)),
    }
}

#[test]
fn of_a_folder_that_was_closed() {
    let lab = Lab::new().unwrap();
    let run = lab.run(&lab.plan(), &Work::new(HISTORY, "commits=20 checkpoint commits=6 close")).unwrap();
    assert_eq!(run.end, End::DONE, "{}", run.errors);
    damage_everywhere(&lab.image().unwrap());
}

#[test]
fn of_a_folder_of_a_process_that_was_killed() {
    let lab = Lab::new().unwrap();
    let plan = Plan { kill: Some(Kill { call: 80, moment: Moment::Middle }), ..lab.plan() };
    let run = lab.run(&plan, &Work::new(HISTORY, "commits=20 checkpoint commits=400")).unwrap();
    assert_eq!(run.end, End::KILLED, "{}", run.errors);
    damage_everywhere(&lab.image().unwrap());
}
