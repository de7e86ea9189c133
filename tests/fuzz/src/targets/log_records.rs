//! Logs: commits are written, the log is damaged as by a disk or by a hand, and opened. Either the store says what is
//! wrong, or it shows the state after some of the first commits, all of each: never other data.
//!
//! | line | what it does |
//! |---|---|
//! | `set KEY VALUE`, `delete KEY` | a write of the next commit |
//! | `commit` | sequences it |
//! | `sync` | writes all commits as one group; the end of the writes does, too |
//! | `checkpoint` | moves what is durable into the base |
//! | `damage FILE` | the edits that follow are of this file of the log, by number; the first one ends the writes |
//! | `flip AT BIT` and other edits | damage |
//! | `lose FILE` | a file is gone |
//! | `fill TEXT` | the file holds this alone |

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use weir_store::memory::{MemoryDisk, Stepper, open_stepped};
use weir_store::{Direction, Env, OpenError, SimEnv, Snapshot, Store, StoreOptions, Timestamp, Write};

use super::Target;
use crate::edits;
use crate::script::{lines, number};

pub(super) const TARGET: Target = Target {
    name: "log_records",
    run,
    dictionary: &[
        "\nset a ",
        "\nset b ",
        "\ndelete a",
        "\ncommit",
        "\nsync",
        "\ncheckpoint",
        "\ndamage 0",
        "\ndamage 1",
        "\nlose 0",
        "\nflip ",
        "\nset ",
        "\nzero ",
        "\ncut ",
        "\ndrop ",
        "\ninsert ",
        "\ncopy ",
        "\nfill ",
        "512 512",
        "1024",
        "512",
        "508",
        "1536",
        " 0 512",
    ],
    bytes_max: 4096,
    rounds: 8_000,
    is_in_process: true,
};

/// Small segments, so that a short script has several.
fn options() -> StoreOptions {
    StoreOptions {
        segment_bytes: 4 * 512,
        log_room_bytes: 0,
        disk_reserve_bytes: 0,
        ..StoreOptions::default()
    }
}

fn env() -> Arc<dyn Env> {
    Arc::new(SimEnv::new(7, Timestamp::from_nanos(1_000)))
}

type Rows = Vec<(Bytes, Bytes)>;

/// A store in the making.
struct Writing {
    disk: MemoryDisk,
    store: Arc<dyn Store>,
    stepper: Stepper,
    writes: Vec<Write>,
    /// The state after each commit, the first after none.
    states: Vec<Rows>,
    checkpointed: usize,
}

/// How a damaged log is opened.
#[derive(Debug, PartialEq)]
enum Opened {
    /// The store says what is wrong.
    Refused,
    /// It shows the state after so many commits.
    After(usize),
}

fn run(input: &[u8]) {
    open_after(input);
}

fn open_after(input: &[u8]) -> Opened {
    let script = lines(input, 80);
    let mut writing = Writing::new();
    let is_write = |(word, _): &&(String, String)| !matches!(word.as_str(), "damage" | "lose");
    let written = script.iter().take_while(is_write).count();
    script[..written].iter().for_each(|(word, rest)| writing.step(word, rest));
    writing.commit();
    writing.sync();
    let Writing { disk, states, checkpointed, .. } = writing;
    let disk = disk.image();
    let is_damaged = damage(&disk, &script[written..]);
    check(&disk, &states, checkpointed, is_damaged)
}

impl Writing {
    fn new() -> Writing {
        let disk = MemoryDisk::new();
        let (store, stepper) = open_stepped(&disk, options(), env()).expect("a new store");
        Writing { disk, store, stepper, writes: Vec::new(), states: vec![Vec::new()], checkpointed: 0 }
    }

    fn step(&mut self, word: &str, rest: &str) {
        match word {
            "set" => {
                let (key, value) = rest.split_once(' ').unwrap_or((rest, ""));
                self.write(key, Some(value.as_bytes().to_vec().into()));
            }
            "delete" => self.write(rest, None),
            "commit" => self.commit(),
            "sync" => self.sync(),
            "checkpoint" => {
                self.sync();
                self.store.checkpoint().expect("the disk is well");
                self.checkpointed = self.states.len() - 1;
            }
            _ => {}
        }
    }

    fn write(&mut self, key: &str, value: Option<Bytes>) {
        self.writes.push(Write { key: key.as_bytes().to_vec().into(), value });
    }

    fn commit(&mut self) {
        // One write a key, as transactions have it.
        let writes: BTreeMap<Bytes, Write> =
            self.writes.drain(..).map(|write| (write.key.clone(), write)).collect();
        if writes.is_empty() {
            return;
        }
        let mut rows: BTreeMap<Bytes, Bytes> = self.states.last().expect("a state").iter().cloned().collect();
        for write in writes.values() {
            match &write.value {
                Some(value) => rows.insert(write.key.clone(), value.clone()),
                None => rows.remove(&write.key),
            };
        }
        let writes: Vec<Write> = writes.into_values().collect();
        self.store.sequence(&mut |_| writes.clone().into()).expect("the store takes the commit");
        self.states.push(rows.into_iter().collect());
    }

    fn sync(&mut self) {
        while self.stepper.write_group() {}
    }
}

/// Whether anything was changed.
fn damage(disk: &MemoryDisk, script: &[(String, String)]) -> bool {
    let (mut chosen, mut is_damaged) = (0, false);
    for (word, rest) in script {
        let names: Vec<String> =
            disk.file_names().into_iter().filter(|name| name.ends_with(".log")).collect();
        match word.as_str() {
            _ if names.is_empty() => return is_damaged,
            "damage" => chosen = number(rest),
            "lose" => {
                disk.remove_file(&names[number(rest) % names.len()]);
                is_damaged = true;
            }
            _ => disk.damage(&names[chosen % names.len()], |bytes| {
                let before = bytes.clone();
                match word.as_str() {
                    "fill" => *bytes = rest.as_bytes().to_vec(),
                    _ => drop(edits::apply(bytes, &format!("{word} {rest}"))),
                }
                is_damaged |= *bytes != before;
            }),
        }
    }
    is_damaged
}

fn check(disk: &MemoryDisk, states: &[Rows], checkpointed: usize, is_damaged: bool) -> Opened {
    let opened = open_stepped(disk, options(), env());
    let (store, stepper) = match opened {
        Ok(opened) => opened,
        Err(error) => {
            assert!(is_damaged, "a sound log is refused: {error}");
            assert!(!matches!(error, OpenError::Io { .. }), "damage is told as such: {error}");
            return Opened::Refused;
        }
    };
    let shown = rows(&store.snapshot_durable());
    let prefix = states.iter().rposition(|state| *state == shown);
    let prefix = prefix.unwrap_or_else(|| panic!("data that was never there: {shown:?} of {states:?}"));
    assert!(
        is_damaged || prefix == states.len() - 1 || shown == states[states.len() - 1],
        "something is missing"
    );
    assert!(prefix >= checkpointed, "what the base holds is missing");
    // And the store goes on.
    let writes = vec![Write { key: Bytes::from_static(b"zz-new"), value: Some(Bytes::from_static(b"x")) }];
    store.sequence(&mut |_| writes.clone().into()).expect("the store takes a commit");
    while stepper.write_group() {}
    let before = rows(&store.snapshot_durable());
    drop(store);
    let again = open_stepped(&disk.image(), options(), env());
    let (store, _) = again.unwrap_or_else(|error| panic!("a log that was mended is refused: {error}"));
    assert_eq!(rows(&store.snapshot_durable()), before);
    Opened::After(prefix)
}

fn rows(snapshot: &Snapshot) -> Rows {
    snapshot.scan(b"", &[0xff; 16], Direction::Ascending, usize::MAX).expect("the base can be read")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damage_is_refused_and_a_torn_end_is_cut() {
        let writes = "set a 1\ncommit\nsync\nset a 2\ncommit\nsync\n".to_owned();
        let large = format!("{writes}set b {}\n", "x".repeat(600));
        for (script, expected) in [
            (writes.clone(), Opened::After(2)),
            (format!("{writes}damage 0\nflip 600 3"), Opened::Refused),
            (format!("{writes}damage 0\nflip 1100 3"), Opened::Refused),
            (format!("{writes}damage 0\ncut 1100"), Opened::After(1)),
            (format!("{writes}damage 0\nzero 512 512"), Opened::Refused),
            (format!("{writes}damage 0\nzero 1024 512"), Opened::After(1)),
            (large.clone(), Opened::After(3)),
            (format!("{large}damage 0\nzero 2048 512"), Opened::After(2)),
            (format!("{large}damage 0\nzero 1536 512"), Opened::After(2)),
            (format!("{}lose 0", writes.repeat(4)), Opened::Refused),
            (format!("{}lose 9", writes.repeat(4)), Opened::Refused),
        ] {
            assert_eq!(open_after(script.as_bytes()), expected, "{script}");
        }
    }
}
