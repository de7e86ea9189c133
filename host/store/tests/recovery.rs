//! Opening a log that a crash, a failing disk or a careless hand has changed.

mod fixture;

use fixture::*;
use weir_store::memory::{CrashImage, MemoryBase, MemoryDisk, open_stepped, open_stepped_on};
use weir_store::{Commit, OpenError, StoreOptions, Write};

/// Commits one group each; returns the disk as it is after the death of the process.
fn record(groups: &[&[Write]], options: &StoreOptions) -> (MemoryDisk, Vec<Commit>) {
    let disk = MemoryDisk::new();
    let (store, stepper) = open_stepped(&disk, options.clone(), env()).unwrap();
    let mut commits = Vec::new();
    for writes in groups {
        let ts = commit(&*store, writes);
        assert!(stepper.write_group());
        commits.push(Commit { ts, writes: writes.to_vec(), touched: Vec::new() });
    }
    (disk.image(), commits)
}

fn one_segment() -> StoreOptions {
    StoreOptions { segment_bytes: u64::MAX, ..small_options() }
}

fn last_file(disk: &MemoryDisk) -> String {
    disk.file_names().pop().unwrap()
}

fn last_file_of_log(disk: &MemoryDisk) -> String {
    disk.file_names().into_iter().rfind(|name| name.ends_with(".log")).unwrap()
}

/// Opens the disk, and checks that it goes on: what it shows, and that a commit and another start work.
fn opens_with(disk: &MemoryDisk, commits: &[Commit], what: &str) {
    let (store, stepper) =
        open_stepped(disk, small_options(), env()).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!(dump(&store.snapshot_durable()), model(commits), "{what}");
    let last = commits.last().map_or(ts(0), |commit| commit.ts);
    assert_eq!((store.durable(), store.sequenced()), (last, last), "{what}");
    let next = commit(&*store, &[set("zz-new", "x")]);
    assert!(next > last, "{what}");
    assert!(stepper.write_group(), "{what}");
    let before = dump(&store.snapshot_durable());
    drop(store);
    let (store, _) = open_stepped(&disk.image(), small_options(), env()).unwrap();
    assert_eq!((dump(&store.snapshot_durable()), store.durable()), (before, next), "{what}");
}

#[test]
fn a_torn_tail_is_cut_at_every_byte_of_the_last_record() {
    let writes: Vec<Vec<Write>> =
        (0..4).map(|i| vec![set(format!("k{i}"), vec![i + 1; 700]), delete("k0")]).collect();
    let groups: Vec<&[Write]> = writes.iter().map(Vec::as_slice).collect();
    let (whole, commits) = record(&groups, &one_segment());
    let (shorter, _) = record(&groups[..3], &one_segment());
    let name = last_file(&whole);
    let (start, end) = (used_len(&shorter, &name), used_len(&whole, &name));
    assert!(end > start + 1000);
    for len in (start..end).step_by(3).chain(end - 20..end) {
        let disk = whole.image();
        disk.damage(&name, |bytes| bytes.truncate(len));
        opens_with(&disk, &commits[..3], &format!("cut to {len} of {end}"));
        // As long as it should be, but the end never reached the disk.
        let disk = whole.image();
        disk.damage(&name, |bytes| bytes[len..].fill(0));
        opens_with(&disk, &commits[..3], &format!("zeros from {len}"));
    }
    opens_with(&whole, &commits, "whole");
}

/// Length without the space that is allocated behind the last record.
fn used_len(disk: &MemoryDisk, name: &str) -> usize {
    disk_bytes(disk, name).iter().rposition(|byte| *byte != 0).map_or(0, |at| at + 1)
}

fn disk_bytes(disk: &MemoryDisk, name: &str) -> Vec<u8> {
    let mut copy = Vec::new();
    disk.damage(name, |bytes| copy.clone_from(bytes));
    copy
}

#[test]
fn the_cut_is_reported_and_durable() {
    let (disk, commits) = record(&[&[set("a", "1")], &[set("b", "2")]], &one_segment());
    let name = last_file(&disk);
    let used = used_len(&disk, &name);
    disk.damage(&name, |bytes| bytes.truncate(used - 5));
    let (store, _) = open_stepped(&disk, one_segment(), env()).unwrap();
    assert!(store.stats().cut_bytes > 0);
    assert_eq!(store.stats().replayed_commits, 1);
    let (store, _) = open_stepped(&disk.image(), one_segment(), env()).unwrap();
    assert_eq!(store.stats().cut_bytes, 0, "the cut was synced");
    assert_eq!(dump(&store.snapshot_durable()), model(&commits[..1]));
}

#[test]
fn a_flipped_bit_anywhere_is_refused_and_located() {
    let writes: Vec<Vec<Write>> = (0..3).map(|i| vec![set(format!("k{i}"), vec![i + 1; 700])]).collect();
    let groups: Vec<&[Write]> = writes.iter().map(Vec::as_slice).collect();
    let (whole, _) = record(&groups, &one_segment());
    let name = last_file(&whole);
    let used = used_len(&whole, &name);
    assert_eq!(used, 7 * 512, "a header and three records of two sectors");
    for at in (0..used).step_by(5).chain(used - 520..used) {
        let disk = whole.image();
        disk.damage(&name, |bytes| bytes[at] ^= 0x40);
        let before = disk_bytes(&disk, &name);
        let record_start = if at < 512 { 0 } else { (at as u64 - 512) / 1024 * 1024 + 512 };
        match open_stepped(&disk, one_segment(), env()).map(drop) {
            Err(OpenError::LogDamaged { path, offset, .. }) => {
                assert_eq!(
                    (path.file_name().unwrap().to_str().unwrap(), offset),
                    (name.as_str(), record_start),
                    "byte {at}"
                );
            }
            other => panic!("byte {at}: {other:?}"),
        }
        assert!(disk_bytes(&disk, &name) == before, "nothing is changed");
    }
}

#[test]
fn the_message_says_file_place_and_remedy() {
    let (disk, _) = record(&[&[set("a", "1")], &[set("b", "2")]], &one_segment());
    disk.damage(&last_file(&disk), |bytes| bytes[512..1024].fill(0));
    let message = open_stepped(&disk, one_segment(), env()).map(drop).unwrap_err().to_string();
    for part in [
        "00000000000000000001.log",
        "byte 512",
        "a later one begins at byte 1024",
        "restore the data folder from a backup",
    ] {
        assert!(message.contains(part), "{part:?} is missing in: {message}");
    }
}

#[test]
fn the_newest_segment_is_missed() {
    let writes: Vec<Vec<Write>> = (0..12).map(|i| vec![set(format!("k{i}"), vec![i; 90])]).collect();
    let groups: Vec<&[Write]> = writes.iter().map(Vec::as_slice).collect();
    let (disk, _) = record(&groups, &small_options());
    let newest = last_file(&disk);
    disk.remove_file(&newest);
    let error = open_stepped(&disk, small_options(), env()).map(drop).unwrap_err();
    assert!(matches!(&error, OpenError::LogMissing { path } if path.ends_with(&newest)), "{error}");
}

#[test]
fn a_log_that_is_older_than_the_base_is_refused() {
    for base in [MemoryBase::Rows, MemoryBase::Redb] {
        let disk = MemoryDisk::new();
        let (store, stepper) = open_stepped_on(base, &disk, one_segment(), env()).unwrap();
        for i in 0..4u8 {
            commit(&*store, &[set(vec![i], vec![i; 90])]);
            assert!(stepper.write_group());
        }
        let name = last_file_of_log(&disk);
        let older = disk_bytes(&disk, &name);
        let at_copy = disk.image();
        commit(&*store, &[set("new", "x")]);
        assert!(stepper.write_group());
        // A flush that is not made durable as a whole, and one that is.
        stepper.flush();
        let image = disk.crash(CrashImage::Written);
        image.damage(&name, |bytes| bytes.clone_from(&older));
        if base == MemoryBase::Rows {
            let error = open_stepped_on(base, &image, one_segment(), env()).map(drop).unwrap_err();
            assert!(matches!(error, OpenError::LogTooShort { .. }), "{error}");
        }
        store.checkpoint().unwrap();
        let image = disk.image();
        image.damage(&name, |bytes| bytes.clone_from(&older));
        let error = open_stepped_on(base, &image, one_segment(), env()).map(drop).unwrap_err();
        assert!(matches!(error, OpenError::LogTooShort { .. }), "{error}");
        assert!(error.to_string().contains("copied at different times"), "{error}");
        // A log that is newer than the base is what a base is for.
        let newer = disk_bytes(&disk, &name);
        at_copy.damage(&name, |bytes| bytes.clone_from(&newer));
        let (store, _) = open_stepped_on(base, &at_copy, one_segment(), env()).unwrap();
        assert_eq!(dump(&store.snapshot_durable()).len(), 5);
    }
}

#[test]
fn a_log_of_another_store_is_refused() {
    let (ours, _) = record(&[&[set("a", "1")]], &one_segment());
    let theirs = MemoryDisk::new();
    let other_env = std::sync::Arc::new(weir_store::SimEnv::new(8, ts(1_000)));
    let (store, stepper) = open_stepped(&theirs, one_segment(), other_env).unwrap();
    commit(&*store, &[set("b", "2")]);
    assert!(stepper.write_group());
    let name = last_file(&ours);
    let foreign = disk_bytes(&theirs, &name);
    ours.damage(&name, |bytes| *bytes = foreign);
    let error = open_stepped(&ours, one_segment(), env()).map(drop).unwrap_err();
    assert!(matches!(error, OpenError::LogForeign { .. }), "{error}");
}

#[test]
fn damage_at_the_end_of_an_older_segment_is_refused() {
    let writes: Vec<Vec<Write>> = (0..12).map(|i| vec![set(format!("k{i}"), vec![i; 90])]).collect();
    let groups: Vec<&[Write]> = writes.iter().map(Vec::as_slice).collect();
    let (whole, commits) = record(&groups, &small_options());
    let names = whole.file_names();
    assert!(names.len() >= 3);
    opens_with(&whole.image(), &commits, "whole");
    for name in &names[..names.len() - 1] {
        let changes: [fn(&mut Vec<u8>); 2] =
            [|bytes| bytes.truncate(bytes.len() - 1), |bytes| *bytes.last_mut().unwrap() ^= 1];
        for change in changes {
            let disk = whole.image();
            disk.damage(name, change);
            let error = open_stepped(&disk, small_options(), env()).map(drop).unwrap_err();
            assert!(matches!(&error, OpenError::LogDamaged { path, .. } if path.ends_with(name)), "{error}");
        }
    }
}

#[test]
fn a_missing_or_exchanged_segment_is_refused() {
    let writes: Vec<Vec<Write>> = (0..12).map(|i| vec![set(format!("k{i}"), vec![i; 90])]).collect();
    let groups: Vec<&[Write]> = writes.iter().map(Vec::as_slice).collect();
    let (whole, _) = record(&groups, &small_options());
    let names = whole.file_names();
    for name in &names[..names.len() - 1] {
        let disk = whole.image();
        disk.remove_file(name);
        let error = open_stepped(&disk, small_options(), env()).map(drop).unwrap_err();
        assert!(matches!(error, OpenError::LogMissing { .. }), "{name}: {error}");
    }
    let disk = whole.image();
    let second = disk_bytes(&disk, &names[1]);
    disk.damage(&names[0], |bytes| *bytes = second);
    let error = open_stepped(&disk, small_options(), env()).map(drop).unwrap_err();
    assert!(error.to_string().contains("was the file renamed"), "{error}");
}

#[test]
fn a_log_that_is_gone_while_the_base_remembers_it_is_refused() {
    let disk = MemoryDisk::new();
    let (store, stepper) = open_stepped(&disk, small_options(), env()).unwrap();
    commit(&*store, &[set("a", "1")]);
    stepper.write_group();
    store.close();
    let disk = disk.image();
    for name in disk.file_names() {
        disk.remove_file(&name);
    }
    let error = open_stepped(&disk, small_options(), env()).map(drop).unwrap_err();
    assert!(matches!(error, OpenError::LogMissing { .. }), "{error}");
}

#[test]
fn a_segment_whose_creation_was_interrupted_is_dropped() {
    let (whole, commits) = record(&[&[set("a", "1")], &[set("b", "2")]], &one_segment());
    let next = "00000000000000000002.log";
    for len in [0, 1, 20, 511, 512, 5000] {
        let disk = whole.image();
        disk.write_file(next, &vec![0; len]);
        opens_with(&disk, &commits, &format!("{len} bytes of a header"));
    }
    // With something behind the header it held records, so the header is damaged, not torn.
    let disk = whole.image();
    let mut bytes = [0; 1024];
    bytes[600] = 1;
    disk.write_file(next, &bytes);
    let error = open_stepped(&disk, small_options(), env()).map(drop).unwrap_err();
    assert!(matches!(error, OpenError::LogDamaged { offset: 0, .. }), "{error}");
}

#[test]
fn files_of_others_in_the_log_folder_do_no_harm() {
    let (disk, commits) = record(&[&[set("a", "1")]], &one_segment());
    for name in ["lost+found", "00000000000000000009.log.bak", "notes.txt"] {
        disk.write_file(name, b"hello");
    }
    opens_with(&disk, &commits, "foreign files");
}

#[test]
fn a_value_that_holds_a_copy_of_the_log_does_not_pass_for_it() {
    let (first, _) = record(&[&[set("a", "1")], &[set("b", "2")]], &one_segment());
    let copy = disk_bytes(&first, &last_file(&first));
    let (disk, commits) = record(&[&[set("a", "1")], &[set("evil", copy)]], &one_segment());
    let name = last_file(&disk);
    let used = used_len(&disk, &name);
    disk.damage(&name, |bytes| bytes.truncate(used - 1));
    opens_with(&disk, &commits[..1], "torn record with records inside");
}
