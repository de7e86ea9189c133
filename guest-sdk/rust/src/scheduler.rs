//! Functions that the host calls later.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::failure::{Error, Result};
use crate::host::{context, scheduler};
use crate::validator::{Shape, Validator};
use crate::{Id, Table, Value, json};

/// What has mutations and actions called later, each once. Scheduling is a part of the transaction: a mutation that fails
/// schedules nothing. From an action it is done at once. An action is begun once, and fails if the host ends before it does.
#[derive(Debug, Clone)]
pub struct Scheduler(());

impl Scheduler {
    pub(crate) fn new() -> Self {
        Self(())
    }

    /// Has a mutation or an action of this deployment called when this time has passed, of any module and language:
    /// `ctx.scheduler.run_after(Duration::from_secs(60), "notes:remind", fields! { id })`. It is called as nobody in
    /// particular, and may be internal; whether it takes the arguments is seen then. The path may be one of a
    /// [`component`](crate::component), or a handle. After zero means right after this transaction.
    ///
    /// # Errors
    /// `FunctionNotFound`; `WrongFunctionKind`: a query; `InvalidArguments`: not one object, or larger than 4 MiB;
    /// `InvalidTime`: more than five years ahead. More than 1,000 in a transaction, or arguments of more than 16 MiB, end it.
    pub fn run_after(
        &self,
        delay: Duration,
        path: &str,
        args: impl Serialize,
    ) -> Result<Id<ScheduledFunction>> {
        self.run_at(context::now() + delay.as_secs_f64() * 1e3, path, args)
    }

    /// The same, at a time in milliseconds since the epoch. One that has passed means right after this transaction.
    ///
    /// # Errors
    /// As for [`Scheduler::run_after`]; `InvalidTime`: no time.
    pub fn run_at(&self, at_ms: f64, path: &str, args: impl Serialize) -> Result<Id<ScheduledFunction>> {
        let id = scheduler::run_at(path, &json::to_vec(&args)?, at_ms);
        id.map(Id::from_text).map_err(Error::from_host)
    }

    /// Takes a scheduled function back. One that has come to its end is left as it is.
    ///
    /// # Errors
    /// `InvalidId`: not what [`Scheduler::run_at`] gave; `NotFound`: it came to its end more than a week ago.
    pub fn cancel(&self, id: &Id<ScheduledFunction>) -> Result<()> {
        scheduler::cancel(id.as_str()).map_err(Error::from_host)
    }
}

/// A function that is to be called, or was: a document of the host's table `_scheduled_functions`, which is kept for a week
/// after its end. `ctx.db.system().get(&id)` reads one, `ctx.db.system().query::<ScheduledFunction>("_scheduled_functions")`
/// all of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScheduledFunction {
    /// The function, as Convex spells it: `notes.js:remind`.
    pub name: String,
    /// Its arguments: one object.
    pub args: Vec<Value>,
    /// When it is due, in milliseconds since the epoch.
    pub scheduled_time: f64,
    /// When it came to its end, in the same; `None`: it has not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_time: Option<f64>,
    /// How far it has come.
    pub state: ScheduledState,
}

/// How far a [`ScheduledFunction`] has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum ScheduledState {
    /// It waits for its time.
    Pending,
    /// It runs. Of actions alone: a mutation has run, or waits.
    InProgress,
    /// It has run.
    Success,
    /// It has failed, and its writes were undone.
    Failed {
        /// Why, for people.
        error: String,
    },
    /// It was taken back before it ran.
    Canceled,
}

impl Table for ScheduledFunction {
    const TABLE: &'static str = "_scheduled_functions";
}

impl Shape for ScheduledFunction {
    fn validator() -> Validator {
        Validator::object([
            ("name", String::field()),
            ("args", <Vec<Value>>::field()),
            ("scheduledTime", f64::field()),
            ("completedTime", <Option<f64>>::field()),
            ("state", ScheduledState::field()),
        ])
    }
}

impl Shape for ScheduledState {
    fn validator() -> Validator {
        let state = |kind: &'static str| {
            ("kind", crate::Field { validator: Validator::Literal(kind), optional: false })
        };
        Validator::Union(vec![
            Validator::object([state("pending")]),
            Validator::object([state("inProgress")]),
            Validator::object([state("success")]),
            Validator::object([state("failed"), ("error", String::field())]),
            Validator::object([state("canceled")]),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Doc;

    fn read(text: &str) -> Doc<ScheduledFunction> {
        json::from_slice(text.as_bytes()).unwrap()
    }

    #[test]
    fn every_state_is_read() {
        for (text, state) in [
            (r#"{"kind":"pending"}"#, ScheduledState::Pending),
            (r#"{"kind":"inProgress"}"#, ScheduledState::InProgress),
            (r#"{"kind":"success"}"#, ScheduledState::Success),
            (r#"{"kind":"failed","error":"no"}"#, ScheduledState::Failed { error: "no".to_owned() }),
            (r#"{"error":"no","kind":"failed"}"#, ScheduledState::Failed { error: "no".to_owned() }),
            (r#"{"kind":"canceled"}"#, ScheduledState::Canceled),
        ] {
            let job = read(&format!(
                r#"{{"_id":"1","_creationTime":1.5,"name":"a.js:b","args":[{{"n":{{"$integer":"BQAAAAAAAAA="}}}}],
                    "scheduledTime":1790000000001.5,"completedTime":1790000000002,"state":{text}}}"#
            ));
            assert_eq!((&job.state, job.completed_time), (&state, Some(1_790_000_000_002.0)));
        }
    }

    #[test]
    fn one_that_waits_has_no_end() {
        let text = r#"{"_id":"1","_creationTime":1.5,"name":"a.js:b","args":[{}],"scheduledTime":5,"state":{"kind":"pending"}}"#;
        let job = read(text);
        assert_eq!((job.scheduled_time, job.completed_time, job.args.len()), (5.0, None, 1));
        let written = String::from_utf8(json::to_vec(&job).unwrap()).unwrap();
        assert!(!written.contains("completedTime"), "{written}");
        assert_eq!(read(&written), job);
    }
}
