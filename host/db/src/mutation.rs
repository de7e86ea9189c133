//! Mutations: optimistic execution, serial execution, and answers from the record.
//!
//! A mutation runs at most twice: once without the gate, and, if what it read was written meanwhile, once behind it,
//! where nothing else commits. Queries are not here; nor is what a run does.

use bytes::Bytes;
use weir_store::Write;
use weir_store::planted::{self, Bug};
use weir_value::{ErrorCode, Timestamp};

use crate::committer::{Conflict, Gate, Opened};
use crate::error::Failure;
use crate::execution::Execution;
use crate::session_requests::{Owner, SessionRecord};
use crate::stats::count;
use crate::{
    Call, Database, DbError, FunctionKind, MutationOutcome, SessionRequest, Transaction, call, keyspace,
};

/// How a run came to its end; nothing is committed yet.
enum Ending {
    /// The record of an earlier run was found, and nothing was run.
    Replayed(SessionRecord),
    Returned(Bytes),
    Failed(Failure),
}

impl Database {
    /// Runs a mutation on the calling thread; returns when it is sequenced, not yet durable.
    ///
    /// With a session's request a repetition is answered from the record of the first run, with its timestamp: also
    /// if the function has since been removed.
    pub fn mutation(&self, call: &Call, session: Option<SessionRequest>) -> MutationOutcome {
        let resolved = self.resolve(call, &self.deployments.newest().functions, FunctionKind::Mutation);
        let resolved = match resolved {
            Ok(resolved) => resolved,
            Err(failure) => return self.refuse(call, session, failure),
        };
        let rate = self.conflict_rates.rate(&resolved.info.path);
        let execution = rate.choose();
        if execution != Execution::Serial {
            let opened = self.committer.open();
            let outcome = self.run_optimistic(call, session, &opened);
            rate.note(execution, outcome.is_err());
            match outcome {
                Ok(outcome) => return outcome,
                Err(Conflict) => count(&self.counters.conflicts),
            }
        }
        self.run_serial(call, session, &mut |_| {})
    }

    /// Runs a mutation in serial execution, and shows its transaction before it ends.
    pub(crate) fn mutation_observed(
        &self,
        call: &Call,
        observe: &mut dyn FnMut(&Transaction),
    ) -> MutationOutcome {
        self.run_serial(call, None, observe)
    }

    /// A call of what cannot be called; yet a repetition of what once could is answered.
    fn refuse(&self, call: &Call, session: Option<SessionRequest>, failure: Failure) -> MutationOutcome {
        let opened = self.committer.open();
        let mut tx = self.begin(call, FunctionKind::Mutation, opened.snapshot.clone());
        let ending = find_record(&mut tx, session).unwrap_or(Ending::Failed(failure));
        self.end_without_commit(call, tx, ending)
    }

    fn run_optimistic(
        &self,
        call: &Call,
        session: Option<SessionRequest>,
        opened: &Opened<'_>,
    ) -> Result<MutationOutcome, Conflict> {
        match self.run(call, session, opened) {
            (mut tx, Ending::Returned(result)) if tx.has_writes() => {
                tx.order_reads();
                let gate = self.committer.enter();
                gate.check(tx.reads(), tx.ts())?;
                let is_newest = self.deployments.is_newest(tx.deployed());
                if !is_newest && !planted::is(Bug::MutationPassesDeployment) {
                    return Err(Conflict);
                }
                Ok(self.commit(gate, call, session, tx, result))
            }
            (tx, ending) => Ok(self.end_without_commit(call, tx, ending)),
        }
    }

    fn run_serial(
        &self,
        call: &Call,
        session: Option<SessionRequest>,
        observe: &mut dyn FnMut(&Transaction),
    ) -> MutationOutcome {
        count(&self.counters.serial_runs);
        let gate = self.committer.enter();
        let opened = self.committer.open();
        let (tx, ending) = self.run(call, session, &opened);
        observe(&tx);
        match (tx, ending) {
            (tx, Ending::Returned(result)) if tx.has_writes() => {
                debug_assert_eq!(gate.check(tx.reads(), tx.ts()), Ok(()), "nothing commits past a held gate");
                let session = session.filter(|_| !planted::is(Bug::RequestRecordLost));
                self.commit(gate, call, session, tx, result)
            }
            (tx, ending) => {
                drop(gate);
                self.end_without_commit(call, tx, ending)
            }
        }
    }

    fn run(
        &self,
        call: &Call,
        session: Option<SessionRequest>,
        opened: &Opened<'_>,
    ) -> (Transaction, Ending) {
        let mut tx = self.begin(call, FunctionKind::Mutation, opened.snapshot.clone());
        if let Some(ending) = find_record(&mut tx, session) {
            return (tx, ending);
        }
        // As deployed at the snapshot, which may be another deployment than when the call arrived.
        let resolved = match self.resolve(call, &tx.deployed().functions, FunctionKind::Mutation) {
            Ok(resolved) => resolved,
            Err(failure) => return (tx, Ending::Failed(failure)),
        };
        count(&self.counters.mutation_runs);
        let (tx, result) = call::run(&resolved, call, tx);
        (tx, result.map_or_else(Ending::Failed, Ending::Returned))
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
        let (draft, lines) = tx.into_draft();
        let stamped = session.map(|request| {
            let log_lines = lines.iter().map(|(_, line)| line.clone()).collect();
            let result = result.clone();
            let owner = Owner::of(&call.principal);
            move |ts: Timestamp| Write {
                key: keyspace::session_request_key(&request),
                value: Some(SessionRecord { ts, owner, result, log_lines }.encode()),
            }
        });
        let sequenced = gate.sequence(draft.changes, &draft.counts, stamped, &mut |_| {});
        if let (Ok(_), Some((id, error))) = (&sequenced, draft.pending_mismatch) {
            self.preparing.fail(id, &error);
        }
        drop(gate);
        let log_lines = call::emit_log(call, lines);
        match sequenced {
            Ok(ts) => {
                count(&self.counters.commits);
                MutationOutcome { result: Ok(result), ts, log_lines, replayed: false }
            }
            Err(error) => self.failed(call, Failure::Commit(error), snapshot_ts, log_lines),
        }
    }

    /// Ends a run that was replayed, failed, or wrote nothing.
    fn end_without_commit(&self, call: &Call, tx: Transaction, ending: Ending) -> MutationOutcome {
        let ts = tx.ts();
        let (_, lines) = tx.into_draft();
        match ending {
            Ending::Replayed(SessionRecord { ts, result, log_lines, .. }) => {
                count(&self.counters.replays);
                MutationOutcome { result: Ok(result), ts, log_lines, replayed: true }
            }
            Ending::Returned(result) => {
                let log_lines = call::emit_log(call, lines);
                MutationOutcome { result: Ok(result), ts, log_lines, replayed: false }
            }
            Ending::Failed(failure) => self.failed(call, failure, ts, call::emit_log(call, lines)),
        }
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
        let (ts, log_lines) = match failure.is_independent_of_data() {
            true => (Timestamp::ZERO, Vec::new()),
            false => (read_at, log_lines),
        };
        MutationOutcome { result: Err(call::report(call, failure)), ts, log_lines, replayed: false }
    }
}

/// How a request ends that was answered before, or whose record cannot be read; `None` if it is new. Looking is a read
/// of the transaction: of two racing repetitions one conflicts with the other.
fn find_record(tx: &mut Transaction, session: Option<SessionRequest>) -> Option<Ending> {
    let failed = |error: DbError| Ending::Failed(Failure::Poisoned(error));
    let bytes = match tx.read_uncounted(keyspace::session_request_key(&session?)) {
        Ok(bytes) => bytes?,
        Err(error) => return Some(failed(error)),
    };
    let damaged = "The record of this request is damaged; restore the data folder from a backup.";
    let another = "This request of this session was made for another user, and is done; make a new one.";
    Some(match SessionRecord::decode(bytes) {
        Some(record) if record.owner == Owner::of(tx.principal()) => Ending::Replayed(record),
        Some(_) => failed(DbError::new(ErrorCode::RequestOfAnotherUser, another)),
        None => failed(DbError::new(ErrorCode::StorageFailed, damaged)),
    })
}
