//! Opening a log that a crash, a failing disk or a careless hand has changed.

mod fixture;

use fixture::*;
use weir_store::memory::{MemoryDisk, open_stepped};
use weir_store::{Commit, OpenError, StoreOptions, Write};

/// Commits one group each; returns the disk as it is after the death of the process.
fn record(groups: &[&[Write]], options: &StoreOptions) -> (MemoryDisk, Vec<Commit>) {
    let disk = MemoryDisk::new();
    let (store, stepper) = open_stepped(&disk, options.clone(), env()).unwrap();
    let mut commits = Vec::new();
    for writes in groups {
        let ts = commit(&*store, writes);
        assert!(stepper.write_group());
        commits.push(Commit { ts, writes: writes.to_vec() });
    }
    (disk.image(), commits)
}

fn one_segment() -> StoreOptions {
    StoreOptions { segment_bytes: u64::MAX, ..small_options() }
}

fn last_file(disk: &MemoryDisk) -> String {
    disk.file_names().pop().unwrap()
}

fn file_len(disk: &MemoryDisk, name: &str) -> usize {
    let mut len = 0;
    disk.damage(name, |bytes| len = bytes.len());
    len
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
        (0..4).map(|i| vec![set(format!("k{i}"), format!("value {i}")), delete("k0")]).collect();
    let groups: Vec<&[Write]> = writes.iter().map(Vec::as_slice).collect();
    let (whole, commits) = record(&groups, &one_segment());
    let (shorter, _) = record(&groups[..3], &one_segment());
    let name = last_file(&whole);
    let (start, end) = (file_len(&shorter, &name), file_len(&whole, &name));
    assert!(end > start + 40);
    for len in start..end {
        let disk = whole.image();
        disk.damage(&name, |bytes| bytes.truncate(len));
        opens_with(&disk, &commits[..3], &format!("cut to {len} of {end}"));
        // As long as it should be, but the end never reached the disk.
        let disk = whole.image();
        disk.damage(&name, |bytes| bytes[len..].fill(0));
        // The last byte of the record may be a zero already.
        let unchanged = disk_bytes(&disk, &name) == disk_bytes(&whole, &name);
        opens_with(&disk, &commits[..if unchanged { 4 } else { 3 }], &format!("zeros from {len}"));
    }
    opens_with(&whole, &commits, "whole");
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
    disk.damage(&name, |bytes| bytes.truncate(bytes.len() - 5));
    let (store, _) = open_stepped(&disk, one_segment(), env()).unwrap();
    assert!(store.stats().cut_bytes > 0);
    assert_eq!(store.stats().replayed_commits, 1);
    let (store, _) = open_stepped(&disk.image(), one_segment(), env()).unwrap();
    assert_eq!(store.stats().cut_bytes, 0, "the cut was synced");
    assert_eq!(dump(&store.snapshot_durable()), model(&commits[..1]));
}

#[test]
fn a_flipped_byte_before_the_last_record_is_refused_and_located() {
    let writes: Vec<Vec<Write>> = (0..3).map(|i| vec![set(format!("k{i}"), format!("value {i}"))]).collect();
    let groups: Vec<&[Write]> = writes.iter().map(Vec::as_slice).collect();
    let (whole, _) = record(&groups, &one_segment());
    let (two, _) = record(&groups[..2], &one_segment());
    let (one, _) = record(&groups[..1], &one_segment());
    let name = last_file(&whole);
    let (end_of_one, end_of_two) = (file_len(&one, &name), file_len(&two, &name));
    for at in 0..end_of_two {
        let disk = whole.image();
        disk.damage(&name, |bytes| bytes[at] ^= 0x40);
        let before = disk_bytes(&disk, &name);
        let record_start = if at < 44 {
            0
        } else if at < end_of_one {
            44
        } else {
            end_of_one as u64
        };
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
    disk.damage(&last_file(&disk), |bytes| bytes[50] ^= 1);
    let message = open_stepped(&disk, one_segment(), env()).map(drop).unwrap_err().to_string();
    for part in [
        "00000000000000000001.log",
        "byte 44",
        "a whole record follows at byte",
        "restore the data folder from a backup",
    ] {
        assert!(message.contains(part), "{part:?} is missing in: {message}");
    }
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
        let changes: [fn(&mut Vec<u8>); 3] = [
            |bytes| bytes.truncate(bytes.len() - 1),
            |bytes| *bytes.last_mut().unwrap() ^= 1,
            |bytes| bytes.push(0),
        ];
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
fn a_log_that_is_gone_while_the_fold_remembers_it_is_refused() {
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
    for len in [0, 1, 20, 43, 44] {
        let disk = whole.image();
        disk.write_file(next, &vec![0; len]);
        opens_with(&disk, &commits, &format!("{len} bytes of a header"));
    }
    // With a byte behind the header it held records, so the header is damaged, not torn.
    let disk = whole.image();
    disk.write_file(next, &[0; 45]);
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
    disk.damage(&last_file(&disk), |bytes| bytes.truncate(bytes.len() - 1));
    opens_with(&disk, &commits[..1], "torn record with records inside");
}

#[test]
fn damage_to_a_last_record_that_is_folded_loses_nothing_and_time_does_not_go_back() {
    let disk = MemoryDisk::new();
    let (store, stepper) = open_stepped(&disk, one_segment(), env()).unwrap();
    let mut commits = Vec::new();
    for key in ["a", "b"] {
        let writes = vec![set(key, "v")];
        commits.push(Commit { ts: commit(&*store, &writes), writes });
        assert!(stepper.write_group());
    }
    store.checkpoint().unwrap();
    let disk = disk.image();
    disk.damage(&last_file(&disk), |bytes| *bytes.last_mut().unwrap() ^= 1);
    opens_with(&disk, &commits, "the fold has it");
}
