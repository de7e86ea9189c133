//! What goes wrong: full disks, syncs that fail, the end of the process and of the power, in the midst of
//! anything.
//!
//! Not here: what a disk keeps of what was not synced, which the memory disk knows.

use std::sync::Arc;

use weir_store::memory::{CrashImage, MemoryDisk};
use weir_store::{SimEnv, Timestamp};

use crate::host::{Host, StartError};
use crate::profile::Profile;
use crate::property::{Broken, Checked, Property, check};
use crate::simulation::{Life, Simulation};

/// How much room a disk has that gets full, bytes.
const ROOM_BYTES_MAX: u64 = 3_000;
/// A power cut in the midst of something comes before one of its first syncs: redb takes several for one thing.
const CUT_SYNCS_MAX: [u64; 3] = [2, 4, 10];

/// What the power is cut in the midst of.
#[derive(Debug, Clone, Copy)]
enum Deed {
    Group,
    /// All that is left of a flush, slice by slice.
    Flush,
    Checkpoint,
    FlushAndCheckpoint,
    Close,
}

impl Simulation {
    pub(crate) fn start_host(disk: MemoryDisk, profile: &Profile, env: &Arc<SimEnv>) -> Checked<Host> {
        Host::start(disk, profile.host_options(), env).map_err(|error| {
            let detail = match error {
                StartError::Store(error) => format!("the store does not open: {error}"),
                StartError::Database(error) => format!("the database does not open: {error}"),
            };
            Broken { property: Property::Opens, detail }
        })
    }

    /// The disk gets full, or has room again.
    pub(crate) fn change_room(&mut self) {
        self.is_disk_bounded = !self.is_disk_bounded;
        self.was_disk_bounded |= self.is_disk_bounded;
        let room_bytes = self.chance.below(ROOM_BYTES_MAX);
        let capacity_bytes = self.is_disk_bounded.then(|| self.host.disk.file_bytes() + room_bytes);
        self.host.disk.set_capacity_bytes(capacity_bytes);
        // The store asks for room every now and then.
        self.env.advance(std::time::Duration::from_millis(self.chance.below(400)));
        self.note(|| format!("the disk takes {capacity_bytes:?} bytes"));
    }

    /// Soon a sync fails, and the disk is well again behind it. The store gives up.
    pub(crate) fn let_a_sync_fail(&mut self) {
        let number = self.host.disk.sync_count() + 1 + self.chance.below(3);
        self.host.disk.fail_sync(number);
        self.failing_sync = Some(number);
        self.note(|| format!("the {number}th sync will fail"));
    }

    /// A store that has given up ends its process; the next one finds what the page cache has, or what a power
    /// cut leaves of it.
    pub(crate) fn mind_failure(&mut self) -> Checked {
        if !self.host.has_given_up() {
            return Ok(());
        }
        let has_failed = self.failing_sync.is_some_and(|number| number <= self.host.disk.sync_count());
        check(has_failed, Property::Lives, || "the store gives up, and no sync has failed".to_owned())?;
        self.figures.failures += 1;
        let image = match self.chance.percent(70) {
            true => CrashImage::Written,
            false => self.any_image(),
        };
        self.note(|| format!("the store has given up, and its process ends: {image:?}"));
        self.start_from(self.host.disk.crash(image))
    }

    pub(crate) fn crash(&mut self) -> Checked {
        self.figures.crashes += 1;
        let image = self.any_image();
        self.note(|| format!("a crash: {image:?}"));
        self.start_from(self.host.disk.crash(image))
    }

    fn any_image(&mut self) -> CrashImage {
        match self.chance.below(4) {
            0 => CrashImage::Synced,
            1 => CrashImage::Written,
            _ => CrashImage::Torn { seed: self.chance.word() },
        }
    }

    fn some_syncs(&mut self) -> u64 {
        let syncs_max = self.chance.pick(&CUT_SYNCS_MAX);
        self.chance.below(syncs_max)
    }

    /// The power goes while the store writes. What it announces afterwards nobody hears.
    pub(crate) fn cut(&mut self) -> Checked {
        self.figures.cuts += 1;
        let last_sync = self.host.disk.sync_count() + self.some_syncs();
        let deed = self.chance.pick(&[
            Deed::Group,
            Deed::Group,
            Deed::Flush,
            Deed::Checkpoint,
            Deed::FlushAndCheckpoint,
            Deed::Close,
        ]);
        let image = self.any_image();
        self.note(|| format!("the power is cut behind the {last_sync}th sync, during {deed:?}: {image:?}"));
        self.host.disk.freeze_at_sync(last_sync);
        match deed {
            Deed::Group => {
                self.host.write_group();
            }
            Deed::Flush => while self.host.flush_slice(self.profile.slice_keys, false) {},
            // What it says does not matter: nobody is there to hear it.
            Deed::Checkpoint => {
                let _ = self.host.store.checkpoint();
            }
            Deed::FlushAndCheckpoint => {
                self.host.flush();
                let _ = self.host.store.checkpoint();
            }
            Deed::Close => {
                self.stop_clients()?;
                self.host.store.close();
            }
        }
        self.hear_announcements(Some(last_sync))?;
        self.start_from(self.host.disk.crash(image))
    }

    /// The process ends in good order and starts again.
    pub(crate) fn restart(&mut self) -> Checked {
        self.figures.restarts += 1;
        self.note(|| "the host closes".to_owned());
        self.stop_clients()?;
        self.host.store.close();
        self.hear_announcements(None)?;
        let (durable, last) = (self.durable, self.model.last());
        let may_lose = self.is_disk_bounded && !self.profile.has_promised_room;
        check(may_lose || self.host.has_given_up() || durable == last, Property::RoomIsKept, || {
            format!("closing made {durable:?} durable of {last:?}")
        })?;
        if self.host.has_given_up() {
            return self.mind_failure();
        }
        let image = self.any_image();
        self.start_from(self.host.disk.crash(image))
    }

    /// The next life of the host, on what is left of the disk.
    fn start_from(&mut self, mut disk: MemoryDisk) -> Checked {
        self.stop_clients()?;
        while self.chance.percent(10) {
            disk = self.fail_while_recovering(disk);
        }
        self.deploying = None;
        self.held.clear();
        self.watched.clear();
        self.unanswered.clear();
        self.failing_sync = None;
        self.keep_disk_full(&disk);
        let host = Simulation::start_host(disk, &self.profile, &self.env)?;
        std::mem::replace(&mut self.host, host).abandon();
        (self.life, self.paths) = (Life::default(), Default::default());
        if self.chance.percent(20) {
            // What the disk does not have shows now.
            self.host.disk.evict();
        }
        self.check_recovered()
    }

    /// A disk that was full may be when the host starts, too.
    fn keep_disk_full(&mut self, disk: &MemoryDisk) {
        // Without any room there is no new store.
        self.is_disk_bounded &= self.answered > Timestamp::ZERO && self.chance.percent(70);
        self.was_disk_bounded = self.is_disk_bounded;
        if self.is_disk_bounded {
            self.figures.full_starts += 1;
            let capacity_bytes = disk.file_bytes() + self.chance.below(ROOM_BYTES_MAX);
            disk.set_capacity_bytes(Some(capacity_bytes));
            self.note(|| format!("the disk is full still: it takes {capacity_bytes} bytes"));
        }
    }

    /// Recovery writes too, and may be cut off, or meet a sync that fails.
    fn fail_while_recovering(&mut self, disk: MemoryDisk) -> MemoryDisk {
        self.figures.failed_starts += 1;
        let syncs = self.some_syncs();
        let is_cut = self.chance.percent(60);
        let image = match is_cut {
            true => self.any_image(),
            false => CrashImage::Written,
        };
        self.note(|| match is_cut {
            true => format!("a crash during recovery, behind the {syncs}th sync: {image:?}"),
            false => format!("during recovery the sync behind the {syncs}th fails"),
        });
        match is_cut {
            true => disk.freeze_at_sync(syncs),
            false => disk.fail_sync(syncs + 1),
        }
        let started = Host::start(disk.clone(), self.profile.host_options(), &self.env);
        let left = disk.crash(image);
        if let Ok(host) = started {
            host.abandon();
        }
        left
    }

    fn stop_clients(&mut self) -> Checked {
        // Others may wait for whoever holds the gate.
        let first = self.gate.take();
        let rest = (0..self.clients.len()).filter(|client| Some(*client) != first);
        first.into_iter().chain(rest).try_for_each(|client| match self.clients[client].running {
            Some(_) => self.finish_stopped(client),
            None => Ok(()),
        })
    }

    /// What a new life begins with: all that was answered, and no half of anything.
    fn check_recovered(&mut self) -> Checked {
        let (recovered, answered) = (self.host.store.sequenced(), self.answered);
        let lost = self.model.commits_between(recovered, Timestamp::MAX);
        self.figures.lost_commits += lost;
        self.note(|| format!("the host starts at {recovered:?}; {lost} commits are lost"));
        check(recovered >= answered, Property::AnsweredIsDurable, || {
            format!("the store starts at {recovered:?}, and {answered:?} was answered")
        })?;
        check(self.model.has_commit(recovered), Property::Prefix, || {
            format!("the store starts at {recovered:?}, where nothing was committed")
        })?;
        self.model.truncate(recovered);
        (self.durable, self.announced) = (recovered, recovered);
        self.compare_state(&self.host.store.snapshot_durable(), Property::Prefix)?;
        self.check_sound(&self.host.store.snapshot_durable())?;
        self.check_counters()?;
        let stats = self.host.store.stats();
        let replayed = self.model.commits_between(stats.checkpoint, recovered);
        check(stats.replayed_commits == replayed, Property::Counters, || {
            format!(
                "{} commits were replayed, and {replayed} are newer than the checkpoint",
                stats.replayed_commits
            )
        })
    }
}
