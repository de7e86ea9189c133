//! The base's files are on a slow disk: what is committed goes on being moved there, and nobody waits long.

mod fixture;

use weir_faults::options::base_folder;
use weir_faults::{End, History, Image, Lab, Plan, Sizes, Slow, Work, effort};
use weir_store::BaseKind;

const HISTORY: History = History { seed: 61, sizes: Sizes::Large };
/// 25 ms for 512 KiB.
const MIB_US: u64 = 50_000;
/// From the first try of a commit to its answer.
const SLOWEST_MAX_MS: u64 = 2000;

for_each_base!(nothing_stalls_behind_a_slow_base);

fn nothing_stalls_behind_a_slow_base(base: BaseKind) {
    // In memory only the plan makes the disk slow.
    let lab = Lab::in_memory(base, &Image::default()).unwrap();
    let slow = Slow { path_part: format!("data/{}", base_folder(base)), sync_us: 25_000, mib_us: MIB_US };
    let plan = Plan { slow: Some(slow), is_unrecorded: true, ..lab.plan() };
    let seconds = 5 * effort();
    let run = lab.run(&plan, &Work::new(HISTORY, &format!("seconds={seconds} checkpoint close"))).unwrap();
    let number = |word| run.values(word).next().and_then(|value| value.parse::<u64>().ok());
    assert_eq!(run.end, End::DONE, "{:?} {}", run.lines, run.errors);
    let (answered, slowest_ms) = (run.answered().unwrap().number, number("slowest").unwrap());
    let moved = number("moved").unwrap();
    println!("{answered} commits of 4 MB in {seconds} s, {moved} keys moved, slowest answer {slowest_ms} ms");
    assert!(slowest_ms < SLOWEST_MAX_MS, "a commit was answered after {slowest_ms} ms");
    // At least a megabyte a second of what the disk would take.
    assert!(moved >= seconds as u64 / 2, "only {moved} keys were moved");
    lab.verify(HISTORY, run.answered()).unwrap();
}
