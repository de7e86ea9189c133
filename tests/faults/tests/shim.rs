//! Single calls through the shim: what fails, what is seen afterwards, and what the disk has.

use weir_faults::{CrashImage, End, Entry, Full, Image, Kill, Lab, Moment, Plan};
use weir_store::BaseKind;

/// No store is made in it.
fn lab() -> Lab {
    Lab::new(BaseKind::Redb).unwrap()
}

/// Runs calls in a process of their own; returns what it printed.
#[track_caller]
fn probe(lab: &Lab, plan: &Plan, steps: &str) -> Vec<String> {
    let run = lab.probe(plan, steps).unwrap();
    assert_eq!(run.end, End::DONE, "{}", run.errors);
    assert_complete(lab);
    run.lines
}

/// The folder holds what the recording says it holds.
#[track_caller]
fn assert_complete(lab: &Lab) {
    let recorded = lab.recording().unwrap().end().image(CrashImage::Written);
    assert_eq!(recorded.difference(&lab.image().unwrap()), None);
}

fn synced(lab: &Lab) -> Image {
    lab.recording().unwrap().end().image(CrashImage::Synced)
}

fn content(image: &Image, path: &str) -> Option<String> {
    match image.0.get(std::path::Path::new(path))? {
        Entry::File(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        Entry::Folder => None,
    }
}

#[test]
fn what_a_failed_sync_lost_shows_until_the_cache_forgets_it() {
    let lab = lab();
    probe(&lab, &lab.plan(), "write:f:old sync:f sync:");
    let plan = Plan { fail_sync: Some(1), ..lab.plan() };
    let lines = probe(&lab, &plan, "write:f:new sync:f sync:f");
    assert_eq!(lines, ["sync:f failed: Input/output error (os error 5)"], "once, and then all seems well");
    assert_eq!(probe(&lab, &lab.plan(), "print:f sync:f"), ["new"]);
    assert_eq!(content(&synced(&lab), "f").unwrap(), "old");
    assert_eq!(probe(&lab, &lab.plan(), "evict:f print:f"), ["old"]);
    probe(&lab, &lab.plan(), "write:f:now sync:f");
    assert_eq!(content(&synced(&lab), "f").unwrap(), "now");
    assert_eq!(probe(&lab, &lab.plan(), "evict:f print:f"), ["now"]);
}

#[test]
fn names_are_durable_with_their_folder() {
    let lab = lab();
    probe(&lab, &lab.plan(), "write:a:1 sync:a");
    assert_eq!(synced(&lab), Image::default());
    probe(&lab, &lab.plan(), "sync: rename:a:b write:c:2");
    assert_eq!(content(&synced(&lab), "a").as_deref(), Some("1"));
    probe(&lab, &lab.plan(), "sync: remove:b");
    let image = synced(&lab);
    assert_eq!((content(&image, "a"), content(&image, "b").as_deref()), (None, Some("1")));
    assert_eq!(content(&image, "c").as_deref(), Some(""), "the name without the content");
}

#[test]
fn a_full_disk_takes_a_part_and_then_nothing() {
    let lab = lab();
    let entry = 4096;
    let plan = Plan { full: Some(Full::Bytes(entry + 6)), ..lab.plan() };
    let lines = probe(&lab, &plan, "free: write:f:0123456789 print:f write:f:abc append:f:x free: write:g:y");
    let full = "No space left on device (os error 28)";
    // The disk's blocks are no smaller than this.
    assert_eq!(lines[0], (entry).to_string());
    assert_eq!(lines[1], format!("write:f:0123456789 failed: {full}"));
    assert_eq!(lines[2], "012345", "what fits is written");
    assert_eq!(lines[3], format!("append:f:x failed: {full}"), "and what is there can be written over");
    assert_eq!((lines[4].as_str(), lines[5].as_str()), ("0", format!("write:g:y failed: {full}").as_str()));
    let lines = probe(&lab, &plan, "remove:f write:h:0123456789 reserve:h:5000 print:h");
    assert_eq!(lines, [format!("reserve:h:5000 failed: {full}"), "0123456789".to_owned()]);
}

#[test]
fn room_that_was_reserved_is_there() {
    let lab = lab();
    probe(&lab, &lab.plan(), "write:f:0123456789 reserve:f:20000 print:f");
    let plan = Plan { full: Some(Full::Bytes(0)), ..lab.plan() };
    assert_eq!(probe(&lab, &plan, "append:f:abc print:f"), ["0123456789abc"]);
}

#[test]
fn calls_are_refused_for_a_while() {
    let lab = lab();
    probe(&lab, &lab.plan(), "write:f:0");
    let plan = Plan { full: Some(Full::Calls { from: 2, calls: 2 }), ..lab.plan() };
    let lines = probe(&lab, &plan, "append:f:1 append:f:2345 append:f:6 append:f:7 print:f");
    let failed = |step: &str| format!("{step} failed: No space left on device (os error 28)");
    assert_eq!(lines, [failed("append:f:2345"), failed("append:f:6"), "01237".to_owned()]);
    assert_eq!(lab.recording().unwrap().refused().count(), 2);
}

#[test]
fn a_kill_is_before_in_or_behind_a_call() {
    let text = "x".repeat(1500);
    for (moment, expected) in [(Moment::Before, 1), (Moment::Middle, 512), (Moment::After, 1501)] {
        let lab = lab();
        probe(&lab, &lab.plan(), "write:f:0");
        let plan = Plan { kill: Some(Kill { call: 1, moment }), ..lab.plan() };
        let run = lab.probe(&plan, &format!("append:f:{text} append:f:5")).unwrap();
        assert_eq!(run.end, End::KILLED);
        assert_complete(&lab);
        assert_eq!(content(&lab.image().unwrap(), "f").unwrap().len(), expected, "{moment:?}");
    }
}
