//! Whole states and counters, checked against the model.
//!
//! Not here: what single calls read and returned.

use std::collections::BTreeMap;

use weir_db::{DbCheck, DbStats};
use weir_store::{Direction, Snapshot, Timestamp};

use crate::property::{Broken, Checked, Property, check};
use crate::simulation::Simulation;

// The spaces of the store's keys, as the database lays them out.
const TABLE_NAMES: [&[u8]; 2] = [b"\0n", b"\0o"];
const SYSTEM_RECORDS: [&[u8]; 2] = [b"\0s", b"\0t"];
/// Without those of the system tables.
const DOCUMENTS: [&[u8]; 2] = [b"\x01\0\0\x27\x11", b"\x02"];
const TABLE_COUNTS: [&[u8]; 2] = [b"\0c\0\0\x27\x11", b"\0d"];
const SESSION_REQUESTS: [&[u8]; 2] = [b"\x02", b"\x03"];

/// A row of the store, as far as the model knows it.
type Row = (Vec<u8>, Vec<u8>);

impl Simulation {
    /// Reads the snapshots that are held, and the newest ones, from beginning to end.
    pub(crate) fn inspect(&mut self) -> Checked {
        self.note(|| "everything is looked at".to_owned());
        for held in &self.held {
            self.compare_state(&held.snapshot, Property::SnapshotsStay)?;
        }
        self.compare_state(&self.host.store.snapshot_sequenced(), Property::State)?;
        self.compare_state(&self.host.store.snapshot_durable(), Property::State)?;
        if self.event.is_multiple_of(2) {
            // It takes a while.
            self.check_sound(&self.host.store.snapshot_sequenced())?;
        }
        self.check_counters()
    }

    /// Documents, index entries and counts agree.
    pub(crate) fn check_sound(&self, snapshot: &Snapshot) -> Checked<DbCheck> {
        let found = weir_db::check(snapshot).map_err(|error| Broken {
            property: Property::Lives,
            detail: format!("the database cannot be read: {error}"),
        })?;
        check(found.problem_count == 0, Property::Sound, || {
            format!("at {:?}: {}", snapshot.ts(), found.problems.join("\n"))
        })?;
        Ok(found)
    }

    /// Checks all that a snapshot shows against the model.
    pub(crate) fn compare_state(&self, snapshot: &Snapshot, property: Property) -> Checked {
        let at = snapshot.ts();
        let documents = self.model.documents(at).map(|(_, document)| (Vec::new(), document.json.to_vec()));
        self.compare(snapshot, property, "documents", DOCUMENTS, documents, |_, value| {
            (Vec::new(), value.to_vec())
        })?;
        let tables = self
            .model
            .tables(at)
            .map(|(name, number)| (name.clone().into_bytes(), number.to_be_bytes().to_vec()));
        self.compare(snapshot, property, "tables", TABLE_NAMES, tables, behind_namespace)?;
        let mut counts: BTreeMap<u32, u64> = self.model.tables(at).map(|(_, number)| (*number, 0)).collect();
        self.model.documents(at).for_each(|(id, _)| *counts.entry(id.table.0).or_default() += 1);
        let counts = counts.into_iter().filter(|(_, count)| *count > 0);
        let counts =
            counts.map(|(number, count)| (number.to_be_bytes().to_vec(), count.to_be_bytes().to_vec()));
        self.compare(snapshot, property, "counts of tables", TABLE_COUNTS, counts, behind_space)?;
        let system = self.model.system(at).map(|(name, value)| (name.clone().into_bytes(), value.to_vec()));
        self.compare(snapshot, property, "records of the host", SYSTEM_RECORDS, system, behind_space)?;
        let answers = self.model.answers(at).map(|(request, answer)| {
            let key = [&request.session[..], &request.request.to_be_bytes()[..]].concat();
            (key, answer.ts.as_nanos().to_be_bytes().to_vec())
        });
        let is_held = property == Property::SnapshotsStay;
        let property = if is_held { property } else { Property::RequestsOnce };
        self.compare(snapshot, property, "session requests", SESSION_REQUESTS, answers, |key, value| {
            (key[1..].to_vec(), value.get(..8).unwrap_or_default().to_vec())
        })
    }

    fn compare(
        &self,
        snapshot: &Snapshot,
        property: Property,
        what: &str,
        [start, end]: [&[u8]; 2],
        expected: impl Iterator<Item = Row>,
        row_of: impl Fn(&[u8], &[u8]) -> Row,
    ) -> Checked {
        // Both directions are to be read; which one is the event's choice.
        let is_ascending = self.event.is_multiple_of(2);
        let direction = if is_ascending { Direction::Ascending } else { Direction::Descending };
        let stored = snapshot.scan(start, end, direction, usize::MAX).map_err(|error| Broken {
            property: Property::Lives,
            detail: format!("the {what} cannot be read: {error}"),
        })?;
        let mut stored: Vec<Row> = stored.iter().map(|(key, value)| row_of(key, value)).collect();
        // A count that went back to zero stays.
        stored.retain(|(_, value)| what != "counts of tables" || *value != [0; 8]);
        if !is_ascending {
            stored.reverse();
        }
        let expected: Vec<Row> = expected.collect();
        check(stored == expected, property, || describe(what, snapshot.ts(), &stored, &expected))
    }

    /// Takes down which groups became durable. Of those that were announced behind `last_sync` nobody heard.
    pub(crate) fn hear_announcements(&mut self, last_sync: Option<u64>) -> Checked {
        for announced in self.host.take_announced() {
            self.life.groups += 1;
            for commit in &announced.group.commits {
                let expected = self.model.next_commit(self.announced);
                check(Some(commit.ts) == expected, Property::GroupsInOrder, || {
                    format!("the commit {:?} is announced, and {expected:?} is the next", commit.ts)
                })?;
                self.announced = commit.ts;
                self.life.announced_commits += 1;
                self.check_watched(commit)?;
            }
            let last = announced.group.last_ts();
            check(announced.durable == last, Property::GroupsInOrder, || {
                format!("the group up to {last:?} is announced, and {:?} is durable", announced.durable)
            })?;
            if last_sync.is_none_or(|last_sync| announced.syncs <= last_sync) {
                self.durable = last;
                self.answer();
            }
        }
        Ok(())
    }

    pub(crate) fn check_counters(&self) -> Checked {
        let (store, stats) = (&self.host.store, self.host.store.stats());
        let running = self.clients.iter().filter(|client| client.running.is_some()).count();
        let snapshots = (self.held.len() + running) as u64;
        let counts = [
            ("groups", stats.groups, self.life.groups),
            ("syncs", stats.syncs, self.life.groups),
            ("commits", stats.commits, self.life.announced_commits),
            ("snapshots", stats.snapshots, snapshots),
        ];
        check_counts(&counts)?;
        let timestamps = (stats.checkpoint, store.durable(), store.sequenced());
        let expected = (self.durable, self.model.last());
        check(
            stats.checkpoint <= timestamps.1 && (timestamps.1, timestamps.2) == expected,
            Property::Counters,
            || {
                format!(
                    "checkpoint, durable and sequenced are {timestamps:?}, and the last two should be {expected:?}"
                )
            },
        )?;
        check(self.was_disk_bounded || !stats.disk_full, Property::Counters, || {
            "the disk counts as full, and has room".to_owned()
        })?;
        self.check_db_counters(&self.host.db.stats())
    }

    fn check_db_counters(&self, stats: &DbStats) -> Checked {
        check_counts(&[
            ("commits of functions", stats.commits, self.life.commits),
            ("conflicts", stats.conflicts, self.life.conflicts),
            ("replays", stats.replays, self.life.replays),
            ("runs of mutations", stats.mutation_runs, self.life.mutation_runs),
            ("runs of queries", stats.query_runs, self.life.query_runs),
            ("swept requests", stats.session_requests_swept, self.life.swept),
        ])
    }
}

fn check_counts(counts: &[(&str, u64, u64)]) -> Checked {
    counts.iter().try_for_each(|(name, counted, expected)| {
        check(counted == expected, Property::Counters, || {
            format!("{name}: {counted} are counted, and there were {expected}")
        })
    })
}

fn behind_space(key: &[u8], value: &[u8]) -> Row {
    (key[2..].to_vec(), value.to_vec())
}

/// As `behind_space`, without the namespace, which is the app's own.
fn behind_namespace(key: &[u8], value: &[u8]) -> Row {
    (key[2 + 4..].to_vec(), value.to_vec())
}

/// The first row that differs.
fn describe(what: &str, at: Timestamp, stored: &[Row], expected: &[Row]) -> String {
    let differs = (0..stored.len().max(expected.len())).find(|row| stored.get(*row) != expected.get(*row));
    let show = |rows: &[Row]| {
        let row = differs.and_then(|row| rows.get(row));
        row.map_or_else(
            || "nothing".to_owned(),
            |(key, value)| format!("{} {}", key.escape_ascii(), value[..value.len().min(120)].escape_ascii()),
        )
    };
    format!(
        "the {what} at {at:?} are {}, and on the model {}; the first difference:\n  {}\nand on the model\n  {}",
        stored.len(),
        expected.len(),
        show(stored),
        show(expected)
    )
}
