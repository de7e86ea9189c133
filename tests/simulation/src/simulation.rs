//! One run: the state of the simulated world, and what happens to it, event by event.
//!
//! Not here: what happens in a call (`calls`), in a failure (`faults`), and what is compared (`inspect`).

use std::sync::Arc;
use std::time::Duration;

use weir_store::{SimEnv, Snapshot, Timestamp};

use crate::calls::{Client, Path, Request};
use crate::chance::Chance;
use crate::deploying::Deploying;
use crate::functions::MUTATIONS;
use crate::generate::KnownIds;
use crate::host::Host;
use crate::model::{Changes, Model};
use crate::outcomes::{Unanswered, Watched};
use crate::profile::{Event, Profile};
use crate::property::{Checked, Property, check};
use crate::scope::{Cursor, Scope};
use crate::trace::Trace;
use crate::{Figures, Settings};

/// When the simulated world begins, nanoseconds since the epoch.
const BEGINNING_NS: u64 = 1_790_000_000_000_000_000;
/// What passes between two events at most.
const EVENT_NS_MAX: u64 = 30_000;
/// After this time the store has noticed that the disk has room.
const ROOM_IS_NOTICED: Duration = Duration::from_secs(1);
const HELD_MAX: usize = 4;
/// A run that does not come to rest in so many steps never does.
const SETTLING_STEPS_MAX: usize = 10_000;

/// A snapshot that is kept open.
pub(crate) struct Held {
    pub(crate) snapshot: Arc<Snapshot>,
}

/// What has been counted since the host started, to be checked against its own counters.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Life {
    pub(crate) groups: u64,
    pub(crate) announced_commits: u64,
    pub(crate) commits: u64,
    pub(crate) conflicts: u64,
    pub(crate) replays: u64,
    pub(crate) mutation_runs: u64,
    pub(crate) query_runs: u64,
    pub(crate) swept: u64,
}

/// The simulated world.
pub(crate) struct Simulation {
    pub(crate) settings: Settings,
    pub(crate) chance: Chance,
    pub(crate) profile: Profile,
    pub(crate) env: Arc<SimEnv>,
    pub(crate) clients: Vec<Client>,
    pub(crate) held: Vec<Held>,
    pub(crate) host: Host,
    pub(crate) model: Model,
    pub(crate) known: KnownIds,
    pub(crate) requests: Vec<Request>,
    pub(crate) unanswered: Vec<Unanswered>,
    pub(crate) watched: Vec<Watched>,
    /// Where pages ended, newest last.
    pub(crate) cursors: Vec<(Scope, Cursor)>,
    /// The deployment that is on its way.
    pub(crate) deploying: Option<Deploying>,
    /// The client that holds the database's gate.
    pub(crate) gate: Option<usize>,
    pub(crate) paths: [Path; MUTATIONS.len()],
    /// The newest timestamp that somebody outside has heard of.
    pub(crate) answered: Timestamp,
    /// The newest commit that was announced as durable, or recovered.
    pub(crate) durable: Timestamp,
    /// The newest commit that was announced, also where nobody could hear of it any more.
    pub(crate) announced: Timestamp,
    pub(crate) is_disk_bounded: bool,
    /// In this life of the host: it notices after a while that there is room again.
    pub(crate) was_disk_bounded: bool,
    /// The sync that fails, or has failed, in this life of the host.
    pub(crate) failing_sync: Option<u64>,
    pub(crate) life: Life,
    pub(crate) figures: Figures,
    pub(crate) event: u64,
    pub(crate) trace: Trace,
}

impl Simulation {
    pub(crate) fn new(seed: u64, settings: &Settings) -> Checked<Simulation> {
        let mut chance = Chance::new(seed);
        let profile = Profile::draw(&mut chance);
        let env = Arc::new(SimEnv::new(chance.word(), Timestamp::from_nanos(BEGINNING_NS)));
        let host = Simulation::start_host(Default::default(), &profile, &env)?;
        let clients = (0..profile.clients).map(|_| Client::new(&mut chance)).collect();
        let mut trace = Trace::new(settings.is_traced);
        trace.note(0, Timestamp::ZERO, || format!("seed {seed}: {profile:?}"));
        Ok(Simulation {
            settings: settings.clone(),
            chance,
            profile,
            env,
            clients,
            held: Vec::new(),
            host,
            model: Model::default(),
            known: KnownIds::default(),
            requests: Vec::new(),
            unanswered: Vec::new(),
            watched: Vec::new(),
            cursors: Vec::new(),
            deploying: None,
            gate: None,
            paths: Default::default(),
            answered: Timestamp::ZERO,
            durable: Timestamp::ZERO,
            announced: Timestamp::ZERO,
            is_disk_bounded: false,
            was_disk_bounded: false,
            failing_sync: None,
            life: Life::default(),
            figures: Figures::default(),
            event: 0,
            trace,
        })
    }

    /// Lets as many events happen as the settings say, and then lets everything come to rest.
    pub(crate) fn run(&mut self) -> Checked {
        if self.profile.has_first_deployment {
            self.deploy_first()?;
        }
        while self.event < self.settings.events {
            self.event += 1;
            self.env.advance(Duration::from_nanos(self.chance.below(EVENT_NS_MAX)));
            let event = self.profile.event(&mut self.chance);
            self.happen(event)?;
            self.mind_failure()?;
        }
        self.settle()
    }

    pub(crate) fn note(&mut self, line: impl FnOnce() -> String) {
        let now = weir_store::Env::now(&*self.env);
        self.trace.note(self.event, now, line);
    }

    fn happen(&mut self, event: Event) -> Checked {
        match event {
            Event::Client => self.client_acts(),
            Event::Group => self.write_group(),
            Event::Flush => self.flush(),
            Event::Checkpoint => self.checkpoint(),
            Event::Hold => self.hold(),
            Event::Inspect => self.inspect(),
            Event::Release => {
                self.release();
                Ok(())
            }
            Event::Clock => {
                self.set_clock();
                Ok(())
            }
            Event::Sweep => self.sweep(),
            Event::SystemRecord => self.write_system_record(),
            Event::Deploy => self.deploy(),
            Event::Maintain => self.maintain(),
            Event::Room => {
                self.change_room();
                Ok(())
            }
            Event::FailingSync => {
                self.let_a_sync_fail();
                Ok(())
            }
            Event::Crash => self.crash(),
            Event::Cut => self.cut(),
            Event::Restart => self.restart(),
        }
    }

    pub(crate) fn write_group(&mut self) -> Checked {
        let syncs = self.host.disk.sync_count();
        let is_written = self.host.write_group();
        self.take_time(syncs);
        let stats = self.host.store.stats();
        self.note(|| format!("the log writes a group: {is_written}, {} bytes in all", stats.bytes_logged));
        self.hear_announcements(None)?;
        let (durable, last) = (self.durable, self.model.last());
        let is_due = self.profile.has_promised_room && !self.host.has_given_up();
        check(!is_due || durable == last, Property::RoomIsKept, || {
            format!("a group was written, and {durable:?} is durable of {last:?}")
        })
    }

    /// A part of a flush or of a checkpoint, or all of it; other things happen before the next part.
    fn flush(&mut self) -> Checked {
        let is_checkpoint = self.chance.percent(40);
        let slices = self.chance.pick(&[1, 1, 2, usize::MAX]);
        let keys_max = self.profile.slice_keys;
        let syncs = self.host.disk.sync_count();
        let is_open = (0..slices).all(|_| self.host.flush_slice(keys_max, is_checkpoint));
        self.take_time(syncs);
        self.figures.flushes += 1;
        self.figures.open_passes += u64::from(is_open);
        let stats = self.host.store.stats();
        self.note(|| {
            let keys = stats.memory_keys;
            format!(
                "a flush (checkpoint: {is_checkpoint}), more of it: {is_open}; {keys} keys stay in memory"
            )
        });
        Ok(())
    }

    fn checkpoint(&mut self) -> Checked {
        let syncs = self.host.disk.sync_count();
        let done = self.host.store.checkpoint();
        self.take_time(syncs);
        self.figures.checkpoints += 1;
        let (stats, bytes) = (self.host.store.stats(), self.host.disk.file_bytes());
        self.note(|| format!("a checkpoint: {done:?}, {} segments, {bytes} bytes on disk", stats.segments));
        self.hear_announcements(None)
    }

    /// Syncs take time on the simulated clock.
    fn take_time(&mut self, syncs_before: u64) {
        let syncs = self.host.disk.sync_count() - syncs_before;
        let sync_max_ns = u64::try_from(self.profile.sync_max.as_nanos()).unwrap_or(u64::MAX);
        for _ in 0..syncs {
            self.env.advance(Duration::from_nanos(self.chance.below(sync_max_ns + 1)));
        }
    }

    fn hold(&mut self) -> Checked {
        if self.held.len() == HELD_MAX {
            return Ok(());
        }
        let is_durable = self.chance.percent(50);
        let (snapshot, expected) = match is_durable {
            true => (self.host.store.snapshot_durable(), self.durable),
            false => (self.host.store.snapshot_sequenced(), self.model.last()),
        };
        let ts = snapshot.ts();
        self.note(|| format!("a snapshot is held at {ts:?}"));
        self.held.push(Held { snapshot: Arc::new(snapshot) });
        check(ts == expected, Property::SnapshotsStay, || {
            format!(
                "a new snapshot (durable: {is_durable}) stands at {ts:?}, and the newest commit at {expected:?}"
            )
        })
    }

    fn release(&mut self) {
        if !self.held.is_empty() {
            let at = self.chance.index(self.held.len());
            let held = self.held.swap_remove(at);
            self.note(|| format!("the snapshot at {:?} is let go", held.snapshot.ts()));
        }
    }

    fn set_clock(&mut self) {
        let now = weir_store::Env::now(&*self.env).as_nanos();
        let jump_ns = self.chance.pick(&[1_000_000, 300_000_000, 3_600_000_000_000]);
        let jump_ns = self.chance.below(jump_ns);
        let is_back = self.chance.percent(50);
        let to = if is_back { now.saturating_sub(jump_ns) } else { now + jump_ns };
        self.env.set_now(Timestamp::from_nanos(to));
        if !is_back {
            // The store looks at the other clock to see whether it is time to ask for room.
            self.env.advance(Duration::from_millis(self.chance.below(400)));
        }
        self.note(|| format!("the clock jumps from {now}"));
    }

    fn sweep(&mut self) -> Checked {
        if self.gate.is_some() {
            return Ok(());
        }
        let last = self.model.last();
        let older_than = self.model.some_commit(self.chance.word());
        let result = sweep_all(&self.host.db, older_than);
        self.note(|| format!("a sweep of what is older than {older_than:?}: {result:?}"));
        let old: Vec<_> = self
            .model
            .answers(last)
            .filter(|(_, answer)| answer.ts < older_than)
            .map(|(key, _)| *key)
            .collect();
        let removed = match result {
            Ok(removed) => removed,
            Err(error) => return self.check_refusal(&error.to_string()),
        };
        check(removed == old.len() as u64, Property::RequestsOnce, || {
            format!("{removed} requests older than {older_than:?} removed; the model has {}", old.len())
        })?;
        self.life.swept += removed;
        if !old.is_empty() {
            self.forget_answers(&old);
            let answers = old.into_iter().map(|key| (key, None)).collect();
            self.commit_of_host(self.host.store.sequenced(), Changes { answers, ..Changes::default() })?;
        }
        Ok(())
    }

    fn write_system_record(&mut self) -> Checked {
        if self.gate.is_some() {
            return Ok(());
        }
        let name = self.chance.pick(&["deployment", "secret"]);
        let value = bytes::Bytes::from(self.chance.word().to_string());
        match self.host.db.write_system(name, value.clone()) {
            Ok(ts) => {
                self.note(|| format!("the host's record `{name}` is written at {ts:?}"));
                self.unanswered.push(Unanswered::bare(ts));
                let system = [(name.to_owned(), value)].into();
                self.commit_of_host(ts, Changes { system, ..Changes::default() })
            }
            Err(error) => self.check_refusal(&error.to_string()),
        }
    }

    pub(crate) fn commit_of_host(&mut self, ts: Timestamp, changes: Changes) -> Checked {
        self.check_rises(ts)?;
        self.model.commit(ts, changes);
        Ok(())
    }

    /// Ends every call, writes what is queued, and checks what is left against the model, before and after a
    /// last crash.
    fn settle(&mut self) -> Checked {
        self.note(|| "the run comes to rest".to_owned());
        self.host.disk.set_capacity_bytes(None);
        self.is_disk_bounded = false;
        self.env.advance(ROOM_IS_NOTICED);
        self.write_group()?;
        self.mind_failure()?;
        let is_full = self.host.store.stats().disk_full;
        check(!is_full, Property::Accepts, || "the disk has room, and still counts as full".to_owned())?;
        for _ in 0..SETTLING_STEPS_MAX {
            if self.clients.iter().all(|client| client.running.is_none()) {
                break;
            }
            self.client_goes_on()?;
        }
        self.settle_deployments()?;
        self.write_group()?;
        self.mind_failure()?;
        self.inspect()?;
        self.held.clear();
        // A sync that fails once fails the first one at most.
        for _ in 0..2 {
            self.checkpoint()?;
            self.mind_failure()?;
        }
        self.inspect()?;
        let (durable, last) = (self.durable, self.model.last());
        check(durable == last, Property::GroupsInOrder, || {
            format!("nothing is left to write, and {durable:?} is durable of {last:?}")
        })?;
        let stats = self.host.store.stats();
        let is_flushed = (stats.memory_keys, stats.memory_bytes, stats.checkpoint) == (0, 0, durable);
        check(is_flushed, Property::State, || {
            format!("nobody reads, a checkpoint was taken, and {stats:?} is durable up to {durable:?}")
        })?;
        self.restart()
    }

    pub(crate) fn into_trace(self) -> String {
        self.trace.into_text()
    }
}

/// Removes the records of requests that were answered before `older_than`; returns how many that were.
fn sweep_all(db: &weir_db::Database, older_than: Timestamp) -> Result<u64, weir_db::CommitError> {
    let before = db.stats().session_requests_swept;
    let up_to = Timestamp::from_nanos(older_than.as_nanos().saturating_sub(1));
    let mut pass = Some(weir_db::SweepPass::up_to(up_to));
    while let Some(going_on) = pass {
        pass = db.sweep_step(going_on)?;
    }
    Ok(db.stats().session_requests_swept - before)
}
