//! Any byte of any file is another one: the folder does not open, or a read fails, or every read is right.
//! Nothing is ever wrong or missing without an error.

mod fixture;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use fixture::{Failures, case_seed};
use weir_faults::reading::{Outcome, read};
use weir_faults::{End, Entry, History, Image, Kill, Lab, Moment, Plan, Sizes, Work, stride};
use weir_store::BaseKind;

/// Damaged bytes of one file in an ordinary run.
const BYTES: usize = 40;
/// Where every byte is looked at, of a run of equal ones it is every so many: most of them are zeros of room that
/// nothing was written to, or the ones of what is free.
const RUN_BYTES: usize = 64;

for_each_base!(of_a_folder_that_was_closed, of_a_folder_of_a_process_that_was_killed);

fn history(sizes: Sizes) -> History {
    History { seed: 71, sizes }
}

/// A folder that was closed: commits in the base, and some in the log alone.
fn closed(base: BaseKind, sizes: Sizes) -> Image {
    let lab = Lab::new(base).unwrap();
    let work = Work::new(history(sizes), "commits=20 checkpoint commits=6 close");
    let run = lab.run(&lab.plan(), &work).unwrap();
    assert_eq!(run.end, End::DONE, "{}", run.errors);
    lab.image().unwrap()
}

/// And one that was not.
fn killed(base: BaseKind, sizes: Sizes) -> Image {
    let lab = Lab::new(base).unwrap();
    let plan = Plan { kill: Some(Kill { call: 180, moment: Moment::Middle }), ..lab.plan() };
    let work = Work::new(history(sizes), "commits=20 checkpoint commits=400");
    let run = lab.run(&plan, &work).unwrap();
    assert_eq!(run.end, End::KILLED, "{}", run.errors);
    lab.image().unwrap()
}

/// How many commits an undamaged folder shows.
fn commits(base: BaseKind, image: &Image, history: History) -> u64 {
    let lab = Lab::in_memory(base, image).unwrap();
    let run = lab.run(&lab.plan(), &Work::new(history, "")).unwrap();
    let opened = run.values("opened").next().and_then(|commits| commits.parse().ok());
    opened.expect("undamaged it reads well")
}

/// Some bytes of every file, each in a process of its own.
fn damage_some(base: BaseKind, image: &Image) {
    let history = history(Sizes::Small);
    let commits = commits(base, image, history);
    let mut failures = Failures::new(&format!("{base}, files with {commits} commits"));
    for (path, entry) in &image.0 {
        let Entry::File(bytes) = entry else { continue };
        let (zeros, full): (Vec<usize>, Vec<usize>) = (0..bytes.len()).partition(|at| bytes[*at] == 0);
        let picked = |offsets: Vec<usize>, wanted: usize| {
            let step = stride(offsets.len(), wanted);
            offsets.into_iter().skip(case_seed(step)).step_by(step).collect::<Vec<_>>()
        };
        for at in picked(full, BYTES).into_iter().chain(picked(zeros, BYTES / 4)) {
            let lab = Lab::in_memory(base, &damaged(image, path, at)).unwrap();
            let run = lab.read(history, commits).unwrap();
            let outcome = match run.end {
                End::Exited(0 | 1) => Ok(()),
                end => Err(format!("{end:?} {} {}", run.lines.join("; "), run.errors)),
            };
            failures.check(&format!("{} byte {at}", path.display()), outcome);
        }
    }
    failures.end();
}

fn damaged(image: &Image, path: &Path, at: usize) -> Image {
    let mut damaged = image.clone();
    if let Some(Entry::File(bytes)) = damaged.0.get_mut(path) {
        bytes[at] ^= 1 << (at % 8);
    }
    damaged
}

fn of_a_folder_that_was_closed(base: BaseKind) {
    damage_some(base, &closed(base, Sizes::Small));
}

fn of_a_folder_of_a_process_that_was_killed(base: BaseKind) {
    damage_some(base, &killed(base, Sizes::Small));
}

/// The bytes to damage: each that is not like both of its neighbours, and some of the others.
fn cases(image: &Image) -> Vec<(PathBuf, usize)> {
    let of_file = |(path, entry): (&PathBuf, &Entry)| {
        let Entry::File(bytes) = entry else { return Vec::new() };
        let is_case = |at: &usize| {
            let around = &bytes[at.saturating_sub(1)..bytes.len().min(at + 2)];
            around.iter().any(|byte| *byte != bytes[*at]) || at % RUN_BYTES == RUN_BYTES / 2
        };
        (0..bytes.len()).filter(is_case).map(|at| (path.clone(), at)).collect()
    };
    image.0.iter().flat_map(of_file).collect()
}

/// Damages every byte of a small folder in turn. Many thousand processes would take too long: this one opens
/// all of them itself, and two at a time.
fn damage_all(base: BaseKind, image: &Image) {
    let history = history(Sizes::Tiny);
    let commits = commits(base, image, history);
    let expected = history.state_after(commits);
    let cases = cases(image);
    let failures = Mutex::new(Failures::new(&format!("{base}, every byte, {commits} commits")));
    let errors: Mutex<BTreeMap<PathBuf, usize>> = Mutex::default();
    let damage = |cases: &[(PathBuf, usize)]| {
        for (path, at) in cases {
            let lab = Lab::in_memory(base, &damaged(image, path, *at)).unwrap();
            let outcome = match read(&lab.data(), base, history.sizes, &expected) {
                Outcome::Right => Ok(()),
                Outcome::Failed(_) => {
                    *errors.lock().unwrap().entry(path.clone()).or_default() += 1;
                    Ok(())
                }
                Outcome::Wrong(what) => Err(what),
            };
            failures.lock().unwrap().check(&format!("{} byte {at}", path.display()), outcome);
        }
    };
    let (first, second) = cases.split_at(cases.len() / 2);
    std::thread::scope(|scope| {
        scope.spawn(|| damage(first));
        damage(second);
    });
    for (path, errors) in errors.into_inner().unwrap() {
        let of = cases.iter().filter(|(of, _)| *of == path).count();
        println!("{}: {errors} of {of} damaged bytes are an error", path.display());
    }
    failures.into_inner().unwrap().end();
}

#[test]
fn every_byte_of_a_folder_that_was_closed() {
    damage_all(BaseKind::Redb, &closed(BaseKind::Redb, Sizes::Tiny));
}

#[test]
fn every_byte_of_a_folder_of_a_process_that_was_killed() {
    damage_all(BaseKind::Redb, &killed(BaseKind::Redb, Sizes::Tiny));
}
