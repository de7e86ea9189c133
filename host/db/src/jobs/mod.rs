//! Scheduled functions: mutations and actions that are called later, once, by the host itself.
//!
//! A job is a document of `_scheduled_functions`, as Convex has it, and while it waits a key in the order of times. It is
//! written in the transaction that schedules it, and what becomes of it in the transaction that runs it: so it is there
//! if and only if that was committed, and has run if and only if its writes are there, whenever the power goes.
//! An action is marked as begun before it begins, and never begun again: one that was under way when the host ended has
//! failed. A cron job is run in the same way, again and again (see [`crate::crons`]). When its time has come somebody else says: this room knows no timer.
mod actions;
mod due;
mod run;
mod sweep;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use weir_value::{ComponentPath, FunctionPath};

pub use due::{DueJobs, earliest_due_job};
pub(crate) use run::Stored;
pub use run::{JobStep, ScheduledJob};

/// What is stored of a job, besides what every document has.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct StoredJob {
    /// The function, as Convex spells it: `messages.js:send`.
    name: String,
    /// Where the component is mounted that it is of; absent for the app's.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    component: Option<String>,
    /// Its arguments: one object.
    args: (Box<RawValue>,),
    /// When it is due, in milliseconds since the epoch.
    #[serde(rename = "scheduledTime")]
    pub(crate) scheduled_time: f64,
    /// When it came to its end, in the same; absent until then.
    #[serde(rename = "completedTime", skip_serializing_if = "Option::is_none")]
    pub(crate) completed_time: Option<f64>,
    pub(crate) state: JobState,
}

/// How far a job has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub(crate) enum JobState {
    /// It waits.
    Pending,
    /// It is an action that has begun.
    InProgress,
    /// It has run.
    Success,
    /// It has failed, and its writes were undone.
    Failed { error: String },
    /// It was taken back before it ran.
    Canceled,
}

impl StoredJob {
    pub(crate) fn new(path: &FunctionPath, args: Box<RawValue>, scheduled_time: f64) -> StoredJob {
        let (module, function) = (path.module(), path.function());
        let name = format!("{module}.js:{function}");
        let component = (!path.component().is_app()).then(|| path.component().to_string());
        let state = JobState::Pending;
        StoredJob { name, component, args: (args,), scheduled_time, completed_time: None, state }
    }

    /// Reads a document; `None` if it is none of a job.
    pub(crate) fn decode(document: &[u8]) -> Option<StoredJob> {
        serde_json::from_slice(document).ok()
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("texts and numbers can be written")
    }

    fn path(&self) -> Option<FunctionPath> {
        let component = ComponentPath::parse(self.component.as_deref().unwrap_or_default()).ok()?;
        Some(FunctionPath::parse(&self.name).ok()?.of(component))
    }

    pub(crate) fn ended(mut self, state: JobState, at_ms: f64) -> StoredJob {
        (self.state, self.completed_time) = (state, Some(at_ms));
        self
    }
}
