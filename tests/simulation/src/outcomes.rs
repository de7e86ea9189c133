//! What became of calls, checked against the model; and which outcomes have been answered.
//!
//! Not here: how calls begin and go on (see `calls`).

use std::sync::Arc;

use bytes::Bytes;
use weir_db::{CallError, FunctionKind, MutationOutcome, QueryOutcome, ReadSet, SessionRequest};
use weir_store::{Commit, Timestamp};

use crate::calls::{Request, Run, Running};
use crate::model::{Answer, Changes};
use crate::program::{Ending, Output, Program};
use crate::property::{Broken, Checked, Property, check};
use crate::replay::{Replayed, replay};
use crate::scope::{Cursor, Scope};
use crate::simulation::Simulation;

/// How many cursors of pages are remembered.
const CURSORS_MAX: usize = 12;
/// How many results are watched.
const WATCHED_MAX: usize = 4;

/// An outcome that waits for its commit to be durable.
pub(crate) struct Unanswered {
    ts: Timestamp,
    answer: Option<(usize, Answer)>,
}

impl Unanswered {
    /// Something that somebody hears of without having asked.
    pub(crate) fn bare(ts: Timestamp) -> Unanswered {
        Unanswered { ts, answer: None }
    }
}

/// A query's result that must stay right until its read set is written to.
pub(crate) struct Watched {
    at: Timestamp,
    program: Arc<Program>,
    outputs: Vec<Output>,
    read_set: ReadSet,
    /// It has read an index of the schema.
    reads_index: bool,
}

impl Simulation {
    /// Replays a run at the snapshot that it read.
    pub(crate) fn replay_run(&self, client: usize, running: &Running, run: &Run) -> Checked<Replayed> {
        replay(&self.model, run.at, running.kind, &running.program, &run.outputs).map_err(|text| Broken {
            property: Property::OneSnapshot,
            detail: format!(
                "in a run of client {client} at the snapshot {:?} (serial: {}) {text}",
                run.at, run.is_serial
            ),
        })
    }

    pub(crate) fn finish_query(
        &mut self,
        client: usize,
        mut running: Running,
        outcome: QueryOutcome,
    ) -> Checked {
        let run = running.runs.pop().expect("a query runs");
        let replayed = self.replay_run(client, &running, &run)?;
        let QueryOutcome { result, log_lines, read_set, ts: at, .. } = outcome;
        self.note(|| {
            format!("client {client} has its result: {:?}", result.as_ref().map_err(|error| error.code))
        });
        check_result(&replayed, &result, &log_lines)?;
        self.learn_pages(&running, &replayed)?;
        self.unanswered.push(Unanswered::bare(at));
        self.answer();
        // It is not known what was written since a timestamp that has passed.
        if at == self.announced {
            let Running { program, .. } = running;
            let reads_index = replayed.index_reads > 0;
            self.watch(Watched { at, program, outputs: run.outputs, read_set, reads_index });
        }
        Ok(())
    }

    /// Watches a result, if there is a place; those of indexes take the places of others.
    fn watch(&mut self, watched: Watched) {
        if self.watched.len() < WATCHED_MAX {
            self.watched.push(watched);
        } else if watched.reads_index
            && let Some(other) = self.watched.iter_mut().find(|other| !other.reads_index)
        {
            *other = watched;
        }
    }

    pub(crate) fn finish_mutation(
        &mut self,
        client: usize,
        running: &Running,
        outcome: MutationOutcome,
    ) -> Checked {
        let mut last = None;
        for run in &running.runs {
            last = Some((run, self.replay_run(client, running, run)?));
        }
        if outcome.replayed && !running.runs.is_empty() {
            // Its second run found the record at once.
            self.note_conflict(running.path);
        }
        if let Some((_, replayed)) = &last {
            self.learn_pages(running, replayed)?;
        }
        let request = running.request.expect("a mutation is a request");
        self.note(|| format!("client {client} is done with request {request}: {outcome:?}"));
        if outcome.replayed {
            return self.finish_repetition(request, outcome);
        }
        let Some((run, replayed)) = last else {
            let detail = format!("request {request} ended without a run: {:?}", outcome.result);
            return Err(Broken { property: Property::Results, detail });
        };
        let wants_commit =
            matches!(replayed.ending, Some(Ending::Returned(_))) && !replayed.changes.is_empty();
        match &outcome.result {
            Err(error) if wants_commit => {
                self.check_refusal(error.code.as_str())?;
                self.figures.refusals += 1;
                self.unanswered.push(Unanswered::bare(outcome.ts));
            }
            Ok(result) if wants_commit => {
                let result = result.clone();
                self.take_commit(client, running, run, result, &outcome)?;
            }
            result => {
                check_result(&replayed, result, &outcome.log_lines)?;
                check(outcome.ts == run.at, Property::Results, || {
                    format!("a call that wrote nothing read {:?} and says {:?}", run.at, outcome.ts)
                })?;
                self.unanswered.push(Unanswered::bare(outcome.ts));
            }
        }
        self.answer();
        Ok(())
    }

    /// A commit takes its place in the order, and must have read what stands there.
    fn take_commit(
        &mut self,
        client: usize,
        running: &Running,
        run: &Run,
        result: Bytes,
        outcome: &MutationOutcome,
    ) -> Checked {
        let (ts, last) = (outcome.ts, self.model.last());
        self.check_rises(ts)?;
        let request = running.request.expect("a mutation is a request");
        let session = self.requests[request].session;
        let earlier = session.and_then(|session| self.model.answer(&session, last));
        check(earlier.is_none(), Property::RequestsOnce, || {
            format!("request {request} takes effect at {ts:?}, and did already: {earlier:?}")
        })?;
        let replayed = replay(&self.model, last, running.kind, &running.program, &run.outputs);
        let mut replayed = replayed.map_err(|text| Broken {
            property: Property::Serializable,
            detail: format!(
                "request {request} of client {client} read the snapshot {:?} (serial: {}) and committed at {ts:?}, \
                 behind {last:?}; there {text}",
                run.at, run.is_serial
            ),
        })?;
        check_result(&replayed, &outcome.result, &outcome.log_lines)?;
        self.learn(&replayed.changes, &run.outputs);
        let answer = Answer { ts, result, log_lines: outcome.log_lines.clone() };
        if let Some(session) = session {
            replayed.changes.answers.insert(session, Some(answer.clone()));
        }
        self.model.commit(ts, replayed.changes);
        self.life.commits += 1;
        self.figures.commits += 1;
        self.unanswered.push(Unanswered { ts, answer: session.map(|_| (request, answer)) });
        Ok(())
    }

    /// Clients hear of the documents that a commit made and removed.
    fn learn(&mut self, changes: &Changes, outputs: &[Output]) {
        let last = self.model.last();
        for (id, _) in changes.documents.iter().filter(|(_, written)| written.is_none()) {
            self.known.forget(id);
        }
        let inserted = outputs.iter().filter_map(|output| match output {
            Output::Inserted(Ok(id)) => Some(id),
            _ => None,
        });
        for id in inserted.filter(|id| changes.documents.get(&id.parsed).is_some_and(Option::is_some)) {
            let mut tables = changes.tables.iter().chain(self.model.tables(last));
            if let Some((table, _)) = tables.find(|(_, number)| **number == id.parsed.table.0) {
                self.known.add(table, id.clone());
            }
        }
    }

    /// Clients hear of where pages ended. Equal ends have equal cursors.
    fn learn_pages(&mut self, running: &Running, replayed: &Replayed) -> Checked {
        self.figures.index_reads += replayed.index_reads;
        self.figures.pages += replayed.pages.len() as u64;
        self.figures.later_pages += running.program.pages_from_cursors();
        for (scope, cursor) in &replayed.pages {
            let is_same = |(other, known): &&(Scope, Cursor)| {
                other == scope && (&known.after, &known.fields) == (&cursor.after, &cursor.fields)
            };
            match self.cursors.iter().find(is_same) {
                Some((_, known)) => check(known.text == cursor.text, Property::Results, || {
                    format!(
                        "a page of {scope:?} that ended {known:?} has another cursor when it is read again"
                    )
                })?,
                None => self.cursors.push((scope.clone(), cursor.clone())),
            }
        }
        let excess = self.cursors.len().saturating_sub(CURSORS_MAX);
        self.cursors.drain(..excess);
        Ok(())
    }

    fn finish_repetition(&mut self, number: usize, outcome: MutationOutcome) -> Checked {
        self.life.replays += 1;
        self.figures.repetitions += 1;
        let request = &self.requests[number];
        let recorded = request.session.and_then(|session| self.model.answer(&session, self.model.last()));
        let given = outcome.result.as_ref().ok().map(|result| Answer {
            ts: outcome.ts,
            result: result.clone(),
            log_lines: outcome.log_lines.clone(),
        });
        check(given.is_some() && given.as_ref() == recorded, Property::RequestsOnce, || {
            format!(
                "the repetition of request {number} is answered {given:?}, and its record is {recorded:?}"
            )
        })?;
        let first = &request.answer;
        check(first.is_none() || *first == given, Property::RequestsOnce, || {
            format!("the repetition of request {number} is answered {given:?}, and it was answered {first:?}")
        })?;
        let answer = given.map(|answer| (number, answer));
        self.unanswered.push(Unanswered { ts: outcome.ts, answer });
        self.answer();
        Ok(())
    }

    /// Gives the answers whose commits are durable.
    pub(crate) fn answer(&mut self) {
        let durable = self.durable;
        let ready = self.unanswered.extract_if(.., |unanswered| unanswered.ts <= durable);
        for Unanswered { ts, answer } in ready {
            self.answered = self.answered.max(ts);
            if let Some((request, answer)) = answer {
                self.requests[request].answer = Some(answer);
            }
        }
    }

    /// The host need not remember these any more, not even those that wait to be answered.
    pub(crate) fn forget_answers(&mut self, swept: &[SessionRequest]) {
        let is_swept = |request: &Request| request.session.is_some_and(|key| swept.contains(&key));
        let requests = &mut self.requests;
        for unanswered in &mut self.unanswered {
            unanswered.answer.take_if(|(request, _)| is_swept(&requests[*request]));
        }
        requests.iter_mut().filter(|request| is_swept(request)).for_each(|request| request.answer = None);
    }

    /// What was watched must be right still, or its read set says that it need not be.
    pub(crate) fn check_watched(&mut self, commit: &Commit) -> Checked {
        let ts = commit.ts;
        if self.model.is_deployment(ts) {
            // Every query runs again under it, whatever it has read.
            self.watched.clear();
        }
        let keys = || commit.writes.iter().map(|write| &write.key).chain(&commit.touched);
        self.watched.retain(|watched| !keys().any(|key| watched.read_set.contains(key)));
        for watched in &mut self.watched {
            let result = replay(&self.model, ts, FunctionKind::Query, &watched.program, &watched.outputs);
            let read_set = &watched.read_set;
            result.map_err(|text| Broken {
                property: Property::ReadSetsSuffice,
                detail: format!(
                    "a query at {:?} would give another result since {ts:?}, which wrote nothing of its read set \
                     {read_set:?}: {text}",
                    watched.at
                ),
            })?;
            watched.at = ts;
        }
        Ok(())
    }

    pub(crate) fn check_rises(&self, ts: Timestamp) -> Checked {
        let (last, answered) = (self.model.last(), self.answered);
        check(ts > last && ts > answered, Property::TimestampsRise, || {
            format!("a commit got {ts:?}; the one before has {last:?}, and {answered:?} was answered")
        })
    }

    /// A commit was just refused. There must be a reason.
    pub(crate) fn check_refusal(&self, what: &str) -> Checked {
        let stats = self.host.store.stats();
        let is_full = self.was_disk_bounded && stats.disk_full;
        let has_no_memory = stats.memory_bytes >= self.profile.memory_refused_from_bytes();
        let is_due = match what {
            "DiskFull" => is_full,
            "Overloaded" => has_no_memory,
            "ShuttingDown" => self.host.has_given_up(),
            _ => is_full || has_no_memory || self.host.has_given_up(),
        };
        check(is_due, Property::Accepts, || format!("a commit is refused, {what}, and {stats:?}"))
    }
}

fn check_result(replayed: &Replayed, result: &Result<Bytes, CallError>, log_lines: &[String]) -> Checked {
    let given = match result {
        Ok(result) => Some(Ending::Returned(result.clone())),
        Err(error) if error.code == "ApplicationError" => Some(Ending::Failed),
        Err(error) if error.code == "InvalidCursor" => Some(Ending::Poisoned("InvalidCursor")),
        Err(_) => None,
    };
    check(given.is_some() && given == replayed.ending, Property::Results, || {
        format!("a call ended with {result:?}, and on the model with {:?}", replayed.ending)
    })?;
    check(log_lines == replayed.log_lines, Property::Results, || {
        format!("a call logged {log_lines:?}, and on the model {:?}", replayed.log_lines)
    })
}
