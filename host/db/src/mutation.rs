//! Mutations: optimistic execution, serial execution, and answers from the record.
//!
//! A mutation runs at most twice: once without the gate, and, if what it read was written meanwhile, once behind it,
//! where nothing else commits. A slow one that conflicts may have to try some times more without: see
//! [`crate::long_turns`]. One that needs passwords hashed or verified runs once more for each, because it waits for
//! them between runs, where it holds nothing (see [`crate::passwords`]). Queries are not here; nor is what a run does.

use std::time::Duration;

use bytes::Bytes;
use weir_store::planted::{self, Bug};
use weir_store::{Direction, ReadError, SequenceError, Sequenced, Write};
use weir_value::{ErrorCode, Timestamp, limits};

use crate::commit_timestamp::UnstampedJson;
use crate::committer::{Conflict, Gate, Opened};
use crate::error::Failure;
use crate::execution::{ConflictRate, Execution};
use crate::passwords::{PasswordResults, PasswordWork};
use crate::session_highs::{Known, Unsure};
use crate::session_requests::{Owner, SessionRecord};
use crate::stats::count;
use crate::{
    Call, Database, DbError, FunctionKind, MutationOutcome, ScheduledJob, SessionRequest, Teardown,
    Transaction, call, keyspace,
};

/// How long the caller is to pause of a mutation that memory had no room for: it has run in vain.
const REFUSED_PAUSE: Duration = Duration::from_millis(100);

/// How far a mutation has come.
#[derive(Debug)]
pub enum MutationStep {
    /// To its end.
    Ended(MutationOutcome),
    /// It waits for a password: it is to be run again with what comes of this.
    Waits(PasswordWork),
}

/// Where a call comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Origin<'a> {
    /// From somebody who does not repeat it.
    Caller,
    /// From a client, which may: then it is answered and not run.
    Session(SessionRequest),
    /// From the scheduler: it runs if the job waits, and marks it as done.
    Job(&'a ScheduledJob),
}

impl Origin<'_> {
    fn session(self) -> Option<SessionRequest> {
        match self {
            Origin::Session(request) => Some(request),
            Origin::Caller | Origin::Job(_) => None,
        }
    }
}

impl From<Option<SessionRequest>> for Origin<'static> {
    fn from(session: Option<SessionRequest>) -> Origin<'static> {
        session.map_or(Origin::Caller, Origin::Session)
    }
}

/// How a run came to its end; nothing is committed yet.
enum Ending {
    /// The record of an earlier run was found, and nothing was run.
    Replayed(SessionRecord),
    /// It is a job that waits no more, and nothing was run.
    Over,
    Returned(Bytes),
    Failed(Failure),
    Waits(PasswordWork),
}

impl Database {
    /// Runs a mutation on the calling thread; returns when it is sequenced, not yet durable. Passwords are hashed and
    /// verified on this thread too, and it pauses where it is to.
    ///
    /// With a session's request a repetition is answered from the record of the first run, with its timestamp: also
    /// if the function has since been removed.
    pub fn mutation(&self, call: &Call, session: Option<SessionRequest>) -> MutationOutcome {
        let outcome =
            to_the_end(|passwords, teardown| self.step_mutation(call, session, passwords, teardown));
        self.shared.env.sleep(outcome.pause);
        outcome
    }

    /// As [`Database::mutation`], up to where it waits for a password. With what came of that among `passwords`, which
    /// belong to this one call, it is run again. What it ran in is left in `teardown`.
    pub fn step_mutation(
        &self,
        call: &Call,
        session: Option<SessionRequest>,
        passwords: &mut PasswordResults,
        teardown: &mut Teardown,
    ) -> MutationStep {
        self.step_mutation_of(call, session.into(), passwords, teardown)
    }

    /// The same, wherever the call comes from.
    pub(crate) fn step_mutation_of(
        &self,
        call: &Call,
        origin: Origin<'_>,
        passwords: &mut PasswordResults,
        teardown: &mut Teardown,
    ) -> MutationStep {
        let _span = call.span().entered();
        let resolved = self.resolve(call, &self.deployments.newest().deployment, FunctionKind::Mutation);
        let resolved = match resolved {
            Ok(resolved) => resolved,
            Err(failure) => return MutationStep::Ended(self.refuse(call, origin, failure)),
        };
        let rate = self.conflict_rates.rate(&resolved.info.path);
        let execution = rate.choose();
        let mut tries = 0;
        while execution != Execution::Serial && self.may_try(&rate, tries) {
            tries += 1;
            match self.try_optimistic(call, origin, &rate, passwords, teardown) {
                Ok(MutationStep::Ended(outcome)) => {
                    rate.note(false);
                    return MutationStep::Ended(outcome);
                }
                Ok(waits) => return waits,
                Err(Conflict) => {
                    rate.note(true);
                    count(&self.counters.conflicts);
                }
            }
        }
        let samples = execution == Execution::Serial && rate.samples();
        let mut would_conflict = false;
        let (step, held) = self.run_serial(call, origin, passwords, teardown, &mut |tx, gate| {
            would_conflict = samples && self.would_conflict(tx, gate, rate.run_time());
        });
        if samples {
            rate.note(would_conflict);
        }
        rate.note_time(held);
        step
    }

    /// Whether a mutation that has conflicted so often is to be run without the gate once more: the first time, and when it
    /// is slow and others are to have the gate.
    fn may_try(&self, rate: &ConflictRate, tries: u32) -> bool {
        match tries {
            0 => true,
            limits::SLOW_MUTATION_TRIES_MAX.. => false,
            _ => rate.is_slow() && !self.long_turns.may_begin(self.shared.env.monotonic()),
        }
    }

    /// Whether a transaction that was executed serially would have conflicted, had those that were committed just before run
    /// beside it on the other processors.
    fn would_conflict(&self, tx: &Transaction, gate: &Gate<'_>, run_time: Duration) -> bool {
        let env = &self.shared.env;
        let others = env.processors().saturating_sub(1);
        let beside = run_time.saturating_mul(u32::try_from(others).unwrap_or(u32::MAX));
        let now = env.now().as_nanos();
        // It has run for about as long itself.
        let since = u128::from(now).saturating_sub(beside.as_nanos() + run_time.as_nanos());
        let since = Timestamp::from_nanos(u64::try_from(since).unwrap_or(now));
        tx.has_writes() && gate.meets_recent(tx.reads(), others, since)
    }

    fn try_optimistic(
        &self,
        call: &Call,
        origin: Origin<'_>,
        rate: &ConflictRate,
        passwords: &mut PasswordResults,
        teardown: &mut Teardown,
    ) -> Result<MutationStep, Conflict> {
        let began = self.shared.env.monotonic();
        let opened = self.committer.open();
        let (tx, ending) = self.run(call, origin, &opened, passwords, teardown);
        rate.note_time(self.shared.env.monotonic().saturating_sub(began));
        self.end_optimistic(call, origin, &opened, tx, ending)
    }

    /// Runs a mutation in serial execution, and shows its transaction before it ends.
    pub(crate) fn mutation_observed(
        &self,
        call: &Call,
        observe: &mut dyn FnMut(&Transaction),
    ) -> MutationOutcome {
        to_the_end(|passwords, teardown| {
            let observe = &mut |tx: &Transaction, _: &Gate<'_>| observe(tx);
            self.run_serial(call, Origin::Caller, passwords, teardown, observe).0
        })
    }

    /// A call of what cannot be called; yet a repetition of what once could is answered.
    fn refuse(&self, call: &Call, origin: Origin<'_>, failure: Failure) -> MutationOutcome {
        let opened = self.committer.open();
        let mut tx = self.begin(call, FunctionKind::Mutation, opened.snapshot.clone());
        match self.find_record(&mut tx, origin.session()) {
            Some(Ok(record)) => self.replay(record),
            Some(Err(error)) => self.fail(call, tx, Failure::Poisoned(error)),
            None => self.fail(call, tx, failure),
        }
    }

    fn end_optimistic(
        &self,
        call: &Call,
        origin: Origin<'_>,
        opened: &Opened<'_>,
        tx: Transaction,
        ending: Ending,
    ) -> Result<MutationStep, Conflict> {
        match (tx, ending) {
            (mut tx, Ending::Returned(result)) if tx.has_writes() => {
                tx.order_reads();
                let gate = self.committer.enter();
                gate.check(tx.reads(), tx.ts())?;
                let is_newest = self.deployments.is_newest(tx.deployed());
                if !is_newest && !planted::is(Bug::MutationPassesDeployment) {
                    return Err(Conflict);
                }
                opened.joining.commits();
                Ok(MutationStep::Ended(self.commit(gate, call, origin.session(), tx, result)))
            }
            (tx, ending) => Ok(self.end_without_commit(call, tx, ending)),
        }
    }

    /// Gives also for how long the gate was held.
    fn run_serial(
        &self,
        call: &Call,
        origin: Origin<'_>,
        passwords: &mut PasswordResults,
        teardown: &mut Teardown,
        observe: &mut dyn FnMut(&Transaction, &Gate<'_>),
    ) -> (MutationStep, Duration) {
        count(&self.counters.serial_runs);
        let gate = self.committer.enter();
        let began = self.shared.env.monotonic();
        let opened = self.committer.open();
        let (tx, ending) = self.run(call, origin, &opened, passwords, teardown);
        observe(&tx, &gate);
        let step = match (tx, ending) {
            (tx, Ending::Returned(result)) if tx.has_writes() => {
                debug_assert_eq!(gate.check(tx.reads(), tx.ts()), Ok(()), "nothing commits past a held gate");
                opened.joining.commits();
                let session = origin.session().filter(|_| !planted::is(Bug::RequestRecordLost));
                MutationStep::Ended(self.commit(gate, call, session, tx, result))
            }
            (tx, ending) => {
                drop(gate);
                self.end_without_commit(call, tx, ending)
            }
        };
        let now = self.shared.env.monotonic();
        if now.saturating_sub(began) >= Duration::from_millis(limits::SLOW_FUNCTION_MS) {
            self.long_turns.note(began, now);
        }
        (step, now.saturating_sub(began))
    }

    fn run(
        &self,
        call: &Call,
        origin: Origin<'_>,
        opened: &Opened<'_>,
        passwords: &mut PasswordResults,
        teardown: &mut Teardown,
    ) -> (Transaction, Ending) {
        let mut tx = self.begin(call, FunctionKind::Mutation, opened.snapshot.clone());
        match self.find_record(&mut tx, origin.session()) {
            Some(Ok(record)) => return (tx, Ending::Replayed(record)),
            Some(Err(error)) => return (tx, Ending::Failed(Failure::Poisoned(error))),
            None => {}
        }
        let job = match origin {
            Origin::Job(job) => match tx.find_job(job) {
                Ok(Some(stored)) => Some((&job.id, stored)),
                Ok(None) => return (tx, Ending::Over),
                Err(error) => return (tx, Ending::Failed(Failure::Poisoned(error))),
            },
            Origin::Caller | Origin::Session(_) => None,
        };
        // As deployed at the snapshot, which may be another deployment than when the call arrived.
        let resolved = match self.resolve(call, &tx.deployed().deployment, FunctionKind::Mutation) {
            Ok(resolved) => resolved,
            Err(failure) => return (tx, Ending::Failed(failure)),
        };
        count(&self.counters.mutation_runs);
        tx.know_passwords(std::mem::take(passwords));
        let (mut tx, result) = self.measured(&call.path, || call::run(&resolved, call, tx, teardown));
        let (waiting, known) = tx.take_passwords();
        *passwords = known;
        let ending = match (waiting, result) {
            (Some(work), _) => Ending::Waits(work),
            (None, Ok(result)) => match job.map_or(Ok(()), |(id, job)| tx.succeed_job(id, job)) {
                Ok(()) => Ending::Returned(result),
                Err(error) => Ending::Failed(Failure::Poisoned(error)),
            },
            (None, Err(failure)) => Ending::Failed(failure),
        };
        (tx, ending)
    }

    /// Sequences a run that was checked, with its session record, and opens the gate.
    fn commit(
        &self,
        mut gate: Gate<'_>,
        call: &Call,
        session: Option<SessionRequest>,
        tx: Transaction,
        result: Bytes,
    ) -> MutationOutcome {
        let snapshot_ts = tx.ts();
        let result = UnstampedJson::of(&tx, result);
        let (draft, lines) = tx.into_draft();
        let stamped = session.map(|request| {
            let log_lines = lines.iter().map(|(_, line)| line.clone()).collect();
            let result = result.clone();
            let owner = Owner::of(&call.principal);
            self.session_highs.note(&request);
            move |ts: Timestamp| {
                let record = SessionRecord { ts, owner, result: result.stamp(ts), log_lines };
                Write { key: keyspace::session_request_key(&request), value: Some(record.encode()) }
            }
        });
        let sequenced = gate.sequence(draft.changes, &draft.counts, stamped, &mut |_| {});
        if let (Ok(_), Some((id, error))) = (&sequenced, draft.pending_mismatch) {
            self.preparing.fail(id, &error);
        }
        drop(gate);
        let log_lines = call::emit_log(call, lines);
        match sequenced {
            Ok(Sequenced { ts, pause }) => {
                count(&self.counters.commits);
                MutationOutcome { result: Ok(result.stamp(ts)), ts, log_lines, replayed: false, pause }
            }
            Err(error) => self.failed(call, Failure::Commit(error), snapshot_ts, log_lines),
        }
    }

    /// Ends a run that was replayed, failed, waits, or wrote nothing.
    fn end_without_commit(&self, call: &Call, tx: Transaction, ending: Ending) -> MutationStep {
        MutationStep::Ended(match ending {
            Ending::Waits(work) => return MutationStep::Waits(work),
            Ending::Replayed(record) => self.replay(record),
            Ending::Over => {
                let result = Ok(Bytes::from_static(b"null"));
                MutationOutcome {
                    result,
                    ts: tx.ts(),
                    log_lines: Vec::new(),
                    replayed: true,
                    pause: Duration::ZERO,
                }
            }
            Ending::Failed(failure) => self.fail(call, tx, failure),
            Ending::Returned(result) => {
                let ts = tx.ts();
                // Nothing is committed: it took place at the timestamp that it read at.
                let result = UnstampedJson::of(&tx, result).stamp(ts);
                let log_lines = call::emit_log(call, tx.into_draft().1);
                MutationOutcome { result: Ok(result), ts, log_lines, replayed: false, pause: Duration::ZERO }
            }
        })
    }

    /// The record of a request that was answered before, or why it gets no answer; `None` if it is new. Looking is a read
    /// of the transaction: of two racing repetitions one conflicts with the other.
    fn find_record(
        &self,
        tx: &mut Transaction,
        session: Option<SessionRequest>,
    ) -> Option<Result<SessionRecord, DbError>> {
        let request = session?;
        let key = keyspace::session_request_key(&request);
        match self.session_highs.find(&request) {
            Known::New => {
                tx.note_absent(key);
                return None;
            }
            Known::Session(unsure) => {
                let learned = self.learn_session(&request, &unsure);
                if let Err(error) = tx.or_unreadable(learned) {
                    return Some(Err(error));
                }
            }
            Known::Perhaps => {}
        }
        let bytes = match tx.read_uncounted(key) {
            Ok(bytes) => bytes?,
            Err(error) => return Some(Err(error)),
        };
        let damaged = "The record of this request is damaged; restore the data folder from a backup.";
        let another = "This request of this session was made for another user, and is done; make a new one.";
        Some(match SessionRecord::decode(bytes) {
            Some(record) if record.owner == Owner::of(tx.principal()) => Ok(record),
            Some(_) => Err(DbError::new(ErrorCode::RequestOfAnotherUser, another)),
            None => Err(DbError::new(ErrorCode::StorageFailed, damaged)),
        })
    }

    /// Looks which request of a session is the highest that has a record.
    fn learn_session(&self, request: &SessionRequest, unsure: &Unsure) -> Result<(), ReadError> {
        let records = keyspace::session_requests_of(request.session);
        let snapshot = self.store().snapshot_sequenced();
        let last = snapshot.scan(&records.start, &records.end, Direction::Descending, 1)?;
        let highest = last.first().and_then(|(key, _)| keyspace::request_of_key(key));
        self.session_highs.learn(unsure, highest);
        Ok(())
    }

    fn replay(&self, record: SessionRecord) -> MutationOutcome {
        count(&self.counters.replays);
        let SessionRecord { ts, result, log_lines, .. } = record;
        MutationOutcome { result: Ok(result), ts, log_lines, replayed: true, pause: Duration::ZERO }
    }

    fn fail(&self, call: &Call, tx: Transaction, failure: Failure) -> MutationOutcome {
        let ts = tx.ts();
        self.failed(call, failure, ts, call::emit_log(call, tx.into_draft().1))
    }

    /// The outcome of a mutation that failed at the timestamp `read_at`. What does not depend on the data can be told at
    /// once; its log lines might tell of the data, and stay here.
    fn failed(
        &self,
        call: &Call,
        failure: Failure,
        read_at: Timestamp,
        log_lines: Vec<String>,
    ) -> MutationOutcome {
        count(&self.counters.failures);
        if failure.is_refusal() {
            count(&self.counters.refusals);
        }
        let pause = match failure {
            Failure::Commit(SequenceError::Overloaded) => REFUSED_PAUSE,
            _ => Duration::ZERO,
        };
        let (ts, log_lines) = match failure.is_independent_of_data() {
            true => (Timestamp::ZERO, Vec::new()),
            false => (read_at, log_lines),
        };
        MutationOutcome { result: Err(call::report(call, failure)), ts, log_lines, replayed: false, pause }
    }
}

/// Takes a mutation from step to step to its end, and does on this thread what it waits for.
fn to_the_end(mut step: impl FnMut(&mut PasswordResults, &mut Teardown) -> MutationStep) -> MutationOutcome {
    let (mut passwords, mut teardown) = (PasswordResults::default(), Teardown::default());
    loop {
        match step(&mut passwords, &mut teardown) {
            MutationStep::Ended(outcome) => return outcome,
            MutationStep::Waits(work) => passwords.add(work.run()),
        }
    }
}
