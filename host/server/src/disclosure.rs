//! What callers are told of what goes on inside of functions: all of it by a host for development; in production what is
//! meant for them, and the rest stands in the host's log.
//!
//! Holders of admin keys are always told. Knows no transport: every way by which outcomes leave comes through here.

use bytes::Bytes;
use weir_db::{ActionOutcome, Call, CallError, MutationOutcome, Principal, QueryOutcome};

/// Whether callers read what functions log, and why they fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disclosure {
    /// Everybody does.
    Everything,
    /// Holders of admin keys do. Others read that a call has failed, its request's id, and an application error's data.
    Production,
}

impl Disclosure {
    /// Whether this caller is told everything.
    pub fn is_full_for(self, principal: &Principal) -> bool {
        self == Disclosure::Everything || principal.is_admin()
    }

    /// What the caller of a query, whoever watches it included, is told.
    #[must_use]
    pub fn of_query(self, call: &Call, outcome: QueryOutcome) -> QueryOutcome {
        let (result, log_lines) = self.of(call, outcome.result, outcome.log_lines);
        QueryOutcome { result, log_lines, ..outcome }
    }

    /// What the caller of a mutation is told.
    #[must_use]
    pub fn of_mutation(self, call: &Call, outcome: MutationOutcome) -> MutationOutcome {
        let (result, log_lines) = self.of(call, outcome.result, outcome.log_lines);
        MutationOutcome { result, log_lines, ..outcome }
    }

    /// What the caller of an action is told.
    #[must_use]
    pub fn of_action(self, call: &Call, outcome: ActionOutcome) -> ActionOutcome {
        let (result, log_lines) = self.of(call, outcome.result, outcome.log_lines);
        ActionOutcome { result, log_lines }
    }

    fn of(
        self,
        call: &Call,
        result: Result<Bytes, CallError>,
        log_lines: Vec<String>,
    ) -> (Result<Bytes, CallError>, Vec<String>) {
        match self.is_full_for(&call.principal) {
            true => (result, log_lines),
            false => (result.map_err(|error| redact(call, error)), Vec::new()),
        }
    }
}

fn redact(call: &Call, error: CallError) -> CallError {
    if !error.is_public {
        let (path, request) = (&call.path, call.request_id.as_str());
        tracing::warn!(target: "weir::function", %path, request, "the call failed: {}", error.own_message());
    }
    error.redacted(&call.request_id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_db::Scope;
    use weir_value::{ErrorCode, FunctionPath};

    #[test]
    fn strangers_are_told_what_is_meant_for_them() {
        let failed = |principal: &Principal, disclosure: Disclosure| {
            let call = Call {
                path: FunctionPath::parse("chat:send").unwrap(),
                args: Bytes::from_static(b"{}"),
                principal: principal.clone(),
                request_id: "r1".into(),
            };
            let message = "[Request ID: r1] Server Error\nUncaught Error: inside";
            let error = CallError::new(ErrorCode::ApplicationError, message);
            let outcome = ActionOutcome { result: Err(error), log_lines: vec!["[LOG] 'inside'".into()] };
            let told = disclosure.of_action(&call, outcome);
            (told.result.unwrap_err().message.contains("inside"), !told.log_lines.is_empty())
        };
        let key = |scope| Principal::Admin { scope, acting_as: None };
        for (principal, disclosure, is_told) in [
            (Principal::Anonymous, Disclosure::Production, false),
            (Principal::Anonymous, Disclosure::Everything, true),
            (key(Scope::ReadOnly), Disclosure::Production, true),
            (Principal::ADMIN, Disclosure::Production, true),
            (Principal::System, Disclosure::Production, true),
        ] {
            assert_eq!(failed(&principal, disclosure), (is_told, is_told), "{principal:?} {disclosure:?}");
        }
    }
}
