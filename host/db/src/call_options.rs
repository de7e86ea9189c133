//! Calls of functions by functions otherwise than usually: over a stale snapshot, or with lower limits.
use bytes::Bytes;
use serde::Deserialize;
use weir_value::ErrorCode;

use crate::{
    CallError, DbError, Deployment, FunctionError, FunctionInfo, FunctionKind, NestedCall, Transaction, Usage,
};

/// What a call is to be otherwise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CallOptions {
    /// As what the function is called: a query or a mutation.
    pub kind: FunctionKind,
    use_stale_snapshot: bool,
    limits: UsageLimits,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CallOptionsJson {
    kind: Kind,
    #[serde(default)]
    use_stale_snapshot: bool,
    #[serde(default)]
    transaction_limits: UsageLimits,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum Kind {
    Query,
    Mutation,
}

/// How much a nested call may use; npm `convex`'s names. What is not said is not limited here.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
struct UsageLimits {
    documents_read: Option<f64>,
    bytes_read: Option<f64>,
    database_queries: Option<f64>,
    documents_written: Option<f64>,
    bytes_written: Option<f64>,
    functions_scheduled: Option<f64>,
    scheduled_function_args_bytes: Option<f64>,
    // A transaction moves no bytes of files, so that these hold always.
    files_read: Option<f64>,
    file_read_bytes: Option<f64>,
    files_written: Option<f64>,
    file_write_bytes: Option<f64>,
}

impl CallOptions {
    /// Reads what `calls.run-with` is given.
    ///
    /// # Errors
    /// `InvalidRequest`.
    pub fn parse(json: &[u8]) -> Result<CallOptions, DbError> {
        let refused = |reason: String| {
            DbError::new(
                ErrorCode::InvalidRequest,
                format!("The options of a call cannot be taken: {reason}"),
            )
        };
        let read: CallOptionsJson =
            serde_json::from_slice(json).map_err(|error| refused(error.to_string()))?;
        let kind = match read.kind {
            Kind::Query => FunctionKind::Query,
            Kind::Mutation if read.use_stale_snapshot => {
                return Err(refused("a mutation has no stale snapshot; run a query with one".to_owned()));
            }
            Kind::Mutation => FunctionKind::Mutation,
        };
        Ok(CallOptions { kind, use_stale_snapshot: read.use_stale_snapshot, limits: read.transaction_limits })
    }
}

impl Transaction {
    /// Runs another function as [`Transaction::call_nested`] does, with options.
    ///
    /// # Errors
    /// As there; `InvalidRequest`: the arguments of a query that would not be live; and for what was used too much of,
    /// the code of the transaction's own limit.
    pub fn call_with_options(
        mut self,
        deployment: &dyn Deployment,
        call: NestedCall<'_>,
        options: &CallOptions,
        run: impl FnOnce(&FunctionInfo, &Bytes, Transaction) -> (Transaction, Result<Bytes, FunctionError>),
    ) -> (Transaction, Result<Bytes, CallError>) {
        if options.use_stale_snapshot {
            return self.call_over_stale_snapshot(deployment, call, options, run);
        }
        let before = self.budget();
        let sub = self.begin_sub();
        let (mut tx, result) = self.call_nested(deployment, call, run);
        match options.limits.exceeded(&before, &tx.budget()) {
            Some((code, message)) if result.is_ok() => {
                tx.rollback_sub(sub);
                let message = format!("`{}` {message}", call.path);
                (tx, Err(CallError::new(code, message)))
            }
            _ => {
                // What failed has left nothing.
                tx.commit_sub(sub);
                (tx, result)
            }
        }
    }

    /// Runs a query over what was committed when the transaction began, apart from what this has read and written.
    fn call_over_stale_snapshot(
        mut self,
        deployment: &dyn Deployment,
        call: NestedCall<'_>,
        options: &CallOptions,
        run: impl FnOnce(&FunctionInfo, &Bytes, Transaction) -> (Transaction, Result<Bytes, FunctionError>),
    ) -> (Transaction, Result<Bytes, CallError>) {
        if self.kind() != FunctionKind::Mutation {
            let message = format!(
                "`{}` is no mutation, and only a mutation can run a query with `useStaleSnapshot`: whoever watches a \
                 query is told when what it read changes.",
                self.path()
            );
            return (self, Err(CallError::new(ErrorCode::InvalidRequest, message)));
        }
        let before = self.budget();
        let own = self.set_aside();
        let (mut tx, result) = self.call_nested(deployment, call, run);
        tx.take_back(own);
        match options.limits.exceeded(&before, &tx.budget()) {
            Some((code, message)) if result.is_ok() => {
                let message = format!("`{}` {message}", call.path);
                (tx, Err(CallError::new(code, message)))
            }
            _ => (tx, result),
        }
    }
}

/// What a transaction has used of everything that has a limit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Budget {
    pub(crate) usage: Usage,
    pub(crate) functions_scheduled: usize,
    pub(crate) scheduled_args_bytes: usize,
}

impl UsageLimits {
    /// The limit that a call has passed: its code, and what to say after the function's name.
    fn exceeded(&self, before: &Budget, after: &Budget) -> Option<(ErrorCode, String)> {
        let used = |of: fn(&Budget) -> usize| of(after) - of(before);
        let limits = [
            (
                "documentsRead",
                self.documents_read,
                used(|it| it.usage.documents_read),
                ErrorCode::TooManyReads,
            ),
            ("bytesRead", self.bytes_read, used(|it| it.usage.bytes_read), ErrorCode::TooManyBytesRead),
            (
                "databaseQueries",
                self.database_queries,
                used(|it| it.usage.ranges_read),
                ErrorCode::TooManyReads,
            ),
            (
                "documentsWritten",
                self.documents_written,
                used(|it| it.usage.documents_written),
                ErrorCode::TooManyWrites,
            ),
            (
                "bytesWritten",
                self.bytes_written,
                used(|it| it.usage.bytes_written),
                ErrorCode::TooManyBytesWritten,
            ),
            (
                "functionsScheduled",
                self.functions_scheduled,
                used(|it| it.functions_scheduled),
                ErrorCode::TooManyScheduled,
            ),
            (
                "scheduledFunctionArgsBytes",
                self.scheduled_function_args_bytes,
                used(|it| it.scheduled_args_bytes),
                ErrorCode::TooManyScheduled,
            ),
        ];
        limits.into_iter().find_map(|(name, limit, used, code)| {
            let limit = limit.filter(|&limit| used as f64 > limit)?;
            let message = format!(
                "used more than its caller's `transactionLimits` allow (`{name}`: {used}, limit: {limit}); what it wrote \
                 is undone."
            );
            Some((code, message))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read() {
        let options = CallOptions::parse(br#"{"kind":"query","useStaleSnapshot":true}"#).unwrap();
        assert_eq!((options.kind, options.use_stale_snapshot), (FunctionKind::Query, true));
        let options =
            CallOptions::parse(br#"{"kind":"mutation","transactionLimits":{"documentsRead":2}}"#).unwrap();
        assert_eq!((options.kind, options.limits.documents_read), (FunctionKind::Mutation, Some(2.0)));
        for json in [
            "",
            "{}",
            r#"{"kind":"action"}"#,
            r#"{"kind":"mutation","useStaleSnapshot":true}"#,
            r#"{"kind":"query","transactionLimits":{"documents":2}}"#,
            r#"{"kind":"query","useFreshSnapshot":true}"#,
        ] {
            assert_eq!(CallOptions::parse(json.as_bytes()).unwrap_err().code, "InvalidRequest", "{json}");
        }
    }
}
