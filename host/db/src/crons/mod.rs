//! Cron jobs: mutations and actions that the host calls again and again, at the times of a schedule.
//!
//! A deployment declares them, and its commit writes them: each is a document of `_cron_jobs`, with the time of its next
//! run, and while it waits a key in the order of times in which scheduled functions wait too. So the scheduler takes both
//! from one list, and runs both in one way (see [`crate::jobs`]). A run of a mutation and the time of the next run are one
//! commit; an action is marked as under way before it begins, and waits for no run until it has ended.
//!
//! Times that have passed when a run ends, or when the host starts, are **late**: they are skipped, and said.
mod calendar;
mod deploy;
mod expression;
mod late;
mod run;
mod schedule;
#[cfg(test)]
mod tests;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use serde_json::value::RawValue;
use weir_value::limits::{CRON_LATE_RUNS_TOLD_MAX, CRON_NAME_CHARS_MAX, CRON_RUNS_KEPT};
use weir_value::{ComponentPath, DocumentId, FunctionPath};

use crate::transaction::check_scheduled_args;
use crate::{ScheduledJob, system_tables};

pub(crate) use late::warn_of;
pub use schedule::CronSchedule;

/// A cron job, as a deployment declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cron {
    name: String,
    schedule: CronSchedule,
    function: FunctionPath,
    args: Bytes,
    component: ComponentPath,
}

impl Cron {
    /// A job of this name, which calls this function with these arguments, one JSON object in any spelling. For
    /// `schedule` see [`CronSchedule::from_json`].
    ///
    /// # Errors
    /// What is wrong with it, in words for whoever declared it.
    pub fn new(name: &str, schedule: &Json, function: FunctionPath, args: &[u8]) -> Result<Cron, String> {
        let is_name = !name.is_empty()
            && name.len() <= CRON_NAME_CHARS_MAX
            && name.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        if !is_name {
            return Err(format!(
                "its name must have 1 to {CRON_NAME_CHARS_MAX} characters, all of them of ASCII and visible, or spaces"
            ));
        }
        let schedule = CronSchedule::from_json(schedule, name)?;
        let args = check_scheduled_args(&function, args).map_err(|error| error.message)?;
        let args = Bytes::copy_from_slice(args.get().as_bytes());
        let component = function.component().clone();
        Ok(Cron { name: name.to_owned(), schedule, function, args, component })
    }

    /// The same, declared by a component: it calls that one's function.
    #[must_use]
    pub fn of(&self, component: ComponentPath) -> Cron {
        Cron { function: self.function.clone().of(component.clone()), component, ..self.clone() }
    }

    /// The component that declares it.
    pub fn component(&self) -> &ComponentPath {
        &self.component
    }

    /// Its name, which no other has in its component.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// When it runs.
    pub fn schedule(&self) -> &CronSchedule {
        &self.schedule
    }

    /// The function that it calls.
    pub fn function(&self) -> &FunctionPath {
        &self.function
    }

    /// The arguments, one object in canonical JSON.
    pub fn args(&self) -> &Bytes {
        &self.args
    }
}

/// A cron job, as the database has it.
#[derive(Debug, Clone)]
pub(crate) struct CronJob {
    stored: StoredCron,
    schedule: CronSchedule,
    function: FunctionPath,
}

/// What is stored of it, besides what every document has. Times are in milliseconds since the epoch.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredCron {
    name: String,
    schedule: Json,
    function: String,
    args: (Box<RawValue>,),
    /// When it is due next.
    next_run: f64,
    state: CronState,
    /// What became of the last runs, the newest first.
    last_runs: Vec<CronRun>,
}

/// What a cron job does.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
enum CronState {
    /// It waits for its next run.
    Pending,
    /// An action is under way, which was due at that time.
    InProgress { scheduled_time: f64 },
}

/// A run that is over, or times that were skipped.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CronRun {
    /// When it was due; of several, the first.
    scheduled_time: f64,
    completed_time: f64,
    status: CronStatus,
}

/// What became of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub(crate) enum CronStatus {
    Success,
    Failed {
        error: String,
    },
    /// So many did not take place, because they were late.
    Skipped {
        runs: u64,
    },
}

/// Times that were skipped.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LateRuns {
    name: String,
    runs: u64,
}

impl LateRuns {
    /// In words for the log.
    pub(crate) fn told(&self) -> String {
        let LateRuns { name, runs } = self;
        let what = match *runs {
            1 => "a run of it was skipped".to_owned(),
            CRON_LATE_RUNS_TOLD_MAX => format!("{runs} runs of it, or more, were skipped"),
            _ => format!("{runs} runs of it were skipped"),
        };
        format!("the cron job `{name}` is late: {what}")
    }
}

impl CronJob {
    /// One that has just been declared.
    fn new(cron: &Cron, now_ms: f64) -> CronJob {
        let next_run = cron.schedule.first_ms(now_ms);
        let stored = StoredCron {
            name: cron.name.clone(),
            schedule: cron.schedule.to_json(),
            function: cron.function.to_string(),
            args: (raw(&cron.args),),
            next_run,
            state: CronState::Pending,
            last_runs: Vec::new(),
        };
        CronJob { stored, schedule: cron.schedule.clone(), function: cron.function.clone() }
    }

    /// Reads a document; `None` if it is none of a cron job.
    pub(crate) fn decode(document: &[u8]) -> Option<CronJob> {
        let stored: StoredCron = serde_json::from_slice(document).ok()?;
        let schedule = CronSchedule::from_json(&stored.schedule, &stored.name).ok()?;
        let function = FunctionPath::parse_qualified(&stored.function).ok()?;
        Some(CronJob { stored, schedule, function })
    }

    fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(&self.stored).expect("texts and numbers can be written")
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        &self.stored.name
    }

    /// What it calls.
    pub(crate) fn function(&self) -> &FunctionPath {
        &self.function
    }

    /// The arguments, one object in canonical JSON.
    pub(crate) fn args(&self) -> &[u8] {
        self.stored.args.0.get().as_bytes()
    }

    /// When it is due; `None` while it is under way.
    pub(crate) fn due_ms(&self) -> Option<f64> {
        (self.stored.state == CronState::Pending).then_some(self.stored.next_run)
    }

    /// Whether it is to be run as it was found by the scheduler: no other run and no deployment has come between.
    fn is_as_taken(&self, job: &ScheduledJob) -> bool {
        let ScheduledJob { due_ms, call, .. } = job;
        self.due_ms() == Some(*due_ms) && self.function == call.path && self.args() == call.args
    }

    /// Marks it as under way.
    fn begin(&mut self) {
        let StoredCron { next_run, state, .. } = &mut self.stored;
        *state = CronState::InProgress { scheduled_time: *next_run };
        *next_run = self.schedule.next_ms(*next_run, *next_run);
    }

    /// Notes what became of a run that was due or under way, and when the next is due: at the first time that is still to
    /// come. Those before are late.
    fn end(&mut self, status: CronStatus, now_ms: f64) -> Option<LateRuns> {
        if self.stored.state == CronState::Pending {
            self.begin();
        }
        if let CronState::InProgress { scheduled_time } = self.stored.state {
            self.note(scheduled_time, status, now_ms);
        }
        self.stored.state = CronState::Pending;
        self.skip_late(now_ms)
    }

    /// Skips the times up to now.
    fn skip_late(&mut self, now_ms: f64) -> Option<LateRuns> {
        let first = self.stored.next_run;
        let runs = self.schedule.count(first, now_ms);
        if runs == 0 {
            return None;
        }
        self.stored.next_run = self.schedule.next_ms(first, now_ms);
        self.note(first, CronStatus::Skipped { runs }, now_ms);
        Some(LateRuns { name: self.stored.name.clone(), runs })
    }

    fn note(&mut self, scheduled_time: f64, status: CronStatus, completed_time: f64) {
        self.stored.last_runs.insert(0, CronRun { scheduled_time, completed_time, status });
        self.stored.last_runs.truncate(CRON_RUNS_KEPT);
    }
}

fn raw(args: &Bytes) -> Box<RawValue> {
    let text = String::from_utf8(args.to_vec()).ok();
    text.and_then(|text| RawValue::from_string(text).ok()).expect("arguments that were checked are JSON")
}

/// Whether this is the id of a cron job, and not of a scheduled function.
pub(crate) fn is_cron(id: &DocumentId) -> bool {
    system_tables::is_kind(id.table, system_tables::CRON_JOBS)
}
