//! Calls of functions by functions, inside one transaction.
//!
//! A nested call is a sub-transaction: what it wrote is undone when it fails, and its caller goes on. What it read,
//! used and logged stays the caller's. Knows nothing of how a function is run; whoever asks says how.
use std::sync::Arc;

use bytes::Bytes;
use weir_store::planted::{self, Bug};
use weir_value::ErrorCode;
use weir_value::limits::{NESTED_CALLS_DEPTH_MAX, NESTED_CALLS_MAX};

use crate::address::not_there;
use crate::call::{check_args, check_result};
use crate::error::Failure;
use crate::{CallError, DbError, Deployment, FunctionError, FunctionInfo, FunctionKind, Transaction};

/// How many calls stand around a transaction's running function, and how many there have been.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct NestedCalls {
    pub(crate) depth: usize,
    pub(crate) count: usize,
}

/// What a running function asks of another one.
#[derive(Debug, Clone, Copy)]
pub struct NestedCall<'a> {
    /// How the caller names it.
    pub path: &'a str,
    /// Its arguments: one JSON object, in any spelling.
    pub args: &'a [u8],
    /// As what it is called.
    pub called_as: FunctionKind,
}

impl Transaction {
    /// Runs another function of `deployment` as a part of this transaction; `run` is how it is run, as
    /// [`Functions::run`](crate::Functions::run) says. The error's message is the function's own where it is an application error, and
    /// has no request id. If the transaction is poisoned afterwards, the caller must end as well.
    ///
    /// # Errors
    /// `FunctionNotFound`, `FunctionMissing`, `WrongFunctionKind`, `ReadOnly` (a query calls a mutation), `NestedTooDeep`,
    /// `TooManyNestedCalls` (poisons), those of arguments and results, and those of the function.
    pub fn call_nested(
        mut self,
        deployment: &dyn Deployment,
        call: NestedCall<'_>,
        run: impl FnOnce(&FunctionInfo, &Bytes, Transaction) -> (Transaction, Result<Bytes, FunctionError>),
    ) -> (Transaction, Result<Bytes, CallError>) {
        let info = match self.admit(deployment, call) {
            Ok(info) => info,
            Err(error) => return (self, Err(error)),
        };
        let sub = self.begin_sub();
        let frame = self.enter(&info);
        let (mut tx, result) = self.run_nested(&info, call.args, run);
        tx.leave(frame);
        match result {
            Err(_) if !planted::is(Bug::NestedWritesKept) => tx.rollback_sub(sub),
            _ => tx.commit_sub(sub),
        }
        let result = result.map_err(|failure| {
            if let Some(message) = failure.operator_message() {
                let request = tx.context().request_id.as_str();
                tracing::error!(target: "weir::db", path = %info.path, request, "the host failed a call: {message}");
            }
            failure.into_nested_error(&info.path)
        });
        (tx, result)
    }

    /// Whether a call may begin, and of which function.
    fn admit(
        &mut self,
        deployment: &dyn Deployment,
        call: NestedCall<'_>,
    ) -> Result<Arc<FunctionInfo>, CallError> {
        self.count_host_call()?;
        self.nested.count += 1;
        if self.nested.count > NESTED_CALLS_MAX {
            let message = format!(
                "Too many calls of other functions in a single function execution (limit: {NESTED_CALLS_MAX}). Do \
                 the work in fewer functions."
            );
            self.or_poison(Err(DbError::new(ErrorCode::TooManyNestedCalls, message)))?;
        }
        if self.nested.depth == NESTED_CALLS_DEPTH_MAX {
            let message = format!(
                "`{}` was called by too many functions, one inside the other (limit: {NESTED_CALLS_DEPTH_MAX}), to \
                 call another; a recursion that does not end?",
                self.path()
            );
            return Err(DbError::new(ErrorCode::NestedTooDeep, message).into());
        }
        if call.called_as == FunctionKind::Mutation && self.kind() == FunctionKind::Query {
            let message =
                format!("`{}` is a query, which cannot run a mutation; make it a mutation.", self.path());
            return Err(DbError::new(ErrorCode::ReadOnly, message).into());
        }
        let path = self.resolve_address(call.path)?;
        // To other functions of its component internal ones are there as well.
        let info = deployment.find(&path).ok_or_else(|| not_there(deployment, &path))?;
        if info.kind != call.called_as {
            let failure = Failure::WrongKind { is: info.kind, called_as: call.called_as };
            return Err(failure.into_nested_error(&path));
        }
        Ok(info)
    }

    fn run_nested(
        mut self,
        info: &FunctionInfo,
        args: &[u8],
        run: impl FnOnce(&FunctionInfo, &Bytes, Transaction) -> (Transaction, Result<Bytes, FunctionError>),
    ) -> (Transaction, Result<Bytes, Failure>) {
        let args = match check_args(info, args, &mut self) {
            Ok(args) => args,
            Err(failure) => return (self, Err(failure)),
        };
        let (mut tx, returned) = run(info, &args, self);
        let result = match (tx.poisoned(), returned) {
            (Some(error), _) => Err(Failure::Poisoned(error.clone())),
            (None, Err(error)) => Err(Failure::Function(error)),
            (None, Ok(json)) => check_result(info, &json, &mut tx),
        };
        (tx, result)
    }
}

impl From<DbError> for CallError {
    fn from(error: DbError) -> Self {
        CallError::new(error.code, error.message)
    }
}

/// The seed of a call that another one makes: it depends on that one's seed and on how many calls there were before,
/// so that a repetition of the outer call repeats the inner ones. (SplitMix64, by Steele, Lea and Flood.)
pub(crate) fn derive_seed(seed: &[u8; 32], count: usize) -> [u8; 32] {
    let mut derived = [0; 32];
    let mut state = (count as u64).wrapping_mul(0xd1b5_4a32_d192_ed03);
    for (word, bytes) in derived.as_chunks_mut::<8>().0.iter_mut().zip(seed.as_chunks::<8>().0) {
        state = (state ^ u64::from_le_bytes(*bytes)).wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        *word = (mixed ^ (mixed >> 31)).to_le_bytes();
    }
    derived
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_nested_call_has_a_seed_of_its_own() {
        let seeds = [derive_seed(&[7; 32], 1), derive_seed(&[7; 32], 2), derive_seed(&[8; 32], 1), [7; 32]];
        for (index, seed) in seeds.iter().enumerate() {
            assert_eq!(seeds.iter().position(|other| other == seed), Some(index));
        }
        assert_eq!(derive_seed(&[7; 32], 1), seeds[0]);
    }
}
